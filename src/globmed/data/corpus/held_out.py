"""Train questions that are a test question in other words: what training must refuse, whatever made the dataset."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from pathlib import Path
from typing import NamedTuple

from globmed.core.dataset import item_files
from globmed.data.corpus.clustering import DEFAULT_THRESHOLD, all_pairs
from globmed.data.corpus.duplicates import Pair, gather_families, join_clusters


class Twin(NamedTuple):
    """A train family and a test family that are one question.

    Attributes:
        train: name of the one.
        test: of the other.
        pair: how alike they are; None where only others join them.
    """

    train: str
    test: str
    pair: Pair | None


def near_test_questions(
    folder: Path, *, threshold: float = DEFAULT_THRESHOLD, procedural: Collection[str] = ()
) -> list[Twin]:
    """Return the train families that `cluster_dataset` would join to a test family, in whatever language.

    Those of one cluster with a test item already are not among them.

    Args:
        folder: a stage of items.
        threshold: Jaccard similarity of word 3-grams from which two questions are one.
        procedural: sources made by code, whose items differ in numbers alone by design.

    Raises:
        InputError: the folder is no stage of items.
    """
    files = item_files(folder)
    families = {name: one for name, one in gather_families(folder, files).items() if one.source not in procedural}
    if not {"train", "test"} <= {split for one in families.values() for split in one.splits}:
        return []
    pairs = all_pairs(folder, files, families=families, threshold=threshold)
    of_family: defaultdict[str, list[Pair]] = defaultdict(list)
    for pair in pairs:
        of_family[pair.first].append(pair)
        of_family[pair.second].append(pair)
    clusters = join_clusters(families, pairs)
    tests: defaultdict[str, list[str]] = defaultdict(list)
    for name, one in sorted(families.items()):
        if "test" in one.splits:
            tests[clusters[name]].append(name)
    known = {families[name].cluster for names in tests.values() for name in names}
    found = []
    for name, one in sorted(families.items()):
        held_out = tests.get(clusters[name], [])
        if "train" in one.splits and held_out and one.cluster not in known:
            partners = {pair.second if pair.first == name else pair.first: pair for pair in of_family[name]}
            test = next((other for other in held_out if other in partners), held_out[0])
            found.append(Twin(name, test, partners.get(test)))
    return found
