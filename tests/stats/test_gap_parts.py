"""Parts of gaps and ratios: against scipy's t test inverted, by hand, and how often intervals hold."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.stats import ttest_1samp

from globmed.core.errors import UsageError
from globmed.stats.comparison import cluster_bootstrap, paired_difference
from globmed.stats.fieller import ratio
from globmed.stats.gap_parts import revised_share, translation_share, unread_share
from globmed.stats.intervals import Floats


def answers(seed: int, means: list[float], *, clusters: int = 150) -> tuple[Floats, NDArray[np.int64]]:
    rng = np.random.default_rng(seed)
    names: NDArray[np.int64] = np.repeat(np.arange(clusters), rng.integers(1, 4, clusters))
    hard = rng.normal(0, 0.15, clusters)[names]
    values = rng.random((len(means), names.size)) < np.clip(np.array(means)[:, None] + hard, 0, 1)
    return values.astype(np.float64), names


def test_fiellers_bounds_are_the_ratios_that_a_t_test_does_not_reject() -> None:
    (english, back, target), _ = answers(0, [0.8, 0.7, 0.5])
    lost, gap = back - english, target - english
    found = translation_share(english, back, target, np.arange(english.size))
    value = lost.mean() / gap.mean()

    def rejected(share: float) -> float:
        return float(ttest_1samp(lost - share * gap, 0).pvalue) - 0.05

    bounds = [brentq(rejected, -5, value), brentq(rejected, value, 5)]
    interval = found.share.interval
    assert interval.mean == pytest.approx(value)
    assert [interval.low, interval.high] == pytest.approx(bounds, abs=1e-5)


def test_clusters_are_kept_whole() -> None:
    (english, back, target), names = answers(1, [0.8, 0.7, 0.5])
    found = translation_share(english, back, target, names).share.interval

    def rejected(share: float) -> float:
        difference = (back - english) - share * (target - english)
        interval = paired_difference(np.zeros(english.size), difference, names)
        return interval.low * interval.high

    value = found.mean
    assert [found.low, found.high] == pytest.approx([brentq(rejected, -2, value), brentq(rejected, value, 3)], abs=1e-5)


def test_gap_and_loss_are_paired_over_the_questions_that_have_all_three() -> None:
    english, back, target = [1] * 40 + [1, np.nan], [1] * 20 + [0] * 20 + [np.nan, 1], [0] * 39 + [1, 1, 0]
    found = translation_share(english, back, target, np.arange(42))
    assert (found.gap.mean, found.lost.mean, found.gap.n) == (-39 / 40, -0.5, 40)
    assert found.share.interval.mean == pytest.approx(20 / 39)


def test_a_gap_that_may_be_nothing_has_no_shares() -> None:
    (english, back, target), names = answers(2, [0.6, 0.6, 0.59])
    found = translation_share(english, back, target, names)
    assert found.share.reason == "the gap is not clearly different from 0"
    assert np.isnan([found.share.interval.mean, found.share.interval.low]).all()
    assert np.isfinite([found.gap.low, found.lost.low]).all()


def test_too_little_is_a_reason_and_no_number() -> None:
    nothing = translation_share([], [], [], [])
    assert nothing.share.reason == "the gap is nothing, or there are no observations"
    one = translation_share([1, 1], [1, 0], [0, 0], ["a", "a"])
    assert one.share.reason == "fewer than two questions: nothing is known of the spread"
    assert one.share.interval.mean == 0.5
    assert np.isnan(one.share.interval.low)
    alike = translation_share([1, 1], [0, 0], [0, 0], ["a", "b"])
    assert alike.share.reason == "all questions are alike: nothing is known of the spread"
    unread = unread_share([1, 1], [1, 1], [0, 0], [0, 0], ["a", "b"])
    assert unread.unread.reason == "no reply was read in one of the languages"
    assert unread.gap.mean == -1


def test_a_gain_is_no_gap_to_share_out() -> None:
    (english, back, target), names = answers(8, [0.4, 0.5, 0.8])
    assert translation_share(english, back, target, names).share.reason == "the language does better than English"
    half = np.arange(english.size) % 2
    assert revised_share(english, target, half, names).reason == "the language does better than English"


def test_what_revision_mends_is_as_sure_as_the_bootstrap_says() -> None:
    (english, machine, expert), names = answers(9, [0.8, 0.4, 0.6], clusters=400)
    kind = (names % 3 == 0).astype(float)
    target = np.where(kind > 0, expert, machine)
    found = revised_share(english, target, kind, names).interval
    gap = target - english

    def share(weights: Floats) -> Floats:
        revised, alone = (weights @ (gap * part) / (weights @ part) for part in (kind, 1 - kind))
        return np.asarray(1 - revised / alone)

    drawn = cluster_bootstrap(share, names, draws=4000, rng=np.random.default_rng(9))
    assert found.mean == pytest.approx(drawn.mean)
    assert [found.low, found.high] == pytest.approx([drawn.low, drawn.high], abs=0.02)


def test_without_revised_texts_nothing_is_said_of_them() -> None:
    (english, target), names = answers(10, [0.8, 0.4])
    assert revised_share(english, target, np.zeros(english.size), names).reason == "no observation"
    for few, reason in ((9, "fewer than 10 question clusters"), (29, "fewer than 30 question clusters of revised")):
        found = revised_share(english, target, names < few, names)
        assert found.reason.startswith(reason)
        assert np.isnan(found.interval.mean)


def test_a_ratio_that_few_clusters_tell_of_is_known_less_well() -> None:
    rng = np.random.default_rng(11)
    sums = np.column_stack([rng.normal(1, 1, 80), rng.normal(3, 1, 80), np.ones(80)])
    all_of_them, few = (
        ratio(lambda totals: totals[:, :2] / totals[:, 2:], sums, n=80, denominator="it", telling=telling).interval
        for telling in (None, 5)
    )
    assert few.low < all_of_them.low < all_of_them.high < few.high


def test_the_parts_of_a_gap_are_the_gap_and_those_of_kitagawa() -> None:
    (right, right_there), names = answers(3, [0.8, 0.6])
    rng = np.random.default_rng(3)
    read, read_there = (rng.random((2, right.size)) < [[0.98], [0.85]]).astype(float)
    found = unread_share(right * read, read, right_there * read_there, read_there, names)
    accuracy, there = (right * read).sum() / read.sum(), (right_there * read_there).sum() / read_there.sum()
    unread = (read_there.mean() - read.mean()) * (accuracy + there) / 2
    wrong = (there - accuracy) * (read.mean() + read_there.mean()) / 2
    assert [found.unread.interval.mean, found.wrong.interval.mean] == pytest.approx([unread, wrong])
    assert unread + wrong == pytest.approx(found.gap.mean)
    assert found.share.interval.mean == pytest.approx(unread / found.gap.mean)


def test_the_interval_of_a_part_is_as_wide_as_the_bootstraps() -> None:
    (right, right_there), names = answers(4, [0.8, 0.6], clusters=400)
    rng = np.random.default_rng(4)
    read, read_there = (rng.random((2, right.size)) < [[0.98], [0.85]]).astype(float)
    a, b = right * read, right_there * read_there
    found = unread_share(a, read, b, read_there, names).unread.interval

    def unread(weights: Floats) -> Floats:
        n, seen, seen_there = weights.sum(axis=1), weights @ read, weights @ read_there
        return np.asarray((seen_there - seen) / n * (weights @ a / seen + weights @ b / seen_there) / 2)

    drawn = cluster_bootstrap(unread, names, draws=4000, rng=rng)
    assert found.mean == pytest.approx(drawn.mean)
    assert found.high - found.low == pytest.approx(drawn.high - drawn.low, rel=0.06)


def test_where_all_is_read_no_part_is_unread() -> None:
    (right, right_there), names = answers(5, [0.8, 0.6])
    ones = np.ones(right.size)
    found = unread_share(right, ones, right_there, ones, names)
    assert found.unread.interval.mean == 0
    assert found.unread.reason == "all questions are alike: nothing is known of the spread"
    assert found.wrong.interval.mean == pytest.approx(found.gap.mean)
    assert found.wrong.interval.low == pytest.approx(found.gap.low)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: translation_share([1], [1, 0], [1], [1]), "one length"),
        (lambda: translation_share([np.inf], [1], [1], [1]), "infinite"),
        (lambda: translation_share([1, 0], [1, 0], [1, 0], [1, 2], level=1.5), "confidence level"),
        (lambda: unread_share([1], [0], [1], [1], [1]), "none is right that was not read"),
        (lambda: unread_share([0.5], [1], [1], [1], [1]), "right or wrong"),
    ],
)
def test_nonsense_is_refused(call: Callable[[], object], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        call()


def test_a_ratio_of_any_scale_is_the_same() -> None:
    rng = np.random.default_rng(6)
    sums = np.column_stack([rng.normal(1, 1, 80), rng.normal(3, 1, 80), np.ones(80)])
    one, other = (
        ratio(lambda totals: totals[:, :2] / totals[:, 2:], sums * k, n=80, denominator="it").interval for k in (1, 7)
    )
    assert one == pytest.approx(other, rel=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize(("back", "target"), [(0.7, 0.5), (0.8, 0.5), (0.7, 0.65)])
def test_shares_hold_as_often_as_they_say(back: float, target: float) -> None:
    rng, times, held, told = np.random.default_rng(7), 800, 0, 0
    for _ in range(times):
        (english, again, there), names = answers(int(rng.integers(2**31)), [0.75, back, target], clusters=104)
        share = translation_share(english, again, there, names).share
        told += not share.reason
        held += share.interval.low <= (back - 0.75) / (target - 0.75) <= share.interval.high
    # Clipped difficulty moves the truth by less than a hundredth; three standard errors: 2.3 points.
    assert 0.92 <= held / told <= 0.98
