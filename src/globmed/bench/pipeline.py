"""The benchmark's stages in their order: ask, score, analyse. The command line and notebooks call these."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from globmed.bench.analysis import AccuracyRow, accuracy_rows
from globmed.bench.asked import scores_folder
from globmed.bench.effort import Effort
from globmed.bench.runner import OnEstimate, OnProgress, RunResult, run_benchmark
from globmed.bench.scoring import score_run
from globmed.bench.selection import Plan, answer_counts
from globmed.core.store import Manifest, read_manifest, stage_hash, writing_stage
from globmed.models.baseline import Majority
from globmed.models.client import Client
from globmed.models.opening import open_client


def bench_run(
    models: Sequence[str],
    *,
    data: Path,
    plan: Plan,
    out: Path,
    effort: Effort = Effort(),  # noqa: B008 - frozen
    on_estimate: OnEstimate | None = None,
    on_progress: OnProgress | None = None,
) -> RunResult:
    """Ask models by name; see `globmed.bench.runner.run_benchmark`.

    Args:
        models: in the forms of `globmed.models.catalog`; the bare name `majority` is the baseline whose table is
            counted in the train and dev items of the same data.
        data: a stage of items, such as a release.
        plan: what to ask.
        out: the run's folder.
        effort: how hard to ask.
        on_estimate: called with what each model is to be asked, before it is.
        on_progress: called with a model's id and the state of its campaign.

    Raises:
        UsageError: an unknown model, or as `run_benchmark` does.
        GlobmedError: as `open_client` and `run_benchmark` do.
    """
    clients = [open_model(name, data=data, plan=plan) for name in models]
    return run_benchmark(
        clients, data=data, plan=plan, out=out, effort=effort, on_estimate=on_estimate, on_progress=on_progress
    )


def open_model(name: str, *, data: Path, plan: Plan) -> Client:
    """Make the client of a model's name; `majority` without a table counts it in the data's train and dev items.

    Raises:
        UsageError: an unknown name, or no items to count.
    """
    return Majority(answer_counts(data, plan)) if name == "majority" else open_client(name)


def bench_score(run: Path, *, per_byte: bool | None = None) -> Manifest:
    """Grade every saved reply of a run into `<run>/scores`; see `globmed.bench.scoring.score_run`.

    Raises:
        UsageError: replies are missing.
        InputError: the folder is no run.
    """
    return score_run(run, per_byte=per_byte)


def bench_analyze(run: Path) -> Manifest:
    """Write the tables of a scored run into the stage `<run>/analysis`: `accuracy.parquet` with `AccuracyRow`s.

    Rows are given over all sources and for each source.

    Raises:
        InputError: the run has no scores.
        HashMismatchError: the file of scores was changed by hand.
    """
    folder = run / "analysis"
    inputs = {"scores": stage_hash(scores_folder(run))}
    with writing_stage(folder, "analysis", inputs=inputs) as writer:
        writer.write("accuracy.parquet", accuracy_rows(run, by_source=True), AccuracyRow)
    return read_manifest(folder)
