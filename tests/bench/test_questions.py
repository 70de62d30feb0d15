"""Rows are numbered in the sorted order of what they say, whatever their own order."""

from itertools import groupby

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from globmed.bench.questions import crossed, named, numbered_by, parts_of, right

ROWS = st.lists(st.tuples(st.text(max_size=3), st.sampled_from(["en", "sw", "yo"]), st.integers(-2, 3)), max_size=30)


def laid_out(rows: list[tuple[str, str, int]]) -> pa.Table:
    schema = pa.schema([("family", pa.string()), ("language", pa.string()), ("run", pa.int64())])
    return pa.Table.from_pylist([dict(zip(schema.names, row, strict=True)) for row in rows], schema=schema)


@given(ROWS)
def test_numbers_are_places_among_the_sorted_distinct_values(rows: list[tuple[str, str, int]]) -> None:
    table, distinct = laid_out(rows), sorted(set(rows))
    found = numbered_by(table, ("family", "language", "run"))
    assert found.of.tolist() == [distinct.index(row) for row in rows]
    assert [rows[first] for first in found.first] == distinct
    assert found.count == len(distinct)
    assert named(table, found, "language") == [row[1] for row in distinct]


@given(ROWS)
def test_parts_hold_each_row_once_in_its_order(rows: list[tuple[str, str, int]]) -> None:
    found = [part.to_pylist() for part in parts_of(laid_out(rows), ("language",))]
    told = [[tuple(row.values()) for row in part] for part in found]
    assert told == [list(part) for _, part in groupby(sorted(rows, key=lambda row: row[1]), key=lambda row: row[1])]


def test_what_is_not_there_is_not_a_number() -> None:
    laid = crossed(np.array([1.0, 0.0]), np.array([0, 1]), np.array([2, 0]), shape=(2, 3))
    assert np.isnan(laid).tolist() == [[True, True, False], [False, True, True]]
    assert laid[0, 2] == 1
    assert laid[1, 0] == 0


def test_a_failed_call_is_neither_right_nor_wrong() -> None:
    rows = pa.table({"reply_status": ["ok", "error", "refused"], "correct": [True, False, False]})
    assert right(rows).tolist()[::2] == [1.0, 0.0]
    assert np.isnan(right(rows)[1])
