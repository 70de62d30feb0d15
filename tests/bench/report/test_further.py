"""Metrics besides accuracy in the report."""

from dataclasses import replace
from math import nan
from pathlib import Path

import pytest

from globmed.bench.analysis import MetricRow
from globmed.bench.report.evidence import Evidence, read_runs
from globmed.bench.report.further import further_sections, told_once
from globmed.bench.report.grid import Grid


def metric(name: str, language: str, value: float, *, model: str = "asked-1", reason: str = "") -> MetricRow:
    tier = "low" if language == "sw" else "high"
    return MetricRow(
        task="mcqa", answer="generate", model=model, revision="", source="safety", subset="all", metric=name,
        by="language", group=language, tier=tier, value=value, low=value - 0.1, high=value + 0.1, n=40, clusters=40,
        reason=reason, description=False,
    )  # fmt: skip


@pytest.fixture
def evidence(made_up_run: Path) -> Evidence:
    rows = [
        metric("under_triage", "en", 0.125),
        metric("under_triage", "sw", 0.375),
        metric("under_triage", "sw", 0.9, model="chance"),
        metric("decided_unasked", "en", nan, reason="no triage question"),
        metric("accuracy", "en", 0.5),
    ]
    return replace(read_runs([made_up_run]), metrics=tuple(rows))


def test_a_metric_that_has_a_number_has_a_table_with_the_baselines_apart(evidence: Evidence) -> None:
    (section,) = further_sections(evidence)
    assert section.heading == "More than accuracy: safety"
    (table,) = (block for block in section.blocks if isinstance(block, Grid))
    assert table.title == "Too little urgency"
    models, baselines = table.groups
    assert [[cell.value for cell in row.cells] for row in models.rows] == [["12.5", "37.5"]]
    assert [[cell.value for cell in row.cells] for row in baselines.rows] == [["–", "90.0"]]
    assert models.rows[0].cells[1].interval == "[27.5, 47.5]"
    # Less is better here: the first of a sorted column has the least.
    assert [cell.order for cell in models.rows[0].cells] == [-0.125, -0.375]


def test_the_worst_is_said_of_models_and_not_of_baselines(evidence: Evidence) -> None:
    (section,) = further_sections(evidence)
    (sentence,) = section.summary
    assert sentence == (
        "Less urgency than the stated rule asks for was given in up to 37.5\N{NO-BREAK SPACE}% of triage questions"
        " (asked-1 in Swahili)."
    )


def test_reasons_that_differ_in_a_number_are_told_once() -> None:
    reasons = ["a calibrated model would show 0.03 here", "a calibrated model would show 0.05 here", "no question", "7"]
    assert told_once(reasons) == ["7", "a calibrated model would show 0.03 to 0.05 here", "no question"]
