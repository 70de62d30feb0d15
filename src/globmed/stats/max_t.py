"""Simultaneous intervals of many statistics over the same question clusters, and the p-values that agree with them.

With 95 % confidence all intervals of a family hold at once, so that the one that stands out may be looked at. Whole
clusters are drawn with replacement, one draw for all statistics: the bootstrap distribution of the largest of the
studentised errors sets one bar for the family (single-step max-T: Westfall and Young 1993, Resampling-Based Multiple
Testing; Romano and Wolf 2005, "Exact and approximate stepdown methods for multiple hypothesis testing", JASA 100; valid
for many more statistics than clusters: Chernozhukov, Chetverikov and Kato 2013, "Gaussian approximations and multiplier
bootstrap for maxima of sums of high-dimensional random vectors", Annals of Statistics 41).

Each statistic is linearised (`globmed.stats.columns`), so a draw is a product of cluster weights and influences, and
all draws are a product of matrices. The bar, found on the normal scale, is put on the scale of Student's t with each
statistic's own degrees of freedom: a language with 30 clusters is held to a higher bar than one with 3,000.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr, ndtri, stdtrit

from globmed.core.errors import UsageError
from globmed.stats.columns import Column
from globmed.stats.intervals import Floats, check_level

FEWEST_CLUSTERS = 10
FEWEST_DIFFERING = 8
"""Fewer question clusters, or fewer that differ from the commonest value, say too little of the spread."""

# Cluster weights held at once, in single precision: 16 MB.
_WEIGHTS_AT_ONCE = 4_000_000
# Of a bar between 0 and 37: known to 1e-13.
_HALVINGS = 48


@dataclass(frozen=True, kw_only=True)
class Errors:
    """How C statistics err, and together.

    Attributes:
        estimate: [C].
        variances: [F, C], variance by source: the clusters, then each crossed factor; NaN where declined.
        degrees: [F, C], degrees of freedom that each is known with.
        parts: [G, C], parts of the error by cluster, scaled so that their squares sum to the clusters' share of the
            variance: 1 where clusters alone were sampled.
        n: [C], observations.
        clusters: [C], clusters with an observation.
        reason: [C], why there is no error; empty where there is one.
    """

    estimate: Floats
    variances: Floats
    degrees: Floats
    parts: NDArray[np.float32]
    n: NDArray[np.int64]
    clusters: NDArray[np.int64]
    reason: tuple[str, ...]

    @property
    def error(self) -> Floats:
        """[C], standard error; NaN where declined."""
        return np.asarray(np.sqrt(self.variances.sum(axis=0)))

    @property
    def told(self) -> NDArray[np.bool_]:
        """[C], whether a statistic has an error."""
        return np.array([not why for why in self.reason], dtype=bool)


@dataclass(frozen=True, kw_only=True)
class Simultaneous:
    """C statistics with intervals that hold together.

    Attributes:
        estimate: [C]; NaN of no observations.
        error: [C], cluster-robust standard error; NaN where declined.
        low: [C], lower bound; NaN where declined.
        high: [C], upper bound.
        p: [C], adjusted p-value of the statistic being 0: below 1 - level exactly where the interval excludes 0.
        n: [C], observations.
        clusters: [C], clusters with an observation.
        reason: [C], why bounds are NaN; empty where they are given.
        bar: what the largest error stayed below in `level` of the draws, as a normal quantile; NaN if all declined.
    """

    estimate: Floats
    error: Floats
    low: Floats
    high: Floats
    p: Floats
    n: NDArray[np.int64]
    clusters: NDArray[np.int64]
    reason: tuple[str, ...]
    bar: float

    def part(self, start: int, end: int) -> Simultaneous:
        """Return the statistics of these places, the end left out, as found in the whole family."""
        columns = ("estimate", "error", "low", "high", "p", "n", "clusters", "reason")
        return replace(self, **{name: getattr(self, name)[start:end] for name in columns})


def errors_of(columns: Sequence[Column]) -> Errors:
    """Return how columns err where clusters alone were sampled; degrees of freedom are clusters - 1.

    Raises:
        UsageError: no column.
    """
    if not columns:
        raise UsageError("found no statistic; expected at least one")
    reason = tuple(map(why_declined, columns))
    told, influence = np.array([not why for why in reason]), np.array([column.influence for column in columns])
    clusters, squares = np.array([column.clusters for column in columns], dtype=np.int64), (influence**2).sum(axis=1)
    scale = np.sqrt(squares, where=told, out=np.ones(told.size))
    return Errors(
        estimate=np.array([column.estimate for column in columns]),
        variances=np.where(told, clusters / np.maximum(clusters - 1, 1) * squares, np.nan)[None],
        degrees=np.asarray(clusters - 1.0, dtype=np.float64)[None],
        parts=np.where(told[:, None], influence / scale[:, None], 0.0).T.astype(np.float32),
        n=np.array([column.n for column in columns], dtype=np.int64),
        clusters=clusters,
        reason=reason,
    )


def why_declined(column: Column) -> str:
    """Return why a column gets no interval; empty where it gets one."""
    if not column.n:
        return "no observation"
    if column.clusters < 2:
        return "fewer than two question clusters: nothing is known of the spread"
    if column.clusters < FEWEST_CLUSTERS:
        return f"fewer than {FEWEST_CLUSTERS} question clusters"
    if column.differing < FEWEST_DIFFERING:
        return f"all but {column.differing} question clusters are alike: too little is known of the spread"
    return ""


def joined(families: Sequence[Errors]) -> Errors:
    """Return statistics over the same clusters as one family; a source of error that one lacks is 0 in it.

    Raises:
        UsageError: no family, or numbers of clusters that differ.
    """
    if not families or len({len(one.parts) for one in families}) != 1:
        raise UsageError("expected at least one family of statistics, all over the same clusters")
    sources = max(len(one.variances) for one in families)
    return Errors(
        estimate=np.concatenate([one.estimate for one in families]),
        variances=np.hstack([_padded(one.variances, one.variances[:1] * 0, sources) for one in families]),
        degrees=np.hstack([_padded(one.degrees, one.degrees[:1], sources) for one in families]),
        parts=np.hstack([one.parts for one in families]),
        n=np.concatenate([one.n for one in families]),
        clusters=np.concatenate([one.clusters for one in families]),
        reason=tuple(why for one in families for why in one.reason),
    )


def unadjusted(found: Errors, *, level: float = 0.95) -> Simultaneous:
    """Return the interval and p-value of each statistic by itself, for what is looked at without being declared.

    Student's t with each statistic's own degrees of freedom; nothing is held together, so of many true nulls
    1 - level are rejected.

    Raises:
        UsageError: a level outside 0..1.
    """
    check_level(level)
    bar = float(ndtri(0.5 + level / 2))
    half = np.where(found.told, half_widths(found, bar), np.nan)
    return Simultaneous(
        estimate=found.estimate,
        error=found.error,
        low=found.estimate - half,
        high=found.estimate + half,
        p=np.where(found.told, 2 * ndtr(-_bar_to_zero(found)), np.nan),
        n=found.n,
        clusters=found.clusters,
        reason=found.reason,
        bar=bar,
    )


def simultaneous(found: Errors, *, rng: np.random.Generator, draws: int = 10_000, level: float = 0.95) -> Simultaneous:
    """Return intervals that hold together and adjusted p-values of 0, both of the same draws.

    With B draws, p is (1 + the draws whose largest error is at least as large) / (B + 1) (Phipson and Smyth 2010,
    "Permutation p-values should never be zero", Statistical Applications in Genetics and Molecular Biology 9).

    Args:
        found: the family: what is declined in it takes no part.
        rng: seeded generator.
        draws: of the bootstrap.
        level: confidence that all intervals hold.

    Raises:
        UsageError: too few draws for the level, or a level outside 0..1.
    """
    draws_above(draws, level=level)
    blocks = drawn_errors(found, rng=rng, draws=draws) if found.told.any() else ()
    largest = [np.abs(errors).max(axis=1) for errors in blocks] or [np.full(draws, np.nan)]
    return held_together(found, np.concatenate(largest), level=level)


def held_together(found: Errors, largest: ArrayLike, *, level: float = 0.95) -> Simultaneous:
    """Return what `simultaneous` does, by draws made elsewhere.

    Args:
        found: the family.
        largest: [B], of each draw the largest error of the statistics told, each error of variance 1 and taken as
            positive; NaN where none is told.
        level: confidence that all intervals hold.

    Raises:
        UsageError: too few draws for the level, or a level outside 0..1.
    """
    ordered = np.sort(np.asarray(largest, dtype=np.float64))
    rank = draws_above(ordered.size, level=level)
    told, error = found.told, found.error
    bar, p, half = np.nan, np.full(error.size, np.nan), np.full(error.size, np.nan)
    if told.any():
        bar = float(ordered[ordered.size - rank])
        half[told] = half_widths(found, bar)[told]
        p[told] = (1 + _draws_as_far(found, ordered)[told]) / (ordered.size + 1)
    return Simultaneous(
        estimate=found.estimate,
        error=error,
        low=found.estimate - half,
        high=found.estimate + half,
        p=p,
        n=found.n,
        clusters=found.clusters,
        reason=found.reason,
        bar=bar,
    )


def draws_above(draws: int, *, level: float) -> int:
    """Return how many draws lie at or above the bar: the fewest that make p at least 1 - level.

    Raises:
        UsageError: not even one, or a level outside 0..1.
    """
    check_level(level)
    rank = int(np.ceil((1 - level) * (draws + 1) - 1e-9)) - 1
    if rank < 1:
        raise UsageError(
            f"{draws} draws are too few for level {level}; expected at least {int(1 / (1 - level) + 1e-9)}"
        )
    return rank


def drawn_errors(found: Errors, *, rng: np.random.Generator, draws: int) -> Iterator[NDArray[np.float32]]:
    """Yield draws of the errors of the statistics told, each of variance 1, in blocks [B, told].

    What is not of the clusters is drawn from the normal distribution, for each statistic by itself: how a few prompts
    move two languages together cannot be told from a few prompts, and by itself is the safe side.
    """
    parts = found.parts[:, found.told]
    rest = np.sqrt(np.maximum(1 - (parts**2).sum(axis=0), 0))
    for weights in weight_blocks(len(parts), draws, rng=rng):
        errors = weights @ parts
        if len(found.variances) > 1:
            errors += rng.standard_normal(errors.shape, dtype=np.float32) * rest
        yield errors


def weight_blocks(clusters: int, draws: int, *, rng: np.random.Generator) -> Iterator[NDArray[np.float32]]:
    """Yield `cluster_weights` of all draws in blocks [B, G] that fit into memory."""
    at_once = max(1, _WEIGHTS_AT_ONCE // clusters)
    for start in range(0, draws, at_once):
        yield cluster_weights(clusters, min(at_once, draws - start), rng=rng)


def cluster_weights(clusters: int, draws: int, *, rng: np.random.Generator) -> NDArray[np.float32]:
    """Return how often each cluster is drawn when as many are drawn with replacement as there are, [draws, G]."""
    picked = rng.integers(0, clusters, size=(draws, clusters))
    picked += np.arange(draws)[:, None] * clusters
    return np.bincount(picked.ravel(), minlength=draws * clusters).astype(np.float32).reshape(draws, clusters)


def half_widths(found: Errors, bar: float | Floats) -> Floats:
    """Return half the width of each interval, [C], for a bar on the normal scale, at or above 0, or one for each.

    Where the variance has several sources each has its own quantile of Student's t, as rare as the bar: the square of
    half the width is the sum of variances times squared quantiles, which holds at least as often as it should
    (Banerjee 1960, "Approximate confidence interval for linear functions of means of k populations when the population
    variances are not equal", Sankhya 22). Degrees of freedom of the sum, after Satterthwaite, would be too many.
    """
    return np.asarray(np.sqrt((found.variances * _quantiles(found.degrees, bar) ** 2).sum(axis=0)))


def _quantiles(degrees: Floats, bar: float | Floats) -> Floats:
    """Return the quantile of Student's t that is as rare as the bar on the normal scale, [F, C].

    Most statistics share their degrees of freedom and many their bar, and finding a quantile takes a microsecond: each
    pair of them is looked up once. As complex numbers, pairs sort fast.
    """
    pairs, at = np.unique(degrees + 1j * np.asarray(bar), return_inverse=True)
    return np.asarray(stdtrit(pairs.real, ndtr(-pairs.imag))[at.reshape(degrees.shape)])


def _padded(rows: Floats, filler: Floats, count: int) -> Floats:
    return np.vstack([rows, *[filler] * (count - len(rows))])


def _bar_to_zero(found: Errors) -> Floats:
    """Return the bar that takes each interval exactly to 0, by bisection; at most 37, where p is below 1e-298."""
    low, high = np.zeros(found.estimate.size), np.full(found.estimate.size, 37.0)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        short = half_widths(found, middle) < np.abs(found.estimate)
        low, high = np.where(short, middle, low), np.where(short, high, middle)
    return np.asarray((low + high) / 2)


def _draws_as_far(found: Errors, largest: Floats) -> NDArray[np.int64]:
    """Return, for each statistic, how many draws as bars would reach from its estimate to 0; `largest` is sorted.

    The same comparison as that of the bounds with 0, so that an interval and its p-value never part.
    """
    size = np.abs(found.estimate)
    nearer, farther = np.zeros(size.size, dtype=np.int64), np.full(size.size, largest.size)
    while (nearer < farther).any():
        middle = (nearer + farther) // 2
        short = (half_widths(found, largest[np.minimum(middle, largest.size - 1)]) < size) & (nearer < farther)
        nearer, farther = np.where(short, middle + 1, nearer), np.where(short, farther, middle)
    return np.asarray(largest.size - nearer)
