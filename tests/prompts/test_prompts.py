"""Prompts: every language has every file, with the same placeholders; rendering loses and adds nothing."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from globmed import prompts
from globmed.core.errors import InputError
from globmed.core.language import languages


def test_no_language_lacks_a_prompt() -> None:
    assert prompts.gaps() == []
    missing = prompts.gaps(["xx"])
    assert {"prompts/mcqa/xx.txt", "prompts/translate_notes/xx.txt"} <= set(missing)
    # An instruction that is the same whatever the language stands once.
    assert "prompts/translate_candidate/xx.txt" not in missing
    assert prompts.load("translate_candidate", "xx") == prompts.load("translate_candidate", "es")


@pytest.mark.parametrize("name", prompts.names())
def test_placeholders_are_those_of_english(name: str) -> None:
    for code in languages():
        prompt = prompts.load(name, code)
        assert prompt.placeholders == prompts.load(name, "en").placeholders
        assert "language model" in prompt.header
        assert unicodedata.is_normalized("NFC", prompt.body)
        assert not prompt.body.startswith("#")


@pytest.mark.parametrize("code", languages())
def test_the_asked_answer_line_uses_a_word_the_reader_knows(code: str) -> None:
    body = prompts.load("mcqa", code).body.casefold()
    assert any(f"{word}{colon}" in body for word in languages()[code].answer for colon in (":", "：", "\u00a0:", " :"))


def test_an_empty_context_leaves_no_gap() -> None:
    prompt = prompts.load("mcqa", "en")
    shown = prompt.render(context="", question="Q?", options="A. x")
    assert "\n\n\n" not in shown
    assert shown.endswith("that option.\n\nQ?\n\nA. x")
    assert prompts.load("mcqa_text", "en").render(context="", question="Q?") == "Q?\nAnswer:"


@given(st.text(), st.text(min_size=1))
def test_text_with_braces_is_left_alone(context: str, question: str) -> None:
    shown = prompts.load("mcqa_text", "en").render(context=context, question=question)
    assert shown == (f"{context}\n" if context else "") + f"{question}\nAnswer:"


def test_a_missing_field_and_a_missing_file_are_named() -> None:
    with pytest.raises(InputError, match=r"placeholder \{question\}"):
        prompts.load("mcqa_text", "en").render(context="")
    with pytest.raises(InputError, match=r"prompts/mcqa/xx\.txt: found no such file"):
        prompts.load("mcqa", "xx")
