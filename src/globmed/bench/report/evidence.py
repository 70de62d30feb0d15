"""What a report stands on, read from the folders of scored runs: accuracies, what was left out, and hashes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import msgspec

from globmed.bench.analysis import ALL, AccuracyRow, MetricRow, accuracy_table
from globmed.bench.asked import ITEMS, asked_folder, models_folder, scores_folder
from globmed.bench.baselines import BaselineRow
from globmed.bench.compare import compare
from globmed.bench.condition import Condition
from globmed.bench.costs import CostRow
from globmed.bench.gap_parts import GapPartRow
from globmed.bench.gaps import GapRow
from globmed.bench.judging import judgements_folder
from globmed.bench.judging.concord import AgreementRow
from globmed.bench.judging.judgements import judged_stages
from globmed.bench.judging.ranks import JudgedRank
from globmed.bench.judging.results import AGREEMENT, RANKS, SHARES, results_inputs, write_judgements
from globmed.bench.judging.shares import JudgedRow
from globmed.bench.paired import CompareRow
from globmed.bench.pipeline import analysis_table
from globmed.bench.report.items import Items, sample_items
from globmed.bench.report.language_pages import Sources, Texts
from globmed.bench.report.measure import BASELINE_NAMES, Measure, System
from globmed.bench.scoring import SCORES, check_scored, closed
from globmed.bench.standings import StandingRow
from globmed.bench.transfer import TransferRow
from globmed.core.errors import UsageError
from globmed.core.store import Manifest, read_manifest, records_to_table, stage_hash, table, up_to_date

if TYPE_CHECKING:
    import pyarrow as pa

HASH_DIGITS = 16
Row = TypeVar("Row")


class PromptMark(NamedTuple):
    """Which text of a prompt was used."""

    name: str
    language: str
    hash: str


class Books(NamedTuple):
    """How many questions of one source in one language met one fate: asked where `reason` is empty, else left out."""

    source: str
    language: str
    reason: str
    items: int


class Origin(NamedTuple):
    """What one run was made from: pairs of what and its hash, version or setting."""

    run: str
    marks: tuple[tuple[str, str], ...]


class ThroughRow(CompareRow, frozen=True, kw_only=True):
    """A row of a comparison of one model's direct answers with those through English; `first` is directly."""

    model: str
    revision: str


@dataclass(frozen=True, kw_only=True)
class Through:
    """One model asked directly and through English, in one run.

    Attributes:
        task: name of the task.
        direct: the model, its revision, and the condition asked directly.
        translated: the same with the condition asked through English.
        translators: ids of the models that translated.
        rows: by language, tier and all.
    """

    task: str
    direct: System
    translated: System
    translators: tuple[str, ...]
    rows: tuple[ThroughRow, ...]


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What was read.

    Attributes:
        measures: rows of the accuracy tables of all runs.
        books: what became of the questions of the data, each set of questions once.
        question_sets: how many different sets of questions the runs asked.
        prompts: the prompts used.
        origins: one for each run.
        standings: rows of the tables of standings of all runs.
        hands: task, model, revision and condition where a model had a hand in a question that it is measured on.
        by_source: rows of the accuracy tables of all runs, source by source.
        texts: what the questions asked are, by task, source and language.
        gaps: rows of the tables of gaps of all runs.
        gap_parts: rows of the tables of parts of gaps of all runs.
        through: models asked directly and through English in one run.
        transfers: rows of the tables of transfer of all runs.
        costs: rows of the tables of costs of all runs.
        baselines: rows of the tables of baselines of all runs.
        metrics: rows of the tables of metrics of all runs.
        judged: what judges say, of all runs that were judged.
        judged_ranks: places by judges that people's ratings calibrate.
        agreement: of judges and people.
        items: questions and replies drawn for the page.
    """

    measures: tuple[Measure, ...]
    books: tuple[Books, ...]
    question_sets: int
    prompts: tuple[PromptMark, ...]
    origins: tuple[Origin, ...]
    standings: tuple[StandingRow, ...]
    hands: frozenset[tuple[str, str, str, str]]
    by_source: tuple[Measure, ...]
    texts: Sources
    gaps: tuple[GapRow, ...]
    gap_parts: tuple[GapPartRow, ...]
    through: tuple[Through, ...]
    transfers: tuple[TransferRow, ...]
    costs: tuple[CostRow, ...]
    baselines: tuple[BaselineRow, ...]
    metrics: tuple[MetricRow, ...]
    judged: tuple[JudgedRow, ...]
    judged_ranks: tuple[JudgedRank, ...]
    agreement: tuple[AgreementRow, ...]
    items: Items

    @property
    def tables(self) -> dict[str, pa.Table]:
        """The tables that stand beside the page as CSV, by name; an empty one but that of accuracies is left out."""
        found: dict[str, tuple[Sequence[msgspec.Struct], type[msgspec.Struct]]] = {
            "gaps": (self.gaps, GapRow),
            "gap_parts": (self.gap_parts, GapPartRow),
            "through_english": ([row for one in self.through for row in one.rows], ThroughRow),
            "transfer": (self.transfers, TransferRow),
            "standings": (self.standings, StandingRow),
            "costs": (self.costs, CostRow),
            "baselines": (self.baselines, BaselineRow),
            "metrics": (self.metrics, MetricRow),
            "judged": (self.judged, JudgedRow),
            "judged_ranks": (self.judged_ranks, JudgedRank),
            "judged_agreement": (self.agreement, AgreementRow),
        }
        tables = {name: records_to_table(rows, kind) for name, (rows, kind) in found.items() if rows}
        return {"accuracy": records_to_table(self.measures, AccuracyRow), **tables}


def read_runs(runs: Sequence[Path]) -> Evidence:
    """Read scored runs.

    Raises:
        UsageError: no run is given, one was not scored since it last asked, or
            two measure one model on one task and language with different results.
        InputError: a folder holds no scored run.
        HashMismatchError: scores were changed by hand.
        UsageError: also where a judge's verdicts are missing, for its judging was broken off.
    """
    if not runs:
        raise UsageError("no run given; name the folder of at least one scored run")
    for run in runs:
        check_scored(run)
    for run in runs:
        if judged_stages(run) and not up_to_date(judgements_folder(run), configuration={}, inputs=results_inputs(run)):
            write_judgements(run)
    asked = {stage_hash(asked_folder(run)): read_manifest(asked_folder(run)) for run in runs}
    return Evidence(
        measures=tuple(_measures(runs)),
        books=tuple(_books(asked.values())),
        question_sets=len(asked),
        prompts=tuple(sorted({mark for manifest in asked.values() for mark in _prompts(manifest)})),
        origins=tuple(_origin(run) for run in runs),
        standings=tuple(row for run in runs for row in _rows(run, "standings", StandingRow)),
        hands=frozenset(hand for run in runs for hand in _hands(run)),
        by_source=tuple(row for run in runs for row in _rows(run, "accuracy", Measure) if row.source != ALL),
        texts={key: found for run in runs for key, found in _texts(run).items()},
        gaps=tuple(row for run in runs for row in _rows(run, "gaps", GapRow)),
        gap_parts=tuple(row for run in runs for row in _rows(run, "gap_parts", GapPartRow)),
        through=tuple(one for run in runs for one in _through(run)),
        transfers=tuple(row for run in runs for row in _rows(run, "transfer", TransferRow)),
        costs=tuple(row for run in runs for row in _rows(run, "costs", CostRow)),
        baselines=tuple(row for run in runs for row in _rows(run, "baselines", BaselineRow)),
        metrics=tuple(row for run in runs for row in _rows(run, "metrics", MetricRow)),
        judged=tuple(row for run in runs for row in _judged(run, SHARES, JudgedRow)),
        judged_ranks=tuple(row for run in runs for row in _judged(run, RANKS, JudgedRank)),
        agreement=tuple(row for run in runs for row in _judged(run, AGREEMENT, AgreementRow)),
        items=sample_items(runs),
    )


def _measures(runs: Sequence[Path]) -> Iterator[Measure]:
    found: dict[tuple[str, ...], tuple[bytes, Path]] = {}
    for run in runs:
        for m in msgspec.convert(accuracy_table(run).to_pylist(), list[Measure]):
            key, numbers = (m.task, *m.system, *m.place), msgspec.json.encode(m)
            if key not in found:
                found[key] = (numbers, run)
                yield m
            elif found[key][0] != numbers:
                raise UsageError(
                    f"{found[key][1]} and {run} both measure {m.model} on {m.task} in {m.group}, with different"
                    " results; report them apart"
                )


def _rows(run: Path, name: str, kind: type[Row]) -> list[Row]:
    return msgspec.convert(analysis_table(run, name).to_pylist(), list[kind])  # type: ignore[valid-type]


def _judged(run: Path, name: str, kind: type[Row]) -> list[Row]:
    rows = table(judgements_folder(run), prefix=name).to_pylist() if judged_stages(run) else []
    return msgspec.convert(rows, list[kind])  # type: ignore[valid-type]


def _through(run: Path) -> Iterator[Through]:
    """Compare, model by model, what was asked directly and through English."""
    configuration = read_manifest(asked_folder(run)).configuration
    translators = tuple(model for model, _ in (configuration.get("translations") or {}).get("models", ()))
    columns = ("task", "model", "revision", "answer")
    scores = closed(table(scores_folder(run), prefix=SCORES, columns=(*columns, "options")))
    asked = (
        scores.group_by(list(columns), use_threads=False)
        .aggregate([])
        .sort_by([(name, "ascending") for name in columns])
    )
    systems = list(zip(*(asked[name].to_pylist() for name in columns), strict=True))
    for task, model, revision, answer in systems:
        condition = Condition.named(answer)
        direct = msgspec.structs.replace(condition, translated=False).name
        if condition.translated and model not in BASELINE_NAMES and (task, model, revision, direct) in systems:
            found = compare(run, models=[f"{model}@{revision}"], answers=[direct, answer])
            rows = (
                ThroughRow(model=model, revision=revision, **msgspec.structs.asdict(row))
                for row in found.rows
                if row.task == task
            )
            yield Through(
                task=task,
                direct=(model, revision, direct),
                translated=(model, revision, answer),
                translators=translators,
                rows=tuple(rows),
            )


def _texts(run: Path) -> Sources:
    task = read_manifest(asked_folder(run)).configuration["task"]
    rows = table(asked_folder(run), prefix=ITEMS, columns=("source", "language", "provenance")).to_pylist()
    found: dict[tuple[str, str, str], Counter[str]] = {}
    for row in rows:
        made = row["provenance"]
        kinds = found.setdefault((task, row["source"], row["language"]), Counter())
        kinds.update(["questions", made["text"], *(["reviewed"] if made["review"] else [])])
    return {
        key: Texts(**{name: kinds[name] for name in ("questions", "native", "machine", "expert", "reviewed")})
        for key, kinds in found.items()
    }


def _hands(run: Path) -> Iterator[tuple[str, str, str, str]]:
    columns = ("task", "model", "revision", "answer")
    rows = table(scores_folder(run), prefix=SCORES, columns=(*columns, "had_a_hand"))
    marked = rows.filter(rows["had_a_hand"]).select(columns).group_by(columns).aggregate([])
    yield from zip(*(marked[name].to_pylist() for name in columns), strict=True)


def _books(manifests: Iterable[Manifest]) -> Iterator[Books]:
    totals: Counter[tuple[str, str, str]] = Counter()
    for count in (count for manifest in manifests for count in manifest.counts):
        totals[count.source, count.language, ""] += count.kept
        for reason, items in count.dropped.items():
            totals[count.source, count.language, reason] += items
    return (Books(*key, items) for key, items in sorted(totals.items()))


def _prompts(asked: Manifest) -> Iterator[PromptMark]:
    for name, digest in asked.configuration["prompts"].items():
        prompt, _, language = name.rpartition("/")
        yield PromptMark(prompt, language, digest)


def _origin(run: Path) -> Origin:
    asked, scores = read_manifest(asked_folder(run)), read_manifest(scores_folder(run))
    plan = asked.configuration
    settings = {"Split": plan["split"], "Repetitions of each question": plan["runs"], "Seed of the draw": plan["seed"]}
    if plan["limit"] is not None:
        settings["Questions drawn from each source, at most"] = plan["limit"]
    marks = [(what, str(value)) for what, value in settings.items()]
    marks += [("Dataset", _short(asked.inputs["data"])), ("Questions asked", _short(stage_hash(asked_folder(run))))]
    marks += [(f"Prompt {name}", digest) for name, digest in sorted(plan["prompts"].items())]
    for folder in sorted(models_folder(run).glob("*")):
        model = read_manifest(folder).configuration
        marks.append((f"Model {model['model']}", model["revision"] or "revision not stated"))
    marks += [
        (f"Replies {name.removeprefix('replies/')}", _short(digest))
        for name, digest in scores.inputs.items()
        if name.endswith(".journal")
    ]
    marks += [("Scores", _short(stage_hash(scores_folder(run)))), ("Code, globmed", scores.code_version)]
    return Origin(run=run.resolve().name, marks=tuple(marks))


def _short(digest: str) -> str:
    return digest[:HASH_DIGITS]
