"""What judges say is worth what people's ratings make it: corrected where they are enough, uncalibrated elsewhere."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from globmed.bench.judging import judgements_folder, ratings_folder
from globmed.bench.judging.concord import AgreementRow
from globmed.bench.judging.judge import judge_run
from globmed.bench.judging.ratings import Rating, keep_ratings, labels
from globmed.bench.judging.results import AGREEMENT, SHARES, write_judgements
from globmed.bench.judging.shares import JudgedRow
from globmed.core.errors import InputError
from globmed.core.store import read_records
from globmed.models.client import Reply, Request
from globmed.stats.agreement import cohen_kappa
from globmed.stats.judge_calibration import corrected_share

from .conftest import QUESTIONS, Scripted, number_of, replied, said, verdict

MakeRun = Callable[..., Path]
HEADER = "family,language,model,rater,acceptable,harm"


def lenient(request: Request) -> Reply:
    """Call right what is right, and every sixth wrong reply too."""
    right = "RIGHT answer" in request.messages[0].content or number_of(request) % 6 == 0
    return said(verdict(correct=right, harm="none" if right else "mild"))


def strict(request: Request) -> Reply:
    right = "RIGHT answer" in request.messages[0].content
    return said(verdict(correct=right, harm="none" if right else "severe"))


def truth(number: int) -> bool:
    return number % 10 < 5


def people(rater: str, numbers: Iterator[int] | range, *, language: str = "sw", lies: int = -1) -> str:
    """Rate replies of model `a` as they are, but for one."""
    rows = []
    for number in numbers:
        good = truth(number) != (number == lies)
        rows.append(f"made:{number},{language},a,{rater},{'yes' if good else 'no'},{'none' if good else 'severe'}")
    return "\n".join(rows)


@pytest.fixture
def run(make_run: MakeRun) -> Path:
    made = make_run(a=replied(5), b=replied(8))
    judge_run(made, [Scripted("lenient", lenient), Scripted("strict", strict)], form="pointwise")
    return made


def rate(run: Path, *parts: str, header: str = HEADER) -> None:
    file = run.parent / "ratings.csv"
    file.write_text("\n".join([header, *parts]) + "\n", encoding="utf-8")
    keep_ratings(run, file)
    write_judgements(run)


def shares(run: Path) -> dict[tuple[str, str, str], JudgedRow]:
    found = read_records(judgements_folder(run), JudgedRow, prefix=SHARES)
    return {(row.judge, row.model, row.language): row for row in found if row.measure == "acceptable"}


def agreement(run: Path) -> dict[tuple[str, str, str, str], AgreementRow]:
    found = read_records(judgements_folder(run), AgreementRow, prefix=AGREEMENT)
    return {(row.language, row.measure, row.raters, row.coefficient): row for row in found}


def test_a_judge_is_corrected_where_people_rated_and_nowhere_else(run: Path) -> None:
    rate(run, people("r1", range(QUESTIONS)))
    told = shares(run)
    row = told["lenient", "b", "sw"]
    numbers = np.arange(QUESTIONS)
    right = numbers % 10 < 5
    expected = corrected_share(
        (numbers % 10 < 8) | (numbers % 6 == 0),
        [f"made:{number}" for number in numbers],
        labels=right,
        labelled_verdicts=right | (numbers % 6 == 0),
        labelled_clusters=[f"made:{number}" for number in numbers],
    )
    assert (row.calibrated, row.labelled, row.not_calibrated) == (True, QUESTIONS, "")
    # Of the 30 wrong ones 6, 18, 36 and 48 pass.
    assert [row.sensitivity, row.specificity] == pytest.approx([1, 26 / 30])
    assert row.corrected == pytest.approx(expected.corrected.interval.mean)
    assert (row.corrected_low, row.corrected_high) == pytest.approx(expected.corrected.interval[1:3])
    assert row.corrected < row.value, "what the judge lets pass is taken off"
    english = told["lenient", "b", "en"]
    assert (english.calibrated, english.labelled) == (False, 0)
    assert np.isnan(english.corrected)
    assert english.not_calibrated == "nobody rated what was judged in this language"


def test_too_few_ratings_calibrate_nothing_and_say_so(run: Path) -> None:
    rate(run, people("r1", range(20)))
    row = shares(run)["lenient", "a", "sw"]
    assert (row.calibrated, row.labelled) == (False, 20)
    assert "at least 20 are needed" in row.not_calibrated
    assert row.sensitivity == 1.0


def test_agreement_between_judges_and_with_people(run: Path) -> None:
    rate(run, people("r1", range(QUESTIONS)), people("r2", range(QUESTIONS), lies=3))
    told = agreement(run)
    numbers = np.arange(QUESTIONS)
    right = numbers % 10 < 5
    kappa = told["sw", "acceptable", "lenient 1 / people", "kappa"]
    # Of question 3 people are split, and nobody is right or wrong about it.
    both = numbers != 3
    expected = cohen_kappa((right | (numbers % 6 == 0))[both], right[both], numbers[both], categories=(0, 1))
    assert kappa.n == QUESTIONS - 1
    assert kappa.value == pytest.approx(expected.interval.mean)
    assert told["sw", "acceptable", "people", "alpha"].n == QUESTIONS
    assert 0.9 < told["sw", "acceptable", "people", "ac1"].value < 1
    assert told["sw", "harm", "lenient 1 / strict 1", "ac2"].n == 2 * QUESTIONS
    assert told["all", "acceptable", "judges", "alpha"].n == 4 * QUESTIONS
    assert ("en", "acceptable", "people", "alpha") not in told
    assert ("en", "acceptable", "lenient 1 / people", "kappa") not in told
    # Mild beside severe is a near miss, and none beside severe is not.
    assert told["sw", "harm", "judges", "ac2"].value > told["sw", "harm", "lenient 1 / people", "kappa"].value


def test_ratings_are_kept_and_new_ones_take_their_place(run: Path) -> None:
    rate(run, people("r1", range(QUESTIONS)))
    first = write_judgements(run)
    assert "ratings" in first.inputs
    assert write_judgements(run).files == first.files
    rate(run, people("r1", range(30)))
    assert len(list(read_records(ratings_folder(run), Rating))) == 30


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("family,language,model,rater\n", "no column 'acceptable'"),
        (f"{HEADER},mood\n", "the column 'mood'"),
        (f"{HEADER}\nmade:1,sw,a,r,maybe,\n", "acceptable 'maybe'"),
        (f"{HEADER}\nmade:1,sw,a,r,,\n", "nothing in 'acceptable'"),
        (f"{HEADER}\nmade:1,sw,a,,yes,\n", "nothing in 'rater'"),
        (f"{HEADER}\nmade:1,sw,a,r,yes,bad\n", "harm 'bad'"),
        (f"{HEADER}\nmade:999,sw,a,r,yes,\n", "a rating of a/generate/made:999/sw/0"),
        (f"{HEADER}\nmade:1,sw,c,r,yes,\n", "a rating of c/generate/made:1/sw/0"),
        (f"{HEADER}\nmade:1,sw,a,r,yes\n", "more or fewer cells"),
        (f"{HEADER}\nmade:1,sw,a,r,yes,\nmade:1,sw,a,r,no,\n", "that r rated in line 2"),
        (f"{HEADER},run\nmade:1,sw,a,r,yes,,x\n", "run 'x'"),
        (f"{HEADER},answer\nmade:1,sw,a,r,yes,,generate/closed\n", "a rating of a/generate/closed/made:1/sw/0"),
    ],
)
def test_a_rating_that_cannot_be_is_named_by_its_line(make_run: MakeRun, text: str, found: str) -> None:
    run = make_run(questions=4, a=replied(5))
    file = run.parent / "ratings.csv"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as raised:
        keep_ratings(run, file)
    assert found in str(raised.value)
    assert f"{file}:" in str(raised.value)
    assert not ratings_folder(run).exists()


def test_what_people_say_together_is_the_middle_and_a_split_says_nothing() -> None:
    def rating(rater: str, *, good: bool, harm: str) -> Rating:
        fields = {"model": "a", "answer": "generate", "family": "f", "language": "sw", "run": 0, "rater": rater}
        return Rating(**fields, acceptable=good, harm=harm)  # type: ignore[arg-type]

    three = [rating("1", good=True, harm="none"), rating("2", good=False, harm="mild"),
             rating("3", good=False, harm="severe")]  # fmt: skip
    assert list(labels(three, "acceptable").values()) == [0]
    assert list(labels(three, "harm").values()) == [1]
    assert labels(three[:2], "acceptable") == {}
    assert labels(three, "correct") == {}


def test_two_judges_by_pairs_agree_on_which_model_not_on_which_place(make_run: MakeRun) -> None:
    def by_place(request: Request) -> Reply:
        return said(json.dumps({"reason": "So.", "better": "first" if number_of(request) % 2 else "tie"}))

    run = make_run(a=replied(5), b=replied(8))
    judge_run(run, [Scripted("one", by_place), Scripted("two", by_place)], form="pairs")
    write_judgements(run)
    assert agreement(run)["sw", "better", "judges", "alpha"].value == pytest.approx(1)
