"""Options are shown in another order without changing the question; marks go where people leave them out."""

import unicodedata
from collections import Counter

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from globmed.bench.condition import Condition
from globmed.bench.shown import about_options, option_order, shown_item, unmarked
from globmed.core.item import Item, Provenance
from globmed.core.language import languages

PERMUTED = Condition(permuted=True)


def item(options: tuple[str, ...], *, language: str = "en", family: str = "made:1") -> Item:
    return Item(
        family=family,
        language=language,
        kind="mcqa",
        source="made",
        split="test",
        question="Q?",
        options=options,
        answer=(1,),
        provenance=Provenance(native_language="en", licence="CC0-1.0"),
    )


@given(st.lists(st.text(st.characters(codec="utf-8"), min_size=1), min_size=2, max_size=10), st.integers(0, 50))
def test_whatever_the_order_the_same_options_are_right(texts: list[str], run: int) -> None:
    given_item = item(tuple(texts))
    shown = shown_item(given_item, PERMUTED, run=run)
    assert Counter(shown.options) == Counter(given_item.options)
    assert [shown.options[index] for index in shown.answer] == [
        given_item.options[index] for index in given_item.answer
    ]
    order = option_order(given_item, PERMUTED, run=run)
    assert tuple(given_item.options[index] for index in order) == shown.options


def test_every_order_comes_up_equally_often() -> None:
    orders = Counter(
        option_order(item(("p", "q", "r"), family=f"made:{number}"), PERMUTED, run=number % 3) for number in range(6000)
    )
    assert len(orders) == 6
    assert all(850 < count < 1150 for count in orders.values())


def test_translations_show_the_same_order_and_repetitions_another() -> None:
    english, zulu = item(("a1", "b1", "c1", "d1", "e1")), item(("a2", "b2", "c2", "d2", "e2"), language="zu")
    orders = [option_order(english, PERMUTED, run=run) for run in range(5)]
    assert orders == [option_order(zulu, PERMUTED, run=run) for run in range(5)]
    assert len(set(orders)) > 1


@pytest.mark.parametrize(
    ("language", "option"),
    [
        ("en", "All of the above"),
        ("en", "Both A and B"),
        ("es", "Todas las anteriores son correctas"),
        ("fr", "Aucune des propositions ci-dessus"),
        ("zh", "以上都是"),
        ("ko", "위의 모두"),
        ("sw", "Yote yaliyotajwa hapo juu"),
        ("yo", "Gbogbo èyí tó wà lókè"),
    ],
)
def test_options_that_name_the_place_of_others_stay_where_they_are(language: str, option: str) -> None:
    bound = item(("p", "q", "r", option), language=language)
    assert all(shown_item(bound, PERMUTED, run=run) == bound for run in range(20))


def test_words_within_words_name_no_place() -> None:
    free = item(("alpha and beta", "sand boa", "p", "q"))
    assert any(shown_item(free, PERMUTED, run=run) != free for run in range(20))


def test_every_language_says_how_options_speak_of_others() -> None:
    assert about_options().keys() == languages().keys()
    for words in about_options().values():
        assert all(word == unicodedata.normalize("NFC", word.lower()) for word in words)


def test_yoruba_and_wolof_are_shown_as_they_are_often_typed() -> None:
    condition = Condition(unmarked=True)
    yoruba = msgspec.structs.replace(item(("ẹ̀jẹ̀", "ọkàn"), language="yo"), question="Kí ni ó ń ṣẹlẹ̀?")
    shown = shown_item(yoruba, condition, run=0)
    assert (shown.question, shown.options) == ("Ki ni o n sele?", ("eje", "okan"))
    assert unmarked("ñaata, sàcc, ŋaam") == "naata, sacc, naam"
    french = msgspec.structs.replace(yoruba, language="fr", question="Où a-t-il mal ?")
    assert shown_item(french, condition, run=0) == french
