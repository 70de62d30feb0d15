"""The command that is measured, `globmed bench run`, as a contender."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from measuring import MODEL, Contender

OURS = "globmed bench run"


def bench_run(files: Path, *, questions: int, concurrency: int) -> Contender:
    """Return the whole command with its journal, over the stages that stand in `files` by their number of questions."""

    def command(count: int, base_url: str, out: Path) -> Sequence[str]:
        data = files / str(count)
        return [
            *(sys.executable, "-m", "globmed", "bench", "run"),
            *("--data", str(data), "--model", f"api:{MODEL}@{base_url}"),
            *("--out", str(out), "--concurrency", str(concurrency)),
        ]

    return Contender(name=OURS, questions=questions, command=command)
