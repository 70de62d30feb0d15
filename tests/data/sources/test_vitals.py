"""The procedural source: every gold answer is right by its own numbers, and no test number was in training."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from globmed.core.item import Item
from globmed.core.language import languages
from globmed.data.sources import vitals
from globmed.data.sources.vitals import BANDS, FAMILIES, SIGNS, band_of, cases

SEEDS = st.integers(0, 2**32 - 1)


def items(seed: int, *codes: str) -> list[Item]:
    return [item for item in vitals.read(Path(), codes, seed) if isinstance(item, Item)]


@settings(max_examples=10)
@given(SEEDS)
def test_gold_follows_from_the_numbers(seed: int) -> None:
    for _, _, case in cases(seed):
        right = case.options[case.answer]
        if case.shape == "classify":
            assert right == band_of(case.sign, case.asked)
            assert sorted(case.options) == list(range(len(BANDS)))
        elif case.shape == "pick":
            assert [band_of(case.sign, number) == case.asked for number in case.options].count(True) == 1
            assert band_of(case.sign, right) == case.asked
        else:
            assert SIGNS[right] == case.sign
            assert band_of(case.sign, case.asked) == vitals.NORMAL


@settings(max_examples=10)
@given(SEEDS)
def test_no_number_of_a_test_item_was_in_training(seed: int) -> None:
    seen: dict[str, set[tuple[str, int]]] = {"train": set(), "test": set()}
    for _, split, case in cases(seed):
        numbers = case.options if case.shape == "pick" else (case.asked,)
        seen[split] |= {(case.sign.name, number) for number in numbers}
    assert not seen["train"] & seen["test"]


def test_only_one_sign_can_have_a_normal_reading_in_its_unit() -> None:
    for one in SIGNS:
        for other in SIGNS:
            same_unit = vitals.texts()["en"].units[one.name] == vitals.texts()["en"].units[other.name]
            if one is not other and same_unit:
                assert one.cuts[1] < other.cuts[0] + 1 or other.cuts[1] < one.cuts[0] + 1


def test_every_language_has_the_same_families_and_keys() -> None:
    by_language = {code: {item.family: item for item in items(0, code)} for code in languages()}
    english = by_language["en"]
    assert Counter(item.split for item in english.values()) == {
        split: sum(wanted.values()) for split, wanted in FAMILIES.items()
    }
    for code, families in by_language.items():
        assert families.keys() == english.keys()
        for family, item in families.items():
            assert item.answer == english[family].answer
            assert len(set(item.options)) == len(BANDS), (code, item.options)
            assert item.provenance.text == ("native" if code == "en" else "machine")
            assert "{" not in item.context + item.question


def test_the_context_states_ranges_and_their_source_in_the_languages_own_numbers() -> None:
    temperature = next(item for item in items(0, "fr") if "°C" in item.question and "classify" in item.family)
    assert "36,0" in temperature.context
    assert "NEWS2 2017" in temperature.context
    identify = next(item for item in items(0, "en") if "identify" in item.family)
    assert "Pulse at the wrist 50 < normal ≤ 90 per minute" in identify.context
    assert identify.context.count("NEWS2 2017") == 1


def test_a_seed_gives_the_same_items_and_another_seed_others() -> None:
    assert items(3, "sw") == items(3, "sw")
    assert {item.question for item in items(3, "sw")} != {item.question for item in items(4, "sw")}


@pytest.mark.parametrize("sign", SIGNS)
def test_ranges_meet_without_gap_or_overlap(sign: vitals.Sign) -> None:
    bands = [band_of(sign, number) for number in range(sign.lowest, sign.highest + 1)]
    assert bands == sorted(bands)
    assert set(bands) == set(range(len(BANDS)))
    held = vitals.held_out_numbers(sign, np.random.default_rng(0))
    together = sorted(number for part in held.values() for band in part for number in band)
    assert together == list(range(sign.lowest, sign.highest + 1))
