"""What a judge model's verdicts are worth: its errors against human labels, and results corrected for them.

The share of replies that a judge calls right is not the share that is right. Where people labelled some of the replies
in a language, the judge's sensitivity and specificity there are known within limits, and the share can be corrected, at
the price of a wider interval; where nobody did, it cannot. The correction holds while the judge errs alike on labelled
and unlabelled replies of one true label: labels should be of replies drawn at random from those judged.

Coverage of 95 % intervals, measured by `benchmarks/judge_coverage.py`, is stated with each function.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from globmed.core.errors import UsageError
from globmed.stats.intervals import Clustered, Floats, Interval, clustered, clustered_proportion
from globmed.stats.linearised import Estimate, cluster_sums, declined, influences, linearised

# Questions with a right (and with a wrong) reply labelled by a person below which no correction is given: coverage was
# measured down to this and no lower.
FEWEST_LABELLED = 20


class JudgeQuality(NamedTuple):
    """How a judge's verdicts stand to human labels.

    Attributes:
        sensitivity: share of the replies that people call right which the judge calls right too.
        specificity: share of those that people call wrong which the judge calls wrong too.
    """

    sensitivity: Interval
    specificity: Interval


class CorrectedShare(NamedTuple):
    """A share of right replies as a judge sees it and as corrected.

    Attributes:
        judged: what the judge says, uncorrected; its interval knows nothing of the judge's errors.
        corrected: the estimate of what people would say, or why there is none.
        quality: the judge's errors that it was corrected by.
    """

    judged: Interval
    corrected: Estimate
    quality: JudgeQuality


def judge_quality(labels: ArrayLike, verdicts: ArrayLike, clusters: ArrayLike, *, level: float = 0.95) -> JudgeQuality:
    """Return a judge's sensitivity and specificity against human labels, with intervals clustered by question.

    Args:
        labels: [n], whether people call each reply right (true or false, 1 or 0).
        verdicts: [n], whether the judge does; leave out unreadable verdicts and count them elsewhere.
        clusters: [n], whatever names the question of each reply.
        level: confidence, such as 0.95.

    Returns:
        Both intervals; NaN where no reply has that label.

    Raises:
        UsageError: arrays of different length, values other than true and false, or a level outside 0..1.
    """
    truth, said, names = _checked_calibration(labels, verdicts, clusters)
    right = truth == 1
    return JudgeQuality(
        clustered_proportion(said[right], names[right], level=level),
        clustered_proportion(1 - said[~right], names[~right], level=level),
    )


def corrected_share(
    verdicts: ArrayLike,
    clusters: ArrayLike,
    *,
    labels: ArrayLike,
    labelled_verdicts: ArrayLike,
    labelled_clusters: ArrayLike,
    level: float = 0.95,
) -> CorrectedShare:
    """Return the share of right replies, corrected for the errors that the judge was seen to make.

    The estimate is (judged share + specificity - 1) / (sensitivity + specificity - 1), kept in 0..1: Rogan and Gladen
    (1978), "Estimating prevalence from the results of a screening test", American Journal of Epidemiology 107. The
    interval is that of Lang and Reiczigel (2014), "Confidence limits for prevalence of disease adjusted for estimated
    sensitivity and specificity", Preventive Veterinary Medicine 113, which knows the uncertainty of all three shares.
    Questions are clusters in it: each share has the effective size of its design effect (as Korn and Graubard 1998 for
    one share), questions in both samples correlate, and t stands for the normal quantile, with one degree of freedom
    less than the questions of the share that has the fewest.

    Args:
        verdicts: [n], the judge's verdicts on the replies in question (true or false).
        clusters: [n], whatever names the question of each.
        labels: [m], human labels of the calibration replies; `labelled_verdicts` and `labelled_clusters` go with them.
        labelled_verdicts: [m], the judge's verdicts on these.
        labelled_clusters: [m], their questions, named as in `clusters`.
        level: confidence, such as 0.95.

    Coverage of 95 % intervals over 5,000 draws a setting (true shares 0.05 to 0.95, sensitivity and specificity 0.9 and
    0.9 or 0.97 and 0.7, three replies a question alike by 0.3, the judge's errors by 0.2, 60 to 300 labelled questions
    beside 104 or 500 judged): 94.6 to 96.2 %. With 60 or 104 labelled questions and a true share of 0.05 or 0.95 the
    rarer label is too rare: 99 to 100 % of the draws are declined. With 20 to 25 of the rarer label: 95 to 98 %.

    Returns:
        The judged and the corrected share. The correction is declined with fewer than 20 questions of either label,
        fewer than two questions judged, and where sensitivity + specificity is not clearly above 1 (its lower bound at
        `level`): the judge then tells right from wrong no better than a coin, and no interval would be finite. Also
        where the judged share is so low or high that no true share explains it.

    Raises:
        UsageError: arrays of different length, values other than true and false, or a level outside 0..1.
    """
    from scipy.special import stdtrit

    quality = judge_quality(labels, labelled_verdicts, labelled_clusters, level=level)
    judged = clustered_proportion(verdicts, clusters, level=level)
    short = min(quality.sensitivity.clusters, quality.specificity.clusters)
    if short < FEWEST_LABELLED:
        reason = f"people labelled {short} questions with the rarer label; at least {FEWEST_LABELLED} are needed"
        return CorrectedShare(judged, declined(reason, n=judged.n, clusters=judged.clusters), quality)
    if judged.clusters < 2:
        reason = "fewer than two questions were judged"
        return CorrectedShare(judged, declined(reason, n=judged.n, clusters=judged.clusters), quality)
    truth, said, names = _checked_calibration(labels, labelled_verdicts, labelled_clusters)
    seen = _seen(clustered(verdicts, clusters), np.asarray(clusters), truth, said, names)
    half_of_skill = float(stdtrit(short - 1, 0.5 + level / 2)) * np.sqrt(seen.variance_of(np.array([0.0, 1.0, 1.0])))
    if quality.sensitivity.mean + quality.specificity.mean - 1 <= half_of_skill:
        reason = "sensitivity + specificity is not clearly above 1: the judge does not tell right from wrong"
        return CorrectedShare(judged, declined(reason, n=judged.n, clusters=judged.clusters), quality)
    return CorrectedShare(judged, _lang_reiczigel(seen, judged, level=level), quality)


def prediction_powered_mean(
    scores: ArrayLike,
    clusters: ArrayLike,
    *,
    labels: ArrayLike,
    labelled_scores: ArrayLike,
    labelled_clusters: ArrayLike,
    weight: float | None = None,
    level: float = 0.95,
) -> Estimate:
    """Return the mean that people would give, from a judge's scores of many replies and people's of a few.

    Angelopoulos, Bates, Fannjiang, Jordan and Zrnic (2023), "Prediction-powered inference", Science 382; the weight of
    the judge as in Angelopoulos, Duchi and Zrnic (2023), "PPI++: efficient prediction-powered inference". Valid however
    bad the judge is, as long as the labelled replies are a random sample of those in question; a bad judge only adds
    nothing. The interval is clustered by question and knows that questions are in both samples. Coverage of 95 %
    intervals over 5,000 draws, 20 and 104 labelled questions: 94 to 95 %, for a judge that knows much or nothing.

    Args:
        scores: [n], the judge's scores of the replies without label.
        clusters: [n], whatever names the question of each.
        labels: [m], people's scores, on the scale that the mean is wanted on.
        labelled_scores: [m], the judge's scores of the same replies.
        labelled_clusters: [m], their questions, named as in `clusters`.
        weight: how much the judge counts, 1 as in the first paper; None for the one of least variance, within 0..1.
        level: confidence, such as 0.95.

    Returns:
        The estimate; declined with fewer than 20 labelled questions or no reply without label.

    Raises:
        UsageError: arrays of different length, a score that is not finite, or a level outside 0..1.
    """
    unlabelled = clustered(scores, clusters)
    gold, guessed = clustered(labels, labelled_clusters), clustered(labelled_scores, labelled_clusters)
    n, m = unlabelled.values.size, gold.values.size
    if gold.clusters < FEWEST_LABELLED or not n:
        reason = f"people scored {gold.clusters} questions; at least {FEWEST_LABELLED} are needed"
        return declined(reason if n else "no reply without label", n=n + m, clusters=unlabelled.clusters)
    lam = _best_weight(unlabelled.values, gold.values, guessed.values) if weight is None else weight
    names = np.concatenate([np.asarray(clusters), np.asarray(labelled_clusters)])
    features = np.zeros((n + m, 4))
    features[:n, 0], features[:n, 1] = unlabelled.values, 1
    features[n:, 2], features[n:, 3] = gold.values - lam * guessed.values, 1

    def mean(totals: Floats) -> Floats:
        return np.asarray(lam * totals[:, 0] / totals[:, 1] + totals[:, 2] / totals[:, 3])

    return linearised(
        mean, cluster_sums(features, names), n=n + m, undefined="no scores", telling=gold.clusters, level=level
    )


class _Seen(NamedTuple):
    """The three shares that a correction is made of: judged right, sensitivity, specificity."""

    shares: Floats
    sizes: Floats
    degrees: Floats
    correlations: Floats

    def variance_of(self, gradient: Floats) -> float:
        """Return the variance of a linear function of the shares; none of them is ever taken as without error."""
        shares = (self.shares * self.sizes + 1) / (self.sizes + 2)
        errors = gradient * np.sqrt(shares * (1 - shares) / (self.sizes + 2))
        return float(errors @ self.correlations @ errors)


def _seen(
    judged: Clustered, names: NDArray[np.generic], truth: Floats, said: Floats, labelled: NDArray[np.generic]
) -> _Seen:
    n, right = judged.values.size, truth == 1
    features = np.zeros((n + truth.size, 6))
    features[:n, 0], features[:n, 1] = judged.values, 1
    features[n:, 2], features[n:, 3] = said * right, right
    features[n:, 4], features[n:, 5] = (1 - said) * ~right, ~right
    sums = cluster_sums(features, np.concatenate([names, labelled]))
    totals = sums.sum(axis=0)
    shares, counts = totals[::2] / totals[1::2], totals[1::2]
    moved = influences(lambda rows: rows[:, ::2] / rows[:, 1::2], sums)
    clusters = (sums[:, 1::2] > 0).sum(axis=0)
    variances = clusters / (clusters - 1) * (moved**2).sum(axis=0)
    # As in `clustered_proportion`: where all are alike, as if each question were one reply repeated.
    alike = counts**2 / (sums[:, 1::2] ** 2).sum(axis=0)
    sizes = np.where(variances > 0, np.minimum(counts, shares * (1 - shares) / np.maximum(variances, 1e-300)), alike)
    lengths = np.sqrt((moved**2).sum(axis=0))
    products = np.outer(lengths, lengths)
    correlations = np.divide(moved.T @ moved, products, out=np.zeros((3, 3)), where=products > 0)
    np.fill_diagonal(correlations, 1.0)
    return _Seen(shares, sizes, clusters - 1.0, correlations)


def _lang_reiczigel(seen: _Seen, judged: Interval, *, level: float) -> Estimate:
    from scipy.special import stdtrit

    skill = seen.shares[1] + seen.shares[2] - 1
    plain = min(max((seen.shares[0] + seen.shares[2] - 1) / skill, 0.0), 1.0)
    quantile = float(stdtrit(min(seen.degrees), 0.5 + level / 2))
    square = quantile**2
    # The paper's shrunken shares: z^2 replies added to the judged, half of them right, two to each sample of labels.
    sizes = seen.sizes + np.array([square, 2.0, 2.0])
    shares = (seen.shares * seen.sizes + np.array([square / 2, 1.0, 1.0])) / sizes
    skill = shares[1] + shares[2] - 1
    centre = (shares[0] + shares[2] - 1) / skill
    variances = shares * (1 - shares) / sizes
    shift = 2 * square * (centre * variances[1] - (1 - centre) * variances[2])
    errors = np.array([1.0, -centre, 1 - centre]) * np.sqrt(variances) / skill
    half = quantile * np.sqrt(errors @ seen.correlations @ errors)
    low, high = float(centre + shift - half), float(centre + shift + half)
    if high <= 0 or low >= 1:
        reason = "the judged share is beyond what a judge of these errors can give: the labels are not of such replies"
        return declined(reason, n=judged.n, clusters=judged.clusters)
    low, high = min(max(low, 0.0), plain), max(min(high, 1.0), plain)
    return Estimate(Interval(float(plain), float(low), float(high), judged.n, judged.clusters), "")


def _best_weight(scores: Floats, labels: Floats, labelled_scores: Floats) -> float:
    spread = float(np.concatenate([scores, labelled_scores]).var())
    if not spread:
        return 0.0
    together = float(np.cov(labels, labelled_scores, ddof=0)[0, 1])
    return min(max(together / (spread * (1 + labels.size / scores.size)), 0.0), 1.0)


def _checked_calibration(
    labels: ArrayLike, verdicts: ArrayLike, clusters: ArrayLike
) -> tuple[Floats, Floats, NDArray[np.generic]]:
    truth, said = clustered(labels, clusters), clustered(verdicts, clusters)
    if not np.isin(np.concatenate([truth.values, said.values]), (0.0, 1.0)).all():
        raise UsageError("labels and verdicts are true or false (1 or 0); found another value")
    return truth.values, said.values, np.asarray(clusters)
