"""One try after another at a request: when it may be made, what it took, and whether to make another."""

from __future__ import annotations

import asyncio
import math
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import msgspec
import numpy as np

from globmed.core.errors import EnvironmentFailedError, LimitReachedError
from globmed.models.budget import Amount, Purse, most_usage
from globmed.models.client import NO_CONNECTION, Client, Reply, Request, Setback, Usage
from globmed.models.pace import Turn


class Patience(msgspec.Struct, frozen=True, kw_only=True):
    """How often to try, how long to wait between tries, and how long in all.

    Attributes:
        retries: tries after the first.
        first_wait_seconds: longest wait before the first retry; twice as long before each further one. Each wait is
            drawn between half of it and the whole, so that requests which failed together do not come back together.
            As the defaults stand, an endpoint may be away for two minutes.
        longest_wait_seconds: bound of every wait. Where an endpoint asks for a longer one the campaign stops and says
            so, rather than fill the journal with errors.
        seconds: for the whole campaign; then nothing more is sent. None for no limit.
        retry_errors: ask again where the journal holds an error from an earlier campaign.
        seed: of the waits. By default fresh entropy, so that two processes do not come back in step; nothing but time
            depends on it.
    """

    retries: int = 8
    first_wait_seconds: float = 1.0
    longest_wait_seconds: float = 120.0
    seconds: float | None = None
    retry_errors: bool = True
    seed: int | None = None


PATIENT = Patience()
_UNREACHED_TRIES = 3


class Call(NamedTuple):
    """Leave to make one call: the turn at its place, the most that each request may take, and what that comes to."""

    turn: Turn
    most: list[Usage]
    set_aside: Amount


class Attempts:
    """The tries of one campaign.

    Attributes:
        setbacks: tries that failed and may be made again, by kind.
        spent: what the tries took, under a purse.
    """

    def __init__(self, client: Client, patience: Patience, purse: Purse | None) -> None:
        """Begin with none.

        Args:
            client: whom to ask.
            patience: how often, and how long to wait.
            purse: what may be spent; None for no limit.
        """
        self.setbacks: Counter[str] = Counter()
        self.spent = Amount()
        self._client, self._patience, self._purse = client, patience, purse
        self._rng = np.random.default_rng(patience.seed)

    async def begin(self, requests: Sequence[Request]) -> Call:
        """Wait until budget and pace let a call through; whoever gets one must `end` it.

        Raises:
            LimitReachedError: the budget never will.
        """
        most = [most_usage(request) for request in requests]
        set_aside = await self._set_aside(most)
        try:
            turn = await self._client.pace.begin(_tokens(most))
        except asyncio.CancelledError:
            self._settle(set_aside, ())
            raise
        return Call(turn, most, set_aside)

    def end(self, call: Call, outcomes: Sequence[Reply | Setback]) -> None:
        """Settle what a call took, and learn how fast to go on.

        Args:
            call: what `begin` gave.
            outcomes: of its requests; none where it was broken off, so that what it took is not known.
        """
        used = [_used(one, most) for one, most in zip(outcomes, call.most, strict=False)] or call.most
        self._learn(call.turn, outcomes)
        self._client.pace.end(call.turn, tokens=_tokens(used))
        self._settle(call.set_aside, used)

    def judge(self, outcomes: Sequence[Reply | Setback], tries: int) -> list[Reply | Setback]:
        """Return the outcomes, with an error reply in the place of a setback after the last try.

        Args:
            outcomes: of one call.
            tries: how many there were, this one included.
        """
        return [self._judge_one(outcome, tries) for outcome in outcomes]

    async def wait(self, setbacks: Sequence[Setback], tries: int) -> None:
        """Wait before the next try.

        Raises:
            EnvironmentFailedError: the place answers nobody, for longer than we wait.
        """
        patience = self._patience
        asked_seconds = max(setback.wait_seconds or 0.0 for setback in setbacks)
        # Whoever names a server that was never started should not wait for minutes to hear of it.
        unreached = all(one.kind == NO_CONNECTION for one in setbacks) and not self._client.pace.answered
        closed = any(one.closed for one in setbacks) or (unreached and tries >= _UNREACHED_TRIES)
        if closed or asked_seconds > patience.longest_wait_seconds:
            asks = f"; it asks to wait {asked_seconds:.0f} s" if asked_seconds else ""
            place = f"{self._client.model} at {self._client.pace.place}"
            raise EnvironmentFailedError(f"{place} answers nobody: {setbacks[0].reason}{asks}")
        # The exponent is bounded for the sake of whoever sets a thousand retries.
        longest = min(patience.first_wait_seconds * 2 ** min(tries - 1, 30), patience.longest_wait_seconds)
        await asyncio.sleep(max(float(self._rng.uniform(longest / 2, longest)), asked_seconds))

    async def _set_aside(self, most: Sequence[Usage]) -> Amount:
        if self._purse is None:
            return Amount()
        amount, budget = self._purse.amount(most), self._purse.budget
        if not await budget.reserve(amount):
            raise LimitReachedError(
                f"{self._client.model}: another request could exceed the limit of {budget.cap}; raise it to go on. "
                f"Spent: {budget.spent.requests} requests, {budget.spent.tokens} tokens and "
                f"{budget.spent.cost_usd:.2f} US dollars"
            )
        return amount

    def _settle(self, amount: Amount, used: Sequence[Usage]) -> None:
        if self._purse is not None:
            spent = self._purse.amount(used)
            self._purse.budget.settle(amount, spent)
            self.spent = self.spent.plus(spent)

    def _learn(self, turn: Turn, outcomes: Sequence[Reply | Setback]) -> None:
        pace = self._client.pace
        if setbacks := [one for one in outcomes if isinstance(one, Setback) and one.overload]:
            asked_seconds = max(one.wait_seconds or 0.0 for one in setbacks)
            # At a longer wait this campaign stops; one that begins later may find out for itself.
            pace.slow_down(turn, min(asked_seconds, self._patience.longest_wait_seconds))
        elif outcomes:
            pace.speed_up()

    def _judge_one(self, outcome: Reply | Setback, tries: int) -> Reply | Setback:
        if isinstance(outcome, Reply):
            return outcome
        self.setbacks[outcome.kind] += 1
        tries_max = min(self._patience.retries + 1, outcome.tries_max or math.inf)
        if tries >= tries_max and not outcome.closed:
            return Reply(status="error", finish=f"{outcome.reason}; tried {tries} times")
        return outcome


def _tokens(usages: Sequence[Usage]) -> int:
    return sum(usage.input + usage.output for usage in usages)


def _used(outcome: Reply | Setback, most: Usage) -> Usage:
    """Return what a try took, and the most that it can have where that is not known."""
    if isinstance(outcome, Setback):
        return most if outcome.perhaps_paid else Usage()
    known = outcome.usage.input or outcome.usage.output or outcome.status == "error"
    return outcome.usage if known else most
