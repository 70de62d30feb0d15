"""Likelihoods into a choice."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from globmed.bench.reading import read_likelihood
from globmed.models.client import LETTERS


@given(st.lists(st.floats(-500, -0.001), min_size=2, max_size=10, unique=True))
def test_the_likeliest_is_read(logprobs: list[float]) -> None:
    options = ["x"] * len(logprobs)
    for per_byte in (False, True):
        reading = read_likelihood(logprobs, options, per_byte=per_byte)
        assert reading.letter == LETTERS[logprobs.index(max(logprobs))]


def test_bytes_and_not_characters_are_counted() -> None:
    # Three characters each; three bytes against nine. By characters the first would win, by bytes the second does.
    reading = read_likelihood([-4.0, -6.0], ["abc", "发热了"], per_byte=True)
    assert (reading.letter, reading.rule) == ("B", "likelihood per byte")
    assert read_likelihood([-4.0, -6.0], ["abc", "发热了"], per_byte=False).letter == "A"


@pytest.mark.parametrize(
    ("logprobs", "status"),
    [((), "empty"), ((-1.0,), "unread"), ((-1.0, math.nan), "unread"), ((-1.0, -1.0), "several")],
)
def test_no_letter_where_likelihoods_decide_nothing(logprobs: tuple[float, ...], status: str) -> None:
    assert read_likelihood(logprobs, ["a", "b"], per_byte=False).status == status
