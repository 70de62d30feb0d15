"""Graphemes: the quick look before the pattern must not hide what joins."""

import regex
from hypothesis import given
from hypothesis import strategies as st

from globmed.data.graphemes import count_graphemes


@given(st.text() | st.text(st.sampled_from("aé\u0301\u200d\r\n中が\u3099각ᄀ\uff9e\u00ad🏽👩")))
def test_graphemes_are_those_of_the_standard(text: str) -> None:
    assert count_graphemes(text) == len(regex.findall(r"\X", text))
