"""`globmed data check`: every translation of a dataset against its original."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from globmed.cli import output
from globmed.cli.output import AsJson

if TYPE_CHECKING:
    from globmed.core.item import Severity

_SEVERITIES: tuple[Severity, ...] = ("block", "review", "note")


def check_command(
    folder: Annotated[Path, typer.Argument(help="Folder of a finished stage.", metavar="STAGE")],
    out: Annotated[
        Path, typer.Option("--out", help="The dataset's folder; each stage writes a folder of its name there.")
    ],
    overrule: Annotated[
        Path | None,
        typer.Option(help="CSV of an expert's rulings: family, language, check, reviewer, day, comment."),
    ] = None,
    glossary: Annotated[
        list[str] | None,
        typer.Option("--glossary", metavar="[NAME=]PATH", help="Terms to keep to: tico19=FOLDER, or a CSV table."),
    ] = None,
    processes: Annotated[int | None, typer.Option(min=1, help="How many to run. Default: one a core.")] = None,
    fail_on: Annotated[
        str | None,
        typer.Option(help="Exit 1 if a finding of this severity or a worse one stands: block, review, note."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check every translation against its original; print findings by check and language."""
    from globmed.core.errors import CheckFailedError, UsageError
    from globmed.data import checking
    from globmed.data.pipeline import check_items

    if fail_on is not None and fail_on not in _SEVERITIES:
        raise UsageError(f"--fail-on {fail_on}: expected one of {', '.join(_SEVERITIES)}")
    with output.progress("Checked") as tell:
        manifest = check_items(
            folder, out=out, glossaries=glossary or (), overrule=overrule, processes=processes, tell=tell
        )
    written = out / checking.STAGE
    found = checking.findings_by_check(written)
    unpaired = manifest.files[checking.UNPAIRED].rows
    items = sum(count.kept for count in manifest.counts)
    if as_json:
        output.print_json({"folder": str(written), "items": items, "without_original": unpaired, "findings": found})
    else:
        _print(found, languages=sorted({count.language for count in manifest.counts}))
        output.say(f"{items} items; {unpaired} translations have no original here and were not checked ({written})")
    failing = [severity for severity in _SEVERITIES if fail_on in _SEVERITIES[_SEVERITIES.index(severity) :]]
    if worst := checking.count_items(written, failing):
        raise CheckFailedError(f"{written}: {worst} items with a finding of {' or '.join(failing)} that stands")


def _print(found: list[dict[str, Any]], *, languages: list[str]) -> None:
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    for one in found:
        key = (one["check"], one["severity"])
        row = rows.setdefault(key, {"check": key[0], "severity": key[1], **dict.fromkeys(languages, 0)})
        row[one["language"]] = one["items"]
    ordered = sorted(rows, key=lambda key: (_SEVERITIES.index(key[1]), key[0]))
    output.show([rows[key] for key in ordered], as_json=False, title="Items with a finding, by language")
