"""Which items a model learns from, and how often.

Refuses every cluster that is held out for test, in any language, and every item with a blocking finding.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from globmed.core.errors import InputError, UsageError
from globmed.core.item import Item


@dataclass(frozen=True, kw_only=True)
class Mixture:
    """Items to learn from, in the order they are learnt in.

    Attributes:
        items: one entry an example; an item may stand here more than once.
        available: train items by language before drawing.
        drawn: examples by language.
        blocked: train items left out for a blocking finding, by language.
    """

    items: tuple[Item, ...]
    available: dict[str, int]
    drawn: dict[str, int]
    blocked: dict[str, int]


def choose(items: Iterable[Item], *, languages: Sequence[str] = (), sources: Sequence[str] = ()) -> list[Item]:
    """Return the train items of the given languages and sources (default: all), those blocked included.

    Raises:
        InputError: a train item belongs to a cluster that also has a test item, in whatever language.
        UsageError: there is no train item, or none in one of the languages.
    """
    every = list(items)
    held_out = {item.cluster for item in every if item.split == "test"}
    train = [item for item in every if item.split == "train"]
    for item in train:
        if item.cluster in held_out:
            raise InputError.at(
                f"{item.family} ({item.language})",
                found=f"a train item of cluster {item.cluster!r}, which is held out for test",
                expected="no cluster in both",
                remedy="Run `globmed data cluster` on the imported items and train on its output",
            )
    chosen = [
        item
        for item in train
        if (not languages or item.language in languages) and (not sources or item.source in sources)
    ]
    if not chosen:
        raise UsageError("the dataset has no train item in the chosen languages and sources")
    missing = set(languages) - {item.language for item in chosen}
    if missing:
        raise UsageError(f"the dataset has no train item in {', '.join(sorted(missing))}")
    return chosen


def mix(items: Sequence[Item], *, examples: int, temperature: float, rng: np.random.Generator) -> Mixture:
    """Draw `examples` items: a language by its n ** (1 / temperature), then its items in turn, reshuffled every round.

    Temperature sampling over languages: Conneau and Lample, "Cross-lingual Language Model Pretraining", NeurIPS 2019,
    section 3.1 (their alpha is 1 / temperature).

    Raises:
        UsageError: temperature below 1, or every item is blocked.
    """
    if temperature < 1:
        raise UsageError(f"temperature is {temperature}; expected 1 (in proportion) or more (flatter)")
    blocked = Counter(item.language for item in items if item.blocked)
    by_language: dict[str, list[Item]] = {}
    for item in items:
        if not item.blocked:
            by_language.setdefault(item.language, []).append(item)
    if not by_language:
        raise UsageError("every train item has a blocking finding")
    codes = sorted(by_language)
    weights = np.array([len(by_language[code]) for code in codes], dtype=float) ** (1 / temperature)
    drawn = rng.choice(len(codes), size=examples, p=weights / weights.sum())
    turns = {code: _in_turn(by_language[code], int((drawn == index).sum()), rng) for index, code in enumerate(codes)}
    chosen = tuple(next(turns[codes[index]]) for index in drawn)
    return Mixture(
        items=chosen,
        available={code: len(by_language[code]) for code in codes},
        drawn=dict(sorted(Counter(item.language for item in chosen).items())),
        blocked=dict(sorted(blocked.items())),
    )


def _in_turn(items: Sequence[Item], count: int, rng: np.random.Generator) -> Iterator[Item]:
    rounds = -(-count // len(items))
    order = np.concatenate([rng.permutation(len(items)) for _ in range(rounds)]) if count else np.array([], dtype=int)
    return iter([items[index] for index in order[:count]])
