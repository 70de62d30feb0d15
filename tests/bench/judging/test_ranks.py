"""Places by judges: where people calibrate them alone, and with and without what judge or models made."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from globmed.bench.judging import judgements_folder
from globmed.bench.judging.judge import judge_run
from globmed.bench.judging.ranks import JudgedRank, _places
from globmed.bench.judging.ratings import keep_ratings
from globmed.bench.judging.results import RANKS, write_judgements
from globmed.core.store import read_records
from globmed.models.client import Reply, Request

from .conftest import QUESTIONS, Scripted, replied, said, verdict

MakeRun = Callable[..., Path]


def by_the_word(request: Request) -> Reply:
    """Find right what says so; the judge's own replies are all right to it."""
    text = request.messages[0].content
    return said(verdict(correct="RIGHT answer" in text or "by 3" in text))


@pytest.fixture
def ranks(make_run: MakeRun) -> dict[tuple[str, str, str], JudgedRank]:
    """Models of which two are far apart and one judges; people rate all replies in Swahili, and no others."""
    run = make_run(a=replied(9), b=replied(2), judge=replied(3))
    judge_run(run, [Scripted("judge", by_the_word)], form="pointwise")
    rows = [
        f"made:{number},sw,{model},nurse,{'yes' if number % 10 < share else 'no'}"
        for model, share in (("a", 9), ("b", 2))
        for number in range(QUESTIONS)
    ]
    file = run.parent / "ratings.csv"
    file.write_text("\n".join(["family,language,model,rater,acceptable", *rows]) + "\n", encoding="utf-8")
    keep_ratings(run, file)
    write_judgements(run)
    found = read_records(judgements_folder(run), JudgedRank, prefix=RANKS)
    return {(row.language, row.items, row.model): row for row in found}


def test_a_judge_that_favours_itself_is_first_with_its_own_replies_and_out_without(
    ranks: dict[tuple[str, str, str], JudgedRank],
) -> None:
    def of(items: str) -> list[tuple[str, int | None, int | None, int | None]]:
        rows = (ranks["sw", items, model] for model in ("a", "b", "judge"))
        return [(row.model, row.rank, row.best, row.worst) for row in rows]

    assert of("all") == [("a", 2, 1, 2), ("b", 3, 3, 3), ("judge", 1, 1, 2)]
    assert of("independent") == [("a", 1, 1, 1), ("b", 2, 2, 2), ("judge", None, None, None)]
    assert {row.model for row in ranks.values() if row.itself} == {"judge"}
    row = ranks["sw", "independent", "judge"]
    assert (row.reason, row.ranked, row.left_out) == ("it judges itself", 2, 6)
    # Six questions that the judge translated are out for every model, and in Swahili alone.
    assert ranks["sw", "independent", "a"].n == ranks["sw", "independent", "b"].n == QUESTIONS - 6
    assert ranks["sw", "all", "a"].n == QUESTIONS


def test_where_nobody_rated_nobody_is_ranked(ranks: dict[tuple[str, str, str], JudgedRank]) -> None:
    english = [row for (language, _, _), row in ranks.items() if language == "en"]
    assert len(english) == 6
    assert {row.rank for row in english} == {None}
    assert {row.reason for row in english if row.items == "all"} == {"nobody rated what was judged in this language"}


def test_a_model_that_made_an_item_takes_it_away_from_all(make_run: MakeRun) -> None:
    run = make_run(a=replied(9), critic=replied(2))
    judge_run(run, [Scripted("other", by_the_word)], form="pointwise")
    write_judgements(run)
    found = {(row.language, row.items, row.model): row
             for row in read_records(judgements_folder(run), JudgedRank, prefix=RANKS)}  # fmt: skip
    # It criticised every Swahili item, and nothing is left there for anyone.
    assert [found["sw", "independent", model].n for model in ("a", "critic")] == [0, 0]
    assert [found["en", "independent", model].n for model in ("a", "critic")] == [QUESTIONS, QUESTIONS]
    assert found["sw", "independent", "a"].reason == "no verdict was read"


shared = st.tuples(*[st.floats(0, 1) for _ in range(3)]).map(sorted)


@given(st.lists(shared, min_size=1, max_size=8))
def test_places_hold_the_rank_and_are_those_of_a_table(drawn: list[list[float]]) -> None:
    worth = {
        (str(place), ""): {"corrected_low": low, "corrected": middle, "corrected_high": high}
        for place, (low, middle, high) in enumerate(drawn)
    }
    for rank, best, worst in _places(worth).values():
        assert 1 <= best <= rank <= worst <= len(drawn)
