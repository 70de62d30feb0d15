"""What models replied, in the order in which the scores of a run stand."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from globmed.bench.asked import ASKED, Asked, journal_path, models_folder
from globmed.bench.saved import asked_and_saved, asked_models
from globmed.bench.translated_back import put_back
from globmed.core.row_groups import write_row_groups
from globmed.core.store import table
from globmed.models.client import Reply
from globmed.models.journal import read_replies

if TYPE_CHECKING:
    import pyarrow as pa

_ROWS = 20_000


class Said(NamedTuple):
    """A reply and what it answers."""

    asked: Asked
    reply: Reply


def said_of(run: Path, families: Collection[str]) -> Iterator[Said]:
    """Yield what all models of a run replied to a few questions, in any language; nothing where no reply was kept.

    Raises:
        InputError: a journal is damaged.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    for name in asked_models(run):
        rows = table(models_folder(run) / name, prefix=ASKED)
        chosen = rows.filter(pc.is_in(rows["family"], pa.array(sorted(families), pa.string())))
        asked = msgspec.convert(chosen.to_pylist(), list[Asked])
        if not asked:
            continue
        wanted = {row.key for row in asked}
        replies = {key: reply for key, reply in read_replies(journal_path(run, name)) if key in wanted}
        back, saved = put_back(run, asked, replies)
        yield from (Said(row, saved[row.key]) for row in back)


def write_texts(run: Path, path: Path) -> int:
    """Write the texts of all replies, a row each in the order of the scores, and return how many there are.

    Raises:
        UsageError: replies are missing.
    """
    import pyarrow as pa

    schema = pa.schema([(name, pa.string()) for name in ("family", "language", "finish", "reply")])
    return write_row_groups(path, _batches(run, schema), schema, {})


def _batches(run: Path, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    import pyarrow as pa

    for name in asked_models(run):
        rows, replies = asked_and_saved(run, name)
        for start in range(0, len(rows), _ROWS):
            said = [(row, replies[row.key]) for row in rows[start : start + _ROWS]]
            columns = zip(*((row.family, row.language, one.finish, one.text) for row, one in said), strict=True)
            yield pa.RecordBatch.from_arrays([pa.array(column, pa.string()) for column in columns], schema=schema)
