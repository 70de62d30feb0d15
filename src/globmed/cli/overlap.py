"""`globmed data overlap`: what two sources have in common."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from globmed.cli import output
from globmed.cli.output import AsJson

if TYPE_CHECKING:
    import pyarrow as pa

SHOWN = 10


def overlap_command(
    folder: Annotated[Path, typer.Argument(help="Folder of a finished stage of items.", metavar="STAGE")],
    first: Annotated[str, typer.Argument(help="Name of a source in it.")],
    second: Annotated[str, typer.Argument(help="Name of another.")],
    threshold: Annotated[
        float | None, typer.Option(help="Jaccard similarity from which two questions are one. Default: 0.5.")
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", help="Write every pair into this Parquet file.")] = None,
    as_json: AsJson = False,
) -> None:
    """Say which questions stand in both sources, which of them lie in different splits, and whose answers differ."""
    from globmed.core.store import replacing
    from globmed.data.corpus import DEFAULT_THRESHOLD, overlap

    found = overlap(folder, first, second, threshold=DEFAULT_THRESHOLD if threshold is None else threshold)
    if out is not None:
        import pyarrow.parquet as pq

        with replacing(out) as temporary:
            pq.write_table(found, temporary)
    if as_json:
        output.print_json(found.to_pylist())
        return
    _show(found, first, second)


def _show(found: pa.Table, first: str, second: str) -> None:
    rows = found.to_pylist()
    if not rows:
        output.say(f"{first} and {second} have no question in common")
        return
    splits = Counter((row["first_split"], row["second_split"]) for row in rows)
    differ = Counter((row["first_split"], row["second_split"]) for row in rows if row["answers"] == "differ")
    output.show(
        [
            {first: one, second: two, "pairs": number, "answers differ": differ[one, two]}
            for (one, two), number in sorted(splits.items())
        ],
        as_json=False,
        title=f"Questions in both {first} and {second}, by the split they are in",
    )
    shown = rows[:SHOWN]
    output.show(shown, as_json=False, title=f"The {len(shown)} most similar of {len(rows)}")
    if any(one != two for one, two in splits):
        output.say("A question in two splits: `globmed data cluster` keeps it in the most held-out one alone")
    if differ:
        output.say(f"{differ.total()} have another right answer in {second} than in {first}: one of two keys is wrong")
