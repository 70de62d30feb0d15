"""`globmed bench` end to end: a run killed half-way asks nothing twice that is in its journal."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from globmed.models.journal import read_replies


def globmed(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "globmed", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)


@dataclass
class Served:
    """A chat endpoint on 127.0.0.1 that takes its time and counts what it was asked."""

    url: str = ""
    asked: Counter[str] = field(default_factory=Counter)

    def answer(self, body: dict[str, Any]) -> str:
        self.asked[body["messages"][0]["content"]] += 1
        return "Answer: A"


@pytest.fixture
def server(serve_chat: Callable[..., Any]) -> Served:
    served = Served()
    serving = serve_chat(served.answer)
    serving.seconds, served.url = 0.03, serving.url
    return served


def test_a_run_killed_half_way_goes_on(server: Served, vitals_release: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    arguments = ["bench", "run", "--data", str(vitals_release), "--model", f"api:made@{server.url}", "--out", str(run)]
    arguments += ["--concurrency", "4", "--no-scale-limits"]
    with subprocess.Popen([sys.executable, "-m", "globmed", *arguments], stderr=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + 60
        while server.asked.total() < 150 and time.monotonic() < deadline:
            time.sleep(0.01)
        os.kill(process.pid, signal.SIGKILL)
    time.sleep(0.2)
    (journal,) = (run / "replies").glob("*.journal")
    saved = len(list(read_replies(journal)))
    sent = Counter(server.asked)
    assert 0 < saved < 420
    server.asked.clear()
    again = globmed(*arguments, "--json")
    assert again.returncode == 0, again.stderr
    (model,) = json.loads(again.stdout)["models"]
    in_flight = model["in flight when killed"]
    assert model["from journal"] == saved
    assert model["replies"] == 420
    assert model["asked now"] == 420 - saved == server.asked.total()
    assert set(server.asked.values()) == {1}
    asked_twice = set(sent) & set(server.asked)
    assert len(asked_twice) <= in_flight <= 4 + 4
    # A request is written down before it is sent: killed in between, it is counted and the server never saw it.
    assert sent.total() - saved <= in_flight
    assert globmed("bench", "run", *arguments[2:], "--json").returncode == 0
    assert server.asked.total() == 420 - saved


def test_run_score_report(vitals_release: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    models = [part for name in ("chance", "majority", "longest") for part in ("--model", name)]
    done = globmed(
        "bench", "run", "--data", vitals_release, *models, "--language", "sw", "--language", "en", "--out", run
    )
    assert done.returncode == 0, done.stderr
    assert f"next: globmed bench score {run}" in done.stdout
    scored = globmed("bench", "score", run)
    assert scored.returncode == 0, scored.stderr
    assert "low-resource" in scored.stdout
    printed = json.loads(globmed("bench", "score", run, "--json").stdout)
    assert {row["baseline"] for row in printed["baselines"]} >= {"chance", "majority", "longest"}
    chance = next(row for row in printed["accuracy"] if row["model"] == "chance" and row["by"] == "all")
    assert chance["low"] < 0.25 < chance["high"]
    first = (run / "scores" / "scores.parquet").read_bytes()
    assert globmed("bench", "score", run).returncode == 0
    assert (run / "scores" / "scores.parquet").read_bytes() == first
    report = globmed("bench", "report", run)
    assert report.returncode == 0, report.stderr
    assert (run / "report" / "report.html").is_file()
    assert len(list((run / "report").glob("*.png"))) >= 2


def test_an_endpoint_that_is_not_there_is_named_and_nothing_is_scored(vitals_release: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    options: list[str | Path] = [
        "--data",
        vitals_release,
        "--model",
        "api:x@http://127.0.0.1:1/v1",
        "--limit",
        "1",
        "--language",
        "sw",
    ]
    refused = globmed("bench", "run", *options, "--answer", "score_options", "--out", run)
    assert refused.returncode == 2
    assert not run.exists()
    done = globmed("bench", "run", *options, "--out", run)
    assert done.returncode == 3
    assert "x at 127.0.0.1:1 answers nobody" in done.stderr
    assert "Connect" in done.stderr
    scored = globmed("bench", "score", run)
    assert scored.returncode == 2
    assert "1 of 1 requests to x have no reply yet" in scored.stderr


def test_a_report_of_stale_scores_is_refused(vitals_release: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    options: list[str | Path] = ["--data", vitals_release, "--limit", "5", "--out", run]
    assert globmed("bench", "run", *options, "--model", "chance").returncode == 0
    assert f"Run: globmed bench score {run}" in globmed("bench", "report", run).stderr
    assert globmed("bench", "score", run).returncode == 0
    assert globmed("bench", "run", *options, "--model", "longest").returncode == 0
    done = globmed("bench", "report", run)
    assert done.returncode == 2
    assert (
        f"has other replies than were scored, or they were compacted since. Run: globmed bench score {run}\n"
        in done.stderr
    )


def test_a_run_folder_made_otherwise_is_refused(vitals_release: Path, tmp_path: Path) -> None:
    arguments = ["bench", "run", "--data", str(vitals_release), "--model", "chance", "--out", str(tmp_path / "run")]
    assert globmed(*arguments).returncode == 0
    done = globmed(*arguments, "--language", "sw")
    assert done.returncode == 2
    assert "languages" in done.stderr


def test_a_dataset_folder_in_place_of_a_stage_names_the_stages(vitals_release: Path, tmp_path: Path) -> None:
    arguments = ["--model", "chance", "--out", str(tmp_path / "run")]
    done = globmed("bench", "run", "--data", vitals_release.parent, *arguments)
    assert done.returncode == 2
    assert f"Stages below it: {vitals_release.parent / 'corpus'}" in done.stderr
