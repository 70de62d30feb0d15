"""The mixture: nothing held out gets in, and what is drawn follows the stated weights."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from globmed.core.errors import InputError, UsageError
from globmed.core.item import Finding, Item, Provenance, Split
from globmed.train.mixture import choose, mix


def item(number: int, code: str = "en", split: Split = "train", *, cluster: str = "", blocked: bool = False) -> Item:
    finding = Finding(check="image", severity="block", field="question", message="needs an image")
    return Item(
        family=f"s:{number}",
        cluster=cluster,
        language=code,
        kind="mcqa",
        source="s",
        split=split,
        question=f"Question {number}?",
        options=("a", "b"),
        answer=(0,),
        provenance=Provenance(native_language="en", licence="none", findings=(finding,) if blocked else ()),
    )


def test_a_cluster_held_out_in_another_language_is_refused_by_name() -> None:
    with pytest.raises(InputError, match=r"s:1 \(en\): found a train item of cluster 's:2', which is held out"):
        choose([item(1, cluster="s:2"), item(2, "zu", "test")])


def test_languages_without_a_train_item_are_named() -> None:
    with pytest.raises(UsageError, match="no train item in wo"):
        choose([item(1)], languages=["en", "wo"])
    with pytest.raises(UsageError, match="no train item"):
        choose([item(1, split="test")])


def test_blocked_items_are_left_out_and_counted() -> None:
    mixed = mix([item(1), item(2, blocked=True)], examples=10, temperature=1, rng=np.random.default_rng(0))
    assert {one.family for one in mixed.items} == {"s:1"}
    assert mixed.blocked == {"en": 1}
    with pytest.raises(UsageError, match="every train item has a blocking finding"):
        mix([item(2, blocked=True)], examples=1, temperature=1, rng=np.random.default_rng(0))


@pytest.mark.parametrize(("temperature", "share"), [(1.0, 0.9), (2.0, 0.75), (1e9, 0.5)])
def test_languages_are_drawn_by_temperature(temperature: float, share: float) -> None:
    items = [item(number) for number in range(90)] + [item(number, "wo") for number in range(100, 110)]
    mixed = mix(items, examples=20_000, temperature=temperature, rng=np.random.default_rng(0))
    assert mixed.drawn["en"] / 20_000 == pytest.approx(share, abs=0.01)


@given(st.integers(1, 30), st.integers(0, 100), st.integers(0, 2**32 - 1))
def test_items_of_a_language_take_turns(items: int, examples: int, seed: int) -> None:
    mixed = mix(
        [item(number) for number in range(items)], examples=examples, temperature=1, rng=np.random.default_rng(seed)
    )
    times = Counter(one.family for one in mixed.items)
    assert sum(times.values()) == examples
    assert max(times.values(), default=0) - min((times[f"s:{n}"] for n in range(items)), default=0) <= 1


def test_a_seed_gives_the_same_order() -> None:
    items = [item(number) for number in range(50)]
    one, again, other = (mix(items, examples=50, temperature=1, rng=np.random.default_rng(s)).items for s in (1, 1, 2))
    assert one == again
    assert one != other
