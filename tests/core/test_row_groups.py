"""Row groups are found by row, and a damaged one is refused, never misread."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from globmed.core.errors import InputError
from globmed.core.row_groups import RowGroups, write_row_groups

SCHEMA = pa.schema([("number", pa.int64()), ("text", pa.string())])


def batch(first: int, rows: int) -> pa.RecordBatch:
    numbers = range(first, first + rows)
    return pa.RecordBatch.from_pydict({"number": list(numbers), "text": [f"row {n}" for n in numbers]}, schema=SCHEMA)


@settings(max_examples=30)
@given(st.lists(st.integers(1, 5), max_size=8))
def test_every_row_is_where_it_is_said_to_be(tmp_path_factory: pytest.TempPathFactory, sizes: list[int]) -> None:
    path = tmp_path_factory.mktemp("groups") / "x.parquet"
    batches = [batch(sum(sizes[:index]), size) for index, size in enumerate(sizes)]
    assert write_row_groups(path, batches, SCHEMA, {"mark": b"7"}) == sum(sizes)
    groups = RowGroups(path)
    assert (len(groups), groups.rows) == (len(sizes), sum(sizes))
    assert groups.marks[b"mark"] == b"7"
    for row in range(groups.rows):
        group, number = groups.where(row)
        assert groups.read(group, ["number"]).to_pydict() == {"number": batches[group]["number"].to_pylist()}
        assert groups.read(group).to_pylist()[number] == {"number": row, "text": f"row {row}"}
    groups.close()


def test_a_damaged_page_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    write_row_groups(path, [batch(0, 100), batch(100, 100)], SCHEMA, {})
    whole = path.read_bytes()
    expected = [row for first in (0, 100) for row in batch(first, 100).to_pylist()]
    # Behind the pages stands the metadata, whose every byte is not checked.
    pages = len(whole) - 8 - int.from_bytes(whole[-8:-4], "little")
    refused = 0
    for byte in range(4, pages, 7):
        path.write_bytes(whole[:byte] + bytes([whole[byte] ^ 0x20]) + whole[byte + 1 :])
        found = read_or_none(path)
        assert found in (None, expected), byte
        refused += found is None
    assert refused > pages / 7 / 2


def read_or_none(path: Path) -> list[dict[str, Any]] | None:
    try:
        groups = RowGroups(path)
        return [row for group in range(len(groups)) for row in groups.read(group).to_pylist()]
    except InputError:
        return None


def test_what_is_no_parquet_file_is_named(tmp_path: Path) -> None:
    for content in (b"", b"PAR1", b"ten years of work"):
        path = tmp_path / "x.parquet"
        path.write_bytes(content)
        with pytest.raises(InputError, match=r"x\.parquet: found .*; expected a Parquet file"):
            RowGroups(path)
