"""`globmed bench export lm-eval` and `bench import`: what they write and say, and bad input with its exit code."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from globmed.bench.effort import Effort
from globmed.bench.runner import run_benchmark
from globmed.bench.selection import Plan
from globmed.models.baseline import LongestOption
from globmed.models.client import Settings

PLAN = Plan(split="train", limit=2, languages=("sw",), settings=Settings(max_tokens=512))


def globmed(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "globmed", "bench", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def refusal(*arguments: str | Path) -> str:
    done = globmed(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    return line


def exported(release: Path, out: Path) -> list[Path]:
    done = globmed("export", "lm-eval", release, "--out", out, "--language", "sw", "--split", "train", "--limit", "2")
    assert done.returncode == 0, done.stderr
    return sorted(out.glob("*.jsonl"))


def test_exported_questions_come_back_into_a_run(vitals_release: Path, tmp_path: Path) -> None:
    (questions,) = exported(vitals_release, tmp_path / "tasks")
    assert questions.with_suffix(".yaml").is_file()
    run = tmp_path / "run"
    run_benchmark([LongestOption()], data=vitals_release, plan=PLAN, out=run, effort=Effort(estimate_only=True))
    samples = tmp_path / "samples.jsonl"
    rows = [json.loads(line) for line in questions.read_text().splitlines()]
    samples.write_text("".join(json.dumps({"doc": row, "resps": [["Jibu: A"]]}) + "\n" for row in rows))
    arguments: list[str | Path] = ["import", run, samples, "--from", "lm-eval", "--model", "longest", "--json"]
    assert json.loads(globmed(*arguments).stdout) == {"replies": len(rows), "known": 0, "failed": 0, "missing": 0}
    assert json.loads(globmed(*arguments).stdout) == {"replies": 0, "known": len(rows), "failed": 0, "missing": 0}
    scored = globmed("score", run)
    assert scored.returncode == 0, scored.stderr


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--language", "xx"], "no items in 'xx'"),
        (["--answer", "score_letters"], "cannot be exported; expected `generate`"),
        (["--answer", "nonsense"], "no answer mode 'nonsense'"),
        (["--task", "rubric"], "are judged, not read"),
    ],
)
def test_what_cannot_be_exported_is_refused_in_a_line(
    vitals_release: Path, tmp_path: Path, arguments: list[str], expected: str
) -> None:
    assert expected in refusal("export", "lm-eval", vitals_release, "--out", tmp_path / "tasks", *arguments)
    assert not (tmp_path / "tasks").exists()


def test_a_folder_or_file_in_the_way_is_refused(vitals_release: Path, tmp_path: Path) -> None:
    taken = tmp_path / "taken"
    taken.touch()
    assert "taken: is a file or holds files" in refusal("export", "lm-eval", vitals_release, "--out", taken)
    assert "tmp" in refusal("export", "lm-eval", vitals_release, "--out", tmp_path)


def test_replies_to_another_run_and_no_run_are_refused(vitals_release: Path, tmp_path: Path) -> None:
    samples = tmp_path / "samples.jsonl"
    samples.write_text(json.dumps({"doc": {"id": "made:1/xx/generate/0"}, "resps": [["A"]]}) + "\n")
    tail = (samples, "--from", "lm-eval", "--model", "longest")
    refusal("import", tmp_path / "none", *tail)
    run = tmp_path / "run"
    run_benchmark([LongestOption()], data=vitals_release, plan=PLAN, out=run, effort=Effort(estimate_only=True))
    assert "a reply to 'made:1/xx/generate/0'" in refusal("import", run, *tail)
