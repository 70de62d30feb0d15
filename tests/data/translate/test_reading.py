"""Reading what models wrote: exactly what was asked for, or in words why not; never anything in between."""

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from globmed.data.translate.reading import read_critique, read_texts

TEXTS = st.dictionaries(
    st.sampled_from(["question", "context", "options[0]", "options[1]", "turns[0]"]),
    st.text(st.characters(codec="utf-8")).filter(str.strip),
    min_size=1,
)


@given(TEXTS, st.booleans(), st.booleans())
def test_what_was_asked_for_is_read(texts: dict[str, str], fenced: bool, escaped: bool) -> None:
    reply = json.dumps(texts, ensure_ascii=escaped)
    found = read_texts(f"```json\n{reply}\n```" if fenced else reply, list(texts))
    assert found.error == ""
    assert found.value == {name: unicodedata.normalize("NFC", text.strip()) for name, text in texts.items()}


def test_marks_are_composed_and_kept() -> None:
    found = read_texts(json.dumps({"question": " ì\u0323ta\u0301 "}), ["question"])
    assert found.value == {"question": "ị\u0300tá"}


@given(st.text())
def test_whatever_else_it_is_there_is_a_reason(reply: str) -> None:
    for found in (read_texts(reply, ["question"]), read_critique(reply, ["question"])):
        assert found.value is None
        assert found.error


@given(TEXTS, TEXTS)
def test_other_keys_are_not_read(texts: dict[str, str], wanted: dict[str, str]) -> None:
    found = read_texts(json.dumps(texts), list(wanted))
    assert (found.value is not None) == (texts.keys() == wanted.keys())


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        ('Here: {"question": "a"}', "it is not JSON"),
        ('{"question": "a"} I hope', "it is not JSON"),
        ('{"question": NaN}', "not a text"),
        ('{"question": ["a"]}', "not a text"),
        ('{"question": " "}', "an empty one"),
        ("[" * 100_000, "it is not JSON"),
    ],
)
def test_near_misses(reply: str, said: str) -> None:
    found = read_texts(reply, ["question"])
    assert found.value is None
    assert said in found.error


GOOD = {"accuracy": 5, "fluency": 1, "completeness": 3, "comments": [{"field": "question", "comment": "c"}]}


def test_a_critique_is_read() -> None:
    found = read_critique(json.dumps(GOOD), ["question"]).value
    assert found is not None
    assert (found.lowest, found.summary) == (1, "accuracy 5, fluency 1, completeness 3")
    assert found.comments[0].comment == "c"


@pytest.mark.parametrize(
    "change",
    [
        {"accuracy": 0},
        {"accuracy": 6},
        {"accuracy": 4.5},
        {"accuracy": "5"},
        {"accuracy": None},
        {"comments": [{"field": "options[7]", "comment": "c"}]},
        {"comments": "none"},
        {"verdict": "good"},
    ],
)
def test_scores_are_whole_numbers_from_1_to_5_and_comments_on_what_there_is(change: dict[str, object]) -> None:
    found = read_critique(json.dumps(GOOD | change), ["question"])
    assert found.value is None
    assert found.error
