"""What a run will take, before anything is sent: requests, tokens and money for each model."""

from __future__ import annotations

from collections import Counter

import msgspec

from globmed.bench.puts import Put
from globmed.models.budget import most_usage
from globmed.models.client import Client, Usage
from globmed.models.journal import Journal
from globmed.models.price import Price, cost_usd

# Of text as UTF-8, by tokenizers that were made for many languages: near enough for Latin, Han and Hangul scripts.
_BYTES_PER_TOKEN = 3.0


class Estimate(msgspec.Struct, frozen=True, kw_only=True):
    """What one model will be asked.

    Attributes:
        model: its id.
        place: where it answers.
        requests: to be sent; what is in the journal is not among them.
        answered: in the journal already.
        input_tokens: of the messages, about.
        output_tokens: of the replies, at most.
        cost_usd: at most, but for the uncertainty of `input_tokens`; None where the price is not known.
        price: it is made from; None for a model on this machine, which costs nothing, and where it is not known.
        limits: tokens that a reply may have, by language; empty where nothing is generated.
        undecided: the limits may rise in costly languages, once that has been measured.
    """

    model: str
    place: str
    requests: int
    answered: int
    input_tokens: int
    output_tokens: int
    cost_usd: float | None
    price: Price | None
    limits: dict[str, int]
    undecided: bool


class Estimator:
    """Adds up what is put to one model.

    Attributes:
        unknown: the most that was used for what was asked before and does not say: each reply without usage, each
            error, and each request that was under way when the last writer ended.
    """

    def __init__(self, client: Client, journal: Journal, price: Price | None, *, undecided: bool) -> None:
        """Begin with nothing.

        Args:
            client: the model.
            journal: what has been answered.
            price: None where not known.
            undecided: how long replies may be is not.
        """
        self.unknown: list[Usage] = []
        self._client, self._journal, self._price, self._undecided = client, journal, price, undecided
        self._count: Counter[str] = Counter()
        self._limits: dict[str, int] = {}

    def add(self, put: Put, key: str) -> None:
        """Count one request; two that share a key are counted both, though they are asked once."""
        request, language = put.request, put.item.language
        if request.settings.answer == "generate":
            self._limits[language] = request.settings.max_tokens
        saved = self._journal.saved(key)
        silent = saved is not None and not (saved.reply.usage.input or saved.reply.usage.output)
        if (silent or key in self._journal.opened.in_flight) and not self._client.on_this_machine:
            self.unknown.append(most_usage(request))
        if saved is not None and saved.reply.status != "error":
            self._count["answered"] += 1
            return
        text = "".join(message.content for message in request.messages)
        self._count["requests"] += 1
        self._count["input"] += round(len(text.encode()) / _BYTES_PER_TOKEN)
        if request.settings.answer == "generate":
            self._count["output"] += request.settings.max_tokens

    def result(self) -> Estimate:
        """Return the sum."""
        count, price = self._count, self._price
        cost = cost_usd(Usage(input=count["input"], output=count["output"]), price) if price else None
        return Estimate(
            model=self._client.model,
            place=self._client.pace.place,
            requests=count["requests"],
            answered=count["answered"],
            input_tokens=count["input"],
            output_tokens=count["output"],
            cost_usd=0.0 if self._client.on_this_machine else cost,
            price=price,
            limits=dict(sorted(self._limits.items())),
            undecided=self._undecided,
        )
