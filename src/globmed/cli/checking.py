"""`globmed data check`: every translation of a dataset against its original."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from globmed.cli import output
from globmed.cli.output import AsJson

if TYPE_CHECKING:
    from globmed.core.item import Severity

_SEVERITIES: tuple[Severity, ...] = ("block", "review", "note")


def check_command(
    what: Annotated[
        list[str],
        typer.Argument(
            help="Folder of a finished stage; with --calibrate human translations.", metavar="STAGE|NAME=PATH..."
        ),
    ],
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
    calibrate: Annotated[
        bool,
        typer.Option(
            "--calibrate",
            help="Measure the checks on human translations (tico19, casimedicos, headqa, lafand) and write quality.md, "
            "quality_bands.toml and flagged.csv into --out.",
        ),
    ] = False,
    verdicts: Annotated[Path | None, typer.Option(help="With --calibrate: flagged.csv, filled in by people.")] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="With --calibrate: of errors and sample.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Check every translation against its original; print findings by check and language."""
    from globmed.core.errors import UsageError

    if calibrate:
        from globmed.cli.calibration import Files
        from globmed.cli.calibration import calibrate as measure

        files = Files(
            page=out / "quality.md", bands=out / "quality_bands.toml", sample=out / "flagged.csv", verdicts=verdicts
        )
        measure(what, files, seed=seed, as_json=as_json)
        return
    if len(what) != 1:
        raise UsageError(f"found {len(what)} stages to check, {', '.join(what)}; expected one folder")
    if fail_on is not None and fail_on not in _SEVERITIES:
        raise UsageError(f"--fail-on {fail_on}: expected one of {', '.join(_SEVERITIES)}")
    _check(Path(what[0]), out, overrule, glossary or (), processes, as_json=as_json)
    _fail_if_found(out, fail_on)


def _check(
    folder: Path, out: Path, overrule: Path | None, glossaries: Sequence[str], processes: int | None, *, as_json: bool
) -> None:
    from globmed.data import checking
    from globmed.data.pipeline import check_items

    with output.progress("Checked") as tell:
        manifest = check_items(
            folder, out=out, glossaries=glossaries, overrule=overrule, processes=processes, tell=tell
        )
    written = out / checking.STAGE
    found = checking.findings_by_check(written)
    unpaired = manifest.files[checking.UNPAIRED].rows
    items = sum(count.kept for count in manifest.counts)
    if as_json:
        output.print_json({"folder": str(written), "items": items, "without_original": unpaired, "findings": found})
        return
    _print(found, languages=sorted({count.language for count in manifest.counts}))
    output.say(f"{items} items; {unpaired} translations have no original here and were not checked ({written})")


def _fail_if_found(out: Path, fail_on: str | None) -> None:
    from globmed.core.errors import CheckFailedError
    from globmed.data import checking

    written = out / checking.STAGE
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
