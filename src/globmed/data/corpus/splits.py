"""Splits that no cluster crosses: official ones kept, the more held-out one winning, or drawn anew by cluster."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping

import numpy as np

from globmed.core.errors import UsageError, did_you_mean
from globmed.core.item import Split
from globmed.data.corpus.duplicates import Family

# Each is more held out than those before it.
SPLITS: tuple[Split, ...] = ("train", "dev", "test")

Shares = Mapping[Split, float]


def more_held_out(one: Split, other: Split) -> bool:
    """Whether the first split is more held out than the second: test over dev over train."""
    return SPLITS.index(one) > SPLITS.index(other)


def held_out_as(families: Mapping[str, Family], clusters: Mapping[str, str]) -> dict[str, Split]:
    """Return for each cluster the most held-out split that any of its families is in."""
    strongest: dict[str, Split] = {}
    for name, family in families.items():
        cluster = clusters[name]
        for split in family.splits:
            if cluster not in strongest or more_held_out(split, strongest[cluster]):
                strongest[cluster] = split
    return strongest


def draw_splits(
    families: Mapping[str, Family],
    clusters: Mapping[str, str],
    *,
    shares: Mapping[str, Shares],
    rng: np.random.Generator,
) -> dict[str, Split]:
    """Draw new splits for the families of sources that were published with one split only, whole clusters at a time.

    A cluster that also holds a family of another source follows that family: to its most held-out split, or to the
    split already drawn for it. So a new split costs no item.

    Args:
        families: every family by name.
        clusters: cluster of every family.
        shares: source to the share of its families wanted in each split; each source's shares sum to 1.
        rng: seeded generator.

    Returns:
        The new split of each family of those sources; the shares are met as nearly as whole clusters allow.

    Raises:
        UsageError: a source that is not there or has several splits, or shares that do not sum to 1.
    """
    _check_shares(families, shares)
    official = {name: family for name, family in families.items() if family.source not in shares}
    drawn = held_out_as(official, clusters)
    for source in sorted(shares):
        members: defaultdict[str, list[str]] = defaultdict(list)
        for name in sorted(families):
            if families[name].source == source:
                members[clusters[name]].append(name)
        free = sorted(cluster for cluster in members if cluster not in drawn)
        total, before = sum(len(members[cluster]) for cluster in free), 0
        for cluster in (free[number] for number in rng.permutation(len(free))):
            # By the cluster's middle, so that the last family is inside the last share.
            drawn[cluster] = _share_at((before + len(members[cluster]) / 2) / total, shares[source])
            before += len(members[cluster])
    return {name: drawn[clusters[name]] for name, family in families.items() if family.source in shares}


def _share_at(position: float, shares: Shares) -> Split:
    reached = 0.0
    wanted = [split for split in SPLITS if shares.get(split, 0.0) > 0]
    for split in wanted:
        reached += shares[split]
        if position < reached:
            return split
    return wanted[-1]


def _check_shares(families: Mapping[str, Family], shares: Mapping[str, Shares]) -> None:
    published: defaultdict[str, set[Split]] = defaultdict(set)
    for family in families.values():
        published[family.source] |= family.splits
    for source, wanted in shares.items():
        if source not in published:
            raise UsageError(f"no source named {source!r} to split anew{did_you_mean(source, published)}")
        if len(published[source]) > 1:
            raise UsageError(
                f"source {source!r} was published in {', '.join(sorted(published[source]))}; "
                "expected one split: official splits are kept"
            )
        sound = all(share >= 0 for share in wanted.values()) and math.isclose(sum(wanted.values()), 1.0)
        if not sound or not set(wanted) <= set(SPLITS):
            raise UsageError(
                f"shares of {source!r}: found {dict(wanted)}; expected shares of {', '.join(SPLITS)} that sum to 1"
            )
