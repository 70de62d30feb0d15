"""LiveQA: both tags of answers, hard line breaks undone, and XML that cannot do harm."""

import re
import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from globmed.core.errors import InputError
from globmed.core.item import Item
from globmed.data.sources import source
from globmed.data.sources.liveqa import FILE, SUMMARIES, readable

FIXTURES = Path(__file__).parents[1] / "fixtures" / "liveqa"
TEXT = (FIXTURES / f"{FILE}.xml").read_text(encoding="utf-8")


def items(path: Path) -> list[Item]:
    return [row for row in source("liveqa").read(path, ["en"], 0) if isinstance(row, Item)]


def test_answers_of_both_tags_come_in_order() -> None:
    first, second, third = items(FIXTURES)
    assert [len(item.reference) for item in (first, second, third)] == [2, 1, 1]
    assert first.reference[1] == "No: milk lowers the uptake."
    assert (first.family, first.split, first.subset) == ("liveqa:TQ901", "test", "interaction+usage")
    assert first.provenance.place == f"{FIXTURES / FILE}.xml:3"
    assert not first.provenance.may_be_redistributed


def test_subject_and_message_are_the_question() -> None:
    assert [item.question for item in items(FIXTURES)] == [
        "iron tablets\ncan i take them with milk?",
        "How long does the flu last?",
        "shingles",
    ]


def test_a_broken_line_is_joined_and_a_list_stays_one() -> None:
    text = items(FIXTURES)[0].reference[0]
    paragraph, listed, last = text.replace("\n\nAsk", "\fAsk").replace("\nNot", "\fNot").split("\f")
    assert paragraph.endswith("to less than half of what it would take up on its own.")
    assert listed == "Not with:\n* milk\n* coffee & tea"
    assert last == "Ask a pharmacist."


@given(st.text("ab .\n\t*", max_size=700))
def test_readable_text_keeps_every_word_and_no_tab(text: str) -> None:
    made = readable(text)
    assert made.split() == text.split()
    assert "\t" not in made
    assert "\n\n\n" not in made
    assert readable(made) == made


def test_where_both_versions_lie_the_one_with_summaries_is_read(tmp_path: Path) -> None:
    shutil.copytree(FIXTURES, tmp_path / "both")
    (tmp_path / "both" / SUMMARIES).write_text(TEXT.replace("the flu", "influenza"), encoding="utf-8")
    found = items(tmp_path / "both")
    assert len(found) == 3
    assert found[1].question == "How long does influenza last?"


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('qid="TQ902"', 'qid=" "', ":36: found a question without qid"),
        ("<MESSAGE>How long does the flu last?</MESSAGE>", "<MESSAGE/>", ":36: found neither SUBJECT nor MESSAGE"),
        ("<ANSWER>Three to seven", "<ANSWER></ANSWER><ANSWER>Three to seven", ":46: found 2 of <ANSWER>"),
        ("RefAnswer", "OtherAnswer", ":29: found <OtherAnswer>; expected <ReferenceAnswer> or <RefAnswer>"),
        ("<ANSWER>A painful rash on one side of the body.</ANSWER>", "<ANSWER> </ANSWER>", "found an empty ANSWER"),
        ("NLM-QUESTION", "QUESTION", ": found no NLM-QUESTION"),
        ("</NLM-QUESTION>", "", "found broken XML (mismatched tag)"),
    ],
)
def test_a_broken_file_is_refused_with_its_line(tmp_path: Path, old: str, new: str, says: str) -> None:
    path = tmp_path / f"{FILE}.xml"
    path.write_text(TEXT.replace(old, new), encoding="utf-8")
    with pytest.raises(InputError, match=re.escape(f"{path}") + ".*" + re.escape(says)) as raised:
        items(path)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("data", [b"", TEXT.replace("flu", "fl\u00fc").encode("latin-1")])
def test_an_empty_file_and_another_encoding_are_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / f"{FILE}.xml"
    path.write_bytes(data)
    with pytest.raises(InputError, match=r"\.xml:\d+: found broken XML \(.*\); expected whole XML in UTF-8"):
        items(path)


@pytest.mark.parametrize("declared", ['<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">', '<!ENTITY a SYSTEM "/etc/passwd">'])
def test_entities_are_refused_before_any_is_expanded(tmp_path: Path, declared: str) -> None:
    path = tmp_path / f"{FILE}.xml"
    path.write_text(TEXT.replace("?>\n", f"?>\n<!DOCTYPE x [{declared}]>\n", 1).replace("shingles", "&a;"), "utf-8")
    with pytest.raises(InputError, match=r":2: found a document type, x; expected none"):
        items(path)


@pytest.mark.real
def test_the_publishers_files(real_data: Path) -> None:
    folder = real_data / "liveqa" / "TestDataset"
    versions = [items(folder / name) for name in (f"{FILE}.xml", SUMMARIES)]
    for found in versions:
        assert len({item.family for item in found}) == len(found) == 104
        assert sum(len(item.reference) for item in found) == 167
        assert not any("\t" in text or "  " in text for item in found for text in (item.question, *item.reference))
    assert [(item.question, item.reference) for item in versions[0]] == [
        (item.question, item.reference) for item in versions[1]
    ]
