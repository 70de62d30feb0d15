"""Likelihood scoring with weights in the process: `local:FOLDER` against lm-evaluation-harness `--model hf`.

    python benchmarks/local_scoring.py [--items 100] [--rounds 3] [--threads 1] [--venvs ~/.cache/globmed-benchmarks]

Both score the same made questions (a prompt of some 100 to 300 tokens, four options of several tokens) with the same
network: Qwen3 architecture, hidden size 256, 6 layers, random weights from a seed, its own byte-level BPE tokenizer.
Weights are float32 on the CPU, and both may use the same number of threads. lm-evaluation-harness runs in a virtual
environment that the script makes, with the versions of torch and transformers that are in this one, once for each of
its settings of the batch size; its best median counts.

Contenders take turns, round by round, each in a process of its own. What counts is the CPU time of the process from
the texts in memory to the likelihoods in memory, after the model is loaded and has scored two questions; tokenizing is
part of it. The script prints it beside the time by the clock, the ratio of the medians, how far the likelihoods are
apart and how many predictions differ, by the highest likelihood and by the highest likelihood per byte. With more than
one thread CPU time holds waiting too, more of it the busier the machine is.

The gap grows with the number of options, with the length of the prompt beside that of the options, and with the
vocabulary; on letters, which are one token, both pass over each prompt once.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from statistics import median

from measuring import note, show, show_goals

HARNESS = "0.4.13"
BATCH_SIZES = ("1", "4", "8", "32", "auto")
OURS = "globmed local"
SPEEDUP_MIN = 2.0
DIFFERENCE_MAX = 1e-3
_HERE = Path(__file__).parent
_SYLLABLES = [consonant + vowel for consonant in "bdfgklmnprstvz" for vowel in ("a", "e", "i", "o", "u", "an", "el")]


@dataclass(frozen=True, kw_only=True)
class Question:
    """A prompt and the texts that may follow it."""

    prompt: str
    options: list[str]


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a contender reports: CPU time, time by the clock, and each question's likelihoods."""

    cpu_seconds: float
    wall_seconds: float
    logprobs: list[list[float]]


def make_questions(count: int, *, seed: int = 0) -> list[Question]:
    """Make questions of invented words, some of which are common and most rare."""
    rng = random.Random(seed)  # noqa: S311
    words = ["".join(rng.choices(_SYLLABLES, k=rng.randint(1, 4))) for _ in range(4000)]
    shares = [1 / rank for rank in range(1, len(words) + 1)]

    def text(fewest: int, most: int) -> str:
        return " ".join(rng.choices(words, shares, k=rng.randint(fewest, most)))

    return [Question(prompt=f"{text(45, 130)}?\nAnswer:", options=[text(2, 8) for _ in range(4)]) for _ in range(count)]


def make_model(folder: Path, questions: Sequence[Question]) -> None:
    """Write the network and a tokenizer trained on the questions."""
    from globmed.train.recipe import Scratch
    from globmed.train.scratch import new_network, train_tokenizer

    shapes = Scratch(
        hidden_size=256, layers=6, ffn_size=768, heads=8, key_value_heads=4, vocabulary=8000, context_tokens=1024
    )
    words = [word for question in questions for text in (question.prompt, *question.options) for word in text.split()]
    tokenizer = train_tokenizer([f" {word}" for word in words], shapes)
    new_network(shapes, tokenizer, seed=0).save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def harness_python(venvs: Path) -> str:
    """Return the interpreter of the harness's virtual environment, made where it is not yet there."""
    folder = venvs / f"lm_eval-{HARNESS}"
    python = folder / "bin" / "python"
    if not (folder / "ready").exists():
        note(f"installing lm_eval {HARNESS} into {folder}")
        wanted = [f"lm_eval[hf]=={HARNESS}"]
        wanted += [f"{name}=={version(name).partition('+')[0]}" for name in ("torch", "transformers")]
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", *wanted], check=True)
        (folder / "ready").touch()
    return str(python)


def run(command: Sequence[str], *, threads: int, out: Path) -> Outcome:
    """Let a contender score the questions in a process of its own.

    Raises:
        SystemExit: it failed; the text ends with the last lines of its output.
    """
    offline = {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", "CUDA_VISIBLE_DEVICES": ""}
    environment = {**os.environ, **offline, "OMP_NUM_THREADS": str(threads), "TOKENIZERS_PARALLELISM": "true"}
    done = subprocess.run([*command, str(out)], env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"exit code {done.returncode} of: {' '.join(command)}\n{done.stderr[-3000:]}")
    return Outcome(**json.loads(out.read_text(encoding="utf-8")))


def chosen(question: Question, logprobs: Sequence[float], *, per_byte: bool) -> int:
    """Return the place of the option that is likeliest, in all or a byte."""
    lengths = [len(option.encode()) if per_byte else 1 for option in question.options]
    scores = [logprob / length for logprob, length in zip(logprobs, lengths, strict=True)]
    return scores.index(max(scores))


def differing(questions: Sequence[Question], ours: Outcome, theirs: Outcome, *, per_byte: bool) -> int:
    """Return the number of questions that the two answer differently."""
    return sum(
        chosen(question, one, per_byte=per_byte) != chosen(question, other, per_byte=per_byte)
        for question, one, other in zip(questions, ours.logprobs, theirs.logprobs, strict=True)
    )


def furthest(ours: Outcome, theirs: Outcome) -> float:
    """Return the largest difference between two likelihoods of one option."""
    return max(
        abs(one - other)
        for row, other_row in zip(ours.logprobs, theirs.logprobs, strict=True)
        for one, other in zip(row, other_row, strict=True)
    )


def report(questions: Sequence[Question], outcomes: dict[str, list[Outcome]]) -> bool:
    """Print the tables; return whether the goals are met."""
    seconds = {name: median(outcome.cpu_seconds for outcome in rounds) for name, rounds in outcomes.items()}
    rows = []
    for name, rounds in outcomes.items():
        each = [outcome.cpu_seconds for outcome in rounds]
        apart = furthest(outcomes[OURS][0], rounds[0])
        rows.append(
            (
                name,
                f"{seconds[name]:.2f}",
                f"{min(each):.2f} to {max(each):.2f}",
                f"{median(outcome.wall_seconds for outcome in rounds):.2f}",
                f"{seconds[name] / seconds[OURS]:.2f}",
                f"{apart:.1e}",
            )
        )
    show(("contender", "CPU-s", "range", "seconds by the clock", "ratio of CPU-s", "likelihoods apart"), rows)
    others = {name: rounds for name, rounds in outcomes.items() if name != OURS}
    ratio = min(seconds[name] for name in others) / seconds[OURS]
    apart = max(furthest(outcomes[OURS][0], one) for rounds in others.values() for one in rounds)
    unlike = sum(
        differing(questions, outcomes[OURS][0], one, per_byte=per_byte)
        for rounds in others.values()
        for one in rounds
        for per_byte in (False, True)
    )
    goals = [
        (
            f"at most 1/{SPEEDUP_MIN:g} of the CPU time of the harness at its best",
            f"1/{ratio:.2f}",
            ratio >= SPEEDUP_MIN,
        ),
        (f"likelihoods within {DIFFERENCE_MAX:g}", f"{apart:.1e}", apart <= DIFFERENCE_MAX),
        ("the same predictions", f"{unlike} of {len(questions)} differ", not unlike),
    ]
    show_goals(goals)
    return all(met for _, _, met in goals)


def main() -> None:
    """Run the comparison; exit with 1 where a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", type=int, default=100, help="questions to score")
    parser.add_argument("--rounds", type=int, default=3, help="times that each contender runs")
    parser.add_argument("--threads", type=int, default=1, help="of each contender")
    parser.add_argument("--venvs", type=Path, default=Path("~/.cache/globmed-benchmarks"), help="where they are made")
    arguments = parser.parse_args()
    python = harness_python(arguments.venvs.expanduser().resolve())
    questions = make_questions(arguments.items)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        make_model(folder / "model", make_questions(2000, seed=1))
        (folder / "questions.json").write_text(json.dumps([vars(question) for question in questions]))
        inputs = [str(folder / "model"), str(folder / "questions.json")]
        commands = {OURS: [sys.executable, str(_HERE / "local_scoring_globmed.py"), *inputs]}
        for size in BATCH_SIZES:
            commands[f"lm_eval hf, batch size {size}"] = [
                python,
                str(_HERE / "local_scoring_lm_eval.py"),
                *inputs,
                size,
            ]
        outcomes: dict[str, list[Outcome]] = {name: [] for name in commands}
        for number in range(1, arguments.rounds + 1):
            for name, command in commands.items():
                outcomes[name].append(run(command, threads=arguments.threads, out=folder / "out.json"))
                note(f"round {number}: {name}: {outcomes[name][-1].cpu_seconds:.2f} CPU-s")
    sys.exit(not report(questions, outcomes))


if __name__ == "__main__":
    main()
