"""The leaderboard: places with what chance leaves open, ties as ties, conflicts marked."""

import math

import pytest

from globmed.bench.baselines import BaselineRow
from globmed.bench.report.grid import Facts
from globmed.bench.report.leaderboard import HAND, facts_of, leaderboard, standings_of
from globmed.bench.report.measure import Measure
from globmed.bench.standings import StandingRow


def measure(model: str, accuracy: float) -> Measure:
    counts = dict.fromkeys(("wrong", "unread", "several", "empty", "refused", "truncated", "filtered", "errors"), 0)
    return Measure(
        task="mcqa",
        answer="generate",
        model=model,
        revision="",
        source="all",
        by="language",
        group="sw",
        tier="low",
        items=100,
        clusters=100,
        asked=100,
        accuracy=accuracy,
        low=accuracy - 0.05,
        high=accuracy + 0.05,
        chance=0.25,
        correct=round(100 * accuracy),
        reason="",
        **counts,
    )


def standing(model: str, rank: int | None, *, items: str = "all", left_out: int = 0) -> StandingRow:
    return StandingRow(
        task="mcqa",
        answer="generate",
        source="all",
        by="all",
        group="all",
        tier="all",
        items=items,  # type: ignore[arg-type]
        left_out=left_out,
        model=model,
        revision="",
        accuracy=math.nan,
        low=math.nan,
        high=math.nan,
        replies=100,
        clusters=100,
        rank=rank,
        best=rank,
        worst=None if rank is None else rank + 1,
        ranked=2,
        reason="" if rank else "no other model to rank it with",
    )


def test_a_place_stands_with_the_places_that_chance_leaves_open() -> None:
    standings = standings_of([standing("a", 1), standing("b", 2)], hands=())
    grid = leaderboard([measure("a", 0.9), measure("b", 0.8)], standings)
    first, second = grid.groups[1].rows
    assert [row.cells[0].value for row in (first, second)] == ["1", "2"]
    assert [row.cells[0].interval for row in (first, second)] == ["[1, 2]", "[2, 3]"]
    assert [column.text for column in grid.columns] == ["Place", "Swahili"]
    assert "are ties, as far as this shows" in grid.notes[0]


def test_a_model_that_is_not_ranked_has_the_reason() -> None:
    grid = leaderboard([measure("a", 0.9)], standings_of([standing("a", None)], hands=()))
    assert (grid.groups[1].rows[0].cells[0].value, grid.groups[1].rows[0].cells[0].detail) == (
        "–",
        "no other model to rank it with",
    )


def test_models_that_had_a_hand_are_marked_and_ranked_again_without() -> None:
    rows = [standing(name, place) for place, name in enumerate("ab", start=1)]
    rows += [standing(name, 3 - place, items="independent", left_out=7) for place, name in enumerate("ab", start=1)]
    standings = standings_of(rows, hands={("a", "", "generate")})
    grid = leaderboard([measure("a", 0.9), measure("b", 0.8)], standings)
    first, second = grid.groups[1].rows
    assert (first.name.text, second.name.text) == (f"a {HAND}", "b")
    assert [cell.value for cell in (*first.cells[:2], *second.cells[:2])] == ["1", "2", "2", "1"]
    assert any("the 7 questions that any of them had a hand in" in note.replace("\xa0", " ") for note in grid.notes)


@pytest.mark.parametrize(
    ("model", "facts"),
    [
        ("gpt-4o@openrouter", Facts(kind="proprietary", field="general")),
        ("no-such-model", Facts()),
    ],
)
def test_facts_come_from_the_catalog(model: str, facts: Facts) -> None:
    assert facts_of(model) == facts


def test_baselines_stand_in_the_table_though_nobody_asked_them() -> None:
    rows = [
        BaselineRow(
            task="mcqa",
            source="headqa",
            baseline=name,
            by="language",
            group="sw",
            tier="low",
            n=100,
            clusters=100,
            accuracy=accuracy,
            low=accuracy - 0.1,
            high=accuracy + 0.1,
            reason="no train items" if math.isnan(accuracy) else "",
        )
        for name, accuracy in (("chance", 0.25), ("longest", 0.31), ("majority", math.nan))
    ]
    (group,) = (
        group
        for group in leaderboard([measure("a", 0.9)], {}, baselines=rows).groups
        if group.heading.startswith("Baselines")
    )
    (row,) = group.rows
    assert (row.name.text, row.cells[-1].value, row.cells[-1].interval) == ("Longest option", "31.0", "[21.0, 41.0]")
    asked = leaderboard([measure("a", 0.9), measure("longest", 0.3)], {}, baselines=rows)
    assert [row.cells[-1].value for row in asked.groups[-1].rows] == ["30.0"]
