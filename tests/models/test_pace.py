"""How fast a place is asked, in simulated time: nothing here waits."""

import asyncio
import itertools
import time
from bisect import bisect_left
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from globmed.models.pace import FIRST_CONCURRENCY, Caps, Pace, Turn, pace_of

InNoTime = Callable[[Coroutine[Any, Any, None]], float]


def now() -> float:
    return asyncio.get_running_loop().time()


async def turns(pace: Pace, number: int, tokens: int = 0) -> list[Turn]:
    return [await pace.begin(tokens) for _ in range(number)]


def end(pace: Pace, turn: Turn, *, setback: bool = False) -> None:
    if setback:
        pace.slow_down(turn)
    else:
        pace.speed_up()
    pace.end(turn, tokens=0)


async def use_fully(pace: Pace, seconds: int, callers: int = 200) -> list[int]:
    """Keep more callers waiting than are let in, each call of a second; returns the concurrency in each second."""

    async def caller() -> None:
        while True:
            turn = await pace.begin(0)
            try:
                await asyncio.sleep(1)
            finally:
                end(pace, turn)

    tasks = [asyncio.create_task(caller()) for _ in range(callers)]
    seen = []
    await asyncio.sleep(0.5)
    for _ in range(seconds):
        assert pace.under_way == pace.concurrency
        seen.append(pace.concurrency)
        await asyncio.sleep(1)
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    return seen


def test_concurrency_doubles_each_round_until_the_ceiling(in_no_time: InNoTime) -> None:
    async def work() -> None:
        pace = Pace("p")
        with pace.up_to(40):
            assert await use_fully(pace, 6) == [FIRST_CONCURRENCY, 8, 16, 32, 40, 40]

    in_no_time(work())


def test_after_a_setback_it_grows_by_one_a_round(in_no_time: InNoTime) -> None:
    async def work() -> None:
        pace = Pace("p")
        with pace.up_to(100):
            await use_fully(pace, 3)
            before = pace.concurrency
            end(pace, await pace.begin(0), setback=True)
            seen = await use_fully(pace, 12)
            assert seen[0] == before // 2
            # As each answer adds a part of one, a round adds a little less than one.
            assert all(0 <= after - before <= 1 for before, after in itertools.pairwise(seen))
            assert seen[-1] - seen[0] >= 10

    in_no_time(work())


def test_one_overload_halves_it_once_however_many_calls_it_hits(in_no_time: InNoTime) -> None:
    async def work() -> None:
        pace = Pace("p")
        with pace.up_to(64):
            await use_fully(pace, 5)
            assert pace.concurrency == 64
            together = await turns(pace, 64)
            await asyncio.sleep(1)
            for turn in together:
                end(pace, turn, setback=True)
                assert pace.concurrency == 32
            for expected in (16, 8, 4, 2, 1, 1):
                await asyncio.sleep(1)
                end(pace, await pace.begin(0), setback=True)
                assert pace.concurrency == expected

    in_no_time(work())


async def test_what_is_not_used_does_not_grow() -> None:
    pace = Pace("p")
    with pace.up_to(64):
        for _ in range(100):
            end(pace, await pace.begin(0))
        assert pace.concurrency == FIRST_CONCURRENCY


def test_a_setback_counts_from_the_ceiling_not_from_what_was_once_reached(in_no_time: InNoTime) -> None:
    async def work() -> None:
        pace = Pace("p")
        with pace.up_to(64):
            await use_fully(pace, 5)
        with pace.up_to(8):
            end(pace, await pace.begin(0), setback=True)
            assert pace.concurrency == 4

    in_no_time(work())


@given(st.lists(st.integers(0, 20), min_size=1, max_size=30), st.integers(1, 5))
def test_first_come_first_served_and_never_more_than_the_ceiling(
    in_no_time: InNoTime, seconds: list[int], ceiling: int
) -> None:
    async def work() -> None:
        pace, begun = Pace("p"), []

        async def call(number: int) -> None:
            turn = await pace.begin(0)
            begun.append(number)
            assert pace.under_way <= min(ceiling, FIRST_CONCURRENCY)
            await asyncio.sleep(seconds[number])
            pace.end(turn, tokens=0)

        with pace.up_to(ceiling):
            await asyncio.gather(*map(call, range(len(seconds))))
        assert begun == list(range(len(seconds)))
        assert pace.under_way == 0

    in_no_time(work())


async def test_nobody_overtakes_those_who_wait_though_the_loop_was_busy_when_their_time_came() -> None:
    pace = Pace("p")
    with pace.up_to(4):
        pace.close_for(0.02)
        first = asyncio.create_task(pace.begin(0))
        await asyncio.sleep(0)
        time.sleep(0.03)  # noqa: ASYNC251 - that is what a busy loop does
        second = await pace.begin(0)
        assert (await first).began < second.began


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 9)), min_size=1, max_size=25), st.booleans())
def test_whoever_is_cancelled_gives_the_turn_back(
    in_no_time: InNoTime, calls: list[tuple[int, int]], capped: bool
) -> None:
    """Each call lasts so long and is cancelled after so long, which may be before, at or after its turn."""

    async def work() -> None:
        pace = Pace("p", Caps(tokens_per_minute=6000) if capped else Caps())

        async def call(seconds: int) -> None:
            turn = await pace.begin(100)
            try:
                await asyncio.sleep(seconds)
            finally:
                pace.end(turn, tokens=100)

        with pace.up_to(2):
            tasks = [asyncio.create_task(call(seconds)) for seconds, _ in calls]
            for task, (_, cancelled_at) in zip(tasks, calls, strict=True):
                asyncio.get_running_loop().call_later(cancelled_at, task.cancel)
            await asyncio.wait(tasks)
            assert pace.under_way == 0
            # Nobody took anything along: whoever comes next is let in.
            await asyncio.wait_for(pace.begin(0), 30)

    in_no_time(work())


def test_a_turn_that_comes_together_with_the_cancellation_is_given_back(in_no_time: InNoTime) -> None:
    async def work() -> None:
        pace = Pace("p", Caps(tokens_per_minute=60))
        with pace.up_to(1):
            turn = await pace.begin(0)
            waiting = asyncio.create_task(pace.begin(600))
            await asyncio.sleep(1)
            pace.end(turn, tokens=0)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
            assert pace.under_way == 0
            # Nor are its tokens missed: they would be ten minutes' worth.
            await asyncio.wait_for(pace.begin(0), 0.1)

    in_no_time(work())


async def greedy(pace: Pace, seconds: float, *, most: int, used: int) -> list[tuple[float, int]]:
    """Ask as fast as may be for so long, by 50 callers; returns when each call began and what it took."""
    began: list[tuple[float, int]] = []
    end = now() + seconds

    async def caller() -> None:
        while now() < end:
            turn = await pace.begin(most)
            began.append((now(), used))
            await asyncio.sleep(0.7)
            pace.speed_up()
            pace.end(turn, tokens=used)

    with pace.up_to(50):
        await asyncio.gather(*(caller() for _ in range(50)))
    return began


def most_in_a_minute(taken: list[tuple[float, int]]) -> int:
    times = [time for time, _ in taken]
    totals = [0, *itertools.accumulate(amount for _, amount in taken)]
    return max(totals[bisect_left(times, time + 60)] - totals[first] for first, time in enumerate(times))


@pytest.mark.parametrize("per_minute", [30, 600, 3000])
def test_a_cap_on_requests_holds_in_every_minute_and_is_made_use_of(in_no_time: InNoTime, per_minute: int) -> None:
    async def work() -> None:
        pace = Pace("p", Caps(requests_per_minute=per_minute))
        taken = [(time, 1) for time, _ in await greedy(pace, 300, most=0, used=0)]
        # A second's worth may go out at once.
        assert most_in_a_minute(taken) <= per_minute + max(per_minute / 60, 1) + 1
        assert len(taken) > 0.95 * 5 * per_minute

    in_no_time(work())


@pytest.mark.parametrize("used", [100, 1000])
def test_a_cap_on_tokens_holds_in_every_minute_and_what_was_not_used_is_free(in_no_time: InNoTime, used: int) -> None:
    async def work() -> None:
        pace = Pace("p", Caps(tokens_per_minute=60_000))
        taken = await greedy(pace, 300, most=1000, used=used)
        assert most_in_a_minute(taken) <= 60_000 + 1000 + 1000
        assert sum(amount for _, amount in taken) > 0.95 * 5 * 60_000

    in_no_time(work())


def test_a_call_larger_than_the_cap_goes_out_and_is_waited_for(in_no_time: InNoTime) -> None:
    async def work() -> None:
        pace = Pace("p", Caps(tokens_per_minute=600))
        began = []
        with pace.up_to(10):
            for _ in range(3):
                turn = await pace.begin(1200)
                began.append(now())
                pace.end(turn, tokens=1200)
        assert [after - before for before, after in itertools.pairwise(began)] == pytest.approx([119, 120], abs=0.01)

    in_no_time(work())


def test_a_cap_on_concurrency_is_kept_whatever_a_campaign_asks_for() -> None:
    pace = Pace("p", Caps(concurrency=3))
    with pace.up_to(50):
        assert pace.concurrency == 3
    with pace.up_to(2):
        assert pace.concurrency == 2


def test_nothing_begins_while_the_place_is_closed(in_no_time: InNoTime) -> None:
    async def work() -> None:
        pace, opened = Pace("p"), now() + 45
        with pace.up_to(4):
            (turn,) = await turns(pace, 1)
            pace.slow_down(turn, 45)
            pace.end(turn, tokens=0)
            # Of several wishes the longest counts, and none is no wish.
            pace.close_for(5)
            pace.close_for(0)
            pace.close_for(-3)
            assert pace.closed_seconds == pytest.approx(45)
            early = asyncio.create_task(pace.begin(0))
            await asyncio.sleep(30)
            assert (early.done(), pace.under_way) == (False, 0)
            pace.end(await early, tokens=0)
            assert now() == pytest.approx(opened)
            assert pace.closed_seconds == pytest.approx(0)

    in_no_time(work())


def test_a_place_closed_again_while_one_waits_stays_closed(in_no_time: InNoTime) -> None:
    async def work() -> None:
        pace = Pace("p")
        with pace.up_to(4):
            pace.close_for(10)
            waiting = asyncio.create_task(pace.begin(0))
            await asyncio.sleep(9)
            pace.close_for(60)
            began = now()
            await waiting
            assert now() - began == pytest.approx(60)

    in_no_time(work())


def test_two_campaigns_at_one_place_share_its_pace(in_no_time: InNoTime) -> None:
    assert pace_of("api.example.org", Caps(concurrency=9)) is pace_of("api.example.org", Caps(concurrency=9))
    assert pace_of("api.example.org") is not pace_of("api.example.net")

    async def work() -> None:
        pace = Pace("p", Caps(requests_per_minute=60))
        most, begun = 0, 0

        async def campaign(ceiling: int) -> None:
            nonlocal most, begun

            async def call() -> None:
                nonlocal most, begun
                turn = await pace.begin(0)
                begun += 1
                most = max(most, pace.under_way)
                await asyncio.sleep(20)
                pace.speed_up()
                pace.end(turn, tokens=0)

            with pace.up_to(ceiling):
                await asyncio.gather(*(call() for _ in range(60)))

        began = now()
        await asyncio.gather(campaign(6), campaign(10))
        # Of the two ceilings the higher counts, for both together; so does the cap.
        assert (most, begun) == (10, 120)
        assert now() - began >= 119
        assert pace.concurrency == 1

    in_no_time(work())


def test_a_place_is_as_good_in_a_later_event_loop() -> None:
    pace = Pace("p", Caps(requests_per_minute=6000))

    async def leave_some_waiting() -> None:
        with pace.up_to(1):
            pace.close_for(0.05)
            waiting = [asyncio.create_task(pace.begin(0)) for _ in range(3)]
            await asyncio.sleep(0)
            for task in waiting:
                task.cancel()
            await asyncio.wait(waiting)

    async def ask() -> None:
        with pace.up_to(1):
            pace.end(await asyncio.wait_for(pace.begin(0), 5), tokens=0)

    asyncio.run(leave_some_waiting())
    asyncio.run(ask())
    assert pace.under_way == 0
