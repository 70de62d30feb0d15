"""The command as people meet it: quick help, one line an error, the right exit code, JSON that parses."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

FIXTURES = Path(__file__).parents[1] / "data" / "fixtures"


def globmed(*arguments: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "globmed", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=100, check=False, cwd=cwd)


def one_line_error(done: subprocess.CompletedProcess[str], code: int) -> str:
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    lines = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert len(lines) == 1, done.stderr
    return lines[0]


def test_help_answers_in_half_a_second() -> None:
    seconds = []
    for _ in range(5):
        began = time.monotonic()
        shown = globmed("--help")
        seconds.append(time.monotonic() - began)
        assert shown.returncode == 0
    assert all(area in shown.stdout for area in ("data", "bench", "train", "list", "demo"))
    assert "130 interrupted" in " ".join(shown.stdout.split())
    # The best of five: other work on the machine makes every one of them longer.
    assert min(seconds) < 0.5


@pytest.mark.parametrize("module", ["torch", "transformers", "pyarrow", "duckdb", "aiohttp", "scipy", "altair"])
def test_help_loads_nothing_heavy(module: str) -> None:
    code = f"import sys, globmed.cli.main; sys.exit({module!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_wrong_use_exits_with_2(tmp_path: Path) -> None:
    assert globmed("data", "imprt").returncode == 2
    said = one_line_error(globmed("data", "import", "headqaa=x", "--out", tmp_path), 2)
    assert "no source named 'headqaa'; did you mean 'headqa'?" in said
    said = one_line_error(globmed("data", "import", "vitals", "--language", "xx", "--out", tmp_path), 2)
    assert "'xx' is not in the table" in said
    said = one_line_error(globmed("data", "import", "medqa", "--out", tmp_path), 2)
    assert "expected medqa=PATH" in said
    said = one_line_error(globmed("bench", "score", tmp_path), 2)
    assert str(tmp_path) in said
    said = one_line_error(globmed("train", "run", tmp_path / "no.toml", "--out", tmp_path / "m"), 2)
    assert "no such file" in said


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_command_exits_with_130_in_one_line(tmp_path: Path, number: signal.Signals) -> None:
    command = [sys.executable, "-m", "globmed", "demo", "--out", str(tmp_path)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr
        process.stderr.readline()  # what it does first: it is past its start
        process.send_signal(number)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in said
    assert f"error: stopped by {number.name}" in said


def test_a_bug_is_one_line_and_no_finding() -> None:
    code = "import sys; sys.argv = ['globmed', 'list', 'tasks']; import globmed.bench.tasks as t; t.tasks = None\n"
    code += "from globmed.cli.main import main; main()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 3
    assert done.stderr.startswith("internal error: TypeError")
    assert done.stderr.count("\n") == 1


def test_text_that_a_terminal_cannot_show_stops_nothing() -> None:
    command = [sys.executable, "-m", "globmed", "list", "languages"]
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(command, capture_output=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr


def test_debug_shows_where_an_error_was_raised(tmp_path: Path) -> None:
    done = globmed("--debug", "bench", "score", tmp_path)
    assert done.returncode == 2
    assert "Traceback" in done.stderr


def test_a_folder_that_cannot_be_written_exits_with_3(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    said = one_line_error(globmed("data", "import", "vitals", "--language", "en", "--out", tmp_path / "file"), 3)
    assert str(tmp_path / "file") in said


@pytest.mark.parametrize("what", ["languages", "sources", "tasks", "models", "prompts"])
def test_lists_are_tables_and_json(what: str) -> None:
    rows = json.loads(globmed("list", what, "--json").stdout)
    assert rows
    shown = globmed("list", what).stdout
    assert str(next(iter(rows[-1].values()))) in shown


def test_import_prints_what_became_of_every_row(tmp_path: Path) -> None:
    done = globmed("data", "import", f"headqa={FIXTURES / 'headqa'}", "--out", tmp_path, "--json")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert all(row["in"] == row["kept"] + sum(row["dropped"].values()) for row in result["counts"])
    assert {row["language"] for row in result["counts"]} == {"es", "en"}
    table = globmed("data", "import", f"headqa={FIXTURES / 'headqa'}", "--out", tmp_path).stdout
    assert all(word in table for word in ("source", "language", "split", "in", "kept", "dropped", "headqa"))


def test_a_broken_file_is_named_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "test.jsonl").write_text('{"question_id": 1}\n')
    said = one_line_error(globmed("data", "import", f"mmlu_pro={tmp_path}", "--out", tmp_path / "out"), 2)
    assert "test.jsonl:1" in said
    assert not (tmp_path / "out" / "import" / "manifest.json").exists()


def test_output_cut_short_by_its_reader_is_no_error() -> None:
    command = f"{sys.executable} -m globmed list prompts | head -n 1"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
