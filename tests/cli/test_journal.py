"""`globmed journal` as people meet it: tables that add up, JSON that parses, one line an error."""

import asyncio
import json
import subprocess
import sys
from pathlib import Path

import pytest

from globmed.models.client import Reply, Status, Usage
from globmed.models.journal import Journal, read_replies


def globmed(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "globmed", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A journal with errors, truncated replies and requests in flight."""
    path = tmp_path / "x.journal"

    async def save() -> None:
        with Journal.open(path) as journal:
            journal.ask([f"{number:032x}" for number in range(100)])
            for number in range(90):
                finish = f"HTTP 503 after {number} s" if number < 12 else "cut off" if number < 15 else ""
                status: Status = "error" if number < 15 else "truncated" if number < 20 else "ok"
                reply = Reply(status=status, text="yes " * number, finish=finish, usage=Usage(input=7, output=2))
                await journal.commit([(f"{number:032x}", reply)])

    asyncio.run(save())
    return path


def test_show_tells_of_a_journal_that_is_being_written(path: Path) -> None:
    with Journal.open(path):
        shown = globmed("journal", "show", path)
        machine = globmed("journal", "show", path, "--json")
    assert shown.returncode == machine.returncode == 0, shown.stderr + machine.stderr
    assert f"12 replies of {path} are errors, such as: HTTP 503 after 0 s" in shown.stdout
    assert "no price known" in shown.stdout
    (one,) = json.loads(machine.stdout)
    assert one["statuses"] == {"ok": 70, "truncated": 5, "error": 15}
    assert one["failures"] == {"HTTP 503 after 0 s": 12, "cut off": 3}
    assert (one["in_flight"], one["usage"]["input"], one["cost_usd"]) == (10, 630, None)


def test_show_tells_of_each_model_of_a_run_by_language(vitals_release: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    models = ["--model", "chance", "--model", "longest"]
    done = globmed("bench", "run", "--data", vitals_release, *models, "--limit", "3", "--out", run)
    assert done.returncode == 0, done.stderr
    found = json.loads(globmed("journal", "show", run, "--json").stdout)
    assert [(one["model"], one["requested"], one["answered"]) for one in found] == [("chance", 9, 9), ("longest", 9, 9)]
    assert found[0]["languages"] == {"en": {"ok": 3}, "sw": {"ok": 3}, "yo": {"ok": 3}}
    journal = next((run / "replies").glob("chance*.journal"))
    header, *lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join([header, *lines[:-1]]))
    shown = globmed("journal", "show", run).stdout
    languages = shown.partition("by language")[2].partition("Tokens")[0].splitlines()
    (row,) = (line.split() for line in languages if line.strip().startswith("chance"))
    assert row == ["chance", "yo", "3", "1", "0", "0", "0", "0"]


def test_compact_makes_it_small_and_changes_nothing(path: Path) -> None:
    before, shown = list(read_replies(path)), json.loads(globmed("journal", "show", path, "--json").stdout)
    done = globmed("journal", "compact", path, "--json")
    assert done.returncode == 0, done.stderr
    (row,) = json.loads(done.stdout)
    assert (row["replies"], row["errors"], row["compacted part"]) == (90, 15, str(path.with_suffix(".parquet")))
    assert row["bytes after"] < row["bytes before"]
    assert list(read_replies(path)) == before
    again = json.loads(globmed("journal", "show", path, "--json").stdout)
    assert again[0] == shown[0] | {"compacted": 90, "bytes": row["bytes after"]}


def test_compact_of_a_journal_that_is_being_written_is_refused(path: Path, tmp_path: Path) -> None:
    with Journal.open(path):
        done = globmed("journal", "compact", path)
    assert done.returncode == 3
    assert done.stderr == (
        f"error: {path}: another process is writing to this journal; wait until it ends, or name another file\n"
    )
    done = globmed("journal", "show", tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith(f"error: {tmp_path / 'replies'}: found no journal; expected a run")
