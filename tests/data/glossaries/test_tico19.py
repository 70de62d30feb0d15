"""TICO-19 terminologies: the publisher's codes of languages, rows of nothing, and pairs through English."""

import re
import shutil
from pathlib import Path

import pytest

from globmed.core.errors import InputError
from globmed.data.glossaries import Term, glossary, read_glossary

FIXTURES = Path(__file__).parents[1] / "fixtures" / "tico19"
ES = "f_en-es_XX.csv"


def pairs(path: Path, source: str, target: str) -> list[tuple[str, str]]:
    return [(term.source, term.target) for term in read_glossary(f"tico19={path}", source, target)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(FIXTURES, tmp_path / "terminologies"))


def test_terms_without_the_rows_of_nothing() -> None:
    assert read_glossary(f"tico19={FIXTURES}", "en", "es") == (
        Term(source="face mask", target="mascarilla", place=f"{FIXTURES / ES}: row 1"),
        Term(source="cough, dry", target="tos seca", place=f"{FIXTURES / ES}: row 2"),
        Term(source="facemask", target="mascarilla", place=f"{FIXTURES / ES}: row 3"),
    )


def test_into_english_and_between_two_others() -> None:
    assert pairs(FIXTURES, "sw", "en") == [("barakoa", "face mask"), ("kikohozi kikavu", "cough, dry")]
    assert pairs(FIXTURES, "es", "sw") == [("mascarilla", "barakoa"), ("tos seca", "kikohozi kikavu")]


@pytest.mark.parametrize(("source", "target"), [("en", "zh"), ("de", "en"), ("es", "de"), ("en", "en"), ("es", "es")])
def test_a_pair_it_has_not_gives_no_term(source: str, target: str) -> None:
    assert pairs(FIXTURES, source, target) == []


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("902,en", "901,en", ": row 2: found id 901, as in "),
        ("tos seca", " ", ": row 2: found id '902', sourceLang 'en', targetLang 'es_XX', sourceString 'cough, dry'"),
        ("901,en,es_XX", ",en,es_XX", ": row 1: found id ''"),
        ("902,en,es_XX", "902,en,pt_XX", ": row 2: found id '902', sourceLang 'en', targetLang 'pt_XX'"),
        ("targetString", "target", ":1: found the columns id, sourceLang, targetLang, sourceString, target; expected"),
        ('"cough, dry"', "cough, dry", ": row 2: found 6 fields; expected 5"),
    ],
)
def test_a_broken_row_is_refused(folder: Path, old: str, new: str, says: str) -> None:
    text = (folder / ES).read_text(encoding="utf-8")
    (folder / ES).write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(InputError, match=re.escape(f"{folder / ES}{says}")):
        pairs(folder, "en", "es")


def test_a_file_of_nothing_is_refused(folder: Path) -> None:
    header = (folder / ES).read_text(encoding="utf-8").split("\n")[0]
    (folder / ES).write_text(f"{header}\n,,es_XX,,\n", encoding="utf-8")
    with pytest.raises(InputError, match="found no term"):
        pairs(folder, "en", "es")


def test_files_that_differ_in_their_english_are_refused(folder: Path) -> None:
    text = (folder / ES).read_text(encoding="utf-8")
    (folder / ES).write_text(text.replace("face mask", "mask"), encoding="utf-8")
    with pytest.raises(InputError, match=r"found 'face mask' as term 901; expected 'mask', as in .*es_XX.csv: row 1"):
        pairs(folder, "es", "sw")


def test_a_path_without_the_files_says_how_to_get_them(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=re.escape(glossary("tico19").obtain)):
        pairs(tmp_path, "en", "es")


@pytest.mark.real
@pytest.mark.parametrize("code", [code for code in glossary("tico19").languages if code != "en"])
def test_the_publishers_files(real_data: Path, code: str) -> None:
    folder = real_data / "tico19" / "terminologies"
    found = pairs(folder, "en", code)
    assert len(found) == 306
    assert all(source and target for source, target in found)
    assert pairs(folder, code, "en") == [(target, source) for source, target in found]
    assert len(pairs(folder, code, "sw" if code != "sw" else "zu")) == 306
