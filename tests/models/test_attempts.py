"""When a request is tried again, in simulated time: nothing here waits."""

import asyncio
import itertools
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from globmed.core.errors import EnvironmentFailedError, LimitReachedError
from globmed.models.attempts import PATIENT, Attempts, Patience
from globmed.models.baseline import LongestOption
from globmed.models.budget import Budget, Cap, Purse
from globmed.models.client import NO_CONNECTION, Reply, Request, Setback, Usage
from globmed.models.pace import Pace

Ask = Callable[..., Request]
InNoTime = Callable[[Coroutine[Any, Any, None]], float]
BUSY = Setback(reason="busy", kind="HTTP 503")


class AtItsPlace(LongestOption):
    """A client at a place of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.model, self.pace = "made", Pace("example.org")


def attempts(patience: Patience = PATIENT, purse: Purse | None = None) -> Attempts:
    return Attempts(AtItsPlace(), patience, purse)


async def seconds_waited(tries: Attempts, setbacks: Sequence[Setback], number: int) -> float:
    loop = asyncio.get_running_loop()
    began = loop.time()
    await tries.wait(setbacks, number)
    return loop.time() - began


def test_waits_double_up_to_a_bound_and_are_drawn_at_random(in_no_time: InNoTime) -> None:
    async def work() -> None:
        tries = attempts(Patience(first_wait_seconds=1, longest_wait_seconds=30, seed=0))
        for number, longest in enumerate([1, 2, 4, 8, 16, 30, 30, 30], start=1):
            waits = [await seconds_waited(tries, [BUSY], number) for _ in range(50)]
            assert longest / 2 <= min(waits) < 0.6 * longest
            assert 0.9 * longest < max(waits) <= longest + 1e-6
        assert await seconds_waited(tries, [BUSY], 10_000) <= 30

    in_no_time(work())


def test_two_processes_do_not_come_back_in_step(in_no_time: InNoTime) -> None:
    async def work() -> None:
        waits = {await seconds_waited(attempts(), [BUSY], 1) for _ in range(10)}
        assert len(waits) == 10

    in_no_time(work())


def test_an_endpoint_may_be_away_for_two_minutes(in_no_time: InNoTime) -> None:
    async def work() -> None:
        tries = attempts()
        for number in range(1, PATIENT.retries + 1):
            assert tries.judge([BUSY], number) == [BUSY]
            await tries.wait([BUSY], number)
        (last,) = tries.judge([BUSY], PATIENT.retries + 1)
        assert last == Reply(status="error", finish="busy; tried 9 times")

    assert in_no_time(work()) >= 120


def test_a_wait_that_is_asked_for_is_waited_for(in_no_time: InNoTime) -> None:
    asked = Setback(reason="slow down", kind="HTTP 429", wait_seconds=20)

    async def work() -> None:
        tries = attempts(Patience(first_wait_seconds=1, longest_wait_seconds=60))
        # Of a batch the longest; and it may be shorter than we would have waited.
        assert await seconds_waited(tries, [BUSY, asked], 1) == pytest.approx(20)
        assert await seconds_waited(tries, [asked], 7) >= 30

    in_no_time(work())


@pytest.mark.parametrize(
    ("setback", "said"),
    [
        (Setback(reason="HTTP 429: daily quota", kind="HTTP 429", wait_seconds=86_400), "it asks to wait 86400 s"),
        (Setback(reason="HTTP 401: wrong key", kind="HTTP 401", closed=True), "HTTP 401: wrong key"),
    ],
)
def test_a_place_that_answers_nobody_stops_the_campaign(in_no_time: InNoTime, setback: Setback, said: str) -> None:
    async def work() -> None:
        # Not even the last try makes an error reply of it.
        tries = attempts(Patience(retries=0)) if setback.closed else attempts()
        assert tries.judge([setback], 1) == [setback]
        with pytest.raises(EnvironmentFailedError, match=r"made at example\.org answers nobody: ") as caught:
            await tries.wait([setback], 1)
        assert said in str(caught.value)

    assert in_no_time(work()) == 0


def test_a_server_that_was_never_there_is_soon_said_to_be_missing(in_no_time: InNoTime) -> None:
    nobody = Setback(reason="connection refused", kind=NO_CONNECTION)

    async def work() -> None:
        client = AtItsPlace()
        tries = Attempts(client, PATIENT, None)
        await tries.wait([nobody], 1)
        await tries.wait([nobody], 2)
        with pytest.raises(EnvironmentFailedError, match="answers nobody: connection refused"):
            await tries.wait([nobody], 3)
        # Somebody was reached: it may be that the server has just been started.
        await tries.wait([nobody, BUSY], 3)
        client.pace.speed_up()
        for number in range(3, PATIENT.retries):
            await tries.wait([nobody], number)

    assert in_no_time(work()) > 60


def test_a_place_is_not_closed_for_longer_than_anybody_waits(in_no_time: InNoTime, ask: Ask) -> None:
    """A later campaign of this process must not hang where an earlier one stopped and said why."""

    async def work() -> None:
        client = AtItsPlace()
        tries = Attempts(client, Patience(longest_wait_seconds=60), None)
        with client.pace.up_to(1):
            call = await tries.begin([ask()])
            tries.end(call, [Setback(reason="daily quota", kind="HTTP 429", wait_seconds=86_400)])
            assert 59 < client.pace.closed_seconds <= 60

    in_no_time(work())


@given(
    st.lists(st.sampled_from(["ok", "busy", "unreadable"]), min_size=1, max_size=6),
    st.integers(0, 5),
    st.integers(1, 8),
)
def test_there_is_an_end_to_trying(kinds: list[str], retries: int, number: int) -> None:
    outcomes: dict[str, Reply | Setback] = {
        "ok": Reply(status="ok", text="B"),
        "busy": BUSY,
        "unreadable": Setback(reason="no JSON", kind="unreadable reply", tries_max=3),
    }
    tries = attempts(Patience(retries=retries))
    judged = tries.judge([outcomes[kind] for kind in kinds], number)
    ends = {"ok": 0, "busy": retries + 1, "unreadable": min(retries + 1, 3)}
    for kind, one in zip(kinds, judged, strict=True):
        if kind == "ok" or number < ends[kind]:
            assert one is outcomes[kind]
        else:
            assert isinstance(one, Reply)
            assert one.status == "error"
            assert one.finish.endswith(f"; tried {number} times")
    assert tries.setbacks == {
        kind: count
        for kind, count in (("HTTP 503", kinds.count("busy")), ("unreadable reply", kinds.count("unreadable")))
        if count
    }


def test_the_place_learns_from_overload_and_from_nothing_else(in_no_time: InNoTime, ask: Ask) -> None:
    unreadable = Setback(reason="no JSON", kind="unreadable reply", overload=False, perhaps_paid=True)
    refused = Reply(status="error", finish="HTTP 400: no such model")

    async def work() -> None:
        client = AtItsPlace()
        tries = Attempts(client, PATIENT, None)

        async def concurrency_after(*outcomes: Reply | Setback) -> int:
            await asyncio.sleep(1)
            begun = [await tries.begin([ask()]) for _ in range(client.pace.concurrency)]
            for call, outcome in zip(begun, itertools.cycle(outcomes), strict=False):
                tries.end(call, [outcome])
            return client.pace.concurrency

        with client.pace.up_to(64):
            assert await concurrency_after(unreadable, refused) > 4
            before = client.pace.concurrency
            assert await concurrency_after(BUSY) == before // 2
            # What was broken off tells nothing.
            call = await tries.begin([ask()])
            tries.end(call, [])
            assert client.pace.concurrency == before // 2
            assert client.pace.under_way == 0

    in_no_time(work())


def test_a_call_given_up_while_it_waits_costs_nothing(in_no_time: InNoTime, ask: Ask) -> None:
    async def work() -> None:
        budget = Budget(Cap(requests=2))
        tries = attempts(purse=Purse(budget, None))
        pace = tries._client.pace
        with pace.up_to(1):
            first = await tries.begin([ask(0)])
            waiting = asyncio.create_task(tries.begin([ask(1)]))
            await asyncio.sleep(1)
            waiting.cancel()
            await asyncio.wait([waiting])
            tries.end(first, [Reply(status="ok", usage=Usage(input=1, output=1))])
            assert (budget.spent.requests, pace.under_way) == (1, 0)
            tries.end(await tries.begin([ask(1)]), [BUSY])
            with pytest.raises(
                LimitReachedError, match=r"limit of 2 requests; raise it to go on\. Spent: 2 requests, 2 tokens "
            ):
                await tries.begin([ask(2)])

    in_no_time(work())
