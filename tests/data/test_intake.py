"""Reading publishers' files strictly, and the findings on their rows."""

import re
import unicodedata
from pathlib import Path
from typing import Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from globmed.core.errors import EnvironmentFailedError, InputError
from globmed.data.intake import content_key, find_files, option_findings, read_document, read_rows, split_of


class Row(msgspec.Struct, frozen=True):
    id: int
    text: str
    label: Literal["yes", "no"] = "no"


GOOD = b'{"id": 1, "text": "a", "extra": [1.5]}\n'


@pytest.mark.parametrize(
    ("data", "line", "says"),
    [
        (GOOD + b'{"id": 2}\n', 2, "found object missing required field `text`; expected the fields id, text, label"),
        (GOOD + b'{"id": "2", "text": "b"}\n', 2, r"found `str` at `$.id`; expected `int`"),
        (GOOD + b'{"id": 2.5, "text": "b"}\n', 2, r"found `float` at `$.id`; expected `int`"),
        (GOOD + b'{"id": 2, "text": null}\n', 2, r"found `null` at `$.text`; expected `str`"),
        (GOOD + b'{"id": 2, "text": "b", "label": "y"}\n', 2, "found label 'y'; expected one of yes, no"),
        (GOOD + b"[]\n", 2, "found `array`; expected `object`"),
        (GOOD + b'{"id": 2, "text": "b', 2, "found broken JSON (Unterminated string starting at, column 19)"),
        (GOOD + b'{"id": 2, "text": "b"} {}', 2, "found broken JSON (Extra data"),
        (GOOD + b'\n{"id": 2, "text": "caf\xe9"}\n', 3, "found the byte 0xe9, which is not UTF-8"),
        (GOOD.decode().encode("utf-16"), 1, "found the byte 0xff, which is not UTF-8"),
        (GOOD + b'{"id": 2, "text": "b", "id": 3}\n', 2, "found the key 'id' twice in one object"),
        (GOOD + b'{"id": 2, "text": "b", "x": {"y": 1, "y": 1}}\n', 2, "found the key 'y' twice in one object"),
        (GOOD + b'{"id": 2, "text": "\\ud800"}\n', 2, "no half surrogate pair"),
        (GOOD + b'{"id": 2, "text": "b", "x": NaN}\n', 2, "expected no NaN"),
        (GOOD + b"[" * 100_000 + b"\n", 2, "maximum recursion depth"),
        (GOOD + b'{"id": ' + b"9" * 5000 + b', "text": "b"}\n', 2, "limit"),
    ],
)
def test_a_broken_row_stops_with_file_and_line(tmp_path: Path, data: bytes, line: int, says: str) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(data)
    with pytest.raises(InputError) as raised:
        list(read_rows(path, Row))
    text = str(raised.value)
    assert text.startswith(f"{path}:{line}: found ")
    assert says in text
    assert "\n" not in text


def test_rows_are_split_at_line_feeds_alone_and_a_byte_order_mark_is_no_row(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b"\xef\xbb\xbf" + GOOD.replace(b"\n", b"\r\n") + '\n{"id": 2, "text": "b\u2028c"}'.encode())
    assert [(placed.place, placed.row.text) for placed in read_rows(path, Row)] == [
        (f"{path}:1", "a"),
        (f"{path}:3", "b\u2028c"),
    ]


@pytest.mark.parametrize("data", [b"", b"\n \n"])
def test_a_file_without_a_row_is_an_error(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(data)
    with pytest.raises(InputError, match=r"rows\.jsonl: found no row"):
        list(read_rows(path, Row))


def test_parquet_gives_the_rows_that_json_lines_give(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = [{"id": number, "text": f"caf\u00e9 {number}"} for number in range(3)]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "rows.parquet")
    (tmp_path / "rows.jsonl").write_bytes(b"".join(msgspec.json.encode(row) + b"\n" for row in rows))
    by_ending = [list(read_rows(tmp_path / name, Row)) for name in ("rows.parquet", "rows.jsonl")]
    assert [placed.row for placed in by_ending[0]] == [placed.row for placed in by_ending[1]]
    assert by_ending[0][2].place == f"{tmp_path / 'rows.parquet'}: row 3"


def test_parquet_says_which_row_is_wrong_and_when_it_was_cut_off(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = tmp_path / "rows.parquet"
    pq.write_table(pa.table({"id": [1, 2], "text": ["a", None]}), path)
    with pytest.raises(InputError, match=r"rows\.parquet: row 2: found `null` at `\$\.text`; expected `str`"):
        list(read_rows(path, Row))
    whole = path.read_bytes()
    for cut in range(len(whole)):
        path.write_bytes(whole[:cut])
        with pytest.raises(InputError, match=r"rows\.parquet: after row \d+: found .*expected a whole Parquet file"):
            list(read_rows(path, Row))


def test_a_document_error_names_the_line(tmp_path: Path) -> None:
    path = tmp_path / "all.json"
    path.write_text('{\n "a": 1,\n "b": }\n', encoding="utf-8")
    with pytest.raises(InputError, match=re.escape(f"{path}:3: found broken JSON (Expecting value, column 7)")):
        read_document(path, dict[str, int])
    path.write_text('{"a": 1, "b": "2"}', encoding="utf-8")
    with pytest.raises(InputError, match="expected `int`"):
        read_document(path, dict[str, int])


def test_a_file_that_cannot_be_opened_is_the_machines_failure(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentFailedError, match=r"gone\.jsonl: could not be read: No such file"):
        list(read_rows(tmp_path / "gone.jsonl", Row))


def test_files_are_found_at_any_depth_sorted_and_without_hidden_ones(tmp_path: Path) -> None:
    for name in ("b/test.jsonl", "a/deep/er/test.jsonl", ".cache/test.jsonl", "a/test.json", "b/.test.jsonl"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    found = find_files(tmp_path, r"test\.jsonl", expected="test.jsonl", obtain="ask")
    assert found == [tmp_path / "a/deep/er/test.jsonl", tmp_path / "b/test.jsonl"]
    assert find_files(found[0], r"test\.jsonl", expected="test.jsonl", obtain="ask") == [found[0]]


@pytest.mark.parametrize(
    ("name", "says"),
    [("gone", "no such file or folder"), ("folder", "a folder without one"), ("other.txt", "a file named other.txt")],
)
def test_files_that_are_not_there_say_what_to_do(tmp_path: Path, name: str, says: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "other.txt").touch()
    line = f"{tmp_path / name}: found {says}; expected test.jsonl. Clone the repository"
    with pytest.raises(InputError, match=f"^{re.escape(line)}$"):
        find_files(tmp_path / name, r"test\.jsonl", expected="test.jsonl", obtain="Clone the repository")


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("train_HEAD.json", "train"),
        ("dev.json", "dev"),
        ("phrases_no_exclude_test.jsonl", "test"),
        ("validation-00000-of-00001.parquet", "dev"),
        ("latest_train.jsonl", "train"),
    ],
)
def test_the_split_is_a_word_of_the_files_name(name: str, split: str) -> None:
    assert split_of(Path(name)) == split


@pytest.mark.parametrize("name", ["contest.jsonl", "train_test.jsonl", "rows.jsonl"])
def test_a_name_without_one_split_is_refused(name: str) -> None:
    with pytest.raises(InputError, match="a name that says"):
        split_of(Path(name))


@pytest.mark.parametrize(
    ("options", "answer", "expected"),
    [
        (["a", "b", "c"], 0, []),
        (["Bb", "BB", "bb"], 0, []),
        (["10 mg", "10  mg ", "c"], 0, [("options_identical", "block")]),
        (["10 mg", "10\u00a0mg", "c"], 2, [("options_identical", "review")]),
        (["cafe\u0301", "caf\u00e9", "c"], 1, [("options_identical", "block")]),
        (["a", "a", "b", "b"], 3, [("options_identical", "block")]),
        (["a", "b", " "], 0, [("options_empty", "block")]),
        (["a", "", ""], 0, [("options_empty", "block")]),
        (["a"], 0, [("options_few", "block")]),
        (["a", "b"], 0, [("options_few", "note")]),
    ],
)
def test_findings_on_options(options: list[str], answer: int, expected: list[tuple[str, str]]) -> None:
    found = option_findings("Which?", options, answer=answer)
    assert [(finding.check, finding.severity) for finding in found] == expected
    assert all(finding.field == "options" for finding in found)


def test_findings_name_the_options_and_an_empty_question() -> None:
    (identical,) = option_findings("Which?", ["x", "y", "x", "y", "z"], answer=4)
    assert identical.message == "wrong options read the same: AC; BD"
    (empty,) = option_findings(" \n", ["x", "y", "z"], answer=0)
    assert (empty.check, empty.severity, empty.field) == ("question_empty", "block", "question")


@given(st.lists(st.text(min_size=1).filter(str.strip), min_size=3, max_size=6), st.data())
def test_identity_is_blind_to_order_spacing_and_composition(options: list[str], data: st.DataObject) -> None:
    answer = data.draw(st.integers(0, len(options) - 1))
    order = data.draw(st.permutations(range(len(options))))
    rewritten = [f" {unicodedata.normalize('NFD', options[index])}\t" for index in order]
    found = option_findings("Which?", options, answer=answer)
    moved = option_findings("Which?", rewritten, answer=order.index(answer))
    assert [(one.check, one.severity) for one in found] == [(one.check, one.severity) for one in moved]


@given(st.text(), st.lists(st.text(), min_size=1), st.data())
def test_a_content_key_tells_rows_apart(question: str, options: list[str], data: st.DataObject) -> None:
    key = content_key(question, options)
    assert re.fullmatch("[0-9a-f]{16}", key)
    assert key == content_key(question, tuple(options))
    other = data.draw(
        st.tuples(st.text(), st.lists(st.text(), min_size=1)).filter(lambda row: row != (question, options))
    )
    assert content_key(*other) != key
