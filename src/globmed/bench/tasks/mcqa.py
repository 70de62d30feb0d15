"""Multiple choice: one question, two to ten options, at least one of them right.

Asked as lettered options and free text (`generate`), by the likelihood of each option's letter after the same prompt
(`score_letters`), or by that of each option's own text after the bare question (`score_options`), the form that small
models and those without instruction tuning can be measured in. The last two are the usual "MMLU" and "cloze" forms:
Gu et al. (2025), "OLMES: a standard for language model evaluations", arXiv:2406.08446. Against the prior it is the
likelihood that the question adds: Holtzman et al. (2021), "Surface form competition", arXiv:2104.08315.
"""

from __future__ import annotations

import msgspec

from globmed.bench.reading import Reading, read_choice, read_likelihood
from globmed.bench.tasks import Answer, Condition, Grade, Shown, Task
from globmed.core.item import Item
from globmed.models.client import LETTERS, Message, Reply, Request, Settings
from globmed.prompts import load, render_item

_PROMPTS: dict[Answer, str] = {"generate": "mcqa", "score_letters": "mcqa", "score_options": "mcqa_text"}


def _unfit(item: Item) -> str:
    if not item.answer:
        return "no answer key"
    if not 2 <= len(item.options) <= len(LETTERS):
        return f"not two to {len(LETTERS)} options"
    return "" if len(item.answer) < len(item.options) else "every option is right"


def _request(item: Item, *, condition: Condition, run: int, settings: Settings) -> Request:
    prompt, closed_book = _PROMPTS[condition.answer], condition.closed_book
    prior = ""
    if condition.against_prior:
        prior = render_item(msgspec.structs.replace(item, question=""), prompt, closed_book=True)
    return Request(
        messages=(Message("user", render_item(item, prompt, closed_book=closed_book)),),
        options=item.options,
        settings=msgspec.structs.replace(settings, answer=condition.answer),
        prior=(Message("user", prior),) if prior else (),
        run=run,
        label=f"{item.family}/{item.language}",
        source=item.source,
        licence=item.provenance.licence,
        may_leave_machine=item.provenance.may_leave_machine,
    )


def _grade(item: Item, reply: Reply, *, condition: Condition, run: int) -> Grade:  # noqa: ARG001 - every run is asked alike
    reading = _reading(item, reply, condition)
    right = reading.letter is not None and LETTERS.index(reading.letter) in item.answer
    return Grade(reading=reading, correct=right)


def _reading(item: Item, reply: Reply, condition: Condition) -> Reading:
    if reply.status in ("refused", "filtered"):
        return Reading(letter=None, status="refused", rule=f"reply {reply.status}")
    if reply.status == "error":
        return Reading(letter=None, status="empty", rule="reply error")
    if condition.answer == "generate":
        return read_choice(reply.text, item.options, item.language)
    priors = reply.option_priors if condition.against_prior else None
    return read_likelihood(reply.option_logprobs, item.options, per_byte=condition.per_byte, priors=priors)


def _chance(item: Item) -> float:
    return len(item.answer) / len(item.options)


def _example(item: Item, shown: Shown, *, condition: Condition) -> Reply:
    if shown == "empty":
        return Reply(status="ok")
    chosen = next(index for index in range(len(item.options)) if (index in item.answer) == (shown == "right"))
    if condition.answer == "generate":
        return Reply(status="ok", text=load("mcqa_reply", item.language).render(letter=LETTERS[chosen]))
    scores = tuple(-1.0 if index == chosen else -1000.0 for index in range(len(item.options)))
    return Reply(status="ok", option_logprobs=scores, option_priors=(-10.0,) * len(scores))


MCQA = Task(
    name="mcqa",
    kinds=("mcqa",),
    prompts=_PROMPTS,
    unfit=_unfit,
    request=_request,
    grade=_grade,
    chance=_chance,
    example=_example,
)
