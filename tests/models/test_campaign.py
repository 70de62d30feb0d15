"""The engine: each request answered once, whatever the client does, in bounded memory."""

import asyncio
import math
import os
import signal
import threading
import time
import tracemalloc
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from globmed.core.errors import (
    EnvironmentFailedError,
    InputError,
    InterruptedRunError,
    LimitReachedError,
    TermsError,
    UsageError,
)
from globmed.models.baseline import LongestOption
from globmed.models.campaign import (
    Answered,
    Campaign,
    CampaignStats,
    Patience,
    campaign,
    run_campaign,
    run_campaigns,
)
from globmed.models.client import Message, Reply, Request, Setback, Settings, TokenLogprob, Usage, reply_key
from globmed.models.engine import _HELD_MAX, _UNSAVED_MAX
from globmed.models.journal import Journal, read_replies
from globmed.models.pace import Pace

Ask = Callable[..., Request]
BUSY = Setback(reason="busy", kind="HTTP 503")


class Recorder:
    """A client that records what it is asked and answers by a function, after a pause."""

    revision = ""

    def __init__(
        self,
        model: str = "recorder",
        *,
        batch_size: int = 1,
        on_this_machine: bool = True,
        pause_seconds: float = 0.0,
        pace: Pace | None = None,
    ) -> None:
        self.model, self.batch_size, self.on_this_machine = model, batch_size, on_this_machine
        self.pause_seconds, self.pace = pause_seconds, pace or Pace("example.org")
        self.batches: list[list[str]] = []
        self.now = self.most = self.closed = 0
        self.reply: Callable[[str], Reply | Setback] = lambda text: Reply(
            status="ok", text=text, usage=Usage(input=2, output=1)
        )

    def sent(self, request: Request) -> Mapping[str, Any]:
        return {"messages": msgspec.to_builtins(request.messages)}

    async def answer(self, batch: Sequence[Request]) -> Sequence[Reply | Setback]:
        texts = [request.messages[0].content for request in batch]
        self.batches.append(texts)
        self.now += 1
        self.most = max(self.most, self.now)
        await asyncio.sleep(self.pause_seconds)
        self.now -= 1
        return [self.reply(text) for text in texts]

    async def close(self) -> None:
        self.closed += 1

    @property
    def asked(self) -> list[str]:
        return [text for batch in self.batches for text in batch]


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with Journal.open(tmp_path / "replies.jsonl") as journal:
        yield journal


async def collect(answers: AsyncIterator[Answered]) -> list[Answered]:
    return [answered async for answered in answers]


async def test_each_request_is_answered_once_and_a_second_campaign_asks_nothing(journal: Journal, ask: Ask) -> None:
    client = Recorder(batch_size=7)
    requests = [ask(number, label=f"item/{number}") for number in range(100)]
    answers = await collect(campaign(requests, client, journal, concurrency=3))
    assert {each.request.label: each.reply.text for each in answers} == {
        f"item/{number}": f"question {number}" for number in range(100)
    }
    assert all(each.key == reply_key(client, each.request) and not each.from_journal for each in answers)
    assert sorted(client.asked) == sorted({*client.asked})
    assert {len(batch) for batch in client.batches} <= {7, 100 % 7}
    assert client.most == 3
    assert client.closed == 0
    seen: list[CampaignStats] = []
    again = await collect(campaign(requests, client, journal, concurrency=3, on_progress=seen.append))
    assert len(client.asked) == 100
    assert {(a.request.label, a.reply.text, a.from_journal) for a in again} == {
        (f"item/{number}", f"question {number}", True) for number in range(100)
    }
    last = seen[-1]
    assert (last.from_journal, last.asked, last.shared, last.replies) == (100, 0, 0, {"ok": 100})
    assert last.usage == Usage()


@settings(max_examples=25)
@given(
    st.lists(st.integers(0, 6), max_size=40),
    st.integers(1, 5),
    st.integers(1, 5),
    st.sets(st.integers(0, 6)),
)
def test_requests_with_one_key_share_a_reply(
    tmp_path_factory: pytest.TempPathFactory, numbers: list[int], batch_size: int, concurrency: int, failing: set[int]
) -> None:
    client = Recorder(batch_size=batch_size)
    fails = {f"question {number}" for number in failing}
    client.reply = lambda text: Reply(status="error" if text in fails else "ok", text=text)
    requests = [Request(messages=(Message(role="user", content=f"question {number}"),)) for number in numbers]
    answers: list[Answered] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("globmed.models.engine._SHARING_MAX", 3)
        with Journal.open(tmp_path_factory.mktemp("shared") / "replies.jsonl") as journal:
            stats = run_campaign(requests, client, journal, concurrency=concurrency, on_answer=answers.append)
    assert Counter(each.request.messages[0].content for each in answers) == Counter(f"question {n}" for n in numbers)
    assert all(each.reply.text == each.request.messages[0].content for each in answers)
    assert sorted(client.asked) == sorted(f"question {number}" for number in {*numbers})
    assert (stats.asked, stats.shared) == (len({*numbers}), len(numbers) - len({*numbers}))
    assert client.closed == 1


async def test_errors_are_asked_again_by_a_later_campaign(journal: Journal, ask: Ask, tmp_path: Path) -> None:
    client, requests = Recorder(), [ask(number) for number in range(10)]
    client.reply = lambda text: Reply(status="error" if text in {"question 3", "question 4"} else "ok", text=text)
    await collect(campaign(requests, client, journal, concurrency=2))
    client.batches.clear()
    left = await collect(campaign(requests, client, journal, concurrency=2, patience=Patience(retry_errors=False)))
    assert (client.asked, sum(each.reply.status == "error" for each in left)) == ([], 2)
    seen: list[CampaignStats] = []
    client.reply = lambda text: Reply(status="ok", text=text)
    await collect(campaign(requests, client, journal, concurrency=2, on_progress=seen.append))
    assert sorted(client.asked) == ["question 3", "question 4"]
    assert (seen[-1].errors_retried, seen[-1].asked, seen[-1].replies) == (2, 2, {"ok": 10})
    replies = list(read_replies(tmp_path / "replies.jsonl"))
    assert len(replies) == 10
    assert {reply.status for _, reply in replies} == {"ok"}


async def test_what_may_not_leave_never_reaches_a_client_elsewhere(journal: Journal, ask: Ask) -> None:
    client = Recorder(on_this_machine=False)
    requests = [ask(0), ask(1), ask(2, label="licensed:7/yo", source="s", licence="L", may_leave_machine=False), ask(3)]
    with pytest.raises(TermsError, match=r"licensed:7/yo of source s: .*\(L; may_leave_machine is false\)"):
        await collect(campaign(requests, client, journal, concurrency=1))
    assert client.asked == ["question 0", "question 1"]
    assert len(journal) == 2
    here = Recorder()
    assert len(await collect(campaign(requests, here, journal, concurrency=1))) == 4
    # Even with the reply at hand: the refusal does not depend on what was asked before.
    with pytest.raises(TermsError):
        await collect(campaign(requests, client, journal, concurrency=1))


async def test_what_was_sent_is_saved_when_the_requests_break_off(journal: Journal, ask: Ask) -> None:
    def requests() -> Iterator[Request]:
        yield from (ask(number) for number in range(5))
        raise InputError("row 6 is broken")

    client = Recorder(pause_seconds=0.05)
    with pytest.raises(InputError, match="row 6"):
        await collect(campaign(requests(), client, journal, concurrency=8))
    assert len(client.asked) == len(journal) > 0


async def test_a_request_that_the_client_cannot_serve_stops_the_campaign(journal: Journal, ask: Ask) -> None:
    from globmed.models.http_api import HttpModel

    request = ask(settings=Settings(answer="score_options"))
    with pytest.raises(UsageError, match="score_options"):
        await collect(campaign([request], HttpModel("m", "http://127.0.0.1:9/v1"), journal, concurrency=1))
    with pytest.raises(UsageError, match="concurrency is 0"):
        await collect(campaign([], Recorder(), journal, concurrency=0))


async def test_a_score_that_is_no_number_is_an_error(journal: Journal, ask: Ask) -> None:
    client = Recorder()
    client.reply = lambda text: Reply(status="ok", text=text, option_logprobs=(0.0, float("-inf")))
    (answered,) = await collect(campaign([ask()], client, journal, concurrency=1))
    assert answered.reply.status == "error"
    saved = journal.saved(answered.key)
    assert saved is not None
    assert saved.reply == answered.reply


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_sends_no_more_and_saves_what_is_under_way(
    journal: Journal, ask: Ask, number: signal.Signals
) -> None:
    client, before = Recorder(pause_seconds=0.1), signal.getsignal(number)
    asyncio.get_running_loop().call_later(0.15, os.kill, os.getpid(), number)
    with pytest.raises(InterruptedRunError, match="Run the same command again"):
        await collect(campaign((ask(index) for index in range(10_000)), client, journal, concurrency=4))
    assert len(client.asked) == len(journal) == 8
    assert signal.getsignal(number) is before


async def test_a_signal_stops_every_campaign_under_way(tmp_path: Path, ask: Ask) -> None:
    async def run(name: str, pause_seconds: float) -> int:
        client = Recorder(pause_seconds=pause_seconds)
        with Journal.open(tmp_path / name) as journal:
            with pytest.raises(InterruptedRunError):
                await collect(campaign((ask(index) for index in range(10_000)), client, journal, concurrency=2))
            return len(journal)

    before = signal.getsignal(signal.SIGINT)
    asyncio.get_running_loop().call_later(0.1, os.kill, os.getpid(), signal.SIGINT)
    # The first to begin is the first to end, and a later one the last.
    saved = await asyncio.wait_for(asyncio.gather(run("quick", 0.01), run("slow", 0.3)), 10)
    assert saved[0] < 100
    assert saved[1] == 2
    assert signal.getsignal(signal.SIGINT) is before


async def test_a_second_signal_does_not_wait(journal: Journal, ask: Ask) -> None:
    client, loop = Recorder(pause_seconds=60), asyncio.get_running_loop()
    for seconds in (0.05, 0.1):
        loop.call_later(seconds, os.kill, os.getpid(), signal.SIGINT)
    with pytest.raises(InterruptedRunError):
        await asyncio.wait_for(collect(campaign([ask()], client, journal, concurrency=1)), 5)
    assert len(journal) == 0


async def test_a_signal_ends_the_waits_between_tries_and_saves_what_is_under_way(journal: Journal, ask: Ask) -> None:
    client = Recorder(pause_seconds=0.3)
    client.reply = lambda text: BUSY if text == "question 0" else Reply(status="ok", text=text)
    loop, patience = asyncio.get_running_loop(), Patience(first_wait_seconds=60)
    # While the first is waited with and two more are under way.
    loop.call_later(0.45, os.kill, os.getpid(), signal.SIGINT)
    began = loop.time()
    with pytest.raises(InterruptedRunError):
        await collect(campaign(map(ask, range(10_000)), client, journal, concurrency=3, patience=patience))
    assert loop.time() - began < 2
    assert client.asked.count("question 0") == 1
    assert len(client.asked) == len(journal) + 1


async def test_what_fails_after_a_signal_is_not_tried_again(journal: Journal, ask: Ask) -> None:
    client, loop = Recorder(pause_seconds=0.2), asyncio.get_running_loop()
    client.reply = lambda _: BUSY
    loop.call_later(0.1, os.kill, os.getpid(), signal.SIGINT)
    with pytest.raises(InterruptedRunError):
        await asyncio.wait_for(collect(campaign(map(ask, range(9)), client, journal, concurrency=2)), 5)
    assert sorted(client.asked) == ["question 0", "question 1"]
    assert len(journal) == 0


async def test_a_signal_does_not_wait_for_a_place_that_is_closed(journal: Journal, ask: Ask) -> None:
    client, loop = Recorder(), asyncio.get_running_loop()
    client.pace.close_for(60)
    loop.call_later(0.1, os.kill, os.getpid(), signal.SIGINT)
    with pytest.raises(InterruptedRunError):
        await asyncio.wait_for(collect(campaign(map(ask, range(9)), client, journal, concurrency=2)), 5)
    assert client.asked == []


async def test_after_so_long_nothing_more_is_sent(journal: Journal, ask: Ask) -> None:
    client, patience = Recorder(pause_seconds=0.2), Patience(seconds=0.5)
    with pytest.raises(LimitReachedError, match=r"recorder: 0.5 s are over; 12 replies are in .*Run the same command"):
        await collect(campaign(map(ask, range(10_000)), client, journal, concurrency=4, patience=patience))
    assert len(client.asked) == len(journal) == 12
    # A campaign that ends sooner does not notice.
    assert len(await collect(campaign(map(ask, range(14)), client, journal, concurrency=4, patience=patience))) == 14


async def test_two_signals_end_what_is_under_way_after_the_time_is_over_too(journal: Journal, ask: Ask) -> None:
    client, loop = Recorder(pause_seconds=60), asyncio.get_running_loop()
    for seconds in (0.1, 0.15):
        loop.call_later(seconds, os.kill, os.getpid(), signal.SIGINT)
    answers = campaign([ask()], client, journal, concurrency=1, patience=Patience(seconds=0.05))
    with pytest.raises(LimitReachedError):
        await asyncio.wait_for(collect(answers), 5)


@settings(max_examples=25)
@given(st.lists(st.integers(0, 6), max_size=20), st.integers(1, 4), st.integers(1, 5))
def test_setbacks_are_tried_again_and_each_request_is_answered_once(
    tmp_path_factory: pytest.TempPathFactory, failures: list[int], batch_size: int, concurrency: int
) -> None:
    """Each request fails so often; after four tries that is an error."""
    client, left = Recorder(batch_size=batch_size), dict(enumerate(failures))

    def reply(text: str) -> Reply | Setback:
        number = int(text.split()[1])
        left[number] -= 1
        return BUSY if left[number] >= 0 else Reply(status="ok", text=text)

    client.reply = reply
    requests = [Request(messages=(Message("user", f"question {number}"),)) for number in range(len(failures))]
    path = tmp_path_factory.mktemp("tried") / "replies.jsonl"
    answers: list[Answered] = []
    patience = Patience(retries=3, first_wait_seconds=0.0005, longest_wait_seconds=0.001)
    with Journal.open(path) as journal:
        stats = run_campaign(
            requests, client, journal, concurrency=concurrency, patience=patience, on_answer=answers.append
        )
    expected = {
        f"question {number}": "ok" if count <= 3 else "error" for number, count in enumerate(failures)
    }  # fmt: skip
    assert {each.request.messages[0].content: each.reply.status for each in answers} == expected
    assert len(answers) == len(failures)
    assert Counter(client.asked) == {f"question {n}": min(count, 3) + 1 for n, count in enumerate(failures)}
    assert (stats.asked, stats.setbacks.get("HTTP 503", 0)) == (len(failures), sum(min(c, 4) for c in failures))
    assert dict(read_replies(path)) == {each.key: each.reply for each in answers}
    assert (client.pace.under_way, stats.closed_seconds) == (0, 0)


async def test_a_place_that_answers_nobody_stops_the_campaign_and_what_was_answered_is_kept(
    journal: Journal, ask: Ask
) -> None:
    client, answered = Recorder(pause_seconds=0.01), Counter[str]()

    def reply(text: str) -> Reply | Setback:
        answered[text] += 1
        no_credit = Setback(reason="HTTP 402: no credit", kind="HTTP 402", closed=True)
        return Reply(status="ok", text=text) if answered.total() <= 20 else no_credit

    client.reply = reply
    with pytest.raises(EnvironmentFailedError, match=r"answers nobody: HTTP 402: no credit; 20 replies are in .*same"):
        await collect(campaign(map(ask, range(10_000)), client, journal, concurrency=4))
    assert len(journal) == 20
    assert answered.total() <= 24


def test_several_models_at_one_place_share_what_may_be_under_way(tmp_path: Path, ask: Ask) -> None:
    place, under_way = Pace("example.org"), set[int]()
    clients = [Recorder(name, pause_seconds=0.01, pace=place) for name in "abc"] + [Recorder("d", pause_seconds=0.01)]

    def reply(text: str) -> Reply:
        under_way.add(place.under_way)
        return Reply(status="ok", text=text)

    for client in clients:
        client.reply = reply
    journals = [Journal.open(tmp_path / client.model) for client in clients]
    told = [
        Campaign(requests=map(ask, range(40)), client=client, journal=journal)
        for client, journal in zip(clients, journals, strict=True)
    ]
    stats = run_campaigns(told, concurrency=6)
    assert [(one.asked, one.place) for one in stats] == [(40, "example.org")] * 4
    assert max(under_way) == clients[3].most == 6
    for client, journal in zip(clients, journals, strict=True):
        journal.close()
        assert sorted(client.asked) == sorted(f"question {number}" for number in range(40))
        assert client.closed == 1


def test_where_one_campaign_fails_the_others_save_what_is_under_way(
    tmp_path: Path, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail_too(text: str) -> Reply:
        raise InputError(f"{text} cannot be asked")

    create_task, tasks = asyncio.create_task, list[asyncio.Task[Any]]()

    def remember(work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        tasks.append(create_task(work))
        return tasks[-1]

    monkeypatch.setattr(asyncio, "create_task", remember)
    failing, fine, also_failing = Recorder("failing"), *(Recorder(name, pause_seconds=0.1) for name in ("fine", "also"))
    failing.reply = lambda _: Setback(reason="HTTP 401: wrong key", kind="HTTP 401", closed=True)
    also_failing.reply = fail_too
    clients = (fine, failing, also_failing)
    journals = [Journal.open(tmp_path / client.model) for client in clients]
    told = [
        Campaign(requests=map(ask, range(10_000)), client=client, journal=journal)
        for client, journal in zip(clients, journals, strict=True)
    ]
    with pytest.raises(EnvironmentFailedError, match=r"failing at .*wrong key; 0 replies"):
        run_campaigns(told, concurrency=4)
    assert [len(journal) for journal in journals] == [4, 0, 0]
    assert len(fine.asked) == 4
    assert [client.closed for client in clients] == [1, 1, 1]
    # Of every other error note was taken too, or asyncio would print it, with its traceback.
    assert len(tasks) > 12
    assert not any(task._log_traceback for task in tasks)
    for journal in journals:
        journal.close()


async def test_it_runs_where_an_event_loop_runs_already(journal: Journal, ask: Ask) -> None:
    """As in a notebook."""
    client, answers = Recorder(), list[Answered]()
    stats = run_campaign(map(ask, range(20)), client, journal, concurrency=4, on_answer=answers.append)
    assert (stats.asked, len(answers), client.closed) == (20, 20, 1)
    # The loop goes on as before, and so does the next campaign in it.
    await asyncio.sleep(0)
    assert run_campaign(map(ask, range(30)), client, journal, concurrency=4).from_journal == 20
    with pytest.raises(UsageError, match="concurrency is 0"):
        run_campaign([], client, journal, concurrency=0)


@pytest.mark.parametrize(("pause_seconds", "signals"), [(0.1, 1), (60, 2)])
def test_in_a_notebook_the_stop_button_stops_it(journal: Journal, ask: Ask, pause_seconds: float, signals: int) -> None:
    client, began = Recorder(pause_seconds=pause_seconds), time.monotonic()

    async def cell() -> None:
        run_campaign(map(ask, range(10_000)), client, journal, concurrency=2)

    timers = [threading.Timer(0.15 + 0.2 * number, os.kill, (os.getpid(), signal.SIGINT)) for number in range(signals)]
    for timer in timers:
        timer.start()
    # Not by `asyncio.run`, which hears the signal in its own way.
    loop = asyncio.new_event_loop()
    with pytest.raises(InterruptedRunError, match="stopped by a signal"):
        loop.run_until_complete(cell())
    loop.close()
    for timer in timers:
        timer.join()
    assert time.monotonic() - began < 5
    assert len(journal) == (len(client.asked) if signals == 1 else 0)


@pytest.mark.parametrize("listener", ["on_answer", "on_progress"])
def test_a_listener_that_fails_ends_the_campaign(journal: Journal, ask: Ask, listener: str) -> None:
    def fail(_: object) -> None:
        raise BrokenPipeError("nobody reads it")

    client: Recorder = Recorder()
    listeners: dict[str, Any] = {listener: fail}
    with pytest.raises(BrokenPipeError, match="nobody reads it"):
        run_campaign(map(ask, range(10_000)), client, journal, concurrency=4, **listeners)
    assert len(client.asked) < 100
    assert client.closed == 1


async def test_leaving_early_ends_what_is_under_way(journal: Journal, ask: Ask) -> None:
    client = Recorder(pause_seconds=0.01)
    async with aclosing(campaign((ask(index) for index in range(10_000)), client, journal, concurrency=2)) as answers:
        async for _ in answers:
            break
    asked = len(client.asked)
    await asyncio.sleep(0.05)
    assert len(client.asked) == asked < 20
    # The journal is as good as before.
    assert len(await collect(campaign([ask(index) for index in range(20)], client, journal, concurrency=2))) == 20


async def test_replies_that_came_are_kept_when_the_caller_leaves(journal: Journal, ask: Ask) -> None:
    client, came = Recorder(), list[str]()

    def reply(text: str) -> Reply:
        came.append(text)
        return Reply(status="ok", text=text)

    client.reply = reply
    async with aclosing(campaign((ask(index) for index in range(10_000)), client, journal, concurrency=8)) as answers:
        async for _ in answers:
            # More replies come, until as many wait as may: to be saved, and for this loop.
            await asyncio.sleep(0.1)
            break
    journal.close()
    saved = [reply.text for _, reply in read_replies(journal.path)]
    assert sorted(saved) == sorted(came)
    assert len(saved) > _UNSAVED_MAX


def test_a_thread_without_signals_can_run_one(journal: Journal, ask: Ask) -> None:
    stats: list[CampaignStats] = []
    thread = threading.Thread(target=lambda: stats.append(run_campaign([ask()], Recorder(), journal, concurrency=1)))
    thread.start()
    thread.join()
    assert stats[0].asked == 1


def test_a_slow_caller_is_not_run_ahead_of(journal: Journal, ask: Ask) -> None:
    client, taken = Recorder(), Counter[str]()

    def requests() -> Iterator[Request]:
        for index in range(100_000):
            taken["requests"] += 1
            yield ask(index)

    async def run() -> None:
        async with aclosing(campaign(requests(), client, journal, concurrency=8)) as answers:
            await anext(answers)
            before = -1
            while taken["requests"] > before:
                before = taken["requests"]
                await asyncio.sleep(0.1)
            # Batches: the caller's, those that wait for it, one that wants to, and what is not saved yet.
            assert before <= (_HELD_MAX + 3) * (_UNSAVED_MAX + 8)

    asyncio.run(run())


def test_memory_does_not_grow_with_the_campaign(tmp_path: Path) -> None:
    def held(number: int) -> int:
        """Peak of what a campaign holds, first with prompts of their own, then with one that all share."""
        contents = [f"{index:05d}" for index in range(number)] + ["the same"] * number
        requests = (
            Request(messages=(Message(role="user", content=content * 200),), options=("a", "b")) for content in contents
        )
        with Journal.open(tmp_path / f"{number}.jsonl") as journal:
            tracemalloc.start()
            run_campaign(requests, LongestOption(), journal, concurrency=4)
            _, peak = tracemalloc.get_traced_memory()
            tracemalloc.stop()
        return peak

    held(100)
    # What grows is the index, up to 200 bytes a key until it is packed, and the list of contents.
    assert held(4000) - held(1000) < 3000 * 500


async def test_a_disk_that_fails_stops_the_campaign(
    journal: Journal, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = Recorder()

    def fail(fd: int) -> None:  # noqa: ARG001 - as os.fdatasync
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("globmed.models.journal._sync", fail)
    with pytest.raises(EnvironmentFailedError, match="No space left on device"):
        await collect(campaign((ask(index) for index in range(10_000)), client, journal, concurrency=4))
    assert len(client.asked) <= 4 + 64
    monkeypatch.undo()


def test_a_token_that_could_not_have_come_does_not_spoil_the_reply(journal: Journal, ask: Ask) -> None:
    client = Recorder()
    top = {"A": -0.1, "B": -math.inf}
    logprobs = (TokenLogprob(token="A", logprob=-0.1, top=top), TokenLogprob(token="?", logprob=-math.inf))
    client.reply = lambda text: Reply(status="ok", text=text, logprobs=logprobs)
    run_campaign([ask(1)], client, journal, concurrency=1)
    ((_, saved),) = read_replies(journal.path)
    assert saved.logprobs == (TokenLogprob(token="A", logprob=-0.1, top={"A": -0.1}),)
