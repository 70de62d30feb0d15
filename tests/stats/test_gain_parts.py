"""The parts of a gain: worked by hand, and without remainder whatever the numbers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra.numpy import arrays
from hypothesis.strategies import floats

from globmed.core.errors import UsageError
from globmed.stats.gain_parts import gain_parts

SHARES = arrays(np.float64, (5, 12), elements=floats(0, 1))


def test_each_kind_of_item_worked_by_hand() -> None:
    right, read = [1, 0, 0, 0, 1, 0, 0], [1, 1, 0, 0, 1, 1, 0]
    right_after, read_after = [0, 1, 1, 0, 0, 0, 0], [1, 1, 1, 1, 0, 0, 0]
    parts = gain_parts(right, read, right_after, read_after, [0.2] * 7)
    assert parts.tolist() == [
        pytest.approx(row)
        for row in (
            [0, -1, 0],  # read both times, lost
            [0, 1, 0],  # read both times, gained
            [0.2, 0, 0.8],  # newly read and right
            [0.2, 0, -0.2],  # newly read and wrong
            [-0.2, 0, -0.8],  # newly unread, was right
            [-0.2, 0, 0.2],  # newly unread, was wrong
            [0, 0, 0],  # never read
        )
    ]


def test_replies_that_know_nothing_and_are_newly_read_gain_guesses_alone() -> None:
    rng = np.random.default_rng(1)
    chance = rng.choice([0.1, 0.25, 0.5], 200_000)
    guessed = rng.random(chance.size) < chance
    nothing, read = np.zeros(chance.size), np.ones(chance.size)
    unread, right, newly = gain_parts(nothing, nothing, guessed, read, chance).mean(axis=0)
    assert unread == pytest.approx(chance.mean())
    assert right == 0
    assert newly == pytest.approx(0, abs=0.005)


@given(SHARES)
def test_they_sum_to_the_gain(shares: np.ndarray) -> None:
    read, read_after, chance = shares[0], shares[2], shares[4]
    right, right_after = shares[1] * read, shares[3] * read_after
    parts = gain_parts(right, read, right_after, read_after, chance)
    assert parts.sum(axis=1) == pytest.approx(right_after - right, abs=1e-12)
    # After and before the other way round is what is lost.
    assert gain_parts(right_after, read_after, right, read, chance) == pytest.approx(-parts, abs=1e-12)


@pytest.mark.parametrize(
    "columns",
    [
        ([1], [0], [0], [0], [0.2]),
        ([0], [1], [1], [0], [0.2]),
        ([0], [1], [0], [1], [1.2]),
        ([np.nan], [1], [0], [1], [0.2]),
    ],
)
def test_impossible_shares_are_refused(columns: tuple[list[float], ...]) -> None:
    with pytest.raises(UsageError, match=r"0\.\.1, and no reply is right that was not read"):
        gain_parts(*columns)


def test_columns_of_other_lengths_are_refused() -> None:
    with pytest.raises(UsageError, match="expected all of one"):
        gain_parts([1, 0], [1, 1], [1], [1], [0.2])
