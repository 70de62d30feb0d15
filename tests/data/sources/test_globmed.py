"""GlobMed in its authors' layout: names of fields read, one family across languages, terms of the original."""

import json
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from globmed.core.errors import InputError
from globmed.core.item import Criterion, Item, Provenance, Turn
from globmed.core.language import languages
from globmed.data.release.layout import entry
from globmed.data.sources import source

FIXTURES = Path(__file__).parents[1] / "fixtures" / "globmed"
ROW: dict[str, Any] = {
    "question": "Which vitamin prevents scurvy?",
    "options": {"A": "B12", "B": "C", "C": "D"},
    "answer_idx": "B",
}


def items(path: Path, *codes: str) -> list[Item]:
    return [row for row in source("globmed").read(path, codes or ["en"], 0) if isinstance(row, Item)]


def write(root: Path, name: str, code: str, *rows: Any, split: str = "test") -> Path:
    path = root / name / code / f"{split}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(rows), encoding="utf-8")
    return path


def one(root: Path, name: str, row: dict[str, Any], code: str = "en") -> Item:
    (made,) = items(write(root, name, code, row), code)
    return made


def test_the_same_row_in_two_languages_is_one_family() -> None:
    english, swahili = items(FIXTURES, "en"), items(FIXTURES, "sw")
    assert [item.family for item in english] == [f"globmed:medqa:test:{number}" for number in (1, 2, 3)]
    assert [item.family for item in swahili] == [item.family for item in english]
    assert [item.answer for item in swahili] == [item.answer for item in english] == [(2,), (1,), (3,)]
    assert {item.provenance.text for item in english} == {"native"}
    assert {item.provenance.text for item in swahili} == {"machine"}
    assert english[0].provenance.place == f"{FIXTURES}/GlobMed_MedQA/en/test.json: row 1"


def test_files_of_different_length_are_not_aligned_by_place(tmp_path: Path) -> None:
    write(tmp_path, "GlobMed_MedQA", "en", ROW, ROW)
    write(tmp_path, "GlobMed_MedQA", "sw", ROW)
    (made,) = items(tmp_path, "sw")
    assert made.family == "globmed:medqa:sw:test:1"
    assert [(finding.check, finding.severity) for finding in made.provenance.findings] == [("not_aligned", "review")]
    assert "1 rows here and 2 in en" in made.provenance.findings[0].message


def test_rows_with_keys_are_aligned_by_them(tmp_path: Path) -> None:
    write(tmp_path, "GlobMed_MedQA", "en", ROW | {"id": 7}, ROW | {"id": 8})
    write(tmp_path, "GlobMed_MedQA", "sw", ROW | {"id": 8})
    (made,) = items(tmp_path, "sw")
    assert made.family == "globmed:medqa:test:8" == items(tmp_path, "en")[1].family
    assert not made.provenance.findings


def test_keys_that_stand_twice_are_none(tmp_path: Path) -> None:
    path = write(
        tmp_path, "GlobMed_BioNLI", "en", *({"supp_set": "a", "conclusion": "b", "label": "pos", "id": 7},) * 2
    )
    assert [item.family for item in items(path)] == ["globmed:bionli:test:1", "globmed:bionli:test:2"]


def test_spanish_sources_are_native_in_spanish(tmp_path: Path) -> None:
    assert one(tmp_path, "GlobMed_HeadQA", ROW, "es").provenance.text == "native"
    assert one(tmp_path / "x", "GlobMed_HeadQA", ROW, "en").provenance.text == "machine"


@pytest.mark.parametrize(
    "row",
    [
        {"question": "?", "options": ["x", "y"], "answer": "y"},
        {"question": "?", "options": ["x", "y"], "answer_index": 1},
        {"question": "?", "options": {"1": "x", "2": "y", "3": None}, "correct_option": 2},
        {"full_question": "?", "choices": ["x", "y"], "label": "B"},
        {"Question": "?", "opa": "x", "opb": "y", "answer": "B"},
        {"question": "?", "A": "x", "B": "y", "answer_idx": ["B"]},
    ],
)
def test_plausible_names_of_multiple_choice_are_read(tmp_path: Path, row: dict[str, Any]) -> None:
    made = one(tmp_path, "GlobMed_MedExpQA", row)
    assert (made.kind, made.question, made.options, made.answer) == ("mcqa", "?", ("x", "y"), (1,))


def test_labels_become_options(tmp_path: Path) -> None:
    words = languages()["sw"]
    row = {"question": "?", "context": {"contexts": ["One.", "Two."]}, "final_decision": "no", "long_answer": "So."}
    made = one(tmp_path, "GlobMed_PubMedQA", row, "sw")
    assert (made.options, made.answer) == ((words.yes, words.no, words.maybe), (1,))
    assert (made.context, made.rationale) == ("One.\nTwo.", "So.")
    row = {"premise": "P.", "hypothesis": "H.", "label": "contradiction"}
    made = one(tmp_path, "GlobMed_BioNLI", row)
    assert (made.kind, made.context, made.question, made.answer) == ("nli", "P.", "H.", (1,))


def test_open_questions_keep_all_answers(tmp_path: Path) -> None:
    made = one(tmp_path, "GlobMed_ExpertQA-Bio", {"question": "?", "answer": "So."})
    assert (made.kind, made.reference, made.subset) == ("lfqa", ("So.",), "expertqa_bio")
    made = one(tmp_path, "GlobMed_LiveQA", {"question": "?", "answers": ["So.", "", "Thus."]})
    assert made.reference == ("So.", "Thus.")
    assert not made.provenance.may_be_redistributed
    assert made.provenance.licence == "none stated"


def test_json_lines_are_read_as_well(tmp_path: Path) -> None:
    path = write(tmp_path, "GlobMed_MedQA", "en", ROW)
    path.write_text(json.dumps(ROW) + "\n" + json.dumps(ROW) + "\n", encoding="utf-8")
    assert [item.provenance.place for item in items(path)] == [f"{path}:1", f"{path}:2"]


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "mcqa", "options": ("x", "y", "z"), "answer": (0, 2), "rationale": "So.", "region": "ES"},
        {"kind": "nli", "options": ("yes, it is", "no"), "answer": (0,), "context": "P."},
        {
            "kind": "lfqa",
            "reference": ("So.", "Thus."),
            "turns": (Turn(role="user", text="Hello"),),
            "rubric": (Criterion(text="Says so", points=-1, tags=("t",)),),
            "cluster": "casimedicos:test:4",
        },
        {"kind": "lfqa", "rubric": (Criterion(text="Says so", points=2),)},
    ],
)
def test_what_globmed_wrote_comes_back(tmp_path: Path, change: dict[str, Any]) -> None:
    provenance = Provenance(native_language="es", licence="CC0", text="expert", model="m-1")
    written = Item(
        family="headqa:x:1", language="en", source="headqa", split="test", question="?", provenance=provenance, **change
    )
    made = one(tmp_path, "GlobMed_HeadQA", entry(written))
    back = msgspec.structs.replace(
        made, family=written.family, source="headqa", subset="", provenance=provenance, cluster=made.cluster
    )
    assert back == written
    assert made.family == "globmed:headqa:x:1"
    assert (made.provenance.text, made.provenance.model, made.provenance.licence) == ("expert", "m-1", "CC0")


def test_a_language_that_is_not_in_the_table_is_left_alone(tmp_path: Path) -> None:
    write(tmp_path, "GlobMed_MedQA", "ar", ROW)
    with pytest.raises(InputError, match=r"found no folder named by a language of languages\.toml"):
        items(tmp_path)
    write(tmp_path, "GlobMed_MedQA", "en", ROW)
    assert len(items(tmp_path)) == 1


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"question": None}, "found the fields question, options, answer_idx; expected one that holds the question"),
        ({"question": 7}, ": question: found 7; expected a text or a list of texts"),
        ({"options": "A. B12"}, ": options: found 'A. B12'; expected a list of texts, or texts by letter"),
        ({"options": {"A": None, "B": "C"}}, ": options: found None; expected a text for every option"),
        ({"answer_idx": "E"}, ": answer_idx: found 'E'; expected one of A, B, C, or the text of an option"),
        ({"answer_idx": 3}, ": answer_idx: found 3"),
        ({"answer_idx": None}, "expected one that holds the right answer, such as answer_idx or answer_index"),
        ({"options": None}, ": answer_idx: found 'B'; expected options, or one of yes, no, maybe"),
        ({"turns": 3}, "found turns that cannot be read"),
    ],
)
def test_a_row_that_cannot_be_told_is_refused_in_one_line(tmp_path: Path, change: dict[str, Any], says: str) -> None:
    name = "GlobMed_LiveQA" if "turns" in change else "GlobMed_MedQA"
    path = write(tmp_path, name, "en", ROW | {"answer": "C"} if name == "GlobMed_LiveQA" else ROW, ROW | change)
    with pytest.raises(InputError, match=re.escape(f"{path}: row 2") + ".*" + re.escape(says)) as raised:
        items(path)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (f"[{json.dumps(ROW)}", ":1: found broken JSON"),
        ('[{"question": "?", "question": "!"}]', "found the key 'question' twice in one object"),
        ("[3]", ": row 1: found `int`; expected `object`"),
        ("[]", ": found no row"),
        ("", ": found no row"),
    ],
)
def test_a_broken_file_is_refused(tmp_path: Path, text: str, says: str) -> None:
    path = write(tmp_path, "GlobMed_MedQA", "en")
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=re.escape(str(path)) + ".*" + re.escape(says)):
        items(path)


@pytest.mark.parametrize("folder", ["GlobMed_MedQ", "MedQA", "GlobMed_globmed"])
def test_a_folder_of_another_name_is_refused(tmp_path: Path, folder: str) -> None:
    path = write(tmp_path, folder, "en", ROW)
    with pytest.raises(InputError, match=f"found the dataset's folder '{folder}'; expected GlobMed_ and the name"):
        items(path)
