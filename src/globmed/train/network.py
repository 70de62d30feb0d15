"""The network and tokenizer that a recipe trains, and how they are written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec

from globmed import prompts
from globmed.core.item import Item
from globmed.models import local
from globmed.train import scratch
from globmed.train.recipe import HUB, Recipe
from globmed.train.texts import read_texts


def local_copy(recipe: Recipe, *, weights: bool = True) -> Recipe:
    """Return the recipe with its checkpoint as a folder: one on the Hub is downloaded unless it is in the cache.

    Args:
        recipe: as it was read.
        weights: with them; to plan, configuration and tokenizer are enough.

    Raises:
        MissingExtraError: transformers is not installed.
        EnvironmentFailedError: it is neither in the cache nor to be had from the Hub.
    """
    if not recipe.checkpoint.startswith(HUB):
        return recipe
    hub_id = recipe.checkpoint.removeprefix(HUB)
    folder = local.hub_folder(hub_id, recipe.revision or local.hub_commit(hub_id), weights=weights)
    return msgspec.structs.replace(recipe, checkpoint=str(folder), revision="")


def tokenizer_of(recipe: Recipe, items: Sequence[Item]) -> Any:
    """Return the checkpoint's tokenizer, or train one on what is to be learnt from.

    Raises:
        InputError: the folder is no model's.
    """
    from transformers import AutoTokenizer

    if recipe.scratch is None:
        local.check_model_folder(Path(recipe.checkpoint))
        return AutoTokenizer.from_pretrained(recipe.checkpoint, local_files_only=True)
    wanted = recipe.scratch.tokenizer_languages or recipe.data.languages
    shown = [item for item in items if item.split == "train" and not item.blocked]
    plain = (one.text for _, one in read_texts(Path(recipe.data.text))) if recipe.data.text else ()
    texts = (
        text
        for item in shown
        if not wanted or item.language in wanted
        for name in recipe.examples.prompts
        for text in (
            prompts.render_item(item, name, closed_book=recipe.examples.closed_book),
            *(f" {option}" for option in item.options),
        )
    )
    return scratch.train_tokenizer(chain(texts, plain), recipe.scratch)


def context_tokens(recipe: Recipe, tokenizer: Any) -> int:
    """Return how many tokens the model takes."""
    return int(config_of(recipe, tokenizer).get_text_config().max_position_embeddings)


def network_of(recipe: Recipe, tokenizer: Any) -> Any:
    """Return the model to train, under low-rank updates where the recipe says so."""
    import torch
    from transformers import AutoModelForCausalLM

    dtype = _dtype(recipe)
    if recipe.scratch is not None:
        network = scratch.new_network(recipe.scratch, tokenizer, seed=recipe.seed).to(dtype)
    else:
        how = {"quantization_config": _four_bits()} if recipe.method.kind == "qlora" else {}
        network = AutoModelForCausalLM.from_pretrained(recipe.checkpoint, local_files_only=True, dtype=dtype, **how)
    # What reads images has no part in answers to text: it would get no gradient, which several processes wait for.
    reads_text = within_text(network)
    for name, weight in network.named_parameters():
        if name not in reads_text:
            weight.requires_grad_(requires_grad=False)
    if recipe.method.kind == "full":
        return network
    from peft import LoraConfig, get_peft_model

    torch.manual_seed(recipe.seed)
    wanted = LoraConfig(
        r=recipe.method.rank,
        lora_alpha=recipe.method.alpha,
        lora_dropout=recipe.method.dropout,
        target_modules=linear_in_text(network),
        task_type="CAUSAL_LM",
    )
    return get_peft_model(network, wanted)


def config_of(recipe: Recipe, tokenizer: Any) -> Any:
    """Return transformers' configuration of the model."""
    from transformers import AutoConfig

    if recipe.scratch is not None:
        return scratch.network_config(recipe.scratch, tokenizer)
    return AutoConfig.from_pretrained(recipe.checkpoint, local_files_only=True)


def within_text(network: Any) -> set[str]:
    """Return the names of the weights that text passes through: the decoder's and those of the output layer."""
    parts = (network.get_decoder(), network.get_output_embeddings())
    own = {id(weight) for part in parts for weight in part.parameters()}
    return {name for name, weight in network.named_parameters() if id(weight) in own}


def linear_in_text(network: Any) -> list[str]:
    """Return the names of the decoder's linear layers, without the output layer."""
    import torch

    inside = {id(module) for module in network.get_decoder().modules()}
    return [
        name for name, module in network.named_modules() if isinstance(module, torch.nn.Linear) and id(module) in inside
    ]


def _dtype(recipe: Recipe) -> Any:
    """Return the type that weights are held in."""
    import torch

    return torch.bfloat16 if recipe.optimisation.precision == "bf16" else torch.float32


def _four_bits() -> Any:
    """Return how QLoRA holds weights: NormalFloat in 4 bits, scales quantised too."""
    import torch
    from transformers import BitsAndBytesConfig

    local.load_libraries("train", "bitsandbytes")
    return BitsAndBytesConfig(  # type: ignore[no-untyped-call]
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=torch.bfloat16,
    )


def write_merged(network: Any, weights: Mapping[str, Any], recipe: Recipe, folder: Path) -> None:
    """Write the checkpoint with its low-rank updates merged in.

    It is read anew: the one that was trained may be held in 4 bits, or in pieces on several devices.
    """
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    with TemporaryDirectory() as updates:
        network.save_pretrained(updates, state_dict=weights)
        base = AutoModelForCausalLM.from_pretrained(recipe.checkpoint, local_files_only=True, dtype=_dtype(recipe))
        PeftModel.from_pretrained(base, updates).merge_and_unload().save_pretrained(folder)
