"""What whoever asks models for money settles first: the price that holds, and the name that replies are kept under."""

from __future__ import annotations

import hashlib
import re

import msgspec

from globmed.core.errors import UsageError
from globmed.models.budget import Cap
from globmed.models.catalog import CATALOG_VARIABLE, price_of
from globmed.models.client import Client
from globmed.models.price import Price


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
