"""The demo: whole in small, resumed where it was, and in full as good as it says."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from globmed.bench.selection import Plan
from globmed.core.errors import UsageError
from globmed.core.language import languages
from globmed.core.store import read_manifest, table
from globmed.train.recipe import read_recipe
from globmed.train.sft import train
from globmed.train.steps import Step
from globmed.workflows.evaluate import evaluate_training


def demo(out: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "globmed", "demo", "--out", str(out), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=800, check=False)


def gains_by_tier(done: "subprocess.CompletedProcess[str]") -> dict[str, dict[str, float]]:
    assert done.returncode == 0, done.stderr
    rows = [row for row in json.loads(done.stdout)["gains"] if row["by"] == "tier" and row["sources"] == "all"]
    # Both phrasings were asked, and all that is known was trained on.
    assert {row["held_out"] for row in rows} == {True, False}
    return {row["group"]: row for row in rows if not row["held_out"]}


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_whole_road_in_small_and_again_from_where_it_was(tmp_path: Path) -> None:
    first = demo(tmp_path, "--small")
    assert first.returncode == 0, first.stderr
    assert "It is no medical model" in " ".join(first.stdout.split())
    report = tmp_path / "bench" / "report"
    assert {path.name for path in report.glob("*.png")} >= {"gains.png"}
    page = (report / "report.html").read_text()
    assert "no medical model" in page
    assert "in small" in page
    manifest = read_manifest(tmp_path / "data" / "release")
    assert {count.language for count in manifest.counts} == set(languages())
    written = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.safetensors")}
    assert len(written) == 2
    again = demo(tmp_path, "--small", "--json")
    assert gains_by_tier(again)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.safetensors")} == written
    other = demo(tmp_path, "--small", "--seed", "1")
    assert other.returncode == 2
    assert "Name another folder" in other.stderr
    # The base model never saw a low-resource language; its recipe and manifest say so.
    assert {count.language for count in read_manifest(tmp_path / "models" / "base").counts} == {
        code for code, row in languages().items() if row.tier == "high"
    }


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_demo_in_full_is_as_good_as_it_says(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "globmed", "demo", "--out", str(tmp_path / "demo"), "--json"]
    with (tmp_path / "told.json").open("wb") as told, subprocess.Popen(command, stdout=told) as running:
        # What this child alone took: of all children together the most is whichever test's took it.
        _, status, spent = os.wait4(running.pid, 0)
        running.returncode = os.waitstatus_to_exitcode(status)
    text = (tmp_path / "told.json").read_text(encoding="utf-8")
    tiers = gains_by_tier(subprocess.CompletedProcess(command, running.returncode, text))
    assert tiers["high"]["tuned"] >= 0.8
    assert tiers["low"]["tuned"] >= 0.8
    assert tiers["low"]["base"] <= 0.4
    assert spent.ru_maxrss < 2 * 2**20  # KiB
    assert spent.ru_utime + spent.ru_stime <= 200
    scores = table(tmp_path / "demo" / "bench" / "scores")
    assert set(scores["model"].to_pylist()) == {"base", "tuned", "chance", "majority", "longest"}


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_killed_while_training_it_goes_on(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "globmed", "demo", "--out", str(tmp_path)]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + 200
        while not list(tmp_path.glob("models/base/checkpoints/checkpoint-*/trainer_state.json")):
            assert time.monotonic() < deadline
            time.sleep(0.2)
        process.kill()
    assert (tmp_path / "data" / "release" / "manifest.json").is_file()
    assert not (tmp_path / "models" / "base" / "manifest.json").exists()
    steps: list[int] = []

    def stop_at_once(step: Step) -> None:
        steps.append(step.done)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(read_recipe(tmp_path / "recipes" / "base.toml"), out=tmp_path / "models" / "base", on_step=stop_at_once)
    assert steps[0] > 200


def test_two_models_of_one_name_are_refused(trained_model: Path, vitals_release: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="rename one of the folders"):
        evaluate_training(trained_model, trained_model, data=vitals_release, plan=Plan(), out=tmp_path)
