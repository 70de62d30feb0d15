"""Simultaneous intervals: known answers, agreement of intervals and p-values, coverage of them all at once."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from globmed.core.errors import UsageError
from globmed.stats.comparison import paired_difference
from globmed.stats.simultaneous import FEWEST_CLUSTERS, FEWEST_DIFFERING, simultaneous_differences

Floats = NDArray[np.float64]


def made(rng: np.random.Generator, *, clusters: int, contrasts: int, missing: float = 0.0) -> tuple[Floats, Floats]:
    """Differences of right and wrong in -1, 0 and 1, alike within clusters of one to four, some of them missing."""
    sizes = rng.integers(1, 5, clusters)
    cluster_of = np.repeat(np.arange(clusters), sizes)
    lean = rng.normal(0, 0.6, clusters)[cluster_of][:, None]
    noise = rng.normal(0, 1, (cluster_of.size, contrasts)) + lean
    values = np.sign(np.where(np.abs(noise) > 0.9, noise, 0.0))
    return np.where(rng.random(values.shape) < missing, np.nan, values), cluster_of.astype(np.float64)


def test_estimate_and_error_are_those_of_one_paired_difference() -> None:
    values, clusters = made(np.random.default_rng(1), clusters=60, contrasts=3, missing=0.2)
    found = simultaneous_differences(values, clusters, rng=np.random.default_rng(0), draws=1000)
    for contrast in range(3):
        there = np.isfinite(values[:, contrast])
        alone = paired_difference(np.zeros(there.sum()), values[there, contrast], clusters[there])
        assert found.estimate[contrast] == pytest.approx(alone.mean)
        assert found.pairs[contrast] == alone.n
        assert found.clusters[contrast] == alone.clusters
        from scipy.special import stdtrit

        half = (alone.high - alone.low) / 2
        assert found.error[contrast] == pytest.approx(half / stdtrit(alone.clusters - 1, 0.975))


def test_the_quantile_is_that_of_the_draws_worked_out_one_by_one() -> None:
    values, clusters = made(np.random.default_rng(2), clusters=25, contrasts=3, missing=0.1)
    draws, level = 400, 0.9
    found = simultaneous_differences(values, clusters, rng=np.random.default_rng(7), draws=draws, level=level)
    weights = np.random.default_rng(7).multinomial(25, np.full(25, 1 / 25), size=draws)
    largest = []
    for draw in weights:
        t = []
        for contrast in range(3):
            rows = np.concatenate([np.flatnonzero(clusters == cluster) for cluster, times in enumerate(draw) if times])
            times = draw[clusters[rows].astype(int)]
            value = values[rows, contrast]
            rows, times, value = rows[np.isfinite(value)], times[np.isfinite(value)], value[np.isfinite(value)]
            n = times.sum()
            mean = (times * value).sum() / n
            square, count = 0.0, 0
            for cluster in np.unique(clusters[rows]):
                own = clusters[rows] == cluster
                square += draw[int(cluster)] * ((value[own] - mean).sum()) ** 2
                count += draw[int(cluster)]
            t.append(abs(mean - found.estimate[contrast]) / (np.sqrt(count / (count - 1) * square) / n))
        largest.append(max(t))
    rank = round((1 - level) * (draws + 1))
    assert found.quantile == pytest.approx(sorted(largest, reverse=True)[rank - 1], rel=1e-4)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 6), st.sampled_from([0.9, 0.95, 0.99]))
def test_an_interval_excludes_zero_exactly_where_p_is_small(seed: int, contrasts: int, level: float) -> None:
    values, clusters = made(np.random.default_rng(seed), clusters=30, contrasts=contrasts, missing=0.05)
    found = simultaneous_differences(values + 0.3, clusters, rng=np.random.default_rng(seed), draws=999, level=level)
    told = [not reason for reason in found.reason]
    excludes = (found.low > 0) | (found.high < 0)
    assert (excludes[told] == (found.p[told] <= 1 - level + 1e-12)).all()
    assert ((found.p[told] >= 1 / 1000) & (found.p[told] <= 1)).all()


def test_more_contrasts_are_held_to_a_higher_bar() -> None:
    values, clusters = made(np.random.default_rng(4), clusters=80, contrasts=20)
    one, all_of_them = (
        simultaneous_differences(part, clusters, rng=np.random.default_rng(0), draws=2000)
        for part in (values[:, :1], values)
    )
    assert all_of_them.quantile > one.quantile + 0.4
    assert all_of_them.p[0] > one.p[0]


def test_the_same_seed_gives_the_same_numbers_and_contrasts_alike_cost_nothing() -> None:
    values, clusters = made(np.random.default_rng(5), clusters=40, contrasts=2)
    first, again = (simultaneous_differences(values, clusters, rng=np.random.default_rng(3), draws=999) for _ in "ab")
    assert np.array_equal(first.low, again.low)
    doubled = simultaneous_differences(np.hstack([values, values]), clusters, rng=np.random.default_rng(3), draws=999)
    assert doubled.quantile == pytest.approx(first.quantile)


def test_what_cannot_be_told_is_declined_by_its_reason_and_harms_no_other() -> None:
    values, clusters = made(np.random.default_rng(6), clusters=50, contrasts=1)
    nothing = np.full((len(values), 1), np.nan)
    alike = np.ones((len(values), 1))
    few = np.where(clusters[:, None] < FEWEST_CLUSTERS - 1, values, np.nan)
    rare = np.where(clusters[:, None] < FEWEST_DIFFERING - 1, 1.0, 0.0)
    together = np.hstack([values, nothing, alike, few, rare])
    found = simultaneous_differences(together, clusters, rng=np.random.default_rng(0), draws=999)
    assert [bool(reason) for reason in found.reason] == [False, True, True, True, True]
    assert found.reason[1] == "no question has both"
    assert "fewer than 10 question clusters" in found.reason[3]
    assert np.isnan(found.estimate[1])
    assert found.estimate[2] == 1.0
    assert np.isnan([*found.low[1:], *found.high[1:], *found.p[1:]]).all()
    alone = simultaneous_differences(values, clusters, rng=np.random.default_rng(0), draws=999)
    assert found.low[0] == pytest.approx(alone.low[0])


def test_nonsense_is_refused() -> None:
    rng = np.random.default_rng(0)
    with pytest.raises(UsageError, match="expected \\[n, C\\]"):
        simultaneous_differences(np.zeros(4), np.zeros(4), rng=rng)
    with pytest.raises(UsageError, match="infinite"):
        simultaneous_differences(np.full((4, 1), np.inf), np.zeros(4), rng=rng)
    with pytest.raises(UsageError, match="10 draws say nothing at level"):
        simultaneous_differences(np.zeros((4, 1)), np.zeros(4), rng=rng, draws=10, level=0.99)


@pytest.mark.slow
def test_all_intervals_cover_at_once_as_often_as_they_say() -> None:
    rng = np.random.default_rng(8)
    held = rejected = 0
    times = 600
    for _ in range(times):
        values, clusters = made(rng, clusters=104, contrasts=4)
        found = simultaneous_differences(values, clusters, rng=rng, draws=999)
        held += bool(((found.low <= 0) & (found.high >= 0)).all())
        rejected += bool((found.p <= 0.05).any())
    assert rejected == times - held
    # Three standard errors at 600 draws: 2.7 points.
    assert 0.923 <= held / times <= 0.977
