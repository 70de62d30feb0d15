"""The compacted part of a journal: a Parquet file of replies, one row a key, which DuckDB, pandas or polars read too.

Its columns are `key` (16 bytes; `lower(hex(key))` in SQL is the key as globmed prints it) and the fields of
`globmed.models.client.Reply`, with those of `usage` as `input_tokens`, `cached_tokens`, `reasoning_tokens` and
`output_tokens`. A file written before a field was added lacks its column; its replies have the field's default.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from globmed.core.errors import InputError
from globmed.core.row_groups import RowGroups, write_row_groups
from globmed.models.client import Reply, TokenLogprob, Usage
from globmed.models.key_index import CODES, PackedKeys

if TYPE_CHECKING:
    import pyarrow as pa

_MARKS = b"globmed_journal"
# A few row groups are held as they are read, and a few runs of their rows as replies. So groups are small enough for
# that, and big enough to compress; and requests that come in nearly the order of the rows find theirs decoded.
_GROUP_ROWS = 4096
_GROUP_CHARACTERS = 4 * 2**20
_GROUPS_HELD = 4
_RUN_ROWS = 128
_RUNS_HELD = 16
_TOKENS = tuple(f"{name}_tokens" for name in Usage.__struct_fields__)


class Marks(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What ties a compacted part to its journal.

    Attributes:
        mark: its own, which the journal's header names.
        of_mark: that of the part before it, empty where there was none.
        of_bytes: length of the journal that went into it.
        usage: tokens of all replies that went into it, those that no longer count included.
    """

    mark: str
    of_mark: str
    of_bytes: int
    usage: Usage


class CompactedPart:
    """A compacted part open for reading. Call `close`.

    Attributes:
        path: its file.
        marks: what ties it to its journal.
        rows: number of replies.
    """

    def __init__(self, groups: RowGroups, marks: Marks) -> None:
        self.path, self.marks, self.rows = groups.path, marks, groups.rows
        self._groups = groups
        self._batch: Callable[[int], pa.RecordBatch] = lru_cache(_GROUPS_HELD)(groups.read)
        self._run = lru_cache(_RUNS_HELD)(self._decode)

    @classmethod
    def open(cls, path: Path) -> CompactedPart | None:
        """Open a compacted part; None where there is no file, or one that is none.

        Raises:
            InputError: it is damaged.
        """
        if not path.is_file():
            return None
        groups = RowGroups(path)
        try:
            marks = msgspec.json.decode(groups.marks.get(_MARKS, b"{}"), type=Marks)
        except msgspec.DecodeError:
            groups.close()
            return None
        known = _schema()
        if unknown := [column.name for column in groups.schema if column not in known]:
            groups.close()
            raise InputError.at(str(path), found=f"columns {', '.join(unknown)}", expected=", ".join(known.names))
        return cls(groups, marks)

    def keys(self) -> PackedKeys:
        """Return where every key stands.

        Raises:
            InputError: the file is damaged.
        """
        batches = (self._groups.read(group, ["key", "status"]) for group in range(len(self._groups)))
        return PackedKeys(self.rows, ((_key_bytes(batch), _status_codes(batch)) for batch in batches))

    def reply(self, row: int) -> Reply:
        """Return the reply of a row; quick for rows near those that were asked for lately.

        Raises:
            InputError: the file is damaged.
        """
        group, number = self._groups.where(row)
        run, at = divmod(number, _RUN_ROWS)
        return self._run(group, run)[at]

    def replies(self) -> Iterator[tuple[bytes, Reply]]:
        """Yield each key of 16 bytes with its reply, in the order of the rows.

        Raises:
            InputError: the file is damaged.
        """
        for group in range(len(self._groups)):
            batch = self._groups.read(group)
            yield from zip(batch.column("key").to_pylist(), _replies(batch), strict=True)

    def close(self) -> None:
        """Let go of the file."""
        self._groups.close()

    def _decode(self, group: int, run: int) -> list[Reply]:
        return _replies(self._batch(group).slice(run * _RUN_ROWS, _RUN_ROWS))


def write_part(path: Path, replies: Iterable[tuple[bytes, Reply]], marks: Marks) -> int:
    """Write replies under their keys of 16 bytes as a compacted part, and return how many there were."""
    return write_row_groups(path, _batches(replies), _schema(), {_MARKS.decode(): msgspec.json.encode(marks)})


def _schema() -> pa.Schema:
    import pyarrow as pa

    text, number = pa.string(), pa.float64()
    token = pa.struct([("token", text), ("logprob", number), ("top", pa.map_(text, number))])
    lists = {"option_logprobs": pa.list_(number), "option_priors": pa.list_(number), "logprobs": pa.list_(token)}
    names = [name for name in Reply.__struct_fields__ if name != "usage"]
    columns = [(name, lists.get(name, text)) for name in names]
    return pa.schema([("key", pa.binary(16)), *columns, *((name, pa.int64()) for name in _TOKENS)])


def _batches(replies: Iterable[tuple[bytes, Reply]]) -> Iterator[pa.RecordBatch]:
    rows: list[tuple[bytes, Reply]] = []
    characters = 0
    for key, reply in replies:
        rows.append((key, reply))
        characters += len(reply.text) + len(reply.reasoning) + 64 * len(reply.logprobs)
        if len(rows) == _GROUP_ROWS or characters >= _GROUP_CHARACTERS:
            yield _batch(rows)
            rows, characters = [], 0
    if rows:
        yield _batch(rows)


def _batch(rows: list[tuple[bytes, Reply]]) -> pa.RecordBatch:
    import pyarrow as pa

    schema, replies = _schema(), [reply for _, reply in rows]
    columns: dict[str, list[Any]] = {"key": [key for key, _ in rows]}
    for name in schema.names[1 : -len(_TOKENS)]:
        columns[name] = [getattr(reply, name) for reply in replies]
    for name, column in zip(Usage.__struct_fields__, _TOKENS, strict=True):
        columns[column] = [getattr(reply.usage, name) for reply in replies]
    columns["logprobs"] = [msgspec.to_builtins(tokens) for tokens in columns["logprobs"]]
    return pa.RecordBatch.from_arrays([pa.array(columns[field.name], field.type) for field in schema], schema=schema)


def _replies(batch: pa.RecordBatch) -> list[Reply]:
    columns = {name: batch.column(name).to_pylist() for name in batch.schema.names if name != "key"}
    tokens = zip(*(columns.pop(name) for name in _TOKENS), strict=True)
    columns["usage"] = [Usage(**dict(zip(Usage.__struct_fields__, row, strict=True))) for row in tokens]
    for name in ("option_logprobs", "option_priors"):
        columns[name] = list(map(tuple, columns[name]))
    columns["logprobs"] = [tuple(map(_token, row)) for row in columns["logprobs"]]
    return [Reply(**dict(zip(columns, row, strict=True))) for row in zip(*columns.values(), strict=True)]


def _token(values: dict[str, Any]) -> TokenLogprob:
    # `to_builtins` leaves an empty `top` out, for it is the default.
    return TokenLogprob(token=values["token"], logprob=values["logprob"], top=dict(values["top"] or ()))


def _key_bytes(batch: pa.RecordBatch) -> np.ndarray[Any, np.dtype[np.uint8]]:
    column = batch.column("key")
    return np.frombuffer(column.buffers()[1], np.uint8)[16 * column.offset :][: 16 * len(column)].reshape(-1, 16)


def _status_codes(batch: pa.RecordBatch) -> np.ndarray[Any, np.dtype[np.uint8]]:
    return np.array([CODES[status] for status in batch.column("status").to_pylist()], np.uint8)
