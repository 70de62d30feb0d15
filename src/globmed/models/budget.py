"""What campaigns may spend together, and the reservations that keep them from ever spending more.

Before a request is sent, the most that it could cost is set aside: a token for each byte of its texts (no tokenizer
makes more), what a chat template may add, and the whole limit of its reply. So a cap holds whatever the replies are.
What a reply did not use is free again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from globmed.core.errors import UsageError
from globmed.models.client import Request, Usage
from globmed.models.price import Price, cost_usd

# A chat template adds some tokens to each message, and some add a system message of their own: gpt-oss's has about 70.
_TEMPLATE_TOKENS = 200


class Amount(NamedTuple):
    """Requests, tokens of messages and replies together, and US dollars."""

    requests: int = 0
    tokens: int = 0
    cost_usd: float = 0.0

    def plus(self, other: Amount) -> Amount:
        """Return the sum."""
        return Amount(self.requests + other.requests, self.tokens + other.tokens, self.cost_usd + other.cost_usd)

    def less(self, other: Amount) -> Amount:
        """Return the difference."""
        return Amount(self.requests - other.requests, self.tokens - other.tokens, self.cost_usd - other.cost_usd)


class Cap(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What may be spent in all; None where there is no limit."""

    requests: int | None = None
    tokens: int | None = None
    cost_usd: float | None = None

    def __post_init__(self) -> None:
        """Refuse a limit that is none.

        Raises:
            UsageError: a limit below 0.
        """
        for name in self.__struct_fields__:
            if (limit := getattr(self, name)) is not None and not limit >= 0:
                raise UsageError(f"the limit of {name.replace('_', ' ')} is {limit}; expected 0 or more")

    def __str__(self) -> str:
        parts = (
            f"{self.requests} requests" if self.requests is not None else "",
            f"{self.tokens} tokens" if self.tokens is not None else "",
            f"{self.cost_usd:g} US dollars" if self.cost_usd is not None else "",
        )
        return ", ".join(part for part in parts if part) or "no limit"


class Budget:
    """A cap, and what has been spent and set aside under it; shared by the campaigns of one event loop."""

    def __init__(self, cap: Cap) -> None:
        """Begin with nothing spent."""
        self.cap = cap
        self.spent = Amount()
        self._set_aside = Amount()
        self._settled = asyncio.Event()

    @property
    def requests_left(self) -> int | None:
        """Requests that may still be set aside; None where there is no limit of them."""
        if self.cap.requests is None:
            return None
        return max(self.cap.requests - self.spent.requests - self._set_aside.requests, 0)

    async def reserve(self, most: Amount) -> bool:
        """Set an amount aside, once it fits; False where it never will, for nothing else is set aside any more."""
        while not self._fits(most):
            if not self._set_aside.requests:
                return False
            await self._settled.wait()
        self._set_aside = self._set_aside.plus(most)
        return True

    def settle(self, most: Amount, spent: Amount) -> None:
        """Put what was spent into the place of what was set aside for it."""
        self._set_aside = self._set_aside.less(most)
        self.spent = self.spent.plus(spent)
        # A fresh event each time: one that was waited for belongs to its event loop, and a later campaign has another.
        settled, self._settled = self._settled, asyncio.Event()
        settled.set()

    def _fits(self, most: Amount) -> bool:
        cap, total = self.cap, self.spent.plus(self._set_aside).plus(most)
        return (
            (cap.requests is None or total.requests <= cap.requests)
            and (cap.tokens is None or total.tokens <= cap.tokens)
            and (cap.cost_usd is None or total.cost_usd <= cap.cost_usd)
        )


class Purse:
    """A budget as one model spends from it, at its price."""

    def __init__(self, budget: Budget, price: Price | None) -> None:
        """Take a budget and a model's price.

        Args:
            budget: shared with other models.
            price: None where it costs nothing.
        """
        self.budget, self.price = budget, price

    def spent_before(self, usage: Usage, *, requests: int) -> None:
        """Count what an earlier run spent."""
        cost = cost_usd(usage, self.price) if self.price else 0.0
        self.spend(Amount(requests, usage.input + usage.output, cost))

    def spend(self, amount: Amount) -> None:
        """Count what was spent without having been set aside."""
        self.budget.settle(Amount(), amount)

    def amount(self, usages: Sequence[Usage]) -> Amount:
        """Return what calls come to, by the tokens of each."""
        tokens = sum(usage.input + usage.output for usage in usages)
        cost = sum(cost_usd(usage, self.price) for usage in usages) if self.price else 0.0
        return Amount(len(usages), tokens, cost)


def most_usage(request: Request) -> Usage:
    """Return the most tokens that one try at a request can use, whatever the tokenizer; see the head of this module."""
    generates = request.settings.answer == "generate"
    size = sum(len(message.content.encode()) for message in request.messages)
    if not generates:
        size += sum(len(option.encode()) for option in request.options)
    output = request.settings.max_tokens if generates else 0
    return Usage(input=size + _TEMPLATE_TOKENS * len(request.messages), output=output)
