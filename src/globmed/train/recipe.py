"""What a training run is made from: one TOML file, every key checked."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec

from globmed.core.errors import InputError

Count = Annotated[int, msgspec.Meta(ge=1)]
NotNegative = Annotated[int, msgspec.Meta(ge=0)]
Share = Annotated[float, msgspec.Meta(ge=0, lt=1)]
Positive = Annotated[float, msgspec.Meta(gt=0)]


class Scratch(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A Qwen3-architecture model with random weights; the shapes are transformers' `Qwen3Config`'s.

    Attributes:
        vocabulary: tokens of the byte-level BPE tokenizer trained on the mixture; every digit is one of its own.
        tokenizer_languages: languages whose train items the tokenizer sees; default: those of the mixture.
    """

    hidden_size: Count = 64
    layers: Count = 4
    ffn_size: Count = 192
    heads: Count = 4
    key_value_heads: Count = 2
    context_tokens: Count = 512
    vocabulary: Count = 1300
    tokenizer_languages: tuple[str, ...] = ()


class Data(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is learnt from.

    Attributes:
        folder: stage folder of items; a relative path is relative to the recipe file.
        languages: those to train on; default: all in the folder.
        sources: those to train on; default: all in the folder.
        temperature: languages are drawn in proportion to n ** (1 / temperature), n being their number of items.
    """

    folder: str
    languages: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    temperature: Annotated[float, msgspec.Meta(ge=1)] = 1.0


class Examples(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How an item becomes an example.

    Attributes:
        prompt: `mcqa_text` (the answer is the option's text) or `mcqa` (the answer is its letter).
        closed_book: leave the item's context out.
    """

    prompt: str = "mcqa"
    closed_book: bool = False


class Optimisation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """AdamW with linear warm-up and cosine decay.

    Attributes:
        steps: optimiser steps.
        batch_size: examples a step.
        threads: CPU threads; 0 takes torch's own choice.
        checkpoint_steps: a checkpoint every so many steps, from which an interrupted run goes on.
    """

    steps: Count
    batch_size: Count = 32
    learning_rate: Positive = 1e-5
    warmup_steps: NotNegative = 50
    weight_decay: Annotated[float, msgspec.Meta(ge=0)] = 0.01
    beta1: Share = 0.9
    beta2: Share = 0.999
    threads: NotNegative = 0
    checkpoint_steps: Count = 200


class Recipe(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One training run: from `scratch`, or from `checkpoint`, a folder that `from_pretrained` reads."""

    data: Data
    optimisation: Optimisation
    examples: Examples = Examples()
    scratch: Scratch | None = None
    checkpoint: str = ""
    seed: NotNegative = 0

    def __post_init__(self) -> None:
        """Ask for exactly one starting point."""
        if bool(self.checkpoint) == (self.scratch is not None):
            found = "both" if self.checkpoint else "neither"
            raise InputError.at(
                "recipe", found=f"{found} of `checkpoint` and [scratch]", expected="exactly one of them"
            )


def read_recipe(path: Path) -> Recipe:
    """Read a recipe and make its paths absolute.

    Raises:
        InputError: the file is not there, is no TOML, lacks a key or holds an unknown one.
    """
    if not path.is_file():
        raise InputError.at(str(path), found="no such file", expected="a training recipe in TOML")
    try:
        recipe = msgspec.toml.decode(path.read_bytes(), type=Recipe)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InputError.at(str(path), found=str(error), expected="a recipe as docs/training.md describes") from error
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    base = path.resolve().parent
    data = msgspec.structs.replace(recipe.data, folder=str(base / recipe.data.folder))
    checkpoint = str(base / recipe.checkpoint) if recipe.checkpoint else ""
    return msgspec.structs.replace(recipe, data=data, checkpoint=checkpoint)
