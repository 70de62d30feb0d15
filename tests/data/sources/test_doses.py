"""Dose calculations: the gold answer is the one that arithmetic gives, and no other option is."""

import re
import unicodedata
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from globmed.core.item import Item
from globmed.core.language import language, languages
from globmed.data.procedural import quantity
from globmed.data.sources import doses
from globmed.data.sources.doses import FAMILIES, SHAPES

SEEDS = st.integers(0, 2**32 - 1)
IN_BASE = {"g": Fraction(1), "L": Fraction(1)}
IN_BASE |= {"mg": Fraction(1, 1000), "mL": Fraction(1, 1000), "µg": Fraction(1, 10**6)}
NUMBER = re.compile(r"\d+(?:\.\d+)?")


def items(seed: int, *codes: str) -> list[Item]:
    return [item for item in doses.read(Path(), codes, seed) if isinstance(item, Item)]


def worked_out(item: Item) -> Fraction:
    """The answer, in the unit of the options, worked out from the English question as a person would read it."""
    numbers = [Fraction(number) for number in NUMBER.findall(item.question)]
    if item.subset == "weight":
        return numbers[0] * numbers[1]
    if item.subset == "volume":
        strength, volume, dose = numbers
        return dose / strength * volume
    if item.subset == "day":
        dose, hours, day = numbers
        assert day == 24
        return dose * day / hours
    if item.subset == "rate":
        return numbers[0] / numbers[1]
    _, larger = item.question.split(",")[0].split(" ")
    smaller = item.options[0].split(" ")[1]
    return numbers[0] * IN_BASE[larger] / IN_BASE[smaller]


@settings(max_examples=8)
@given(SEEDS)
def test_one_option_alone_is_what_arithmetic_gives(seed: int) -> None:
    for item in items(seed, "en"):
        amounts = [Fraction(option.split(" ")[0]) for option in item.options]
        right = worked_out(item)
        assert [index for index, amount in enumerate(amounts) if amount == right] == list(item.answer), item
        assert len(set(amounts)) == 4
        assert 10 * right in amounts


@settings(max_examples=8)
@given(SEEDS)
def test_no_question_stands_twice(seed: int) -> None:
    made = items(seed, "en")
    assert len({item.question for item in made}) == len(made) == sum(FAMILIES.values()) * len(SHAPES)


@pytest.mark.parametrize("code", languages())
def test_every_language_states_the_same_numbers(code: str) -> None:
    mark = language(code).decimal_mark
    for english, own in zip(items(1, "en"), items(1, code), strict=True):
        assert own.family == english.family
        assert own.answer == english.answer
        assert [option.replace(mark, ".") for option in own.options] == list(english.options)
        stated = sorted(NUMBER.findall(own.question.replace(mark, ".") if mark == "," else own.question))
        # Some languages write "per 1 kg" and "in 1 hour".
        assert [number for number in stated if number != "1"] == [
            number for number in sorted(NUMBER.findall(english.question)) if number != "1"
        ]
        assert "{" not in own.question
        assert unicodedata.is_normalized("NFC", own.question)


@given(st.integers(0, 10**9), st.sampled_from(["en", "es", "yo", "zu"]))
def test_numbers_are_written_without_zeros_that_say_nothing(thousandths: int, code: str) -> None:
    number, unit = quantity(thousandths, "mg", code).split(" ")
    assert unit == "mg"
    plain = number.replace(language(code).decimal_mark, ".")
    assert Fraction(plain) == Fraction(thousandths, 1000)
    assert not (("." in plain) and plain.endswith("0"))
