"""Tokens a second in training, beside TRL's SFTTrainer: same model, examples, precision and effective batch.

    nice -n 19 python benchmarks/train.py [--rounds 3] [--examples 600] [--threads 2]

A Qwen3 network of 6.6 million parameters with random weights, whose output layer has the share of the arithmetic that
has in Qwen3 4B, learns from made examples whose lengths are drawn as those of real questions are spread (log-normal,
median 180 tokens, 32 to 1,500; the answer has 2 to 200). Each contender runs in a process of its own, in turns; a token
is one of an example, never padding, and seconds are those between the end of the first step and the end of the last.

- globmed: rows of 2,048 tokens, four a step.
- TRL, padded: its default, 8 examples side by side padded to the longest, of like total to a step of ours.
- TRL, sorted: the same with examples of like length together.
- TRL, packed: `packing=True` (best fit), rows of 2,048, four a step; TRL warns that on a CPU examples of a row may see
  one another.

The loss of all is on answers alone. Each also says what share of the time it waited for data.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from measuring import show, show_goals

ROW, ROWS_A_STEP = 2048, 4
VOCABULARY, HIDDEN, LAYERS = 2500, 256, 6
CONTENDERS = ("globmed", "TRL, padded", "TRL, sorted", "TRL, packed")


def made_examples(number: int) -> list[tuple[list[int], int]]:
    """Return token ids of examples, and how many of the last ones are the answer."""
    rng = np.random.default_rng(0)
    lengths = np.clip(np.exp(rng.normal(np.log(180), 0.75, number)), 32, 1500).astype(int)
    answers = np.minimum(np.clip(np.exp(rng.normal(np.log(12), 1.2, number)), 2, 200).astype(int), lengths // 2)
    return [
        (rng.integers(10, VOCABULARY, length).tolist(), int(answer))
        for length, answer in zip(lengths, answers, strict=True)
    ]


def network() -> Any:
    """Return the model, the same weights each time."""
    import torch
    from transformers import Qwen3Config, Qwen3ForCausalLM

    torch.manual_seed(0)
    return Qwen3ForCausalLM(
        Qwen3Config(
            vocab_size=VOCABULARY,
            hidden_size=HIDDEN,
            intermediate_size=3 * HIDDEN,
            num_hidden_layers=LAYERS,
            num_attention_heads=8,
            num_key_value_heads=4,
            head_dim=32,
            max_position_embeddings=4096,
            tie_word_embeddings=True,
        )
    )


class Clock:
    """Tokens and seconds from the end of the first step to the end of the last, and seconds spent waiting for data."""

    def __init__(self) -> None:
        """Nothing was measured yet."""
        self.began = self.ended = self.waited = 0.0
        self.steps = 0

    def step(self) -> None:
        """Take the end of a step."""
        self.ended = time.perf_counter()
        self.steps += 1
        if self.steps == 1:
            self.began, self.waited = self.ended, 0.0


def with_globmed(examples: list[tuple[list[int], int]], threads: int, clock: Clock) -> list[int]:
    """Train, and return the tokens of each step."""
    from globmed.train import trainer
    from globmed.train.encoding import Encoded
    from globmed.train.packing import pack
    from globmed.train.recipe import Data, Optimisation, Recipe, Scratch

    lengths = np.array([len(ids) for ids, _ in examples])
    encoded = Encoded(
        ids=np.concatenate([ids for ids, _ in examples]).astype(np.int32),
        starts=np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
        answers=np.array([answer for _, answer in examples]),
        variants=np.arange(len(examples) + 1),
        part=np.array(["questions"] * len(examples)),
        language=np.array(["en"] * len(examples)),
        names=tuple(map(str, range(len(examples)))),
    )
    rows = pack(lengths, limit=ROW)
    recipe = Recipe(
        data=Data(folder=""),
        scratch=Scratch(),
        optimisation=Optimisation(
            tokens=1, batch_tokens=ROW * ROWS_A_STEP, row_tokens=ROW, threads=threads, checkpoint_steps=10**6
        ),
    )
    read = trainer.PackedRows.__getitem__

    def timed(self: Any, place: int) -> dict[str, Any]:
        began = time.perf_counter()
        row = read(self, place)
        clock.waited += time.perf_counter() - began
        return row

    trainer.PackedRows.__getitem__ = timed  # type: ignore[method-assign]
    with tempfile.TemporaryDirectory() as work:
        trainer.fit(network(), encoded, rows, recipe, work=Path(work), on_step=lambda _: clock.step())
    return [
        int(sum(lengths[row].sum() for row in rows[first : first + ROWS_A_STEP]))
        for first in range(0, len(rows), ROWS_A_STEP)
    ]


def with_trl(examples: list[tuple[list[int], int]], threads: int, clock: Clock, how: str) -> list[int]:
    """Train, and return the tokens of each step."""
    import torch
    from datasets import Dataset
    from globmed.train import scratch
    from globmed.train.recipe import Scratch
    from transformers import PreTrainedTokenizerFast, TrainerCallback
    from trl import SFTConfig, SFTTrainer

    torch.set_num_threads(threads)
    tokenizer: PreTrainedTokenizerFast = scratch.train_tokenizer(["a b c"] * 3, Scratch(vocabulary=300))
    data = Dataset.from_dict(
        {
            "input_ids": [ids for ids, _ in examples],
            "completion_mask": [[0] * (len(ids) - answer) + [1] * answer for ids, answer in examples],
        }
    )
    mean = sum(len(ids) for ids, _ in examples) / len(examples)
    packed = how == "TRL, packed"
    alike = {"train_sampling_strategy": "group_by_length"} if how == "TRL, sorted" else {}
    tokens: list[int] = []

    class Step(TrainerCallback):  # type: ignore[misc]
        def on_step_end(self, *_: Any, **__: Any) -> None:
            clock.step()

    with tempfile.TemporaryDirectory() as out:
        config = SFTConfig(
            output_dir=out,
            use_cpu=True,
            num_train_epochs=1,
            per_device_train_batch_size=1 if packed else 8,
            gradient_accumulation_steps=ROWS_A_STEP if packed else round(ROW * ROWS_A_STEP / mean / 8),
            max_length=ROW,
            packing=packed,
            learning_rate=1e-5,
            optim="adamw_torch_fused",
            bf16=False,
            gradient_checkpointing=False,
            report_to=[],
            logging_steps=10**6,
            save_strategy="no",
            disable_tqdm=True,
            **alike,
        )
        trainer = SFTTrainer(model=network(), args=config, train_dataset=data, processing_class=tokenizer)
        trainer.add_callback(Step())
        collate = trainer.data_collator
        per_batch: list[int] = []

        def counted(batch: list[Any]) -> Any:
            began = time.perf_counter()
            per_batch.append(sum(len(one["input_ids"]) for one in batch))
            found = collate(batch)
            clock.waited += time.perf_counter() - began
            return found

        trainer.data_collator = counted
        trainer.train()
        every = config.gradient_accumulation_steps
        tokens += [sum(per_batch[first : first + every]) for first in range(0, len(per_batch), every)]
    return tokens


def contender(name: str, number: int, threads: int) -> None:
    """Run one contender in this process, and print what it did."""
    examples, clock = made_examples(number), Clock()
    tokens = with_globmed(examples, threads, clock) if name == "globmed" else with_trl(examples, threads, clock, name)
    seconds = clock.ended - clock.began
    learnt = sum(tokens[1 : clock.steps])
    sys.stdout.write(
        json.dumps({"tokens": learnt, "seconds": seconds, "steps": clock.steps, "waited": clock.waited / seconds})
        + "\n"
    )


def main() -> None:
    """Measure the contenders in turns and show them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--examples", type=int, default=600)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--contender", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.contender:
        contender(options.contender, options.examples, options.threads)
        return
    found: dict[str, list[dict[str, float]]] = {name: [] for name in CONTENDERS}
    for _ in range(options.rounds):
        for name in CONTENDERS:
            command = [sys.executable, __file__, "--contender", name]
            command += ["--examples", str(options.examples), "--threads", str(options.threads)]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode:
                sys.exit(f"{name}: {done.stderr[-2000:]}")
            found[name].append(json.loads(done.stdout.splitlines()[-1]))
    rates = {name: median(one["tokens"] / one["seconds"] for one in runs) for name, runs in found.items()}
    show(
        ("trainer", "tokens/s", "beside globmed", "steps", "tokens", "waiting for data %"),
        [
            (
                name,
                f"{rates[name]:,.0f}",
                f"{rates[name] / rates['globmed']:.2f}",
                f"{runs[0]['steps']:.0f}",
                f"{runs[0]['tokens']:,.0f}",
                f"{100 * median(one['waited'] for one in runs):.2f}",
            )
            for name, runs in found.items()
        ],
    )
    best = max(rate for name, rate in rates.items() if name != "globmed")
    padded = rates["globmed"] / rates["TRL, padded"]
    show_goals(
        [
            ("at least TRL's best", f"{rates['globmed'] / best:.2f} times", rates["globmed"] >= best),
            ("1.5 times TRL's default", f"{padded:.2f} times", padded >= 1.5),
        ]
    )


if __name__ == "__main__":
    main()
