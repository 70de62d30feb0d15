"""Conditions are found by their names; what no reading would heed is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from globmed.bench.condition import Condition
from globmed.core.errors import UsageError

WORDS = ["closed", "english", "held_out", "steps", "permuted", "unmarked", "own_labels", "english_drugs", "3_shot"]


@given(st.lists(st.sampled_from(WORDS), unique=True))
def test_a_condition_is_found_by_its_words_in_any_order(words: list[str]) -> None:
    condition = Condition.named("/".join(["generate", *words]))
    assert Condition.named(condition.name) == condition
    shuffled = sorted(words, reverse=True)
    assert Condition.named("/".join(["generate", *shuffled])) == condition
    assert set(condition.name.split("/")[1:]) == set(words)


def test_the_words_stand_in_one_order() -> None:
    condition = Condition(answer="score_options", per_byte=True, closed_book=True, shots=5, english=True)
    assert condition.name == "score_options/byte/closed/english/5_shot"
    assert Condition().name == "generate"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("score_leters", "did you mean 'score_letters'"),
        ("generate/step", "did you mean 'steps'"),
        ("generate/0_shot", "no condition '0_shot'"),
        ("generate/99_shot", "99 examples; expected 0 to 32"),
        ("generate/closed/closed", "stands twice"),
        ("generate/3_shot/5_shot", "stands twice or contradicts"),
        ("generate/byte", "per_byte"),
        ("score_options/byte/prior", "expected one of them"),
        ("score_letters/steps", "only 'generate' writes any"),
        ("score_options/permuted", "shows no order"),
        ("score_letters/own_labels", "scores A, B, C; expected 'generate'"),
        ("score_options/own_labels", "expected 'generate'"),
        ("generate/translated/english", "translated with english; expected the translation alone"),
        ("generate/translated/unmarked", "translated with unmarked"),
        ("generate/translated/own_labels", "translated with own_labels"),
        ("generate/translated/english_drugs", "translated with english_drugs"),
        ("generate/translated/3_shot", "translated with shots"),
        ("", "no answer mode ''"),
    ],
)
def test_what_nothing_would_heed_is_refused_in_one_line(name: str, said: str) -> None:
    with pytest.raises(UsageError, match=said) as refused:
        Condition.named(name)
    assert "\n" not in str(refused.value)


def test_each_phrasing_and_form_has_its_own_prompt() -> None:
    names = {Condition.named(name).prompt("mcqa") for name in ("generate", "generate/steps", "generate/held_out")}
    assert names == {"mcqa", "mcqa_steps", "mcqa_held_out"}
    assert Condition.named("generate/held_out/steps").prompt("mcqa") == "mcqa_steps_held_out"


def test_every_word_is_said_in_words() -> None:
    named = Condition.named("score_options/byte/closed/english/held_out/unmarked/1_shot")
    assert named.title == (
        "likelihood of the option’s text; per byte; without the context; instructions in English; the second phrasing; "
        "Yoruba and Wolof without marks; 1 example"
    )
    title = Condition.named("generate/steps/permuted/3_shot").title
    assert title == "free reply, read; reasoning first; options in another order each run; 3 examples"
    assert Condition().title == "free reply, read"
    assert Condition.named("generate/own_labels/english_drugs").title == (
        "free reply, read; options labelled in the language’s own script; names of drugs in English"
    )
    assert Condition.named("score_letters/translated").title.endswith("translated to English, asked in English")


@pytest.mark.parametrize("word", ["closed", "held_out", "steps", "permuted"])
def test_a_translation_is_crossed_with_what_does_not_ask_for_a_language(word: str) -> None:
    condition = Condition.named(f"generate/translated/{word}")
    assert condition.written_in("sw") == "en"
    assert condition.stands_in
    assert Condition.named(f"generate/{word}").written_in("sw") == "sw"
    assert not Condition.named(f"generate/{word}").stands_in
