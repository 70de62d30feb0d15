"""The benchmark's stages in their order: ask, score, analyse. The command line and notebooks call these."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from globmed.bench.analysis import AccuracyRow, MetricRow, accuracy_rows, metric_rows
from globmed.bench.asked import analysis_folder, asked_folder, scores_folder
from globmed.bench.baselines import BaselineRow, baseline_rows, baselines_folder, keep_baselines
from globmed.bench.costs import CostRow, cost_rows
from globmed.bench.effort import Effort
from globmed.bench.gap_parts import GapPartRow, gap_part_rows
from globmed.bench.gaps import GapRow, gap_rows
from globmed.bench.hypothesis_only import foretell
from globmed.bench.lowest_language import LowestRow, lowest_rows
from globmed.bench.runner import OnEstimate, OnProgress, RunResult, run_benchmark
from globmed.bench.scoring import check_scored, has_closed, score_run
from globmed.bench.scoring import metrics as known_metrics
from globmed.bench.selection import Plan, answer_counts
from globmed.bench.stand_ins import keep_stand_ins
from globmed.bench.standings import StandingRow, standing_rows
from globmed.bench.transfer import TransferRow, transfer_rows
from globmed.core.errors import UsageError, did_you_mean
from globmed.core.store import (
    MANIFEST,
    Manifest,
    read_manifest,
    stage_hash,
    table,
    up_to_date,
    writing_stage,
)
from globmed.models.baseline import Foretold, Majority
from globmed.models.client import Client
from globmed.models.opening import open_client

if TYPE_CHECKING:
    import pyarrow as pa

# An analysis without one of these is of an earlier version, and made anew.
_TABLES = ["accuracy", "baselines", "metrics", "gaps", "gap_parts", "standings", "lowest", "transfer", "costs"]


def bench_run(
    models: Sequence[str],
    *,
    data: Path,
    plan: Plan,
    out: Path,
    effort: Effort = Effort(),  # noqa: B008 - frozen
    translations: Path | None = None,
    on_estimate: OnEstimate | None = None,
    on_progress: OnProgress | None = None,
) -> RunResult:
    """Ask models by name; see `globmed.bench.runner.run_benchmark`.

    Args:
        models: in the forms of `globmed.models.catalog`; the bare names `majority` and `hypothesis_only` are
            baselines that learn from the train and dev items of the same data.
        data: a stage of items, such as a release.
        plan: what to ask.
        out: the run's folder.
        effort: how hard to ask.
        translations: folder of translations, for a condition `translated` (`globmed.bench.stand_ins`).
        on_estimate: called with what each model is to be asked, before it is.
        on_progress: called with a model's id and the state of its campaign.

    Raises:
        UsageError: an unknown model, or as `run_benchmark` does.
        GlobmedError: as `open_client` and `run_benchmark` do.
    """
    clients = [open_model(name, data=data, plan=plan) for name in models]
    plan = keep_stand_ins(plan, data=data, out=out, translations=translations)
    result = run_benchmark(
        clients, data=data, plan=plan, out=out, effort=effort, on_estimate=on_estimate, on_progress=on_progress
    )
    keep_baselines(out, data=data, plan=plan)
    return result


def open_model(name: str, *, data: Path, plan: Plan) -> Client:
    """Make the client of a model's name; baselines without an argument learn from the data's train and dev items.

    Raises:
        UsageError: an unknown name, or no items to count.
    """
    if name == "majority":
        return Majority(answer_counts(data, plan))
    if name == "hypothesis_only":
        return Foretold(name, foretell(data, plan))
    return open_client(name)


def bench_score(run: Path, *, per_byte: bool | None = None) -> Manifest:
    """Grade every saved reply of a run into `<run>/scores`; see `globmed.bench.scoring.score_run`.

    Raises:
        UsageError: replies are missing.
        InputError: the folder is no run.
    """
    return score_run(run, per_byte=per_byte)


def bench_analyze(run: Path) -> Manifest:
    """Write the tables of a scored run into the stage `<run>/analysis`.

    `accuracy.parquet` has an `AccuracyRow` over all sources and for each; `baselines.parquet` a `BaselineRow` for each
    baseline, computed from the items; `metrics.parquet` a `MetricRow` for each
    metric that says something of a source, or of a part of it; `gaps.parquet` a `GapRow` for each model and language;
    `gap_parts.parquet` a `GapPartRow` where questions were asked translated back too;
    `standings.parquet` a `StandingRow` for each model of a table of ranks; `lowest.parquet` a `LowestRow` for each
    model; `transfer.parquet` a `TransferRow` for each measure of a model and language.

    Raises:
        InputError: the run has no scores.
        HashMismatchError: the file of scores was changed by hand.
    """
    return write_analysis(run, scores=scores_folder(run), out=analysis_folder(run))


def declared_gaps(run: Path) -> tuple[str, ...]:
    """Return the gaps that a run declared primary before it asked; empty for the usual ones."""
    return tuple(read_manifest(asked_folder(run)).configuration.get("primary", ()))


def write_analysis(run: Path, *, scores: Path, out: Path) -> Manifest:
    """Write the tables of a stage of scores into the stage `out`.

    Args:
        run: what was asked, and the gaps that were declared.
        scores: the stage.
        out: where to.

    Raises:
        InputError: the folder holds no scores.
        HashMismatchError: the file of scores was changed by hand.
    """
    primary, inputs = declared_gaps(run), _inputs(run, scores)
    gaps = gap_rows(scores, primary=primary) if has_closed(scores) else ()
    with writing_stage(out, "analysis", configuration=_configuration(primary), inputs=inputs) as writer:
        writer.write("accuracy.parquet", accuracy_rows(scores, by_source=True), AccuracyRow)
        writer.write("baselines.parquet", baseline_rows(run), BaselineRow)
        writer.write("metrics.parquet", metric_rows(scores), MetricRow)
        writer.write("gaps.parquet", gaps, GapRow)
        writer.write("gap_parts.parquet", gap_part_rows(scores), GapPartRow)
        writer.write("standings.parquet", standing_rows(scores), StandingRow)
        writer.write("lowest.parquet", lowest_rows(scores), LowestRow)
        writer.write("transfer.parquet", transfer_rows(scores), TransferRow)
        writer.write("costs.parquet", cost_rows(scores), CostRow)
    return read_manifest(out)


def metric_table(run: Path, *, metrics: Sequence[str] = ()) -> pa.Table:
    """Return the metrics of a scored run, with the columns of `MetricRow`, computed if they are not up to date.

    Args:
        run: a run's folder, scored.
        metrics: names of those wanted; empty for all.

    Raises:
        UsageError: an unknown metric, or a run that was not scored since it last asked a model.
        HashMismatchError: the file of scores was changed by hand.
    """
    import pyarrow.compute as pc

    for name in metrics:
        if name not in known_metrics():
            raise UsageError(f"no metric named {name!r}{did_you_mean(name, known_metrics())}")
    rows = analysis_table(run, "metrics")
    return rows.filter(pc.field("metric").isin(list(metrics))) if metrics else rows


def gap_table(run: Path) -> pa.Table:
    """Return the gaps between languages of a scored run, with the columns of `GapRow`.

    Raises:
        UsageError: a run that was not scored since it last asked a model.
        HashMismatchError: the file of scores was changed by hand.
    """
    return analysis_table(run, "gaps")


def analysis_table(run: Path, name: str) -> pa.Table:
    """Return one of the tables that `bench_analyze` writes; they are made anew where not of the scores that are there.

    Args:
        run: a run's folder, scored.
        name: of the table, such as `standings`.

    Raises:
        UsageError: a run that was not scored since it last asked a model.
        HashMismatchError: the file of scores was changed by hand.
    """
    check_scored(run)
    inputs = _inputs(run, scores_folder(run))
    if not up_to_date(analysis_folder(run), configuration=_configuration(declared_gaps(run)), inputs=inputs):
        bench_analyze(run)
    return table(analysis_folder(run), prefix=name)


def _inputs(run: Path, scores: Path) -> dict[str, str]:
    folder = baselines_folder(run)
    learnt = {"baselines": stage_hash(folder)} if (folder / MANIFEST).is_file() else {}
    return {"scores": stage_hash(scores)} | learnt


def _configuration(primary: Sequence[str]) -> dict[str, object]:
    return {"tables": _TABLES, "primary": list(primary)}
