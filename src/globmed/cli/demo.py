"""`globmed demo`: the whole road in two minutes."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated, Any

import typer

from globmed.cli import output
from globmed.cli.output import AsJson


def demo_command(
    out: Annotated[Path, typer.Option("--out", help="Folder for everything the demo makes.")] = Path("demo"),
    seed: Annotated[int, typer.Option("--seed", min=0, help="Seed of the questions.")] = 0,
    small: Annotated[bool, typer.Option("--small", help="Train next to nothing, to see that it runs.")] = False,
    as_json: AsJson = False,
) -> None:
    """Make a dataset in 12 languages, train a base and a tuned model, benchmark both and report the gain.

    It shows the road, and is no medical model. Interrupted and started again, it goes on from where it was.
    """
    from globmed.workflows.demo import NOTE, run_demo

    with output.stages() as tell:
        demo = run_demo(out=out, seed=seed, small=small, on_progress=tell)
    evaluation = demo.evaluation
    if as_json:
        rows = output.plain_rows(evaluation.gains)
        models = [str(demo.base), str(demo.tuned)]
        output.print_json({"gains": rows, "report": str(evaluation.report.html), "models": models})
        return
    output.say(NOTE + "\n")
    sums = [row for row in evaluation.gains if row["sources"] == "all" and row["by"] != "language"]
    output.show([gain_row(row) for row in sums], as_json=False, title="Gain")
    output.say(f"report   {evaluation.report.html}")
    for figure in evaluation.report.figures:
        if figure.suffix == ".png":
            output.say(f"figure   {figure}")
    output.say(f"dataset  {demo.release}\nmodels   {demo.base}, {demo.tuned}\nreplies  {evaluation.run}")


_GROUPS = {"all": "all languages", "high": "high-resource", "low": "low-resource"}


def gain_row(row: dict[str, Any]) -> dict[str, Any]:
    """Write one row of the table of gains for people: shares in percent, intervals at 95 %."""
    return {
        "phrasing": "held out" if row["held_out"] else "trained on",
        "languages": row["group"] if row["by"] == "language" else _GROUPS[row["group"]],
        "questions x languages": row["items"],
        "base %": f"{100 * row['base']:.1f}",
        "tuned %": f"{100 * row['tuned']:.1f}",
        "gain, points": with_interval(row["gain_points"], row["gain_low"], row["gain_high"], "+.1f"),
        "ratio": with_interval(row["ratio"], row["ratio_low"], row["ratio_high"], ".2f"),
    }


def with_interval(value: float, low: float, high: float, form: str) -> str:
    """Write a number with its interval, and a dash for what there is not."""
    if math.isnan(value):
        return "–"
    return f"{value:{form}}" + ("" if math.isnan(low) else f" ({low:{form}} to {high:{form}})")
