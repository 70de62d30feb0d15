"""The table of languages: complete, in order, in one Unicode form, and used for writing numbers."""

import unicodedata
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

import globmed.core.language as language_module
from globmed.core.errors import InputError, UsageError
from globmed.core.language import Language, format_number, language, languages

HIGH = ["zh", "en", "fr", "de", "ja", "ko", "pt", "es"]
LOW = ["sw", "wo", "yo", "zu"]


def texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from (*texts(key), *texts(inner))
    elif isinstance(value, list):
        for inner in value:
            yield from texts(inner)


def test_the_twelve_languages_in_order_with_their_tiers() -> None:
    assert list(languages()) == HIGH + LOW
    assert [row.code for row in languages().values() if row.tier == "high"] == HIGH
    assert [row.code for row in languages().values() if row.tier == "low"] == LOW


@pytest.mark.parametrize("row", languages().values(), ids=lambda row: row.code)
def test_a_row_is_in_nfc_and_says_what_reading_needs(row: Language) -> None:
    every = list(texts(msgspec.to_builtins(row)))
    assert every == [unicodedata.normalize("NFC", text) for text in every]
    assert every == [text.strip() if len(text) > 1 else text for text in every]
    assert all((row.answer, row.correct, row.option, row.not_, row.number_words, row.written_by))
    assert len({row.yes, row.no, row.maybe} - {""}) == 3
    for words in (row.answer, row.correct, row.option, row.not_, [*row.number_words, *row.magnitude_words]):
        assert len(words) == len(set(words)), words
        assert all(words), words
        assert list(words) == [word.lower() for word in words]
    assert row.decimal_mark in ".,"
    assert row.decimal_mark not in row.group_marks


def test_no_row_claims_a_native_reviewer_without_a_name() -> None:
    assert {row.reviewed_by for row in languages().values()} == {""}


@pytest.mark.parametrize(
    ("code", "written"), [("en", "38.5"), ("de", "38,5"), ("es", "38,5"), ("ja", "38.5"), ("sw", "38.5")]
)
def test_numbers_are_written_with_the_languages_mark(code: str, written: str) -> None:
    assert format_number("38.5", code) == written
    assert format_number("38", code) == "38"


def test_an_unknown_language_names_the_nearest_and_what_to_add() -> None:
    with pytest.raises(UsageError, match=r"'esp' .*did you mean 'es'.*languages.toml"):
        language("esp")


def test_a_broken_row_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "languages.toml").write_text('[xx]\nenglish_name = "X"\n', encoding="utf-8")
    monkeypatch.setattr(language_module, "files", lambda _package: tmp_path)
    languages.cache_clear()
    try:
        with pytest.raises(InputError, match=r"languages.toml: \[xx\].*missing required field"):
            languages()
    finally:
        languages.cache_clear()
