"""Checks of options: count, repetition, order, the gold answer, and the answer given away."""

import pytest

from globmed.core.item import Finding, Item
from globmed.data.pairs import Pair
from globmed.data.quality import option_order

from .conftest import Find, item


def severities(found: list[Finding]) -> list[str]:
    return [one.severity for one in found]


def test_a_lost_an_added_and_an_empty_option_are_named(find: Find) -> None:
    (lost,) = find("option_count", "?", "?", to="es", options=(("a", "b", "c"), ("a", "b")))
    assert (lost.severity, lost.field, lost.message) == ("block", "options", "2 options; the original has 3")
    (empty,) = find("option_count", "?", "?", to="es", options=(("a", "b"), ("a", " ")))
    assert (empty.field, empty.message) == ("options[1]", "empty")
    assert not find("option_count", "?", "?", to="es", options=(("a", ""), ("a", "")))


def test_options_that_were_alike_may_stay_alike(find: Find) -> None:
    assert not find("option_repeat", "?", "?", to="es", options=(("Yes", "Yes"), ("Sí", "Sí")))
    (found,) = find("option_repeat", "?", "?", to="es", options=(("Disease", "Illness"), ("Enfermedad.", "enfermedad")))
    assert (found.severity, found.field) == ("block", "options[1]")


def test_genotypes_that_differ_in_case_alone_stay_two_options(find: Find) -> None:
    assert not find("option_repeat", "?", "?", to="fr", options=(("Bb", "BB"), ("Bb", "BB")))
    assert find("option_repeat", "?", "?", to="fr", options=(("Bb", "BB"), ("BB", "BB")))


def test_the_gold_answer_is_a_set(find: Find) -> None:
    both = {"options": (("a", "b", "c"), ("a", "b", "c"))}
    assert not find("gold", "?", "?", to="es", answer=((0, 2), (2, 0)), **both)
    (found,) = find("gold", "?", "?", to="es", answer=((0,), (1,)), **both)
    assert found.message == "right is B; in the original A"


@pytest.mark.parametrize(
    ("source", "target", "to"),
    [
        (("Atrial fibrillation", "Pneumonia"), ("Fibrilación auricular", "Neumonía"), "es"),
        (("Head and neck cancer", "Lung cancer"), ("Krebs des Kopfes und des Halses", "Lungenkrebs"), "de"),
        (("0.5 mg", "5 mg", "50 mg"), ("0,5 mg", "5 mg", "50 mg"), "fr"),
        (("5 mg", "10 mg"), ("5毫克", "10毫克"), "zh"),
        (("Aspirin", "Warfarin"), ("アスピリン", "ワルファリン"), "ja"),
        (("Aspirin", "Metformin"), ("아스피린", "메트포르민"), "ko"),
        (("Ibuprofen", "Insulin"), ("Ibuprofeni", "Insulini"), "sw"),
    ],
)  # fmt: skip
def test_a_swap_is_seen_and_the_right_order_passes(
    find: Find, source: tuple[str, ...], target: tuple[str, ...], to: str
) -> None:
    assert not find("option_order", "?", "?", to=to, options=(source, target))
    swapped = (target[1], target[0], *target[2:])
    (found,) = find("option_order", "?", "?", to=to, options=(source, swapped))
    assert found.message == "options[0] and options[1] fit the original better when swapped"
    assert found.severity == "block"


def test_three_letters_in_common_are_chance(find: Find) -> None:
    options = ("normal", "high", "very high", "low"), ("normal", "hoch", "sehr hoch", "niedrig")
    assert not find("option_order", "?", "?", to="de", options=options)


def test_chinese_phrases_of_like_length_cannot_be_told_apart(find: Find) -> None:
    source, swapped = ("Watchful waiting", "Surgical removal"), ("手术切除", "观察等待")
    assert not find("option_order", "?", "?", to="zh", options=(source, swapped))
    assert not option_order.comparable(pair(source, swapped, to="zh"), 0, 1)


def pair(source: tuple[str, ...], target: tuple[str, ...], *, to: str) -> Pair:
    return Pair(item("?", "en", options=source), item("?", to, options=target))


def test_what_is_comparable_rests_on_the_original_alone() -> None:
    words = ("Atrial fibrillation", "Pneumonia")
    assert option_order.comparable(pair(words, ("", ""), to="es"), 0, 1)
    assert not option_order.comparable(pair(words, ("", ""), to="yo"), 0, 1)
    assert option_order.comparable(pair(("5 mg", "10 mg"), ("", ""), to="yo"), 0, 1)


def test_an_answer_that_the_question_now_names_is_asked_about(find: Find) -> None:
    options = (("Measles", "Mumps", "Rubella"), ("Sarampión", "Paperas", "Rubéola"))
    told = "¿Qué enfermedad, como el sarampión, causa manchas de Koplik?"
    (found,) = find(
        "giveaway", "Which disease causes Koplik spots?", told, to="es", options=options, answer=((0,), (0,))
    )
    assert (found.severity, found.field) == ("review", "question")
    assert not find("giveaway", "Does measles cause spots?", told, to="es", options=options, answer=((0,), (0,)))
    assert not find("giveaway", "Which disease?", told, to="es", options=options, answer=((1,), (1,)))


def test_one_question_in_twelve_languages_is_in_order_however_it_is_read(question: dict[str, Item]) -> None:
    for one in question.values():
        for other in question.values():
            assert not list(option_order.find(Pair(one, other)))


def test_a_number_does_not_stand_in_a_longer_one(find: Find) -> None:
    options = (("1250 mL", "50 mL"), ("1250 mL", "50 mL"))
    asked = "Infusion of 250 mL over 5 hours: the volume in one hour is"
    longer, same = ("输液 250 mL，共 5 小时。一小时的液量为：", "输液 50 mL，共 5 小时。一小时的液量为：")
    assert not find("giveaway", asked, longer, to="zh", options=options, answer=((1,), (1,)))
    assert find("giveaway", asked, same, to="zh", options=options, answer=((1,), (1,)))
