"""Supervised fine-tuning on answers: from random weights or from a given checkpoint.

The loss is on the answer's tokens only. Batches are padded on the left and the model is asked for the logits of the
last positions alone, so a large vocabulary costs nothing on the prompt. Stands on transformers' Trainer; its
checkpoints let an interrupted run go on with the same data order.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from globmed import prompts
from globmed.core import store
from globmed.core.dataset import read_items
from globmed.core.errors import InputError
from globmed.core.item import Item
from globmed.core.store import Count, Manifest
from globmed.models import local
from globmed.models.client import Message
from globmed.models.tokens import encode_pairs, prompt_text
from globmed.train import mixture, scratch
from globmed.train.examples import Example, Loss
from globmed.train.recipe import Recipe


def train(recipe: Recipe, *, out: Path, on_step: Callable[[int, int], None] | None = None) -> Manifest:
    """Train a model as the recipe says; a run already finished is not run again, an interrupted one goes on.

    Args:
        recipe: paths in it are absolute (`read_recipe` makes them so).
        out: folder that becomes the model: what `AutoModelForCausalLM.from_pretrained` reads, tokenizer and chat
            template, `losses.jsonl` and `manifest.json`.
        on_step: told (step, steps) after every optimiser step.

    Raises:
        MissingExtraError: torch or transformers is not installed.
        InputError: an example is longer than the model's context, or the checkpoint folder is no model's.
    """
    # Where the inputs lie does not matter; what is in them does, and their hashes say so.
    data = msgspec.structs.replace(recipe.data, folder="")
    configuration = msgspec.to_builtins(recipe) | {"data": msgspec.to_builtins(data), "checkpoint": ""}
    inputs = {"data": store.stage_hash(Path(recipe.data.folder))}
    if recipe.checkpoint:
        inputs["checkpoint"] = local.weights_hash(Path(recipe.checkpoint))
    done = store.up_to_date(out, configuration=configuration, inputs=inputs)
    if done:
        return done
    # Trainer asks for accelerate only after seconds of work.
    local.load_libraries("train", "torch", "transformers", "accelerate")
    from globmed.train.trainer import fit

    items = list(read_items(Path(recipe.data.folder)))
    chosen = mixture.choose(items, languages=recipe.data.languages, sources=recipe.data.sources)
    optimisation = recipe.optimisation
    mixed = mixture.mix(
        chosen,
        examples=optimisation.steps * optimisation.batch_size,
        temperature=recipe.data.temperature,
        rng=np.random.default_rng(recipe.seed),
    )
    network, tokenizer = _starting_point(recipe, items)
    with store.writing_stage(out, "model", configuration=configuration, inputs=inputs) as stage:
        examples = encode_all(tokenizer, mixed.items, recipe, limit=network.config.max_position_embeddings)
        losses = fit(
            network,
            examples,
            recipe.optimisation,
            seed=recipe.seed,
            pad=tokenizer.pad_token_id or 0,
            work=_checkpoints(out, configuration, inputs),
            on_step=on_step,
        )
        network.save_pretrained(stage.folder)
        tokenizer.save_pretrained(stage.folder)
        stage.write("losses.jsonl", losses, Loss)
        stage.counts.extend(_counts(chosen))
        stage.adopt_all()
    shutil.rmtree(out / "checkpoints", ignore_errors=True)
    return store.read_manifest(out)


def _checkpoints(out: Path, configuration: dict[str, Any], inputs: dict[str, str]) -> Path:
    """Return the folder of the run's checkpoints, emptied of those that another recipe or other data left there."""
    folder = out / "checkpoints"
    made_from = folder / "made_from.json"
    text = msgspec.json.encode([configuration, inputs], order="sorted").decode()
    if not made_from.is_file() or made_from.read_text(encoding="utf-8") != text:
        shutil.rmtree(folder, ignore_errors=True)
        store.write_text(made_from, text)
    return folder


def answer_text(item: Item, prompt: str) -> str:
    """Return what a model is to answer to an item under a prompt: the option's text, or the line with its letter."""
    if prompt == "mcqa_text":
        return item.options[item.answer[0]]
    return prompts.load(f"{prompt}_reply", item.language).render(letter=prompts.LETTERS[item.answer[0]])


def encode(tokenizer: Any, items: Sequence[Item], *, prompt: str, closed_book: bool) -> list[Example]:
    """Turn items into token ids: prompt, answer, end of text; the loss is on answer and end."""
    shown = (Message("user", prompts.render_item(item, prompt, closed_book=closed_book)) for item in items)
    asked = [prompt_text(tokenizer, [message]) for message in shown]
    answers = [answer_text(item, prompt) for item in items]
    encoded = encode_pairs(tokenizer, list(zip(asked, answers, strict=True)))
    return [Example((*ids, tokenizer.eos_token_id), len(ids) + 1 - before) for before, ids in encoded]


def encode_all(tokenizer: Any, items: Sequence[Item], recipe: Recipe, *, limit: int) -> list[Example]:
    """Encode every item once, whatever the number of times it is drawn.

    Raises:
        InputError: an item does not fit into `limit` tokens; it is named, never cut.
    """
    once = {(item.family, item.language): item for item in items}
    how = recipe.examples
    encoded = encode(tokenizer, list(once.values()), prompt=how.prompt, closed_book=how.closed_book)
    for item, example in zip(once.values(), encoded, strict=True):
        if len(example.ids) > limit:
            raise InputError.at(
                f"{item.family} ({item.language})",
                found=f"{len(example.ids)} tokens",
                expected=f"at most the model's context, {limit}",
                remedy="Leave its source out (data.sources) or take a model with a longer context",
            )
    by_key = dict(zip(once, encoded, strict=True))
    return [by_key[item.family, item.language] for item in items]


def _starting_point(recipe: Recipe, items: Sequence[Item]) -> tuple[Any, Any]:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    if recipe.scratch is None:
        folder = Path(recipe.checkpoint)
        local.check_model_folder(folder)
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        return AutoModelForCausalLM.from_pretrained(folder, local_files_only=True), tokenizer
    wanted = recipe.scratch.tokenizer_languages or recipe.data.languages
    how = recipe.examples
    texts = (
        text
        for item in items
        if item.split == "train" and not item.blocked and (not wanted or item.language in wanted)
        for text in (
            prompts.render_item(item, how.prompt, closed_book=how.closed_book),
            *(f" {option}" for option in item.options),
        )
    )
    tokenizer = scratch.train_tokenizer(texts, recipe.scratch)
    return scratch.new_network(recipe.scratch, tokenizer, seed=recipe.seed), tokenizer


def _counts(chosen: Iterable[Item]) -> list[Count]:
    rows: dict[tuple[str, str], list[int]] = {}
    for item in chosen:
        row = rows.setdefault((item.source, item.language), [0, 0])
        row[item.blocked] += 1
    return [
        Count(
            source=source,
            language=language,
            split="train",
            read=kept + blocked,
            kept=kept,
            dropped={"blocking finding": blocked} if blocked else {},
        )
        for (source, language), (kept, blocked) in sorted(rows.items())
    ]
