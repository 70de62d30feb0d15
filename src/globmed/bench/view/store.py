"""Answers queries over the replies of a run.

Replies are searched from end to end, without an index of words: it holds for every script, and for any part of a word.
Mapped into memory as Arrow, 1.3 GB of replies take DuckDB 0.6 s on two cores; as Parquet, with its pages to unpack
and check, 1.2 s uncompressed and 2 s and more otherwise.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from globmed.bench.view.build import INDEX, QUESTIONS, REPLIES, view_of
from globmed.bench.view.filters import FACETS, FOLDED, OUTCOMES, Filter
from globmed.bench.view.records import Question, ReplyRow
from globmed.core.row_groups import RowGroups

if TYPE_CHECKING:
    import duckdb
    import numpy as np
    import numpy.typing as npt
    import pyarrow as pa

ITEMS_PER_PAGE = 20
REPLIES_PER_ENTRY = 4


class Matches(NamedTuple):
    """Numbers of the questions with a reply that is wanted, ascending, and how many each has."""

    items: npt.NDArray[np.int64]
    replies: npt.NDArray[np.int64]


class Entry(NamedTuple):
    """A question of a page.

    Attributes:
        question: itself.
        replies: the first of those that are wanted.
        matching: how many are.
    """

    question: Question
    replies: list[ReplyRow]
    matching: int


class Page(NamedTuple):
    """Some of the questions that a filter finds.

    Attributes:
        entries: in their order.
        before: how many come before them.
        items: how many there are in all.
        replies: how many replies of theirs are wanted.
        previous: `after` of the page before; None where there is none.
        next: `after` of the page that follows; None likewise.
    """

    entries: list[Entry]
    before: int
    items: int
    replies: int
    previous: int | None
    next: int | None


class View:
    """The view of a run, open for reading; may be asked from several threads at once.

    Attributes:
        facets: values of each column of `FACETS`, and the outcomes that occur.
    """

    def __init__(self, folder: Path) -> None:
        """Open the folder that `build_view` returned."""
        import duckdb
        import pyarrow as pa

        self._connection = duckdb.connect()
        view_of(self._connection, "asked", folder / QUESTIONS)
        text = FOLDED.format("concat_ws(chr(10), context, question, list_aggregate(options, 'string_agg', chr(10)))")
        self._connection.execute(f"CREATE TABLE questions AS SELECT *, {text} AS folded FROM asked")  # noqa: S608
        self._index = pa.ipc.open_file(pa.memory_map(str(folder / INDEX))).read_all()
        self._items = self._index["item"].to_numpy()
        self._texts, self._reading = RowGroups(folder / REPLIES), Lock()
        self.facets = {name: self._values(name) for name in FACETS}
        outcomes = set(self._values("outcome"))
        self.facets["outcome"] = tuple(name for name, those in OUTCOMES.items() if outcomes.intersection(those))
        self.matches = lru_cache(maxsize=16)(self._matches)

    def page(self, wanted: Filter, *, after: int = -1, size: int = ITEMS_PER_PAGE) -> Page:
        """Return the questions that follow one, of those with a reply that is wanted.

        Args:
            wanted: which replies.
            after: number of the question to go on behind; -1 to begin.
            size: questions of a page.
        """
        items, replies = self.matches(wanted)
        start = int(items.searchsorted(after, side="right"))
        end, earlier = start + size, start - size
        counts = {int(item): int(number) for item, number in zip(items[start:end], replies[start:end], strict=True)}
        return Page(
            entries=self._entries(wanted, counts),
            before=start,
            items=len(items),
            replies=int(replies.sum()),
            previous=None if not start else int(items[earlier - 1]) if earlier > 0 else -1,
            next=int(items[end - 1]) if end < len(items) else None,
        )

    def questions(self, family: str) -> dict[str, Question]:
        """Return a question in all languages, by their codes; empty where there is none."""
        return {row.language: row for row in self._questions("family = $family", {"family": family})}

    def families(self) -> list[str]:
        """Return the ids of all questions."""
        return [family for (family,) in self._execute("SELECT DISTINCT family FROM questions", {}).fetchall()]

    def replies(self, items: Sequence[int]) -> list[ReplyRow]:
        """Return all replies to some questions in their languages, by model and condition."""
        rows = self._read([row for start, end in self._places(items) for row in range(start, end)])
        return sorted(rows, key=lambda row: (row.model, row.revision, row.answer, row.run, row.item))

    def _matches(self, wanted: Filter) -> Matches:
        import numpy as np

        where = wanted.where
        found = self._execute(
            f"SELECT item, count(*) AS replies FROM found WHERE {where.sql} GROUP BY item ORDER BY item",  # noqa: S608
            where.values,
            found=self._index,
        ).fetchnumpy()
        return Matches(np.asarray(found["item"]), np.asarray(found["replies"]))

    def _entries(self, wanted: Filter, counts: dict[int, int]) -> list[Entry]:
        if not counts:
            return []
        import pyarrow as pa

        places = self._places(list(counts))
        few = pa.concat_tables([self._index.slice(start, end - start) for start, end in places])
        few = few.append_column("row", pa.array([row for start, end in places for row in range(start, end)]))
        where = wanted.where
        rows = self._execute(
            f"SELECT row FROM few WHERE {where.sql} "  # noqa: S608 - names of ours
            f"QUALIFY row_number() OVER (PARTITION BY item ORDER BY row) <= {REPLIES_PER_ENTRY} ORDER BY row",
            where.values,
            few=few,
        ).fetchall()
        replies = self._read([row for (row,) in rows])
        among = ", ".join(map(str, counts))
        questions = self._questions(f"item IN ({among})", {})
        return [
            Entry(question, [reply for reply in replies if reply.item == question.item], counts[question.item])
            for question in questions
        ]

    def _places(self, items: Sequence[int]) -> list[tuple[int, int]]:
        """Return where the replies to some questions begin and end."""
        # In a type of its own, all numbers would be copied into that first.
        sought = self._items.dtype.type(items)
        starts, ends = (self._items.searchsorted(sought, side=side) for side in ("left", "right"))
        return [(int(start), int(end)) for start, end in zip(starts, ends, strict=True)]

    def _read(self, rows: Sequence[int]) -> list[ReplyRow]:
        by_group: dict[int, list[int]] = {}
        for row in rows:
            group, place = self._texts.where(row)
            by_group.setdefault(group, []).append(place)
        columns = list(ReplyRow.__struct_fields__)
        with self._reading:
            found = [
                one
                for group, places in by_group.items()
                for one in self._texts.read(group, columns).take(places).to_pylist()
            ]
        return msgspec.convert(found, list[ReplyRow])

    def _questions(self, condition: str, values: dict[str, str]) -> list[Question]:
        names = Question.__struct_fields__
        query = f"SELECT {', '.join(names)} FROM questions WHERE {condition} ORDER BY item"  # noqa: S608 - names of ours
        rows = self._execute(query, values).fetchall()
        return msgspec.convert([dict(zip(names, row, strict=True)) for row in rows], list[Question])

    def _values(self, name: str) -> tuple[str, ...]:
        chunks = self._index[name].chunks
        return tuple(chunks[0].dictionary.to_pylist()) if chunks else ()

    def _execute(self, query: str, values: dict[str, str], **tables: pa.Table) -> duckdb.DuckDBPyConnection:
        # Threads share what the database holds through cursors of their own; other tables lie outside of it.
        cursor = self._connection.cursor()
        for name, rows in tables.items():
            cursor.register(name, rows)
        return cursor.execute(query, values)
