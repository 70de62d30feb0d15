"""The engine: each request answered once, whatever the client does, in bounded memory."""

import asyncio
import os
import signal
import threading
import tracemalloc
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from globmed.core.errors import EnvironmentFailedError, InputError, InterruptedRunError, TermsError, UsageError
from globmed.models.baseline import LongestOption
from globmed.models.campaign import Answered, CampaignStats, campaign, run_campaign
from globmed.models.client import Message, Reply, Request, Settings, Usage, reply_key
from globmed.models.journal import Journal, read_replies

Ask = Callable[..., Request]


class Recorder:
    """A client that records what it is asked and answers by a function, after a pause."""

    model, revision = "recorder", ""

    def __init__(self, *, batch_size: int = 1, on_this_machine: bool = True, pause_seconds: float = 0.0) -> None:
        self.batch_size, self.on_this_machine, self.pause_seconds = batch_size, on_this_machine, pause_seconds
        self.batches: list[list[str]] = []
        self.now = self.most = self.closed = 0
        self.reply: Callable[[str], Reply] = lambda text: Reply(status="ok", text=text, usage=Usage(input=2, output=1))

    def sent(self, request: Request) -> Mapping[str, Any]:
        return {"messages": msgspec.to_builtins(request.messages)}

    async def answer(self, batch: Sequence[Request]) -> Sequence[Reply]:
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


@settings(max_examples=25, deadline=None)
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
        patch.setattr("globmed.models.campaign._SHARING_MAX", 3)
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
    left = await collect(campaign(requests, client, journal, concurrency=2, retry_errors=False))
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
    requests = [ask(0), ask(1), ask(2, label="licensed:7/yo", may_leave_machine=False), ask(3)]
    with pytest.raises(TermsError, match=r"licensed:7/yo: .*may_leave_machine is false.*recorder is not on it"):
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
    assert len(client.asked) == len(journal) == 5


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


def test_a_thread_without_signals_can_run_one(journal: Journal, ask: Ask) -> None:
    stats: list[CampaignStats] = []
    thread = threading.Thread(target=lambda: stats.append(run_campaign([ask()], Recorder(), journal, concurrency=1)))
    thread.start()
    thread.join()
    assert stats[0].asked == 1


def test_a_slow_caller_is_not_run_ahead_of(journal: Journal, ask: Ask) -> None:
    client, taken = Recorder(), Counter[str]()

    def requests() -> Iterator[Request]:
        for index in range(1000):
            taken["requests"] += 1
            yield ask(index)

    async def run() -> None:
        async with aclosing(campaign(requests(), client, journal, concurrency=2)) as answers:
            await anext(answers)
            await asyncio.sleep(0.1)
            assert taken["requests"] < 12

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
    assert len(client.asked) <= 8
    monkeypatch.undo()
