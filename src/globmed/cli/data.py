"""`globmed data`: publishers' files into a dataset."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from globmed.cli import checking, fetching, output, overlap, releasing, translating
from globmed.cli.output import AsJson

app = typer.Typer(help="Build a dataset: fetch, import, cluster, translate, check, release.", no_args_is_help=True)

Folder = Annotated[Path, typer.Argument(help="Folder of a finished stage.", metavar="STAGE")]
Out = Annotated[Path, typer.Option("--out", help="The dataset's folder; each stage writes a folder of its name there.")]
Seed = Annotated[int, typer.Option("--seed", min=0, help="Seed of whatever is drawn at random.")]


app.command("fetch")(fetching.fetch_command)


@app.command("import")
def import_command(
    wanted: Annotated[
        list[str],
        typer.Argument(metavar="NAME=PATH...", help="A source and its publisher's files; `vitals` needs no path."),
    ],
    out: Out,
    language: Annotated[list[str] | None, typer.Option("--language", help="BCP 47 code; repeat. Default: all.")] = None,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Read publishers' files into items, every row of them, and say what became of each."""
    from globmed.data import pipeline

    imported = pipeline.import_dataset(wanted, languages=language or [], out=out, seed=seed)
    output.stage(imported, title="Imported", as_json=as_json)


@app.command("cluster")
def cluster_command(
    folder: Folder,
    out: Out,
    threshold: Annotated[
        float | None, typer.Option(help="Jaccard similarity from which two questions are one. Default: 0.5.")
    ] = None,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Find duplicates, join them into clusters and let no cluster cross a split, in any language."""
    from globmed.data import pipeline

    stage = pipeline.cluster_items(folder, out=out, threshold=threshold, seed=seed)
    output.stage(stage, title="Clustered", as_json=as_json)


app.command("overlap")(overlap.overlap_command)
app.command("translate")(translating.translate_command)
app.command("check")(checking.check_command)
app.command("release")(releasing.release_command)
app.command("stats")(releasing.stats_command)
