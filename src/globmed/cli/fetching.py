"""`globmed data fetch`: get publishers' files by pinned revision, checked by hash, or say how to get them by hand."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from globmed.cli import output
from globmed.cli.output import AsJson

if TYPE_CHECKING:
    from globmed.data.fetching import FetchResult

Names = Annotated[list[str], typer.Argument(help="Sources, as `globmed list sources` names them.", metavar="NAME...")]
Out = Annotated[Path, typer.Option("--out", help="Each source gets a folder of its name there.")]


def fetch_command(names: Names, out: Out, as_json: AsJson = False) -> None:
    """Fetch sources' files, as far as they are not there already, and record what came."""
    from globmed.data.fetching import fetch_source

    with output.stages() as report:
        results = [fetch_source(name, out=out, progress=report) for name in names]
    rows = [row for result in results for row in file_rows(result)]
    output.show(rows, as_json=as_json, title="Files")
    if as_json:
        return
    for result in results:
        found = result.source
        output.say(f"Licence of {found.name}: {found.licence}" + (f". {found.terms}" if found.terms else ""))
        output.say(f"Import with: globmed data import {found.name}={result.folder} --out FOLDER")


def file_rows(result: FetchResult) -> list[dict[str, Any]]:
    """Return one row a file, whether it came now or was there."""
    return [
        {
            "source": result.source.name,
            "file": file.name,
            "bytes": file.bytes,
            "sha256": file.sha256,
            "fetched": "now" if file.name in result.fetched else file.day,
        }
        for file in result.files
    ]
