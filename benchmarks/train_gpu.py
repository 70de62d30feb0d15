"""Training on a GPU: tokens a second, share of its peak, and memory beside what the plan said.

    PYTHONPATH=src python benchmarks/train_gpu.py [--steps 10] [--gpu h200] [--only 4B] [--out results.json]
    PYTHONPATH=src python benchmarks/train_gpu.py --tiny     # the same by a small network on a CPU, to see that it runs

Needs torch, transformers, peft, accelerate and msgspec. Random-weight models with the shapes of Qwen3 1.7B, 4B and 8B,
in bfloat16, with our packed attention and our loss on answers alone: all weights and LoRA, rows of 2,048 and of 4,096
tokens filled with examples whose lengths are spread as those of real questions are (log-normal, median 180), four rows
a step, with checkpointing where the plan says that it does not fit without. The share of the peak (MFU) counts the
operations of `globmed.train.resources`, what is computed twice for checkpointing not among them.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from globmed.train import attention
from globmed.train.recipe import Method
from globmed.train.resources import GIB, GPUS, Setup, Work, needs, operations
from globmed.train.size import Shape, kept_of, shape_of
from globmed.train.trainer import IGNORED, answer_loss
from transformers import AutoModelForCausalLM, Qwen3Config

_COMMON = {"num_key_value_heads": 8, "head_dim": 128, "vocab_size": 151_936, "max_position_embeddings": 40_960}
SHAPES = {
    "1.7B": {"hidden_size": 2048, "intermediate_size": 6144, "num_hidden_layers": 28, "num_attention_heads": 16},
    "4B": {"hidden_size": 2560, "intermediate_size": 9728, "num_hidden_layers": 36, "num_attention_heads": 32},
    "8B": {"hidden_size": 4096, "intermediate_size": 12_288, "num_hidden_layers": 36, "num_attention_heads": 32},
}
TINY = {"hidden_size": 128, "intermediate_size": 384, "num_hidden_layers": 2, "num_attention_heads": 4}
ROWS_A_STEP, WARM_UP = 4, 3
GOAL = ("4B", "full", 0.45)


def config_of(name: str, *, tiny: bool) -> Qwen3Config:
    """Return the shapes of a model."""
    if tiny:
        return Qwen3Config(**TINY, num_key_value_heads=2, head_dim=32, vocab_size=2000, tie_word_embeddings=True)
    return Qwen3Config(**SHAPES[name], **_COMMON, tie_word_embeddings=name != "8B")


def made_rows(tokens: int, number: int, vocabulary: int) -> list[dict[str, Any]]:
    """Return rows of so many tokens: examples one behind the other, the last of each cut to fit."""
    rng = np.random.default_rng(0)
    rows = []
    for _ in range(number):
        lengths: list[int] = []
        while sum(lengths) < tokens:
            length = int(np.clip(np.exp(rng.normal(np.log(180), 0.75)), 32, 1500))
            lengths.append(min(length, tokens - sum(lengths)))
        if lengths[-1] < 2:
            lengths[-2:] = [sum(lengths[-2:])]
        ids = rng.integers(10, vocabulary, tokens)
        labels = np.full(tokens, IGNORED)
        for length, end in zip(lengths, np.cumsum(lengths), strict=True):
            answer = min(int(np.clip(np.exp(rng.normal(np.log(12), 1.2)), 2, 200)), length - 1)
            labels[end - answer : end] = ids[end - answer : end]
        rows.append(
            {
                "input_ids": torch.from_numpy(ids)[None],
                "labels": torch.from_numpy(labels)[None],
                "position_ids": torch.from_numpy(np.concatenate([np.arange(length) for length in lengths]))[None],
                "packed_rows": attention.layout(lengths),
                "lengths": lengths,
            }
        )
    return rows


def on(device: torch.device, row: dict[str, Any]) -> dict[str, Any]:
    """Move a row to the device."""
    moved = {name: row[name].to(device, non_blocking=True) for name in ("input_ids", "labels", "position_ids")}
    return moved | {"packed_rows": [part.to(device, non_blocking=True) for part in row["packed_rows"]]}


def measure(config: Qwen3Config, setup: Setup, *, steps: int, device: torch.device) -> dict[str, float]:
    """Train some steps; give tokens a second, peak bytes, and what is needed to compare them."""
    attention.register()
    on_gpu = device.type == "cuda"
    if on_gpu:
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
    torch.manual_seed(0)
    with device:
        network: Any = AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16)
    if setup.method.kind == "lora":
        from peft import LoraConfig, get_peft_model

        network = get_peft_model(
            network, LoraConfig(r=setup.method.rank, target_modules="all-linear", task_type="CAUSAL_LM")
        )
    network.set_attn_implementation(attention.NAME)
    if setup.checkpointing:
        network.activation_checkpointing_enable()
        network.enable_input_require_grads()
    network.train()
    learnt = [weight for weight in network.parameters() if weight.requires_grad]
    optimiser = torch.optim.AdamW(learnt, lr=1e-6, fused=True)
    rows = made_rows(setup.row_tokens, ROWS_A_STEP, config.vocab_size)
    began = 0.0
    for step in range(WARM_UP + steps):
        if step == WARM_UP:
            torch.cuda.synchronize() if on_gpu else None
            began = time.perf_counter()
        labelled = sum(int((row["labels"] != IGNORED).sum()) for row in rows)
        for row in rows:
            (answer_loss(network, on(device, row)) / labelled).backward()
        torch.nn.utils.clip_grad_norm_(learnt, 1.0)
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)
    torch.cuda.synchronize() if on_gpu else None
    seconds = time.perf_counter() - began
    lengths = np.array([length for row in rows for length in row["lengths"]], dtype=float)
    answers = [int((row["labels"] != IGNORED).sum()) for row in rows]
    return {
        "tokens_per_second": steps * ROWS_A_STEP * setup.row_tokens / seconds,
        "peak_bytes": float(torch.cuda.max_memory_reserved()) if on_gpu else float("nan"),
        "attended": float((lengths**2).sum() / lengths.sum()),
        "answers": sum(answers) / (ROWS_A_STEP * setup.row_tokens),
        "answers_most": max(answers),
    }


def one(
    name: str, config: Qwen3Config, setup: Setup, shape: Shape, *, gpu: str, steps: int, device: Any
) -> dict[str, Any]:
    """Measure one setup beside its plan."""
    kept = kept_of(config, "bf16")
    said = needs(shape, kept, setup, answers_most=setup.row_tokens // 8).total
    if said > GPUS[gpu].memory and not setup.checkpointing:
        from dataclasses import replace

        setup = replace(setup, checkpointing=True)
        said = needs(shape, kept, setup, answers_most=setup.row_tokens // 8).total
    told = {"model": name, "method": setup.method.kind, "row": setup.row_tokens, "checkpointing": setup.checkpointing}
    if said > GPUS[gpu].memory:
        return told | {"left_out": f"does not fit: {said / GIB:.0f} GiB"}
    try:
        found = measure(config, setup, steps=steps, device=device)
    except torch.cuda.OutOfMemoryError:
        return told | {"left_out": f"ran out of memory; the plan said {said / GIB:.0f} GiB"}
    work = Work(1, found["attended"], found["answers"], int(found["answers_most"]))
    plain = Setup(**{**vars(setup), "checkpointing": False})
    return told | {
        "tokens_per_second": found["tokens_per_second"],
        "mfu": operations(shape, plain, work) * found["tokens_per_second"] / GPUS[gpu].bf16,
        "peak_gib": found["peak_bytes"] / GIB,
        "said_gib": needs(shape, kept, setup, answers_most=work.answers_most).total / GIB,
    }


def main() -> None:
    """Measure every setup and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--gpu", choices=GPUS, default="h200")
    parser.add_argument("--only", choices=SHAPES)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--tiny", action="store_true")
    options = parser.parse_args()
    if not options.tiny and not torch.cuda.is_available():
        sys.exit("no GPU that torch sees; --tiny runs a small network on the CPU")
    device = torch.device("cpu" if options.tiny else "cuda")
    results = []
    for name in [options.only] if options.only else SHAPES:
        config = config_of(name, tiny=options.tiny)
        with torch.device("meta"):
            shape = shape_of(AutoModelForCausalLM.from_config(config))
        for kind in ("full", "lora"):
            for row in (256,) if options.tiny else (2048, 4096):
                setup = Setup(method=Method(kind=kind), precision="bf16", checkpointing=False, row_tokens=row)
                results.append(one(name, config, setup, shape, gpu=options.gpu, steps=options.steps, device=device))
                print(json.dumps(results[-1]), flush=True)
    where = torch.cuda.get_device_name() if device.type == "cuda" else "a CPU, a small network: no measurement of a GPU"
    print(f"\n{where}; torch {torch.__version__}, {time.strftime('%Y-%m-%d')}\n")
    print("| model | learns | row | checkpointing | tokens/s | MFU | peak, GiB | said, GiB |")
    print("|---|---|--:|---|--:|--:|--:|--:|")
    for told in results:
        lead = f"| {told['model']} | {told['method']} | {told['row']:,} | {'yes' if told['checkpointing'] else 'no'} |"
        if "left_out" in told:
            print(f"{lead} {told['left_out']} | | | |")
        else:
            rate, share, peak = told["tokens_per_second"], told["mfu"], told["peak_gib"]
            print(f"{lead} {rate:,.0f} | {100 * share:.1f} % | {peak:.1f} | {told['said_gib']:.1f} |")
    model, method, goal = GOAL
    best = max(
        (told["mfu"] for told in results if (told["model"], told["method"]) == (model, method) and "mfu" in told),
        default=0,
    )
    if best and not options.tiny:
        print(f"\nGoal: {100 * goal:.0f} % of the peak for all weights of {model} on an H200: {100 * best:.1f} %")
    if options.out:
        options.out.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
