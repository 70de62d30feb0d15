"""Agreement against published tables, independent packages, and what must hold of any ratings."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.stats import t

from globmed.core.errors import UsageError
from globmed.stats.agreement import Scale, Weighting, cohen_kappa, gwet_ac, krippendorff_alpha
from globmed.stats.intervals import Floats
from globmed.stats.linearised import Estimate

KNOWN = json.loads(Path(__file__).with_name("known_answers.json").read_text(encoding="utf-8"))["agreement"]
WHOLE = np.array(KNOWN["whole"])
GAPS = np.array(KNOWN["gaps"], dtype=np.float64)
_ = np.nan
# Krippendorff (2011), "Computing Krippendorff's alpha-reliability", section C: four observers, twelve units; the same
# ratings are Gwet's (2014) example of four raters with missing ratings.
PUBLISHED = np.array(
    [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, _, _, _],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, _, 3],
        [_, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, _],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, _],
    ]
).T
UNITS = np.arange(60)


def standard_error(found: Estimate) -> float:
    """Turn the bounds, which are symmetrical on the scale log(1 - coefficient), back into a standard error."""
    mean, low, _, _, clusters = found.interval
    return float(np.log((1 - low) / (1 - mean)) * (1 - mean) / t.ppf(0.975, clusters - 1))


@pytest.mark.parametrize(("scale", "published"), [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849)])
def test_alpha_is_krippendorffs_published(scale: Scale, published: float) -> None:
    found = krippendorff_alpha(PUBLISHED, np.arange(12), scale=scale)
    assert round(found.interval.mean, 3) == published
    # The unit with one rating is left out.
    assert (found.interval.n, found.interval.clusters) == (11, 11)


@pytest.mark.parametrize("scale", ["nominal", "ordinal", "interval"])
def test_alpha_is_that_of_the_krippendorff_package(scale: Scale) -> None:
    found = krippendorff_alpha(GAPS, UNITS, scale=scale)
    assert found.interval.mean == pytest.approx(KNOWN["alpha"][scale], abs=1e-12)


@pytest.mark.parametrize(("weighting", "published"), [("identity", 0.77544), ("quadratic", 0.91400)])
def test_ac_is_gwets_published(weighting: Weighting, published: float) -> None:
    found = gwet_ac(PUBLISHED, np.arange(12), categories=range(1, 6), weighting=weighting)
    assert found.interval.mean == pytest.approx(published, abs=5e-6)


@pytest.mark.parametrize("weighting", ["identity", "linear", "quadratic", "ordinal"])
def test_ac_and_its_standard_error_are_those_of_irrcac(weighting: Weighting) -> None:
    value, error = KNOWN[f"ac whole {weighting}"]
    found = gwet_ac(WHOLE, UNITS, categories=range(4), weighting=weighting)
    assert found.interval.mean == pytest.approx(value, abs=1e-8)
    assert standard_error(found) == pytest.approx(error, abs=1e-7)
    # With gaps Gwet takes the number of units with two ratings as given, we as drawn: the value alone is the same.
    gaps = gwet_ac(GAPS, UNITS, categories=range(4), weighting=weighting)
    assert gaps.interval.mean == pytest.approx(KNOWN[f"ac gaps {weighting}"][0], abs=1e-8)


@pytest.mark.parametrize("weighting", ["identity", "linear", "quadratic"])
def test_kappa_and_its_standard_error_are_those_of_statsmodels(weighting: Weighting) -> None:
    value, error = KNOWN[f"kappa {weighting}"]
    found = cohen_kappa(WHOLE[:, 0], WHOLE[:, 1], UNITS, categories=range(4), weighting=weighting)
    assert found.interval.mean == pytest.approx(value, abs=1e-12)
    assert standard_error(found) == pytest.approx(error * np.sqrt(60 / 59), abs=1e-7)


def all_three(table: Floats, clusters: object) -> list[Estimate]:
    names = np.asarray(clusters)
    return [
        krippendorff_alpha(table, names, scale="ordinal"),
        gwet_ac(table, names, categories=range(4), weighting="ordinal"),
        cohen_kappa(table[:, 0], table[:, 1], names, categories=range(4), weighting="ordinal"),
    ]


def test_repeating_every_unit_adds_no_evidence() -> None:
    once, thrice = all_three(WHOLE, UNITS), all_three(np.repeat(WHOLE, 3, axis=0), np.repeat(UNITS, 3))
    for one, three in zip(once, thrice, strict=True):
        # Alpha's own correction for small samples sees more ratings.
        assert three.interval[:3] == pytest.approx(one.interval[:3], abs=6e-3)
        assert (three.interval.n, three.interval.clusters) == (180, 60)
    independent = all_three(np.repeat(WHOLE, 3, axis=0), np.arange(180))
    for three, wrong in zip(thrice, independent, strict=True):
        assert three.interval.high - three.interval.low > 1.6 * (wrong.interval.high - wrong.interval.low)


@given(
    st.lists(st.lists(st.sampled_from([0.0, 1.0, 2.0, 3.0, np.nan]), min_size=2, max_size=2), min_size=1, max_size=20)
)
def test_a_coefficient_is_at_most_one_within_its_bounds_or_declined(rows: list[list[float]]) -> None:
    table = np.array(rows)
    for found in all_three(table, np.arange(len(rows)) // 2):
        mean, low, high, _, _ = found.interval
        assert bool(found.reason) == bool(np.isnan(low)) == bool(np.isnan(high))
        if not np.isnan(mean):
            assert mean <= 1 + 1e-12
        if not found.reason:
            assert low <= mean <= high <= 1


@given(st.permutations([0, 1, 2]), st.permutations(range(60)))
def test_order_of_raters_and_units_does_not_matter(raters: list[int], units: list[int]) -> None:
    for one, other in zip(
        all_three(WHOLE[:, :2], UNITS)[:2], all_three(WHOLE[units][:, :2][:, [1, 0]], UNITS)[:2], strict=True
    ):
        assert one.interval == pytest.approx(other.interval)
    assert krippendorff_alpha(WHOLE[:, raters], UNITS, scale="nominal").interval == pytest.approx(
        krippendorff_alpha(WHOLE, UNITS, scale="nominal").interval
    )


@pytest.mark.parametrize(
    ("found", "says"),
    [
        (krippendorff_alpha(np.ones((9, 2)), np.arange(9), scale="nominal"), "all ratings are the same"),
        (krippendorff_alpha(np.full((9, 2), np.nan), np.arange(9), scale="nominal"), "none is paired"),
        (krippendorff_alpha(np.empty((0, 2)), [], scale="interval"), "none is paired"),
        (cohen_kappa([1] * 9, [1] * 9, np.arange(9), categories=[0, 1]), "one and the same rating"),
        (cohen_kappa([1, np.nan], [np.nan, 1], [1, 2], categories=[0, 1]), "both ratings"),
        (gwet_ac(np.ones((9, 2)), np.arange(9), categories=[1]), "fewer than two categories"),
        (gwet_ac([[1, np.nan]] * 9, np.arange(9), categories=[0, 1]), "two ratings"),
    ],
)
def test_what_is_undefined_is_declined_with_the_reason(found: Estimate, says: str) -> None:
    assert np.isnan(found.interval[:3]).all()
    assert says in found.reason


def test_full_agreement_has_a_value_and_no_bounds() -> None:
    table = np.repeat([[0.0, 0.0], [1.0, 1.0]], 10, axis=0)
    for found in all_three(table, np.arange(20)):
        assert found.interval.mean == pytest.approx(1)
        assert np.isnan(found.interval[1:3]).all()
        assert "alike" in found.reason


def test_gwets_coefficient_holds_where_kappa_falls() -> None:
    """118 of 125 units agreed on one rating, 5 disagreements, 2 agreed on the other: Gwet's paradox."""
    first = np.array([1] * 118 + [1] * 3 + [0] * 2 + [0] * 2)
    second = np.array([1] * 118 + [0] * 3 + [1] * 2 + [0] * 2)
    table, units = np.column_stack([first, second]), np.arange(125)
    # By hand: agreed 0.96; AC1's chance 2 p (1 - p) with p = 241 / 250; kappa's from 121 * 120 and 4 * 5.
    chance = 2 * 241 / 250 * 9 / 250
    assert gwet_ac(table, units, categories=[0, 1]).interval.mean == pytest.approx((0.96 - chance) / (1 - chance))
    by_margins = (121 * 120 + 4 * 5) / 125**2
    kappa = cohen_kappa(first, second, units, categories=[0, 1]).interval.mean
    assert kappa == pytest.approx((0.96 - by_margins) / (1 - by_margins))


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: krippendorff_alpha([1, 2], [1, 2], scale="nominal"), "expected [units, raters]"),
        (lambda: krippendorff_alpha([[1, np.inf]], [1], scale="nominal"), "infinite"),
        (lambda: krippendorff_alpha([[1, 2]], [1], scale=cast("Scale", "ratio")), "'ratio'"),
        (lambda: krippendorff_alpha(np.arange(300).reshape(150, 2), np.arange(150), scale="interval"), "300 different"),
        (lambda: gwet_ac([[1, 7]], [1], categories=[1, 2]), "the rating 7"),
        (lambda: gwet_ac([[1, 2]], [1], categories=[1, 2], weighting=cast("Weighting", "cubic")), "'cubic'"),
        (lambda: cohen_kappa([1], [1, 2], [1], categories=[1, 2]), "two [units] alike"),
        (lambda: cohen_kappa([1], [2], [1], categories=[1, 2], level=95), "level 95"),
    ],
)
def test_wrong_input_is_refused(call: Callable[[], Estimate], says: str) -> None:
    with pytest.raises(UsageError) as error:
        call()
    assert says in str(error.value)


@pytest.mark.slow
@pytest.mark.parametrize("which", [0, 1, 2])
def test_intervals_cover_what_they_say(which: int) -> None:
    """Four replies to a question share its difficulty; the truth is one coefficient of 40,000 questions."""

    def drawn(rng: np.random.Generator, questions: int) -> tuple[Floats, NDArray[np.int64]]:
        names = np.repeat(np.arange(questions), 4)
        truth = np.where(
            rng.random(names.size) < 0.6, rng.integers(0, 4, questions)[names], rng.integers(0, 4, names.size)
        )
        raters = [np.where(rng.random(names.size) < 0.3, rng.integers(0, 4, names.size), truth) for _ in range(2)]
        return np.column_stack(raters).astype(np.float64), names

    rng = np.random.default_rng(2026)
    truth = all_three(*drawn(rng, 40_000))[which].interval.mean
    found = [all_three(*drawn(rng, 104))[which].interval for _ in range(1000)]
    assert 0.93 <= np.mean([interval.low <= truth <= interval.high for interval in found]) <= 0.97
