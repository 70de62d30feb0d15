"""Asking a model while it learns: by likelihood, a small fixed set of questions of the split dev in every language.

What is compared are the answers that the model is taught to give, one for each option, end of the answer included.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from statistics import fmean
from typing import Any
from zlib import crc32

import msgspec
import numpy as np

from globmed.core.errors import InputError
from globmed.core.item import Item
from globmed.core.language import language
from globmed.models.client import Request, Settings
from globmed.models.local import LocalModel
from globmed.train.examples import choices
from globmed.train.recipe import Recipe
from globmed.train.steps import Evaluated

TIER = "low"
"""A model is stopped, and chosen, by these languages; by all where none of them is asked."""


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """One question of the set.

    Attributes:
        language: BCP 47 code.
        request: its prompt, and as options the answers to compare.
        answer: places of the right ones.
    """

    language: str
    request: Request
    answer: tuple[int, ...]


def questions(items: Iterable[Item], recipe: Recipe) -> list[Asked]:
    """Choose the set: of every language trained on the same families, wherever they have an item.

    Raises:
        InputError: the dataset has no question with options in its split dev that the recipe's prompts fit.
    """
    by_language: defaultdict[str, list[tuple[int, Asked]]] = defaultdict(list)
    for item in items:
        wanted = not recipe.data.languages or item.language in recipe.data.languages
        of_source = not recipe.data.sources or item.source in recipe.data.sources
        if item.split == "dev" and wanted and of_source and not item.blocked:
            for messages, answers in choices(item, recipe.examples):
                request = Request(
                    messages=messages, options=answers, settings=Settings(answer="score_options", score_end=True)
                )
                asked = Asked(language=item.language, request=request, answer=item.answer)
                by_language[item.language].append((crc32(f"{recipe.seed} {item.family}".encode()), asked))
    if not by_language:
        raise InputError.at(
            "[evaluation]",
            found="no question with options in the dataset's split dev that a prompt of the recipe fits",
            expected="some",
            remedy="Release a dataset with a dev split, or set every_steps = 0",
        )
    return [
        asked
        for _, drawn in sorted(by_language.items())
        for _, asked in sorted(drawn, key=lambda one: one[0])[: recipe.evaluation.questions]
    ]


def ask(model: LocalModel, asked: Sequence[Asked], *, step: int) -> list[Evaluated]:
    """Ask the set and return a row for each language; questions longer than the model's context are left out."""
    replies = model.answer_now([one.request for one in asked])
    shares: defaultdict[str, list[tuple[bool, float]]] = defaultdict(list)
    for one, reply in zip(asked, replies, strict=True):
        if reply.option_logprobs:
            logs = np.array(reply.option_logprobs)
            share = np.exp(logs - np.logaddexp.reduce(logs))
            right = list(one.answer)
            shares[one.language].append((int(logs.argmax()) in right, float(share[right].sum())))
    return [
        Evaluated(
            step=step,
            language=code,
            tier=language(code).tier,
            questions=len(found),
            accuracy=fmean(right for right, _ in found),
            probability=fmean(share for _, share in found),
        )
        for code, found in shares.items()
    ]


def score(rows: Sequence[Evaluated]) -> float:
    """Return what a model is stopped and chosen by: the mean probability over the languages of `TIER`, or over all."""
    low = [row.probability for row in rows if row.tier == TIER]
    return fmean(low or [row.probability for row in rows])


def logged(rows: Sequence[Evaluated]) -> dict[str, Any]:
    """Return an evaluation as a trainer logs it: flat, so that TensorBoard draws a line for each number."""
    flat = {
        f"eval_{row.language}_{name}": getattr(row, name)
        for row in rows
        for name in ("questions", "accuracy", "probability")
    }
    return {"eval_score": score(rows), **flat}


def read_logged(entries: Iterable[dict[str, Any]]) -> list[Evaluated]:
    """Return the evaluations among the lines of a trainer's log."""
    found = []
    for entry in entries:
        for name in entry:
            code = name.removeprefix("eval_").removesuffix("_questions")
            if name == f"eval_{code}_questions":
                numbers = {of: entry[f"eval_{code}_{of}"] for of in ("questions", "accuracy", "probability")}
                found.append(Evaluated(step=entry["step"], language=code, tier=language(code).tier, **numbers))
    return found
