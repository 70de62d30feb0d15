"""What is spent never exceeds the cap, whatever the replies are; in simulated time where somebody would wait."""

import asyncio
import datetime as dt
import random
from collections.abc import Callable, Coroutine, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from globmed.core.errors import LimitReachedError, UsageError
from globmed.models.attempts import Attempts, Patience
from globmed.models.baseline import LongestOption
from globmed.models.budget import Amount, Budget, Cap, Purse, most_usage
from globmed.models.campaign import Campaign, run_campaigns
from globmed.models.client import Message, Reply, Request, Setback, Settings, Usage
from globmed.models.journal import Journal
from globmed.models.pace import Pace
from globmed.models.price import Price

InNoTime = Callable[[Coroutine[Any, Any, None]], float]
CHEAP = Price(input=0.25, output=2.0, cached=0.025, on=dt.date(2025, 8, 7), source="https://example.org/prices")
DEAR = Price(input=15.0, output=75.0, on=dt.date(2025, 8, 7), source="https://example.org/prices")


class AtItsPlace(LongestOption):
    """A client that many may ask at once."""

    def __init__(self) -> None:
        super().__init__()
        self.pace = Pace("example.org")


class Fate(NamedTuple):
    """What becomes of one request: how its try ends, after how long, and the share of the most that it took."""

    size: int
    max_tokens: int
    ending: str
    seconds: int
    share: float

    @property
    def request(self) -> Request:
        return Request(messages=(Message("user", "ẹ" * self.size),), settings=Settings(max_tokens=self.max_tokens))

    @property
    def really_used(self) -> Usage:
        most = most_usage(self.request)
        if self.ending in {"refused by the endpoint", "wrong request"}:
            return Usage()
        took = Usage(input=round(most.input * self.share), output=round(most.output * self.share))
        return msgspec.structs.replace(took, cached=took.input // 2)

    def outcomes(self) -> list[Reply | Setback]:
        match self.ending:
            case "reply":
                return [Reply(status="ok", usage=self.really_used)]
            case "reply without usage":
                return [Reply(status="ok")]
            case "wrong request":
                return [Reply(status="error", finish="HTTP 400")]
            case "refused by the endpoint":
                return [Setback(reason="HTTP 503", kind="HTTP 503")]
            case "half a reply":
                return [Setback(reason="reset", kind="connection broken", perhaps_paid=True)]
            case _:
                return []


ENDINGS = ["reply", "reply without usage", "wrong request", "refused by the endpoint", "half a reply", "broken off"]
fates = st.builds(
    Fate,
    size=st.integers(0, 300),
    max_tokens=st.integers(1, 3000),
    ending=st.sampled_from(ENDINGS),
    seconds=st.integers(0, 9),
    share=st.floats(0, 1),
)
caps = st.builds(
    Cap,
    requests=st.none() | st.integers(0, 20),
    tokens=st.none() | st.integers(0, 20_000),
    cost_usd=st.none() | st.floats(0, 0.5),
)


def within(spent: Amount, cap: Cap) -> bool:
    limits = (cap.requests, cap.tokens, cap.cost_usd)
    # Sums of dollars in another order differ in the last digit.
    return all(limit is None or used <= limit + 1e-9 for used, limit in zip(spent, limits, strict=True))


@given(caps, st.lists(st.lists(fates, max_size=20), min_size=1, max_size=3), st.integers(1, 8))
def test_spending_stays_within_the_cap_and_stops_only_where_it_must(
    in_no_time: InNoTime, cap: Cap, models: list[list[Fate]], concurrency: int
) -> None:
    """Several models of different prices spend from one budget at the same time."""

    async def work() -> None:
        budget, really = Budget(cap), Amount()

        async def spend(place: int, told: list[Fate]) -> None:
            nonlocal really
            client, price = AtItsPlace(), (None, CHEAP, DEAR)[place]
            purse, waiting = Purse(budget, price), iter(told)
            tries = Attempts(client, Patience(), purse)

            async def worker() -> None:
                nonlocal really
                for fate in waiting:
                    most = purse.amount([most_usage(fate.request)])
                    try:
                        call = await tries.begin([fate.request])
                    except LimitReachedError:
                        # Only where this one could really exceed it, whatever the others give back.
                        assert not within(budget.spent.plus(most), cap)
                        continue
                    really = really.plus(purse.amount([fate.really_used]))
                    await asyncio.sleep(fate.seconds)
                    tries.end(call, fate.outcomes())
                    assert within(budget.spent, cap)

            with client.pace.up_to(concurrency):
                await asyncio.gather(*(worker() for _ in range(concurrency)))

        await asyncio.gather(*(spend(place, told) for place, told in enumerate(models)))
        assert within(really, cap)
        assert budget._set_aside == pytest.approx(Amount(), abs=1e-9)
        for counted, took in zip(budget.spent, really, strict=True):
            assert counted >= took - 1e-9

    in_no_time(work())


@given(st.lists(fates, min_size=1, max_size=8), st.sampled_from([None, CHEAP, DEAR]))
def test_what_is_counted_of_each_ending(in_no_time: InNoTime, told: list[Fate], price: Price | None) -> None:
    async def work() -> None:
        client, budget = AtItsPlace(), Budget(Cap())
        purse = Purse(budget, price)
        tries = Attempts(client, Patience(), purse)
        expected = Amount()
        with client.pace.up_to(1):
            for fate in told:
                tries.end(await tries.begin([fate.request]), fate.outcomes())
                known = fate.ending in {"reply", "wrong request", "refused by the endpoint"}
                # A reply that says it took nothing says nothing.
                known &= fate.ending != "reply" or bool(fate.really_used.input or fate.really_used.output)
                counted = fate.really_used if known else most_usage(fate.request)
                expected = expected.plus(purse.amount([counted]))
                assert budget.spent == pytest.approx(expected)
        assert tries.spent == budget.spent

    in_no_time(work())


@given(st.text(max_size=200), st.integers(0, 3), st.integers(1, 4096))
def test_no_tokenizer_makes_more_of_a_text(text: str, others: int, max_tokens: int) -> None:
    messages = tuple(Message("user", text) for _ in range(1 + others))
    most = most_usage(Request(messages=messages, settings=Settings(max_tokens=max_tokens)))
    # As bytes, which is what a tokenizer falls back on.
    assert most.input >= (1 + others) * len(text.encode())
    assert most.output == max_tokens
    options = ("ẹ̀jẹ̀ ríru" * 50 * len(messages), text)
    scored = most_usage(Request(messages=messages, options=options, settings=Settings(answer="score_options")))
    assert scored.input >= (1 + others) * len(text.encode()) + len("".join(options).encode())
    assert scored.output == 0


def test_dollars_are_counted_at_the_price_of_each_kind_of_token() -> None:
    usage = Usage(input=1_000_000, cached=400_000, output=100_000)
    assert Purse(Budget(Cap()), CHEAP).amount([usage, usage]) == pytest.approx(
        (2, 2_200_000, 2 * (0.6 * 0.25 + 0.4 * 0.025 + 0.1 * 2.0))
    )
    # Where the cache has no price of its own, what it holds costs as much as anything else.
    assert Purse(Budget(Cap()), DEAR).amount([usage]).cost_usd == pytest.approx(15.0 + 7.5)
    assert Purse(Budget(Cap()), None).amount([usage]) == (1, 1_100_000, 0.0)


@pytest.mark.parametrize("name", ["requests", "tokens", "cost_usd"])
@pytest.mark.parametrize("limit", [-1, float("nan")])
def test_a_limit_below_nothing_is_refused(name: str, limit: Any) -> None:
    with pytest.raises(UsageError, match=f"limit of {name.replace('_', ' ')} is {limit}; expected 0 or more"):
        Cap(**{name: limit})


def test_a_cap_says_what_it_is() -> None:
    assert str(Cap(requests=0, tokens=5, cost_usd=0.5)) == "0 requests, 5 tokens, 0.5 US dollars"
    assert str(Cap()) == "no limit"


class Endpoint:
    """Answers after a moment, not always and not always fully; adds up what that takes at its own price."""

    revision, on_this_machine, batch_size = "", False, 1

    def __init__(self, model: str, price: Price, seed: int) -> None:
        self.model, self.price, self.pace = model, price, Pace(model)
        self.took = Amount()
        self._random = random.Random(seed)

    def sent(self, request: Request) -> Mapping[str, Any]:
        return {"messages": msgspec.to_builtins(request.messages), "settings": msgspec.to_builtins(request.settings)}

    async def answer(self, batch: Sequence[Request]) -> Sequence[Reply | Setback]:
        (request,) = batch
        fate = Fate(0, 1, self._random.choice(ENDINGS[:5]), 0, self._random.random())
        most = most_usage(request)
        free = fate.ending in {"refused by the endpoint", "wrong request"}
        used = Usage() if free else Usage(input=most.input // 2, output=round(most.output * fate.share))
        self.took = self.took.plus(Purse(Budget(Cap()), self.price).amount([used]))
        await asyncio.sleep(self._random.uniform(0, 0.002))
        (outcome,) = fate.outcomes() or [Reply(status="ok")]
        if fate.ending == "reply":
            return [Reply(status="ok", usage=used)]
        return [outcome]

    async def close(self) -> None:
        pass


@pytest.mark.parametrize("cap", [Cap(requests=150), Cap(tokens=60_000), Cap(cost_usd=0.8)], ids=str)
def test_two_campaigns_spend_from_one_budget_and_a_later_one_from_what_is_left(
    tmp_path: Path, ask: Callable[..., Request], cap: Cap
) -> None:
    budget, clients, seen = Budget(cap), [Endpoint("a", CHEAP, 1), Endpoint("b", DEAR, 2)], []

    def run() -> None:
        """Ask each model more than can be paid for; each time there is a new event loop."""
        with Journal.open(tmp_path / "a.jsonl") as first, Journal.open(tmp_path / "b.jsonl") as second:
            run_campaigns(
                [
                    Campaign(
                        requests=(ask(number, settings=Settings(max_tokens=300)) for number in range(1000)),
                        client=client,
                        journal=journal,
                        purse=Purse(budget, client.price),
                        on_progress=lambda _: seen.append(budget.spent),
                    )
                    for client, journal in zip(clients, (first, second), strict=True)
                ],
                concurrency=16,
                patience=Patience(first_wait_seconds=0.002, longest_wait_seconds=0.004),
            )

    with pytest.raises(LimitReachedError, match=f"limit of {cap}; raise it"):
        run()
    spent = budget.spent
    assert min(client.took.requests for client in clients) > 0
    took = clients[0].took.plus(clients[1].took)
    assert within(spent, cap)
    assert all(real <= counted + 1e-9 for real, counted in zip(took, spent, strict=True))
    # It was made use of but for what one more could have taken.
    dearest = Purse(budget, DEAR).amount([most_usage(ask(999, settings=Settings(max_tokens=300)))])
    assert not within(spent.plus(dearest), cap)
    with pytest.raises(LimitReachedError):
        run()
    assert within(budget.spent, cap)


def test_a_budget_is_as_good_in_a_later_event_loop(tmp_path: Path, ask: Callable[..., Request]) -> None:
    """Only two requests can be set aside at once, so that the others wait, each time in a loop of their own."""
    budget = Budget(Cap(tokens=2 * 512 + 2000))
    for name in ("first", "second"):
        client = Endpoint("a", CHEAP, 0)
        client.answer = one_token  # type: ignore[method-assign]
        with Journal.open(tmp_path / name) as journal:
            told = Campaign(requests=map(ask, range(20)), client=client, journal=journal, purse=Purse(budget, None))
            (stats,) = run_campaigns([told], concurrency=8)
        assert stats.replies == {"ok": 20}
    assert budget.spent == (40, 40, 0.0)


async def one_token(batch: Sequence[Request]) -> Sequence[Reply | Setback]:
    await asyncio.sleep(0.001)
    return [Reply(status="ok", usage=Usage(input=1)) for _ in batch]


def test_what_an_earlier_run_spent_counts(tmp_path: Path, ask: Callable[..., Request]) -> None:
    budget = Budget(Cap(tokens=10_000))
    purse = Purse(budget, CHEAP)
    purse.spent_before(Usage(input=9_000, output=900), requests=7)
    assert budget.spent == pytest.approx((7, 9_900, 9_000 * 0.25e-6 + 900 * 2e-6))
    client = Endpoint("a", CHEAP, 0)
    with Journal.open(tmp_path / "replies.jsonl") as journal, pytest.raises(LimitReachedError):
        run_campaigns([Campaign(requests=[ask()], client=client, journal=journal, purse=purse)], concurrency=1)
    assert client.took.requests == 0
