"""What a request costs: the whole `globmed bench run`, journal and all, against a bare aiohttp loop.

    python benchmarks/requests_per_cpu.py [--questions 20000] [--concurrency 32] [--rounds 5]

Prints CPU-seconds per 1,000 requests and requests a second on one core, each without start-up, the median ratio over
the rounds, and whether the goals are met.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import median

import made_questions
from bench_run import OURS, bench_run
from measuring import Contender, Cost, compare, median_ratio, show, show_goals

RATIO_MAX = 3.0
CPU_SECONDS_PER_1000_MAX = 0.4
REQUESTS_PER_SECOND_MIN = 1500
BARE = "bare aiohttp loop"
_BARE_LOOP = Path(__file__).with_name("bare_loop.py")


def bare_loop(files: Path, *, questions: int, concurrency: int) -> Contender:
    """Return the bare loop."""

    def command(count: int, base_url: str, _out: Path) -> Sequence[str]:
        lines = files / f"{count}.jsonl"
        return [sys.executable, str(_BARE_LOOP), str(lines), base_url, str(concurrency)]

    return Contender(name=BARE, questions=questions, command=command)


def write_questions(files: Path, counts: Sequence[int]) -> None:
    """Write the questions in both forms, for each number of them."""
    for count in counts:
        made_questions.write_lines(files / f"{count}.jsonl", count)
        made_questions.write_stage(files / str(count), count)


def report(costs: dict[str, list[Cost]]) -> None:
    """Print the table and the goals."""
    cpu = {name: [cost.cpu_seconds_per_1000 for cost in rounds] for name, rounds in costs.items()}
    rows = [
        (
            name,
            f"{median(cpu[name]):.3f}",
            f"{min(cpu[name]):.3f} to {max(cpu[name]):.3f}",
            f"{median_ratio(cpu[name], cpu[BARE]):.2f}",
            f"{median(cost.requests_per_second for cost in rounds):,.0f}",
            f"{median(cost.startup_cpu_seconds for cost in rounds):.2f}",
        )
        for name, rounds in costs.items()
    ]
    show(("contender", "CPU-s per 1,000", "range", "ratio", "requests/s, one core", "start-up CPU-s"), rows)
    ratio, own = median_ratio(cpu[OURS], cpu[BARE]), median(cpu[OURS])
    speed = median(cost.requests_per_second for cost in costs[OURS])
    show_goals(
        [
            (f"at most {RATIO_MAX:g} times the bare loop's CPU-seconds", f"{ratio:.2f}", ratio <= RATIO_MAX),
            (
                f"at most {CPU_SECONDS_PER_1000_MAX} CPU-seconds per 1,000 requests",
                f"{own:.3f}",
                own <= CPU_SECONDS_PER_1000_MAX,
            ),
            (
                f"at least {REQUESTS_PER_SECOND_MIN:,} requests a second on one core",
                f"{speed:,.0f}",
                speed >= REQUESTS_PER_SECOND_MIN,
            ),
        ]
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--questions", type=int, default=20_000)
    parser.add_argument("--few", type=int, default=100, help="questions of the runs that start-up is taken from")
    parser.add_argument("--concurrency", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        files = Path(folder)
        write_questions(files, (options.few, options.questions))
        load = {"questions": options.questions, "concurrency": options.concurrency}
        contenders = [bare_loop(files, **load), bench_run(files, **load)]
        report(compare(contenders, few=options.few, rounds=options.rounds, within=files))


if __name__ == "__main__":
    main()
