"""Paired differences and the cluster bootstrap against implementations written differently."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import t, ttest_rel

from globmed.core.errors import UsageError
from globmed.stats.comparison import cluster_bootstrap, paired_difference
from globmed.stats.intervals import Floats, Interval, variance_of_mean
from globmed.stats.intervals import clustered as number_clusters

FINITE = st.floats(-100, 100)


def sandwich(difference: Floats, clusters: Floats, level: float) -> tuple[float, float, float]:
    """Intercept of a least-squares fit with the textbook cluster sandwich, in matrices."""
    X = np.ones((difference.size, 1))  # noqa: N806 - the matrix of the formula
    bread = np.linalg.inv(X.T @ X)
    beta = bread @ X.T @ difference
    residual = difference - X @ beta
    meat = np.zeros((1, 1))
    names = sorted(set(clusters.tolist()))
    for name in names:
        score = X[clusters == name].T @ residual[clusters == name]
        meat += np.outer(score, score)
    count = len(names)
    error = float(np.sqrt((bread @ meat @ bread)[0, 0] * count / (count - 1)))
    half = float(t.ppf((1 + level) / 2, count - 1)) * error
    return float(beta[0]), float(beta[0]) - half, float(beta[0]) + half


@given(st.lists(st.tuples(FINITE, FINITE, st.integers(0, 6)), min_size=2, max_size=40), st.floats(0.5, 0.99))
def test_a_paired_difference_is_the_cluster_robust_intercept(
    rows: list[tuple[float, float, int]], level: float
) -> None:
    a, b, clusters = (np.array(column, dtype=np.float64) for column in zip(*rows, strict=True))
    found = paired_difference(a, b, clusters, level=level)
    assert (found.n, found.clusters) == (len(rows), len(set(clusters.tolist())))
    if found.clusters < 2:
        assert np.isnan([found.low, found.high]).all()
        assert found.mean == pytest.approx(float((b - a).mean()))
    else:
        assert found[:3] == pytest.approx(sandwich(b - a, clusters, level), abs=1e-6)


def test_clusters_of_one_give_the_paired_t_test() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 50))
    expected = ttest_rel(b, a).confidence_interval(0.9)
    found = paired_difference(a, b, np.arange(50), level=0.9)
    assert (found.low, found.high) == pytest.approx((float(expected.low), float(expected.high)))


def test_the_sign_is_second_minus_first() -> None:
    assert paired_difference([0, 0, 0, 1], [1, 1, 0, 1], [1, 2, 3, 4]).mean == 0.5


def test_no_pairs_are_no_number() -> None:
    found = paired_difference([], [], [])
    assert np.isnan([found.mean, found.low, found.high]).all()


@pytest.mark.slow
def test_paired_differences_cover_what_they_say() -> None:
    rng = np.random.default_rng(2026)
    clusters = np.repeat(np.arange(100), rng.integers(1, 13, 100))
    draws, covered = 2000, 0
    for _ in range(draws):
        ability = rng.beta(1, 1, 100)[clusters]
        a, b = rng.random(clusters.size) < ability * 0.8, rng.random(clusters.size) < ability
        found = paired_difference(a, b, clusters)
        # The mean of a uniform ability, times the share gained.
        covered += found.low <= 0.1 <= found.high
    assert 0.93 <= covered / draws <= 0.97


def test_the_bootstrap_of_a_mean_has_the_linearised_width() -> None:
    rng = np.random.default_rng(1)
    clusters = np.repeat(np.arange(300), 4)
    values = rng.normal(size=300)[clusters] + rng.normal(size=1200)
    found = cluster_bootstrap(
        lambda weights: weights @ values / weights.sum(axis=1), clusters, draws=8000, rng=np.random.default_rng(2)
    )
    half = 1.96 * np.sqrt(variance_of_mean(number_clusters(values, clusters)))
    assert found.mean == pytest.approx(values.mean())
    assert (found.low, found.high) == pytest.approx((values.mean() - half, values.mean() + half), abs=0.1 * half)


def test_the_bootstrap_of_a_ratio_resamples_whole_clusters() -> None:
    """Against drawing clusters one by one and rebuilding the table each time."""
    rng = np.random.default_rng(3)
    clusters = np.repeat(np.arange(60), rng.integers(1, 6, 60))
    base, tuned = rng.random(clusters.size) < 0.4, rng.random(clusters.size) < 0.7
    found = cluster_bootstrap(
        lambda weights: (weights @ tuned) / (weights @ base), clusters, draws=4000, rng=np.random.default_rng(4)
    )
    rows = [np.flatnonzero(clusters == name) for name in range(60)]
    ratios = []
    for _ in range(4000):
        picked = np.concatenate([rows[name] for name in rng.integers(0, 60, 60)])
        ratios.append(tuned[picked].sum() / base[picked].sum())
    assert found.mean == tuned.sum() / base.sum()
    assert (found.low, found.high) == pytest.approx(tuple(np.quantile(ratios, (0.025, 0.975))), rel=0.03)


def test_the_bootstrap_is_the_same_for_the_same_seed_and_whatever_its_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    clusters, values = np.arange(30) % 10, np.linspace(0, 1, 30)

    def mean(weights: Floats) -> Floats:
        return np.asarray(weights @ values / weights.sum(axis=1))

    def drawn(seed: int) -> Interval:
        return cluster_bootstrap(mean, clusters, draws=100, rng=np.random.default_rng(seed))

    whole = drawn(5)
    assert whole != drawn(6)
    monkeypatch.setattr("globmed.stats.comparison.WEIGHTS_AT_ONCE", 210)
    assert drawn(5) == pytest.approx(whole)


def test_an_undefined_draw_takes_the_bounds_with_it() -> None:
    found = cluster_bootstrap(
        lambda weights: (weights @ [1, 1, 1]) / (weights @ [1, 0, 0]), [1, 2, 3], rng=np.random.default_rng(0)
    )
    assert found.mean == 3
    assert np.isnan([found.low, found.high]).all()


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: paired_difference([1], [1, 2], [1, 2]), "expected pairs"),
        (lambda: paired_difference([1, np.inf], [1, 2], [1, 2]), "infinite"),
        (lambda: cluster_bootstrap(lambda w: w, [1, 2], rng=np.random.default_rng(0)), "one for each draw"),
        (lambda: cluster_bootstrap(lambda w: w[:, 0], [], rng=np.random.default_rng(0)), "no observations"),
        (lambda: cluster_bootstrap(lambda w: w[:, 0], [1, 2], draws=0, rng=np.random.default_rng(0)), "0 draws"),
    ],
)
def test_wrong_input_is_refused(call: Callable[[], Interval], says: str) -> None:
    with pytest.raises(UsageError) as error:
        call()
    assert says in str(error.value)
