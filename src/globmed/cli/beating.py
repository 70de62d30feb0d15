"""What a model must beat, beside a table of accuracies."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from globmed.cli import output


def baseline_rows(run: Path, *, by_source: bool = False) -> list[dict[str, Any]]:
    """Return what the baselines get right on the questions of a run (`globmed.bench.baselines.BaselineRow`).

    Args:
        run: a scored run's folder.
        by_source: a row for each source as well; without it, sources are taken together.
    """
    from globmed.bench.analysis import ALL
    from globmed.bench.pipeline import analysis_table

    rows = analysis_table(run, "baselines").to_pylist()
    whole = ALL if any(row["source"] == ALL for row in rows) else None
    return [row for row in rows if by_source or whole is None or row["source"] == whole]


def show_baselines(shown: Sequence[dict[str, Any]]) -> None:
    """Print a table of what `baseline_rows` found; nothing where it found nothing."""
    if shown:
        output.show(
            list(_lines(shown)),
            as_json=False,
            title="To beat, on the same questions: percent right without knowing any medicine",
        )
        reasons = {f"{row['baseline']}: {row['reason']}" for row in shown if row["reason"]}
        for reason in sorted(reasons):
            output.say(reason)


def _lines(rows: Iterable[dict[str, Any]]) -> Iterable[dict[str, Any]]:
    table: dict[tuple[str, ...], dict[str, Any]] = {}
    for row in rows:
        name = f"{row['group']}-resource" if row["by"] == "tier" else row["group"]
        line = table.setdefault(
            (row["task"], row["source"], row["group"]),
            {"task": row["task"], "source": row["source"], "languages": name, "items": row["n"]},
        )
        line["items"] = max(line["items"], row["n"])
        line[f"{row['baseline']} %"] = _percent(row)
    return table.values()


def _percent(row: dict[str, Any]) -> str:
    if row["accuracy"] != row["accuracy"]:
        return "–"
    bounds = f" ({100 * row['low']:.1f} to {100 * row['high']:.1f})" if row["low"] == row["low"] else ""
    return f"{100 * row['accuracy']:.1f}{bounds}"
