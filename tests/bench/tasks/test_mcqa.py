"""Multiple choice asks what it says, and grades as it should."""

import msgspec
import pytest

from globmed.bench.condition import Answer, Condition
from globmed.bench.tasks import task
from globmed.core.item import Item, Provenance
from globmed.models.client import LETTERS, Reply, Settings, Status


def item(language: str, *, options: int = 4, answer: tuple[int, ...] = (1,), context: str = "") -> Item:
    return Item(
        family="made:1",
        language=language,
        kind="mcqa",
        source="made",
        split="test",
        question="Q?",
        context=context,
        options=tuple(f"option {number}" for number in range(options)),
        answer=answer,
        provenance=Provenance(native_language=language, licence="CC0-1.0", may_leave_machine=False),
    )


def test_lettered_options_are_shown_for_letters_and_not_for_texts() -> None:
    mcqa = task("mcqa")
    asked = {
        answer: mcqa.request(
            item("es", options=10, context="C."), condition=Condition(answer=answer), run=2, settings=Settings()
        )
        for answer in mcqa.prompts
    }
    assert "J. option 9" in asked["generate"].messages[0].content
    assert asked["generate"].messages == asked["score_letters"].messages
    assert "option" not in asked["score_options"].messages[0].content.replace("opción", "")
    for answer, request in asked.items():
        assert request.settings.answer == answer
        assert (request.run, request.label, request.may_leave_machine) == (2, "made:1/es", False)
        assert len(request.options) == 10
        assert "C." in request.messages[0].content


def test_what_cannot_be_asked_is_named() -> None:
    unfit = task("mcqa").unfit
    assert unfit(item("en")) == ""
    assert unfit(item("en", answer=())) == "no answer key"
    assert unfit(item("en", options=11)) == "not two to 10 options"
    assert unfit(item("en", options=1, answer=(0,))) == "not two to 10 options"
    assert unfit(item("en", options=2, answer=(0, 1))) == "every option is right"


def test_chance_is_the_items_own() -> None:
    assert task("mcqa").chance(item("en", options=10)) == pytest.approx(0.1)
    assert task("mcqa").chance(item("en", options=4, answer=(0, 2))) == pytest.approx(0.5)


@pytest.mark.parametrize("status", ["refused", "filtered", "error"])
def test_a_reply_that_the_endpoint_withheld_is_never_right(status: Status) -> None:
    reply = Reply(status=status, text="Answer: B", option_logprobs=(-9.0, -1.0, -9.0, -9.0))
    for condition in (Condition(), Condition(answer="score_options")):
        grade = task("mcqa").grade(item("en"), reply, condition=condition, run=0)
        assert not grade.correct
        assert grade.reading.letter is None


@pytest.mark.parametrize("answer", ["generate", "score_letters", "score_options"])
def test_closed_book_leaves_the_context_out(answer: Answer) -> None:
    shown = msgspec.structs.replace(item("en"), context="low ≤ 50 < normal")

    def asked(*, closed_book: bool) -> str:
        condition = Condition(answer=answer, closed_book=closed_book)
        return task("mcqa").request(shown, condition=condition, run=0, settings=Settings()).messages[0].content

    assert "low ≤ 50 < normal" in asked(closed_book=False)
    assert "low ≤ 50 < normal" not in asked(closed_book=True)
    assert shown.question in asked(closed_book=True)


def test_per_byte_turns_an_order_that_length_made() -> None:
    long = item("yo", options=2, answer=(1,))
    long = Item(**{**{f: getattr(long, f) for f in long.__struct_fields__}, "options": ("bẹ́ẹ̀", "ẹ̀kọ́ nípa ìlera ara")})
    reply = Reply(status="ok", option_logprobs=(-10.0, -12.0))
    letters = [
        task("mcqa")
        .grade(long, reply, condition=Condition(answer="score_options", per_byte=per_byte), run=0)
        .reading.letter
        for per_byte in (False, True)
    ]
    assert letters == list(LETTERS[:2])
