"""Ratios of two statistics over question clusters, such as the share of a gap that something explains."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from globmed.stats.intervals import Floats, Interval, check_level
from globmed.stats.linearised import NO_SPREAD, Estimate, declined, influences


def ratio(
    parts: Callable[[Floats], Floats],
    sums: Floats,
    *,
    n: int,
    denominator: str,
    telling: int | None = None,
    level: float = 0.95,
) -> Estimate:
    """Return a ratio with Fieller's interval: the ratios r for which numerator - r * denominator may be 0.

    Fieller (1954), "Some problems in interval estimation", JRSS B 16, with cluster-linearised variances and G - 1
    degrees of freedom for G clusters. Unlike the delta method it stays honest where the denominator is known badly, and
    has no finite interval where the denominator may be 0: that is declined.

    Args:
        parts: takes totals [d, F] to numerator and denominator, [d, 2]; scaling all totals changes nothing.
        sums: [G, F] of `cluster_sums`.
        n: number of observations, for the result.
        denominator: in words, for reasons.
        telling: the clusters that the spread is known from, where they are fewer than all.
        level: confidence, such as 0.95.

    Returns:
        The ratio; declined without observations, with fewer than two clusters (the ratio alone is given), and where the
        denominator is not clearly different from 0 at this level.

    Raises:
        UsageError: a level outside 0..1.
    """
    from scipy.special import stdtrit

    check_level(level)
    count = len(sums)
    with np.errstate(divide="ignore", invalid="ignore"):
        above, below = parts(sums.sum(axis=0, keepdims=True))[0] if count else (np.nan, np.nan)
        value = float(above / below)
    if not np.isfinite(value):
        return declined(f"{denominator} is nothing, or there are no observations", n=n, clusters=count)
    if count < 2:
        return declined("fewer than two questions: nothing is known of the spread", n=n, clusters=count, mean=value)
    moved = influences(parts, sums)
    known = min(count, telling or count)
    square = float(stdtrit(known - 1, 0.5 + level / 2)) ** 2 * known / (known - 1)
    (aa, ab), (_, bb) = square * (moved.T @ moved)
    if below**2 <= bb:
        return declined(f"{denominator} is not clearly different from 0", n=n, clusters=count)
    if not bb + aa > NO_SPREAD:
        return declined("all questions are alike: nothing is known of the spread", n=n, clusters=count, mean=value)
    middle, width = above * below - ab, below**2 - bb
    half = np.sqrt(max(middle**2 - width * (above**2 - aa), 0.0))
    return Estimate(Interval(value, float((middle - half) / width), float((middle + half) / width), n, count), "")
