"""What a training run needs of a GPU: memory by a stated model, and hours at an assumed share of the GPU's peak.

Weights, gradients and AdamW's two moments follow from the number of parameters and their type. What is kept of each
layer for the way back is counted (`globmed.train.size`). Logits are of answers alone. Shards (FSDP2) divide weights,
gradients and moments, and gather two layers and the embeddings at a time.

Arithmetic: 6 operations a token and parameter of the linear layers, forward and back (Kaplan and others, 2020, "Scaling
laws for neural language models", section 2.1), a third more with gradient checkpointing, a third less where weights are
frozen; attention by the examples' own squares; the output layer for answers alone.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from globmed.train.recipe import Method, Optimisation, Recipe
from globmed.train.size import Kept, Shape

GIB = 2**30
MFU = 0.4
"""Share of the peak that hours are computed with unless another is given: an assumption, not a measurement."""

_GPU_FIXED = 1.0 * GIB  # what a CUDA context and the libraries' workspaces take: an assumption
_CPU_FIXED = 0.3 * GIB  # what torch's libraries take once they work, measured
_ANEW = 2.5  # layers: with checkpointing one is computed anew, beside the gradients within it; measured
_SPARE = 1.06  # of what comes and goes: the allocator's pieces
_QUANTISED = 4.127 / 8  # bytes of a weight in NF4 with its scales quantised twice: QLoRA, section 3
_LOGIT = 10  # bytes: in bfloat16, in float32, and their log-softmax or its gradient


class Gpu(NamedTuple):
    """A kind of GPU.

    Attributes:
        name: of the kind.
        memory: bytes that a program can have.
        bf16: floating-point operations a second in bfloat16, dense, at the most.
        float32: likewise in float32 without tensor cores.
    """

    name: str
    memory: float
    bf16: float
    float32: float


GPUS = {
    "h200": Gpu("NVIDIA H200 SXM", 139 * GIB, 989e12, 67e12),
    "h100-80": Gpu("NVIDIA H100 SXM, 80 GB", 79 * GIB, 989e12, 67e12),
    "a100-40": Gpu("NVIDIA A100, 40 GB", 39 * GIB, 312e12, 19.5e12),
    "24gb": Gpu("a GPU of 24 GB such as the NVIDIA A10", 22 * GIB, 125e12, 31.2e12),
}
"""Peaks without sparsity are those of NVIDIA's data sheets of each GPU."""


class Work(NamedTuple):
    """What is learnt from.

    Attributes:
        tokens: in all.
        attended: mean over tokens of the length of the example that each stands in.
        answers: share of the tokens that carry the loss.
        answers_most: of one row.
    """

    tokens: int
    attended: float
    answers: float
    answers_most: int


class Needs(NamedTuple):
    """Bytes of one GPU."""

    weights: float
    gradients: float
    moments: float
    activations: float
    logits: float
    other: float

    @property
    def total(self) -> float:
        """All of them."""
        return sum(self)


@dataclass(frozen=True, kw_only=True)
class Setup:
    """One way to run: what of a recipe decides its memory.

    Attributes:
        method: which weights are learnt.
        precision: as `Optimisation`.
        checkpointing: of gradients.
        row_tokens: at once on a device.
        gpus: that work together.
        sharded: they hold the weights in pieces; otherwise each holds all.
    """

    method: Method
    precision: str
    checkpointing: bool
    row_tokens: int
    gpus: int = 1
    sharded: bool = False

    @classmethod
    def of(cls, recipe: Recipe, *, gpus: int = 1, sharded: bool = False) -> Setup:
        """Return that of a recipe."""
        optimisation: Optimisation = recipe.optimisation
        return cls(
            method=recipe.method,
            precision=optimisation.precision,
            checkpointing=optimisation.gradient_checkpointing,
            row_tokens=optimisation.row_tokens,
            gpus=gpus,
            sharded=sharded,
        )

    @property
    def weight_bytes(self) -> int:
        """Of a weight that is not quantised."""
        return 2 if self.precision == "bf16" else 4

    @property
    def compute_bytes(self) -> int:
        """Of a number in the linear layers."""
        return 4 if self.precision == "float32" else 2


def needs(shape: Shape, kept: Kept, setup: Setup, *, answers_most: int, on_gpu: bool = True) -> Needs:
    """Return what one process holds at its fullest, in bytes.

    Args:
        shape: of the network.
        kept: by its layers.
        setup: how it is trained.
        answers_most: tokens of a row that carry the loss.
        on_gpu: with the context that CUDA takes.
    """
    parts = setup.gpus if setup.sharded else 1
    learnt, own = _learnt(shape, setup)
    weights = _frozen(shape, setup) / parts + learnt * own / parts
    gradients = learnt * own / parts
    if setup.gpus > 1 and not setup.sharded:
        gradients *= 2  # the buckets that are exchanged
    stream = shape.hidden * setup.row_tokens * (2 if setup.precision == "bf16" else 4)
    layer = kept.layer_token * setup.row_tokens
    # With checkpointing each layer's input is kept, and one layer is computed anew at a time.
    layers = shape.layers * stream + _ANEW * layer if setup.checkpointing else shape.layers * layer
    # Autocast keeps the weights that are learnt in the other type to the end of the way forward; shards come in it.
    layers += 0.0 if setup.sharded else shape.layers * kept.layer
    gathered = 0.0
    if setup.sharded:
        a_layer = (shape.parameters - shape.embedding) / shape.layers
        gathered = 2 * (a_layer + shape.embedding) * setup.compute_bytes
    comes_and_goes = layers + kept.token * setup.row_tokens
    return Needs(
        weights=weights,
        gradients=gradients,
        moments=2 * learnt * own / parts,
        activations=comes_and_goes * _SPARE,
        logits=_LOGIT * answers_most * shape.vocabulary * _SPARE,
        other=gathered * _SPARE + (_GPU_FIXED if on_gpu else _CPU_FIXED),
    )


def _learnt(shape: Shape, setup: Setup) -> tuple[int, int]:
    """Return how many weights are learnt, and the bytes of one; low-rank updates are always in float32."""
    if setup.method.kind == "full":
        return shape.learnt, setup.weight_bytes
    return setup.method.rank * shape.sides, 4


def _frozen(shape: Shape, setup: Setup) -> float:
    if setup.method.kind == "full":
        return float((shape.parameters - shape.learnt) * setup.weight_bytes)
    quantised = shape.linear if setup.method.kind == "qlora" else 0
    return quantised * _QUANTISED + (shape.parameters - quantised) * setup.weight_bytes


def operations(shape: Shape, setup: Setup, work: Work) -> float:
    """Return the floating-point operations of a run."""
    passes = 3 if setup.method.kind == "full" else 2  # forward, back to the inputs, back to the weights
    again = 1 if setup.checkpointing else 0
    linear = 2 * (passes + again) * (shape.linear + work.answers * shape.output)
    attention = 2 * (3 + again) * shape.layers * shape.queries * work.attended
    return (linear + attention) * work.tokens


def hours(shape: Shape, setup: Setup, work: Work, gpu: Gpu, *, mfu: float = MFU) -> float:
    """Return how long a run takes, its GPUs at a share `mfu` of their peak."""
    peak = gpu.float32 if setup.precision == "float32" else gpu.bf16
    return operations(shape, setup, work) / (peak * mfu * setup.gpus) / 3600


def work_of(lengths: Iterable[int], *, answers: int, answers_most: int) -> Work:
    """Sum up what is learnt from.

    Args:
        lengths: tokens of each example drawn.
        answers: tokens that carry the loss, in all.
        answers_most: of one row.
    """
    sizes = np.fromiter(lengths, dtype=np.float64)
    total = sizes.sum()
    attended = float((sizes**2).sum() / total) if total else math.nan
    return Work(int(total), attended, float(answers / total) if total else math.nan, answers_most)
