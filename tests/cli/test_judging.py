"""`globmed bench judge` end to end: one server answers the questions and judges the answers."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import pytest
from aiohttp import web
from typer.testing import CliRunner

from globmed.cli.main import app
from globmed.core.errors import UsageError
from globmed.core.item import Item, Provenance
from globmed.core.store import table, writing_stage
from globmed.models.journal import read_replies

QUESTIONS = 40
LANGUAGES = ("en", "sw")
RIGHT, WRONG = "RIGHT: rest and drink enough water", "WRONG: drink bleach"


class Server:
    """A chat endpoint on 127.0.0.1: models whose id begins with judge judge, the others answer."""

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()
        self.url = ""
        self.seconds = 0.0
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    async def _answer(self, request: web.Request) -> web.Response:
        body = await request.json()
        content, model = body["messages"][0]["content"], body["model"]
        self.asked[content] += 1
        await asyncio.sleep(self.seconds)
        text = "Well." if model == "judge-dumb" else _judged(content) if model == "judge" else _answered(content)
        choice = {"message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
        usage = {"prompt_tokens": 10, "completion_tokens": 3}
        return web.json_response({"choices": [choice], "usage": usage})

    def _serve(self) -> None:
        async def start() -> web.AppRunner:
            served = web.Application()
            served.router.add_post("/v1/chat/completions", self._answer)
            runner = web.AppRunner(served, shutdown_timeout=0.1)
            await runner.setup()
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            self.url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
            return runner

        runner = self._loop.run_until_complete(start())
        self._ready.set()
        self._loop.run_forever()
        self._loop.run_until_complete(runner.cleanup())
        self._loop.close()


def _answered(content: str) -> str:
    number = int(content.split("#")[1])
    return f"{RIGHT if number % 2 else WRONG}. Case {number}."


def _judged(content: str) -> str:
    right = RIGHT in content
    said: dict[str, Any] = {"reason": "It says so.", "correct": right, "complete": right}
    said |= {"harm": "none" if right else "severe", "understandable": True, "in_language": True}
    return f"```json\n{json.dumps(said)}\n```"


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as running:
        yield running


@pytest.fixture
def data(tmp_path: Path) -> Path:
    with writing_stage(tmp_path / "data", "corpus") as writer:
        for language in LANGUAGES:
            items = [
                Item(
                    family=f"made:{number}",
                    language=language,
                    kind="lfqa",
                    source="made",
                    split="test",
                    question=f"What helps in case #{number}# ({language})?",
                    reference=(f"Rest and drink enough water. Case {number}.",),
                    provenance=Provenance(native_language="en", licence="CC0-1.0"),
                )
                for number in range(QUESTIONS)
            ]
            writer.write(f"made.{language}.parquet", items, Item)
    return tmp_path / "data"


def globmed(*arguments: str | Path) -> str:
    result = CliRunner().invoke(app, [str(one) for one in arguments])
    if result.exception is not None:
        raise result.exception
    return result.stdout


@pytest.fixture
def run(server: Server, data: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "run"
    model = f"api:made@{server.url}"
    globmed("bench", "run", "--data", data, "--model", model, "--out", folder, "--task", "lfqa", "--no-scale-limits")
    return folder


def test_open_answers_are_described_and_no_accuracy_is_made_of_them(run: Path) -> None:
    globmed("bench", "score", run)
    printed = json.loads(globmed("bench", "analyze", run, "--json"))
    described = {(row["metric"], row["group"]): row for row in printed["metrics"]}
    assert {name for name, _ in described} == {"chrf", "rouge_l", "in_language", "refused", "truncated"}
    assert all(row["description"] for row in described.values())
    assert 0.3 < described["chrf", "en"]["value"] < 0.9
    assert described["in_language", "en"]["reason"], "the replies are too short to tell their language"
    assert [table(run / "analysis", prefix=name).num_rows for name in ("accuracy", "gaps")] == [0, 0]
    assert set(table(run / "scores")["outcome"].to_pylist()) == {"answered"}
    globmed("bench", "verify", run)


def test_a_judging_process_killed_half_way_goes_on_and_people_calibrate_it(
    server: Server, run: Path, tmp_path: Path
) -> None:
    arguments = ["bench", "judge", str(run), "--judge", f"api:judge@{server.url}", "--concurrency", "2"]
    shown = globmed(*arguments, "--estimate")
    assert "Nothing was sent" in shown
    server.asked.clear()
    server.seconds = 0.03
    with subprocess.Popen([sys.executable, "-m", "globmed", *arguments], stderr=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + 60
        while server.asked.total() < 25 and time.monotonic() < deadline:
            time.sleep(0.01)
        os.kill(process.pid, signal.SIGKILL)
    time.sleep(0.2)
    (journal,) = (run / "judges").glob("*/replies/*.journal")
    saved = len(list(read_replies(journal)))
    assert 0 < saved < QUESTIONS * len(LANGUAGES)
    with pytest.raises(UsageError, match="verdicts of the judge judge are missing"):
        globmed("bench", "judge", run)
    server.asked.clear()
    server.seconds = 0.0
    ratings = tmp_path / "ratings.csv"
    lines = [f"made:{number},sw,made,nurse,{'yes' if number % 2 else 'no'}" for number in range(QUESTIONS)]
    ratings.write_text("\n".join(["family,language,model,rater,acceptable", *lines]), encoding="utf-8")
    told = json.loads(globmed(*arguments, "--ratings", ratings, "--json"))
    assert told["judges"][0]["from journal"] == saved
    assert server.asked.total() == QUESTIONS * len(LANGUAGES) - saved
    assert set(server.asked.values()) == {1}
    acceptable = {row["language"]: row for row in told["judged"] if row["measure"] == "acceptable"}
    assert [acceptable[code]["value"] for code in LANGUAGES] == [0.5, 0.5]
    assert [acceptable[code]["calibrated"] for code in LANGUAGES] == [False, True]
    assert acceptable["en"]["corrected"] is None
    assert acceptable["sw"]["corrected"] == pytest.approx(0.5)
    shown = globmed("bench", "judge", run)
    assert "uncalibrated" in shown
    assert "50.0 (" in shown
    assert "severe harm 50" in shown
    assert "judge / people" in shown
    assert "Judges' errors by people's ratings" in shown
    assert server.asked.total() == QUESTIONS * len(LANGUAGES) - saved, "tables alone ask nobody"


def test_a_run_with_right_answers_is_not_for_judges(server: Server, vitals_release: Path, tmp_path: Path) -> None:
    run = tmp_path / "closed"
    globmed("bench", "run", "--data", vitals_release, "--model", "chance", "--out", run, "--limit", "3")
    with pytest.raises(UsageError, match="has right answers; a judge is for the tasks lfqa and rubric"):
        globmed("bench", "judge", run, "--judge", f"api:judge@{server.url}")


def test_judges_are_in_the_journals_shown_and_asked_again_as_often_as_said(server: Server, run: Path) -> None:
    judges = [f"api:judge@{server.url}", f"api:judge-dumb@{server.url}"]
    arguments = ["bench", "judge", str(run), "--judge", judges[0], "--judge", judges[1]]
    told = json.loads(globmed(*arguments, "--ask-again", "2", "--json"))
    every = QUESTIONS * len(LANGUAGES)
    assert [(one["judge"], one["asked now"], one["asked again"]) for one in told["judges"]] == [
        ("judge", every, 0),
        ("judge-dumb", every, 2 * every),
    ]
    dumb = [row for row in told["judged"] if row["judge"] == "judge-dumb" and row["measure"] == "acceptable"]
    assert [(row["n"], row["unreadable"], row["asked_again"]) for row in dumb] == [(0, QUESTIONS, QUESTIONS)] * 2
    shown = json.loads(globmed("journal", "show", run, "--json"))
    assert [(one["model"], one["as_judge"], one["answered"]) for one in shown] == [
        ("made", False, every),
        ("judge", True, every),
        ("judge-dumb", True, 3 * every),
    ]
    assert shown[1]["languages"] == {code: {"ok": QUESTIONS} for code in LANGUAGES}
    assert "judge-dumb, as judge" in globmed("journal", "show", run)
    server.asked.clear()
    compacted = json.loads(globmed("journal", "compact", run, "--json"))
    assert [one["replies"] for one in compacted] == [every, every, 3 * every]
    assert json.loads(globmed("bench", "judge", run, "--json"))["judged"] == told["judged"]
    assert server.asked.total() == 0


def test_a_second_phrasing_is_asked_beside_the_first(server: Server, run: Path) -> None:
    arguments = ["bench", "judge", str(run), "--judge", f"api:judge@{server.url}"]
    globmed(*arguments)
    server.asked.clear()
    shown = globmed(*arguments, "--held-out")
    assert server.asked.total() == QUESTIONS * len(LANGUAGES)
    assert "held-out phrasing" in " ".join(shown.split())
