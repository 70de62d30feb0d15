"""A CSV table of one's own: languages by column or by the file's name, and no misspelt code passes."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from globmed.core.errors import InputError
from globmed.data.glossaries import read_glossary

TEXT = "en,sw,_note,es\nface mask,barakoa,as the ministry has it,mascarilla\ndry cough,kikohozi kikavu,,\n"
WORDS = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1)


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def pairs(path: Path, source: str, target: str) -> list[tuple[str, str]]:
    return [(term.source, term.target) for term in read_glossary(str(path), source, target)]


def test_a_column_a_language(tmp_path: Path) -> None:
    path = write(tmp_path / "terms.csv", TEXT)
    assert pairs(path, "en", "sw") == [("face mask", "barakoa"), ("dry cough", "kikohozi kikavu")]
    assert pairs(path, "sw", "es") == [("barakoa", "mascarilla")]
    assert pairs(path, "en", "zu") == pairs(path, "en", "en") == []
    assert read_glossary(f"table={path}", "en", "sw")[1].place == f"{path}: row 2"


def test_source_and_target_are_what_the_name_says(tmp_path: Path) -> None:
    path = write(tmp_path / "terms.en-sw.csv", "target,source\nbarakoa,face mask\n")
    assert pairs(path, "en", "sw") == [("face mask", "barakoa")]
    assert pairs(path, "sw", "en") == [("barakoa", "face mask")]
    assert pairs(path, "en", "es") == []
    assert pairs(write(tmp_path / "en-sw.csv", "source,target\na,b\n"), "en", "sw") == [("a", "b")]


@given(st.lists(st.tuples(WORDS, WORDS), min_size=1))
def test_any_words_come_through(tmp_path_factory: pytest.TempPathFactory, words: list[tuple[str, str]]) -> None:
    quoted = "".join(",".join('"' + word.replace('"', '""') + '"' for word in pair) + "\n" for pair in words)
    path = write(tmp_path_factory.mktemp("words") / "terms.csv", "en,yo\n" + quoted)
    assert pairs(path, "en", "yo") == words


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        (
            "terms.csv",
            "en,swa\na,b\n",
            ":1: found the column 'swa'; expected language codes, or source and target; did",
        ),
        ("terms.csv", "en,_note\na,b\n", ":1: found 1 language; expected two at least"),
        ("terms.csv", "en,en\na,b\n", ":1: found the columns en, en; expected 'en' once among them"),
        ("terms.csv", "source,target\na,b\n", ": found the columns source and target, and a name that does not tell"),
        ("terms.en-en.csv", "source,target\na,b\n", ": found the columns source and target, and a name"),
        ("terms.en-sw.csv", "source,target\na,\n", ": row 1: found a row without source or target"),
        ("terms.csv", "en,sw\n", ": found no row"),
        ("terms.csv", "", ": found no row"),
        ("terms.csv", "en,sw\na\n", ": row 1: found 1 fields; expected 2"),
    ],
)
def test_a_broken_table_is_refused_in_one_line(tmp_path: Path, name: str, text: str, says: str) -> None:
    path = write(tmp_path / name, text)
    with pytest.raises(InputError, match=re.escape(f"{path}{says}")) as raised:
        pairs(path, "en", "sw")
    assert "\n" not in str(raised.value)


def test_another_encoding_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "terms.csv"
    path.write_bytes("en,es\npain,dol\u00f3r\n".encode("latin-1"))
    with pytest.raises(InputError, match=r"terms.csv:2: found the byte 0xf3, which is not UTF-8"):
        pairs(path, "en", "es")
