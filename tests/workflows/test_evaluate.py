"""Before and after training, by the command: gains, report and card."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from globmed.train.card import NOT_MEASURED
from globmed.train.recipe import Data, Examples, Optimisation, Recipe
from globmed.train.sft import train


def globmed(*arguments: object) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "globmed", "train", "evaluate", *map(str, arguments)]
    environment = {**os.environ, "COLUMNS": "200", "HF_HUB_OFFLINE": "1"}
    return subprocess.run(command, capture_output=True, text=True, timeout=170, check=False, env=environment)


@pytest.mark.slow
def test_base_and_tuned_are_asked_the_same_and_the_card_gets_the_results(
    trained_model: Path, vitals_release: Path, tmp_path: Path
) -> None:
    recipe = Recipe(
        data=Data(folder=str(vitals_release), languages=("sw",)),
        checkpoint=str(trained_model),
        examples=Examples(prompts=("mcqa_text",), closed_book=True),
        optimisation=Optimisation(tokens=6_000, batch_tokens=512, row_tokens=512, threads=1),
    )
    tuned = tmp_path / "tuned"
    train(recipe, out=tuned)
    options = ["--data", vitals_release, "--limit", 8, "--answer", "score_options/closed"]
    done = globmed(trained_model, tuned, *options, "--out", tmp_path / "run")
    assert done.returncode == 0, done.stderr
    assert "low-resource" in done.stdout
    assert "to publish with the weights" in done.stdout
    card = (tmp_path / "run" / "README.md").read_text(encoding="utf-8")
    assert "few-steps before and tuned after" in card
    assert NOT_MEASURED not in card
    # What is saved is not asked again, and tells the same.
    again = globmed(trained_model, tuned, *options, "--out", tmp_path / "run", "--json")
    told = json.loads(again.stdout)
    assert {row["group"] for row in told["gains"] if row["by"] == "tier"} == {"high", "low"}
    assert Path(told["report"]).is_file()
    assert told["card"] == str(tmp_path / "run" / "README.md")


def test_open_answers_have_no_gain_and_one_line_says_so(
    trained_model: Path, vitals_release: Path, tmp_path: Path
) -> None:
    done = globmed(trained_model, tmp_path, "--data", vitals_release, "--task", "lfqa", "--out", tmp_path / "run")
    assert done.returncode == 2
    assert done.stderr.strip().splitlines() == [
        "error: lfqa: gains are counted in right answers, which open answers have not; see bench judge"
    ]
