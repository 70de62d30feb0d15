"""Many paired differences at once, such as each model's gap between each language and English, and what holds of all.

Intervals are simultaneous: with 95 % confidence every one of them covers, so the one that stands out may be looked at.
Whole question clusters are drawn, so that the translations of a question, its runs and all models stay together: the
intervals speak of other questions of the kind, given these translations, prompts and models.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from globmed.core.errors import UsageError
from globmed.stats.intervals import Floats, check_level

FEWEST_CLUSTERS = 10
FEWEST_DIFFERING = 8
"""Fewer question clusters, or fewer that differ from the commonest difference, say too little of the spread."""

_ROUNDING = 1e-6
_ALIKE = 1e-12

# Cluster weights held at once: 40 MB.
_WEIGHTS_AT_ONCE = 10_000_000


@dataclass(frozen=True, kw_only=True)
class Differences:
    """What was found of each of C contrasts.

    Attributes:
        estimate: [C], mean paired difference; NaN of no pairs.
        error: [C], its cluster-robust standard error; NaN where declined.
        low: [C], lower bound of the simultaneous interval; NaN where declined.
        high: [C], upper bound.
        p: [C], adjusted p-value of no difference; at most 1 - level exactly where the interval excludes 0.
        pairs: [C], observations with both values.
        clusters: [C], question clusters that they fall into.
        reason: [C], why bounds are NaN; empty where they are given.
        quantile: what the standard error is multiplied by; NaN where every contrast is declined.
    """

    estimate: Floats
    error: Floats
    low: Floats
    high: Floats
    p: Floats
    pairs: NDArray[np.int64]
    clusters: NDArray[np.int64]
    reason: tuple[str, ...]
    quantile: float


def simultaneous_differences(
    differences: ArrayLike,
    clusters: ArrayLike,
    *,
    rng: np.random.Generator,
    draws: int = 10_000,
    level: float = 0.95,
) -> Differences:
    """Return paired differences with simultaneous intervals and the p-values that agree with them.

    The single-step max-T method with a studentised cluster bootstrap: Romano and Wolf (2005), "Exact and approximate
    stepdown methods for multiple hypothesis testing", JASA 100; Davison and Hinkley (1997), Bootstrap Methods and
    their Application, section 5.2. Each draw weighs whole clusters; the difference and its cluster-linearised standard
    error are worked out anew under the weights. The quantile is that of the largest |t| over all contrasts. Intervals
    and p-values come from the same draws: with B of them, p = (1 + number of draws at least as large) / (B + 1).

    `benchmarks/simultaneous.py` measures how often all intervals hold the truth at once. Bounds are declined below
    `FEWEST_CLUSTERS` clusters, and where fewer than `FEWEST_DIFFERING` of them differ from the rest.

    Args:
        differences: [n, C], one row an observation (a question in a run), one column a contrast; NaN where either of
            the two values is missing.
        clusters: [n], whatever names the question cluster of each row.
        rng: seeded generator.
        draws: of the bootstrap.
        level: confidence that all intervals cover.

    Raises:
        UsageError: not one cluster for each row, an infinite value, fewer than 1 / (1 - level) draws, or a level
            outside 0..1.
    """
    check_level(level)
    values, names = np.asarray(differences, dtype=np.float64), np.asarray(clusters)
    if values.ndim != 2 or names.shape != values.shape[:1]:
        raise UsageError(f"found differences {values.shape} and clusters {names.shape}; expected [n, C] and [n]")
    if np.isinf(values).any():
        raise UsageError("found an infinite difference; expected finite numbers, or NaN where a value is missing")
    rank = int((1 - level) * (draws + 1) + 1e-9)
    if rank < 1:
        raise UsageError(f"{draws} draws say nothing at level {level}; expected at least {int(1 / (1 - level))}")
    sums = _cluster_sums(values, names)
    estimate, error = sums.studentised(np.ones((1, sums.count)))
    mean, spread = estimate[0], error[0]
    reason = tuple(map(_why_declined, sums.pairs, sums.clusters, sums.differing()))
    told = np.array([not one for one in reason])
    quantile, p = np.nan, np.full(len(reason), np.nan)
    if told.any():
        largest = np.sort(_largest(sums.of(told), mean[told], rng=rng, draws=draws))
        quantile = float(largest[draws - rank])
        t = np.abs(mean[told]) / spread[told]
        p[told] = (1 + draws - np.searchsorted(largest, t, side="left")) / (draws + 1)
    half = np.where(told, quantile * spread, np.nan)
    return Differences(
        estimate=mean,
        error=np.where(told, spread, np.nan),
        low=mean - half,
        high=mean + half,
        p=p,
        pairs=sums.pairs,
        clusters=sums.clusters,
        reason=reason,
        quantile=quantile,
    )


def _why_declined(pairs: int, clusters: int, differing: int) -> str:
    if not pairs:
        return "no question has both"
    if clusters < FEWEST_CLUSTERS:
        return f"fewer than {FEWEST_CLUSTERS} question clusters"
    if differing < FEWEST_DIFFERING:
        return f"{differing or 'no'} question clusters differ from the rest: too little is known of the spread"
    return ""


@dataclass(frozen=True)
class _Sums:
    """Sums over the observations of each cluster, [G, C], as products of which every draw is made."""

    total: Floats
    number: Floats

    @property
    def count(self) -> int:
        return len(self.total)

    @property
    def pairs(self) -> NDArray[np.int64]:
        return np.asarray(self.number.sum(axis=0), dtype=np.int64)

    @property
    def clusters(self) -> NDArray[np.int64]:
        return np.asarray(np.count_nonzero(self.number, axis=0), dtype=np.int64)

    def of(self, contrasts: NDArray[np.bool_]) -> _Sums:
        return _Sums(self.total[:, contrasts], self.number[:, contrasts])

    def studentised(self, weights: NDArray[np.floating]) -> tuple[Floats, Floats]:
        """Return mean and cluster-linearised standard error, as `variance_of_mean` has it, under weights [B, G]."""
        held = (self.number > 0).astype(np.float64)
        products = (self.total, self.number, self.total**2, self.total * self.number, self.number**2, held)
        total, number, squares, mixed, numbers, clusters = (
            (weights @ product.astype(weights.dtype)).astype(np.float64) for product in products
        )
        with np.errstate(divide="ignore", invalid="ignore"):
            mean = total / number
            residual = squares - 2 * mean * mixed + mean**2 * numbers
            # Rounding leaves something where all clusters are alike.
            residual = np.where(residual <= _ROUNDING * np.maximum(squares, _ROUNDING), 0.0, residual)
            return mean, np.sqrt(clusters / (clusters - 1) * residual) / number

    def differing(self) -> list[int]:
        """Return, for each contrast, how many clusters' mean difference is not that of the one in the middle."""
        counts = []
        for total, number in zip(self.total.T, self.number.T, strict=True):
            means = total[number > 0] / number[number > 0]
            counts.append(int(np.count_nonzero(np.abs(means - np.median(means)) > _ALIKE)) if means.size else 0)
        return counts


def _cluster_sums(values: Floats, names: NDArray[np.generic]) -> _Sums:
    distinct, cluster_of = np.unique(names, return_inverse=True)
    there = np.isfinite(values)
    total, number = np.zeros((2, distinct.size, values.shape[1]))
    np.add.at(total, cluster_of, np.where(there, values, 0.0))
    np.add.at(number, cluster_of, there)
    return _Sums(total, number)


def _largest(sums: _Sums, mean: Floats, *, rng: np.random.Generator, draws: int) -> Floats:
    """Return, for each draw, the largest |t| over the contrasts."""
    largest = np.empty(draws)
    block = max(1, _WEIGHTS_AT_ONCE // sums.count)
    shares = np.full(sums.count, 1 / sums.count)
    # Centred, so that single precision loses nothing where differences are alike.
    centred = _Sums(sums.total - mean * sums.number, sums.number)
    for start in range(0, draws, block):
        size = min(block, draws - start)
        weights = rng.multinomial(sums.count, shares, size=size).astype(np.float32)
        drawn, error = centred.studentised(weights)
        with np.errstate(divide="ignore", invalid="ignore"):
            t = np.abs(drawn) / error
        # A draw without spread cannot be studentised: it is taken for the largest, which widens the intervals.
        largest[start : start + size] = np.where(np.isfinite(t), t, np.inf).max(axis=1)
    return largest
