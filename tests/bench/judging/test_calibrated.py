"""Criteria and preferences calibrated by people: what is corrected, by which errors, and where nothing is."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from globmed.bench.judging import judgements_folder
from globmed.bench.judging.concord import AgreementRow
from globmed.bench.judging.judge import judge_run
from globmed.bench.judging.ratings import keep_ratings
from globmed.bench.judging.results import AGREEMENT, SHARES, write_judgements
from globmed.bench.judging.shares import JudgedRow
from globmed.core.errors import InputError
from globmed.core.store import read_records
from globmed.models.client import Reply, Request
from globmed.stats.judge_calibration import corrected_share

from .conftest import QUESTIONS, Scripted, number_of, replied, said

MakeRun = Callable[..., Path]
NUMBERS = np.arange(QUESTIONS)
CLUSTERS = [f"made:{number}" for number in NUMBERS]


def rate(run: Path, header: str, lines: list[str]) -> None:
    file = run.parent / "ratings.csv"
    file.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    keep_ratings(run, file)
    write_judgements(run)


def shares(run: Path) -> dict[tuple[str, str, str], JudgedRow]:
    found = read_records(judgements_folder(run), JudgedRow, prefix=SHARES)
    return {(row.model, row.language, row.measure): row for row in found}


def agreement(run: Path) -> dict[tuple[str, str, str], AgreementRow]:
    found = read_records(judgements_folder(run), AgreementRow, prefix=AGREEMENT)
    return {(row.language, row.measure, f"{row.raters} {row.coefficient}"): row for row in found}


def criterion(request: Request) -> Reply:
    """Find what is there, and in every sixth reply anything."""
    text, wanted = request.messages[0].content.split("<criterion>", 1)
    met = f"{wanted.partition('</criterion>')[0].strip()} answer" in text or number_of(request) % 6 == 0
    return said(json.dumps({"reason": "So.", "met": met}))


def test_a_criterion_is_calibrated_as_wanted_or_not(make_run: MakeRun) -> None:
    run = make_run(task="rubric", a=replied(5), b=replied(8))
    judge_run(run, [Scripted("judge", criterion)], form="rubric")
    right = NUMBERS % 10 < 5
    # Criterion 0 is met by right replies, 1 (which takes points) by wrong ones, 2 by none.
    met = np.column_stack([right, ~right, np.zeros_like(right)])
    lines = [
        f"made:{number},sw,a,nurse,{place},{'yes' if met[number, place] else 'no'}"
        for number in NUMBERS
        for place in range(3)
    ]
    rate(run, "family,language,model,rater,criterion,met", lines)
    told = shares(run)
    row, wanted = told["b", "sw", "as_wanted"], np.array([True, False, True])
    seen = met | (NUMBERS % 6 == 0)[:, None]
    of_b = np.column_stack([NUMBERS % 10 < 8, NUMBERS % 10 >= 8, np.zeros_like(right)]) | (NUMBERS % 6 == 0)[:, None]
    expected = corrected_share(
        (of_b == wanted).ravel(),
        np.repeat(CLUSTERS, 3),
        labels=(met == wanted).ravel(),
        labelled_verdicts=(seen == wanted).ravel(),
        labelled_clusters=np.repeat(CLUSTERS, 3),
    )
    assert (row.calibrated, row.labelled) == (True, 3 * QUESTIONS)
    assert row.value == pytest.approx((of_b == wanted).mean())
    assert (row.corrected, row.corrected_low, row.corrected_high) == pytest.approx(expected.corrected.interval[:3])
    assert (row.sensitivity, row.sensitivity_low) == pytest.approx(expected.quality.sensitivity[:2])
    assert not told["b", "en", "as_wanted"].calibrated
    # Points are no yes or no: their mean describes, and nothing corrects it.
    assert not told["b", "sw", "rubric"].calibrated
    assert agreement(run)["sw", "met", "judge 1 / people kappa"].n == 3 * QUESTIONS


def prefers(request: Request) -> Reply:
    """Prefer the right reply to the wrong one, but in every sixth question the wrong one; a tie of two alike."""
    text = request.messages[0].content
    first, second = ("RIGHT" in part for part in text.split("<second>"))
    better = "tie" if first == second else "first" if first != (number_of(request) % 6 == 0) else "second"
    return said(json.dumps({"reason": "So.", "better": better}))


def preferred(number: int) -> str:
    """Model b is right where a is not in questions 5 to 7 of ten; people see no difference elsewhere."""
    return "other" if number % 10 in (5, 6, 7) else "tie"


def pairs(make_run: MakeRun) -> Path:
    run = make_run(a=replied(5), b=replied(8))
    judge_run(run, [Scripted("judge", prefers)], form="pairs")
    return run


def test_of_pairs_the_probability_of_preferring_as_people_do_corrects_wins_and_losses(make_run: MakeRun) -> None:
    run = pairs(make_run)
    header = "family,language,model,other,rater,better"
    rate(run, header, [f"made:{number},sw,a,b,nurse,{preferred(number)}" for number in range(QUESTIONS)])
    told = shares(run)
    # Of 18 questions with a better reply, 6, 36 (and no other) are multiples of six: the judge errs there.
    losses, wins = told["a", "sw", "losses"], told["a", "sw", "wins"]
    assert losses.sensitivity == wins.sensitivity == pytest.approx(16 / 18)
    assert (losses.labelled, wins.labelled) == (2 * QUESTIONS, 2 * QUESTIONS)
    # 18 questions are too few, and the reason says so.
    assert "people labelled 18 questions with the rarer label" in losses.not_calibrated
    assert told["a", "sw", "preferred"].value == pytest.approx(0.5 + (2 - 16) / 2 / QUESTIONS)
    assert agreement(run)["sw", "better", "judge 1 / people kappa"].n == 2 * QUESTIONS


def test_a_pair_rated_from_the_other_side_is_the_same_pair(make_run: MakeRun) -> None:
    run = make_run(questions=140, a=replied(5), b=replied(8))
    judge_run(run, [Scripted("judge", prefers)], form="pairs")
    turned = {"other": "model", "tie": "tie"}
    rate(
        run,
        "family,language,model,other,rater,better",
        [f"made:{number},sw,b,a,nurse,{turned[preferred(number)]}" for number in range(140)],
    )
    row = shares(run)["a", "sw", "losses"]
    assert (row.calibrated, row.not_calibrated) == (True, "")
    assert row.value < row.corrected
    # The judge errs at random with respect to the truth: corrected, losses are what people say.
    assert row.corrected == pytest.approx(0.3, abs=0.02)
    assert row.corrected_low < 0.3 < row.corrected_high


@pytest.mark.parametrize(
    ("header", "line", "found"),
    [
        ("criterion,met", "3,yes", "criterion 3; expected one of the 3 of this item"),
        ("criterion,met", "x,yes", "criterion 'x'"),
        ("criterion,met", "1,", "nothing in 'met'"),
        ("criterion,met", "1,perhaps", "met 'perhaps'"),
        ("other,better", "b,", "nothing in 'better'"),
        ("other,better", "b,a", "better 'a'"),
        ("other,better", "c,tie", "a rating of c/generate/made:1/sw/0"),
        ("other,better", "a,tie", "'a' beside itself"),
        ("other,criterion,better", "b,1,tie", "a criterion and another model"),
        ("met", "yes", "nothing in 'acceptable'"),
    ],
)
def test_a_rating_of_no_criterion_and_of_no_pair_is_named(
    make_run: MakeRun, header: str, line: str, found: str
) -> None:
    run = make_run(questions=4, task="rubric", a=replied(5), b=replied(5))
    with pytest.raises(InputError, match=found):
        rate(run, f"family,language,model,rater,{header}", [f"made:1,sw,a,nurse,{line}"])


def test_a_question_without_rubric_has_no_criterion(make_run: MakeRun) -> None:
    run = make_run(questions=4, a=replied(5))
    with pytest.raises(InputError, match="criterion 0; expected none: this item has no rubric"):
        rate(run, "family,language,model,rater,criterion,met", ["made:1,sw,a,nurse,0,yes"])
