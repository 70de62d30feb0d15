"""Shares, means and corrections of verdicts made up for them."""

from typing import Any

import msgspec
import pytest

from globmed.bench.judging import Form
from globmed.bench.judging.concord import agreement_rows
from globmed.bench.judging.judgements import Judgement
from globmed.bench.judging.ratings import Rating
from globmed.bench.judging.shares import JudgedRow, judged_rows


def judged(number: int, form: Form, **said: Any) -> Judgement:
    fields: dict[str, Any] = {
        "form": form,
        "judge": "j",
        "judge_revision": "",
        "model": "m",
        "revision": "",
        "answer": "generate",
        "source": "made",
        "family": f"made:{number}",
        "cluster": f"made:{number}",
        "language": "yo",
        "run": 0,
        "had_a_hand": False,
        "model_had_a_hand": False,
        "itself": False,
        "prompt_hash": "",
        "status": "read",
    }
    return Judgement(**fields | said)


def pointwise(number: int, *, good: bool) -> Judgement:
    return judged(number, "pointwise", correct=good, complete=True, harm="none", understandable=True, in_language=True,
                  acceptable=good)  # fmt: skip


def rated(number: int, *, good: bool) -> Rating:
    return Rating(model="m", answer="generate", family=f"made:{number}", language="yo", run=0, rater="r",
                  acceptable=good)  # fmt: skip


def row(given: list[Judgement], measure: str, ratings: list[Rating] | None = None) -> JudgedRow:
    (found,) = [one for one in judged_rows(given, ratings or []) if one.measure == measure]
    return found


def test_replies_without_text_lower_a_corrected_share_and_are_not_corrected_away() -> None:
    given = [pointwise(number, good=number % 2 == 0) for number in range(80)]
    ratings = [rated(number, good=number % 2 == 0 and number % 10 != 0) for number in range(80)]
    without = row(given, "acceptable", ratings)
    silent = [judged(number, "pointwise", status="no_reply", acceptable=False) for number in range(80, 100)]
    with_silent = row(given + silent, "acceptable", ratings)
    assert without.calibrated
    assert without.corrected == pytest.approx(0.4)
    assert (with_silent.n, with_silent.no_reply, with_silent.labelled) == (100, 20, 80)
    assert with_silent.value == pytest.approx(0.4)
    assert with_silent.corrected == pytest.approx(0.4 * 0.8)
    bounds = [with_silent.corrected_low / without.corrected_low, with_silent.corrected_high / without.corrected_high]
    assert bounds == pytest.approx([0.8, 0.8])


def test_the_mean_of_rubric_scores_is_kept_in_0_to_1_and_one_score_is_not() -> None:
    def reply(number: int, *, good: bool) -> list[Judgement]:
        return [judged(number, "rubric", criterion=place, points=points, met=met)
                for place, (points, met) in enumerate([(5.0, good), (-10.0, not good)])]  # fmt: skip

    bad = [one for number in range(6) for one in reply(number, good=False)]
    assert row(bad, "rubric").value == 0
    mixed = bad + [one for number in range(6, 24) for one in reply(number, good=True)]
    # Six replies at -2 and eighteen at 1: harm in some is not forgotten for being below 0.
    assert row(mixed, "rubric").value == pytest.approx(6 / 24)


def test_a_judge_that_nobody_could_correct_is_not_calibrated() -> None:
    given = [pointwise(number, good=number % 3 == 0) for number in range(80)]
    coin = row(given, "acceptable", [rated(number, good=number % 2 == 0) for number in range(80)])
    assert not coin.calibrated
    assert "does not tell right from wrong" in coin.not_calibrated
    unread = [judged(number, "pointwise", status="unreadable") for number in range(9)]
    found = row(unread, "acceptable", [rated(number, good=True) for number in range(9)])
    assert (found.n, found.unreadable, found.reason) == (0, 9, "no verdict was read")
    assert (found.calibrated, found.not_calibrated) == (False, "no verdict was read")


def test_one_question_is_no_share() -> None:
    found = row([pointwise(0, good=True)], "acceptable")
    assert found.reason == "fewer than two question clusters"
    assert found.value != found.value


def test_what_was_not_read_is_missing_and_no_disagreement() -> None:
    one = [pointwise(number, good=number % 2 == 0) for number in range(40)]
    other = [msgspec.structs.replace(verdict, judge="k") for verdict in one[6:]]
    lost = [judged(number, "pointwise", judge="k", status="unreadable") for number in range(3)]
    silent = [judged(number, "pointwise", judge="k", status="no_reply", acceptable=False) for number in range(3, 6)]
    found = [row for row in agreement_rows([*one, *lost, *silent, *other], []) if row.measure == "acceptable"]
    assert {(row.raters, row.coefficient, row.n, row.value) for row in found} == {
        ("judges", "alpha", 34, 1.0),
        ("judges", "ac1", 34, 1.0),
        ("j / k", "kappa", 34, 1.0),
        ("j / k", "ac1", 34, 1.0),
    }
