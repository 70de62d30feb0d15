"""Simultaneous intervals: against draws worked out one by one, agreement with p-values, and what is declined."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import multivariate_normal, norm, t, ttest_1samp

from globmed.core.errors import UsageError
from globmed.stats.columns import Clusters, Column, mean_column, mean_of, numbered
from globmed.stats.comparison import paired_difference
from globmed.stats.intervals import Floats
from globmed.stats.max_t import (
    FEWEST_CLUSTERS,
    FEWEST_DIFFERING,
    cluster_weights,
    draws_above,
    errors_of,
    half_widths,
    joined,
    simultaneous,
    unadjusted,
)


def made(seed: int, *, clusters: int, contrasts: int, missing: float = 0.0) -> tuple[Floats, Clusters]:
    """Differences of right and wrong, [contrasts, n], alike within clusters of one to four, some missing."""
    rng = np.random.default_rng(seed)
    names = np.repeat(np.arange(clusters), rng.integers(1, 5, clusters))
    noise = rng.normal(0, 1, (contrasts, names.size)) + rng.normal(0, 0.6, clusters)[names]
    values = np.sign(np.where(np.abs(noise) > 0.9, noise, 0.0))
    values[rng.random(values.shape) < missing] = np.nan
    return values, numbered(names)


def columns(values: Floats, clusters: Clusters) -> list[Column]:
    return [mean_column(row, clusters) for row in values]


def test_estimate_and_error_are_those_of_the_paired_difference() -> None:
    values, clusters = made(1, clusters=60, contrasts=3, missing=0.2)
    for row in values:
        there = np.isfinite(row)
        alone = paired_difference(np.zeros(int(there.sum())), row[there], clusters.of[there])
        column = mean_column(row, clusters)
        half = (alone.high - alone.low) / 2
        assert column.estimate == pytest.approx(alone.mean)
        assert (column.n, column.clusters) == (alone.n, alone.clusters)
        assert column.error == pytest.approx(half / t.ppf(0.975, alone.clusters - 1))


def test_the_bar_is_that_of_draws_worked_out_cluster_by_cluster() -> None:
    values, clusters = made(2, clusters=25, contrasts=3, missing=0.1)
    draws, level = 399, 0.9
    found = simultaneous(errors_of(columns(values, clusters)), rng=np.random.default_rng(7), draws=draws, level=level)
    picked = np.random.default_rng(7).integers(0, 25, size=(draws, 25))
    largest = []
    for draw in picked:
        far = []
        for row in values:
            there = np.isfinite(row)
            parts = np.array([np.nansum(row[clusters.of == g] - row[there].mean()) for g in range(25)])
            far.append(abs(parts[draw].sum()) / np.sqrt((parts**2).sum()))
        largest.append(max(far))
    # 10 % of 400 is 40: p is below it with at most 38 draws as far, so the bar is the 39th from above.
    assert found.bar == pytest.approx(sorted(largest)[-39], rel=1e-5)
    degrees = found.clusters - 1
    half = t.ppf(norm.cdf(found.bar), degrees) * found.error
    assert np.allclose(found.high - found.estimate, half)


@settings(max_examples=30)
@given(st.integers(0, 10**6), st.integers(1, 6), st.sampled_from([0.9, 0.95, 0.99]))
def test_an_interval_excludes_zero_exactly_where_p_is_below_alpha(seed: int, contrasts: int, level: float) -> None:
    values, clusters = made(seed, clusters=30, contrasts=contrasts, missing=0.05)
    steps = np.linspace(0, 0.6, contrasts)[:, None]
    family = errors_of(columns(values + steps, clusters))
    found = simultaneous(family, rng=np.random.default_rng(seed), draws=999, level=level)
    excludes = (found.low > 0) | (found.high < 0)
    assert (excludes == (found.p < 1 - level - 1e-12)).all()
    assert ((found.p >= 0.001) & (found.p <= 1)).all()


def test_p_counts_the_draws_as_far_and_one() -> None:
    values, clusters = made(3, clusters=20, contrasts=1)
    family = errors_of(columns(values, clusters))
    found = simultaneous(family, rng=np.random.default_rng(0), draws=199)
    weights = cluster_weights(20, 199, rng=np.random.default_rng(0))
    sums = np.abs(weights @ family.parts[:, 0])
    reach = [float(half_widths(family, float(one))[0]) for one in sums]
    assert found.p[0] == (1 + sum(one >= abs(found.estimate[0]) for one in reach)) / 200


def test_weights_are_as_many_clusters_as_there_are() -> None:
    weights = cluster_weights(50, 4000, rng=np.random.default_rng(0))
    assert (weights.sum(axis=1) == 50).all()
    assert weights.mean(axis=0) == pytest.approx(np.ones(50), abs=0.08)
    assert weights.var() == pytest.approx(1 - 1 / 50, abs=0.02)


@pytest.mark.parametrize("alike", [0.0, 0.5, 0.9])
def test_the_bar_of_many_clusters_is_that_of_correlated_normals(alike: float) -> None:
    rng = np.random.default_rng(13)
    shared, own = rng.normal(size=(1, 3000)), rng.normal(size=(6, 3000))
    values = np.sqrt(alike) * shared + np.sqrt(1 - alike) * own
    found = simultaneous(errors_of(columns(values, numbered(np.arange(3000)))), rng=rng, draws=9999)
    normals = multivariate_normal(np.zeros(6), np.corrcoef(values))
    # Three standard errors of 10,000 draws: 0.7 points.
    assert normals.cdf(np.full(6, found.bar), lower_limit=np.full(6, -found.bar)) == pytest.approx(0.95, abs=0.007)


def test_more_contrasts_are_held_to_a_higher_bar_and_the_same_one_twice_is_not() -> None:
    values, clusters = made(4, clusters=80, contrasts=20)
    one, doubled, many = (
        simultaneous(errors_of(columns(part, clusters)), rng=np.random.default_rng(0), draws=1999)
        for part in (values[:1], values[[0, 0]], values)
    )
    assert doubled.bar == pytest.approx(one.bar)
    assert many.bar > one.bar + 0.5
    assert many.p[0] > one.p[0]


def test_fewer_clusters_have_wider_intervals_than_their_error_alone_says() -> None:
    rng = np.random.default_rng(5)
    values = rng.normal(size=(2, 400))
    values[1, 12:] = np.nan
    found = simultaneous(errors_of(columns(values, numbered(np.arange(400)))), rng=rng, draws=999)
    wide = (found.high - found.estimate) / found.error
    assert wide[1] > 1.1 * wide[0]


def test_what_cannot_be_told_is_declined_by_its_reason_and_harms_no_other() -> None:
    values, clusters = made(6, clusters=50, contrasts=1)
    alike = np.ones(values.shape[1])
    few = np.where(clusters.of < FEWEST_CLUSTERS - 1, values[0], np.nan)
    single = np.where(clusters.of < 1, values[0], np.nan)
    rare = np.where(clusters.of < FEWEST_DIFFERING - 1, 1.0, 0.0)
    table = np.array([values[0], np.full(alike.size, np.nan), alike, few, single, rare])
    found = simultaneous(errors_of(columns(table, clusters)), rng=np.random.default_rng(0), draws=999)
    assert found.reason[0] == ""
    assert found.reason[1] == "no observation"
    assert "all but 0 question clusters are alike" in found.reason[2]
    assert "fewer than 10 question clusters" in found.reason[3]
    assert "fewer than two question clusters" in found.reason[4]
    assert "all but 7 question clusters are alike" in found.reason[5]
    assert np.isnan([*found.error[1:], *found.low[1:], *found.high[1:], *found.p[1:]]).all()
    assert np.isnan(found.estimate[1])
    assert found.estimate[2] == 1.0
    alone = simultaneous(errors_of(columns(values, clusters)), rng=np.random.default_rng(0), draws=999)
    assert [found.low[0], found.bar] == pytest.approx([alone.low[0], alone.bar])
    nothing = simultaneous(errors_of(columns(table[1:], clusters)), rng=np.random.default_rng(0), draws=999)
    assert np.isnan([nothing.bar, *nothing.p]).all()


def test_a_mean_of_columns_is_the_mean_of_their_rows_where_none_is_missing() -> None:
    values, clusters = made(8, clusters=40, contrasts=3)
    together, direct = mean_of(columns(values, clusters)), mean_column(values.mean(axis=0), clusters)
    assert together.estimate == pytest.approx(direct.estimate)
    assert together.error == pytest.approx(direct.error)


def test_blocks_of_draws_change_nothing_but_the_order(monkeypatch: pytest.MonkeyPatch) -> None:
    values, clusters = made(9, clusters=30, contrasts=4)
    family = errors_of(columns(values, clusters))
    whole = simultaneous(family, rng=np.random.default_rng(0), draws=500)
    monkeypatch.setattr("globmed.stats.max_t._WEIGHTS_AT_ONCE", 30 * 7)
    assert simultaneous(family, rng=np.random.default_rng(0), draws=500).bar == pytest.approx(whole.bar)


def test_families_joined_are_the_family_and_come_apart_again() -> None:
    values, clusters = made(10, clusters=40, contrasts=5)
    given = columns(values, clusters)
    whole = simultaneous(errors_of(given), rng=np.random.default_rng(0), draws=999)
    parts = joined([errors_of(given[:2]), errors_of(given[2:])])
    found = simultaneous(parts, rng=np.random.default_rng(0), draws=999)
    assert found.bar == whole.bar
    assert (found.part(2, 5).low == whole.low[2:]).all()
    assert len(found.part(0, 2).reason) == 2


def test_a_source_of_error_that_a_family_lacks_is_nothing_in_it() -> None:
    values, clusters = made(11, clusters=40, contrasts=2)
    one, other = (errors_of([column]) for column in columns(values, clusters))
    two = replace(
        other,
        variances=np.vstack([other.variances, [[0.02]]]),
        degrees=np.vstack([other.degrees, [[4.0]]]),
    )
    found = joined([one, two])
    assert (half_widths(found, 2.5) == [half_widths(one, 2.5)[0], half_widths(two, 2.5)[0]]).all()
    assert found.error[0] == one.error[0]
    with pytest.raises(UsageError, match="the same clusters"):
        joined([one, errors_of([mean_column([0.0, 1.0], numbered([0, 1]))])])


def test_unadjusted_is_the_t_test_of_each_by_itself() -> None:
    rng = np.random.default_rng(12)
    values = rng.normal([[0.1], [0.3], [5.0]], 1, (3, 30))
    found = unadjusted(errors_of(columns(values, numbered(np.arange(30)))), level=0.9)
    for place, row in enumerate(values):
        alone = ttest_1samp(row, 0)
        bounds = alone.confidence_interval(0.9)
        assert (found.low[place], found.high[place]) == pytest.approx((bounds.low, bounds.high))
        assert found.p[place] == pytest.approx(alone.pvalue, rel=1e-6)
    assert ((found.p < 0.1) == ((found.low > 0) | (found.high < 0))).all()


def test_nonsense_is_refused() -> None:
    with pytest.raises(UsageError, match="all \\[n\\]"):
        mean_column(np.zeros(3), numbered(np.zeros(4)))
    with pytest.raises(UsageError, match="infinite"):
        mean_column([np.inf, 1], numbered([0, 1]))
    with pytest.raises(UsageError, match="weight below 0"):
        mean_column([1, 1], numbered([0, 1]), weights=[1, -1])
    with pytest.raises(UsageError, match="at least one"):
        errors_of([])
    with pytest.raises(UsageError, match="no statistics"):
        mean_of([])
    with pytest.raises(UsageError, match="expected \\[n\\]"):
        numbered(np.zeros((2, 2)))
    with pytest.raises(UsageError, match=r"10 draws are too few for level 0\.95; expected at least 20"):
        draws_above(10, level=0.95)
