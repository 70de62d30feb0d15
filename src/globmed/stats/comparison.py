"""Differences between two models, languages or runs on the same questions, and the bootstrap for everything else."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from globmed.core.errors import UsageError
from globmed.stats.intervals import Floats, Interval, check_level, clustered, variance_of_mean

# Weights held at once by the bootstrap: 80 MB.
WEIGHTS_AT_ONCE = 10_000_000


def paired_difference(a: ArrayLike, b: ArrayLike, clusters: ArrayLike, *, level: float = 0.95) -> Interval:
    """Return the mean of b - a over paired observations, with its cluster-robust t interval.

    The same as the intercept of a regression of b - a with standard errors clustered (Liang and Zeger 1986,
    "Longitudinal data analysis using generalized linear models", Biometrika 73; factor G / (G - 1)) and G - 1 degrees
    of freedom. Where b - a is the same everywhere the interval has no width: the data then say nothing of spread.

    Args:
        a: [n], first of each pair, such as whether the base model was right.
        b: [n], second of each pair.
        clusters: [n], whatever names the cluster of each pair.
        level: confidence, such as 0.95.

    Returns:
        The interval; bounds are NaN for fewer than two clusters, the mean too for no pairs.

    Raises:
        UsageError: arrays of different length, a value that is not finite, or a level outside 0..1.
    """
    from scipy.special import stdtrit

    check_level(level)
    first, second = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    if first.shape != second.shape:
        raise UsageError(f"found {first.shape} first and {second.shape} second observations; expected pairs")
    data = clustered(second - first, clusters)
    n, count = data.values.size, data.clusters
    mean = float(data.values.mean()) if n else np.nan
    if count < 2:
        return Interval(mean, np.nan, np.nan, n, count)
    half = float(stdtrit(count - 1, 0.5 + level / 2)) * np.sqrt(variance_of_mean(data))
    return Interval(mean, float(mean - half), float(mean + half), n, count)


def cluster_bootstrap(
    statistic: Callable[[Floats], Floats],
    clusters: ArrayLike,
    *,
    draws: int = 2000,
    rng: np.random.Generator,
    level: float = 0.95,
) -> Interval:
    """Return the percentile interval of any weighted statistic, drawing whole clusters with replacement.

    Davison and Hinkley (1997), Bootstrap Methods and their Application, sections 3.8 and 5.3. A ratio of
    accuracies, for one, is `lambda weights: (weights @ tuned) / (weights @ base)`.

    Args:
        statistic: takes weights [d, n], how often each observation was drawn, to the statistic of each draw [d].
        clusters: [n], whatever names the cluster of each observation.
        draws: how many.
        rng: seeded generator.
        level: confidence, such as 0.95.

    Returns:
        The statistic of the observations as they are, and its bounds: NaN for fewer than two clusters, and where the
        statistic is undefined in any draw (a ratio to nothing), which a percentile must not hide.

    Raises:
        UsageError: no observations, no draws, a level outside 0..1, or a statistic that does not return [d].
    """
    check_level(level)
    if draws < 1:
        raise UsageError(f"found {draws} draws; expected at least 1")
    names = np.asarray(clusters)
    data = clustered(np.ones(names.shape), names)
    n, count = data.values.size, data.clusters
    if not n:
        raise UsageError("no observations to draw from")
    mean = float(_evaluated(statistic, np.ones((1, n)))[0])
    if count < 2:
        return Interval(mean, np.nan, np.nan, n, count)
    at_once = max(1, WEIGHTS_AT_ONCE // n)
    found = []
    for start in range(0, draws, at_once):
        drawn = rng.multinomial(count, np.full(count, 1 / count), size=min(at_once, draws - start))
        found.append(_evaluated(statistic, drawn[:, data.cluster_of].astype(np.float64)))
    values = np.concatenate(found)
    if not np.isfinite(values).all():
        return Interval(mean, np.nan, np.nan, n, count)
    low, high = np.quantile(values, (0.5 - level / 2, 0.5 + level / 2))
    return Interval(mean, float(low), float(high), n, count)


def _evaluated(statistic: Callable[[Floats], Floats], weights: Floats) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        values = np.asarray(statistic(weights), dtype=np.float64)
    if values.shape != (len(weights),):
        raise UsageError(f"the statistic returned shape {values.shape}; expected ({len(weights)},), one for each draw")
    return values
