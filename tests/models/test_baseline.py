"""The baselines choose what they say they choose, however they are asked."""

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from globmed.core.errors import UsageError
from globmed.models.baseline import Chance, LongestOption, Majority
from globmed.models.client import LETTERS, Client, Reply, Request, Settings

Ask = Callable[..., Request]
SCORED: tuple[Literal["score_options", "score_letters"], ...] = ("score_options", "score_letters")


def answer(client: Client, *requests: Request) -> list[Reply]:
    replies = asyncio.run(client.answer(requests))
    return [reply for reply in replies if isinstance(reply, Reply)]


def chosen(reply: Reply) -> int:
    return (
        reply.option_logprobs.index(max(reply.option_logprobs)) if reply.option_logprobs else LETTERS.index(reply.text)
    )


@given(st.lists(st.text(max_size=30), min_size=1, max_size=10), st.integers(0, 5))
def test_the_choice_is_one_and_survives_every_normalisation(options: list[str], run: int) -> None:
    request = Request(messages=(), options=tuple(options), run=run)
    for client in (Chance(), Majority({"A": 1, "C": 3}), LongestOption()):
        (reply,) = answer(client, request)
        assert (reply.status, LETTERS.index(reply.text) < len(options)) == ("ok", True)
        for how in SCORED:
            (scored,) = answer(
                client, Request(messages=(), options=tuple(options), settings=Settings(answer=how), run=run)
            )
            assert len(scored.option_logprobs) == len(options)
            by_byte = [s / max(len(o.encode()), 1) for s, o in zip(scored.option_logprobs, options, strict=True)]
            assert by_byte.index(max(by_byte)) == chosen(scored)
            assert sorted(scored.option_logprobs)[:-1] == [-1000.0] * (len(options) - 1)


def test_chance_is_even_and_does_not_depend_on_the_order(ask: Ask) -> None:
    requests = [ask(number, options=("a", "b", "c", "d"), run=number % 5) for number in range(4000)]
    replies = answer(Chance(), *requests)
    assert answer(Chance(), *reversed(requests)) == replies[::-1]
    counts = Counter(reply.text for reply in replies)
    # 1000 each, standard deviation 27.
    assert set(counts) == set("ABCD")
    assert all(abs(count - 1000) < 130 for count in counts.values())
    again = answer(Chance(seed=1), *requests)
    assert 800 < sum(one == other for one, other in zip(replies, again, strict=True)) < 1200
    assert Chance().revision != Chance(seed=1).revision


def test_majority_takes_the_commonest_letter_that_the_item_has(ask: Ask) -> None:
    client = Majority({"A": 3, "B": 5, "D": 5, "E": 9})
    texts = [answer(client, ask(options=("x",) * number))[0].text for number in range(1, 7)]
    assert texts == ["A", "B", "B", "B", "E", "E"]
    assert client.revision == Majority({"E": 9, "D": 5, "B": 5, "A": 3, "C": 0}).revision
    assert client.revision != Majority({"A": 4, "B": 5, "D": 5, "E": 9}).revision


def test_longest_counts_characters_and_takes_the_first_of_equals(ask: Ask) -> None:
    # The third has more bytes and no more characters.
    (reply,) = answer(LongestOption(), ask(options=("no", "four", "ẹ̀kọ"[:4], "abc")))
    assert reply.text == "B"


@pytest.mark.parametrize("table", [{}, {"a": 1}, {"AB": 1}, {"": 1}, {"A": -1}])
def test_majority_refuses_a_table_of_other_things(table: dict[str, int]) -> None:
    with pytest.raises(UsageError, match="expected counts of at least 0 for letters from A to J"):
        Majority(table)


@pytest.mark.parametrize("number", [0, 11])
def test_without_options_to_choose_among_the_reply_is_an_error(ask: Ask, number: int) -> None:
    (reply,) = answer(LongestOption(), ask(options=("x",) * number))
    assert reply.status == "error"
    assert f"the request has {number}" in reply.finish
