"""Stated rules: every gold answer follows from what the item states, in every language alike."""

import unicodedata
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from globmed.core.item import Item
from globmed.core.language import languages
from globmed.data.sources import safety
from globmed.data.sources.safety import FAMILIES, Case, cases, texts

SEEDS = st.integers(0, 2**32 - 1)


def items(seed: int, *codes: str) -> list[Item]:
    return [item for item in safety.read(Path(), codes, seed) if isinstance(item, Item)]


def careful_answer(case: Case) -> int:
    """What the rules say, worked out by another way than the source's: over all that could still be true."""
    if case.shape == "limit":
        limit, times, dose, wanted = case.amounts
        totals = [times * dose + wanted] if times else [wanted, wanted + 10**9]
    else:
        worlds = [set(case.present)]
        for one in case.unknown:
            worlds += [world | {one} for world in worlds]
        totals = [
            next((index for index, group in enumerate(case.rule) if world & set(group)), len(case.rule))
            for world in worlds
        ]
        return totals[0] if len(set(totals)) == 1 else len(case.rule) + 1
    over = {total > limit for total in totals}
    return int(over.pop()) if len(over) == 1 else 2


@settings(max_examples=5)
@given(SEEDS)
def test_gold_follows_from_what_is_stated(seed: int) -> None:
    for family, _, case in cases(seed):
        assert case.answer == careful_answer(case), (family, case)


@settings(max_examples=5)
@given(SEEDS)
def test_no_question_stands_twice_and_every_answer_is_right_equally_often(seed: int) -> None:
    made = list(cases(seed))
    assert len({family for family, _, _ in made}) == len(made) == sum(sum(part.values()) for part in FAMILIES.values())
    counts = Counter((split, case.shape, case.answer) for _, split, case in made)
    assert len(counts) == 2 * (3 + 3 + 4)
    for (split, shape, _), count in counts.items():
        assert count in (
            FAMILIES[split][shape] // (4 if shape == "triage" else 3),
            FAMILIES[split][shape] // (4 if shape == "triage" else 3) + 1,
        )


def test_an_amount_at_the_limit_is_within_it() -> None:
    assert safety.answer_to_limit(4000, 3, 1000, 1000) == 0
    assert safety.answer_to_limit(4000, 3, 1000, 1050) == 1
    assert safety.answer_to_limit(4000, 0, 0, 1000) == 2
    # More than the limit is too much whatever was taken.
    assert safety.answer_to_limit(400, 0, 0, 500) == 1


def test_a_sign_that_nobody_asked_about_holds_the_answer_back_only_where_it_could_change_it() -> None:
    rule = (("bleeding", "chest_pain"), ("rash",))
    assert safety.answer_to_rule(rule, ["bleeding"], ["chest_pain", "rash"]) == 0
    assert safety.answer_to_rule(rule, ["rash"], ["chest_pain"]) == 3
    assert safety.answer_to_rule(rule, ["rash"], []) == 1
    assert safety.answer_to_rule(rule, [], ["rash"]) == 3
    assert safety.answer_to_rule(rule, ["sneezing"], []) == 2


@pytest.mark.parametrize("code", languages())
def test_every_language_states_the_same(code: str) -> None:
    english = texts()["en"]
    own = texts()[code]
    assert own.contraindication.conditions.keys() == english.contraindication.conditions.keys()
    for name in ("emergency", "today", "home"):
        words = getattr(own.triage, name)
        assert words.keys() == getattr(english.triage, name).keys()
    every = [*own.triage.emergency.values(), *own.triage.today.values(), *own.triage.home.values()]
    assert len(set(every)) == len(every)
    assert len(set(own.contraindication.conditions.values())) == 12


@pytest.mark.parametrize("code", languages())
def test_items_hold_all_that_their_case_states(code: str) -> None:
    own = texts()[code]
    words = {**own.triage.emergency, **own.triage.today, **own.triage.home, **own.contraindication.conditions}
    for (_, _, case), item in zip(cases(3), items(3, code), strict=True):
        assert item.subset == case.shape
        assert len(set(item.options)) == len(item.options)
        assert "{" not in item.context + item.question
        assert unicodedata.is_normalized("NFC", item.context + item.question)
        for group in case.rule:
            assert all(words[name] in item.context for name in group)
        for name in (*case.present, *case.absent, *case.unknown):
            assert words[name] in item.question
        if case.shape == "limit":
            assert ("×" in item.question) == bool(case.amounts[1])
        if case.medicine:
            assert case.medicine in item.context


def test_amounts_are_written_with_the_languages_mark() -> None:
    shown = {
        code: " ".join(item.context + item.question for item in items(0, code) if item.subset == "limit")
        for code in ("en", "fr")
    }
    assert "0.5 g" in shown["en"]
    assert "0,5 g" in shown["fr"]
    assert "0.5" not in shown["fr"]


def test_texts_that_a_model_wrote_say_so() -> None:
    for item in items(0, "en", "yo")[:: len(items(0, "en"))]:
        terms = item.provenance
        assert (terms.text, bool(terms.model)) == (("native", False) if item.language == "en" else ("machine", True))
