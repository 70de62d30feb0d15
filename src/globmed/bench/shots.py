"""Solved examples that are shown before a question: train items of its source and language, never of its cluster.

Each source has one pool, the same questions in all its languages, so that languages differ in nothing but the language.
Which of them a question is shown depends on the question and the seed, not on the language.
"""

from __future__ import annotations

from collections import defaultdict
from itertools import islice
from pathlib import Path

import numpy as np

from globmed.bench.asked import EXAMPLES, examples_folder
from globmed.bench.selection import Part, Plan, Selection
from globmed.core.errors import UsageError
from globmed.core.item import Item
from globmed.core.store import read_records, stage_hash, up_to_date, writing_stage

# Twice the most examples that a condition may ask for, so that a question's own cluster is never short of others.
_POOL_MAX = 64


def keep_examples(selection: Selection, plan: Plan, *, shots: int, out: Path) -> None:
    """Draw each source's pool of examples and write it into the stage `<out>/examples`.

    Raises:
        UsageError: a source has too few train items that stand in every asked language.
    """
    folder = examples_folder(out)
    configuration = {"seed": plan.seed, "languages": selection.languages, "sources": selection.sources}
    inputs = {"data": stage_hash(selection.data)}
    if up_to_date(folder, configuration=configuration, inputs=inputs):
        return
    pools = [item for source in selection.sources for item in _pool(selection, plan, source, shots=shots)]
    with writing_stage(folder, "examples", configuration=configuration, inputs=inputs) as writer:
        writer.write(EXAMPLES, pools, Item)


def _pool(selection: Selection, plan: Plan, source: str, *, shots: int) -> list[Item]:
    parts = [part for part in selection.parts if part.source == source]
    clusters = [_train_clusters(selection, part) for part in parts]
    shared = sorted(set.intersection(*map(set, clusters)))
    # One family a cluster: a second one would show the same question again.
    first: dict[str, str] = {}
    for family in shared:
        first.setdefault(clusters[0][family], family)
    if len(first) <= shots:
        codes = ", ".join(part.language for part in parts)
        raise UsageError(
            f"{source}: {len(first)} questions of its train split stand in each of {codes}; expected more than {shots} "
            f"to show as examples. Ask fewer languages, fewer examples, or leave the source out"
        )
    families = np.array(sorted(first.values()))
    order = np.random.default_rng([plan.seed, *source.encode()]).permutation(families.size)[:_POOL_MAX]
    chosen = set(families[order].tolist())
    return [item for part in parts for item in selection.train_items(part) if item.family in chosen]


def _train_clusters(selection: Selection, part: Part) -> dict[str, str]:
    return {item.family: item.cluster for item in selection.train_items(part)}


class Pools:
    """The pools of a run, by source and language."""

    def __init__(self, run: Path, *, seed: int) -> None:
        """Read them.

        Raises:
            InputError: the run holds none.
        """
        self._seed = seed
        self._items: defaultdict[tuple[str, str], list[Item]] = defaultdict(list)
        for item in read_records(examples_folder(run), Item):
            self._items[item.source, item.language].append(item)
        for pool in self._items.values():
            pool.sort(key=lambda item: item.family)

    def examples(self, item: Item, shots: int) -> tuple[Item, ...]:
        """Return the examples for an item, none of its own cluster."""
        pool = self._items[item.source, item.language]
        order = np.random.default_rng([self._seed, *item.family.encode()]).permutation(len(pool))
        others = (pool[index] for index in order if pool[index].cluster != item.cluster)
        return tuple(islice(others, shots))
