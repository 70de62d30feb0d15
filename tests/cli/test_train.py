"""`globmed train` as a person meets it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

RECIPE = """
[data]
folder = "{release}"
[mixture]
max_epochs = 2.0
[scratch]
hidden_size = 32
layers = 2
ffn_size = 64
vocabulary = 600
[examples]
prompts = ["mcqa_text"]
closed_book = true
[optimisation]
tokens = 6000
batch_tokens = 512
row_tokens = 256
threads = 1
"""


def globmed(*arguments: object) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "globmed", "train", *map(str, arguments)]
    environment = {**os.environ, "COLUMNS": "200"}
    return subprocess.run(command, capture_output=True, text=True, timeout=110, check=False, env=environment)


@pytest.fixture
def recipe(vitals_release: Path, tmp_path: Path) -> Path:
    path = tmp_path / "recipe.toml"
    path.write_text(RECIPE.format(release=vitals_release))
    return path


def test_the_plan_is_what_the_run_learns_from(recipe: Path, tmp_path: Path) -> None:
    shown = globmed("plan", recipe)
    assert shown.returncode == 0, shown.stderr
    assert "low-resource" in shown.stdout
    assert f"Next: globmed train run {recipe} --out FOLDER" in shown.stdout
    planned = json.loads(globmed("plan", recipe, "--json").stdout)
    assert {row["language"] for row in planned["mixture"]} == {"en", "sw", "yo"}
    assert sum(row["drawn_tokens"] for row in planned["mixture"]) == pytest.approx(6000, abs=60)
    assert planned["filled"] > 0.9
    done = globmed("run", recipe, "--out", tmp_path / "model")
    assert done.returncode == 0, done.stderr
    assert len((tmp_path / "model" / "losses.jsonl").read_text().splitlines()) == planned["steps"]


def test_an_unknown_key_is_one_line_with_its_place(recipe: Path) -> None:
    recipe.write_text(recipe.read_text() + "stepz = 3\n")
    done = globmed("plan", recipe)
    assert done.returncode == 2
    assert len(done.stderr.strip().splitlines()) == 1
    assert "recipe.toml" in done.stderr
    assert "unknown key `stepz` in `optimisation`" in done.stderr
