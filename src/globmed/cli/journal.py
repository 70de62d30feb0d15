"""`globmed journal`: how far campaigns are, what went wrong in them and what they cost; and making journals small."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from globmed.cli import output
from globmed.cli.output import AsJson

if TYPE_CHECKING:
    from globmed.bench.progress import Progress, State
    from globmed.models.client import Status

app = typer.Typer(help="Look into journals of replies, and compact them.", no_args_is_help=True)

Paths = Annotated[list[Path], typer.Argument(help="Folders of runs, or journals.", metavar="PATH...")]

_STATUSES: tuple[Status, ...] = ("ok", "refused", "truncated", "filtered", "error")
_FAILURES_SHOWN = 10


@app.command("show")
def show_command(paths: Paths, as_json: AsJson = False) -> None:
    """Show how far each journal is, those of judges too, its errors by kind, its tokens and what they cost."""
    from globmed.bench.progress import progress

    found = [one for path in paths for one in progress(path)]
    if as_json:
        output.print_json([progress_object(one) for one in found])
        return
    output.show([replies_row(one) for one in found], as_json=False, title="Replies")
    languages = [row for one in found for row in language_rows(one)]
    if languages:
        output.show(languages, as_json=False, title="Requests without a complete answer, by language")
    output.show([tokens_row(one) for one in found], as_json=False, title="Tokens paid for")
    for one in found:
        _say_the_rest(one)


@app.command("compact")
def compact_command(paths: Paths, as_json: AsJson = False) -> None:
    """Move what is answered into a Parquet file beside each journal; a campaign goes on from both as before."""
    from globmed.bench.progress import compact_all

    rows = [
        {
            "journal": str(one.journal),
            "compacted part": str(one.part),
            "replies": one.replies,
            "errors": one.errors,
            "bytes before": one.bytes_before,
            "bytes after": one.bytes_after,
        }
        for one in compact_all(paths)
    ]
    output.show(rows, as_json=as_json, title="Compacted")


def replies_row(one: Progress) -> dict[str, Any]:
    """Return the row of a journal's replies, for people."""
    survey = one.survey
    return {
        "model": _name(one),
        "requested": one.requested,
        "answered": one.answered,
        **{status: survey.statuses.get(status, 0) for status in _STATUSES},
        "compacted": survey.compacted,
        "in flight": survey.in_flight,
        "torn bytes": survey.torn_bytes,
        "MB": f"{survey.bytes / 1e6:.1f}",
    }


def language_rows(one: Progress) -> list[dict[str, Any]]:
    """Return a row for each language in which requests have no complete answer, for people."""
    states: list[State] = ["missing", *_STATUSES[1:]]
    return [
        {
            "model": _name(one),
            "language": language,
            "requested": sum(counts.values()),
            **{state: counts.get(state, 0) for state in states},
        }
        for language, counts in one.languages.items()
        if any(counts.get(state) for state in states)
    ]


def tokens_row(one: Progress) -> dict[str, Any]:
    """Return the row of a journal's tokens, for people."""
    import msgspec

    cost = "no price known" if one.cost_usd is None else f"{one.cost_usd:.2f}"
    return {"model": _name(one), **msgspec.structs.asdict(one.survey.usage), "US$": cost}


def progress_object(one: Progress) -> dict[str, Any]:
    """Return all that is known of a journal, for machines."""
    import msgspec

    survey = {name: value for name, value in vars(one.survey).items() if name != "path"}
    usage = msgspec.structs.asdict(one.survey.usage)
    return {
        "journal": str(one.survey.path),
        "model": one.model or None,
        "as_judge": one.as_judge,
        "requested": one.requested,
        "answered": one.answered,
        **survey,
        "usage": usage,
        "languages": one.languages,
        "cost_usd": one.cost_usd,
        "price": None if one.price is None else msgspec.to_builtins(one.price),
    }


def _say_the_rest(one: Progress) -> None:
    if one.price is not None:
        output.say(f"Price of {one.model}: as of {one.price.on}, {one.price.source}")
    for text, number in list(one.survey.failures.items())[:_FAILURES_SHOWN]:
        output.say(f"{number} replies of {_name(one)} are errors, such as: {text}")
    if (more := len(one.survey.failures) - _FAILURES_SHOWN) > 0:
        output.say(f"... and {more} more kinds of errors of {_name(one)}; --json shows all")


def _name(one: Progress) -> str:
    name = one.model or str(one.survey.path)
    return f"{name}, as judge" if one.as_judge else name
