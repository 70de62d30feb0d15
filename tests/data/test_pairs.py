"""Pairs and what stands beside them: fields by name, graphemes, bands of length."""

import re

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from globmed.core.errors import UsageError
from globmed.core.item import Criterion, Item, Provenance, Turn
from globmed.core.language import languages
from globmed.data.bands import Band, band, length_facts
from globmed.data.function_words import function_words
from globmed.data.graphemes import count_graphemes
from globmed.data.pairs import Pair


def item(**fields: object) -> Item:
    given = {"family": "a:1", "language": "en", "kind": "lfqa", "source": "a", "split": "test", "question": "Why?"}
    return Item(**{**given, "provenance": Provenance(native_language="en", licence="CC0"), **fields})  # type: ignore[arg-type]


def test_fields_have_the_names_that_translation_gives_them() -> None:
    whole = item(
        options=("a", "b"),
        reference=("r",),
        context="c",
        rationale="because",
        turns=(Turn(role="user", text="t"),),
        rubric=(Criterion(text="says it", points=1.0),),
    )
    names = [field.name for field in Pair(whole, whole).fields]
    assert names == [
        "context", "question", "rationale", "options[0]", "options[1]", "reference[0]", "turns[0]", "rubric[0]",
    ]  # fmt: skip


def test_words_lose_what_clings_to_them_and_keep_their_case() -> None:
    pair = Pair(item(question="(Which) drug, «NICE»?"), item(question="¿Qué? 抗生素。"))
    assert pair.source_words == ("Which", "drug", "NICE")
    assert pair.target_words == ("Qué", "抗生素")


@given(st.text(st.characters(codec="utf-8"), max_size=60))
def test_graphemes_are_counted_as_unicode_says(text: str) -> None:
    assert count_graphemes(text) == len(regex.findall(r"\X", text))


@pytest.mark.parametrize(
    ("text", "graphemes"), [("ọ̀pọ̀lọpọ̀", 7), ("e\u0301\r\n", 2), ("👩‍⚕️한국", 3), ("", 0), ("\u0301a", 2)]
)
def test_graphemes(text: str, graphemes: int) -> None:
    assert count_graphemes(text) == graphemes


def test_every_language_has_a_row_of_lengths_and_short_words_where_letters_are_latin() -> None:
    assert set(length_facts()) == {"default", *languages()}
    for code, row in languages().items():
        assert bool(function_words(code)) == (row.script == "Latn"), code
        assert all(word == word.lower() and not re.search(r"\s", word) for word in function_words(code))


def test_a_band_is_the_difference_of_two_languages_and_wider_where_text_is_short() -> None:
    to_chinese, back = band("en", "zh"), band("zh", "en")
    assert to_chinese.log_ratio == -back.log_ratio < -0.5
    assert abs(to_chinese.strays(40, 5)) < abs(to_chinese.strays(400, 50))
    with pytest.raises(UsageError, match="not in the table"):
        band("en", "xx")


def test_severity_grows_with_the_distance_from_the_usual() -> None:
    made = Band(log_ratio=0.0, spread=0.1, spread_short=0.0, measured=True)
    assert [made.judge(100, length) for length in (100, 130, 145, 170, 0)] == [None, None, "review", "block", "block"]
