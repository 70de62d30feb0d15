"""Multiple choice: one question, two to ten options, at least one of them right.

Asked as lettered options and free text (`generate`), by the likelihood of each option's letter after the same prompt
(`score_letters`), or by that of each option's own text after the bare question (`score_options`), the form that small
models and those without instruction tuning can be measured in. The last two are the usual "MMLU" and "cloze" forms:
Gu et al. (2025), "OLMES: a standard for language model evaluations", arXiv:2406.08446.
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
    return Request(
        messages=(Message("user", render_item(item, _PROMPTS[condition.answer], closed_book=condition.closed_book)),),
        options=item.options,
        settings=msgspec.structs.replace(settings, answer=condition.answer),
        run=run,
        label=f"{item.family}/{item.language}",
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
    return read_likelihood(reply.option_logprobs, item.options, per_byte=condition.per_byte)


def _chance(item: Item) -> float:
    return len(item.answer) / len(item.options)


def _example(item: Item, shown: Shown, *, condition: Condition) -> Reply:
    if shown == "empty":
        return Reply(status="ok")
    chosen = next(index for index in range(len(item.options)) if (index in item.answer) == (shown == "right"))
    if condition.answer == "generate":
        return Reply(status="ok", text=load("mcqa_reply", item.language).render(letter=LETTERS[chosen]))
    scores = tuple(-1.0 if index == chosen else -1000.0 for index in range(len(item.options)))
    return Reply(status="ok", option_logprobs=scores)


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
