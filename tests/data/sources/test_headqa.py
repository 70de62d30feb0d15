"""HEAD-QA: two languages of one exam."""

import json
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

from globmed.core.errors import InputError
from globmed.core.item import Item
from globmed.data.sources import source

FIXTURES = Path(__file__).parents[1] / "fixtures" / "headqa"


def items(path: Path, languages: Sequence[str]) -> list[Item]:
    rows = list(source("headqa").read(path, languages, 0))
    found = [row for row in rows if isinstance(row, Item)]
    assert len(found) == len(rows)
    return found


def write(folder: Path, question: dict[str, object], *, language: str = "es") -> Path:
    row: dict[str, object] = {"qid": "1", "qtext": "?", "ra": "1", "image": ""}
    answers = [{"aid": number, "atext": text} for number, text in enumerate("abcd", start=1)]
    exam = {"category": "medicine", "data": [row | {"answers": answers} | question]}
    path = folder / "test_HEAD.json"
    path.write_text(json.dumps({"language": language, "exams": {"Cuaderno_2016_1_M": exam}}), encoding="utf-8")
    return path


def test_both_languages_of_a_question_are_one_family_with_one_key() -> None:
    spanish, english = items(FIXTURES, ["es"]), items(FIXTURES, ["en"])
    assert {item.family: item.answer for item in spanish} == {item.family: item.answer for item in english}
    by_split = {item.split: item for item in spanish}
    test = by_split["test"]
    assert test.family == "headqa:Cuaderno_2016_1_F:31"
    assert test.options[test.answer[0]] == "N-acetilciste\u00edna."
    assert (test.specialty, test.region, test.provenance.findings) == ("pharmacology", "ES", ())
    assert test.provenance.place.endswith("HEAD/test_HEAD.json: Cuaderno_2016_1_F 31")
    assert (by_split["train"].specialty, len(by_split["train"].options)) == ("nursing", 5)
    assert {(item.provenance.text, item.provenance.model) for item in english} == {("machine", "google-translate")}
    assert {(item.provenance.text, item.provenance.model) for item in spanish} == {("native", "")}


def test_a_question_about_an_image_is_blocked_in_both_languages() -> None:
    for item in items(FIXTURES, ["es", "en"]):
        checks = [(finding.check, finding.severity, finding.field) for finding in item.provenance.findings]
        assert checks == ([("image", "block", "question")] if item.split == "dev" else [])
        assert item.blocked == (item.split == "dev")


def test_a_number_is_unique_within_its_exam_only(tmp_path: Path) -> None:
    path = write(tmp_path, {})
    document = json.loads(path.read_text(encoding="utf-8"))
    document["exams"]["Cuaderno_2017_1_M"] = document["exams"]["Cuaderno_2016_1_M"]
    path.write_text(json.dumps(document), encoding="utf-8")
    assert [item.family for item in items(path, ["es"])] == [
        "headqa:Cuaderno_2016_1_M:1",
        "headqa:Cuaderno_2017_1_M:1",
    ]


@pytest.mark.parametrize("path", ["", "HEAD", "HEAD/test_HEAD.json"])
def test_a_parent_a_folder_and_a_file_are_read(path: str) -> None:
    assert Counter(item.language for item in items(FIXTURES / path, ["es"])) == {
        "es": 1 if path.endswith("json") else 3
    }


def test_a_language_that_is_not_there_gives_no_row() -> None:
    assert items(FIXTURES / "HEAD", ["en"]) == []
    assert {item.language for item in items(FIXTURES / "HEAD", ["es", "en"])} == {"es"}


@pytest.mark.parametrize(
    ("question", "says"),
    [
        ({"ra": "5"}, "Cuaderno_2016_1_M 1: found ra '5'; expected one of the aids 1, 2, 3, 4"),
        ({"ra": 1}, "Cuaderno_2016_1_M, question 1 of the list: found `int` at `$.ra`; expected `str`"),
        ({"answers": []}, "Cuaderno_2016_1_M 1: found ra '1'"),
        ({"answers": [{"aid": 1, "atext": "a"}] * 2}, "found ra '1'; expected one of the aids 1, 1"),
        ({"answers": [{"aid": 1}]}, "object missing required field `atext` - at `$.answers[0]`"),
        ({"image": None}, "found `null` at `$.image`; expected `str`"),
    ],
)
def test_a_broken_question_stops_with_exam_and_number(tmp_path: Path, question: dict[str, object], says: str) -> None:
    path = write(tmp_path, question)
    with pytest.raises(InputError, match=re.escape(str(path)) + ".*" + re.escape(says)):
        items(path, ["es"])


def test_a_file_in_another_language_than_its_name_says_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, {}, language="en")
    with pytest.raises(InputError, match=r"test_HEAD\.json: language: found 'en'; expected 'es'"):
        items(path, ["es"])


def test_an_exam_that_stands_twice_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, {})
    text = path.read_text(encoding="utf-8")
    path.write_text(re.sub(r'("Cuaderno.*)}}$', r"\1, \1}}", text), encoding="utf-8")
    with pytest.raises(InputError, match="the key 'Cuaderno_2016_1_M' twice"):
        items(path, ["es"])


@pytest.mark.real
def test_the_publishers_files(real_data: Path) -> None:
    found = {code: items(real_data / "headqa", [code]) for code in ("es", "en")}
    assert {code: len(rows) for code, rows in found.items()} == {"es": 6765, "en": 6765}
    key = {code: {item.family: (item.split, item.answer, len(item.options)) for item in found[code]} for code in found}
    assert key["es"] == key["en"]
    assert len(key["es"]) == 6765
    for code, identical in (("es", {"train": 1, "dev": 1}), ("en", {"train": 4, "dev": 2})):
        checks = Counter((item.split, one.check) for item in found[code] for one in item.provenance.findings)
        images = {("train", "image"): 68, ("dev", "image"): 30, ("test", "image"): 67}
        assert checks == images | {(split, "options_identical"): count for split, count in identical.items()}
