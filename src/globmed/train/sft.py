"""Supervised fine-tuning on answers: from random weights or from a given checkpoint.

Examples are drawn by the mixture, packed into rows and learnt from in one order, which the seed and the data decide.
The loss is on answers only. Stands on transformers' Trainer; its checkpoints let an interrupted run go on.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zlib import crc32

import msgspec
import numpy as np

from globmed.core import store
from globmed.core.dataset import read_items
from globmed.core.errors import InputError
from globmed.core.item import Item
from globmed.core.store import Count, Manifest
from globmed.models import local
from globmed.train import mixture
from globmed.train.card import EVALUATIONS, LOSSES, PLAN, SOURCES, Facts, SourceRow, model_card, source_rows, text_rows
from globmed.train.encoding import Encoded, encode, joined
from globmed.train.evaluation import Asked, ask, questions
from globmed.train.examples import Example, examples, instructions, name_of
from globmed.train.fitting import refuse_too_little_memory
from globmed.train.mixture import Candidates, PlanRow
from globmed.train.network import context_tokens, local_copy, network_of, tokenizer_of, write_merged
from globmed.train.packing import pack
from globmed.train.recipe import HUB, Recipe
from globmed.train.resources import Work, work_of
from globmed.train.steps import Evaluated, Loss, OnStep
from globmed.train.texts import TestQuestions, Text, encode_pieces, read_texts

if TYPE_CHECKING:
    from numpy.typing import NDArray

TOO_LONG = "longer than a row"
BLOCKED = "blocking finding"
OVER_CAP = "over the cap of its source"
NO_PROMPT = "no prompt of the recipe fits it"
MODEL = "model"
ADAPTER = "adapter"
CHECKPOINTS = "checkpoints"
CARD = "README.md"


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """What is learnt from, ready to be.

    Attributes:
        tokenizer: of the model.
        batch_tokens: of one step.
        row_tokens: that a row may have.
        encoded: the examples.
        rows: for each row the phrasings that stand in it, in the order learnt.
        plan: by part and language.
        counts: train items by source and language, with what became of them.
        asked: set of questions asked while the model learns; empty for none.
        sources: what is learnt from, by source and language.
    """

    tokenizer: Any
    batch_tokens: int
    row_tokens: int
    encoded: Encoded
    rows: list[NDArray[np.int64]]
    plan: tuple[PlanRow, ...]
    counts: list[Count]
    asked: list[Asked]
    sources: list[SourceRow]

    @property
    def steps(self) -> int:
        """Optimiser steps."""
        return -(-len(self.rows) * self.row_tokens // self.batch_tokens)

    @property
    def filled(self) -> float:
        """Share of the rows that tokens fill."""
        return self._drawn(self.encoded.tokens) / (len(self.rows) * self.row_tokens)

    @property
    def answers(self) -> float:
        """Share of the tokens that carry the loss."""
        return self._drawn(self.encoded.answers) / self._drawn(self.encoded.tokens)

    @property
    def work(self) -> Work:
        """What is learnt from, as what it needs follows from it."""
        lengths, answers = self.encoded.tokens, self.encoded.answers
        return work_of(
            (int(size) for row in self.rows for size in lengths[row]),
            answers=self._drawn(answers),
            answers_most=max(int(answers[row].sum()) for row in self.rows),
        )

    def _drawn(self, of_phrasing: NDArray[np.int64]) -> int:
        return int(of_phrasing[np.concatenate(self.rows)].sum())


def train(
    recipe: Recipe, *, out: Path, tensorboard: Path | None = None, on_step: OnStep | None = None
) -> Manifest | None:
    """Train a model as the recipe says; a run already finished is not run again, an interrupted one goes on.

    Under `accelerate launch` or `torchrun` every process calls this, and the first one writes.

    Args:
        recipe: paths in it are absolute (`read_recipe` makes them so).
        out: folder that becomes the model: what `AutoModelForCausalLM.from_pretrained` reads, tokenizer and chat
            template, `losses.jsonl`, the mixture's plan and `manifest.json`.
        tensorboard: folder for TensorBoard's files; None for none.
        on_step: told after every optimiser step.

    Returns:
        The manifest; None on processes but the first.

    Raises:
        MissingExtraError: torch or transformers is not installed.
        InputError: no example fits a row, or the checkpoint folder is no model's.
        EnvironmentFailedError: a process would take more memory than is free; nothing was learnt.
        CheckFailedError: the loss is no number any more, or rises; the last good checkpoint stays.
    """
    told = {"checkpoint": "", "revision": ""}
    if recipe.checkpoint.startswith(HUB):
        told["checkpoint"] = recipe.checkpoint
        recipe = local_copy(recipe)
        # The folder of a snapshot is named after its commit.
        told["revision"] = Path(recipe.checkpoint).name
    # Where the inputs lie does not matter; what is in them does, and their hashes say so.
    data = msgspec.structs.replace(recipe.data, folder="", replay="", text="")
    configuration = msgspec.to_builtins(recipe) | {"data": msgspec.to_builtins(data)} | told
    inputs = _inputs(recipe)
    done = store.up_to_date(out, configuration=configuration, inputs=inputs)
    if done:
        return done
    # Trainer asks for accelerate only after seconds of work.
    local.load_libraries(
        "train", "torch", "transformers", "accelerate", "peft", *(["tensorboard"] if tensorboard else [])
    )
    from globmed.train.trainer import fit, processes

    prepared = plan(recipe)
    together = processes()
    refuse_too_little_memory(recipe, prepared.tokenizer, prepared.work, processes=together.num_processes)
    network = network_of(recipe, prepared.tokenizer)
    with ExitStack() as opened:
        stage = None
        if together.is_main_process:
            writing = store.writing_stage(out, MODEL, configuration=configuration, inputs=inputs)
            stage = opened.enter_context(writing)
            _clear_checkpoints(out, configuration, inputs)
        together.wait_for_everyone()
        fitted = fit(
            network,
            prepared.encoded,
            prepared.rows,
            recipe,
            work=out / CHECKPOINTS,
            ask=_asking(recipe, network, prepared) if prepared.asked else None,
            tensorboard=tensorboard,
            on_step=on_step,
        )
        if stage is None:
            return None
        if recipe.method.kind == "full":
            network.save_pretrained(stage.folder, state_dict=fitted.weights)
        else:
            write_merged(network, fitted.weights, recipe, stage.folder)
        if recipe.method.keep_adapter:
            with store.writing_stage(out / ADAPTER, ADAPTER, configuration=configuration, inputs=inputs) as beside:
                network.save_pretrained(beside.folder, state_dict=fitted.weights)
                beside.adopt_all()
        prepared.tokenizer.save_pretrained(stage.folder)
        stage.write(LOSSES, fitted.losses, Loss)
        if fitted.evaluations:
            stage.write(EVALUATIONS, fitted.evaluations, Evaluated)
        stage.write(PLAN, prepared.plan, PlanRow)
        stage.write(SOURCES, prepared.sources, SourceRow)
        stage.counts.extend(prepared.counts)
        made_from = Manifest(stage=MODEL, configuration=configuration, inputs=inputs, counts=tuple(prepared.counts))
        facts = Facts(out.resolve().name, made_from, prepared.plan, fitted.losses, fitted.evaluations, prepared.sources)
        store.write_text(stage.folder / CARD, model_card(facts))
        stage.adopt_all()
    shutil.rmtree(out / CHECKPOINTS, ignore_errors=True)
    return store.read_manifest(out)


def _inputs(recipe: Recipe) -> dict[str, str]:
    inputs = {"data": store.stage_hash(Path(recipe.data.folder))}
    for name in ("replay", "text"):
        if path := getattr(recipe.data, name):
            inputs[name] = store.file_hash(Path(path))
    if recipe.checkpoint:
        inputs["checkpoint"] = local.weights_hash(Path(recipe.checkpoint))
    return inputs


def _asking(recipe: Recipe, network: Any, prepared: Prepared) -> Callable[[int], list[Evaluated]]:
    """Return what asks the network the set, after so many steps."""
    model = local.LocalModel(
        model="", revision="", network=network, tokenizer=prepared.tokenizer, template=recipe.template
    )
    return lambda step: ask(model, prepared.asked, step=step)


def plan(recipe: Recipe) -> Prepared:
    """Choose, encode, draw and pack what a recipe learns from; no weights are read.

    Raises:
        MissingExtraError: torch or transformers is not installed.
        InputError: a cluster held out for test, rows longer than the model's context, or no example that fits a row.
        UsageError: nothing to learn from.
    """
    local.load_libraries("train", "torch", "transformers")
    recipe = local_copy(recipe, weights=False)
    items = list(read_items(Path(recipe.data.folder)))
    tokenizer = tokenizer_of(recipe, items)
    row_tokens, context = recipe.optimisation.row_tokens, context_tokens(recipe, tokenizer)
    if row_tokens > context:
        raise InputError.at(
            "[optimisation] row_tokens", found=str(row_tokens), expected=f"at most the model's context, {context}"
        )
    asks = "questions" in recipe.mixture.shares
    chosen = mixture.choose(items, languages=recipe.data.languages, sources=recipe.data.sources) if asks else []
    kept = mixture.capped([item for item in chosen if not item.blocked], recipe.mixture.caps, seed=recipe.seed)
    encoded = encode(tokenizer, _examples(recipe, kept), template=recipe.template)
    text_counts, texts = list[Count](), list[Text]()
    if recipe.data.text:
        stream = read_texts(Path(recipe.data.text))
        pieces, text_counts, texts = encode_pieces(tokenizer, stream, TestQuestions(items), row_tokens=row_tokens)
        encoded = joined(encoded, pieces)
    fitting, too_long = _fitting(encoded, row_tokens)
    mixed = mixture.draw(
        _candidates(encoded, fitting), recipe.mixture, tokens=recipe.optimisation.tokens, seed=recipe.seed
    )
    phrasings = _in_turn(encoded, fitting[mixed.order])
    made = {*encoded.names}
    packs = pack(encoded.tokens[phrasings], limit=row_tokens)
    return Prepared(
        tokenizer=tokenizer,
        batch_tokens=recipe.optimisation.batch_tokens,
        row_tokens=row_tokens,
        encoded=encoded,
        rows=[phrasings[one] for one in packs],
        plan=mixed.plan,
        counts=[*_counts(chosen, kept, made=made, too_long=too_long), *text_counts],
        asked=questions(items, recipe) if recipe.evaluation.every_steps else [],
        sources=[
            *source_rows(item for item in kept if name_of(item) not in too_long and name_of(item) in made),
            *text_rows(texts),
        ],
    )


def _examples(recipe: Recipe, items: Sequence[Item]) -> Iterator[Example]:
    replayed = instructions(Path(recipe.data.replay)) if recipe.data.replay else iter(())
    return chain(examples(items, recipe.examples, recipe.mixture), replayed)


def _fitting(encoded: Encoded, limit: int) -> tuple[NDArray[np.int64], set[str]]:
    """Return the examples all of whose phrasings fit a row, and the names of the questions that do not.

    Raises:
        InputError: none fits.
    """
    longest = np.maximum.reduceat(encoded.tokens, encoded.variants[:-1]) if encoded.names else np.array([], dtype=int)
    fits = longest <= limit
    if not fits.any():
        shortest = f"the shortest example has {longest.min()} tokens" if longest.size else "no item fits a prompt"
        raise InputError.at("dataset", found=shortest, expected=f"examples of at most row_tokens, {limit}")
    too_long = np.flatnonzero(~fits & (encoded.part == "questions"))
    return np.flatnonzero(fits), {encoded.names[place] for place in too_long}


def _candidates(encoded: Encoded, fitting: NDArray[np.int64]) -> Candidates:
    """An example counts with the mean of its phrasings, which are taken in turn."""
    phrasings = np.diff(encoded.variants)
    mean = np.add.reduceat(encoded.tokens, encoded.variants[:-1]) / phrasings
    return Candidates(
        part=encoded.part[fitting], language=encoded.language[fitting], tokens=np.rint(mean[fitting]).astype(np.int64)
    )


def _in_turn(encoded: Encoded, order: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the phrasing of each example drawn: each time the next, the first by the example's name."""
    times: Counter[int] = Counter()
    found = []
    for example in order.tolist():
        first, behind = encoded.variants[example : example + 2].tolist()
        found.append(first + (crc32(encoded.names[example].encode()) + times[example]) % (behind - first))
        times[example] += 1
    return np.array(found, dtype=np.int64)


def _clear_checkpoints(out: Path, configuration: dict[str, Any], inputs: dict[str, str]) -> None:
    """Empty the folder of checkpoints of those that another recipe or other data left there."""
    folder = out / CHECKPOINTS
    made_from = folder / "made_from.json"
    text = msgspec.json.encode([configuration, inputs], order="sorted").decode()
    if not made_from.is_file() or made_from.read_text(encoding="utf-8") != text:
        shutil.rmtree(folder, ignore_errors=True)
        store.write_text(made_from, text)


def _counts(chosen: Iterable[Item], kept: Iterable[Item], *, made: set[str], too_long: set[str]) -> list[Count]:
    """Count items by source, language and why they are not learnt from, which is empty where they are."""
    rows: dict[tuple[str, str], Counter[str]] = {}
    within = {name_of(item) for item in kept}
    for item in chosen:
        name = name_of(item)
        reasons = {
            BLOCKED: item.blocked,
            OVER_CAP: name not in within,
            NO_PROMPT: name not in made,
            TOO_LONG: name in too_long,
            "": True,
        }
        row = rows.setdefault((item.source, item.language), Counter())
        row[next(reason for reason, holds in reasons.items() if holds)] += 1
    return [
        Count(
            source=source,
            language=language,
            split="train",
            read=row.total(),
            kept=row[""],
            dropped={reason: number for reason, number in sorted(row.items()) if reason and number},
        )
        for (source, language), row in sorted(rows.items())
    ]
