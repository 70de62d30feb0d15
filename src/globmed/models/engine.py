"""What runs one campaign: workers that take requests, ask, save and report. `globmed.models.campaign` says what for."""

from __future__ import annotations

import asyncio
import itertools
import math
import time
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, aclosing, contextmanager
from dataclasses import dataclass
from typing import Any

import msgspec

from globmed.core.errors import GlobmedError, InterruptedRunError, LimitReachedError, TermsError, UsageError
from globmed.models.attempts import Attempts, Patience
from globmed.models.budget import Purse
from globmed.models.client import Client, Reply, Request, Setback, Status, Usage, reply_key
from globmed.models.interrupt import on_signals
from globmed.models.journal import Journal

# Requests held because another one with the same key is under way: a prompt that a million items share must not pull
# all of them into memory.
_SHARING_MAX = 1024
_PROGRESS_SECONDS = 0.2
# Replies that wait to be durable: what may be asked again after a crash, beside what is under way.
_UNSAVED_MAX = 64
# Batches of answers that wait for a slow caller.
_HELD_MAX = 4
# Replies that come within so long share a write and an fdatasync, which saves a tenth of the CPU time.
_GATHER_SECONDS = 0.01


class Answered(msgspec.Struct, frozen=True, kw_only=True):
    """A request with its reply.

    Attributes:
        key: the reply's key, 32 hexadecimal digits.
        request: what was asked.
        reply: what came back.
        from_journal: whether it was answered by an earlier campaign rather than now.
    """

    key: str
    request: Request
    reply: Reply
    from_journal: bool


class CampaignStats(msgspec.Struct, frozen=True, kw_only=True):
    """How far a campaign is.

    Attributes:
        from_journal: requests answered from the journal.
        shared: requests given the reply of another one with the same key, asked in this campaign.
        asked: requests sent, each counted once however often it was tried.
        asked_again: of these, under way when the journal's last writer was killed: they may be paid for twice.
        errors_retried: of these, with an error in the journal.
        replies: requests that have their reply, by its status, wherever it came from.
        setbacks: tries that failed and were made again, by kind.
        usage: tokens of the requests asked now.
        cost_usd: their price; None where that is not known.
        place: where the model answers.
        under_way: calls at that place now, those of other campaigns included.
        concurrency: how many there may be now.
        closed_seconds: how long that place asked to be left alone, from now.
        stopping: nothing more is sent; what is under way is waited for.
        seconds: since the campaign began.
    """

    from_journal: int
    shared: int
    asked: int
    asked_again: int
    errors_retried: int
    replies: dict[Status, int]
    setbacks: dict[str, int]
    usage: Usage
    cost_usd: float | None
    place: str
    under_way: int
    concurrency: int
    closed_seconds: float
    stopping: bool
    seconds: float


OnAnswer = Callable[[Answered], None]
OnProgress = Callable[[CampaignStats], None]


@dataclass(frozen=True, kw_only=True)
class Campaign:
    """What one model is asked, by `run_campaigns`.

    Attributes:
        requests: what to ask.
        client: whom.
        journal: open for writing.
        purse: what it may spend.
        on_answer: called with each request and its reply, in the order they come.
        on_progress: called with the state some five times a second and at the end.
    """

    requests: Iterable[Request]
    client: Client
    journal: Journal
    purse: Purse | None = None
    on_answer: OnAnswer | None = None
    on_progress: OnProgress | None = None


class Engine:
    """One campaign at work."""

    def __init__(self, told: Campaign, *, concurrency: int, patience: Patience) -> None:
        """Get ready; nothing is asked yet.

        Raises:
            UsageError: `concurrency` below 1.
        """
        if concurrency < 1:
            raise UsageError(f"concurrency is {concurrency}; expected at least 1")
        self.client, self._pace = told.client, told.client.pace
        self._told, self._journal = told, told.journal
        self._attempts = Attempts(told.client, patience, told.purse)
        self._requests = iter(told.requests)
        self._concurrency, self._patience = concurrency, patience
        # Batches of answers for the caller; None after the last.
        self._out: asyncio.Queue[list[Answered] | None] = asyncio.Queue(maxsize=_HELD_MAX)
        # Replies that came and are not saved yet; None after the last.
        self._to_save: asyncio.Queue[list[tuple[str, Reply]] | None] = asyncio.Queue()
        self._unsaved, self._room = 0, asyncio.Event()
        self._taking = asyncio.Lock()
        self._workers: list[asyncio.Task[None]] = []
        # Workers that wait for a turn or for another try: nothing of theirs is under way, so a stop ends them at once.
        self._waiting: set[asyncio.Task[Any]] = set()
        self._stopping = self._interrupted = self._deserted = False
        self._why_stopped: GlobmedError | None = None
        # Every request under way by key; those after the first share its reply.
        self._under_way: dict[str, list[Request]] = {}
        self._sharing = 0
        self._settled = asyncio.Event()
        self._held: Request | None = None
        self._count: Counter[str] = Counter()
        self._replies: Counter[Status] = Counter()
        self._usage = Usage()
        self._journal_bytes_before = self._journal.size_bytes
        self._began = time.monotonic()
        self._reported = -math.inf

    async def answers(self) -> AsyncGenerator[Answered, None]:
        """Give what `campaign` promises."""
        running = asyncio.create_task(self._run())
        with ExitStack() as stack:
            stack.enter_context(self._pace.up_to(self._concurrency))
            stack.enter_context(on_signals(self.interrupt))
            try:
                while (answers := await self._out.get()) is not None:
                    for answered in answers:
                        yield answered
                await running
            finally:
                # What the caller leaves behind was paid for: it is saved, and reported to nobody.
                self._deserted = True
                while not self._out.empty():
                    self._out.get_nowait()
                running.cancel()
                await asyncio.gather(running, return_exceptions=True)

    async def drain(self) -> None:
        """Ask everything, and tell the caller of each answer."""
        async with aclosing(self.answers()) as answers:
            async for answered in answers:
                if self._told.on_answer is not None:
                    self._told.on_answer(answered)

    def stop(self, why: GlobmedError | None) -> None:
        """Send nothing more, and wait for what is under way; an error given is raised at the end."""
        self._why_stopped = self._why_stopped or why
        if not self._stopping:
            self._stopping = True
            self._settled.set()
            for task in self._waiting:
                task.cancel()
        if why is not None:
            self._report(at_once=True)

    def stats(self) -> CampaignStats:
        """Return how far it is."""
        count, pace = self._count, self._pace
        return CampaignStats(
            from_journal=count["from_journal"],
            shared=count["shared"],
            asked=count["asked"],
            asked_again=count["asked_again"],
            errors_retried=count["errors_retried"],
            replies=dict(self._replies),
            setbacks=dict(self._attempts.setbacks.most_common()),
            usage=self._usage,
            cost_usd=self._attempts.spent.cost_usd if self._is_priced() else None,
            place=pace.place,
            under_way=pace.under_way,
            concurrency=pace.concurrency,
            closed_seconds=pace.closed_seconds,
            stopping=self._why_stopped is not None,
            seconds=time.monotonic() - self._began,
        )

    def _is_priced(self) -> bool:
        purse = self._told.purse
        return purse is not None and (purse.price is not None or self.client.on_this_machine)

    async def _run(self) -> None:
        """Ask until the requests end or `stop` is called; put every answer, and at the end None, into `_out`."""
        loop, limit_seconds = asyncio.get_running_loop(), self._patience.seconds
        clock = None if limit_seconds is None else loop.call_later(limit_seconds, self._time_is_up)
        self._workers = [asyncio.create_task(self._work()) for _ in range(self._concurrency)]
        saver = asyncio.create_task(self._save())
        working = asyncio.ensure_future(asyncio.wait(self._workers, return_when=asyncio.FIRST_EXCEPTION))
        try:
            await asyncio.wait([working, saver], return_when=asyncio.FIRST_COMPLETED)
            # One failed or all are done. The others finish what they have sent, for it is paid for, and can be saved.
            self.stop(None)
            if saver.done():
                self._cancel_workers()
            await asyncio.wait(self._workers)
            self._to_save.put_nowait(None)
            await asyncio.wait([saver])
            await self._out.put(None)
        finally:
            if clock is not None:
                clock.cancel()
            self._cancel_workers()
            await asyncio.gather(*self._workers, working, return_exceptions=True)
            self._to_save.put_nowait(None)
            await asyncio.gather(saver, return_exceptions=True)
        self._report(at_once=True)
        # What could not be saved comes first; why nothing more was sent is one line with what is saved now.
        saver.result()
        if (why := self._why_stopped) is not None:
            raise type(why)(f"{why}; {self._kept()}")
        for worker in self._workers:
            if not worker.cancelled():
                worker.result()

    def interrupt(self) -> None:
        """Stop; called a second time, do not wait for what is under way either."""
        if self._interrupted:
            self._cancel_workers()
        self._interrupted = True
        self.stop(InterruptedRunError("stopped by a signal"))

    def _cancel_workers(self) -> None:
        for worker in self._workers:
            worker.cancel()

    def _time_is_up(self) -> None:
        self.stop(LimitReachedError(f"{self.client.model}: {self._patience.seconds:g} s are over"))

    def _kept(self) -> str:
        return (
            f"{len(self._journal)} replies are in {self._journal.path}. Run the same command again to go on from there"
        )

    async def _work(self) -> None:
        while (batch := await self._next_batch()) and not self._stopping:
            await self._ask(batch)

    async def _ask(self, keys: list[str]) -> None:
        """Try until each of some requests under way has its reply, and save each as it comes."""
        for tries in itertools.count(1):
            outcomes = self._attempts.judge(await self._try(keys, is_first=tries == 1), tries)
            saved = [(key, _sound(one)) for key, one in zip(keys, outcomes, strict=True) if isinstance(one, Reply)]
            if saved:
                await self._hand_over(saved)
            keys = [key for key, one in zip(keys, outcomes, strict=True) if isinstance(one, Setback)]
            if not keys or self._stopping:
                return
            with self._ended_by_stop():
                await self._attempts.wait([one for one in outcomes if isinstance(one, Setback)], tries)

    async def _hand_over(self, saved: list[tuple[str, Reply]]) -> None:
        self._to_save.put_nowait(saved)
        self._unsaved += len(saved)
        while self._unsaved >= _UNSAVED_MAX:
            self._room.clear()
            await self._room.wait()

    async def _save(self) -> None:
        """Save replies, and report them once they are durable, while the workers ask on."""
        last = False
        while not last and (first := await self._to_save.get()) is not None:
            await asyncio.sleep(_GATHER_SECONDS)
            saved = list(first)
            while not self._to_save.empty():
                if (batch := self._to_save.get_nowait()) is None:
                    last = True
                else:
                    saved += batch
            await self._journal.commit(saved)
            self._unsaved -= len(saved)
            self._room.set()
            await self._settle(saved)

    async def _try(self, keys: Sequence[str], *, is_first: bool) -> Sequence[Reply | Setback]:
        requests = [self._under_way[key][0] for key in keys]
        with self._ended_by_stop():
            call = await self._attempts.begin(requests)
        outcomes: Sequence[Reply | Setback] = ()
        try:
            if is_first:
                self._note_asked(keys)
            outcomes = await self.client.answer(requests)
        finally:
            self._attempts.end(call, outcomes)
        return outcomes

    @contextmanager
    def _ended_by_stop(self) -> Iterator[None]:
        """Mark that nothing is under way that is worth waiting for; an error says why nothing more may be sent."""
        task = asyncio.current_task()
        assert task is not None, "workers are tasks"
        self._waiting.add(task)
        try:
            yield
        except GlobmedError as error:
            self._waiting.discard(task)
            self.stop(error)
            raise
        finally:
            self._waiting.discard(task)

    def _note_asked(self, keys: Sequence[str]) -> None:
        self._journal.ask(keys)
        self._count["asked"] += len(keys)
        if in_flight := self._journal.opened.in_flight:
            self._count["asked_again"] += sum(key in in_flight for key in keys)

    async def _next_batch(self) -> list[str]:
        """Take requests until a batch of them must be asked; return its keys. Empty at the end."""
        batch: list[str] = []
        async with self._taking:
            size = self._batch_size()
            while len(batch) < size and not self._stopping:
                request, self._held = self._held or next(self._requests, None), None
                if request is None:
                    break
                self._refuse_if_forbidden(request)
                key = reply_key(self.client, request)
                if key not in self._under_way:
                    if not await self._answer_from_journal(key, request):
                        self._under_way[key] = [request]
                        batch.append(key)
                elif self._sharing < _SHARING_MAX:
                    self._under_way[key].append(request)
                    self._sharing += 1
                else:
                    self._held = request
                    if batch:
                        break
                    self._settled.clear()
                    await self._settled.wait()
        return batch

    def _batch_size(self) -> int:
        """Return how many to ask at once: no more than the budget lets, so that its last requests are used too."""
        left = self._told.purse.budget.requests_left if self._told.purse else None
        return self.client.batch_size if left is None else max(min(self.client.batch_size, left), 1)

    def _refuse_if_forbidden(self, request: Request) -> None:
        if not request.may_leave_machine and not self.client.on_this_machine:
            raise forbidden(request, self.client)

    async def _answer_from_journal(self, key: str, request: Request) -> bool:
        saved = self._journal.saved(key)
        if saved is None:
            return False
        from_journal = saved.offset < self._journal_bytes_before
        if saved.reply.status == "error" and from_journal and self._patience.retry_errors:
            self._count["errors_retried"] += 1
            return False
        self._count["from_journal" if from_journal else "shared"] += 1
        await self._emit([Answered(key=key, request=request, reply=saved.reply, from_journal=from_journal)])
        return True

    async def _settle(self, saved: Sequence[tuple[str, Reply]]) -> None:
        answers = []
        for key, reply in saved:
            requests = self._under_way.pop(key)
            self._sharing -= len(requests) - 1
            self._count["shared"] += len(requests) - 1
            self._usage = self._usage + reply.usage
            answers += [Answered(key=key, request=each, reply=reply, from_journal=False) for each in requests]
        self._settled.set()
        await self._emit(answers)

    async def _emit(self, answers: list[Answered]) -> None:
        for answered in answers:
            self._replies[answered.reply.status] += 1
        if not self._deserted:
            await self._out.put(answers)
        self._report()

    def _report(self, *, at_once: bool = False) -> None:
        now = time.monotonic()
        if self._told.on_progress is not None and (at_once or now - self._reported >= _PROGRESS_SECONDS):
            self._reported = now
            self._told.on_progress(self.stats())


def forbidden(request: Request, client: Client) -> TermsError:
    """Return the refusal to send what may not leave this machine: it names the item, its source, and the rule."""
    return TermsError(
        f"{request.label or 'a request without a label'} of source {request.source or 'unknown'}: its terms "
        f"({request.licence or 'not stated'}; may_leave_machine is false) forbid sending it off this machine, and "
        f"{client.model} at {client.pace.place} is not known to be on it. Nothing of it was sent. "
        "Leave the source out, or ask a model in this process, or one at an endpoint preset that says it is on this "
        "machine (globmed list endpoints)"
    )


def _sound(reply: Reply) -> Reply:
    """JSON has no infinity: a score that is none would come back from the journal as null."""
    reply = _without_infinities(reply)
    if all(map(math.isfinite, reply.option_logprobs)) and all(map(math.isfinite, reply.option_priors)):
        return reply
    return Reply(status="error", finish=f"a log-probability is not finite: {reply.option_logprobs}", usage=reply.usage)


def _without_infinities(reply: Reply) -> Reply:
    """Leave out the tokens that could not have come: a sampler gives those that it rules out the logarithm of 0."""
    if all(math.isfinite(one.logprob) and all(map(math.isfinite, one.top.values())) for one in reply.logprobs):
        return reply
    kept = (
        msgspec.structs.replace(one, top={token: value for token, value in one.top.items() if math.isfinite(value)})
        for one in reply.logprobs
        if math.isfinite(one.logprob)
    )
    return msgspec.structs.replace(reply, logprobs=tuple(kept))
