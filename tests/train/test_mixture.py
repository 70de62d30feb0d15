"""The mixture: nothing held out gets in, and what is drawn follows the stated weights."""

from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from globmed.core.errors import InputError, UsageError
from globmed.core.item import Item, Provenance, Split
from globmed.train.mixture import Candidates, Mixture, Sampling, allocate, capped, choose, draw

SIZES = st.lists(st.integers(1, 10_000), min_size=1, max_size=12)


def item(number: int, code: str = "en", split: Split = "train", *, cluster: str = "", source: str = "s") -> Item:
    return Item(
        family=f"{source}:{number}",
        cluster=cluster,
        language=code,
        kind="mcqa",
        source=source,
        split=split,
        question=f"Question {number}?",
        options=("a", "b"),
        answer=(0,),
        provenance=Provenance(native_language="en", licence="none"),
    )


def candidates(sizes: dict[str, int], *, part: str = "questions", tokens: int = 10) -> Candidates:
    codes = [code for code, size in sizes.items() for _ in range(size)]
    return Candidates(part=np.array([part] * len(codes)), language=np.array(codes), tokens=np.full(len(codes), tokens))


def joined(*parts: Candidates) -> Candidates:
    return Candidates(**{name: np.concatenate([getattr(one, name) for one in parts]) for name in vars(parts[0])})


def drawn(of: Candidates, tokens: int, *, seed: int = 0, **sampling: Any) -> Mixture:
    return draw(of, Sampling(**sampling), tokens=tokens, seed=seed)


def unimax(sizes: list[int], budget: float, epochs: float) -> list[float]:
    """Return the budgets of algorithm 1 of the paper, written from it apart."""
    left, budgets = budget, [0.0] * len(sizes)
    ascending = sorted(range(len(sizes)), key=lambda one: sizes[one])
    for place, one in enumerate(ascending):
        even = left / (len(sizes) - place)
        budgets[one] = min(even, sizes[one] * epochs)
        left -= budgets[one]
    return budgets


def test_a_cluster_held_out_in_another_language_is_refused_by_name() -> None:
    with pytest.raises(InputError, match=r"s:1 \(en\): found a train item of cluster 's:2', which is held out"):
        choose([item(1, cluster="s:2"), item(2, "zu", "test")])


def test_languages_without_a_train_item_are_named() -> None:
    with pytest.raises(UsageError, match="no train item in wo"):
        choose([item(1)], languages=["en", "wo"])
    with pytest.raises(UsageError, match="no train item"):
        choose([item(1, split="test")])


@given(SIZES, st.floats(1, 1e6), st.floats(0.1, 10))
def test_even_weights_are_unimax(sizes: list[int], budget: float, epochs: float) -> None:
    found = allocate(np.array(sizes, float), budget=budget, weights=np.ones(len(sizes)), max_epochs=epochs)
    assert found == pytest.approx(unimax(sizes, budget, epochs), rel=1e-9)


@given(SIZES, st.floats(1, 1e6), st.floats(1, 10), st.floats(0.1, 10))
def test_nobody_repeats_too_often_and_the_others_keep_their_proportions(
    sizes: list[int], budget: float, temperature: float, epochs: float
) -> None:
    available = np.array(sizes, float)
    weights = available ** (1 / temperature)
    found = allocate(available, budget=budget, weights=weights, max_epochs=epochs)
    assert found.sum() == pytest.approx(min(budget, epochs * available.sum()))
    assert (found <= epochs * available * (1 + 1e-12)).all()
    full = found >= epochs * available * (1 - 1e-9)
    per_weight = found / weights
    # Those that may still grow have the same for their weight, and none that is full has more.
    assert np.ptp(per_weight[~full]) <= 1e-9 * per_weight.max() if (~full).any() else True
    assert (per_weight[full] <= per_weight[~full].min() * (1 + 1e-9)).all() if full.any() and (~full).any() else True


@pytest.mark.parametrize(
    ("sampling", "share"),
    [
        ({"method": "proportional"}, 0.9),
        ({"method": "temperature", "temperature": 2.0}, 0.75),
        ({"method": "unimax"}, 0.5),
        # Ten examples four times, and the rest is English.
        ({"method": "unimax", "max_epochs": 0.4}, 0.9),
    ],
)
def test_languages_are_drawn_as_stated(sampling: dict[str, Any], share: float) -> None:
    mixture = drawn(candidates({"en": 900, "wo": 100}), 4000, **sampling)
    rows = {row.language: row for row in mixture.plan}
    assert rows["en"].drawn_tokens / sum(row.drawn_tokens for row in rows.values()) == pytest.approx(share, abs=0.01)
    assert mixture.order.size == sum(row.drawn for row in rows.values()) == 400


def test_rare_languages_are_repeated_four_times_at_most_and_the_rest_goes_to_others() -> None:
    rows = {row.language: row for row in drawn(candidates({"en": 5000, "zu": 50}), 40_000).plan}
    assert rows["zu"].epochs == 4
    assert rows["en"].drawn_tokens == 40_000 - 4 * 500
    assert rows["zu"].tier == "low"


@given(st.integers(1, 30), st.integers(1, 1000), st.integers(0, 2**32 - 1))
def test_items_of_a_language_take_turns(items: int, tokens: int, seed: int) -> None:
    mixture = drawn(candidates({"en": items}), tokens, seed=seed, max_epochs=1e9)
    times = Counter(mixture.order.tolist())
    assert abs(10 * sum(times.values()) - tokens) <= 5
    assert max(times.values(), default=0) - min(times[n] for n in range(items)) <= 1


def test_parts_have_their_shares() -> None:
    both = joined(candidates({"en": 500, "sw": 500}), candidates({"en": 300}, part="replay"))
    rows = drawn(both, 4000, replay=0.25).plan
    assert {(row.part, row.language): row.drawn_tokens for row in rows} == {
        ("questions", "en"): 1500,
        ("questions", "sw"): 1500,
        ("replay", "en"): 1000,
    }
    with pytest.raises(UsageError, match="gives 10% of the tokens to translation, and there is no such example"):
        drawn(both, 4000, replay=0.25, translation=0.1)


def test_a_seed_gives_the_same_order_and_a_further_language_the_same_examples() -> None:
    one, again, other = (drawn(candidates({"en": 50, "sw": 50}), 800, seed=s).order.tolist() for s in (1, 1, 2))
    assert one == again
    assert one != other
    more = drawn(candidates({"en": 50, "sw": 50, "yo": 50}), 1200, seed=1).order.tolist()
    assert Counter(at for at in more if at < 100) == Counter(one)


def test_a_source_is_capped_by_questions_the_same_in_all_languages() -> None:
    items = [item(n, code, source=source) for n in range(20) for code in ("en", "sw") for source in ("a", "b")]
    kept = capped(items, {"a": 5}, seed=3)
    of = {code: {one.family for one in kept if (one.source, one.language) == ("a", code)} for code in ("en", "sw")}
    assert of["en"] == of["sw"]
    assert len(of["en"]) == 5
    assert sum(one.source == "b" for one in kept) == 40
    assert capped(list(reversed(items)), {"a": 5}, seed=3) == list(reversed(kept))
    with pytest.raises(UsageError, match="no train item of 'c'"):
        capped(items, {"c": 5}, seed=3)


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        ({"temperature": 0.5, "method": "temperature"}, r"\[mixture\] temperature: found 0.5"),
        ({"temperature": 2.0}, 'expected method = "temperature" where one is given'),
        ({"max_epochs": 0.0}, "max_epochs"),
        ({"caps": {"a": 0}}, "caps"),
        ({"replay": 0.6, "translation": 0.4}, "less than 1 in all"),
        ({"replay": -0.1}, "0 or more each"),
    ],
)
def test_a_mixture_of_nothing_is_refused(wrong: dict[str, Any], text: str) -> None:
    with pytest.raises(InputError, match=text):
        Sampling(**wrong)
