"""How fast an endpoint may be asked: concurrency found by trial, rate caps, and waits that the endpoint asks for.

Concurrency grows with each answer and is halved at a setback, as TCP does with what it has under way (additive
increase, multiplicative decrease, with its doubling start: RFC 5681, section 3.1). Requests that were already under
way when it was halved do not halve it again.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import NamedTuple

import msgspec

FIRST_CONCURRENCY = 4
# So many seconds' worth of a cap may go out at once: more would exceed the cap in the first minute.
_BURST_SECONDS = 1.0


class Caps(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an endpoint may be asked at most, as its owner states it; None where that is not known.

    Attributes:
        concurrency: calls under way at once.
        requests_per_minute: calls.
        tokens_per_minute: tokens of messages and replies together.
    """

    concurrency: int | None = None
    requests_per_minute: float | None = None
    tokens_per_minute: float | None = None


NO_CAPS = Caps()


class Turn(NamedTuple):
    """Leave to make one call: when it was given, and the tokens that it may take at most, counted until it ends."""

    began: float
    tokens: int


class _Bucket:
    """What a cap leaves: it fills with time, and may be overdrawn by one call, which the following ones wait out."""

    def __init__(self, per_minute: float | None) -> None:
        self._rate = math.inf if per_minute is None else per_minute / 60
        self._full = max(self._rate * _BURST_SECONDS, 1.0)
        self._level, self._filled_at = self._full, time.monotonic()

    def wait_seconds(self) -> float:
        """Return how long until something may be taken."""
        if self._rate == math.inf:
            return 0.0
        now = time.monotonic()
        self._level = min(self._level + (now - self._filled_at) * self._rate, self._full)
        self._filled_at = now
        return 0.0 if self._level > 0 else (1e-3 - self._level) / self._rate

    def take(self, amount: float) -> None:
        """Take an amount; give one back where it is negative."""
        if self._rate != math.inf:
            self._level -= amount


class Pace:
    """How fast one place may be asked; all campaigns that ask there share it, in one event loop at a time."""

    def __init__(self, place: str, caps: Caps = NO_CAPS) -> None:
        """Describe a place.

        Args:
            place: for people, as `api.openai.com` or `this process`.
            caps: what may not be exceeded, however much a campaign asks for.
        """
        self.place, self.caps = place, caps
        self.under_way = 0
        self.answered = False
        self._ceilings: list[int] = []
        self._limit = float(FIRST_CONCURRENCY)
        self._starting = True
        self._halved_at = self._closed_until = -math.inf
        self._requests, self._tokens = _Bucket(caps.requests_per_minute), _Bucket(caps.tokens_per_minute)
        self._queue: deque[tuple[asyncio.Future[Turn], int]] = deque()
        self._timer: asyncio.TimerHandle | None = None

    @property
    def concurrency(self) -> int:
        """Calls that may be under way at once now."""
        return max(1, min(int(self._limit), self._ceiling))

    @property
    def _ceiling(self) -> int:
        return max(self._ceilings, default=1)

    @property
    def closed_seconds(self) -> float:
        """How long, from now, the place asked not to be asked; 0 where it did not."""
        return max(self._closed_until - time.monotonic(), 0.0)

    @contextmanager
    def up_to(self, concurrency: int) -> Iterator[None]:
        """Let so many calls be under way at once at most, within the caps; of several campaigns the most counts."""
        ceiling = min(concurrency, self.caps.concurrency or concurrency)
        self._ceilings.append(ceiling)
        try:
            yield
        finally:
            self._ceilings.remove(ceiling)

    async def begin(self, tokens: int) -> Turn:
        """Wait for a turn, first come, first served; whoever gets one must `end` it.

        Args:
            tokens: what the call may take at most, for the cap on tokens.
        """
        if not self._queue and self._blocked_seconds() == 0:
            return self._take(tokens)
        given: asyncio.Future[Turn] = asyncio.get_running_loop().create_future()
        self._queue.append((given, tokens))
        self._let_in()
        try:
            return await given
        except asyncio.CancelledError:
            if given.done() and not given.cancelled():
                self.end(given.result(), tokens=0)
            raise

    def end(self, turn: Turn, *, tokens: int) -> None:
        """End a turn.

        Args:
            turn: what `begin` gave.
            tokens: what the call took; the rest of what it might have taken is free for others.
        """
        self.under_way -= 1
        self._tokens.take(tokens - turn.tokens)
        self._let_in()

    def speed_up(self) -> None:
        """Take note of an answer: raise the concurrency, where most of it is in use."""
        self.answered = True
        if self._limit < self._ceiling and 2 * self.under_way >= self.concurrency:
            self._limit += 1.0 if self._starting else 1 / self._limit

    def slow_down(self, turn: Turn, wait_seconds: float = 0.0) -> None:
        """Take note of a setback: halve the concurrency, once for all calls that were under way together.

        Args:
            turn: that of the call.
            wait_seconds: how long the endpoint asks not to be asked.
        """
        if turn.began > self._halved_at:
            self._limit = max(min(self._limit, self._ceiling) / 2, 1.0)
            self._starting = False
            self._halved_at = time.monotonic()
        self.close_for(wait_seconds)

    def close_for(self, seconds: float) -> None:
        """Begin no further call for so long."""
        if seconds > 0:
            self._closed_until = max(self._closed_until, time.monotonic() + seconds)

    def _take(self, tokens: int) -> Turn:
        self.under_way += 1
        self._requests.take(1)
        self._tokens.take(tokens)
        return Turn(time.monotonic(), tokens)

    def _blocked_seconds(self) -> float:
        """Return how long until a turn may be free: 0 for now, infinity for when another one ends."""
        if self.under_way >= self.concurrency:
            return math.inf
        return max(self.closed_seconds, self._requests.wait_seconds(), self._tokens.wait_seconds())

    def _let_in(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while self._queue:
            blocked_seconds = self._blocked_seconds()
            if blocked_seconds > 0:
                if blocked_seconds < math.inf:
                    self._timer = asyncio.get_running_loop().call_later(blocked_seconds, self._let_in)
                return
            given, tokens = self._queue.popleft()
            if not given.done():
                given.set_result(self._take(tokens))


@cache
def pace_of(place: str, caps: Caps = NO_CAPS) -> Pace:
    """Return the pace of a place, the same one for all of this process."""
    return Pace(place, caps)


THIS_PROCESS = pace_of("this process", Caps(concurrency=1))
