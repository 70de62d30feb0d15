"""Saved replies into scores, and scores into numbers: one file a metric. No model is needed.

A metric module declares one `Metric`. A reply with status `error` says nothing of what a model knows: it is never
right, stays out of every metric and is counted apart (`counted`). Replies to open questions are neither right nor wrong
here: they are described, and no number that counts right answers is about them (`closed`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import msgspec

from globmed.bench.asked import Asked, asked_folder, journal_path, models_folder, scores_folder
from globmed.bench.condition import Condition
from globmed.bench.fidelity import FidelityStatus
from globmed.bench.part import PRICE
from globmed.bench.reading import ReadingStatus
from globmed.bench.reading.likelihood import confidence
from globmed.bench.saved import asked_and_saved, asked_models
from globmed.bench.stand_ins import StandIns, stand_ins_folder, translation_usage
from globmed.bench.tasks import Grade, task
from globmed.bench.translated_back import TranslatedBack, back_folder
from globmed.core.errors import UsageError
from globmed.core.item import Item, TextOrigin
from globmed.core.language import Tier, language
from globmed.core.registry import discover
from globmed.core.store import (
    MANIFEST,
    Manifest,
    columns_of,
    file_hash,
    read_manifest,
    read_records,
    stage_hash,
    table,
    writing_stage,
)
from globmed.models.baseline import BASELINES
from globmed.models.client import Reply, Status
from globmed.models.price import Price, cost_usd
from globmed.stats.linearised import Estimate, declined

if TYPE_CHECKING:
    import pyarrow as pa

SCORES = "scores.parquet"

Outcome = Literal[
    "correct", "wrong", "answered", "unread", "several", "empty", "refused", "truncated", "filtered", "error"
]
"""What became of a reply; `answered` is an open question's, which only a judge can call right or wrong."""


class Score(msgspec.Struct, frozen=True, kw_only=True):
    """What one reply to one item is worth.

    Attributes:
        task: name of the task.
        model: id of the model.
        revision: version of its weights.
        answer: name of the condition, such as `score_options/byte`.
        source: name of the item's source.
        family: the question.
        cluster: statistics go by it.
        language: BCP 47 code.
        tier: resource tier of the language.
        native_language: language the question was written in.
        text: whether the item is native, machine translated or revised by an expert.
        run: index of the repetition, from 0.
        options: number of options; 0 of an open question.
        chance: share of items like this that guessing gets right; 0 of an open question.
        reply_status: status of the reply.
        reading_status: status of the reading.
        rule: the reading rule that decided.
        letter: the letter read, as the options were shown, or None.
        option: index of the option chosen, in the order of the item, or None.
        correct: whether it is right; False for every open question.
        outcome: what became of the reply, one of disjoint kinds.
        gold: index of the first right option, in the order of the item; None where it has none.
        fixed_options: all items asked of its source and language have the same options, as labels are.
        subset: part of its source, such as the kind of a false hypothesis in BioNLI.
        region_bound: a check found something that binds the item to one country, and no expert has overruled it.
        had_a_hand: the model itself translated, repaired or criticised the item that it is measured on, or what was
            asked in its place, or translated its answer back.
        input_tokens: billed for the reply, for the translation asked in the item's place and for that of the answer
            back, the cached ones among them.
        cached_tokens: of these, read from the endpoint's cache.
        output_tokens: billed likewise, those of reasoning among them.
        reasoning_tokens: of these, thought and not answered.
        cost_usd: of these tokens, at the price that stood when the model was asked; None where none was known.
        translation_tokens: of those read and written, the translations'.
        translation_usd: of these; 0 where nothing was translated, None where their price was not known.
        confidence: probability that the model gave the option it found likeliest, of all options together; None where
            it was asked for text, where likelihoods are put to another scale (per byte, against a prior), and of
            baselines, which have none.
        chrf: of an open reply, chrF++ with the nearest reference, 0 to 1; None without one and of other tasks.
        rouge_l: ROUGE-L likewise.
        fidelity: of an open reply, whether it is in the language asked; None of other tasks.
    """

    task: str
    model: str
    revision: str
    answer: str
    source: str
    family: str
    cluster: str
    language: str
    tier: Tier
    native_language: str
    text: TextOrigin
    run: int
    options: int
    chance: float
    reply_status: Status
    reading_status: ReadingStatus
    rule: str
    letter: str | None
    option: int | None
    correct: bool
    outcome: Outcome
    gold: int | None = None
    fixed_options: bool = False
    subset: str = ""
    region_bound: bool = False
    had_a_hand: bool = False
    input_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0
    reasoning_tokens: int = 0
    cost_usd: float | None = None
    translation_tokens: int = 0
    translation_usd: float | None = 0.0
    confidence: float | None = None
    chrf: float | None = None
    rouge_l: float | None = None
    fidelity: FidelityStatus | None = None


@dataclass(frozen=True, kw_only=True)
class Metric:
    """What a metric module declares.

    Attributes:
        name: equal to the file's name.
        title: what it says, in a few words for people.
        fits: the rows of `Score` that it is about; none where it says nothing of them. Errors are gone already.
        compute: those rows into an estimate with its interval, or with the reason why there is none.
        description: it describes replies and does not say how good they are: not to rank models by.
    """

    name: str
    title: str
    fits: Callable[[pa.Table], pa.Table]
    compute: Callable[[pa.Table], Estimate]
    description: bool = False

    def of(self, scores: pa.Table) -> Estimate | None:
        """Return its estimate of some scores, errors included; None where it says nothing of them."""
        rows = self.fits(scores)
        if not rows.num_rows:
            return None
        told = counted(rows)
        if not told.num_rows:
            return declined("every call failed", n=0, clusters=0)
        if (clusters := len(told["cluster"].unique())) < 2:
            # One question says nothing of others: a number would be read as if it did.
            return declined("fewer than two question clusters", n=told.num_rows, clusters=clusters)
        return self.compute(told)


@cache
def metrics() -> dict[str, Metric]:
    """Return every metric by name."""
    return discover(__name__, Metric)


def counted(scores: pa.Table) -> pa.Table:
    """Return the rows that say something about a model: all but those whose reply is an error."""
    import pyarrow.compute as pc

    return scores.filter(pc.not_equal(scores["reply_status"], "error"))


def closed(scores: pa.Table) -> pa.Table:
    """Return the rows of questions with options, whose replies are right or wrong."""
    import pyarrow.compute as pc

    return scores.filter(pc.greater(scores["options"], 0))


def has_closed(scores: Path) -> bool:
    """Whether a stage of scores holds any that is right or wrong.

    Raises:
        InputError: the folder holds no scores.
        HashMismatchError: the file of scores was changed by hand.
    """
    return bool(closed(table(scores, prefix=SCORES, columns=["options"])).num_rows)


def score_run(run: Path, *, per_byte: bool | None = None, out: Path | None = None) -> Manifest:
    """Grade every saved reply of a run into a stage of scores; the same replies give the same bytes.

    Args:
        run: a run's folder.
        out: the stage; default: `<run>/scores`.
        per_byte: divide the likelihoods of options' texts by their bytes, or do not, whatever the run was asked with;
            None to keep to that.

    Raises:
        InputError: the folder is no run.
        UsageError: a model's replies are not all there (the text says how many are missing), or `per_byte` for a run
            that is read both ways already.
    """
    configuration = read_manifest(asked_folder(run)).configuration
    conditions = {Condition.named(name) for name in configuration.get("answers", ())}
    if len({_read_as(condition, per_byte) for condition in conditions}) < len(conditions):
        raise UsageError(f"{run}: was asked to be read both ways already; score it without `per_byte`")
    items = Items(run)
    names = asked_models(run)
    inputs = score_inputs(run)
    folder = out or scores_folder(run)
    with writing_stage(folder, "scores", configuration={"per_byte": per_byte}, inputs=inputs) as writer:
        scores = (score for name in names for score in _scores(run, name, items, per_byte))
        writer.write(SCORES, scores, Score)
    return read_manifest(folder)


def score_inputs(run: Path) -> dict[str, str]:
    """Return the hashes of all that a run's scores are made from: items, models asked, replies."""
    inputs = {"asked": stage_hash(asked_folder(run))}
    if (stand_ins_folder(run) / MANIFEST).is_file():
        inputs["stand_ins"] = stage_hash(stand_ins_folder(run))
    if (back_folder(run) / MANIFEST).is_file():
        inputs["translated_back"] = stage_hash(back_folder(run))
    for folder in sorted(path for path in models_folder(run).glob("*") if path.is_dir()):
        inputs[f"models/{folder.name}"] = stage_hash(folder)
        if journal_path(run, folder.name).is_file():
            inputs[f"replies/{folder.name}.journal"] = file_hash(journal_path(run, folder.name))
    return inputs


def check_scored(run: Path) -> None:
    """Refuse a run that was not scored, not since it last asked a model, or by an earlier globmed with other columns.

    Raises:
        UsageError: the text says which command to run.
        InputError: the folder is no run.
        HashMismatchError: the file of scores was changed by hand.
    """
    read_manifest(asked_folder(run))
    if not (scores_folder(run) / MANIFEST).is_file():
        raise UsageError(f"{run}: has no scores. Run: globmed bench score {run}")
    if read_manifest(scores_folder(run)).inputs != score_inputs(run):
        found = "has other replies than were scored, or they were compacted since"
        raise UsageError(f"{run}: {found}. Run: globmed bench score {run}")
    missing = set(Score.__struct_fields__) - set(columns_of(scores_folder(run), SCORES))
    if missing:
        raise UsageError(
            f"{run}: scored by an earlier globmed, without {', '.join(sorted(missing))}. Run: globmed bench score {run}"
        )


class Items:
    """The items of a run, by question and language.

    Attributes:
        stand_ins: what is asked in place of some of them.
        back: answers to some of them, as they were translated back.
    """

    def __init__(self, run: Path) -> None:
        self.stand_ins, self.back = StandIns(run), TranslatedBack(run)
        self._items: dict[tuple[str, str], Item] = {}
        options: dict[tuple[str, str], set[tuple[str, ...]]] = {}
        for item in read_records(asked_folder(run), Item):
            self._items[item.family, item.language] = item
            options.setdefault((item.source, item.language), set()).add(item.options)
        self._fixed = {part for part, found in options.items() if len(found) == 1}

    def find(self, family: str, language: str) -> Item:
        """Return the item of a question in a language."""
        return self._items[family, language]

    def has_fixed_options(self, item: Item) -> bool:
        """Whether all items of its source and language have its options."""
        return (item.source, item.language) in self._fixed


def _scores(run: Path, name: str, items: Items, per_byte: bool | None) -> Iterator[Score]:  # noqa: FBT001
    rows, replies = asked_and_saved(run, name)
    stated = read_manifest(models_folder(run) / name).configuration.get(PRICE)
    price = msgspec.convert(stated, Price) if stated else None
    for row in rows:
        score = _score(row, items, replies[row.key], per_byte)
        paid, translated = cost_usd(replies[row.key].usage, price) if price else None, score.cost_usd
        both = None if paid is None or translated is None else paid + translated
        yield msgspec.structs.replace(score, cost_usd=both)


def _read_as(condition: Condition, per_byte: bool | None) -> Condition:  # noqa: FBT001 - as in `score_run`
    if per_byte is None or condition.answer != "score_options" or condition.against_prior:
        return condition
    return msgspec.structs.replace(condition, per_byte=per_byte)


def _confidence(model: str, condition: Condition, reply: Reply) -> float | None:
    if model in BASELINES or condition.per_byte or condition.against_prior:
        return None
    return confidence(reply.option_logprobs)


def _score(row: Asked, items: Items, reply: Reply, per_byte: bool | None) -> Score:  # noqa: FBT001 - as in `score_run`
    item = items.find(row.family, row.language)
    condition = _read_as(Condition.named(row.answer), per_byte)
    asking, stand_in = task(row.task), items.stand_ins.find(item, condition)
    back = items.back.find(row)
    translation = translation_usage(stand_in.cost if stand_in else None, back.cost if back else None)
    hands = (makers(stand_in.item) if stand_in else set()) | (items.back.models if back else set())
    grade = asking.grade(items.stand_ins.of(item, condition), reply, condition=condition, run=row.run)
    described = grade.description
    return Score(
        task=row.task,
        model=row.model,
        revision=row.revision,
        answer=condition.name,
        source=row.source,
        family=row.family,
        cluster=row.cluster,
        language=row.language,
        tier=language(row.language).tier,
        native_language=item.provenance.native_language,
        text=item.provenance.text,
        run=row.run,
        options=len(item.options),
        chance=asking.chance(item),
        reply_status=reply.status,
        reading_status=grade.reading.status,
        rule=grade.reading.rule,
        letter=grade.reading.letter,
        option=grade.option,
        correct=grade.correct,
        outcome=_open_outcome(reply, grade) if asking.open else _outcome(reply, grade),
        gold=item.answer[0] if item.answer else None,
        fixed_options=items.has_fixed_options(item),
        subset=item.subset,
        region_bound=any(finding.check == "region" for finding in item.standing_findings),
        had_a_hand=row.model in makers(item) | hands,
        input_tokens=reply.usage.input + translation.input_tokens,
        cached_tokens=reply.usage.cached,
        output_tokens=reply.usage.output + translation.output_tokens,
        reasoning_tokens=reply.usage.reasoning,
        cost_usd=translation.cost_usd,
        translation_tokens=translation.input_tokens + translation.output_tokens,
        translation_usd=translation.cost_usd,
        confidence=_confidence(row.model, condition, reply),
        chrf=described.chrf if described else None,
        rouge_l=described.rouge_l if described else None,
        fidelity=described.fidelity if described else None,
    )


def makers(item: Item) -> set[str]:
    """Return the ids of the models that translated, repaired or criticised an item."""
    return {item.provenance.model, *(step.model for step in item.provenance.steps)} - {""}


def _open_outcome(reply: Reply, grade: Grade) -> Outcome:
    if reply.status != "ok":
        return reply.status
    return "empty" if grade.reading.status == "empty" else "answered"


def _outcome(reply: Reply, grade: Grade) -> Outcome:
    if reply.status == "error":
        return "error"
    if grade.reading.status == "read":
        return "correct" if grade.correct else "wrong"
    # What the endpoint says of a reply without an answer comes before what the text looks like.
    return grade.reading.status if reply.status == "ok" else reply.status
