"""Intervals of smooth functions of totals, such as coefficients of agreement, where observations share clusters.

One routine serves every statistic that is a smooth function of sums over the observations: its variance is that of the
clusters' influences, each found by weighing one cluster a little more and a little less. That is the infinitesimal
jackknife (Efron 1982, The Jackknife, the Bootstrap and Other Resampling Plans, chapter 6), equal to linearisation
(Binder 1983, "On the variances of asymptotically normal estimators from complex surveys", International Statistical
Review 51), without a derivative written by hand for each statistic.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from globmed.core.errors import UsageError
from globmed.stats.intervals import Floats, Interval, check_level

# How much a cluster's weight is moved: errors of the influence from rounding and from curvature are then both below
# 1e-8 of it.
STEP = 1e-4
# A variance this small are of clusters all alike, but for rounding.
NO_SPREAD = 1e-16


class Estimate(NamedTuple):
    """An estimate, or why there is none.

    Attributes:
        interval: estimate and bounds; NaN where declined.
        reason: why the estimate or its bounds are NaN; empty where both are given.
    """

    interval: Interval
    reason: str


def declined(reason: str, *, n: int, clusters: int, mean: float = np.nan) -> Estimate:
    """Return an estimate without bounds (and without a value, unless `mean` is given), with the reason."""
    return Estimate(Interval(mean, np.nan, np.nan, n, clusters), reason)


def cluster_sums(features: ArrayLike, clusters: ArrayLike) -> Floats:
    """Return the sum of each feature over each cluster.

    Args:
        features: [n, F].
        clusters: [n], whatever names the cluster of each observation.

    Returns:
        [G, F], in the order of the clusters' sorted names.

    Raises:
        UsageError: not one cluster for each row.
    """
    rows, names = np.asarray(features, dtype=np.float64), np.asarray(clusters)
    if rows.ndim != 2 or names.shape != rows.shape[:1]:
        raise UsageError(f"found features {rows.shape} and clusters {names.shape}; expected [n, F] and [n]")
    distinct, cluster_of = np.unique(names, return_inverse=True)
    sums = np.zeros((distinct.size, rows.shape[1]))
    np.add.at(sums, cluster_of, rows)
    return sums


def influences(statistic: Callable[[Floats], Floats], sums: Floats) -> Floats:
    """Return the derivative of a statistic by the weight of each cluster, [G] or [G, k] for k statistics at once.

    Args:
        statistic: takes totals [d, F] to the statistic of each row, [d] or [d, k]; scaling all totals changes nothing.
        sums: [G, F] of `cluster_sums`.
    """
    totals = sums.sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray((statistic(totals + STEP * sums) - statistic(totals - STEP * sums)) / (2 * STEP))


def linearised(
    statistic: Callable[[Floats], Floats],
    sums: Floats,
    *,
    n: int,
    undefined: str,
    telling: int | None = None,
    level: float = 0.95,
) -> Estimate:
    """Return a statistic of totals with its cluster-robust t interval of G - 1 degrees of freedom for G clusters.

    Args:
        statistic: takes totals [d, F] to the statistic of each row [d]; scaling all totals changes nothing.
        sums: [G, F] of `cluster_sums`.
        n: number of observations, for the result.
        undefined: the reason given where the statistic is not a number.
        telling: the clusters that the spread is known from, where they are fewer than all.
        level: confidence, such as 0.95.

    Returns:
        The estimate; declined where the statistic is undefined, bounds alone for fewer than two clusters and where all
        clusters are alike, which says nothing of the spread.

    Raises:
        UsageError: a level outside 0..1.
    """
    from scipy.special import stdtrit

    check_level(level)
    count = len(sums)
    with np.errstate(divide="ignore", invalid="ignore"):
        value = float(statistic(sums.sum(axis=0, keepdims=True))[0]) if count else np.nan
    if not np.isfinite(value):
        return declined(undefined, n=n, clusters=count)
    if count < 2:
        return declined("fewer than two questions: nothing is known of the spread", n=n, clusters=count, mean=value)
    known = min(count, telling or count)
    variance = known / (known - 1) * float((influences(statistic, sums) ** 2).sum())
    if not variance > NO_SPREAD:
        return declined("all questions are alike: nothing is known of the spread", n=n, clusters=count, mean=value)
    half = float(stdtrit(known - 1, 0.5 + level / 2)) * np.sqrt(variance)
    return Estimate(Interval(value, float(value - half), float(value + half), n, count), "")
