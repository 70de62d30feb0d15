"""Gains on made-up scores whose answers are known, against scipy where it has the same thing."""

import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from scipy import stats

from globmed.bench.scoring import Score
from globmed.core.errors import InputError
from globmed.core.store import arrow_schema
from globmed.train.gains import Gain, gains

TIERS = {"en": "high", "es": "high", "sw": "low"}


def made(model: str, right: Mapping[str, Iterable[object]], *, runs: int = 1, **fields: Any) -> list[dict[str, Any]]:
    """Make scores of one model: by language, whether each question was answered right."""
    return [
        {
            "task": "mcqa",
            "model": model,
            "revision": "",
            "answer": "generate",
            "source": "made",
            "family": f"made:{number}",
            "cluster": f"made:{number}",
            "language": language,
            "tier": TIERS[language],
            "native_language": "en",
            "text": "native",
            "run": run,
            "options": 4,
            "chance": 0.25,
            "reply_status": "ok",
            "reading_status": "read",
            "rule": "made",
            "letter": "A",
            "correct": bool(value),
            "outcome": "correct" if value else "wrong",
        }
        | fields
        for language, values in right.items()
        for number, value in enumerate(values)
        for run in range(runs)
    ]


def table(rows: Iterable[dict[str, Any]]) -> pa.Table:
    return pa.Table.from_pylist(list(rows), schema=arrow_schema(Score))


def compared(
    base: Iterable[dict[str, Any]], tuned: Iterable[dict[str, Any]], **options: Any
) -> dict[str, dict[str, Any]]:
    rows = gains(table(base), table(tuned), rng=np.random.default_rng(0), **options).to_pylist()
    return {row["group"]: row for row in rows}


def test_a_known_answer() -> None:
    base = made("base", {"en": [1, 1, 0, 0], "es": [1, 0, 0, 0], "sw": [0, 1, 0, 0]})
    tuned = made("tuned", {"en": [1, 1, 1, 0], "es": [1, 0, 0, 1], "sw": [1, 1, 1, 0]})
    rows = compared(base, tuned)
    assert list(rows) == ["high", "en", "es", "low", "sw", "all"]
    assert [rows["high"][name] for name in ("by", "tier", "items", "clusters")] == ["tier", "high", 8, 4]
    assert (rows["high"]["base"], rows["high"]["tuned"]) == (3 / 8, 5 / 8)
    assert rows["high"]["gain_points"] == pytest.approx(25.0)
    assert rows["high"]["ratio"] == pytest.approx(5 / 3)
    assert rows["low"]["gain_points"] == pytest.approx(50.0)
    assert rows["low"]["ratio"] == pytest.approx(3.0)
    assert rows["all"]["gain_points"] == pytest.approx(100 * 4 / 12)
    assert {row["base_model"] for row in rows.values()} == {"base"}
    assert {row["tuned_model"] for row in rows.values()} == {"tuned"}


def test_intervals_are_those_of_scipy_where_every_question_is_its_own_cluster() -> None:
    rng = np.random.default_rng(3)
    before, after = rng.random(400) < 0.4, rng.random(400) < 0.7
    row = compared(made("base", {"en": before}), made("tuned", {"en": after}), draws=4000)["en"]
    paired = stats.ttest_rel(after.astype(float), before.astype(float)).confidence_interval(0.95)
    assert [row["gain_low"], row["gain_high"]] == pytest.approx([100 * paired.low, 100 * paired.high])
    drawn = stats.bootstrap(
        (before, after),
        lambda b, a, axis: a.mean(axis=axis) / b.mean(axis=axis),
        paired=True, vectorized=True, n_resamples=4000, method="percentile", rng=np.random.default_rng(1),
    ).confidence_interval  # fmt: skip
    assert [row["ratio_low"], row["ratio_high"]] == pytest.approx([drawn.low, drawn.high], rel=0.02)


def test_a_translated_question_is_no_further_evidence() -> None:
    rng = np.random.default_rng(4)
    before, after = rng.random(100) < 0.4, rng.random(100) < 0.7
    one = compared(made("base", {"en": before}), made("tuned", {"en": after}))["high"]
    two = compared(made("base", {"en": before, "es": before}), made("tuned", {"en": after, "es": after}))["high"]
    assert (one["items"], two["items"]) == (100, 200)
    for name in ("clusters", "gain_low", "gain_high"):
        assert two[name] == pytest.approx(one[name])


def test_runs_of_one_item_are_one_observation() -> None:
    base, tuned = made("base", {"en": [1, 0, 0]}), made("tuned", {"en": [1, 1, 0]})
    again = made("tuned", {"en": [1, 0, 0]}, run=1)
    row = compared(base, tuned + again)["en"]
    assert (row["items"], row["tuned"]) == (3, pytest.approx((1 + 0.5 + 0) / 3))


def test_a_base_that_got_nothing_right_has_no_ratio_and_says_so() -> None:
    row = compared(made("base", {"sw": [0, 0, 0]}), made("tuned", {"sw": [1, 1, 0]}))["sw"]
    assert row["gain_points"] == pytest.approx(200 / 3)
    assert all(math.isnan(row[name]) for name in ("ratio", "ratio_low", "ratio_high"))
    assert row["reason"] == "the base model got nothing right, so there is no ratio"


def test_a_base_that_got_almost_nothing_right_has_a_ratio_without_interval() -> None:
    row = compared(made("base", {"sw": [1, 0, 0]}), made("tuned", {"sw": [1, 1, 0]}))["sw"]
    assert row["ratio"] == pytest.approx(2.0)
    assert math.isnan(row["ratio_low"])
    assert "some bootstrap draws" in row["reason"]


def test_calls_that_failed_are_left_out_of_both_and_counted() -> None:
    base = made("base", {"en": [1, 0, 0, 1]})
    tuned = made("tuned", {"en": [1, 1, 0]})
    tuned += [
        row | {"family": "made:3", "cluster": "made:3", "reply_status": "error", "correct": False} for row in tuned[:1]
    ]
    row = compared(base, tuned)["en"]
    assert (row["items"], row["left_out"], row["base"], row["tuned"]) == (
        3,
        1,
        pytest.approx(1 / 3),
        pytest.approx(2 / 3),
    )
    every = [row | {"reply_status": "error"} for row in made("tuned", {"en": [1, 1, 1, 1]})]
    row = compared(base, every)["en"]
    assert row["left_out"] == 4
    assert math.isnan(row["gain_points"])
    assert row["reason"] == "every call of one of the models failed"


def test_unread_replies_are_counted_on_both_sides() -> None:
    base = made("base", {"en": [0, 0]}, reading_status="unread") + made("base", {"sw": [1, 1]})
    row = compared(base, made("tuned", {"en": [1, 1], "sw": [1, 1]}))
    assert [(row[group]["unread_base"], row[group]["unread_tuned"]) for group in ("en", "sw", "all")] == [
        (2, 0),
        (0, 0),
        (2, 0),
    ]


def test_other_items_are_refused_with_how_many_differ() -> None:
    base, tuned = made("base", {"en": [1, 0, 1]}), made("tuned", {"en": [1, 0], "sw": [1, 1]})
    with pytest.raises(InputError, match=r"1 items .* in base only and 2 in tuned only"):
        compared(base, tuned)


@pytest.mark.parametrize("wrong", [[], made("one", {"en": [1]}) + made("two", {"en": [1]})])
def test_a_table_holds_one_model(wrong: list[dict[str, Any]]) -> None:
    with pytest.raises(InputError, match=r"base scores: found .* models"):
        compared(wrong, made("tuned", {"en": [1]}))


def test_tasks_are_never_mixed() -> None:
    base = made("base", {"en": [0, 1]}) + made("base", {"en": [1, 1]}, task="nli")
    tuned = made("tuned", {"en": [1, 1]}) + made("tuned", {"en": [1, 0]}, task="nli")
    rows = gains(table(base), table(tuned), rng=np.random.default_rng(0)).to_pylist()
    found = {row["task"]: row["gain_points"] for row in rows if row["by"] == "all"}
    assert found == {"mcqa": pytest.approx(50.0), "nli": pytest.approx(-50.0)}


def test_the_same_model_gains_nothing_and_the_order_of_rows_does_not_matter() -> None:
    rng = np.random.default_rng(5)
    right = {code: rng.random(60) < 0.6 for code in TIERS}
    base, tuned = made("base", right), made("tuned", right)
    rows = compared(base, tuned)
    assert all(row["gain_low"] == row["gain_points"] == row["gain_high"] == 0.0 for row in rows.values())
    assert all(row["ratio_low"] == row["ratio"] == row["ratio_high"] == 1.0 for row in rows.values())
    changed = made("tuned", {code: rng.random(60) < 0.7 for code in TIERS})
    mixed = [changed[index] for index in rng.permutation(len(changed))]
    assert compared(base, changed) == compared(base, mixed)


def test_the_table_has_its_columns_even_of_no_language_but_one() -> None:
    rows = gains(
        table(made("base", {"sw": [1, 0]})), table(made("tuned", {"sw": [1, 1]})), rng=np.random.default_rng(0)
    )
    assert rows.schema == arrow_schema(Gain)
    assert rows["group"].to_pylist() == ["low", "sw", "all"]
