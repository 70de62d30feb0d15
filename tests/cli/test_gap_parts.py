"""`globmed bench gaps` shows what of a gap translation may explain, where a run has replies that tell."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from globmed.bench.pipeline import bench_score
from globmed.bench.runner import run_benchmark
from globmed.bench.selection import Plan
from globmed.cli.bench import app
from globmed.cli.gap_parts import part_row, show_parts, with_parts
from globmed.models.baseline import Chance

NAN = float("nan")
PART: dict[str, Any] = {
    "task": "mcqa",
    "source": "made",
    "model": "m",
    "revision": "1",
    "answer": "generate",
    "language": "sw",
    "tier": "low",
    "english": 0.9,
    "between": 0.7,
    "by": "back_translated",
    "revised": 0,
    "target": 0.4,
    "own": 3,
    "pairs": 60,
    "clusters": 30,
    "gap": -0.5,
    "gap_low": -0.6,
    "gap_high": -0.4,
    "lost": -0.2,
    "lost_low": -0.3,
    "lost_high": -0.1,
    "remains": -0.3,
    "remains_low": -0.45,
    "remains_high": -0.15,
    "share": 0.4,
    "share_low": 0.2,
    "share_high": 0.61,
    "reason": "",
}
GAP: dict[str, Any] = {
    "task": "mcqa",
    "source": "made",
    "model": "m",
    "revision": "1",
    "answer": "generate",
    "language": "sw",
    "tier": "low",
    "by": "language",
    "reference": "en",
    "text": "all",
    "gap": -0.48,
    "clusters": 40,
    "reason": "",
}


def test_a_gap_holds_its_parts_and_others_none() -> None:
    gaps = [GAP, GAP | {"reference": "native"}, GAP | {"text": "expert"}, GAP | {"answer": "generate/held_out"}]
    gaps.append(GAP | {"by": "tier", "language": ""})
    first, *others = with_parts(gaps, [PART | {"share": NAN}])
    (part,) = first["parts"]
    assert (first["gap"], part["gap"], part["clusters"]) == (-0.48, -0.5, 30)
    assert part["share"] is None
    assert "language" not in part
    assert [row["parts"] for row in others] == [[]] * 4


def test_parts_are_written_with_their_bounds_and_what_is_missing_is_a_dash() -> None:
    row = part_row(PART)
    assert row["gap"] == "-50.0 (-60.0 to -40.0)"
    assert row["in the texts"] == "-20.0 (-30.0 to -10.0)"
    assert row["remains"] == "-30.0 (-45.0 to -15.0)"
    assert row["share %, at most"] == "40 (20 to 61)"
    none = part_row(PART | {"share": NAN, "share_low": NAN, "share_high": NAN, "reason": "too few"})
    assert (none["share %, at most"], none["note"]) == ("–", "too few")


def test_the_table_says_that_the_share_is_a_bound(capsys: pytest.CaptureFixture[str]) -> None:
    show_parts([])
    assert capsys.readouterr().out == ""
    show_parts([PART])
    shown = capsys.readouterr().out
    assert "Where gaps to English come from" in shown
    assert "does not measure it" in shown
    assert "40 (20 to 61)" in shown
    assert "revised" not in shown
    show_parts([PART | {"by": "revised"}])
    shown = capsys.readouterr().out
    assert "share %, at least" in shown
    assert "drawn at random" in shown


def test_a_run_without_translations_back_shows_gaps_alone(vitals_release: Path, tmp_path: Path) -> None:
    plan = Plan(split="train", limit=40, scale_limits=False)
    run_benchmark([Chance()], data=vitals_release, plan=plan, out=tmp_path / "run")
    bench_score(tmp_path / "run")
    shown = CliRunner().invoke(app, ["gaps", str(tmp_path / "run")], catch_exceptions=False).stdout
    assert "Gaps in percentage points" in shown
    assert "Where gaps to English come from" not in shown
    found = CliRunner().invoke(app, ["gaps", str(tmp_path / "run"), "--json"], catch_exceptions=False).stdout
    assert [row["parts"] for row in json.loads(found)] == [[]] * len(json.loads(found))
