"""How large a network is, and how much autograd keeps of it on the way forward; no weights are read, nothing computed.

What is kept is counted: networks of the very same widths, of one layer and of two, go forward on two rows of tokens
that have a size and no contents, and the bytes that autograd keeps are linear in both.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from globmed.train.network import config_of, linear_in_text, within_text
from globmed.train.recipe import Recipe


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
