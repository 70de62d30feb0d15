"""JSON arrays read value by value: the same values and refusals as reading the whole, in flat memory."""

import json
import re
import tempfile
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from globmed.core.errors import EnvironmentFailedError, InputError
from globmed.data import json_array
from globmed.data.json_array import read_array

TEXTS = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=6)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
OBJECTS = st.lists(st.dictionaries(TEXTS, VALUES, max_size=3), min_size=1, max_size=5)


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Values and signs of several bytes end up on both sides of a chunk's end."""
    monkeypatch.setattr(json_array, "CHUNK_BYTES", 7)


def read(data: bytes) -> list[dict[str, Any]]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "rows.json")
        path.write_bytes(data)
        return [placed.row for placed in read_array(path, dict[str, Any])]


@given(OBJECTS, st.sampled_from([None, 2]), st.booleans(), st.sampled_from([b"", b"\xef\xbb\xbf"]))
def test_values_come_out_as_they_were_written(
    values: list[dict[str, Any]], indent: int | None, ascii_only: bool, mark: bytes
) -> None:
    text = json.dumps(values, indent=indent, ensure_ascii=ascii_only)
    assert read(mark + text.encode()) == values


@given(OBJECTS, st.data())
def test_an_array_that_was_cut_off_is_refused(values: list[dict[str, Any]], data: st.DataObject) -> None:
    whole = json.dumps(values, ensure_ascii=False).encode()
    with pytest.raises(InputError):
        read(whole[: data.draw(st.integers(0, len(whole) - 1))])


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (
            b'[{"a": 1},\n{"b": 2},\n{"c": 3',
            ":3: found broken JSON (Expecting ',' delimiter, column 8); expected whole",
        ),
        (b'[{"a": 1},\n\n{"b": "x\xe9"}]', ":3: found the byte 0xe9, which is not UTF-8; expected UTF-8 text"),
        (b'[{"a": 1},\n{"a": 1, "a": 2}]', ":2: found the key 'a' twice in one object"),
        (b'[{"a": 1} {"b": 2}]', ":1: found broken JSON (Expecting ']', column 11)"),
        (b'[{"a": 1},]', ":1: found broken JSON (Expecting value, column 11)"),
        (b'[{"a": 1}]\n[]', ":2: found broken JSON (Extra data, column 1)"),
        (b'[{"a": 1}, [2]]', ": row 2: found `array`; expected `object`"),
        (b'[{"a": NaN}]', ": row 1: found a number or character that JSON has not"),
        (b'{"a": 1}', ":1: found broken JSON (Expecting '[', column 1)"),
        (b"[ ]", ": found no row"),
    ],
)
def test_errors_name_line_or_row(tmp_path: Path, data: bytes, says: str) -> None:
    path = tmp_path / "rows.json"
    path.write_bytes(data)
    with pytest.raises(InputError, match=re.escape(f"{path}{says}")):
        list(read_array(path, dict[str, Any]))


def test_a_file_that_is_gone(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentFailedError, match="could not be read: No such file"):
        list(read_array(tmp_path / "gone.json", dict[str, Any]))


def test_memory_does_not_grow_with_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_array, "CHUNK_BYTES", 1 << 16)
    path = tmp_path / "rows.json"
    path.write_text(json.dumps([{"question": "x" * 1000}] * 10_000), encoding="utf-8")
    tracemalloc.start()
    try:
        assert sum(1 for _ in read_array(path, dict[str, Any])) == 10_000
        assert tracemalloc.get_traced_memory()[1] < path.stat().st_size / 10
    finally:
        tracemalloc.stop()
