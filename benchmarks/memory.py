"""How much memory `globmed bench run` takes at most, for few questions and for ten times as many.

    python benchmarks/memory.py [--few 20000] [--many 200000] [--concurrency 32]

Prints the peak of the process's resident memory as the kernel books it, and whether the goals are met.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from bench_run import bench_run
from measuring import ask, note, show, show_goals

GROWTH_MB_MAX = 40
PEAK_MB_MAX = 250


def measure(questions: int, concurrency: int, *, within: Path) -> float:
    """Return the peak in MB over one run."""
    # In a process of its own: Linux counts the memory of whoever starts a command as a part of the command's peak.
    maker = Path(__file__).with_name("made_questions.py")
    subprocess.run([sys.executable, str(maker), str(within / str(questions)), str(questions)], check=True)
    contender = bench_run(within, questions=questions, concurrency=concurrency)
    peak_mb = ask(contender, questions, within=within).peak_mb
    note(f"{questions:,} questions: {peak_mb:.0f} MB")
    return peak_mb


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--few", type=int, default=20_000)
    parser.add_argument("--many", type=int, default=200_000)
    parser.add_argument("--concurrency", type=int, default=32)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        few_mb, many_mb = (
            measure(questions, options.concurrency, within=Path(folder)) for questions in (options.few, options.many)
        )
    growth_mb = many_mb - few_mb
    show(
        ("questions", "peak MB", "more than before"),
        [
            (f"{options.few:,}", f"{few_mb:.0f}", ""),
            (f"{options.many:,}", f"{many_mb:.0f}", f"{growth_mb:+.0f} MB, ratio {many_mb / few_mb:.2f}"),
        ],
    )
    show_goals(
        [
            (f"within {GROWTH_MB_MAX} MB of one another", f"{growth_mb:+.0f} MB", abs(growth_mb) <= GROWTH_MB_MAX),
            (f"under {PEAK_MB_MAX} MB", f"{max(few_mb, many_mb):.0f} MB", max(few_mb, many_mb) < PEAK_MB_MAX),
        ]
    )


if __name__ == "__main__":
    main()
