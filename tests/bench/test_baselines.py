"""What a model must beat: computed from the items, whether asked for or not."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from globmed.bench.baselines import LEARNT, baseline_rows, baselines_folder
from globmed.bench.pipeline import analysis_table, bench_analyze, bench_run, bench_score
from globmed.bench.selection import Plan
from globmed.bench.verify import verify_run
from globmed.core.store import MANIFEST

MakeData = Callable[..., Path]


@pytest.fixture
def run(make_data: MakeData, tmp_path: Path) -> Path:
    """A run that asked the longest option alone."""
    bench_run(["longest"], data=make_data(), plan=Plan(), out=tmp_path / "run")
    bench_score(tmp_path / "run")
    return tmp_path / "run"


def test_baselines_are_there_without_being_asked_and_agree_with_those_that_are(run: Path) -> None:
    bench_analyze(run)
    found = {(row["baseline"], row["group"]): row for row in analysis_table(run, "baselines").to_pylist()}
    assert {name for name, _ in found} == {"chance", "longest", "majority"}
    asked = [row for row in analysis_table(run, "accuracy").to_pylist() if row["source"] != "all"]
    assert asked
    for row in asked:
        same = found["longest", row["group"]]
        assert (same["accuracy"], same["low"], same["high"]) == pytest.approx(
            (row["accuracy"], row["low"], row["high"])
        )
        assert found["chance", row["group"]]["accuracy"] == pytest.approx(row["chance"])
        assert same["n"] == row["items"]


def test_what_learns_agrees_with_being_asked(run: Path, make_data: MakeData) -> None:
    bench_run(["majority"], data=make_data(), plan=Plan(), out=run)
    bench_score(run)
    found = {row.group: row for row in baseline_rows(run) if row.baseline == "majority"}
    asked = [row for row in analysis_table(run, "accuracy").to_pylist() if row["model"] == "majority"]
    assert asked
    assert all(found[row["group"]].accuracy == pytest.approx(row["accuracy"]) for row in asked)


def test_a_baseline_that_cannot_be_had_says_why(run: Path) -> None:
    (baselines_folder(run) / MANIFEST).unlink()
    rows = [row for row in baseline_rows(run) if row.baseline in LEARNT]
    assert rows
    assert all(row.accuracy != row.accuracy and "globmed bench run over the same folder" in row.reason for row in rows)


def test_the_tables_show_them_and_verify_computes_them_again(run: Path) -> None:
    command = [sys.executable, "-m", "globmed", "bench", "score", str(run)]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "To beat, on the same questions" in printed
    assert "majority %" in printed
    assert all(verdict.holds for verdict in verify_run(run))
