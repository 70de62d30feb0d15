"""Errors that are put into good translations: each changes what it says it changes, the same way every time."""

import unicodedata
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from globmed.data.calibration.errors_in_numbers import tenfold
from globmed.data.calibration.injections import Injection, WrongLanguage, injections
from globmed.data.parallel import GoodPair

Make = Callable[..., GoodPair]
BY_NAME: dict[str, Injection] = {one.name: one for one in injections([])}


def spoil(name: str, pair: GoodPair, *, seed: int = 0) -> str | None:
    found = BY_NAME[name].into(pair, seed=seed)
    return None if found is None else found.target.question


@pytest.mark.parametrize(
    ("name", "here", "there", "expected"),
    [
        ("number_dropped", "Give 25 mg.", "Dar 25 mg.", "Dar  mg."),
        ("number_tenfold", "Give 0.5 mg.", "Dar 0,5 mg.", "Dar 5 mg."),
        ("number_tenfold", "1,200 cases", "1.200 casos", "12.000 casos"),
        ("unit_changed", "Give 25 mg.", "Dar 25 mg.", "Dar 25 g."),
        ("unit_changed", "In 25%", "En el 25 % de", "En el 25 mg de"),
        ("time_unit_changed", "For 7 days", "Durante 7 días", "Durante 7 horas"),
        ("negation_removed", "It is not needed.", "No siempre no hace falta.", "No siempre hace falta."),
        ("untranslated", "Fever?", "¿Fiebre?", "Fever?"),
    ],
)
def test_an_error_changes_what_it_says(make_pair: Make, name: str, here: str, there: str, expected: str) -> None:
    assert spoil(name, make_pair(here, there)) == expected


def test_the_french_negation_loses_both_its_words(make_pair: Make) -> None:
    pair = make_pair("It is not seen.", "On ne le voit plus, il n'est pas vu.", languages=("en", "fr"))
    assert spoil("negation_removed", pair) == "On ne le voit plus, il est vu."


@pytest.mark.parametrize(
    ("name", "here", "there"),
    [
        ("number_changed", "COVID-19, IL-6 and H1N1", "COVID-19, IL-6 y H1N1"),
        ("number_changed", "many cases", "1500 casos"),
        ("number_dropped", "seven cases", "siete (7) casos"),
        ("number_dropped", "1. Fever", "1. Fiebre"),
        ("unit_changed", "4 lesions", "4 lésions"),
        ("options_swapped", "Fever?", "¿Fiebre?"),
        ("marks_stripped", "Fever?", "¿Fiebre sí?"),
        ("abbreviation_changed", "The PCR", "La reacción RCP"),
    ],
)
def test_a_text_with_nothing_to_spoil_is_left_alone(make_pair: Make, name: str, here: str, there: str) -> None:
    assert all(spoil(name, make_pair(here, there), seed=seed) is None for seed in range(5))


def test_one_digit_of_a_number_changes(make_pair: Make) -> None:
    for seed in range(20):
        changed = spoil("number_changed", make_pair("Give 25 mg.", "Dar 25 mg."), seed=seed)
        assert changed is not None
        assert sum(one != other for one, other in zip("Dar 25 mg.", changed, strict=True)) == 1
        assert changed[4:6].isdigit()


@given(st.integers(1, 99_999))
def test_ten_times_a_whole_number(number: int) -> None:
    assert tenfold(str(number)) == str(10 * number)


@given(st.integers(0, 999), st.integers(0, 99), st.sampled_from(".,"))
def test_ten_times_a_decimal(whole: int, hundredths: int, mark: str) -> None:
    number = f"{whole}{mark}{hundredths:02}"
    assert round(float(tenfold(number).replace(mark, ".")), 1) == round(10 * float(number.replace(mark, ".")), 1)


def test_errors_in_options(make_pair: Make) -> None:
    here, there = ("Fever", "Cough", "Pain", "Rash"), ("Fiebre", "Tos", "Dolor", "Erupción")
    pair = make_pair("Which?", "¿Cuál?", options=(here, there))
    for seed in range(10):
        dropped, swapped, doubled, moved, given_away = (
            BY_NAME[name].into(pair, seed=seed)
            for name in ("option_dropped", "options_swapped", "option_duplicated", "answer_moved", "answer_given_away")
        )
        assert dropped is not None
        assert len(dropped.target.options) == 3
        assert dropped.target.options[dropped.target.answer[0]] == "Fiebre"
        assert swapped is not None
        assert sorted(swapped.target.options) == sorted(there)
        assert sum(one != other for one, other in zip(swapped.target.options, there, strict=True)) == 2
        assert doubled is not None
        assert len(set(doubled.target.options)) == 3
        assert moved is not None
        assert moved.target.answer != (0,)
        assert given_away is not None
        assert given_away.target.question == "¿Cuál? (Fiebre)"


def test_marks_are_taken_off_yoruba_alone(make_pair: Make) -> None:
    stripped = spoil("marks_stripped", make_pair("He said", "Ó sọ pé", languages=("en", "yo")))
    assert stripped == "O so pe"
    assert unicodedata.is_normalized("NFC", stripped)


def test_a_wrong_language_is_the_same_originals_where_there_is_one(make_pair: Make) -> None:
    spanish = make_pair("Fever?", "¿Fiebre?")
    portuguese = make_pair("Fever?", "Febre?", languages=("en", "pt"))
    other = make_pair("Cough!", "Tosse!", languages=("en", "pt"), number="doc:2")
    wrong = WrongLanguage([spanish, portuguese, other])
    found = wrong(spanish, np.random.default_rng(0))
    assert found is not None
    assert (found.language, found.question) == ("es", "Febre?")
    lone = make_pair("Rashes", "Exantem", languages=("en", "de"), number="doc:3")
    found = wrong(lone, np.random.default_rng(0))
    assert found is not None
    assert found.question in {"Febre?", "Tosse!", "¿Fiebre?"}


def test_every_error_comes_out_the_same_whatever_else_is_done(make_pair: Make) -> None:
    pair = make_pair(
        "A 25-year-old with 7 days of fever (HIV, PCR) does not improve on 500 mg of amoxicillin.",
        "Un hombre de 25 años con 7 días de fiebre (HIV, PCR) no mejora con 500 mg de amoxicilina.",
        options=(("Fever", "Cough"), ("Fiebre", "Tos")),
    )
    for injection in BY_NAME.values():
        first, again = injection.into(pair, seed=3), injection.into(pair, seed=3)
        assert first == again, injection.name
        if injection.name not in {"marks_stripped", "wrong_language"}:
            assert first is not None, injection.name
            assert first != pair, injection.name
