"""Macro-F1, accuracy above chance and safe ratios against independent implementations and measured coverage."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from globmed.core.errors import UsageError
from globmed.stats.classification import Classified, above_chance, classified, relative
from globmed.stats.intervals import Interval, clustered_proportion

Ints = NDArray[np.int64]
KNOWN = json.loads(Path(__file__).with_name("known_answers.json").read_text(encoding="utf-8"))["classification"]


def scored(gold: object, said: object, *, classes: int = 3, draws: int = 200, seed: int = 0) -> Classified:
    names = np.arange(np.size(np.asarray(gold)))
    rng = np.random.default_rng(seed)
    return classified(np.asarray(gold), np.asarray(said), names, classes=classes, rng=rng, draws=draws)


def test_scores_are_those_of_scikit_learn() -> None:
    found = scored(KNOWN["gold"], KNOWN["said"])
    assert found.macro_f1.interval.mean == pytest.approx(KNOWN["macro_f1"])
    ours = [(row.precision, row.recall, row.f1, row.support) for row in found.classes]
    assert ours == [pytest.approx(parts) for parts in zip(*KNOWN["parts"], strict=True)]


def test_an_unread_reply_misses_its_class_and_accuses_none() -> None:
    found = scored([0, 0, 1, 1], [0, -1, 1, 1], classes=2)
    assert found.confusion.tolist() == [[1, 0, 1], [0, 2, 0]]
    assert [row.recall for row in found.classes] == [0.5, 1]
    assert [row.precision for row in found.classes] == [1, 1]
    assert found.macro_f1.interval.mean == pytest.approx((2 / 3 + 1) / 2)


def test_a_class_absent_from_gold_is_in_no_mean_but_an_error_to_the_class_that_was_right() -> None:
    found = scored([0, 0, 1, 1], [0, 2, 1, 1])
    assert found.absent == (2,)
    assert np.isnan(found.classes[2].f1)
    assert found.classes[2].precision == 0
    assert found.macro_f1.interval.mean == pytest.approx((2 / 3 + 1) / 2)


def test_a_class_never_said_has_f1_of_nothing() -> None:
    found = scored([0, 0, 1], [0, 0, 0], classes=2)
    assert found.classes[1].f1 == 0
    assert np.isnan(found.classes[1].precision)
    assert found.macro_f1.interval.mean == pytest.approx(0.4)


def test_no_observations_and_one_question_are_declined() -> None:
    none = scored([], [])
    assert np.isnan(none.macro_f1.interval[:3]).all()
    assert none.absent == (0, 1, 2)
    one = classified([0, 1], [0, 1], ["q", "q"], classes=2, rng=np.random.default_rng(0)).macro_f1
    assert one.interval.mean == 1
    assert np.isnan(one.interval[1:3]).all()
    assert "two questions" in one.reason


def test_the_bootstrap_draws_whole_questions() -> None:
    rng = np.random.default_rng(1)
    gold = rng.integers(0, 2, 100)
    said = np.where(rng.random(100) < 0.7, gold, 1 - gold)
    single = scored(gold, said, classes=2, draws=2000).macro_f1.interval
    names = np.repeat(np.arange(100), 4)
    whole = classified(
        np.repeat(gold, 4), np.repeat(said, 4), names, classes=2, rng=np.random.default_rng(0), draws=2000
    ).macro_f1.interval
    assert whole[:3] == pytest.approx(single[:3])
    assert (whole.n, whole.clusters) == (400, 100)


def test_guessing_is_nothing_above_chance_and_all_right_is_one() -> None:
    chance = np.array([0.25, 0.1] * 50)
    names = np.arange(100)
    assert above_chance(np.ones(100), chance, names).interval.mean == 1
    assert above_chance(np.zeros(100), chance, names).interval.mean == pytest.approx(-0.175 / 0.825)
    half = above_chance([1, 0] * 50, chance, names)
    inner = clustered_proportion([1, 0] * 50, names)
    assert half.interval[:3] == pytest.approx([(value - 0.175) / 0.825 for value in inner[:3]])
    assert not half.reason


@given(st.lists(st.tuples(st.booleans(), st.floats(0, 0.5), st.integers(0, 5)), max_size=30))
def test_accuracy_above_chance_is_within_its_bounds_or_says_why_not(rows: list[tuple[bool, float, int]]) -> None:
    correct, chance, names = (np.array([row[k] for row in rows]) for k in range(3))
    found = above_chance(correct, chance, names)
    assert bool(found.reason) == bool(np.isnan(found.interval.low))
    if not found.reason:
        assert found.interval.low <= found.interval.mean <= found.interval.high <= 1 + 1e-12


def test_a_ratio_is_fiellers_from_its_quadratic() -> None:
    """The bounds are where the t test of top - ratio * bottom just does not reject: checked by that test itself."""
    rng = np.random.default_rng(2)
    names = np.repeat(np.arange(40), 3)
    below = rng.normal(1, 0.5, 40)[names] + rng.normal(0, 0.3, 120)
    above = 0.6 * below + rng.normal(0, 0.3, 120)
    found = relative(above, below, names).interval
    assert found.mean == pytest.approx(above.mean() / below.mean())
    for bound in (found.low, found.high):
        rest = above - bound * below
        sums = np.array([(rest - rest.mean())[names == name].sum() for name in range(40)])
        error = np.sqrt(40 / 39 * (sums**2).sum()) / 120
        assert abs(rest.mean() / error) == pytest.approx(2.0226909, abs=1e-5)


def test_a_ratio_to_what_may_be_nothing_is_declined() -> None:
    rng = np.random.default_rng(3)
    found = relative(np.ones(50), rng.normal(0.1, 1, 50), np.arange(50))
    assert np.isnan(found.interval[:3]).all()
    assert "not clearly above 0" in found.reason
    assert "two questions" in relative([1.0], [1.0], [1]).reason
    assert np.isnan(relative([], [], []).interval.mean)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: scored([0, 3], [0, 0]), "outside 0 to 2"),
        (lambda: scored([0, -1], [0, 0]), "outside 0 to 2"),
        (lambda: scored([0, 1], [0]), "expected pairs"),
        (lambda: above_chance([1, 0], [0.5, 1.0], [1, 2]), "below 1"),
        (lambda: above_chance([1, 2], [0.5, 0.5], [1, 2]), "true and false"),
        (lambda: relative([1, 2], [1], [1, 2]), "two [n] alike"),
    ],
)
def test_wrong_input_is_refused(call: Callable[[], object], says: str) -> None:
    with pytest.raises(UsageError) as error:
        call()
    assert says in str(error.value)


def answers(rng: np.random.Generator, questions: int, right: float) -> tuple[Ints, Ints, Ints]:
    """Return gold and said of three classes and the question, four replies each."""
    names = np.repeat(np.arange(questions), 4)
    known = rng.random(names.size) < rng.beta(2.3 * right, 2.3 * (1 - right), questions)[names]
    gold = rng.choice(3, questions, p=[0.55, 0.34, 0.11])[names]
    said = np.where(known, gold, rng.integers(-1, 3, names.size))
    return gold, said, names


@pytest.mark.slow
@pytest.mark.parametrize("which", ["macro-F1", "above chance", "relative"])
def test_intervals_cover_what_they_say(which: str) -> None:
    def drawn(rng: np.random.Generator, questions: int) -> Interval:
        gold, said, names = answers(rng, questions, 0.6)
        correct = gold == said
        if which == "macro-F1":
            return classified(gold, said, names, classes=3, rng=rng, draws=300).macro_f1.interval
        if which == "above chance":
            return above_chance(correct, rng.choice([0.1, 0.25], questions)[names], names).interval
        return relative(correct & (rng.random(names.size) < 0.7), correct, names).interval

    rng = np.random.default_rng(2026)
    truth = drawn(rng, 40_000).mean
    found = [drawn(rng, 250) for _ in range(1000)]
    assert 0.93 <= np.mean([interval.low <= truth <= interval.high for interval in found]) <= 0.97
