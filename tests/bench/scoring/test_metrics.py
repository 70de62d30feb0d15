"""Each metric says what it should of scores made up for it, and nothing where it has nothing to say."""

from typing import Any

import msgspec
import numpy as np
import pytest

from globmed.bench.scoring import Score, metrics
from globmed.core.store import records_to_table


def score(number: int, **changes: Any) -> Score:
    row: dict[str, Any] = {
        "task": "mcqa",
        "model": "m",
        "revision": "",
        "answer": "generate",
        "source": "made",
        "family": f"made:{number}",
        "cluster": f"made:{number}",
        "language": "sw",
        "tier": "low",
        "native_language": "en",
        "text": "native",
        "run": 0,
        "options": 4,
        "chance": 0.25,
        "reply_status": "ok",
        "reading_status": "read",
        "rule": "test",
        "letter": "A",
        "option": 0,
        "gold": 0,
        "correct": True,
        "outcome": "correct",
    }
    return msgspec.convert(row | changes, Score)


def answered(number: int, gold: int, option: int | None, **changes: Any) -> Score:
    letter = None if option is None else "ABCD"[option]
    status = "unread" if option is None else "read"
    right = option == gold
    outcome = "correct" if right else status if option is None else "wrong"
    return score(
        number,
        gold=gold,
        option=option,
        letter=letter,
        reading_status=status,
        correct=right,
        outcome=outcome,
        **changes,
    )


def value(name: str, scores: list[Score]) -> float | None:
    estimate = metrics()[name].of(records_to_table(scores, Score))
    return None if estimate is None else estimate.interval.mean


def triage(pairs: list[tuple[int, int | None]]) -> list[Score]:
    return [answered(number, *pair, source="safety", subset="triage") for number, pair in enumerate(pairs)]


def test_triage_errs_one_way_or_the_other() -> None:
    # Emergency 0, today 1, home 2, information missing 3.
    pairs = [(0, 0), (0, 1), (0, 2), (1, 2), (1, 0), (2, 2), (2, 0), (1, None), (0, 3), (2, 1)]
    scores = triage([*pairs, (3, 3), (3, 0), (3, 2), (3, None)])
    assert value("under_triage", scores) == pytest.approx(3 / 10)
    assert value("over_triage", scores) == pytest.approx(3 / 10)
    assert value("decided_unasked", scores) == pytest.approx(2 / 4)


def test_what_a_metric_says_nothing_of_it_leaves_alone() -> None:
    plain = [answered(number, 0, number % 2) for number in range(6)]
    said = {name for name in metrics() if value(name, plain) is not None}
    assert said == {"accuracy", "above_chance", "unread", "refused", "truncated"}


def test_above_chance_takes_each_items_own_chance() -> None:
    scores = [
        answered(n, 0, 0 if n < 6 else 1, chance=0.5 if n % 2 else 0.1, options=2 if n % 2 else 10) for n in range(10)
    ]
    assert value("above_chance", scores) == pytest.approx((0.6 - 0.3) / 0.7)


def test_macro_f1_is_the_mean_of_the_labels_f1() -> None:
    rng = np.random.default_rng(0)
    gold, said = rng.choice(3, 200, p=(0.55, 0.33, 0.12)), rng.choice([0, 0, 1, 2, -1], 200)
    scores = [
        answered(n, int(g), None if s < 0 else int(s), options=3, fixed_options=True, source="pubmedqa")
        for n, (g, s) in enumerate(zip(gold, said, strict=True))
    ]
    hits = [int(((gold == k) & (said == k)).sum()) for k in range(3)]
    expected = [2 * hit / ((gold == k).sum() + (said == k).sum()) for k, hit in enumerate(hits)]
    assert value("macro_f1", scores) == pytest.approx(np.mean(expected))
    # The same whenever it is computed again, interval and all.
    table = records_to_table(scores, Score)
    assert metrics()["macro_f1"].of(table) == metrics()["macro_f1"].of(table)


def test_labels_of_two_sources_are_not_averaged() -> None:
    scores = [answered(n, 0, 0, fixed_options=True, source=f"s{n % 2}") for n in range(6)]
    estimate = metrics()["macro_f1"].of(records_to_table(scores, Score))
    assert estimate is not None
    assert np.isnan(estimate.interval.mean)
    assert estimate.reason == "several sets of labels"


def test_where_one_label_alone_is_right_there_is_no_macro_f1() -> None:
    scores = [answered(n, 1, n % 2, options=2, fixed_options=True) for n in range(6)]
    estimate = metrics()["macro_f1"].of(records_to_table(scores, Score))
    assert estimate is not None
    assert np.isnan(estimate.interval.mean)
    assert estimate.reason == "one label alone is right"


def test_failed_calls_are_in_no_metric() -> None:
    failed = [score(n, reply_status="error", outcome="error", reading_status="empty", option=None) for n in range(3)]
    estimate = metrics()["above_chance"].of(records_to_table(failed, Score))
    assert estimate is not None
    assert np.isnan(estimate.interval.mean)
    assert estimate.reason == "every call failed"


def described(number: int, chrf: float | None, fidelity: str, **changes: Any) -> Score:
    fields: dict[str, Any] = {"options": 0, "chance": 0.0, "letter": None, "option": None, "gold": None}
    fields |= {"correct": False, "reading_status": "unread", "outcome": "answered", "task": "lfqa"}
    return score(number, **fields | {"chrf": chrf, "rouge_l": chrf, "fidelity": fidelity} | changes)


def test_open_replies_are_described_and_are_in_no_accuracy() -> None:
    replies = [described(number, number / 10, "asked" if number % 2 else "other") for number in range(10)]
    replies += [described(10, 0.0, "undecided", outcome="empty"), described(11, 0.9, "mixed")]
    replies += [described(12, 0.7, "asked", reply_status="error")]
    said = {name for name in metrics() if value(name, replies) is not None}
    assert said == {"chrf", "rouge_l", "in_language", "refused", "truncated"}
    assert value("chrf", replies) == pytest.approx((4.5 + 0.9) / 12)
    # Five in the language asked, of the eleven whose language can be told.
    assert value("in_language", replies) == pytest.approx(5 / 11)
    assert all(metrics()[name].description for name in ("chrf", "rouge_l", "in_language"))
    assert not metrics()["accuracy"].description


def test_without_references_nothing_is_said_of_the_wording() -> None:
    replies = [described(number, None, "undecided") for number in range(5)]
    assert value("chrf", replies) is None
    told = metrics()["in_language"].of(records_to_table(replies, Score))
    assert told is not None
    assert (told.interval.n, told.reason) == (0, "fewer than two clusters with a reply long enough to tell")


def test_bounds_of_a_description_stay_where_it_can_be() -> None:
    replies = [described(number, 0.0 if number else 1.0, "asked") for number in range(12)]
    told = metrics()["chrf"].of(records_to_table(replies, Score))
    assert told is not None
    assert told.interval.low == 0
    assert told.interval.high == pytest.approx(1 / 12 + 2.2009852 / 12)


def test_replies_without_an_answer_are_shared_out_by_why() -> None:
    outcomes = [
        "correct",
        "wrong",
        "unread",
        "several",
        "empty",
        "refused",
        "filtered",
        "truncated",
        "wrong",
        "correct",
    ]
    scores = [score(number, outcome=outcome, correct=outcome == "correct") for number, outcome in enumerate(outcomes)]
    assert value("unread", scores) == pytest.approx(0.3)
    assert value("refused", scores) == pytest.approx(0.2)
    assert value("truncated", scores) == pytest.approx(0.1)
    failed = score(10, outcome="error", reply_status="error", correct=False)
    assert value("truncated", [*scores, failed]) == pytest.approx(0.1)
