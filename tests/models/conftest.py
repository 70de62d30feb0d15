"""Servers on 127.0.0.1, the requests that are put to them, and a clock that nobody waits for."""

import asyncio
import selectors
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from types import SimpleNamespace
from typing import Any

import pytest
from aiohttp import web

from globmed.models.client import Message, Request

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Clock(selectors.SelectSelector):
    """What an event loop waits with; here it does not wait but sets its clock forward."""

    now = 1000.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        events = super().select(0)
        assert events or timeout is not None, "nothing will ever happen again"
        self.now += 0 if events else timeout or 0
        return events


@pytest.fixture(scope="session")
def in_no_time() -> Callable[[Coroutine[Any, Any, None]], float]:
    """Run a coroutine in simulated time; returns the seconds that it would have taken. `Pace` tells the same time."""

    def run(work: Coroutine[Any, Any, None]) -> float:
        clock = Clock()
        loop = asyncio.SelectorEventLoop(clock)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(loop, "time", lambda: clock.now)
            patch.setattr("globmed.models.pace.time", SimpleNamespace(monotonic=lambda: clock.now))
            with asyncio.Runner(loop_factory=lambda: loop) as runner:
                began = clock.now
                runner.run(work)
                return clock.now - began

    return run


@pytest.fixture
async def serve() -> AsyncIterator[Callable[[Handler], Awaitable[str]]]:
    """Start servers that answer POST /v1/chat/completions by a handler; each call returns a base URL."""
    runners: list[web.AppRunner] = []

    async def start(handler: Handler) -> str:
        app = web.Application(client_max_size=64 * 2**20)
        app.router.add_post("/v1/chat/completions", handler)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        runners.append(runner)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        return f"http://127.0.0.1:{runner.addresses[0][1]}/v1"

    yield start
    await asyncio.gather(*(runner.cleanup() for runner in runners))


@pytest.fixture
def ask() -> Callable[..., Request]:
    """Make a request about a number."""

    def make(number: int = 0, **fields: Any) -> Request:
        return Request(messages=(Message(role="user", content=f"question {number}"),), **fields)

    return make


@pytest.fixture
def completion() -> Callable[..., dict[str, Any]]:
    """Make the body of a chat completion as OpenAI sends it."""

    def make(content: str | None = "B", finish: str | None = "stop", **message: Any) -> dict[str, Any]:
        return {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": 1,
            "model": "some-model",
            "choices": [
                {
                    "index": 0,
                    "message": {"role": "assistant", "content": content, **message},
                    "logprobs": None,
                    "finish_reason": finish,
                }
            ],
            "usage": {
                "prompt_tokens": 12,
                "completion_tokens": 7,
                "total_tokens": 19,
                "prompt_tokens_details": {"cached_tokens": 4},
                "completion_tokens_details": {"reasoning_tokens": 5},
            },
        }

    return make
