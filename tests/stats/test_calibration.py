"""Calibration error and Brier score against loops, scikit-learn, and measured coverage."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from globmed.core.errors import UsageError
from globmed.stats.calibration import Binning, Brier, CalibrationError, brier, calibration_error
from globmed.stats.intervals import Floats

KNOWN = json.loads(Path(__file__).with_name("known_answers.json").read_text(encoding="utf-8"))["classification"]
CONFIDENCE, CORRECT = np.array(KNOWN["confidence"]), np.array(KNOWN["correct"])
NAMES = np.arange(80)


def error(
    confidence: object,
    correct: object,
    clusters: object,
    *,
    binning: Binning = "width",
    bins: int = 10,
    draws: int = 100,
) -> CalibrationError:
    said, right, names = np.asarray(confidence), np.asarray(correct), np.asarray(clusters)
    rng = np.random.default_rng(0)
    return calibration_error(said, right, names, rng=rng, binning=binning, bins=bins, draws=draws)


def score(confidence: object, correct: object, clusters: object, *, draws: int = 100) -> Brier:
    rng = np.random.default_rng(0)
    return brier(np.asarray(confidence), np.asarray(correct), np.asarray(clusters), rng=rng, draws=draws)


def test_the_error_of_equal_widths_is_that_of_a_loop() -> None:
    total = 0.0
    for k in range(10):
        inside = [i for i in range(80) if k / 10 < CONFIDENCE[i] <= (k + 1) / 10 or (k == 0 and CONFIDENCE[i] == 0)]
        if inside:
            total += len(inside) / 80 * abs(CORRECT[inside].mean() - CONFIDENCE[inside].mean())
    found = error(CONFIDENCE, CORRECT, NAMES)
    assert found.ece.interval.mean == pytest.approx(total)
    assert sum(row.n for row in found.bins) == 80


def test_a_confidence_on_an_edge_is_in_the_bin_below() -> None:
    assert [row.n for row in error([0.45, 0.5, 0.55], [1, 1, 1], [1, 2, 3]).bins] == [2, 1]


def test_bins_of_equal_mass_hold_as_many_and_keep_equal_confidences_together() -> None:
    found = error(np.linspace(0.01, 1, 100), np.ones(100), np.arange(100), binning="mass")
    assert [row.n for row in found.bins] == [10] * 10
    alike = error([0.7] * 50 + [0.9] * 50, np.ones(100), np.arange(100), binning="mass")
    assert [(row.n, round(row.confidence, 6), row.accuracy) for row in alike.bins] == [(50, 0.7, 1), (50, 0.9, 1)]
    assert alike.ece.interval.mean == pytest.approx(0.2)


def test_a_calibrated_model_shows_about_the_error_foretold_and_no_bounds() -> None:
    rng = np.random.default_rng(1)
    plain, foretold, freed = [], [], []
    for _ in range(60):
        confidence = rng.uniform(0.3, 1, 150)
        found = error(confidence, rng.random(150) < confidence, np.arange(150), binning="mass", draws=1)
        plain.append(found.ece.interval.mean)
        foretold.append(found.if_calibrated)
        freed.append(found.rms.interval.mean)
    assert np.mean(plain) == pytest.approx(np.mean(foretold), rel=0.1)
    assert np.mean(freed) < 0.5 * np.mean(plain)
    assert "a calibrated model would show" in found.ece.reason
    assert np.isnan(found.ece.interval[1:3]).all()


def test_a_model_that_is_always_sure_and_often_wrong_is_seen_through() -> None:
    found = error(np.full(200, 0.95), np.arange(200) % 2, np.arange(200), draws=500)
    assert found.ece.interval.mean == pytest.approx(0.45)
    assert found.rms.interval.mean == pytest.approx(0.45, abs=0.005)
    for interval in (found.ece.interval, found.rms.interval):
        assert 0.36 < interval.low < 0.45 < interval.high < 0.54
    assert not found.ece.reason


def test_repeating_every_answer_adds_no_evidence() -> None:
    confidence, correct = np.repeat(CONFIDENCE, 3), np.repeat(CORRECT, 3)
    thrice = error(confidence, correct, np.repeat(NAMES, 3))
    assert thrice.if_calibrated == pytest.approx(error(CONFIDENCE, CORRECT, NAMES).if_calibrated)
    whole, single = score(confidence, correct, np.repeat(NAMES, 3)), score(CONFIDENCE, CORRECT, NAMES)
    assert whole.score.interval[:3] == pytest.approx(single.score.interval[:3])
    assert (whole.score.interval.n, whole.score.interval.clusters) == (240, 80)


def test_the_brier_score_is_that_of_scikit_learn() -> None:
    assert score(CONFIDENCE, CORRECT, NAMES).score.interval.mean == pytest.approx(KNOWN["brier"])


ROWS = st.tuples(st.sampled_from([0.2, 0.5, 0.9]), st.booleans(), st.integers(0, 8))


@given(st.lists(ROWS, min_size=1, max_size=40))
def test_the_parts_make_the_score(rows: list[tuple[float, bool, int]]) -> None:
    confidence, correct, names = (np.array([row[k] for row in rows]) for k in range(3))
    found = brier(confidence, correct, names, rng=np.random.default_rng(0), binning="width", draws=5)
    parts = found.reliability.interval.mean - found.resolution.interval.mean + found.uncertainty
    assert parts + found.within_bins == pytest.approx(found.score.interval.mean)
    # Three confidences, each in a bin of its own.
    assert found.within_bins == pytest.approx(0, abs=1e-12)


def test_murphys_parts_by_hand() -> None:
    """Forecasts 0.8 (right 3 of 4) and 0.2 (right 1 of 6): base rate 0.4."""
    found = score([0.8] * 4 + [0.2] * 6, [1, 1, 1, 0, 1, 0, 0, 0, 0, 0], np.arange(10))
    assert found.reliability.interval.mean == pytest.approx((4 * 0.05**2 + 6 * (0.2 - 1 / 6) ** 2) / 10)
    assert found.resolution.interval.mean == pytest.approx((4 * 0.35**2 + 6 * (0.4 - 1 / 6) ** 2) / 10)
    assert found.uncertainty == pytest.approx(0.24)


def test_no_answers_and_one_question_are_declined() -> None:
    empty: list[float] = []
    for none in (error(empty, empty, empty).ece, error(empty, empty, empty).rms, score(empty, empty, empty).score):
        assert np.isnan(none.interval[:3]).all()
        assert none.reason == "no answers"
    one = error([0.5, 0.9], [1, 0], ["q", "q"])
    assert not np.isnan(one.ece.interval.mean)
    assert np.isnan(one.ece.interval[1:3]).all()
    assert "two questions" in one.ece.reason
    assert "two questions" in score([0.5, 0.9], [1, 0], ["q", "q"]).reliability.reason


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: error([1.2], [1], [1]), "outside 0..1"),
        (lambda: error([0.2], [0.5], [1]), "right or wrong"),
        (lambda: error([0.2, 0.3], [1], [1, 2]), "two [n] alike"),
        (lambda: error([0.2, 0.3], [1, 0], [1, 2], bins=0), "0 bins"),
        (lambda: score([-0.1], [1], [1]), "outside 0..1"),
    ],
)
def test_wrong_input_is_refused(call: Callable[[], object], says: str) -> None:
    with pytest.raises(UsageError) as found:
        call()
    assert says in str(found.value)


@pytest.mark.slow
@pytest.mark.parametrize(("which", "over"), [("rms", 0.0), ("rms", 0.05), ("rms", 0.2), ("ece", 0.2), ("brier", 0.05)])
def test_intervals_cover_what_they_say(which: str, over: float) -> None:
    def drawn(rng: np.random.Generator, questions: int) -> tuple[Floats, NDArray[np.bool_], NDArray[np.int64]]:
        names = np.repeat(np.arange(questions), 2)
        confidence = rng.uniform(0.3 + over, 1, questions)[names]
        return confidence, rng.random(names.size) < confidence - over, names

    rng = np.random.default_rng(2026)
    truth = over
    if which == "brier":
        truth = brier(*drawn(rng, 100_000), rng=rng, draws=1).score.interval.mean
    held = []
    for _ in range(600):
        if which == "brier":
            interval = brier(*drawn(rng, 200), rng=rng, draws=1).score.interval
        else:
            made = calibration_error(*drawn(rng, 200), rng=rng, draws=300)
            interval = (made.rms if which == "rms" else made.ece).interval
        if np.isfinite(interval.low):
            held.append(interval.low <= truth <= interval.high)
    assert np.mean(held) >= 0.925
