"""Where a gap between languages comes from: how much translation may explain, how much replies that cannot be read do.

A model is asked the same questions in English, in a target language, and in English translated back from the target
language. What it loses on the way to the target language and back is loss in the texts, for the language of the
question is English both times. Two translations lose at least as much as one, unless the second mends what the first
broke: the share is a bound from above on what the translation into the target language explains, and its upper
confidence bound is the number to quote. What it does not explain is at least the model's, or the reader's.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from globmed.core.errors import UsageError
from globmed.stats.columns import mean_column, numbered
from globmed.stats.comparison import paired_difference
from globmed.stats.fieller import ratio
from globmed.stats.intervals import Floats, Interval, complete_rows
from globmed.stats.linearised import Estimate, cluster_sums, declined, linearised
from globmed.stats.max_t import why_declined

FEWEST_OF_EACH = 30
"""Clusters that revised texts and others need each: intervals from 10 held the truth 63 to 98 % of the time."""


class TranslationShare(NamedTuple):
    """A gap and the share of it that translation may explain.

    Attributes:
        gap: target language less English.
        lost: back-translated English less English: what two translations lose.
        share: lost / gap; may lie below 0 or above 1, for it is an estimate.
    """

    gap: Interval
    lost: Interval
    share: Estimate


class UnreadShare(NamedTuple):
    """A gap in accuracy, split by whether replies could be read.

    Attributes:
        gap: target language less English, replies that could not be read counted as wrong.
        unread: the part by fewer replies read in the target language.
        wrong: the part by more wrong answers among those read; the two parts are the gap.
        share: unread / gap.
    """

    gap: Interval
    unread: Estimate
    wrong: Estimate
    share: Estimate


def translation_share(
    english: ArrayLike, back_translated: ArrayLike, target: ArrayLike, clusters: ArrayLike, *, level: float = 0.95
) -> TranslationShare:
    """Return the share of a gap that translation may explain, as a bound from above, with Fieller's interval.

    Scores of one question stand in one row; a row that lacks one of the three is left out. The ratio of two paired
    means over the same clusters: `globmed.stats.fieller`. Back-translation as a control for what translation alone
    costs: Artetxe, Labaka and Agirre (2020), "Translation artifacts in cross-lingual transfer learning", EMNLP.

    Coverage, measured (`benchmarks/coverage.py`, 5,000 times, 30, 104 and 500 clusters, true shares 0 to 0.8): 94 to
    96 %, of 30 nearly all right in English (0.97) 93 %.

    Args:
        english: [n], scores in English, as right (1) or wrong (0).
        back_translated: [n], in English translated back from the target language.
        target: [n], in the target language.
        clusters: [n], whatever names the cluster of each question.
        level: confidence, such as 0.95.

    Returns:
        Gap, loss and share; the share is declined where the gap is not clearly below 0 at this level.

    Raises:
        UsageError: arrays of different length, an infinite score, or a level outside 0..1.
    """
    (start, back, end), names = complete_rows(clusters, english, back_translated, target)
    sums = cluster_sums(np.column_stack([back - start, end - start, np.ones(len(start))]), names)
    gap = paired_difference(start, end, names, level=level)
    share = ratio(_means, sums, n=len(start), denominator="the gap", level=level)
    if gap.mean > 0 and not share.reason:
        share = declined("the language does better than English", n=gap.n, clusters=gap.clusters)
    return TranslationShare(gap=gap, lost=paired_difference(start, back, names, level=level), share=share)


def revised_share(
    english: ArrayLike, target: ArrayLike, revised: ArrayLike, clusters: ArrayLike, *, level: float = 0.95
) -> Estimate:
    """Return the share of the gap of machine-translated texts that is gone where an expert revised the text.

    Each question has a text of one kind, so two sets of questions are compared: the share speaks of translation only
    if the revised ones are like the others, as when they were drawn at random. What an expert mends was the
    translation's: a bound from below on what translation explains, for an expert may miss something. Two means over
    whole clusters: `globmed.stats.fieller`.

    Coverage, measured (`benchmarks/coverage.py`, 5,000 times, 104 and 500 clusters, a third of them revised): 95 to
    97 %, and of 104 nearly all right in English (0.97) 91 % of the one in sixteen that is not declined.

    Args:
        english: [n], scores in English, as right (1) or wrong (0).
        target: [n], in the language.
        revised: [n], whether the text in the language is revised; else it is the machine's alone.
        clusters: [n], whatever names the cluster of each question.
        level: confidence, such as 0.95.

    Returns:
        (gap of machine texts - gap of revised texts) / gap of machine texts; declined where the gap of machine texts
        is not clearly below 0, and where either set is too small (`FEWEST_OF_EACH`,
        `globmed.stats.max_t.why_declined`).

    Raises:
        UsageError: arrays of different length, an infinite score, or a level outside 0..1.
    """
    (start, end, kind), names = complete_rows(clusters, english, target, revised)
    gap, of = end - start, numbered(names)
    sets = [mean_column(np.where(kind == which, gap, np.nan), of) for which in (0, 1)]
    fewest = min(column.clusters for column in sets)
    reason = why_declined(sets[0]) or why_declined(sets[1])
    if reason or fewest < FEWEST_OF_EACH:
        too_few = f"fewer than {FEWEST_OF_EACH} question clusters of revised texts, or of others"
        return declined(reason or too_few, n=len(gap), clusters=of.count)
    sums = cluster_sums(np.column_stack([gap * (1 - kind), 1 - kind, gap * kind, kind]), names)
    # The difference of two sets is known no better than from as many clusters as the smaller of them has.
    share = ratio(_mended_of_gap, sums, n=len(gap), denominator="the gap", telling=fewest, level=level)
    if not share.reason and sets[0].estimate > 0:
        return declined("the language does better than English", n=len(gap), clusters=of.count)
    return share


def unread_share(
    english: ArrayLike,
    english_read: ArrayLike,
    target: ArrayLike,
    target_read: ArrayLike,
    clusters: ArrayLike,
    *,
    level: float = 0.95,
) -> UnreadShare:
    """Return the part of a gap that is due to replies which could not be read, and the part due to wrong ones.

    Accuracy is the share read times the accuracy of those read; the gap is split by the change of each, weighed by the
    mean of the other: Kitagawa (1955), "Components of a difference between two rates", JASA 50. Part of what is unread
    may be the reader's failing and part the model's: see the rates of refusal.

    Coverage, measured (`benchmarks/coverage.py`, 5,000 times, 104 and 500 clusters): parts 95 %, the share 94 to 97 %.

    Args:
        english: [n], whether the reply in English was right; NaN where there is none.
        english_read: [n], whether an answer could be read from it.
        target: [n], likewise in the target language.
        target_read: [n], likewise.
        clusters: [n], whatever names the cluster of each question.
        level: confidence, such as 0.95.

    Returns:
        The gap and its parts; parts are declined where nothing was read in a language, the share where the gap is not
        clearly different from 0.

    Raises:
        UsageError: arrays of different length, a value other than true and false, a right answer that was not read, or
            a level outside 0..1.
    """
    (start, start_read, end, end_read), names = complete_rows(clusters, english, english_read, target, target_read)
    given = np.column_stack([start, start_read, end, end_read])
    if not np.isin(given, (0.0, 1.0)).all() or (start > start_read).any() or (end > end_read).any():
        raise UsageError("replies are right or wrong, read or not (1 or 0), and none is right that was not read")
    sums = cluster_sums(np.column_stack([given, np.ones(len(given))]), names)
    n, nothing = len(given), "no reply was read in one of the languages"
    return UnreadShare(
        gap=paired_difference(start, end, names, level=level),
        unread=linearised(lambda totals: _kitagawa(totals)[:, 0], sums, n=n, undefined=nothing, level=level),
        wrong=linearised(lambda totals: _kitagawa(totals)[:, 1], sums, n=n, undefined=nothing, level=level),
        share=ratio(_unread_of_gap, sums, n=n, denominator="the gap", level=level),
    )


def _means(totals: Floats) -> Floats:
    return np.asarray(totals[:, :2] / totals[:, 2:])


def _mended_of_gap(totals: Floats) -> Floats:
    machine, revised = totals[:, 0] / totals[:, 1], totals[:, 2] / totals[:, 3]
    return np.column_stack([machine - revised, machine])


def _kitagawa(totals: Floats) -> Floats:
    """Return the part by replies unread and that by wrong ones, [d, 2], of totals [d, 5]."""
    right, right_there = totals[:, 0], totals[:, 2]
    read, read_there, all_of_them = totals[:, 1], totals[:, 3], totals[:, 4]
    accuracy, accuracy_there = right / read, right_there / read_there
    unread = (read_there - read) / all_of_them * (accuracy + accuracy_there) / 2
    wrong = (accuracy_there - accuracy) * (read + read_there) / all_of_them / 2
    return np.column_stack([unread, wrong])


def _unread_of_gap(totals: Floats) -> Floats:
    parts = _kitagawa(totals)
    return np.column_stack([parts[:, 0], parts.sum(axis=1)])
