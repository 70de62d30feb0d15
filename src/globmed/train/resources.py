"""What a training run needs of a GPU: memory by a stated model, and hours at an assumed share of the GPU's peak.

Weights, gradients and AdamW's two moments follow from the number of parameters and their type. What is kept of each
layer for the way back is counted: networks of the very same widths, of one layer and of two, go forward on two rows of
tokens that have a size and no contents, and the bytes that autograd keeps are linear in both. Logits are of answers
alone. Shards (FSDP2) divide weights, gradients and moments, and gather two layers and the embeddings at a time.

Arithmetic: 6 operations a token and parameter of the linear layers, forward and back (Kaplan and others, 2020, "Scaling
laws for neural language models", section 2.1), a third more with gradient checkpointing, a third less where weights are
frozen; attention by the examples' own squares; the output layer for answers alone.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple

import numpy as np

from globmed.core.errors import EnvironmentFailedError
from globmed.train.network import config_of, linear_in_text, within_text
from globmed.train.recipe import Method, Optimisation, Recipe

GIB = 2**30
MFU = 0.4
"""Share of the peak that hours are computed with unless another is given: an assumption, not a measurement."""

_GPU_FIXED = 1.0 * GIB  # what a CUDA context and the libraries' workspaces take: an assumption
_CPU_FIXED = 0.3 * GIB  # what torch's libraries take once they work, measured
_ANEW = 2.5  # layers: with checkpointing one is computed anew, beside the gradients within it; measured
_SPARE = 1.06  # of what comes and goes: the allocator's pieces
_QUANTISED = 4.127 / 8  # bytes of a weight in NF4 with its scales quantised twice: QLoRA, section 3
_LOGIT = 10  # bytes: in bfloat16, in float32, and their log-softmax or its gradient


_KINDS: dict[Literal["full", "lora", "qlora"], str] = {"full": "all weights", "lora": "LoRA", "qlora": "QLoRA"}


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


@dataclass(frozen=True, kw_only=True)
class Shape:
    """A network's size.

    Attributes:
        layers: of the transformer.
        parameters: in all, those shared once.
        learnt: of them those that text passes through; what reads images is left as it is.
        embedding: of them in the embedding and, where it is another, the output layer.
        linear: of them in linear layers but the output layer.
        output: multiplications of the output layer, hidden size times vocabulary.
        sides: sum over linear layers but the output layer of inputs and outputs: a low-rank update has rank times that.
        hidden: width of what goes from layer to layer.
        queries: width of all queries of a layer.
        vocabulary: tokens.
    """

    layers: int
    parameters: int
    learnt: int
    embedding: int
    linear: int
    output: int
    sides: int
    hidden: int
    queries: int
    vocabulary: int


@dataclass(frozen=True, kw_only=True)
class Kept:
    """Bytes that autograd keeps of a forward pass: `layers` times (fixed + tokens a token), and the rest.

    Attributes:
        layer: of a layer whatever the row's length, such as weights cast to another type.
        layer_token: of a layer and token.
        token: of a token outside the layers.
    """

    layer: float
    layer_token: float
    token: float


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


def shape_of(network: Any) -> Shape:
    """Read the size of a transformers causal language model, which may be on the device `meta`."""
    config = network.config.get_text_config()
    head = network.get_output_embeddings()
    tables = {id(module.weight): module.weight.numel() for module in (network.get_input_embeddings(), head)}
    linear = [network.get_submodule(name) for name in linear_in_text(network)]
    text = within_text(network)
    width = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    return Shape(
        layers=config.num_hidden_layers,
        parameters=sum(weight.numel() for weight in network.parameters()),
        learnt=sum(weight.numel() for name, weight in network.named_parameters() if name in text),
        embedding=sum(tables.values()),
        linear=sum(module.weight.numel() for module in linear),
        output=head.weight.numel(),
        sides=sum(module.in_features + module.out_features for module in linear),
        hidden=config.hidden_size,
        queries=config.num_attention_heads * width,
        vocabulary=config.vocab_size,
    )


def kept_of(config: Any, precision: str) -> Kept:
    """Count what autograd keeps, on networks of the same widths with one layer and with two.

    Args:
        config: transformers' configuration of the model.
        precision: as `Optimisation`.
    """
    short, long = 64, 128
    one, two = (_two_rows(config, layers, precision, short, long) for layers in (1, 2))
    layer = [b - a for a, b in zip(one, two, strict=True)]
    layer_token = (layer[1] - layer[0]) / (long - short)
    rest = [a - b for a, b in zip(one, layer, strict=True)]
    return Kept(
        layer=layer[0] - layer_token * short,
        layer_token=layer_token,
        token=(rest[1] - rest[0]) / (long - short),
    )


def _two_rows(config: Any, layers: int, precision: str, *lengths: int) -> list[float]:
    """Return the bytes that autograd keeps of rows of so many tokens, the weights themselves left out.

    Fake tensors have sizes and no contents: nothing is computed, and no memory taken, however wide the network is.
    """
    import torch
    from torch._subclasses.fake_tensor import FakeTensorMode
    from transformers import AutoModelForCausalLM

    from globmed.train import attention

    attention.register()
    text = type(config.get_text_config())(**config.get_text_config().to_dict())
    text.num_hidden_layers, text.vocab_size = layers, 8
    # They would lie outside so small a vocabulary, and nothing is read or written.
    text.pad_token_id = text.bos_token_id = text.eos_token_id = None
    if getattr(text, "layer_types", None):
        text.layer_types = text.layer_types[:layers]
    dtype = torch.bfloat16 if precision == "bf16" else torch.float32
    with FakeTensorMode():
        network = AutoModelForCausalLM.from_config(text, dtype=dtype)  # type: ignore[no-untyped-call]
        network.train()
        network.set_attn_implementation(attention.NAME)
        weights = {_place(tensor) for tensor in (*network.parameters(), *network.buffers())}
        return [_kept(network, length, weights, autocast=precision == "bf16_mixed") for length in lengths]


def _kept(network: Any, length: int, weights: set[int], *, autocast: bool) -> float:
    import torch

    from globmed.train import attention

    kept: dict[int, torch.Tensor] = {}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        if _place(tensor) not in weights:
            # The tensor is held, or its place would be given to the next one.
            kept[_place(tensor)] = tensor
        return tensor

    with (
        torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor),
        torch.autocast("cpu", dtype=torch.bfloat16, enabled=autocast),
    ):
        network(
            input_ids=torch.zeros((1, length), dtype=torch.long),
            position_ids=torch.arange(length)[None],
            packed_rows=attention.layout([length]),
            logits_to_keep=1,
            use_cache=False,
        )
    return float(sum(tensor.untyped_storage().nbytes() for tensor in kept.values()))


def _place(tensor: Any) -> int:
    """Return what tells one storage from another, also where it has no memory."""
    return int(tensor.untyped_storage()._cdata)  # noqa: SLF001 - torch has no public name for it


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


def sized(recipe: Recipe, tokenizer: Any) -> Shape:
    """Return the size of the network that a recipe trains; no weights are read.

    Raises:
        OSError: its configuration cannot be read.
    """
    import torch
    from transformers import AutoModelForCausalLM

    with torch.device("meta"):
        network = AutoModelForCausalLM.from_config(config_of(recipe, tokenizer))  # type: ignore[no-untyped-call]
    return shape_of(network)


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
