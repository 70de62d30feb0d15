"""AfriMed-QA: three types of questions, several right answers, options that were left out, and whose practice it is."""

import csv
import io
import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from globmed.core.errors import InputError
from globmed.core.item import Item
from globmed.data.sources import Dropped, source

FIXTURES = Path(__file__).parents[1] / "fixtures" / "afrimedqa"
FILE = "afri_med_qa_15k_v2.csv"
TEXT = (FIXTURES / FILE).read_text(encoding="utf-8")
ROWS = list(csv.DictReader(io.StringIO(TEXT, newline="")))
OPEN = {"answer_options": "", "correct_answer": "", "answer_rationale": "Rest and fluids."}


def rows_of(path: Path) -> list[Item | Dropped]:
    return list(source("afrimedqa").read(path, ["en"], 0))


def write(path: Path, *rows: dict[str, str]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return path


def one(path: Path, **change: str) -> Item:
    (row,) = rows_of(write(path / FILE, ROWS[0] | change))
    assert isinstance(row, Item)
    return row


def test_rows_become_items() -> None:
    first, second, third = (row for row in rows_of(FIXTURES) if isinstance(row, Item))
    assert (first.family, first.split, first.answer) == ("afrimedqa:a1", "train", (0,))
    assert first.question == "Which of these cause malaria?"
    assert first.specialty == "Infectious Disease"
    assert first.rationale == "Ovale would be right as well."
    assert second.question == "A fever of 38.5 C is normal"
    assert (second.options, second.answer, second.rationale) == (("True", "False"), (1,), "")
    assert [finding.check for finding in second.provenance.findings] == ["options_few"]
    assert [item.subset for item in (first, second, third)] == ["expert mcq", "crowdsourced mcq", "expert mcq"]


def test_an_option_that_was_left_out_is_none() -> None:
    first = rows_of(FIXTURES)[0]
    assert isinstance(first, Item)
    assert first.options == ("Plasmodium vivax", "Plasmodium ovale", "Escherichia coli", "Vibrio cholerae")
    assert [(finding.check, finding.severity) for finding in first.provenance.findings] == [
        ("options_left_out", "note")
    ]


def test_several_answers_may_be_right(tmp_path: Path) -> None:
    assert one(tmp_path, correct_answer="option2, option1,option2").answer == (0, 1)


def test_an_option_that_is_right_stays_whatever_it_reads(tmp_path: Path) -> None:
    made = one(tmp_path, correct_answer="option5")
    assert len(made.options) == 5
    assert made.answer == (4,)


def test_a_right_option_that_reads_like_a_wrong_one_blocks(tmp_path: Path) -> None:
    options = json.dumps({"option1": "A", "option2": "B", "option3": "B"})
    made = one(tmp_path, answer_options=options, correct_answer="option1,option3")
    assert made.blocked


@pytest.mark.parametrize(("said", "region"), [("Yes", "KE"), ("true", "KE"), ("No", ""), ("", "")])
def test_the_country_counts_where_the_question_is_bound_to_it(tmp_path: Path, said: str, region: str) -> None:
    assert one(tmp_path, region_specific=said).region == region


def test_open_questions(tmp_path: Path) -> None:
    short = one(tmp_path, question_type="saq", tier="", **OPEN)
    assert (short.kind, short.reference, short.subset, short.options) == ("lfqa", ("Rest and fluids.",), "saq", ())
    asked = one(tmp_path, question_type="consumer-queries", prompt="Your friend has a fever.", **OPEN)
    assert (asked.kind, asked.context) == ("lfqa", "Your friend has a fever.")


@pytest.mark.parametrize("question_type", ["mcq", "saq", "consumer-queries"])
def test_a_row_without_an_answer_gives_no_item(tmp_path: Path, question_type: str) -> None:
    change = {"question_type": question_type, "correct_answer": "", "answer_rationale": "N:A"}
    path = write(tmp_path / FILE, ROWS[0] | change)
    assert rows_of(path) == [Dropped(place=f"{path}: row 1", language="en", split="train", reason="no answer")]


@given(st.permutations(list(ROWS[0])))
def test_the_order_of_columns_changes_nothing(tmp_path_factory: pytest.TempPathFactory, order: list[str]) -> None:
    path = write(tmp_path_factory.mktemp("columns") / FILE, *({name: row[name] for name in order} for row in ROWS))
    assert [row.question for row in rows_of(path) if isinstance(row, Item)] == [
        row.question for row in rows_of(FIXTURES) if isinstance(row, Item)
    ]


def test_columns_that_older_versions_lack_may_be_absent(tmp_path: Path) -> None:
    lacking = {"question_clean", "tier", "country", "region_specific", "specialty", "prompt"}
    (row,) = rows_of(write(tmp_path / FILE, {name: value for name, value in ROWS[0].items() if name not in lacking}))
    assert isinstance(row, Item)
    assert (row.question, row.subset, row.region) == ("Which of these cause malaria?", "mcq", "")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"correct_answer": "option6"}, "found correct_answer 'option6'; expected one or several of option1, option2"),
        ({"correct_answer": "A"}, "found correct_answer 'A'"),
        ({"answer_options": ""}, "found answer_options that cannot be read"),
        ({"answer_options": '{"option1": 4}'}, "found answer_options that cannot be read"),
        ({"answer_options": '{"option2": "B"}'}, "found the options option2; expected option1, option2, ..."),
        ({"answer_options": "{}"}, "found the options of an empty object"),
        ({"question_type": "essay"}, "found question_type 'essay'; expected one of mcq, saq, consumer-queries"),
        ({"question_type": "saq", "question": " ", "question_clean": ""}, "found an empty question"),
        ({"sample_id": ""}, "found an empty sample_id"),
        ({"split": "hidden"}, "found split 'hidden'; expected one of train, dev"),
    ],
)
def test_a_broken_row_stops_with_its_number(tmp_path: Path, change: dict[str, str], says: str) -> None:
    path = write(tmp_path / FILE, ROWS[1], ROWS[0] | change)
    with pytest.raises(InputError, match=re.escape(f"{path}: row 2: {says}")):
        rows_of(path)


def test_an_empty_option_is_a_blocking_finding(tmp_path: Path) -> None:
    options = json.dumps({"option1": "A", "option2": " ", "option3": "C"})
    found = one(tmp_path, answer_options=options).provenance.findings
    assert [(finding.check, finding.severity) for finding in found] == [("options_empty", "block")]


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", ":1: found the columns of an empty file; expected 'sample_id' once among them"),
        (TEXT.replace("correct_answer", "gold").encode(), "expected 'correct_answer' once among them"),
        (TEXT.replace("country", "split").encode(), "expected 'split' once among them"),
        (TEXT.split("\n")[0].encode() + b"\n", ": found no row"),
        (TEXT.encode()[:-1], ": found a last line without an end"),
        (TEXT.encode() + b"a4,test\n", ": row 4: found 2 fields; expected 13, as in the header"),
        (TEXT.encode() + b'a4,"open\n', ": found broken CSV (unexpected end of data)"),
        (TEXT.encode("utf-16"), ":1: found the byte 0xff, which is not UTF-8"),
    ],
)
def test_a_broken_file_is_refused_in_one_line(tmp_path: Path, data: bytes, says: str) -> None:
    path = tmp_path / FILE
    path.write_bytes(data)
    with pytest.raises(InputError) as raised:
        rows_of(path)
    assert str(raised.value).startswith(str(path))
    assert says in str(raised.value)
    assert "\n" not in str(raised.value)


def test_two_versions_are_refused(tmp_path: Path) -> None:
    write(tmp_path / FILE, *ROWS)
    write(tmp_path / "afri_med_qa_15k_v2.5.csv", *ROWS)
    with pytest.raises(InputError, match="expected one version of the file"):
        rows_of(tmp_path)
