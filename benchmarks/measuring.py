"""What the benchmarks share: a server beside the contender, what a command cost, and tables of it.

A contender is a command that asks the server about the first N made questions. It runs in a process of its own on one
core, the server on another where there is one. Its cost is what the kernel books for the process and its children (user
and system time), less that of the same command with a few questions: what is left is the cost of asking, start-up
apart. Contenders take turns, round by round, so that a slow spell of the machine hits all of them.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

MODEL = "fixed"
_SERVER = Path(__file__).with_name("server.py")
_LOG_LINES = 30
# Start-up differs by some percent from run to run: what is little beside it is not measured by a difference.
_WHOLE_TO_START_MIN = 1.2


@dataclass(frozen=True, kw_only=True)
class Spent:
    """What one run of a command cost: CPU time of it and its children, time by the clock, most memory held."""

    cpu_seconds: float
    wall_seconds: float
    peak_mb: float


@dataclass(frozen=True, kw_only=True)
class Contender:
    """A way of asking the questions.

    Attributes:
        name: in the table.
        questions: how many it is measured with; a slow contender needs fewer for a steady reading.
        command: the command line, given the number of questions, the server's base URL and an empty folder.
        environment: variables beside those of this process.
    """

    name: str
    questions: int
    command: Callable[[int, str, Path], Sequence[str]]
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What a contender cost in one round, start-up apart, and its start-up."""

    cpu_seconds_per_1000: float
    requests_per_second: float
    startup_cpu_seconds: float

    @property
    def requests_per_cpu_second(self) -> float:
        """How many requests a second of CPU time paid for."""
        return 1000 / self.cpu_seconds_per_1000


def server_core() -> int:
    """Return the core for the server."""
    return min(_cores())


def contender_core() -> int:
    """Return the core for the contender: another than the server's, where there is one."""
    return max(_cores())


def stay_on(*cores: int) -> None:
    """Keep this process, and what it starts, on these cores; without effect where the system has no such call."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, cores)


def _cores() -> set[int]:
    return os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else {0}


def spend(command: Sequence[str], *, environment: Mapping[str, str], log: Path) -> Spent:
    """Run a command on the contender's core and return what it cost; its output goes to a file.

    Raises:
        SystemExit: the command failed; the text ends with the last lines of its output.
    """
    everywhere = _cores()
    with log.open("wb") as output:
        began = time.perf_counter()
        stay_on(contender_core())
        process = subprocess.Popen(command, stdout=output, stderr=output, env={**os.environ, **environment})
        stay_on(*everywhere)
        _, status, usage = os.wait4(process.pid, 0)
        wall_seconds = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        tail = "\n".join(log.read_text(errors="replace").splitlines()[-_LOG_LINES:])
        raise SystemExit(f"exit code {process.returncode} of: {' '.join(command)}\n{tail}")
    # Linux counts in KiB, macOS in bytes.
    peak_bytes = usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    return Spent(cpu_seconds=usage.ru_utime + usage.ru_stime, wall_seconds=wall_seconds, peak_mb=peak_bytes / 1_000_000)


@contextmanager
def serving() -> Iterator[str]:
    """Run the server on its core; give its base URL, such as `http://127.0.0.1:8000/v1`."""
    command = [sys.executable, str(_SERVER), "--core", str(server_core())]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}/v1"
        finally:
            process.terminate()


def ask(contender: Contender, questions: int, *, within: Path) -> Spent:
    """Let a contender ask the first questions, and hold it to asking each of them once.

    Raises:
        SystemExit: it failed, or asked too much or too little.
    """
    folder = Path(tempfile.mkdtemp(dir=within))
    try:
        with serving() as base_url:
            command = contender.command(questions, base_url, folder / "out")
            spent = spend(command, environment=contender.environment, log=folder / "log")
            with urllib.request.urlopen(f"{base_url}/count") as response:
                count = json.load(response)
        if count != {"requests": questions, "distinct": questions}:
            raise SystemExit(f"{contender.name} was to ask {questions} questions once each; the server saw {count}")
        return spent
    finally:
        shutil.rmtree(folder)


def compare(contenders: Sequence[Contender], *, few: int, rounds: int, within: Path) -> dict[str, list[Cost]]:
    """Let the contenders take turns; return the cost of each by name, one entry a round.

    Args:
        contenders: each is run with `few` questions and with its own number of them.
        few: questions of the runs that stand for start-up.
        rounds: how often.
        within: folder for what they write; emptied.

    Raises:
        SystemExit: a contender failed, asked too much or too little, or has too few questions to be measured.
    """
    if hasattr(os, "getloadavg"):
        note(f"load average before: {os.getloadavg()[0]:.1f}; what else runs makes every contender dearer")
    costs: dict[str, list[Cost]] = {contender.name: [] for contender in contenders}
    for number in range(1, rounds + 1):
        for contender in contenders:
            start = ask(contender, few, within=within)
            whole = ask(contender, contender.questions, within=within)
            if whole.cpu_seconds < _WHOLE_TO_START_MIN * start.cpu_seconds:
                raise SystemExit(f"{contender.name}: start-up hides the cost of its questions; ask more of them")
            more = contender.questions - few
            cost = Cost(
                cpu_seconds_per_1000=1000 * (whole.cpu_seconds - start.cpu_seconds) / more,
                requests_per_second=more / (whole.wall_seconds - start.wall_seconds),
                startup_cpu_seconds=start.cpu_seconds,
            )
            costs[contender.name].append(cost)
            note(f"round {number}: {contender.name}: {cost.cpu_seconds_per_1000:.3f} CPU-s per 1,000 requests")
    return costs


def median_ratio(above: Sequence[float], below: Sequence[float]) -> float:
    """Return the median over the rounds of one contender's number divided by the other's."""
    return median(one / other for one, other in zip(above, below, strict=True))


def note(line: str) -> None:
    """Tell how far it is, on standard error."""
    print(line, file=sys.stderr, flush=True)


def show(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table in Markdown."""
    widths = [max(len(row[column]) for row in (header, *rows)) for column in range(len(header))]
    for row in (header, ["-" * width for width in widths], *rows):
        print("| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |")


def show_goals(goals: Sequence[tuple[str, str, bool]]) -> None:
    """Print what was to be reached, what was found, and whether that meets it."""
    print()
    show(("goal", "measured", "met"), [(goal, found, "yes" if met else "no") for goal, found, met in goals])
