"""Answers in English into the languages of their questions: the other half of what translate-test deploys.

    <run>/replies -> answers in English -> <run>/translated_back/replies -> <run>/translated_back

Once the models of a run have answered translated questions in English, a stated model translates what they wrote: once,
each text alone, without checks, repair or a critic, as the questions were. An equal answer is translated once for each
language. What is made stands beside the replies, which stay as they are; scores and judges go by it from then on.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from globmed.bench.asked import Asked, asked_folder
from globmed.bench.saved import as_answered, asked_models
from globmed.bench.scoring import Items, score_inputs
from globmed.bench.stand_ins import TranslationCost
from globmed.bench.translated_back import ANSWERS, BackTranslation, asks_in_english, back_folder, to_translate
from globmed.bench.verify import Verdict
from globmed.core.errors import HashMismatchError, InputError, UsageError
from globmed.core.store import MANIFEST, Manifest, read_manifest, read_records, up_to_date, writing_stage
from globmed.data.translate.asking import NO_ANSWER, Asker, Watch, unwatched
from globmed.data.translate.drafts import Draft
from globmed.data.translate.estimate import Estimates, StepEstimate
from globmed.data.translate.filling import Filler, Need
from globmed.data.translate.opening import open_by_name
from globmed.data.translate.plan import Plan, Share
from globmed.data.translate.reading import read_plain, read_texts
from globmed.data.translate.team import Member, Team, refuse_forbidden
from globmed.data.translate.wording import StepName
from globmed.models.client import Reply
from globmed.models.journal import read_replies
from globmed.models.paying import Effort
from globmed.prompts import Prompt, load
from globmed.workflows.translate_test import count_fates

_STEP: StepName = "answer"
_FIELD = "answer"


@dataclass(frozen=True)
class _Answer:
    """An answer in English: the row it was asked for by, the question's split, and its translation on its way."""

    row: Asked
    split: str
    need: Need


def translate_back(
    run: Path,
    model: str,
    *,
    effort: Effort = Effort(),  # noqa: B008 - frozen
    watch: Watch = unwatched,
) -> Manifest:
    """Translate a run's answers in English into their items' languages, resumably; nothing is asked twice.

    Args:
        run: a run's folder, all its replies saved.
        model: who translates, in the forms of `globmed.models.opening`, engines such as Apertium among them.
        effort: how hard to ask.
        watch: gives what is told how far it is.

    Returns:
        Manifest of the stage `<run>/translated_back`, whose counts say what could not be translated, and why.

    Raises:
        UsageError: a run that answers nothing in English, or lacks replies; an unknown model, or another than the run
            was translated back by before.
        TermsError: an item that may not leave this machine, for a model that is not on it; nothing was sent.
        LimitReachedError: a cap or the time is used up; what was answered is kept.
        EnvironmentFailedError: the model answers nobody, or another process translates there.
    """
    folder = back_folder(run)
    with Team(folder, open_by_name, effort.cap) as team:
        plan = _plan(run, model)
        members = _members(team, plan)
        configuration, inputs = _configuration(plan, members), _inputs(run)
        done = up_to_date(folder, configuration=configuration, inputs=inputs)
        if done and not any(NO_ANSWER in count.dropped for count in done.counts):
            return done
        _refuse_other(folder, configuration)
        answers = _answers(run, members)
        _fill(answers, plan, Asker(effort, attempts=plan.attempts, watch=watch))
        with writing_stage(folder, "translated_back", configuration=configuration, inputs=inputs) as writer:
            writer.write(ANSWERS, _rows(answers), BackTranslation)
            writer.counts.extend(
                count_fates((one.row.source, one.row.language, one.split, one.need.failure) for one in answers)
            )
    return read_manifest(folder)


def estimate_back(run: Path, model: str, *, effort: Effort = Effort()) -> list[StepEstimate]:  # noqa: B008 - frozen
    """Say what `translate_back` would still ask; nothing is sent.

    Raises:
        UsageError: as `translate_back` does.
        TermsError: as `translate_back` does.
    """
    estimates, plan = Estimates(), _plan(run, model)
    with Team(back_folder(run), partial(open_by_name, to_ask=False), effort.cap) as team:
        members = _members(team, plan)
        _refuse_other(back_folder(run), _configuration(plan, members))
        _fill(_answers(run, members), plan, Asker(effort, attempts=plan.attempts, estimates=estimates))
    return estimates.result()


def verify_back(run: Path) -> Iterator[Verdict]:
    """Read the translator's saved replies again, where a run was translated back, and compare with what stands."""
    part = f"translated_back/{ANSWERS}"
    if not (back_folder(run) / MANIFEST).is_file():
        return
    try:
        rows, unlike = _compared(back_folder(run))
    except (HashMismatchError, InputError) as error:
        yield Verdict(part=part, holds=False, found=str(error))
        return
    found = f"{rows} answers, the same read again from the translator's replies"
    if unlike:
        first = unlike[0]
        found = f"{len(unlike)} of {rows} are not what the translator replied, first in {first.language}: {first.key}"
    yield Verdict(part=part, holds=not unlike, found=found)


def _compared(folder: Path) -> tuple[int, list[BackTranslation]]:
    """Return how many answers there are, and those that the translator's replies do not say."""
    engine = read_manifest(folder).configuration["engine"]
    saved = dict(pair for journal in sorted((folder / "replies").glob("*.journal")) for pair in read_replies(journal))
    rows = list(read_records(folder, BackTranslation, prefix=ANSWERS))
    unlike = [row for row in rows if _read_again(saved.get(row.reply_key), engine=engine) != row.text]
    return len(rows), unlike


def _plan(run: Path, model: str) -> Plan:
    if not asks_in_english(run):
        raise UsageError(
            f"{run}: has no answers in English to translate back; expected a run of the task lfqa or rubric that asks "
            "in another language under a condition 'translated'"
        )
    codes = tuple(code for code in read_manifest(asked_folder(run)).configuration["languages"] if code != "en")
    return Plan(translators=(Share(model, 1.0),), languages=codes, repairs=0)


def _members(team: Team, plan: Plan) -> dict[str, Member]:
    """Get the translator ready in each direction, so that what it has spent before counts from the first request."""
    spec = plan.translators[0].model
    return {code: team.member(spec, source="en", target=code) for code in plan.languages}


def _configuration(plan: Plan, members: dict[str, Member]) -> dict[str, Any]:
    clients = {(one.client.model, one.client.revision) for one in members.values()}
    engine = any(one.engine for one in members.values())
    return {
        "models": [list(one) for one in sorted(clients)],
        "engine": engine,
        "prompts": {} if engine else {f"{one.name}/{one.language}": one.hash for one in _prompts(plan)},
        "attempts": plan.attempts,
        "temperature": plan.temperature,
        "thinking_tokens": plan.thinking_tokens,
    }


def _prompts(plan: Plan) -> list[Prompt]:
    return [load(f"translate_{_STEP}", "any"), *(load("translate_notes", code) for code in plan.languages)]


def _inputs(run: Path) -> dict[str, str]:
    return {name: digest for name, digest in score_inputs(run).items() if name != "translated_back"}


def _refuse_other(folder: Path, configuration: dict[str, Any]) -> None:
    """Refuse another translator, for all would be asked, and paid for, again."""
    if not (folder / MANIFEST).is_file():
        return
    there = read_manifest(folder).configuration["models"]
    if there != configuration["models"]:
        names = ", ".join(sorted({model for model, _ in there}))
        raise UsageError(
            f"{folder}: was translated back by {names}. Name it again, or remove the folder to have it done anew"
        )


def _answers(run: Path, members: dict[str, Member]) -> list[_Answer]:
    """Return each answer in English once for each language, whoever gave it and however often.

    Raises:
        UsageError: replies are missing.
        TermsError: one is to an item that may not leave this machine, and its translator is not on it.
    """
    items, found = Items(run), dict[tuple[str, str], _Answer]()
    for name in asked_models(run):
        rows, replies = as_answered(run, name)
        for row in rows:
            if not to_translate(row, replies[row.key]):
                continue
            item, member = items.find(row.family, row.language), members[row.language]
            refuse_forbidden([item], [member.client])
            draft = Draft(item=item, target=row.language, member=member, originals={_FIELD: replies[row.key].text})
            found.setdefault((row.key, row.language), _Answer(row, item.split, _need(draft)))
    return list(found.values())


def _need(draft: Draft) -> Need:
    return Need(
        draft=draft,
        member=draft.member,
        source="en",
        target=draft.target,
        texts=draft.originals,
        into=draft.texts,
        open=[_FIELD],
    )


def _fill(answers: Sequence[_Answer], plan: Plan, asker: Asker) -> None:
    filler = Filler(asker, plan, {})
    for code in plan.languages:
        filler.fill(code, _STEP, [one.need for one in answers if one.row.language == code])


def _rows(answers: Sequence[_Answer]) -> Iterator[BackTranslation]:
    """Give what became of each answer; one whose calls all failed is left out, to be asked for again."""
    for one in answers:
        draft, row = one.need.draft, one.row
        if one.need.failure == NO_ANSWER:
            continue
        yield BackTranslation(
            key=row.key,
            language=row.language,
            english=draft.originals[_FIELD],
            text=draft.texts.get(_FIELD, ""),
            failure=one.need.failure,
            reply_key=draft.steps[-1].reply_key,
            cost=TranslationCost(
                family=row.family,
                language=row.language,
                input_tokens=draft.usage.input,
                output_tokens=draft.usage.output,
                cost_usd=draft.member.cost_usd(draft.usage),
            ),
        )


def _read_again(reply: Reply | None, *, engine: bool) -> str:
    """Return the text of a translator's reply; nothing where there is none to be read, as when it was made."""
    if reply is None or reply.status != "ok":
        return ""
    read = read_plain(reply.text, _FIELD) if engine else read_texts(reply.text, [_FIELD])
    return read.value[_FIELD] if read.value else ""
