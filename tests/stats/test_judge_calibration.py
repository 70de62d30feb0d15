"""The judge's errors, the corrected share and the prediction-powered mean: known answers, limits, coverage."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm, t

from globmed.core.errors import UsageError
from globmed.stats.intervals import Floats, clustered_proportion
from globmed.stats.judge_calibration import (
    FEWEST_LABELLED,
    CorrectedShare,
    corrected_share,
    judge_quality,
    prediction_powered_mean,
)

KNOWN = json.loads(Path(__file__).with_name("known_answers.json").read_text(encoding="utf-8"))["powered"]


def calibration(hits: int, right: int, quiet: int, wrong: int) -> dict[str, Floats]:
    """Return labels where `hits` of `right` and `quiet` of `wrong` were judged as people do, each its own question."""
    labels = np.repeat([1.0, 0.0], [right, wrong])
    verdicts = np.repeat([1.0, 0.0, 0.0, 1.0], [hits, right - hits, quiet, wrong - quiet])
    return {"labels": labels, "labelled_verdicts": verdicts, "labelled_clusters": np.arange(right + wrong) + 10_000.0}


def verdicts(positive: int, n: int, times: int = 1) -> tuple[Floats, Floats]:
    return np.repeat([1.0, 0.0], [positive * times, (n - positive) * times]), np.repeat(
        np.arange(n, dtype=float), times
    )


def corrected(judged: tuple[Floats, Floats], made: dict[str, Floats]) -> CorrectedShare:
    labels, said, names = (made[name] for name in ("labels", "labelled_verdicts", "labelled_clusters"))
    return corrected_share(*judged, labels=labels, labelled_verdicts=said, labelled_clusters=names)


def lang_reiczigel(
    positive: int, n: int, hits: int, right: int, quiet: int, wrong: int, z: float
) -> tuple[float, float]:
    """The paper's formulas, letter by letter, for a stated quantile."""
    n_prime, x_prime = n + z**2, positive + z**2 / 2
    se, sp, ap = (hits + 1) / (right + 2), (quiet + 1) / (wrong + 2), x_prime / n_prime
    prevalence = (ap + sp - 1) / (se + sp - 1)
    shift = 2 * z**2 * (prevalence * se * (1 - se) / (right + 2) - (1 - prevalence) * sp * (1 - sp) / (wrong + 2))
    variance = (
        ap * (1 - ap) / n_prime
        + prevalence**2 * se * (1 - se) / (right + 2)
        + (1 - prevalence) ** 2 * sp * (1 - sp) / (wrong + 2)
    ) / (se + sp - 1) ** 2
    half = z * float(np.sqrt(variance))
    return max(prevalence + shift - half, 0.0), min(prevalence + shift + half, 1.0)


@pytest.mark.parametrize(
    ("positive", "n", "hits", "right", "quiet", "wrong"),
    [(80, 200, 45, 50, 54, 60), (95, 300, 88, 90, 70, 100), (110, 160, 30, 40, 25, 25), (4, 100, 35, 40, 40, 40)],
)
def test_the_corrected_share_is_rogan_and_gladens_with_the_interval_of_lang_and_reiczigel(
    positive: int, n: int, hits: int, right: int, quiet: int, wrong: int
) -> None:
    found = corrected(verdicts(positive, n), calibration(hits, right, quiet, wrong)).corrected
    plain = (positive / n + quiet / wrong - 1) / (hits / right + quiet / wrong - 1)
    assert found.interval.mean == pytest.approx(min(max(plain, 0), 1))
    # Effective sizes of single replies are a little below n: the variance between them has n - 1 in the place of n.
    quantile = float(t.ppf(0.975, min(right, wrong) - 1))
    expected = lang_reiczigel(positive, n, hits, right, quiet, wrong, quantile)
    assert found.interval[1:3] == pytest.approx(expected, abs=4e-3)


def test_a_perfect_judge_needs_little_correction() -> None:
    found = corrected(verdicts(120, 200), calibration(5000, 5000, 5000, 5000))
    assert found.corrected.interval[:3] == pytest.approx(found.judged[:3], abs=2e-3)


def test_sensitivity_and_specificity_are_the_shares_by_label() -> None:
    made = calibration(45, 50, 54, 60)
    found = judge_quality(made["labels"], made["labelled_verdicts"], made["labelled_clusters"])
    assert (found.sensitivity.mean, found.sensitivity.n) == (0.9, 50)
    assert (found.specificity.mean, found.specificity.n) == (0.9, 60)
    right = made["labels"] == 1
    assert found.sensitivity == clustered_proportion(made["labelled_verdicts"][right], made["labelled_clusters"][right])


def test_without_labels_of_a_kind_quality_is_no_number() -> None:
    found = judge_quality([1, 1], [1, 0], ["a", "b"])
    assert found.sensitivity.mean == 0.5
    assert np.isnan(found.specificity[:3]).all()


@pytest.mark.parametrize(
    ("made", "says"),
    [
        (calibration(15, FEWEST_LABELLED - 1, 40, 40), f"at least {FEWEST_LABELLED}"),
        (calibration(20, 40, 20, 40), "not clearly above 1"),
        (calibration(10, 40, 15, 40), "not clearly above 1"),
        (calibration(24, 40, 24, 40), "not clearly above 1"),
        (calibration(40, 40, 0, 0), "labelled 0 questions"),
    ],
)
def test_a_correction_is_declined_where_labels_are_few_or_the_judge_is_blind(
    made: dict[str, Floats], says: str
) -> None:
    found = corrected(verdicts(50, 100), made)
    assert np.isnan(found.corrected.interval[:3]).all()
    assert says in found.corrected.reason
    assert found.judged.mean == 0.5


def test_twenty_labels_on_one_question_are_one_question() -> None:
    made = calibration(45, 50, 54, 60)
    made["labelled_clusters"] = np.zeros(110)
    assert "labelled 1 questions" in corrected(verdicts(50, 100), made).corrected.reason


def test_a_question_in_both_samples_is_one_question_and_more_replies_to_it_add_little() -> None:
    made = calibration(90, 100, 90, 100)
    once = corrected(verdicts(80, 200), made).corrected.interval
    tripled = {name: np.repeat(values, 3) for name, values in made.items()}
    thrice = corrected(verdicts(80, 200, times=3), tripled).corrected.interval
    assert thrice[:3] == pytest.approx(once[:3], abs=0.01)


def test_the_width_is_that_of_drawing_whole_questions_of_both_samples_at_once() -> None:
    """Against a bootstrap of the plain estimate, where a question's errors and difficulty are in both samples."""
    rng = np.random.default_rng(4)
    questions = np.repeat(np.arange(600), 4)
    hit, quiet = rng.beta(4, 1, 600)[questions], rng.beta(4, 1, 600)[questions]
    right = rng.beta(1, 1, 600)[questions]
    labels, other = (rng.random(2400) < right for _ in range(2))
    seen, said = (rng.random(2400) < np.where(truth, hit, 1 - quiet) for truth in (labels, other))
    found = corrected_share(said, questions, labels=labels, labelled_verdicts=seen, labelled_clusters=questions)
    drawn = rng.multinomial(600, np.full(600, 1 / 600), size=4000)[:, questions].astype(np.float64)
    sensitivity = (drawn @ (labels & seen)) / (drawn @ labels)
    specificity = (drawn @ (~labels & ~seen)) / (drawn @ ~labels)
    estimates = (drawn @ said / drawn.sum(axis=1) + specificity - 1) / (sensitivity + specificity - 1)
    low, high = np.quantile(estimates, (0.025, 0.975))
    assert found.corrected.interval.high - found.corrected.interval.low == pytest.approx(high - low, rel=0.05)


@given(st.integers(0, 100), st.integers(70, 100), st.integers(70, 100))
def test_a_corrected_share_stays_a_share_within_its_bounds(positive: int, hits: int, quiet: int) -> None:
    found = corrected(verdicts(positive, 100), calibration(hits, 100, quiet, 100)).corrected
    mean, low, high, n, clusters = found.interval
    if found.reason:
        assert "beyond what a judge of these errors can give" in found.reason
        assert positive < 100 - quiet or positive > hits
        return
    assert 0 <= low <= mean <= high <= 1
    assert high > low
    assert (n, clusters) == (100, 100)


@pytest.mark.parametrize(("name", "weight"), [("plain", 1.0), ("tuned", None)])
def test_the_powered_mean_is_that_of_ppi_py(name: str, weight: float | None) -> None:
    labelled = np.arange(60)
    found = prediction_powered_mean(
        KNOWN["scores"],
        np.arange(60, 600),
        labels=KNOWN["labels"],
        labelled_scores=KNOWN["labelled_scores"],
        labelled_clusters=labelled,
        weight=weight,
    ).interval
    mean, low, high = KNOWN[name]
    assert found.mean == pytest.approx(mean, abs=1e-4)
    # Theirs is normal with variances over n, ours t with those over n - 1 of the labelled.
    shrunk = float(norm.ppf(0.975) / t.ppf(0.975, 59) * np.sqrt(59 / 60))
    assert (found.high - found.low) * shrunk == pytest.approx(high - low, rel=2e-3)


def test_a_judge_that_knows_nothing_leaves_what_the_labels_say() -> None:
    rng = np.random.default_rng(0)
    labels, scores = rng.normal(3, 1, 50), np.full(50, 2.0)
    found = prediction_powered_mean(
        np.full(500, 2.0), np.arange(500), labels=labels, labelled_scores=scores, labelled_clusters=np.arange(500, 550)
    ).interval
    half = t.ppf(0.975, 49) * labels.std(ddof=1) / np.sqrt(50)
    assert found[:3] == pytest.approx((labels.mean(), labels.mean() - half, labels.mean() + half), abs=1e-6)


@pytest.mark.parametrize(("n", "m", "says"), [(50, 19, "at least 20"), (0, 30, "no reply without label")])
def test_a_powered_mean_is_declined_without_enough_of_either(n: int, m: int, says: str) -> None:
    ones = np.ones(m)
    found = prediction_powered_mean(
        np.ones(n), np.arange(n), labels=ones, labelled_scores=ones, labelled_clusters=np.arange(m)
    )
    assert np.isnan(found.interval[:3]).all()
    assert says in found.reason


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: judge_quality([1, 0.5], [1, 0], [1, 2]), "true or false"),
        (lambda: judge_quality([1, 0], [1], [1, 2]), "two [n] alike"),
        (lambda: corrected((np.array([1.0, 2.0]), np.arange(2.0)), calibration(45, 50, 45, 50)), "true and false"),
    ],
)
def test_wrong_input_is_refused(call: Callable[[], object], says: str) -> None:
    with pytest.raises(UsageError) as error:
        call()
    assert says in str(error.value)


@pytest.mark.slow
@pytest.mark.parametrize(("share", "shared"), [(0.3, False), (0.7, True), (0.05, False)])
def test_corrected_shares_cover_what_they_say(share: float, shared: bool) -> None:
    """Three replies to a question are alike, and so are the judge's errors on them."""

    def beta(rng: np.random.Generator, mean: float, correlation: float, questions: int) -> Floats:
        size = 1 / correlation - 1
        return np.repeat(rng.beta(mean * size, (1 - mean) * size, questions), 3)

    def judged(rng: np.random.Generator, right: Floats, hit: Floats, quiet: Floats) -> tuple[Floats, Floats]:
        truth = rng.random(right.size) < right
        said = rng.random(right.size) < np.where(truth, hit, 1 - quiet)
        return truth.astype(np.float64), said.astype(np.float64)

    def drawn(rng: np.random.Generator) -> CorrectedShare:
        skills = beta(rng, share, 0.3, 500), beta(rng, 0.9, 0.2, 500), beta(rng, 0.9, 0.2, 500)
        names = np.repeat(np.arange(500.0), 3)
        said = judged(rng, *skills)[1]
        other = skills if shared else (beta(rng, share, 0.3, 500), beta(rng, 0.9, 0.2, 500), beta(rng, 0.9, 0.2, 500))
        labels, seen = judged(rng, *(values[:900] for values in other))
        return corrected_share(
            said, names, labels=labels, labelled_verdicts=seen, labelled_clusters=names[:900] + (0 if shared else 500)
        )

    rng = np.random.default_rng(2026)
    found = [drawn(rng).corrected.interval for _ in range(1000)]
    assert 0.93 <= np.mean([interval.low <= share <= interval.high for interval in found]) <= 0.98
