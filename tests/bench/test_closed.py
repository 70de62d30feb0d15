"""Conditions of questions with given answers that change what is written: labels of their own, a translation."""

from collections.abc import Sequence

import pytest
from msgspec.structs import replace

from globmed.bench.condition import Condition
from globmed.bench.own_labels import own_labels
from globmed.bench.puts import prompt
from globmed.bench.tasks import Shown, task
from globmed.core.errors import UsageError
from globmed.core.item import Item, Provenance
from globmed.core.language import language, languages
from globmed.models.client import Reply, Settings

SHOWN: Sequence[Shown] = ("right", "wrong", "empty")


def item(code: str, *, options: int = 4, right: int = 1) -> Item:
    return Item(
        family=f"made:{options}:{right}",
        language=code,
        kind="mcqa",
        source="made",
        split="test",
        question="Q?",
        options=tuple(f"option {number}" for number in range(options)),
        answer=(right,),
        provenance=Provenance(native_language=code, licence="CC0-1.0"),
    )


def asked(one: Item, name: str, *, shots: Sequence[Item] = ()) -> list[str]:
    condition = Condition.named(name)
    request = task("mcqa").request(one, condition=condition, run=0, settings=Settings(), shots=shots)
    return [message.content for message in request.messages]


@pytest.mark.parametrize("word", ["own_labels", "own_labels/english", "own_labels/permuted", "own_labels/steps"])
@pytest.mark.parametrize("code", languages())
def test_a_reply_in_the_form_asked_for_is_graded_with_own_labels(code: str, word: str) -> None:
    mcqa, condition = task("mcqa"), Condition.named(f"generate/{word}")
    for options in range(2, 11):
        for right in range(options):
            one = item(code, options=options, right=right)
            for shown in SHOWN:
                reply = mcqa.example(one, shown, condition=condition)
                grade = mcqa.grade(one, reply, condition=condition, run=0)
                assert grade.correct == (shown == "right"), reply
                assert (grade.reading.status == "read") == (shown != "empty"), reply


@pytest.mark.parametrize("code", ["zh", "ja", "ko"])
def test_question_and_examples_show_the_labels_and_no_letter(code: str) -> None:
    row = own_labels(code)
    assert row is not None
    for name in ("generate/own_labels/2_shot", "generate/own_labels/english/2_shot"):
        turns = asked(item(code), name, shots=[item(code, right=2), item(code, right=3)])
        for label, place in zip(row.labels[:4], range(4), strict=True):
            assert f"{label}{row.between}option {place}" in turns[-1]
        assert turns[1].endswith(row.labels[2])
        assert turns[3].endswith(row.labels[3])
        assert not any(f"{letter}. option" in turn for letter in "ABCD" for turn in turns)


def test_own_labels_of_latin_scripts_are_the_letters() -> None:
    assert asked(item("yo"), "generate/own_labels") == asked(item("yo"), "generate")


def test_a_letter_given_all_the_same_is_read_as_the_option_of_that_place() -> None:
    grade = task("mcqa").grade(
        item("zh"), Reply(status="ok", text="答案：B"), condition=Condition(own_labels=True), run=0
    )
    assert grade.correct


def test_labels_in_words_of_an_inference_task_take_no_own_ones() -> None:
    with pytest.raises(UsageError, match="own_labels changes nothing"):
        prompt(task("nli"), Condition(own_labels=True), "zh")


@pytest.mark.parametrize("name", ["lfqa", "rubric"])
def test_open_questions_take_no_labels(name: str) -> None:
    with pytest.raises(UsageError, match="own_labels") as refused:
        prompt(task(name), Condition.named("generate/own_labels"), "sw")
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("name", ["mcqa", "nli"])
@pytest.mark.parametrize("answer", ["generate", "score_options"])
def test_a_translation_is_asked_in_english_like_the_english_item(name: str, answer: str) -> None:
    labels = (language("en").entailment, language("en").not_entailment)
    english = item("en") if name == "mcqa" else replace(item("en", options=2), kind="nli", options=labels)
    translation = replace(english, language="sw")
    condition = Condition.named(f"{answer}/translated")
    asking = task(name)
    of_translation, of_english = (
        asking.request(one, condition=under, run=0, settings=Settings()).messages
        for one, under in ((translation, condition), (english, Condition.named(answer)))
    )
    assert of_translation == of_english
    assert prompt(asking, condition, "sw").language == "en"
    right = asking.example(translation, "right", condition=condition)
    assert asking.grade(translation, right, condition=condition, run=0).correct


def test_a_reply_to_a_translation_is_read_as_english() -> None:
    # "makes" is a word of English around an answer; the Zulu reader does not know it.
    reply = Reply(status="ok", text="I leaned towards C at first, but the fever makes B the better answer.")
    translated, direct = (
        task("mcqa").grade(item("zu"), reply, condition=condition, run=0)
        for condition in (Condition(translated=True), Condition())
    )
    assert translated.correct
    assert translated.reading != direct.reading


def test_places_are_named_in_the_language_that_is_shown() -> None:
    bound = replace(item("sw"), options=("p", "q", "r", "none of the above"))
    condition = Condition(permuted=True, translated=True)
    assert all(
        task("mcqa").request(bound, condition=condition, run=run, settings=Settings()).options == bound.options
        for run in range(20)
    )
