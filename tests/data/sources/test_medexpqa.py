"""MedExpQA: one question in several languages, and a fifth option that is null in years with four."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from globmed.core.errors import InputError
from globmed.core.item import Item
from globmed.core.language import languages
from globmed.data.importing import Wanted, import_sources
from globmed.data.sources import source

FIXTURES = Path(__file__).parents[1] / "fixtures" / "medexpqa"
FILE = "test.en.casimedicos.rag.jsonl"
ROWS: list[dict[str, Any]] = [json.loads(line) for line in (FIXTURES / FILE).read_text(encoding="utf-8").splitlines()]


def items(path: Path, code: str = "en") -> list[Item]:
    return [row for row in source("medexpqa").read(path, [code], 0) if isinstance(row, Item)]


def write(path: Path, *rows: dict[str, Any]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def test_a_question_is_one_family_with_one_key_in_every_language() -> None:
    found = {code: items(FIXTURES, code) for code in ("es", "en", "fr")}
    keys = {code: [(item.family, item.answer, len(item.options)) for item in rows] for code, rows in found.items()}
    assert keys["es"] == keys["en"] == keys["fr"]
    assert [len(item.options) for item in found["en"]] == [4, 5, 4]  # the null is no option
    first = found["en"][0]
    assert (first.family, first.specialty, first.subset, first.region) == ("medexpqa:9001", "pneumology", "2016", "ES")
    assert first.options[first.answer[0]] == "Chest X-ray."
    assert first.rationale == "The correct one is 1: a tumour must be ruled out."
    assert {code: rows[0].provenance.text for code, rows in found.items()} == {
        "es": "native",
        "en": "machine",
        "fr": "machine",
    }


def test_its_languages_are_those_of_the_table() -> None:
    assert set(source("medexpqa").languages) == {"es", "en", "fr", "it"} & set(languages())


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"correct_option": 5}, "found correct_option 5; expected 1 to 4, its options"),
        ({"correct_option": 0}, "found correct_option 0"),
        ({"correct_option": "1"}, "found `str` at `$.correct_option`; expected `int`"),
        ({"options": {"1": "a", "2": None, "3": "c"}}, "found 1, 2 (null), 3; expected 1, 2, 3 and so on"),
        ({"options": {"2": "a", "1": "b"}}, "found 2, 1; expected 1, 2, 3 and so on"),
        ({"options": {}}, "found correct_option 1"),
        ({"lang": "it"}, "lang: found 'it'; expected 'en', which the file's name says"),
        ({"full_question": None}, "found `null` at `$.full_question`"),
    ],
)
def test_a_broken_row_stops_with_file_and_line(tmp_path: Path, change: dict[str, Any], says: str) -> None:
    path = write(tmp_path / FILE, ROWS[1], ROWS[0] | change)
    with pytest.raises(InputError, match=re.escape(f"{path}:2: ") + ".*" + re.escape(says)):
        items(path)


def test_nan_in_place_of_null_is_refused(tmp_path: Path) -> None:
    """The publisher's files held it before the revision that is pinned."""
    path = tmp_path / FILE
    path.write_text(json.dumps(ROWS[0]).replace("null", "NaN") + "\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"casimedicos\.rag\.jsonl:1: found a number or character that JSON has not"):
        items(path)


def test_an_empty_option_is_a_blocking_finding(tmp_path: Path) -> None:
    (item,) = items(write(tmp_path / FILE, ROWS[0] | {"options": {"1": "a", "2": " ", "3": "c"}}))
    assert [(one.check, one.severity) for one in item.provenance.findings] == [("options_empty", "block")]


def test_a_language_that_is_not_there_gives_no_row() -> None:
    assert items(FIXTURES / FILE, "es") == []


def test_two_rows_with_one_id_are_refused_with_both_places(tmp_path: Path) -> None:
    path = write(tmp_path / FILE, ROWS[0], ROWS[1] | {"id": ROWS[0]["id"]})
    with pytest.raises(InputError, match=re.escape(f"{path}:2: found medexpqa:9001 in 'en', which {path}:1 holds")):
        import_sources([Wanted("medexpqa", path)], out=tmp_path / "out")
