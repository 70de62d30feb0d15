"""Statistics side by side as columns: each an estimate and what every question cluster adds to its error.

A gap, a mean over a tier of languages or a difference of two models is a ratio of totals over clusters, or a mean of
such ratios. To first order its error is a sum over clusters of independent parts, its influence (linearisation: Binder
1983, "On the variances of asymptotically normal estimators from complex surveys", International Statistical Review 51).
All columns of one table share their clusters, so that what happens to one question happens to all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from globmed.core.errors import UsageError
from globmed.stats.intervals import Floats

# Means of clusters this near are the same but for rounding.
ALIKE = 1e-9


@dataclass(frozen=True)
class Clusters:
    """Question clusters numbered.

    Attributes:
        of: [n], the cluster of each observation, from 0.
        count: how many.
    """

    of: NDArray[np.intp]
    count: int


@dataclass(frozen=True, kw_only=True)
class Column:
    """One statistic.

    Attributes:
        estimate: its value; NaN of no observations.
        influence: [G], what each cluster adds to the error of the estimate; sums to 0.
        n: observations it is made of.
        clusters: clusters with an observation.
        differing: of these, those whose mean is not the middle one: where few differ, little is known of the spread.
    """

    estimate: float
    influence: Floats
    n: int
    clusters: int
    differing: int

    @cached_property
    def error(self) -> float:
        """The cluster-robust standard error, with the factor G / (G - 1); NaN for fewer than two clusters."""
        if self.clusters < 2:
            return np.nan
        return float(np.sqrt(self.clusters / (self.clusters - 1) * (self.influence**2).sum()))


def numbered(names: ArrayLike) -> Clusters:
    """Number clusters named in any way.

    Raises:
        UsageError: not one name an observation.
    """
    given = np.asarray(names)
    if given.ndim != 1:
        raise UsageError(f"found cluster names {given.shape}; expected [n], one for each observation")
    distinct, of = np.unique(given, return_inverse=True)
    return Clusters(of, distinct.size)


def mean_column(values: ArrayLike, clusters: Clusters, *, weights: ArrayLike | None = None) -> Column:
    """Return the (weighted) mean of the values that are there, a ratio of two totals over clusters.

    Args:
        values: [n]; NaN where missing.
        clusters: of each observation.
        weights: [n], such as to let sources count alike; 1 each where None. An observation of weight 0 is left out.

    Raises:
        UsageError: lengths that do not fit, an infinite value, or a weight below 0 or not finite.
    """
    numbers = np.asarray(values, dtype=np.float64)
    share = np.ones(numbers.shape) if weights is None else np.asarray(weights, dtype=np.float64)
    if not numbers.shape == share.shape == clusters.of.shape:
        raise UsageError(f"found values {numbers.shape}, weights {share.shape}, clusters {clusters.of.shape}; all [n]")
    if not (np.isfinite(share).all() and (share >= 0).all()):
        raise UsageError("found a weight below 0 or not finite")
    return _means(numbers[None], clusters, share[None])[0]


def mean_columns(values: ArrayLike, clusters: Clusters) -> list[Column]:
    """Return the mean of each row, as `mean_column` does, at a hundredth of the time for many short rows.

    Args:
        values: [C, n]; NaN where missing.
        clusters: of each observation.

    Raises:
        UsageError: shapes that do not fit, or an infinite value.
    """
    table = np.asarray(values, dtype=np.float64)
    if table.shape != (len(table), clusters.of.size):
        raise UsageError(f"found values {table.shape}, clusters {clusters.of.shape}; expected [C, n] and [n]")
    return _means(table, clusters, np.ones(table.shape))


def mean_of(columns: Sequence[Column]) -> Column:
    """Return the plain mean of statistics over the same clusters, such as of the gaps of a tier's languages.

    Clusters and observations are those of the column that has the fewest, as are those that differ: a mean is known
    no better than its least known part is seen. NaN where a part is.

    Raises:
        UsageError: no column.
    """
    if not columns:
        raise UsageError("a mean of no statistics; expected at least one")
    return Column(
        estimate=float(np.mean([column.estimate for column in columns])),
        influence=np.mean([column.influence for column in columns], axis=0),
        n=min(column.n for column in columns),
        clusters=min(column.clusters for column in columns),
        differing=min(column.differing for column in columns),
    )


def _means(values: Floats, clusters: Clusters, share: Floats) -> list[Column]:
    """Return the weighted mean of each row of `values`, [C, n]; `share` has the weights."""
    if np.isinf(values).any():
        raise UsageError("found an infinite value; NaN stands for a missing one")
    there = np.isfinite(values) & (share > 0)
    share = np.where(there, share, 0.0)
    cell = clusters.of + np.arange(len(values))[:, None] * clusters.count
    sums, sizes = (
        np.bincount(cell.ravel(), of_each.ravel(), minlength=len(values) * clusters.count).reshape(len(values), -1)
        for of_each in (np.where(there, values, 0.0) * share, share)
    )
    told, total = (sizes > 0).sum(axis=1), sizes.sum(axis=1)
    # Nothing by nothing is NaN: of a row without observations, and of a cluster without any in its row.
    with np.errstate(invalid="ignore"):
        estimate, means = sums.sum(axis=1) / total, sums / sizes
        influence = (sums - estimate[:, None] * sizes) / total[:, None]
    influence[told == 0] = 0.0
    differing = (np.abs(means - _middle(means, told)[:, None]) > ALIKE).sum(axis=1)
    rows = zip(estimate.tolist(), influence, there.sum(axis=1).tolist(), told.tolist(), differing.tolist(), strict=True)
    return [Column(estimate=e, influence=i, n=n, clusters=k, differing=d) for e, i, n, k, d in rows]


def _middle(means: Floats, told: NDArray[np.intp]) -> Floats:
    """Return the median of each row's `told` numbers; the others are NaN, which sorts last."""
    rows, ordered = np.arange(len(means)), np.sort(means, axis=1)
    return np.asarray((ordered[rows, (told - 1) // 2] + ordered[rows, told // 2]) / 2)
