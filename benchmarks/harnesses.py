"""Requests a second of CPU time: `globmed bench run` against Inspect and lm-evaluation-harness.

    python benchmarks/harnesses.py [--questions 20000] [--fewer 3000] [--rounds 3] [--venvs FOLDER]

All three put the same questions to the same server at the same concurrency and save every reply; the others, being
slower, are measured on the first of them only. Inspect and
lm-evaluation-harness also read the letter and score it, which for globmed is a command of its own; a further row has
both of its commands. Each of the others gets a virtual environment with its newest release from PyPI, made at the first
run; remove the folder to get a newer one. Nothing but the server on 127.0.0.1 is asked while the clock runs.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import subprocess
import sys
import tempfile
import venv
from collections.abc import Sequence
from pathlib import Path
from statistics import median

import made_questions
from bench_run import OURS, bench_run
from measuring import MODEL, Contender, Cost, compare, median_ratio, note, show, show_goals

INSPECT_RATIO_MIN, LM_EVAL_RATIO_MIN = 20, 5
_OFFLINE = {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", "NO_PROXY": "127.0.0.1"}
# The doubled braces are Jinja's, which lm-evaluation-harness fills in.
_LM_EVAL_PROMPT = """{{question}}

A. {{choices[0]}}
B. {{choices[1]}}
C. {{choices[2]}}
D. {{choices[3]}}

End your reply with the line "ANSWER: X", where X is the letter of the right option."""


def installed(venvs: Path, program: str, *packages: str) -> tuple[Path, str]:
    """Return a program in a virtual environment of its own, made where missing, and the first package's version."""
    folder = venvs / program
    python, path = folder / "bin" / "python", folder / "bin" / program
    if not path.is_file():
        note(f"making {folder}")
        venv.create(folder, with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *packages], check=True)
    asking = f"import importlib.metadata as m; print(m.version({packages[0].partition('[')[0]!r}))"
    return path, subprocess.run([python, "-c", asking], check=True, capture_output=True, text=True).stdout.strip()


def inspect(files: Path, venvs: Path, *, questions: int, concurrency: int) -> Contender:
    """Return `inspect eval` without a display and without its live view of samples, which cost it a third more."""
    program, version = installed(venvs, "inspect", "inspect_ai", "openai")
    task = os.path.relpath(Path(__file__).with_name("inspect_task.py"))

    def command(count: int, base_url: str, out: Path) -> Sequence[str]:
        return [
            *(str(program), "eval", task, "-T", f"lines={files / f'{count}.jsonl'}"),
            *("--model", f"openai-api/local/{MODEL}", "--model-base-url", base_url),
            *("--max-connections", str(concurrency), "--log-dir", str(out)),
            *("--display", "none", "--no-log-realtime"),
        ]

    return Contender(
        name=f"Inspect {version}",
        questions=questions,
        command=command,
        environment=_OFFLINE | {"LOCAL_API_KEY": "none"},
    )


def lm_eval(files: Path, venvs: Path, *, questions: int, concurrency: int) -> Contender:
    """Return `lm_eval run` over a chat endpoint; like the others it saves every reply (--log_samples)."""
    program, version = installed(venvs, "lm_eval", "lm_eval[api]")

    def command(count: int, base_url: str, out: Path) -> Sequence[str]:
        url = f"{base_url}/chat/completions"
        return [
            *(str(program), "run", "--model", "local-chat-completions"),
            *("--model_args", f"model={MODEL},base_url={url},num_concurrent={concurrency}"),
            *("--tasks", "made", "--include_path", str(files / f"lm_eval-{count}"), "--apply_chat_template"),
            *("--output_path", str(out), "--log_samples"),
        ]

    return Contender(
        name=f"lm-evaluation-harness {version}",
        questions=questions,
        command=command,
        environment=_OFFLINE | {"HF_HOME": str(files / "hf"), "OPENAI_API_KEY": "none"},
    )


def with_score(run: Contender) -> Contender:
    """Return the command followed by `globmed bench score`."""

    def command(count: int, base_url: str, out: Path) -> Sequence[str]:
        score = [sys.executable, "-m", "globmed", "bench", "score", str(out)]
        return ["sh", "-c", f"{shlex.join(run.command(count, base_url, out))} && {shlex.join(score)}"]

    return Contender(name=f"{run.name} + score", questions=run.questions, command=command)


def write_questions(files: Path, count: int) -> None:
    """Write the questions as each of the three wants them."""
    made_questions.write_stage(files / str(count), count)
    lines = made_questions.write_lines(files / f"{count}.jsonl", count)
    task = {
        "task": "made",
        "dataset_path": "json",
        "dataset_kwargs": {"data_files": {"test": str(lines)}},
        "test_split": "test",
        "output_type": "generate_until",
        "doc_to_text": _LM_EVAL_PROMPT,
        "doc_to_target": "{{target}}",
        "generation_kwargs": {"until": [], "max_gen_toks": 512, "do_sample": False, "temperature": 0.0},
        "filter_list": [
            {
                "name": "letter",
                "filter": [{"function": "regex", "regex_pattern": "ANSWER: ([A-D])"}, {"function": "take_first"}],
            }
        ],
        "metric_list": [{"metric": "exact_match", "aggregation": "mean", "higher_is_better": True}],
    }
    folder = files / f"lm_eval-{count}"
    folder.mkdir()
    # JSON is YAML too.
    (folder / "made.yaml").write_text(json.dumps(task), encoding="utf-8")


def report(costs: dict[str, list[Cost]]) -> None:
    """Print the table and the goals."""
    speeds = {name: [cost.requests_per_cpu_second for cost in rounds] for name, rounds in costs.items()}
    ratios = {name: median_ratio(speeds[OURS], speed) for name, speed in speeds.items()}
    rows = [
        (
            name,
            f"{median(cost.cpu_seconds_per_1000 for cost in costs[name]):.3f}",
            f"{median(speed):,.0f}",
            f"{min(speed):,.0f} to {max(speed):,.0f}",
            f"{ratios[name]:.1f}",
            f"{median(cost.startup_cpu_seconds for cost in costs[name]):.1f}",
        )
        for name, speed in speeds.items()
    ]
    show(
        ("contender", "CPU-s per 1,000", "requests per CPU-s", "range", "ours is times as fast", "start-up CPU-s"), rows
    )
    goals = []
    for name, ratio in ratios.items():
        for start, least in (("Inspect", INSPECT_RATIO_MIN), ("lm-eval", LM_EVAL_RATIO_MIN)):
            if name.startswith(start):
                goals.append((f"at least {least} times {name}", f"{ratio:.1f}", ratio >= least))
    show_goals(goals)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--questions", type=int, default=20_000, help="for globmed")
    parser.add_argument("--fewer", type=int, default=3000, help="for the others, which are slower")
    parser.add_argument("--few", type=int, default=100, help="questions of the runs that start-up is taken from")
    parser.add_argument("--concurrency", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--venvs", type=Path, default=Path("~/.cache/globmed-benchmarks").expanduser())
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        files = Path(folder)
        for count in {options.few, options.fewer, options.questions}:
            write_questions(files, count)
        ours = bench_run(files, questions=options.questions, concurrency=options.concurrency)
        load = {"questions": options.fewer, "concurrency": options.concurrency}
        contenders = [
            ours,
            with_score(ours),
            lm_eval(files, options.venvs, **load),
            inspect(files, options.venvs, **load),
        ]
        report(compare(contenders, few=options.few, rounds=options.rounds, within=files))


if __name__ == "__main__":
    main()
