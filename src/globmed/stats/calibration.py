"""Whether a model's confidence is the share of its answers that are right: calibration error and Brier score.

A confidence is the probability that a model gives to the answer it chose. The binned error of a perfectly calibrated
model is not 0: chance alone moves each bin's share of right answers, the more the fewer answers are in it. So the plain
error stands beside what a calibrated model would show on these data, and an error freed of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from globmed.core.errors import UsageError
from globmed.stats.comparison import cluster_bootstrap
from globmed.stats.intervals import Clustered, Floats, Interval, check_level, clustered
from globmed.stats.linearised import Estimate, cluster_sums, declined, linearised

Binning = Literal["width", "mass"]

_FEW = "fewer than two questions: nothing is known of the spread"


class Bin(NamedTuple):
    """Answers of like confidence.

    Attributes:
        n: answers.
        confidence: their mean confidence.
        accuracy: share of them that is right.
    """

    n: int
    confidence: float
    accuracy: float


@dataclass(frozen=True, kw_only=True)
class CalibrationError:
    """Binned calibration error, 0 to 1.

    Attributes:
        ece: expected calibration error as it is usually given: mean distance of confidence and accuracy over the bins,
            weighted by their answers. Too high by up to `if_calibrated`; its bounds are declined where it is less than
            twice that.
        if_calibrated: what `ece` would be on average for a perfectly calibrated model on so many answers.
        rms: root mean squared distance, freed of chance, with an interval that is freed of it too.
        bins: those that hold answers, by confidence.
    """

    ece: Estimate
    if_calibrated: float
    rms: Estimate
    bins: tuple[Bin, ...]


@dataclass(frozen=True, kw_only=True)
class Brier:
    """Brier score, 0 (sure and right) to 1 (sure and wrong), and its parts: reliability - resolution + uncertainty.

    Attributes:
        score: mean squared distance of confidence from right (1) or wrong (0).
        reliability: mean squared distance of confidence and accuracy over the bins; less is better.
        resolution: mean squared distance of the bins' accuracies from the whole; more is better.
        uncertainty: accuracy times its complement, which no model of this accuracy can change.
        within_bins: what the parts leave of the score, because confidences within a bin differ.
    """

    score: Estimate
    reliability: Estimate
    resolution: Estimate
    uncertainty: float
    within_bins: float


def calibration_error(
    confidence: ArrayLike,
    correct: ArrayLike,
    clusters: ArrayLike,
    *,
    rng: np.random.Generator,
    binning: Binning = "mass",
    bins: int = 10,
    draws: int = 2000,
    level: float = 0.95,
) -> CalibrationError:
    """Return the expected calibration error and the debiased root mean squared one, clustered by question.

    Expected calibration error: Naeini, Cooper and Hauskrecht (2015), "Obtaining well calibrated probabilities using
    Bayesian binning", AAAI. Bins of equal mass are less biased than those of equal width: Roelofs, Cain, Shlens and
    Mozer (2022), "Mitigating bias in calibration error estimation", AISTATS. The debiased square: Kumar, Liang and Ma
    (2019), "Verified uncertainty calibration", NeurIPS, with variances between questions. Bounds are percentiles of a
    bootstrap of questions (Davison and Hinkley 1997, section 5.3), those of the square less twice what chance adds to
    it, for the draws add their own. The root mean square is never below the expected calibration error, so its upper
    bound is one for both. Coverage of 95 % intervals at 104 and 500 questions of two answers: of the root mean square
    95 to 96 % where confidences are too high by 0.1 or 0.2 (400 draws), above 99 % where by 0.05 or nothing, for a root
    cannot fall below 0; of the plain error, where it has bounds, 93 to 96 %.

    Args:
        confidence: [n], probability given to the answer chosen, 0 to 1.
        correct: [n], whether it was right.
        clusters: [n], whatever names the question of each.
        rng: seeded generator of the bootstrap.
        binning: bins of equal width, or of equally many answers (equal confidences stay together).
        bins: how many at most.
        draws: of the bootstrap.
        level: confidence of the bounds, such as 0.95.

    Returns:
        The errors; declined for no answers, bounds alone for fewer than two clusters.

    Raises:
        UsageError: arrays of different length, a confidence outside 0..1, values of `correct` other than true and
            false, no bins, no draws, or a level outside 0..1.
    """
    said, right = _checked(confidence, correct, clusters, level)
    n = said.values.size
    if not n:
        none = declined("no answers", n=0, clusters=0)
        return CalibrationError(ece=none, if_calibrated=np.nan, rms=none, bins=())
    sums = _bin_sums(said, right, clusters, binning=binning, bins=bins)
    held, gaps = sums[:, 0].sum(axis=0), sums[:, 2] - sums[:, 1]
    count, shares = said.clusters, held / n
    errors = np.full(held.size, np.nan)
    if count >= 2:
        errors = np.sqrt(count / (count - 1) * ((gaps - gaps.mean(axis=0)) ** 2).sum(axis=0)) / n
    by_chance = float((errors**2 / shares).sum())
    # The mean distance from 0 of normal errors.
    if_calibrated = float(np.sqrt(2 / np.pi) * errors.sum())

    def distance(weights: Floats) -> Floats:
        return np.asarray(np.abs(weights @ gaps).sum(axis=1) / (weights @ sums[:, 0]).sum(axis=1))

    def square(weights: Floats) -> Floats:
        drawn = weights @ sums[:, 0]
        squares = np.divide((weights @ gaps) ** 2, drawn, out=np.zeros(drawn.shape), where=drawn > 0)
        return np.asarray(squares.sum(axis=1) / drawn.sum(axis=1))

    plain = cluster_bootstrap(distance, np.arange(count), draws=draws, rng=rng, level=level)
    squared = cluster_bootstrap(square, np.arange(count), draws=draws, rng=rng, level=level)
    return CalibrationError(
        ece=_unless_chance(_estimate(plain, n), if_calibrated),
        if_calibrated=if_calibrated,
        rms=_estimate(_debiased_root(squared, by_chance), n),
        bins=tuple(
            Bin(int(m), float(p / m), float(y / m)) for m, p, y in zip(held, *sums[:, 1:].sum(axis=0), strict=True)
        ),
    )


def brier(
    confidence: ArrayLike,
    correct: ArrayLike,
    clusters: ArrayLike,
    *,
    rng: np.random.Generator,
    binning: Binning = "mass",
    bins: int = 10,
    draws: int = 2000,
    level: float = 0.95,
) -> Brier:
    """Return the Brier score and its parts, clustered by question.

    Brier (1950), "Verification of forecasts expressed in terms of probability", Monthly Weather Review 78; parts of
    Murphy (1973), "A new vector partition of the probability score", Journal of Applied Meteorology 12, which fit
    exactly where all confidences of a bin are the same. The score, a mean, has a linearised t interval; reliability and
    resolution have percentile intervals of a bootstrap of questions and are both too high by chance (Bröcker 2012,
    "Estimating reliability and resolution of probability forecasts", Climate Dynamics 39).

    Args:
        confidence: [n], probability given to the answer chosen, 0 to 1.
        correct: [n], whether it was right.
        clusters: [n], whatever names the question of each.
        rng: seeded generator of the bootstrap.
        binning: as in `calibration_error`.
        bins: how many at most.
        draws: of the bootstrap.
        level: confidence of the bounds, such as 0.95.

    Returns:
        The score and its parts; declined for no answers, bounds alone for fewer than two clusters.

    Raises:
        UsageError: as `calibration_error`.
    """
    said, right = _checked(confidence, correct, clusters, level)
    n = said.values.size
    if not n:
        none = declined("no answers", n=0, clusters=0)
        return Brier(score=none, reliability=none, resolution=none, uncertainty=np.nan, within_bins=np.nan)
    distances = np.column_stack([(said.values - right.values) ** 2, np.ones(n)])
    score = linearised(
        lambda totals: np.asarray(totals[:, 0] / totals[:, 1]),
        cluster_sums(distances, clusters),
        n=n,
        undefined="no answers",
        level=level,
    )
    sums = _bin_sums(said, right, clusters, binning=binning, bins=bins)

    def parts(weights: Floats) -> tuple[Floats, Floats]:
        held, expected, found = (weights @ sums[:, k] for k in range(3))
        total = held.sum(axis=1, keepdims=True)
        whole = found.sum(axis=1, keepdims=True) / total
        share = np.divide(1, held, out=np.zeros(held.shape), where=held > 0)
        off, apart = (found - expected) ** 2 * share, (found - whole * held) ** 2 * share
        return off.sum(axis=1) / total[:, 0], apart.sum(axis=1) / total[:, 0]

    names, accuracy = np.arange(said.clusters), float(right.values.mean())
    reliability, resolution = (
        cluster_bootstrap(lambda weights, k=k: parts(weights)[k], names, draws=draws, rng=rng, level=level)  # type: ignore[misc]
        for k in range(2)
    )
    uncertainty = accuracy * (1 - accuracy)
    return Brier(
        score=score,
        reliability=_estimate(reliability, n),
        resolution=_estimate(resolution, n),
        uncertainty=uncertainty,
        within_bins=score.interval.mean - (reliability.mean - resolution.mean + uncertainty),
    )


def _checked(
    confidence: ArrayLike, correct: ArrayLike, clusters: ArrayLike, level: float
) -> tuple[Clustered, Clustered]:
    check_level(level)
    said, right = clustered(confidence, clusters), clustered(correct, clusters)
    if ((said.values < 0) | (said.values > 1)).any():
        raise UsageError("found a confidence outside 0..1; expected probabilities")
    if not np.isin(right.values, (0.0, 1.0)).all():
        raise UsageError("an answer is right or wrong (1 or 0); found another value")
    return said, right


def _bin_sums(said: Clustered, right: Clustered, clusters: ArrayLike, *, binning: Binning, bins: int) -> Floats:
    """Return answers, confidence and right answers of each cluster in each bin that holds any, [G, 3, bins]."""
    if bins < 1:
        raise UsageError(f"found {bins} bins; expected at least 1")
    steps = np.arange(1, bins) / bins
    edges = steps if binning == "width" else np.unique(np.quantile(said.values, steps))
    which: NDArray[np.intp] = np.searchsorted(edges, said.values, side="left")
    member = (which[:, None] == np.unique(which)).astype(np.float64)
    features = np.column_stack([member, member * said.values[:, None], member * right.values[:, None]])
    return cluster_sums(features, clusters).reshape(said.clusters, 3, -1)


def _unless_chance(found: Estimate, if_calibrated: float) -> Estimate:
    """Take the bounds from an error that a calibrated model could nearly show: there no bootstrap covers."""
    mean = found.interval.mean
    if found.reason or mean >= 2 * if_calibrated:
        return found
    reason = f"a calibrated model would show {if_calibrated:.3f} on as many answers: see the root mean square"
    return declined(reason, n=found.interval.n, clusters=found.interval.clusters, mean=mean)


def _debiased_root(found: Interval, by_chance: float) -> Interval:
    """Take from a mean square what chance adds to it (twice in the draws, which add their own), and its root."""
    moved = np.array([found.mean - by_chance, found.low - 2 * by_chance, found.high - 2 * by_chance])
    mean, low, high = np.sqrt(np.maximum(moved, 0.0))
    return found._replace(mean=float(mean), low=float(low), high=float(high))


def _estimate(found: Interval, n: int) -> Estimate:
    return Estimate(found._replace(n=n), "" if found.clusters >= 2 else _FEW)
