"""What carries over from English: the numbers are those of the table of transfer."""

import math
from pathlib import Path

import msgspec

from globmed.bench.report.evidence import read_runs
from globmed.bench.report.grid import Grid
from globmed.bench.report.transferred import transfer_grid, transfer_sections
from globmed.bench.report.wording import interval, percent
from globmed.core.language import languages


def test_the_tables_are_those_of_transfer(made_up_run: Path) -> None:
    evidence = read_runs([made_up_run])
    (section,) = transfer_sections(evidence)
    known, mistakes = section.blocks
    assert isinstance(known, Grid)
    assert isinstance(mistakes, Grid)
    for grid, measure in ((known, "carried"), (mistakes, "same_wrong_beyond")):
        cells = {
            (row.name.text, place[1]): cell
            for row in grid.groups[0].rows
            for place, cell in zip(grid.places, row.cells, strict=True)
        }
        rows = [row for row in evidence.transfers if row.measure == measure and row.reference == "en"]
        shown = [row for row in rows if row.model.startswith("made-up/") and row.language != "en"]
        # The calls of one model failed in Wolof.
        assert len(shown) == 5 * (len(languages()) - 1) - 1
        for row in shown:
            cell = cells[row.model, row.language]
            wide = row.high - row.low > 1
            assert cell.value == ("–" if wide else percent(row.value))
            if not math.isnan(row.value) and not wide:
                assert cell.interval == interval(row.low, row.high)
    told = " ".join(section.summary)
    assert "if knowing in one language said nothing of knowing in the other" in told


def test_without_english_there_is_none(make_run: object) -> None:
    run = make_run(named=("a", "b"), codes=("fr", "sw"), questions=40)  # type: ignore[operator]
    assert transfer_sections(read_runs([run])) == []


def test_an_interval_wider_than_all_that_can_be_is_a_dash_with_its_reason(made_up_run: Path) -> None:
    evidence = read_runs([made_up_run])
    rows = [row for row in evidence.transfers if (row.measure, row.language, row.reference) == ("carried", "sw", "en")]
    rows = [row for row in rows if row.model.startswith("made-up/")]
    wide = [msgspec.structs.replace(row, value=1.15, low=0.4, high=804.0) for row in rows[:1]]
    grid = transfer_grid([*wide, *rows[1:]], evidence.measures, title="t", caption="c")
    cells = [row.cells[0] for row in grid.groups[0].rows]
    assert [cell.value for cell in cells].count("–") == 1
    assert grid.notes[-1] == "– The interval is wider than 100 points, and says nothing."
