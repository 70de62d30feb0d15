"""Directly and through English: the numbers are the comparison's, the cost counts the translation."""

from pathlib import Path

import pytest

from globmed.bench.compare import compare
from globmed.bench.report.drawing import Figure
from globmed.bench.report.evidence import Evidence, read_runs
from globmed.bench.report.grid import Grid
from globmed.bench.report.through import through_sections
from globmed.bench.report.wording import percent, points, points_interval


@pytest.fixture(scope="module")
def evidence(translated_run: Path) -> Evidence:
    return read_runs([translated_run])


def test_every_model_is_compared_with_itself(evidence: Evidence) -> None:
    models = {one.direct[0] for one in evidence.through}
    assert {"made-up/large", "made-up/medical-8b", "made-up/base-1.7b"} <= models
    assert {one.translated[2] for one in evidence.through} == {"generate/translated"}


def test_the_table_has_the_comparison_and_what_either_way_costs(evidence: Evidence, translated_run: Path) -> None:
    (section,) = through_sections(evidence)
    figure, grid = section.blocks
    assert isinstance(figure, Figure)
    assert isinstance(grid, Grid)
    group = next(group for group in grid.groups if group.heading.startswith("made-up/medical-8b"))
    rows = {row.name.text: row.cells for row in group.rows}
    found = compare(translated_run, models=["made-up/medical-8b"], answers=["generate", "generate/translated"])
    wolof = next(row for row in found.rows if row.group == "wo")
    assert wolof.difference > 0.05
    assert rows["Wolof"][0].value == points(100 * wolof.difference)
    assert rows["Wolof"][0].interval == points_interval(100 * wolof.low, 100 * wolof.high)
    assert rows["Wolof"][0].mark == ("*" if wolof.p_family < 0.05 else "")
    assert [cell.value for cell in rows["Wolof"][1:3]] == [percent(wolof.first), percent(wolof.second)]
    # 260 tokens directly; the translation's 400 beside them.
    assert [cell.value for cell in rows["Wolof"][4:]] == ["0.260", "0.660"]
    assert "English" not in rows
    assert f">{points(100 * wolof.difference)}<" in figure.svg
    told = " ".join(section.summary).replace("\xa0", " ")
    assert "Through English a question costs" in told
    assert not {"usable", "safe"} & set(told.lower().split())


def test_without_translations_there_is_no_section(made_up_run: Path) -> None:
    assert through_sections(read_runs([made_up_run])) == []
