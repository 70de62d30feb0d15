"""Splits by cluster: the more held-out one wins, and new ones are drawn whole clusters at a time."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from globmed.core.errors import UsageError
from globmed.core.item import Split
from globmed.data.corpus.duplicates import Family
from globmed.data.corpus.splits import SPLITS, draw_splits, held_out_as

SHARES: dict[Split, float] = {"train": 0.7, "dev": 0.1, "test": 0.2}


def family(source: str, *splits: Split) -> Family:
    return Family(source=source, native_language="es", cluster="c", languages={"es"}, splits=set(splits))


def test_test_wins_over_dev_over_train() -> None:
    families = {
        "a": family("s", "train"),
        "b": family("s", "dev"),
        "c": family("t", "test"),
        "d": family("s", "train"),
        "e": family("s", "train", "dev"),
    }
    clusters = {"a": "a", "b": "a", "c": "a", "d": "d", "e": "e"}
    assert held_out_as(families, clusters) == {"a": "test", "d": "train", "e": "dev"}


@given(st.lists(st.integers(0, 60), min_size=1, max_size=200), st.integers(0, 2**32))
def test_new_splits_keep_clusters_whole(cluster_numbers: list[int], seed: int) -> None:
    families = {f"s:{number}": family("s", "test") for number in range(len(cluster_numbers))}
    clusters = {f"s:{number}": f"c{cluster}" for number, cluster in enumerate(cluster_numbers)}
    drawn = draw_splits(families, clusters, shares={"s": SHARES}, rng=np.random.default_rng(seed))
    assert drawn.keys() == families.keys()
    assert len({(clusters[name], split) for name, split in drawn.items()}) == len(set(clusters.values()))


def test_new_splits_meet_their_shares_and_follow_the_seed() -> None:
    families = {f"s:{number}": family("s", "test") for number in range(1000)}
    clusters = {name: name for name in families}

    def draw(seed: int) -> dict[str, Split]:
        return draw_splits(families, clusters, shares={"s": SHARES}, rng=np.random.default_rng(seed))

    assert Counter(draw(1).values()) == {"train": 700, "dev": 100, "test": 200}
    assert draw(1) == draw(1) != draw(2)
    backwards = dict(reversed(families.items()))
    rng = np.random.default_rng(1)
    assert draw_splits(backwards, clusters, shares={"s": SHARES}, rng=rng) == draw(1)


def test_a_cluster_shared_with_another_source_follows_it() -> None:
    families = {
        **{f"new:{number}": family("new", "train") for number in range(300)},
        **{f"old:{number}": family("old", SPLITS[number % 3]) for number in range(300)},
        **{f"also:{number}": family("also", "dev") for number in range(300)},
    }
    clusters = {name: name.partition(":")[2] for name in families}
    shares = {"new": SHARES, "also": {**SHARES}}
    drawn = draw_splits(families, clusters, shares=shares, rng=np.random.default_rng(0))
    assert all(split == SPLITS[int(clusters[name]) % 3] for name, split in drawn.items())
    del shares["also"]
    without_old = {name: row for name, row in families.items() if row.source != "old"}
    drawn = draw_splits(without_old, clusters, shares=shares, rng=np.random.default_rng(0))
    assert set(drawn.values()) == {"dev"}


def test_two_new_sources_agree_on_the_clusters_they_share() -> None:
    families = {f"{source}:{number}": family(source, "test") for source in "ab" for number in range(100)}
    clusters = {name: name.partition(":")[2] for name in families}
    drawn = draw_splits(families, clusters, shares={"a": SHARES, "b": SHARES}, rng=np.random.default_rng(0))
    assert all(drawn[f"a:{number}"] == drawn[f"b:{number}"] for number in range(100))
    assert set(drawn.values()) == set(SPLITS)


@pytest.mark.parametrize(
    ("shares", "says"),
    [
        ({"nosuch": SHARES}, "no source named 'nosuch'"),
        ({"official": SHARES}, "was published in test, train; expected one split"),
        ({"s": {"train": 0.5}}, "sum to 1"),
        ({"s": {"train": 1.5, "test": -0.5}}, "sum to 1"),
        ({"s": {"train": 0.5, "tset": 0.5}}, "tset"),
    ],
)
def test_splits_that_cannot_be_had_are_refused(shares: dict[str, dict[Split, float]], says: str) -> None:
    families = {"s:1": family("s", "test"), "o:1": family("official", "test"), "o:2": family("official", "train")}
    with pytest.raises(UsageError) as error:
        draw_splits(families, {name: name for name in families}, shares=shares, rng=np.random.default_rng(0))
    assert says in str(error.value)
