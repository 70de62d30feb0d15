"""The engine: asks a client any number of requests, resumably, in memory that does not grow with their number.

    requests -> journal: answered before? -> batches -> client -> journal: durable -> caller

What is in the journal is never asked again, except errors: a reply with status `error` is no answer, so a later
campaign on the same journal asks for it once more (unless `retry_errors=False`) and counts how often it did. Two
requests with one key share a reply.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from contextlib import aclosing

import msgspec

from globmed.core.errors import InterruptedRunError, TermsError, UsageError
from globmed.models.client import Client, Reply, Request, Status, Usage, reply_key
from globmed.models.interrupt import on_signals
from globmed.models.journal import Journal

# Requests held because another one with the same key is under way: a prompt that a million items share must not pull
# all of them into memory.
_SHARING_MAX = 1024
_PROGRESS_SECONDS = 0.2


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
        asked: requests sent.
        asked_again: of these, under way when the journal's last writer was killed: they may be paid for twice.
        errors_retried: of these, with an error in the journal.
        replies: requests that have their reply, by its status, wherever it came from.
        usage: tokens of the requests asked now.
        seconds: since the campaign began.
    """

    from_journal: int
    shared: int
    asked: int
    asked_again: int
    errors_retried: int
    replies: dict[Status, int]
    usage: Usage
    seconds: float


OnProgress = Callable[[CampaignStats], None]


async def campaign(
    requests: Iterable[Request],
    client: Client,
    journal: Journal,
    *,
    concurrency: int,
    retry_errors: bool = True,
    on_progress: OnProgress | None = None,
) -> AsyncGenerator[Answered, None]:
    """Ask a client every request that the journal does not answer, and yield each with its reply as it comes.

    A reply is durable in the journal before it is yielded. At SIGINT or SIGTERM nothing more is sent, what is under way
    is waited for and saved; at the second signal it is not waited for. Leave the loop early only under
    `contextlib.aclosing`, so that nothing goes on behind your back. The client stays open.

    Args:
        requests: any iterable; taken one by one as they are needed.
        client: whom to ask.
        journal: open for writing.
        concurrency: calls of `client.answer` under way at once; each holds up to `client.batch_size` requests.
        retry_errors: ask again where the journal holds an error from an earlier campaign.
        on_progress: called with the state some five times a second and at the end.

    Raises:
        TermsError: a request that may not leave this machine, for a client that is not on it; it was not sent.
        EnvironmentFailedError: the disk is full or fails.
        InterruptedRunError: stopped by a signal; what was answered is kept.
        UsageError: `concurrency` below 1, or a request that the client cannot serve.
    """
    if concurrency < 1:
        raise UsageError(f"concurrency is {concurrency}; expected at least 1")
    engine = _Engine(
        requests, client, journal, concurrency=concurrency, retry_errors=retry_errors, on_progress=on_progress
    )
    running = asyncio.create_task(engine.run())
    with on_signals(engine.stop):
        try:
            while (answers := await engine.out.get()) is not None:
                for answered in answers:
                    yield answered
            await running
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)


def run_campaign(
    requests: Iterable[Request],
    client: Client,
    journal: Journal,
    *,
    concurrency: int,
    retry_errors: bool = True,
    on_answer: Callable[[Answered], None] | None = None,
    on_progress: OnProgress | None = None,
) -> CampaignStats:
    """Run a whole campaign for a caller without an event loop, and close the client.

    Args:
        requests: as in `campaign`.
        client: whom to ask; closed at the end, for its connections live no longer than the event loop.
        journal: open for writing.
        concurrency: as in `campaign`.
        retry_errors: as in `campaign`.
        on_answer: called with each request and its reply, in the order they come.
        on_progress: as in `campaign`.

    Returns:
        The state at the end.

    Raises:
        GlobmedError: as `campaign` does.
    """
    last: list[CampaignStats] = []

    def note(stats: CampaignStats) -> None:
        last[:] = [stats]
        if on_progress is not None:
            on_progress(stats)

    async def run() -> None:
        answers = campaign(
            requests, client, journal, concurrency=concurrency, retry_errors=retry_errors, on_progress=note
        )
        try:
            async with aclosing(answers):
                async for answered in answers:
                    if on_answer is not None:
                        on_answer(answered)
        finally:
            await client.close()

    asyncio.run(run())
    return last[-1]


class _Engine:
    def __init__(
        self,
        requests: Iterable[Request],
        client: Client,
        journal: Journal,
        *,
        concurrency: int,
        retry_errors: bool,
        on_progress: OnProgress | None,
    ) -> None:
        self._requests = iter(requests)
        self._client, self._journal = client, journal
        self._concurrency, self._retry_errors, self._on_progress = concurrency, retry_errors, on_progress
        # Batches of answers for the caller; None after the last.
        self.out: asyncio.Queue[list[Answered] | None] = asyncio.Queue(maxsize=2 * concurrency)
        self._taking = asyncio.Lock()
        self._workers: list[asyncio.Task[None]] = []
        self._stopping = self._interrupted = False
        # Every request under way by key; those after the first share its reply.
        self._under_way: dict[str, list[Request]] = {}
        self._sharing = 0
        self._settled = asyncio.Event()
        self._held: Request | None = None
        self._count: Counter[str] = Counter()
        self._replies: Counter[Status] = Counter()
        self._usage: Counter[str] = Counter()
        self._journal_bytes_before = journal.size_bytes
        self._began = time.monotonic()
        self._reported = -math.inf

    async def run(self) -> None:
        """Ask until the requests end or `stop` is called; put every answer, and at the end None, into `out`."""
        self._workers = [asyncio.create_task(self._work()) for _ in range(self._concurrency)]
        try:
            await asyncio.wait(self._workers, return_when=asyncio.FIRST_EXCEPTION)
            # One failed or all are done. The others finish what they have sent, for it is paid for.
            self._send_no_more()
            await asyncio.wait(self._workers)
            self._report(at_once=True)
            await self.out.put(None)
        finally:
            for worker in self._workers:
                worker.cancel()
            await asyncio.gather(*self._workers, return_exceptions=True)
        for worker in self._workers:
            if not worker.cancelled():
                worker.result()
        if self._interrupted:
            raise InterruptedRunError(
                f"stopped by a signal; {len(self._journal)} replies are in {self._journal.path}. "
                "Run the same command again to go on from there"
            )

    def stop(self) -> None:
        """Send no more; called a second time, do not wait for what is under way either."""
        if self._interrupted:
            for worker in self._workers:
                worker.cancel()
        self._interrupted = True
        self._send_no_more()

    def _send_no_more(self) -> None:
        self._stopping = True
        self._settled.set()

    async def _work(self) -> None:
        while (batch := await self._next_batch()) and not self._stopping:
            self._journal.ask(batch)
            for key in batch:
                self._count["asked"] += 1
                self._count["asked_again"] += key in self._journal.opened.in_flight
            replies = await self._client.answer([self._under_way[key][0] for key in batch])
            saved = [(key, _sound(reply)) for key, reply in zip(batch, replies, strict=True)]
            await self._journal.commit(saved)
            await self._settle(saved)

    async def _next_batch(self) -> list[str]:
        """Take requests until a batch of them must be asked; return its keys. Empty at the end."""
        batch: list[str] = []
        async with self._taking:
            while len(batch) < self._client.batch_size and not self._stopping:
                request, self._held = self._held or next(self._requests, None), None
                if request is None:
                    break
                self._refuse_if_forbidden(request)
                key = reply_key(self._client, request)
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

    def _refuse_if_forbidden(self, request: Request) -> None:
        if not request.may_leave_machine and not self._client.on_this_machine:
            raise TermsError(
                f"{request.label or 'a request without a label'}: its terms of use forbid sending it off this machine "
                f"(may_leave_machine is false), and {self._client.model} is not on it. "
                "Nothing of it was sent. Leave its source out, or use a model on this machine"
            )

    async def _answer_from_journal(self, key: str, request: Request) -> bool:
        saved = self._journal.saved(key)
        if saved is None:
            return False
        from_journal = saved.offset < self._journal_bytes_before
        if saved.reply.status == "error" and from_journal and self._retry_errors:
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
            for field in Usage.__struct_fields__:
                self._usage[field] += getattr(reply.usage, field)
            answers += [Answered(key=key, request=each, reply=reply, from_journal=False) for each in requests]
        self._settled.set()
        await self._emit(answers)

    async def _emit(self, answers: list[Answered]) -> None:
        for answered in answers:
            self._replies[answered.reply.status] += 1
        await self.out.put(answers)
        self._report()

    def _report(self, *, at_once: bool = False) -> None:
        now = time.monotonic()
        if self._on_progress is None or not (at_once or now - self._reported >= _PROGRESS_SECONDS):
            return
        self._reported = now
        count = self._count
        self._on_progress(
            CampaignStats(
                from_journal=count["from_journal"],
                shared=count["shared"],
                asked=count["asked"],
                asked_again=count["asked_again"],
                errors_retried=count["errors_retried"],
                replies=dict(self._replies),
                usage=Usage(**self._usage),
                seconds=now - self._began,
            )
        )


def _sound(reply: Reply) -> Reply:
    """JSON has no infinity: a score that is none would come back from the journal as null."""
    if all(map(math.isfinite, reply.option_logprobs)):
        return reply
    return Reply(status="error", finish=f"a log-probability is not finite: {reply.option_logprobs}", usage=reply.usage)
