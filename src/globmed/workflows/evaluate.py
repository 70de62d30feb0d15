"""Benchmark a model before and after training on the same items, and report what was gained."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from globmed.bench.asked import asked_folder, scores_folder
from globmed.bench.pipeline import bench_analyze, bench_run, bench_score
from globmed.bench.report import ReportFiles, write_report
from globmed.bench.selection import Plan
from globmed.bench.tasks import task
from globmed.core import store
from globmed.core.errors import UsageError
from globmed.models.campaign import CampaignStats
from globmed.train.card import Facts, Results, model_card
from globmed.train.gain_pairs import Trained
from globmed.train.gains import Gain, gains

if TYPE_CHECKING:
    import pyarrow as pa

BASELINES = ("chance", "majority", "longest")


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """What an evaluation left.

    Attributes:
        run: the benchmark run's folder.
        gains: rows of the table of gains: by condition, sources, tier and language, and over all.
        report: the report's files.
        card: the tuned model's card with these results, to publish with its weights; None where `globmed train` did not
            make the model.
    """

    run: Path
    gains: list[dict[str, Any]]
    report: ReportFiles
    card: Path | None


def evaluate_training(
    base: Path | str,
    tuned: Path | str,
    *,
    data: Path,
    plan: Plan,
    out: Path,
    title: str = "Before and after training",
    note: str = "",
    on_progress: Callable[[str, CampaignStats], None] | None = None,
) -> Evaluation:
    """Ask baselines, base and tuned model the same items, score their replies and write the report.

    Args:
        base: the model before training: its folder, or a name as for `globmed bench run`.
        tuned: the model after it, likewise.
        data: a stage of items, such as a release.
        plan: what to ask.
        out: the benchmark run's folder; the report lies in its `report`.
        title: heading of the report.
        note: stands boxed on top of the report.
        on_progress: called with a model's id and the state of its campaign.

    Raises:
        UsageError: both models have one name, so that their replies could not be told apart, or the task has open
            answers, which a judge grades.
        GlobmedError: as the stages do.
    """
    if task(plan.task).open:
        raise UsageError(
            f"{plan.task}: gains are counted in right answers, which open answers have not; see bench judge"
        )
    same = base == tuned or (isinstance(base, Path) and isinstance(tuned, Path) and _name(base) == _name(tuned))
    if same:
        raise UsageError(f"{base} and {tuned}: both models would have one name; rename one of the folders")
    trained = trained_on(tuned) if isinstance(tuned, Path) else None
    models = [*BASELINES, *(f"local:{one}" if isinstance(one, Path) else one for one in (base, tuned))]
    asked = bench_run(models, data=data, plan=plan, out=out, on_progress=on_progress)
    bench_score(out)
    bench_analyze(out)
    scores = store.table(scores_folder(out))
    before, after = (_of(scores, one.model) for one in asked.models[-2:])
    gained = gains(before, after, trained=trained)
    report = write_report([out], out=out / "report", gains=gained, title=title, note=note)
    card = _card(tuned, gained, out) if trained and isinstance(tuned, Path) else None
    return Evaluation(run=out, gains=gained.to_pylist(), report=report, card=card)


def _card(tuned: Path, gained: pa.Table, out: Path) -> Path:
    asked = store.read_manifest(asked_folder(out))
    results = Results(
        data=asked.inputs["data"],
        split=asked.configuration["split"],
        gains=msgspec.convert(gained.to_pylist(), list[Gain]),
    )
    card = out / "README.md"
    store.write_text(card, model_card(Facts.of(tuned), results))
    return card


def trained_on(model: Path) -> Trained | None:
    """Return what a model was trained on, as `globmed train` wrote it; None of a folder that it did not make.

    Args:
        model: folder of the model.

    Raises:
        InputError: its manifest cannot be read.
    """
    if not (model / store.MANIFEST).is_file():
        return None
    counts = [count for count in store.read_manifest(model).counts if count.kept]
    if not counts:
        return None
    sources, languages = (frozenset(getattr(count, name) for count in counts) for name in ("source", "language"))
    return Trained(sources=sources, languages=languages)


def _name(folder: Path) -> str:
    """Return what a folder's replies are saved under."""
    return folder.resolve().name


def _of(scores: pa.Table, model: str) -> pa.Table:
    import pyarrow.compute as pc

    return scores.filter(pc.equal(scores["model"], model))
