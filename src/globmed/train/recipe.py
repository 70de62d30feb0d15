"""What a training run is made from: one TOML file, every key checked."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from globmed.core.errors import InputError
from globmed.train.mixture import Sampling

HUB = "hub:"
"""What a checkpoint of the Hugging Face Hub begins with, as in `hub:Qwen/Qwen3-4B`."""

Number = Annotated[int, msgspec.Meta(ge=1)]
NotNegative = Annotated[int, msgspec.Meta(ge=0)]
Share = Annotated[float, msgspec.Meta(ge=0, lt=1)]
Positive = Annotated[float, msgspec.Meta(gt=0)]


class Scratch(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A Qwen3-architecture model with random weights; the shapes are transformers' `Qwen3Config`'s.

    Attributes:
        vocabulary: tokens of the byte-level BPE tokenizer trained on the data; every digit is one of its own.
        tokenizer_languages: languages whose train items the tokenizer sees; default: those of the data.
    """

    hidden_size: Number = 64
    layers: Number = 4
    ffn_size: Number = 192
    heads: Number = 4
    key_value_heads: Number = 2
    context_tokens: Number = 512
    vocabulary: Number = 1300
    tokenizer_languages: tuple[str, ...] = ()


class Data(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is learnt from.

    Attributes:
        folder: stage folder of items; a relative path is relative to the recipe file.
        languages: those to train on; default: all in the folder.
        sources: those to train on; default: all in the folder.
        replay: file of general instructions for `mixture.replay`: JSON Lines of `{"language": "en", "messages": [...]}`
            whose last message is the assistant's.
        text: file of plain texts for `mixture.text`: JSON Lines of `{"language": "sw", "text": ..., "source": ...,
            "licence": ...}`, the last two optional. None that holds a test question of the folder is learnt from.
    """

    folder: str
    languages: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    replay: str = ""
    text: str = ""


class Examples(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How an item becomes an example.

    Attributes:
        prompts: phrasings to ask in; an item takes them in turn, those that fit it. The answer is the option's text
            after `mcqa_text` and `nli_text`, the rationale and then the letter or label after `..._steps`, where the
            source has a rationale, and the letter, label or reference answer after the others.
        closed_book: leave the items' contexts out.
    """

    prompts: tuple[str, ...] = ("mcqa", "mcqa_steps", "nli", "lfqa")
    closed_book: bool = False

    def __post_init__(self) -> None:
        """Refuse phrasings that measuring keeps for itself.

        Raises:
            InputError: no prompt, or one that is held out.
        """
        held_out = [name for name in self.prompts if name.endswith("_held_out")]
        if held_out or not self.prompts:
            found = held_out[0] if held_out else "no prompt"
            raise InputError.at("[examples] prompts", found=found, expected="prompts that are not held out")


class Method(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which weights are learnt.

    Attributes:
        kind: `full`, all of them; `lora`, low-rank updates of all linear layers (Hu et al. 2022, "LoRA", ICLR);
            `qlora`, the same on weights held in 4 bits (Dettmers et al. 2023, "QLoRA", NeurIPS), which needs
            bitsandbytes.
        rank: of the updates.
        alpha: they are scaled by alpha / rank.
        dropout: on their input.
        keep_adapter: leave the updates by themselves in the folder `adapter`, beside the merged weights.
    """

    kind: Literal["full", "lora", "qlora"] = "full"
    rank: Number = 16
    alpha: Number = 32
    dropout: Share = 0.0
    keep_adapter: bool = False

    def __post_init__(self) -> None:
        """Refuse an adapter where there is none.

        Raises:
            InputError: see above.
        """
        if self.keep_adapter and self.kind == "full":
            raise InputError.at("[method] keep_adapter", found="true for full fine-tuning", expected="lora or qlora")


class Optimisation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """AdamW with linear warm-up and cosine decay.

    Attributes:
        tokens: to learn from, prompts and repetitions counted.
        batch_tokens: of one optimiser step, over all processes.
        row_tokens: of one row, which is what a device holds at once; no example may be longer.
        warmup_share: of the steps.
        max_gradient_norm: longer gradients are scaled down to it.
        precision: `float32`; `bf16_mixed`, weights in float32 and arithmetic in bfloat16; `bf16`, weights too, which
            takes half the memory and loses small updates (docs/training.md).
        gradient_checkpointing: compute activations again instead of keeping them, for a third more arithmetic.
        threads: CPU threads; 0 takes torch's own choice.
        checkpoint_steps: a checkpoint every so many steps, from which an interrupted run goes on.
    """

    tokens: Number
    batch_tokens: Number = 65_536
    row_tokens: Number = 4096
    learning_rate: Positive = 1e-5
    warmup_share: Share = 0.05
    weight_decay: Annotated[float, msgspec.Meta(ge=0)] = 0.01
    beta1: Share = 0.9
    beta2: Share = 0.999
    max_gradient_norm: Positive = 1.0
    precision: Literal["float32", "bf16_mixed", "bf16"] = "float32"
    gradient_checkpointing: bool = False
    threads: NotNegative = 0
    checkpoint_steps: Number = 200

    def __post_init__(self) -> None:
        """Refuse a step that is no whole number of rows.

        Raises:
            InputError: see above.
        """
        if self.batch_tokens % self.row_tokens:
            raise InputError.at(
                "[optimisation] batch_tokens",
                found=str(self.batch_tokens),
                expected=f"a multiple of row_tokens, {self.row_tokens}",
            )


class Evaluation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Questions of the split dev that are asked while a model learns: a small fixed set in every language.

    Attributes:
        every_steps: a set is asked every so many steps; 0 for never.
        questions: of each language, the same ones wherever they are there.
        patience: stop once the low-resource tier has not done better so many times, and keep what did best; 0 to go on
            to the end.
    """

    every_steps: NotNegative = 0
    questions: Number = 50
    patience: NotNegative = 0

    def __post_init__(self) -> None:
        """Refuse patience with nothing to wait for.

        Raises:
            InputError: see above.
        """
        if self.patience and not self.every_steps:
            raise InputError.at("[evaluation] patience", found=str(self.patience), expected="every_steps beside it")


class Recipe(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One training run: from `scratch`, or from `checkpoint`, a folder that `from_pretrained` reads, or one on the Hub.

    Attributes:
        checkpoint: a folder, or `hub:` and the id of a model on the Hub.
        revision: commit of a checkpoint on the Hub, 40 hexadecimal digits; empty for the newest.
        template: switches of the model's chat template, such as `{enable_thinking = false}`.
    """

    data: Data
    optimisation: Optimisation
    mixture: Sampling = Sampling()
    examples: Examples = Examples()
    method: Method = Method()
    evaluation: Evaluation = Evaluation()
    scratch: Scratch | None = None
    checkpoint: str = ""
    revision: Annotated[str, msgspec.Meta(pattern="^([0-9a-f]{40})?$")] = ""
    template: dict[str, Any] = {}
    seed: NotNegative = 0

    def __post_init__(self) -> None:
        """Ask for exactly one starting point, and for instructions and texts where they have a share.

        Raises:
            InputError: see above.
        """
        if bool(self.checkpoint) == (self.scratch is not None):
            found = "both" if self.checkpoint else "neither"
            raise InputError.at(
                "recipe", found=f"{found} of `checkpoint` and [scratch]", expected="exactly one of them"
            )
        if self.revision and not self.checkpoint.startswith(HUB):
            raise InputError.at("recipe", found=f"revision for {self.checkpoint!r}", expected="one of `hub:` alone")
        for name in ("replay", "text"):
            file, share = getattr(self.data, name), getattr(self.mixture, name)
            if bool(file) != bool(share):
                found = f"[data] {name} = {file!r} and [mixture] {name} = {share}"
                raise InputError.at("recipe", found=found, expected="both or neither")


def packaged_recipes() -> dict[str, str]:
    """Return the texts of the recipes that come with the program, by name; those of the demo are left out."""
    folder = files("globmed.recipes")
    found = sorted(one.name for one in folder.iterdir() if one.name.endswith(".toml"))
    return {
        name.removesuffix(".toml"): folder.joinpath(name).read_text(encoding="utf-8")
        for name in found
        if not name.startswith("demo_")
    }


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
        found = str(error).replace("Object contains unknown field", "the unknown key").replace(" - at `$.", " in `")
        raise InputError.at(str(path), found=found, expected="a recipe as docs/training.md describes") from error
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    base = path.resolve().parent
    given = {name: getattr(recipe.data, name) for name in ("folder", "replay", "text")}
    data = msgspec.structs.replace(recipe.data, **{name: path and str(base / path) for name, path in given.items()})
    on_disk = recipe.checkpoint and not recipe.checkpoint.startswith(HUB)
    checkpoint = str(base / recipe.checkpoint) if on_disk else recipe.checkpoint
    return msgspec.structs.replace(recipe, data=data, checkpoint=checkpoint)
