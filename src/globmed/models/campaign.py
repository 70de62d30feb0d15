"""The engine: asks a client any number of requests, resumably, in memory that does not grow with their number.

    requests -> journal: answered before? -> turn: pace, budget -> client -> journal: durable -> caller

What is in the journal is never asked again, except errors: a reply with status `error` is no answer, so a later
campaign on the same journal asks for it once more (unless told not to) and counts how often it did. Two requests with
one key share a reply. A setback is tried again, after a wait drawn at random; after so many tries it becomes an error.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from globmed.models.attempts import PATIENT, Patience
from globmed.models.budget import Purse
from globmed.models.client import Client, Request
from globmed.models.engine import Answered, Campaign, CampaignStats, Engine, OnAnswer, OnProgress
from globmed.models.interrupt import calling_at_sigint
from globmed.models.journal import Journal

__all__ = ["Answered", "Campaign", "CampaignStats", "Patience", "campaign", "run_campaign", "run_campaigns"]


def campaign(
    requests: Iterable[Request],
    client: Client,
    journal: Journal,
    *,
    concurrency: int,
    patience: Patience = PATIENT,
    purse: Purse | None = None,
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
        concurrency: calls of `client.answer` under way at once at most, each with up to `client.batch_size` requests;
            how many there are is found by trial (`globmed.models.pace`).
        patience: tries, waits and time in all.
        purse: what may be spent; None for no limit.
        on_progress: called with the state some five times a second and at the end.

    Raises:
        TermsError: a request that may not leave this machine, for a client that is not on it; it was not sent.
        EnvironmentFailedError: the disk is full or fails, or the endpoint answers nobody for longer than we wait.
        InterruptedRunError: stopped by a signal; what was answered is kept.
        LimitReachedError: the budget or the time is used up; what was answered is kept.
        UsageError: `concurrency` below 1, or a request that the client cannot serve.
    """
    told = Campaign(requests=requests, client=client, journal=journal, purse=purse, on_progress=on_progress)
    return Engine(told, concurrency=concurrency, patience=patience).answers()


def run_campaign(
    requests: Iterable[Request],
    client: Client,
    journal: Journal,
    *,
    concurrency: int,
    patience: Patience = PATIENT,
    on_answer: OnAnswer | None = None,
    on_progress: OnProgress | None = None,
) -> CampaignStats:
    """Run one campaign to its end; see `run_campaigns` and `campaign`.

    Raises:
        GlobmedError: as `campaign` does.
    """
    told = Campaign(requests=requests, client=client, journal=journal, on_answer=on_answer, on_progress=on_progress)
    return run_campaigns([told], concurrency=concurrency, patience=patience)[0]


def run_campaigns(
    campaigns: Sequence[Campaign], *, concurrency: int, patience: Patience = PATIENT
) -> list[CampaignStats]:
    """Run campaigns at the same time and close their clients; works in a notebook too, whose own event loop waits.

    Where one fails the others send nothing more, and save what they have under way.

    Args:
        campaigns: one a model; those that ask at one place share its pace.
        concurrency: calls under way at once at most, at each place.
        patience: as in `campaign`, for each.

    Returns:
        The state of each at the end, in their order.

    Raises:
        GlobmedError: as `campaign` does, for the first that failed.
    """
    engines = [Engine(told, concurrency=concurrency, patience=patience) for told in campaigns]
    return _run_apart(engines) if _loop_is_running() else asyncio.run(_run(engines))


async def _run(engines: Sequence[Engine]) -> list[CampaignStats]:
    running = [asyncio.create_task(engine.drain()) for engine in engines]
    try:
        if running:
            await asyncio.wait(running, return_when=asyncio.FIRST_EXCEPTION)
            for engine in engines:
                engine.stop(None)
            await asyncio.gather(*running, return_exceptions=True)
    finally:
        await asyncio.gather(*(engine.client.close() for engine in engines))
    for task in running:
        task.result()
    return [engine.stats() for engine in engines]


def _loop_is_running() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def _run_apart(engines: Sequence[Engine]) -> list[CampaignStats]:
    """Run in a thread of its own, for a notebook's event loop is running in this one already."""
    loop = asyncio.new_event_loop()

    def run() -> list[CampaignStats]:
        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            return runner.run(_run(engines))

    def interrupt() -> None:
        for engine in engines:
            # Nothing is to be stopped where it came too late.
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(engine.interrupt)

    with ThreadPoolExecutor(max_workers=1) as thread, calling_at_sigint(interrupt):
        return thread.submit(run).result()
