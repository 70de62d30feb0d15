"""Items by columns, batch by batch: what looks at half a million of them has no time to make each an object."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from globmed.core.dataset import ItemFile
from globmed.core.errors import InputError
from globmed.core.item import Item
from globmed.core.row_groups import RowGroups
from globmed.core.store import arrow_schema

if TYPE_CHECKING:
    import pyarrow as pa


def item_batches(folder: Path, file: ItemFile, columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
    """Read an item file batch by batch; whether it is as it was written is for `core.store.checked_file` to say.

    Args:
        folder: the stage's.
        file: one of it.
        columns: which to read, such as `question` or `provenance.text`; None reads all.

    Raises:
        InputError: its columns are not those of items as this version writes them.
    """
    path = folder / file.name
    opened = RowGroups(path)
    try:
        if not opened.schema.equals(arrow_schema(Item)):
            raise InputError.at(
                str(path),
                found=f"the columns {', '.join(opened.schema.names)}",
                expected="those of items as this version of globmed writes them",
                remedy="Run the stages again from the import on",
            )
        for group in range(len(opened)):
            yield opened.read(group, columns)
    finally:
        opened.close()


def filled(lists: pa.ListArray) -> dict[int, list[dict[str, Any]]]:
    """Return the lists that are not empty, by row: most items have no findings, and Python objects are slow."""
    import pyarrow.compute as pc

    rows = np.flatnonzero(pc.greater(pc.list_value_length(lists), 0).to_numpy(zero_copy_only=False))
    return dict(zip(rows.tolist(), lists.take(rows).to_pylist(), strict=True))


def standing_findings(findings: pa.ListArray, reviews: pa.ListArray) -> dict[int, list[dict[str, str]]]:
    """Return by row the findings that no reviewer has overruled, as `Item.standing_findings` does."""
    verdicts = filled(reviews)
    return {
        row: [one for one in found if not any(one["check"] in v["overruled"] for v in verdicts.get(row, ()))]
        for row, found in filled(findings).items()
    }
