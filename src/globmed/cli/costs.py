"""`globmed bench costs`: what replies cost, by language."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from globmed.cli import output
from globmed.cli.output import AsJson

_ABOUT = """\
tokens: read and written, as billed for the saved replies; those of cached texts and of reasoning are among them.
times English: tokens a reply over those of the same model in English, on the same source.
US$: at the price that stood when the model was asked; – where none is known, as on a machine of one's own."""
_ABOUT_TRANSLATING = "translating: to English, and open answers back; it is in the tokens and dollars before it."


def costs_command(
    run: Annotated[Path, typer.Argument(help="A scored run's folder.", metavar="RUN")], as_json: AsJson = False
) -> None:
    """Print what a reply and a right answer cost in each language, in tokens and dollars."""
    from globmed.bench.condition import Condition
    from globmed.bench.pipeline import analysis_table

    rows = analysis_table(run, "costs").to_pylist()
    if as_json:
        output.show(rows, as_json=True)
        return
    translated = any(Condition.named(row["answer"]).translated for row in rows)
    shown = [cost_row(row) | (translation_row(row) if translated else {}) for row in rows]
    output.show(shown, as_json=False, title="Tokens and cost by language")
    output.say(_ABOUT)
    if translated:
        output.say(_ABOUT_TRANSLATING)


def cost_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """Write one row of the table of costs for people."""
    return {
        "source": row["source"],
        "model": row["model"],
        "condition": row["answer"],
        "language": row["language"],
        "replies": row["replies"],
        "right": row["right"],
        "tokens a reply": _number(row["tokens_per_reply"], 0),
        "times English": _number(row["times_english"], 2),
        "tokens a right answer": _number(row["tokens_per_right"], 0),
        "US$ for 1,000": _number(row["usd_per_1000"], 3),
        "US$ a right answer": _number(row["usd_per_right"], 5),
    }


def translation_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """Write for people what of a row's costs is the translations'."""
    return {
        "tokens, translating": _number(row["translation_tokens"] / row["replies"], 0),
        "US$ for 1,000, translating": _number(1000 * row["translation_usd"] / row["replies"], 3),
    }


def _number(value: float, digits: int) -> str:
    return "–" if math.isnan(value) else f"{value:,.{digits}f}"
