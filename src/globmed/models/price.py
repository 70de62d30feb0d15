"""What tokens cost: a dated price into money, when it is read and never before."""

from __future__ import annotations

import datetime as dt

import msgspec

from globmed.models.client import Usage


class Price(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """US dollars for a million tokens, as a maker's page stated them on a day.

    Attributes:
        input: of messages.
        output: of replies, reasoning included.
        cached: of messages read from the endpoint's cache; None where it has no price of its own.
        on: the day.
        source: address of the page.
    """

    input: float
    output: float
    cached: float | None = None
    on: dt.date
    source: str


def cost_usd(usage: Usage, price: Price) -> float:
    """Return what tokens cost in US dollars."""
    cached = price.input if price.cached is None else price.cached
    dollars = (usage.input - usage.cached) * price.input + usage.cached * cached + usage.output * price.output
    return dollars / 1e6
