"""Gains on made-up scores whose answers are known, against scipy where it has the same thing."""

import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis.strategies import floats, text
from scipy import stats

from globmed.bench.scoring import Score
from globmed.core.errors import InputError
from globmed.core.store import arrow_schema
from globmed.stats.comparison import paired_difference
from globmed.train.gain_pairs import Trained
from globmed.train.gains import Gain, gains

PARTS = ("unread", "right", "newly")
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
    rows = gains(table(base), table(tuned), **options).to_pylist()
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
    assert rows["low"]["relative_percent"] == pytest.approx(200.0)
    assert rows["all"]["gain_points"] == pytest.approx(100 * 4 / 12)
    assert {row["base_model"] for row in rows.values()} == {"base"}
    assert {row["tuned_model"] for row in rows.values()} == {"tuned"}


def replied(model: str, replies: str, **fields: Any) -> list[dict[str, Any]]:
    """Make scores in English, a letter a question: `c` correct, `w` wrong, `u` unread, `e` a call that failed."""
    rows = made(model, {"en": [reply == "c" for reply in replies]}, **fields)
    states = {"u": {"reading_status": "unread", "outcome": "unread"}, "e": {"reply_status": "error"}}
    return [row | states.get(reply, {}) for row, reply in zip(rows, replies, strict=True)]


def test_the_parts_of_a_gain_worked_by_hand() -> None:
    # Read both times: 2 gained, 1 lost. Newly read: 2, 1 of them right. Newly unread: 1, which was right.
    row = compared(replied("base", "ccwwwuucu"), replied("tuned", "cwccwcwuu"))["en"]
    assert (row["both_read"], row["newly_read"], row["newly_unread"]) == (5, 2, 1)
    assert row["gain_points"] == pytest.approx(100 * (4 - 3) / 9)
    assert row["unread_points"] == pytest.approx(100 * 0.25 * (2 - 1) / 9)
    assert row["right_points"] == pytest.approx(100 * (2 - 1) / 9)
    assert row["newly_points"] == pytest.approx(100 * ((1 - 0.25) + (0 - 0.25) - (1 - 0.25)) / 9)


def test_a_learnt_format_alone_is_worth_guesses() -> None:
    # Of eight unread replies a guess would have two right, and two are.
    row = compared(replied("base", "uuuuuuuu"), replied("tuned", "ccwwwwww"))["en"]
    assert row["gain_points"] == row["unread_points"] == pytest.approx(25.0)
    assert row["right_points"] == row["newly_points"] == pytest.approx(0.0)


def test_each_item_has_its_own_chance() -> None:
    base = replied("base", "uu", chance=0.5) + replied("base", "uu", source="other", chance=0.1)
    tuned = replied("tuned", "cw", chance=0.5) + replied("tuned", "ww", source="other", chance=0.1)
    row = compared(base, tuned)["en"]
    assert row["chance"] == pytest.approx(0.3)
    assert row["unread_points"] == pytest.approx(100 * (0.5 + 0.5 + 0.1 + 0.1) / 4)
    assert row["newly_points"] == pytest.approx(100 * (0.5 - 0.5 - 0.1 - 0.1) / 4)


def test_of_several_runs_the_parts_are_the_mean_over_pairs_of_runs() -> None:
    before, after = ("cu", "wu", "uc"), ("cc", "uc", "wu")
    base, tuned = (
        [row for run, replies in enumerate(runs) for row in replied(model, replies, run=run)]
        for model, runs in (("base", before), ("tuned", after))
    )
    found = compared(base, tuned)["en"]
    pairs = [compared(replied("base", one), replied("tuned", other))["en"] for one in before for other in after]
    names = ["gain_points", *(f"{part}_points" for part in PARTS), "both_read", "newly_read", "newly_unread"]
    for name in names:
        assert found[name] == pytest.approx(np.mean([pair[name] for pair in pairs])), name


REPLIES = text(alphabet="cwue", min_size=20, max_size=20)


@settings(max_examples=10)
@given(before=REPLIES, after=REPLIES, again=REPLIES, chance=floats(0.01, 1.0))
def test_the_parts_sum_to_the_gain(before: str, after: str, again: str, chance: float) -> None:
    base = replied("base", before, chance=chance)
    tuned = [
        row for run, replies in enumerate((after, again)) for row in replied("tuned", replies, run=run, chance=chance)
    ]
    row = compared(base, tuned)["en"]
    if row["items"]:
        assert sum(row[f"{part}_points"] for part in PARTS) == pytest.approx(row["gain_points"], abs=1e-12)
    else:
        assert all(math.isnan(row[f"{part}_points"]) for part in PARTS)


def test_parts_have_paired_intervals_clustered_by_question() -> None:
    rng = np.random.default_rng(8)
    before, after = ("".join(rng.choice(list("cwu"), 60)) for _ in range(2))
    base, tuned = replied("base", before), replied("tuned", after)
    for row in (*base, *tuned):
        row["cluster"] = f"pair:{int(row['family'].split(':')[1]) // 2}"
    found = compared(base, tuned)["en"]
    read, read_after = (np.array([reply != "u" for reply in replies], dtype=float) for replies in (before, after))
    right, right_after = (np.array([reply == "c" for reply in replies], dtype=float) for replies in (before, after))
    both, clusters = read * read_after, np.arange(60) // 2
    newly = (1 - read) * (right_after - 0.25 * read_after) - (1 - read_after) * (right - 0.25 * read)
    pairs = {"unread": (0.25 * read, 0.25 * read_after), "right": (both * right, both * right_after)}
    pairs["newly"] = (np.zeros(60), newly)
    for part, (one, other) in pairs.items():
        expected = paired_difference(one, other, clusters)
        assert expected.clusters == 30
        assert [found[f"{part}_{end}"] for end in ("points", "low", "high")] == pytest.approx(
            [100 * expected.mean, 100 * expected.low, 100 * expected.high], abs=1e-9
        )


def rows_of(base: Iterable[dict[str, Any]], tuned: Iterable[dict[str, Any]], **options: Any) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = gains(table(base), table(tuned), **options).to_pylist()
    return rows


def test_what_remains_on_the_held_out_phrasing() -> None:
    rng = np.random.default_rng(9)
    right = {code: rng.random((4, 40)) < np.array([[0.3], [0.8], [0.3], [0.5]]) for code in TIERS}
    base, tuned = (
        made(model, {code: rows[index] for code, rows in right.items()})
        + made(model, {code: rows[index + 2] for code, rows in right.items()}, answer="generate/held_out")
        for index, model in enumerate(("base", "tuned"))
    )
    rows = rows_of(base, tuned)
    assert [row["answer"] for row in rows] == ["generate"] * 6 + ["generate/held_out"] * 6
    assert [row["held_out"] for row in rows] == [False] * 6 + [True] * 6
    assert all(math.isnan(row["difference_points"]) for row in rows[:6])
    for plain, other in zip(rows[:6], rows[6:], strict=True):
        assert other["difference_points"] == pytest.approx(other["gain_points"] - plain["gain_points"])
    # Every question is asked both ways, so the difference is a paired one.
    learnt, kept = (
        np.concatenate([rows[after].astype(float) - rows[before] for rows in right.values()])
        for before, after in ((0, 1), (2, 3))
    )
    expected = paired_difference(learnt, kept, np.tile(np.arange(40), 3))
    assert [rows[-1][f"difference_{end}"] for end in ("points", "low", "high")] == pytest.approx(
        [100 * expected.mean, 100 * expected.low, 100 * expected.high], rel=1e-6
    )


def test_what_remains_on_sources_left_out_of_training() -> None:
    trained = Trained(sources=frozenset({"made"}), languages=frozenset({"en"}))
    other = {"source": "other", "cluster": "other:0"}
    base = made("base", {"en": [0, 0, 1, 0], "sw": [0, 0, 0, 1]})
    base += [row | other | {"family": f"o{row['family']}"} for row in base]
    tuned = made("tuned", {"en": [1, 1, 1, 0], "sw": [0, 1, 1, 1]})
    tuned += [
        row | other | {"family": f"o{row['family']}"} for row in made("tuned", {"en": [0, 0, 1, 1], "sw": [0] * 4})
    ]
    found = {(row["sources"], row["group"]): row for row in rows_of(base, tuned, trained=trained)}
    assert len(found) == 15
    assert found["all", "all"]["gain_points"] == pytest.approx(100 * 4 / 16)
    assert found["trained", "all"]["gain_points"] == pytest.approx(50.0)
    assert found["left_out", "all"]["gain_points"] == pytest.approx(0.0)
    assert found["left_out", "en"]["difference_points"] == pytest.approx(25.0 - 50.0)
    # One cluster alone says nothing of spread.
    assert math.isnan(found["left_out", "en"]["difference_low"])
    assert math.isnan(found["trained", "en"]["difference_points"])
    assert [found["all", group]["language_trained"] for group in ("en", "sw", "all")] == [True, False, None]
    assert {row["sources"] for row in rows_of(base, tuned)} == {"all"}


def test_a_source_left_out_is_compared_with_other_questions() -> None:
    rng = np.random.default_rng(10)
    shares = rng.random((4, 50)) < np.array([[0.3], [0.8], [0.3], [0.5]])
    base, tuned = (
        made(model, {"en": shares[index]})
        + [
            row | {"family": f"o{row['family']}", "cluster": f"o{row['cluster']}"}
            for row in made(model, {"en": shares[index + 2]}, source="other")
        ]
        for index, model in enumerate(("base", "tuned"))
    )
    trained = Trained(sources=frozenset({"made"}), languages=frozenset({"en"}))
    row = next(
        row for row in rows_of(base, tuned, trained=trained) if (row["sources"], row["by"]) == ("left_out", "all")
    )
    seen, unseen = shares[1].astype(float) - shares[0], shares[3].astype(float) - shares[2]
    welch = stats.ttest_ind(unseen, seen, equal_var=False).confidence_interval(0.95)
    # Welch's degrees of freedom lie between those of the smaller set and of both.
    assert row["difference_points"] == pytest.approx(100 * (unseen.mean() - seen.mean()))
    assert [row["difference_low"], row["difference_high"]] == pytest.approx(
        [100 * welch.low, 100 * welch.high], rel=0.05
    )


@pytest.mark.parametrize(
    ("share", "expected"),
    [
        (0.25, "the base is within its interval of chance: the ratio says little"),
        (0.1, "the base is below chance: the ratio says little"),
        (0.6, ""),
    ],
)
def test_a_ratio_to_a_base_near_chance_says_little(share: float, expected: str) -> None:
    right = np.arange(400) < 400 * share
    row = compared(made("base", {"en": right}), made("tuned", {"en": ~right}))["en"]
    assert row["reason"] == expected


def test_what_got_worse_has_its_interval_below_zero() -> None:
    rng = np.random.default_rng(11)
    high, low = rng.random(80) < 0.8, rng.random(80) < 0.3
    rows = compared(
        made("base", {"en": high, "es": low, "sw": low}), made("tuned", {"en": low, "es": high, "sw": ~low})
    )
    assert {group for group, row in rows.items() if row["worse"]} == {"en"}
    assert rows["en"]["gain_high"] < 0


def test_open_questions_take_no_part() -> None:
    closed_and_open = made("base", {"en": [1, 0]}) + made("base", {"sw": [0, 0]}, options=0, chance=0.0)
    rows = compared(closed_and_open, made("tuned", {"en": [1, 1]}))
    assert list(rows) == ["high", "en", "all"]
    with pytest.raises(InputError, match="no question with options"):
        compared(made("base", {"sw": [0]}, options=0), made("tuned", {"sw": [0]}, options=0))


def test_intervals_are_those_of_scipy_where_every_question_is_its_own_cluster() -> None:
    rng = np.random.default_rng(3)
    before, after = rng.random(400) < 0.4, rng.random(400) < 0.7
    row = compared(made("base", {"en": before}), made("tuned", {"en": after}))["en"]
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
    assert row["reason"].startswith("the base’s accuracy is not clearly different from 0")


def test_calls_that_failed_are_left_out_of_both_and_counted() -> None:
    base = made("base", {"en": [1, 0, 0, 1]})
    tuned = made("tuned", {"en": [1, 1, 0]})
    tuned += [
        row | {"family": "made:3", "cluster": "made:3", "reply_status": "error", "correct": False} for row in tuned[:1]
    ]
    row = compared(base, tuned)["en"]
    assert (row["items"], row["not_compared"], row["base"], row["tuned"]) == (
        3,
        1,
        pytest.approx(1 / 3),
        pytest.approx(2 / 3),
    )
    every = [row | {"reply_status": "error"} for row in made("tuned", {"en": [1, 1, 1, 1]})]
    row = compared(base, every)["en"]
    assert row["not_compared"] == 4
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
    rows = gains(table(base), table(tuned)).to_pylist()
    found = {row["task"]: row["gain_points"] for row in rows if row["by"] == "all"}
    assert found == {"mcqa": pytest.approx(50.0), "nli": pytest.approx(-50.0)}


def test_the_same_model_gains_nothing_and_the_order_of_rows_does_not_matter() -> None:
    rng = np.random.default_rng(5)
    right = {code: rng.random(60) < 0.6 for code in TIERS}
    base, tuned = made("base", right), made("tuned", right)
    rows = compared(base, tuned)
    assert all(row["gain_low"] == row["gain_points"] == row["gain_high"] == 0.0 for row in rows.values())
    assert all(row["ratio_low"] == row["ratio"] == row["ratio_high"] == 1.0 for row in rows.values())
    assert all(row[f"{part}_points"] == 0.0 for row in rows.values() for part in ("unread", "right", "newly"))
    changed = made("tuned", {code: rng.random(60) < 0.7 for code in TIERS})
    mixed = [changed[index] for index in rng.permutation(len(changed))]
    np.testing.assert_equal(compared(base, changed), compared(base, mixed))


def test_the_table_has_its_columns_even_of_no_language_but_one() -> None:
    rows = gains(table(made("base", {"sw": [1, 0]})), table(made("tuned", {"sw": [1, 1]})))
    assert rows.schema == arrow_schema(Gain)
    assert rows["group"].to_pylist() == ["low", "sw", "all"]
