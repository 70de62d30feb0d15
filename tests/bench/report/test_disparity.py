"""Gaps in the report: every number is the table's, what is clear of 0 is marked, and what was not measured is said."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from globmed.bench.gap_parts import GapPartRow
from globmed.bench.gaps import GapRow
from globmed.bench.report.disparity import MEASURED_BY, disparity_sections, gap_grid, parts_grid
from globmed.bench.report.disparity_drawn import gap_map, part_bars
from globmed.bench.report.drawing import Figure
from globmed.bench.report.evidence import read_runs
from globmed.bench.report.grid import Cell, Grid
from globmed.bench.report.measure import Measure
from globmed.bench.report.section import Section
from globmed.bench.report.wording import points, points_interval
from globmed.core.language import languages

MakeRun = Callable[..., Path]


def measure(model: str, accuracy: float) -> Measure:
    kinds = ("correct", "wrong", "unread", "several", "empty", "refused", "truncated", "filtered", "errors")
    row: dict[str, Any] = dict.fromkeys(kinds, 0)
    row |= {
        "task": "mcqa", "answer": "generate", "model": model, "revision": "", "source": "all", "by": "all",
        "group": "all", "tier": "all", "items": 100, "clusters": 100, "asked": 100, "accuracy": accuracy,
        "low": accuracy, "high": accuracy, "chance": 0.25, "reason": "",
    }  # fmt: skip
    return Measure(**row)


def gap(model: str, code: str, value: float, half: float = 0.1, **changes: Any) -> GapRow:
    row: dict[str, Any] = {
        "task": "mcqa", "source": "s", "model": model, "revision": "", "answer": "generate", "by": "language",
        "language": code, "tier": languages()[code].tier, "reference": "en", "text": "all", "primary": True,
        "accuracy": 0.5, "at_reference": 0.5 - value, "gap": value, "low": value - half, "high": value + half, "p": 0.5,
        "smallest_gap": 0.2, "unread_gap": 0.0, "pairs": 100, "clusters": 90, "runs": 1, "covers": "", "reason": "",
    }  # fmt: skip
    return GapRow(**(row | changes))


def part(model: str, code: str, gap: float, lost: float, **changes: Any) -> GapPartRow:
    row: dict[str, Any] = {
        "task": "mcqa", "source": "s", "model": model, "revision": "", "answer": "generate", "by": "back_translated",
        "language": code, "tier": languages()[code].tier, "english": 0.7, "between": 0.7 + lost, "target": 0.7 + gap,
        "gap": gap, "gap_low": gap - 0.1, "gap_high": gap + 0.1, "lost": lost, "lost_low": lost - 0.1,
        "lost_high": lost + 0.1, "remains": gap - lost, "remains_low": gap - lost - 0.1,
        "remains_high": gap - lost + 0.1, "share": lost / gap, "share_low": 0.1, "share_high": 0.9, "own": 0,
        "pairs": 100, "revised": 0, "clusters": 90, "reason": "",
    }  # fmt: skip
    return GapPartRow(**(row | changes))


def cells(grid: Grid) -> dict[tuple[str, str], Cell]:
    return {
        (row.name.text, column.text): cell
        for group in grid.groups
        for row in group.rows
        for column, cell in zip(grid.columns, row.cells, strict=True)
    }


@pytest.fixture(scope="module")
def sections(made_up_run: Path) -> list[Section]:
    return disparity_sections(read_runs([made_up_run]))


def test_every_gap_stands_in_the_table_and_in_the_figure(made_up_run: Path, sections: list[Section]) -> None:
    evidence = read_runs([made_up_run])
    rows = [row for row in evidence.gaps if row.by == "language" and row.reference == "en" and row.text == "all"]
    rows = [row for row in rows if row.model.startswith("made-up/")]
    section = next(one for one in sections if one.id == "gaps")
    figure, grid = section.blocks[:2]
    assert isinstance(figure, Figure)
    assert isinstance(grid, Grid)
    shown = [cell.value for cell in cells(grid).values()]
    for row in rows:
        written = points(100 * row.gap)
        assert written in shown
        assert f">{written}" in figure.svg
        if not math.isnan(row.low):
            bounds = points_interval(100 * row.low, 100 * row.high)
            assert bounds in [cell.interval for cell in cells(grid).values()]


def test_the_tiers_are_set_against_each_other_and_what_intervals_cover_is_said(sections: list[Section]) -> None:
    assert [one.id for one in sections] == ["tiers", "gaps"]
    assert "5 of 5 models answered fewer questions right in the low-resource languages" in sections[0].summary[
        0
    ].replace("\xa0", " ").replace("\u202f", " ")
    told = " ".join(sections[1].summary)
    assert "Intervals cover other questions of the kind, given these models, these translations" in told
    assert MEASURED_BY in told
    assert "may be the reader's" in told
    assert not {"usable", "safe"} & set(told.lower().split())


def test_what_is_clear_of_0_is_marked_and_counted() -> None:
    rows = [
        gap("a", "sw", -0.3),
        gap("b", "sw", -0.05),
        gap("a", "fr", 0.2),
        gap("b", "fr", math.nan, reason="too few"),
    ]
    measures = [measure("a", 0.8), measure("b", 0.6)]
    found = cells(gap_grid(rows, measures, to="English"))
    assert (found["a", "Swahili"].value, found["a", "Swahili"].mark) == ("−30.0", "*")
    assert found["a", "Swahili"].interval == "[−40.0, −20.0]"
    assert found["b", "Swahili"].mark == ""
    assert found["a", "French"].mark == "*"
    assert found["b", "French"].value == "–"
    assert "– too few." in gap_grid(rows, measures, to="English").notes
    svg = gap_map(rows, measures, to="English", name="x").svg
    assert ">−30.0*<" in svg
    assert ">–<" in svg


def test_parts_add_up_beside_the_gap_and_say_whether_they_are_bounds_from_above_or_below() -> None:
    rows = [part("a", "yo", -0.3, -0.1), part("a", "yo", -0.3, -0.05, by="revised", revised=40)]
    grid = parts_grid(rows, [measure("a", 0.8)])
    lines = [([cell.value for cell in row.cells], row.name.detail) for row in grid.groups[0].rows]
    assert lines[0] == (["−30.0", "−10.0", "−20.0", "33.3", "100"], "at most, by English translated back")
    assert lines[1][1] == "at least, by revised texts"
    assert lines[1][0][-1] == "140"
    assert ">−30.0<" in part_bars(rows, [measure("a", 0.8)], name="x").svg


def test_names_from_models_are_text(make_run: MakeRun) -> None:
    hostile = "<script>x</script>\u202e"
    run = make_run(named=(hostile, "plain"), codes=("en", "sw"), questions=60)
    told = disparity_sections(read_runs([run]))
    assert all("\u202e" not in text for one in told for text in one.summary)
    figures = [block for one in told for block in one.blocks if isinstance(block, Figure)]
    assert figures
    assert all("<script" not in figure.svg for figure in figures)


def test_one_language_has_no_gap(make_run: MakeRun) -> None:
    run = make_run(named=("a", "b"), codes=("en",), questions=60)
    assert disparity_sections(read_runs([run])) == []
