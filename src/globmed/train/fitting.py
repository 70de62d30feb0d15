"""Which ways to run a recipe fit a GPU, and the refusal of one that does not fit where it is started."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Literal, NamedTuple

from globmed.core.errors import EnvironmentFailedError
from globmed.train.network import config_of
from globmed.train.recipe import Method, Recipe
from globmed.train.resources import GIB, MFU, Gpu, Needs, Setup, Work, hours, needs
from globmed.train.size import Kept, kept_of, sized

_KINDS: dict[Literal["full", "lora", "qlora"], str] = {"full": "all weights", "lora": "LoRA", "qlora": "QLoRA"}


def ways(setup: Setup, gpus: int) -> Iterator[tuple[str, Setup]]:
    """Yield ways to run, the one given first, with what it is in words."""
    together = [(False, "")] if gpus == 1 else [(False, "each GPU holds all"), (True, "in shards (FSDP2)")]
    for method in (setup.method, *(Method(kind=kind) for kind in _KINDS if kind != setup.method.kind)):
        # Frozen weights lose nothing in bfloat16; weights that are learnt lose small updates there.
        other = "bf16_mixed" if method.kind == "full" else "bf16"
        precision = setup.precision if method.kind == setup.method.kind else other
        for checkpointing in (setup.checkpointing, not setup.checkpointing):
            # Shards of weights in 4 bits are not tried anywhere here.
            for sharded, how in together if method.kind != "qlora" else together[:1]:
                words = [
                    _KINDS[method.kind],
                    precision,
                    *(["checkpointing"] if checkpointing else []),
                    *([how] if how else []),
                ]
                yield (
                    ", ".join(words),
                    replace(
                        setup,
                        method=method,
                        precision=precision,
                        checkpointing=checkpointing,
                        gpus=gpus,
                        sharded=sharded,
                    ),
                )


class Way(NamedTuple):
    """One way to run a recipe on some GPUs.

    Attributes:
        name: in words.
        own: it is the recipe's own, but for shards.
        needs: bytes of each GPU.
        fits: in the GPU's memory.
        hours: at the assumed share of the peak.
    """

    name: str
    own: bool
    needs: Needs
    fits: bool
    hours: float


def plan_gpus(recipe: Recipe, tokenizer: Any, work: Work, *, gpu: Gpu, count: int, mfu: float = MFU) -> list[Way]:
    """Say what each way to run a recipe needs of some GPUs, the recipe's own first.

    Args:
        recipe: what is to be trained.
        tokenizer: of the model.
        work: what it learns from.
        gpu: of which kind.
        count: how many.
        mfu: share of the GPUs' peak that is assumed.
    """
    shape, config = sized(recipe, tokenizer), config_of(recipe, tokenizer)
    own, kept = Setup.of(recipe, gpus=count), dict[str, Kept]()
    found = []
    for name, setup in ways(own, count):
        if setup.precision not in kept:
            kept[setup.precision] = kept_of(config, setup.precision)
        need = needs(shape, kept[setup.precision], setup, answers_most=work.answers_most)
        found.append(
            Way(
                name=name,
                own=replace(setup, sharded=own.sharded) == own,
                needs=need,
                fits=need.total <= gpu.memory,
                hours=hours(shape, setup, work, gpu, mfu=mfu),
            )
        )
    return found


def refuse_too_little_memory(recipe: Recipe, tokenizer: Any, work: Work, *, processes: int = 1) -> None:
    """Refuse to begin what would not fit.

    Args:
        recipe: what is to be trained.
        tokenizer: of the model.
        work: what it learns from.
        processes: that train together.

    Raises:
        EnvironmentFailedError: a process would take more than is free.
    """
    free, where = _free(processes)
    setup = Setup.of(recipe, gpus=processes, sharded=os.environ.get("ACCELERATE_USE_FSDP") == "true")
    shape, on_gpu = sized(recipe, tokenizer), where == "GPU"
    try:
        kept = kept_of(config_of(recipe, tokenizer), setup.precision)
    except RuntimeError:
        # A network whose shapes depend on numbers cannot be counted without them: weights, gradients and logits are.
        kept = Kept(layer=0, layer_token=0, token=0)
    total = needs(shape, kept, setup, answers_most=work.answers_most, on_gpu=on_gpu).total
    if total > free:
        raise EnvironmentFailedError(
            f"too little memory: a process needs {total / GIB:.1f} GiB, and {free / GIB:.1f} GiB are free on this"
            f" {where}. `globmed train plan RECIPE --gpu KIND` says what fits: gradient_checkpointing, fewer"
            ' row_tokens, [method] kind = "lora", or weights in shards over more GPUs'
        )


def _free(processes: int) -> tuple[float, str]:
    """Return the bytes that each process may take, and where."""
    import psutil
    import torch

    if torch.cuda.is_available():
        return float(torch.cuda.mem_get_info()[0]), "GPU"
    return psutil.virtual_memory().available / processes, "machine"
