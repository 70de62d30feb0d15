"""Benchmark a model before and after training on the same items, and report what was gained."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from globmed.bench.asked import scores_folder
from globmed.bench.pipeline import bench_analyze, bench_run, bench_score
from globmed.bench.report import ReportFiles, write_report
from globmed.bench.selection import Plan
from globmed.core import store
from globmed.core.errors import UsageError
from globmed.models.campaign import CampaignStats
from globmed.train.gain_pairs import Trained
from globmed.train.gains import gains

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
    """

    run: Path
    gains: list[dict[str, Any]]
    report: ReportFiles


def evaluate_training(
    base: Path,
    tuned: Path,
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
        base: model folder before training.
        tuned: model folder after it.
        data: a stage of items, such as a release.
        plan: what to ask.
        out: the benchmark run's folder; the report lies in its `report`.
        title: heading of the report.
        note: stands boxed on top of the report.
        on_progress: called with a model's id and the state of its campaign.

    Raises:
        UsageError: both folders have one name, so that their replies could not be told apart.
        GlobmedError: as the stages do.
    """
    names = base.resolve().name, tuned.resolve().name
    if names[0] == names[1]:
        raise UsageError(f"{base} and {tuned}: both models would be called {names[0]!r}; rename one of the folders")
    trained = trained_on(tuned)
    models = [*BASELINES, f"local:{base}", f"local:{tuned}"]
    bench_run(models, data=data, plan=plan, out=out, on_progress=on_progress)
    bench_score(out)
    bench_analyze(out)
    scores = store.table(scores_folder(out))
    before, after = (_of(scores, name) for name in names)
    gained = gains(before, after, trained=trained)
    report = write_report([out], out=out / "report", gains=gained, title=title, note=note)
    return Evaluation(run=out, gains=gained.to_pylist(), report=report)


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


def _of(scores: pa.Table, model: str) -> pa.Table:
    import pyarrow.compute as pc

    return scores.filter(pc.equal(scores["model"], model))
