"""Ranks with intervals, and the lowest language: by hand, by what must hold, and how often they hold."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from globmed.core.errors import UsageError
from globmed.stats.comparison import paired_difference
from globmed.stats.intervals import Floats
from globmed.stats.lowest import lowest
from globmed.stats.ranks import rank_intervals


def answers(seed: int, means: list[float], *, clusters: int = 100) -> tuple[Floats, NDArray[np.int64]]:
    rng = np.random.default_rng(seed)
    names: NDArray[np.int64] = np.repeat(np.arange(clusters), rng.integers(1, 4, clusters))
    hard = rng.normal(0, 0.2, clusters)[names]
    values = rng.random((len(means), names.size)) < np.clip(np.array(means)[:, None] + hard, 0, 1)
    return values.astype(np.float64), names


def test_models_far_apart_have_one_place_and_those_alike_share() -> None:
    values, clusters = answers(0, [0.9, 0.5, 0.5, 0.1])
    found = rank_intervals(values, clusters, rng=np.random.default_rng(0), draws=999)
    assert found.low.tolist() == [1, 2, 2, 4]
    assert found.high.tolist() == [1, 3, 3, 4]
    assert found.tied[1, 2]
    assert found.tied[2, 1]
    assert found.tied.sum() == 4 + 2
    assert sorted(found.rank.tolist()) == [1, 2, 3, 4]


def test_a_place_is_counted_from_the_differences_that_exclude_zero() -> None:
    values, clusters = answers(1, [0.4, 0.45, 0.5, 0.55, 0.6])
    found = rank_intervals(values, clusters, rng=np.random.default_rng(0), draws=999)
    better, at = np.zeros((5, 5), dtype=bool), 0
    for first in range(5):
        for second in range(first + 1, 5):
            alone = paired_difference(values[second], values[first], clusters)
            assert found.pairs.estimate[at] == pytest.approx(alone.mean)
            better[first, second] = found.pairs.low[at] > 0
            better[second, first] = found.pairs.high[at] < 0
            at += 1
    assert found.low.tolist() == [1 + int(better[:, k].sum()) for k in range(5)]
    assert found.high.tolist() == [5 - int(better[k].sum()) for k in range(5)]
    assert found.rank.tolist() == (5 - values.mean(axis=1).argsort().argsort()).tolist()


def test_the_same_answers_share_a_place() -> None:
    values, clusters = answers(2, [0.5, 0.8])
    found = rank_intervals(values[[0, 0, 1]], clusters, rng=np.random.default_rng(0), draws=999)
    assert found.rank.tolist() == [2, 2, 1]
    assert found.tied[0, 1]
    assert "are alike" in found.reason[0]
    assert found.reason[2] == ""


def test_a_model_without_shared_questions_may_have_any_place_and_the_reason_is_given() -> None:
    values, clusters = answers(3, [0.9, 0.1, 0.5])
    values[2] = np.nan
    found = rank_intervals(values, clusters, rng=np.random.default_rng(0), draws=999)
    assert (found.low[2], found.high[2]) == (1, 3)
    assert found.reason[2] == "no observation"
    assert found.low.tolist()[:2] == [1, 2]
    assert found.high.tolist()[:2] == [2, 3]


@settings(max_examples=25)
@given(st.integers(0, 10**6), st.integers(2, 6))
def test_intervals_hold_the_rank_and_tied_models_overlap(seed: int, models: int) -> None:
    means = np.random.default_rng(seed).uniform(0.2, 0.8, models).tolist()
    values, clusters = answers(seed, means, clusters=40)
    found = rank_intervals(values, clusters, rng=np.random.default_rng(0), draws=199)
    assert ((found.low <= found.rank) & (found.rank <= found.high)).all()
    assert (found.tied == found.tied.T).all()
    assert found.tied.diagonal().all()


def test_nonsense_ranks_are_refused() -> None:
    with pytest.raises(UsageError, match="at least two models"):
        rank_intervals(np.zeros((1, 4)), np.arange(4), rng=np.random.default_rng(0))


def test_the_lowest_of_languages_alike_is_too_low_and_corrected_upwards() -> None:
    off = np.zeros(2)
    for seed in range(40):
        values, clusters = answers(seed, [0.5] * 10)
        found = lowest(values, clusters, rng=np.random.default_rng(seed), draws=500)
        off += np.array([found.plain, found.corrected.interval.mean]) - 0.5
        assert found.plain == values.mean(axis=1).min()
        assert found.plain < found.corrected.interval.mean < found.corrected.interval.high
    assert off[0] / 40 < -0.03
    assert off[0] < 1.4 * off[1] < 0


def test_the_bias_of_the_lowest_of_twelve_alike_is_harters_constant() -> None:
    rng = np.random.default_rng(6)
    right = (np.arange(3000) < 1800).astype(float)
    # One and the same mean and spread in all, and errors that have nothing to do with one another.
    values = np.array([rng.permutation(right) for _ in range(12)])
    found = lowest(values, np.arange(3000), rng=rng, draws=4000)
    error = right.std(ddof=1) / np.sqrt(3000)
    # The highest of twelve normal draws lies 1.62923 above their mean (Harter 1961, Biometrika 48, table 1).
    assert (found.corrected.interval.mean - found.plain) / error == pytest.approx(1.629, abs=0.06)


def test_a_language_clearly_lowest_is_left_where_it_is() -> None:
    values, clusters = answers(1, [0.2, 0.8, 0.8, 0.8], clusters=400)
    found = lowest(values, clusters, rng=np.random.default_rng(0))
    alone = paired_difference(np.zeros(clusters.size), values[0], clusters)
    assert (found.at, found.candidates) == (0, (0,))
    assert found.corrected.interval.mean == pytest.approx(alone.mean, abs=0.002)
    assert found.corrected.interval.low == pytest.approx(alone.low)
    assert found.corrected.interval.high == pytest.approx(alone.high, abs=0.004)


def test_the_bounds_of_the_lowest_hold_the_truth_whichever_language_it_is() -> None:
    held = 0
    for seed in range(100):
        values, clusters = answers(1000 + seed, [0.5, 0.48, 0.52, 0.46])
        interval = lowest(values, clusters, rng=np.random.default_rng(seed), draws=300).corrected.interval
        held += interval.low <= 0.46 <= interval.high
    assert held >= 93


def test_a_language_that_cannot_be_told_may_be_the_lowest() -> None:
    values, clusters = answers(4, [0.5, 0.5])
    values[1, 5:] = np.nan
    found = lowest(values, clusters, rng=np.random.default_rng(0))
    assert found.corrected.reason == "language 1, which may be the lowest: fewer than 10 question clusters"
    assert np.isnan([found.corrected.interval.low, found.corrected.interval.mean]).all()
    nothing = lowest(np.full((2, 3), np.nan), [1, 2, 3], rng=np.random.default_rng(0))
    assert (nothing.at, np.isnan(nothing.plain)) == (-1, True)
    with pytest.raises(UsageError, match="at least one language"):
        lowest(np.zeros((0, 3)), [1, 2, 3], rng=np.random.default_rng(0))


@pytest.mark.slow
def test_ranks_of_models_alike_hold_as_often_as_they_say() -> None:
    rng, times, held = np.random.default_rng(5), 600, 0
    for _ in range(times):
        values, clusters = answers(int(rng.integers(2**31)), [0.5] * 6)
        found = rank_intervals(values, clusters, rng=rng, draws=999)
        held += bool((found.low == 1).all() and (found.high == 6).all())
    # Three standard errors: 2.7 points.
    assert 0.923 <= held / times <= 0.977
