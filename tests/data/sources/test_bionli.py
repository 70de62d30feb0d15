"""BioNLI: CSV by column name, and the kind of each negative kept."""

import csv
import io
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from globmed.core.errors import InputError
from globmed.core.item import Item
from globmed.data.sources import Dropped, source
from globmed.data.sources.bionli import NEGATIVES

FIXTURES = Path(__file__).parents[1] / "fixtures" / "bionli"
TEXT = (FIXTURES / "dev.csv").read_text(encoding="utf-8")
ROWS = list(csv.DictReader(io.StringIO(TEXT, newline="")))


def rows_of(path: Path) -> list[Item | Dropped]:
    return list(source("bionli").read(path, ["en"], 0))


def items(path: Path) -> list[Item]:
    return [row for row in rows_of(path) if isinstance(row, Item)]


def write(path: Path, rows: list[dict[str, str]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n", quoting=csv.QUOTE_ALL)
        writer.writeheader()
        writer.writerows(rows)
    return path


def test_premise_hypothesis_and_kind_of_negative() -> None:
    first, second, third = items(FIXTURES)
    assert first.context.startswith('Leptin was given to rats for a week. Food intake, "measured daily"')
    assert second.question == "Leptin raises food intake in rats."
    assert [item.subset for item in (first, second, third)] == ["pos", "negToPos", "SRE"]
    assert [item.options[item.answer[0]] for item in (first, second, third)] == [
        "entailment",
        "not entailment",
        "not entailment",
    ]
    assert first.cluster == second.cluster == "bionli:90000001" != third.cluster
    assert first.family != second.family
    assert third.context.count("\n") == 1
    assert third.provenance.place == f"{FIXTURES / 'dev.csv'}: row 3"


@pytest.mark.parametrize("label", sorted(NEGATIVES))
def test_every_kind_of_negative_is_no_entailment(tmp_path: Path, label: str) -> None:
    (item,) = items(write(tmp_path / "test.csv", [ROWS[1] | {"label_cat": label}]))
    assert (item.subset, item.answer, item.split) == (label, (1,), "test")


@given(st.permutations(list(ROWS[0])))
def test_the_order_of_columns_changes_nothing(tmp_path_factory: pytest.TempPathFactory, order: list[str]) -> None:
    path = write(tmp_path_factory.mktemp("columns") / "dev.csv", [{name: row[name] for name in order} for row in ROWS])
    assert [(item.family, item.question) for item in items(path)] == [
        (item.family, item.question) for item in items(FIXTURES)
    ]


@given(st.text(st.characters(codec="utf-8"), min_size=1).filter(str.strip))
def test_any_text_comes_through_the_csv(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = write(tmp_path_factory.mktemp("text") / "dev.csv", [ROWS[0] | {"supp_set": text, "conclusion": text}])
    (item,) = items(path)
    assert (item.context, item.question) == (text, text)


def test_a_row_that_stands_twice_gives_one_item_and_is_counted(tmp_path: Path) -> None:
    path = write(tmp_path / "train.csv", [ROWS[0], ROWS[1], ROWS[0] | {"index": "99"}])
    *_, last = rows_of(path)
    assert last == Dropped(place=f"{path}: row 3", language="en", split="train", reason="stands twice")
    assert len(items(path)) == 2


def test_two_variants_are_refused(tmp_path: Path) -> None:
    for name in ("full", "balanced"):
        (tmp_path / name).mkdir()
        write(tmp_path / name / "train.csv", ROWS)
    with pytest.raises(InputError, match=r"found two files of train, .*expected the full variant or the balanced one"):
        rows_of(tmp_path)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"label_cat": "negative"}, "row 2: found label_cat 'negative'; expected 'pos' or one of LPR, SEN"),
        ({"label_cat": ""}, "row 2: found label_cat ''"),
        ({"pmid": " "}, "row 2: found an empty pmid; expected the PubMed number"),
    ],
)
def test_a_broken_row_stops_with_its_number(tmp_path: Path, change: dict[str, str], says: str) -> None:
    path = write(tmp_path / "dev.csv", [ROWS[0], ROWS[1] | change])
    with pytest.raises(InputError, match=re.escape(f"{path}: {says}")):
        rows_of(path)


def test_an_empty_text_is_a_blocking_finding(tmp_path: Path) -> None:
    (item,) = items(write(tmp_path / "dev.csv", [ROWS[0] | {"supp_set": " ", "conclusion": ""}]))
    assert [(one.check, one.severity) for one in item.provenance.findings] == [
        ("context_empty", "block"),
        ("question_empty", "block"),
    ]


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", ":1: found the columns of an empty file; expected 'pmid' once among them"),
        (TEXT.replace("conclusion", "claim").encode(), "expected 'conclusion' once among them"),
        (TEXT.replace("abstract", "pmid").encode(), "expected 'pmid' once among them"),
        (TEXT.split("\n")[0].encode() + b"\n", ": found no row; expected at least one"),
        (TEXT.encode()[:-1], ": found a last line without an end; expected a whole CSV file"),
        (TEXT.encode()[:-55] + b"\n", "row 3: found 7 fields; expected 8, as in the header"),
        (TEXT.encode() + b'3,"17,open\n', ": found broken CSV (unexpected end of data)"),
        (TEXT.encode() + b'3,"17"x,open\n', ": found broken CSV (',' expected after '\"')"),
        (TEXT.encode("utf-16"), ":1: found the byte 0xff, which is not UTF-8"),
        (TEXT.replace("daily", "d\u00e4ily").encode("latin-1"), ":2: found the byte 0xe4, which is not UTF-8"),
    ],
)
def test_a_broken_file_is_refused_in_one_line(tmp_path: Path, data: bytes, says: str) -> None:
    path = tmp_path / "dev.csv"
    path.write_bytes(data)
    with pytest.raises(InputError) as raised:
        rows_of(path)
    assert str(raised.value).startswith(str(path))
    assert says in str(raised.value)
    assert "\n" not in str(raised.value)
