"""What whoever asks models settles first: how hard to ask, the price that holds, the name that replies stand under."""

from __future__ import annotations

import hashlib
import re

import msgspec

from globmed.core.errors import UsageError
from globmed.models.attempts import PATIENT, Patience
from globmed.models.budget import Cap
from globmed.models.catalog import CATALOG_VARIABLE, price_of
from globmed.models.client import Client
from globmed.models.price import Price


class Effort(msgspec.Struct, frozen=True, kw_only=True):
    """How hard to ask; none of it changes what is asked or how replies are read.

    Attributes:
        concurrency: calls under way at once at most, at each endpoint.
        patience: tries, waits and time.
        cap: what may be spent in all, with what was spent before in the same folder.
    """

    concurrency: int = 32
    patience: Patience = PATIENT
    cap: Cap = Cap()

    def __post_init__(self) -> None:
        """Refuse to ask nobody.

        Raises:
            UsageError: a concurrency below 1.
        """
        if self.concurrency < 1:
            raise UsageError(f"concurrency is {self.concurrency}; expected at least 1")


def price_to_pay(client: Client, cap: Cap) -> Price | None:
    """Return a model's price where it answers; None where it is not known, or nothing.

    Raises:
        UsageError: it is not known, and the cap is in dollars.
    """
    price = None if client.on_this_machine else price_of(client.model, place=client.pace.place)
    if price is None and cap.cost_usd is not None and not client.on_this_machine:
        raise UsageError(
            f"a limit in US dollars, and no price is known of {client.model} at {client.pace.place}. Limit requests or "
            f"tokens instead, or give the price in a catalog of your own ({CATALOG_VARIABLE})"
        )
    return price


def journal_name(client: Client) -> str:
    """Return the name that a model's replies are kept under, as `qwen-qwen3-8b-1f0c3a9e`: a hash tells revisions."""
    slug = re.sub(r"[^a-z0-9]+", "-", client.model.lower()).strip("-")[:60] or "model"
    digest = hashlib.blake2b(msgspec.json.encode([client.model, client.revision]), digest_size=4)
    return f"{slug}-{digest.hexdigest()}"
