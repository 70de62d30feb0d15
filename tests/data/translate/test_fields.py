"""An item's texts go out under their field ids and come back into the same places."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from globmed.core.item import Criterion, Item, Provenance, Turn
from globmed.core.language import language, languages
from globmed.data.translate.fields import field_kind, given_texts, item_texts, with_texts

TEXT = st.text(max_size=20)


@st.composite
def items(draw: Callable[[Any], Any]) -> Item:
    return Item(
        family="f",
        language="en",
        kind="lfqa",
        source="s",
        split="test",
        question=draw(TEXT),
        context=draw(TEXT),
        rationale=draw(TEXT),
        options=tuple(draw(st.lists(TEXT, max_size=4))),
        reference=tuple(draw(st.lists(TEXT, max_size=2))),
        turns=tuple(Turn(role="user", text=text) for text in draw(st.lists(TEXT, max_size=2))),
        rubric=tuple(Criterion(text=text, points=1.5) for text in draw(st.lists(TEXT, max_size=2))),
        provenance=Provenance(native_language="en", licence="MIT"),
    )


@given(items())
def test_texts_come_back_into_their_places(item: Item) -> None:
    texts = item_texts(item)
    assert all(text.strip() for text in texts.values())
    changed = item.made_into(provenance=item.provenance, **with_texts(item, {n: f"<{t}>" for n, t in texts.items()}))
    assert item_texts(changed) == {name: f"<{text}>" for name, text in texts.items()}
    assert item.made_into(provenance=item.provenance, **with_texts(item, texts)) == item


@pytest.mark.parametrize("code", languages())
def test_labels_are_those_of_the_table(code: str, item: Callable[..., Item]) -> None:
    words = language(code)
    found = given_texts(item(1, options=("maybe", "yes")), code)
    assert found == {"options[0]": words.maybe, "options[1]": words.yes}


@pytest.mark.parametrize("options", [("yes", "no", "perhaps"), ("Yes", "No"), ()])
def test_other_options_are_no_labels(options: tuple[str, ...], item: Callable[..., Item]) -> None:
    assert given_texts(item(1, options=options, answer=()), "es") == {}


@pytest.mark.parametrize(
    ("text", "alike"), [("120/80", True), ("≥ 65", True), ("1.5", False), ("1,000", False), ("5 mg", False)]
)
def test_what_reads_alike_in_every_language(text: str, alike: bool, item: Callable[..., Item]) -> None:
    assert ("options[0]" in given_texts(item(1, options=(text, "a word")), "de")) is alike


def test_kinds() -> None:
    assert [field_kind(name) for name in ("question", "options[12]")] == ["question", "options"]
