"""What counts as the same question, nearly the same, and another one."""

import itertools
import random
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from globmed.core.errors import UsageError
from globmed.core.item import Item, Provenance
from globmed.data.corpus.similarity import (
    MISSED_AT_MOST,
    PERMUTATIONS,
    Text,
    jaccard,
    lsh_bands,
    near_duplicates,
    normalised,
    shingles,
    text_of,
)

VIGNETTE = (
    "A 63-year-old woman comes to the emergency department with crushing chest pain that began two hours ago and "
    "radiates to the left arm. She has type 2 diabetes and takes metformin. Blood pressure is 150/90 mm Hg."
)


def text(question: str, *options: str, context: str = "") -> Text:
    return text_of(
        Item(
            family="f",
            language="en",
            kind="mcqa",
            source="s",
            split="test",
            question=question,
            context=context,
            options=options,
            provenance=Provenance(native_language="en", licence="CC0"),
        )
    )


def similarity(one: Text, other: Text, code: str = "en") -> float:
    return jaccard(shingles(one, code), shingles(other, code))


def test_normalising_evens_out_unicode_form_case_and_space_and_nothing_else() -> None:
    assert normalised("  ÀWỌN\u00a0Dókítà\n") == normalised("àwo\u0323n do\u0301ki\u0301ta\u0300") == "àwọn dókítà"
    assert normalised("STRASSE") == normalised("straße")
    assert normalised("pH < 7") != normalised("pH > 7")
    # Tone marks tell Yoruba words apart: igbá (calabash), igba (two hundred).
    assert normalised("igbá") != normalised("igba")


@given(st.text())
def test_normalising_twice_changes_nothing(raw: str) -> None:
    assert normalised(normalised(raw)) == normalised(raw)


def test_a_word_is_not_cut_at_its_combining_marks() -> None:
    assert shingles(text("Kí ni àìsàn jẹ̀dọ̀jẹ̀dọ̀?"), "yo").stem == {"kí ni àìsàn", "ni àìsàn jẹ̀dọ̀jẹ̀dọ̀"}


def test_the_shingles_of_a_text_by_hand() -> None:
    found = shingles(text("Which drug is given?", "Vitamin C", "None of the above."), "en")
    assert found.stem == {"which drug is", "drug is given"}
    assert found.options == {"vitamin c", "none of the", "of the above"}


@pytest.mark.parametrize(
    ("code", "question"), [("zh", "高血压的病因是？"), ("ja", "高血圧の原因は？"), ("ko", "고혈압의 원인은?")]
)
def test_scripts_without_word_spaces_are_cut_by_character(code: str, question: str) -> None:
    found = shingles(text(question, "是"), code)
    plain = "".join(letter for letter in question if letter.isalpha())
    assert found.stem == {plain[start : start + 5] for start in range(len(plain) - 4)}
    assert found.options == {"是"}


def test_the_order_of_options_does_not_matter() -> None:
    options = ("Aspirin", "Heparin", "Warfarin", "None of the above")
    for order in itertools.permutations(options):
        assert text("Which drug?", *order) == text("Which drug?", *options)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (
            text("Which of the following is true?", "Iron is absorbed in the duodenum", "Zinc is toxic", "a", "b"),
            text(
                "Which of the following is true?", "The vagus slows the heart", "The heart has five chambers", "c", "d"
            ),
        ),
        # However long the stem: another question about the same patient.
        (text(VIGNETTE, "Aspirin", "Heparin"), text(VIGNETTE, "Left coronary artery", "Right coronary artery")),
        # However many options are shared: another question over the same list.
        (
            text("Scurvy is due to", *(f"Vitamin B{number}" for number in range(20))),
            text("Beriberi comes from", *(f"Vitamin B{number}" for number in range(20))),
        ),
    ],
)
def test_another_question_is_not_joined_by_what_it_has_in_common(one: Text, other: Text) -> None:
    assert similarity(one, other) < 0.8


@pytest.mark.parametrize(
    ("one", "other"),
    [
        # Real pairs of HEAD-QA (train and test) and MedMCQA.
        (
            text("La dieta de una persona con diverticulosis intestinal debe ser:",
                 "Hiperproteica.", "Hipercalórica.", "Rica en fibra.", "Hiposódica."),
            text("La dieta de una persona con diverticulosis intestinal debe ser:",
                 "Hiperproteica.", "Hipercalórica.", "Hiposódica.", "Rica en fibra.", "Hipocalórica."),
        ),
        (
            text("The cribriform plate connects", "Nasal cavity and orbit", "Nasal cavity and oral cavity"),
            text("The cribriform plate connects:", "Nasal cavity and oral cavity.", "Nasal cavity and orbit."),
        ),
        # One number apart: joined on purpose.
        (text(VIGNETTE, "Aspirin", "Heparin"), text(VIGNETTE.replace("63", "64"), "Aspirin", "Heparin")),
        # Yes/no/maybe over one abstract: one passage, one cluster.
        (text("Is it so?", "yes", "no", context=VIGNETTE), text("Is it safe?", "yes", "no", context=VIGNETTE)),
    ],
)  # fmt: skip
def test_the_same_question_a_little_changed_is_joined(one: Text, other: Text) -> None:
    assert similarity(one, other) >= 0.8


def test_open_questions_need_no_options() -> None:
    assert similarity(text(VIGNETTE), text(VIGNETTE + "!")) == 1
    assert similarity(text(VIGNETTE), text("What is the dose of aspirin?")) == 0


def test_what_has_no_words_is_compared_as_it_stands() -> None:
    assert similarity(text("+++", "-"), text("+++", "-")) == 1
    assert similarity(text("+++", "-"), text("---", "-")) == 0
    assert similarity(text("", ""), text("", "")) == 0


WORDS = st.lists(st.sampled_from(["a", "b", "c", "d", "e"]), max_size=8).map(" ".join)
TEXTS = st.builds(text, WORDS, WORDS, WORDS)


@given(TEXTS, TEXTS)
def test_jaccard_is_symmetric_and_one_only_for_equal_shingles(one: Text, other: Text) -> None:
    found = similarity(one, other)
    assert found == similarity(other, one)
    assert 0 <= found <= 1
    left, right = shingles(one, "en"), shingles(other, "en")
    if found == 1:
        assert left.stem | left.options == right.stem | right.options


def variants(count: int, seed: int) -> list[Text]:
    """Questions of random words, each twice as it is and with one, two and four words changed."""
    rng = random.Random(seed)
    words = [f"w{number}" for number in range(400)]
    found = []
    for _ in range(count):
        base = rng.choices(words, k=30)
        for changed in (0, 0, 1, 2, 4):
            copy = list(base)
            for position in rng.sample(range(30), changed):
                copy[position] = rng.choice(words)
            found.append(text(" ".join(copy), "yes", "no", "maybe"))
    return found


def compare_all(texts: Sequence[Text], threshold: float) -> set[tuple[int, int, float]]:
    return {
        (first, second, found)
        for first, second in itertools.combinations(range(len(texts)), 2)
        if (found := similarity(texts[first], texts[second])) >= threshold
    }


@pytest.mark.parametrize("threshold", [0.3, 0.5, 0.8, 1.0])
def test_the_search_finds_what_comparing_all_with_all_finds(threshold: float) -> None:
    texts = variants(40, seed=1)
    expected = compare_all(texts, threshold)
    assert len(expected) >= 20
    assert set(near_duplicates(texts, "en", threshold=threshold)) == expected


def test_nothing_to_search_gives_nothing() -> None:
    assert list(near_duplicates([], "en", threshold=0.8)) == []


@given(st.floats(0.01, 1))
def test_bands_miss_few_at_the_threshold(threshold: float) -> None:
    bands = lsh_bands(threshold)
    rows = PERMUTATIONS // bands
    assert rows * bands == PERMUTATIONS
    assert rows == 1 or (1 - threshold**rows) ** bands <= MISSED_AT_MOST


@pytest.mark.parametrize("threshold", [0, -1, 1.1, float("nan")])
def test_a_threshold_out_of_range_is_refused(threshold: float) -> None:
    with pytest.raises(UsageError, match=r"above 0, at most 1"):
        list(near_duplicates([], "en", threshold=threshold))
