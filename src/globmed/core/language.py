"""The languages, one row each in `languages.toml`: facts that reading, quality checks and prompts need.

A further language is one more row (and its prompt files), never code.
"""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import Literal

import msgspec

from globmed.core.errors import InputError, UsageError, did_you_mean

Tier = Literal["high", "low"]


class Language(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One row of `languages.toml`.

    Attributes:
        code: BCP 47 code.
        english_name: its name in English.
        own_name: its name in itself.
        script: ISO 15924 code of the script it is written in here.
        flores: its code in FLORES-200, by which translation models such as NLLB know it.
        direction: writing direction.
        tier: whether much or little text exists to train models on.
        decimal_mark: between units and tenths.
        group_marks: thousands marks seen in writing.
        answer: words for "answer", most common first, lower case.
        correct: words for "correct" as said of an answer.
        option: words for "option".
        not_: words that negate a statement about an option (`not` in the file).
        yes, no, maybe: the three labels of yes/no/maybe questions.
        entailment, not_entailment, neutral, contradiction: the labels of inference questions.
        number_words: word to whole number.
        magnitude_words: word to multiplier, such as million.
        written_by: who or what wrote the row.
        reviewed_by: the native speaker who reviewed it; empty where nobody did.
    """

    code: str
    english_name: str
    own_name: str
    script: str
    flores: str
    direction: Literal["ltr", "rtl"]
    tier: Tier
    decimal_mark: str
    group_marks: tuple[str, ...]
    answer: tuple[str, ...]
    correct: tuple[str, ...]
    option: tuple[str, ...]
    not_: tuple[str, ...] = msgspec.field(name="not")
    yes: str
    no: str
    maybe: str
    entailment: str
    not_entailment: str
    neutral: str
    contradiction: str
    number_words: dict[str, int]
    magnitude_words: dict[str, int]
    written_by: str
    reviewed_by: str


@cache
def languages() -> dict[str, Language]:
    """Return every language by code, in the order of the file.

    Raises:
        InputError: a row lacks a field or holds an unknown one.
    """
    text = files("globmed.core").joinpath("languages.toml").read_text(encoding="utf-8")
    rows = {}
    for code, row in tomllib.loads(text).items():
        try:
            rows[code] = msgspec.convert({"code": code, **row}, Language)
        except msgspec.ValidationError as error:
            raise InputError.at(
                f"languages.toml: [{code}]", found=str(error), expected="the fields of globmed.core.language.Language"
            ) from error
    return rows


def language(code: str) -> Language:
    """Return one language.

    Raises:
        UsageError: the code is not in the table.
    """
    table = languages()
    if code not in table:
        raise UsageError(
            f"language {code!r} is not in the table{did_you_mean(code, table)}. "
            "A further language is a row in core/languages.toml and its prompt files"
        )
    return table[code]


def format_number(text: str, code: str) -> str:
    """Write a plain decimal number such as `38.5` with the language's decimal mark."""
    return text.replace(".", language(code).decimal_mark)
