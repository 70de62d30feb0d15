"""The models that translate a data set: opened once, each with its journal, its price and its purse.

Replies are kept in `<out>/replies/<model>.journal`, so that `globmed journal show <out>` tells how far they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from globmed.core.item import Item
from globmed.models.budget import Budget, Cap, Purse, most_usage
from globmed.models.catalog import catalog_rows
from globmed.models.client import Client, Request, Usage
from globmed.models.engine import forbidden
from globmed.models.journal import Journal
from globmed.models.paying import journal_name, price_to_pay
from globmed.models.price import Price, cost_usd


class OpenModel(Protocol):
    """Opens models by name."""

    def __call__(self, spec: str, *, source: str, target: str) -> tuple[Client, bool]:
        """Return the client for a direction, and whether it takes plain texts rather than instructions."""


@dataclass(frozen=True, eq=False)
class Member:
    """One model at work.

    Attributes:
        client: whom to ask.
        engine: it is a translation engine: it takes a plain text and gives its translation, and follows no instruction.
        journal: its replies, open for writing.
        price: None where it costs nothing or where its price is not known.
        purse: what it may spend.
    """

    client: Client
    engine: bool
    journal: Journal
    price: Price | None
    purse: Purse
    _settled: set[str] = field(default_factory=set)

    @property
    def name(self) -> str:
        """Id of the model."""
        return self.client.model

    @property
    def thinks(self) -> bool:
        """Whether the catalog says that it reasons before it answers."""
        row = catalog_rows().get(self.client.model)
        return row is not None and row.reasoning

    def cost_usd(self, usage: Usage) -> float | None:
        """Return what tokens cost in US dollars; None where that is not known."""
        if self.price is None:
            return 0.0 if self.client.on_this_machine else None
        return cost_usd(usage, self.price)

    def settle(self, requests: Mapping[str, Request]) -> None:
        """Count what was under way when an earlier run was killed: it may have been paid for, and is asked again.

        Args:
            requests: about to be asked, by key.
        """
        if not self.client.on_this_machine:
            lost = (self.journal.opened.in_flight & requests.keys()) - self._settled
            self._settled.update(lost)
            self.purse.spend(self.purse.amount([most_usage(requests[key]) for key in lost]))


class Team:
    """Opens members as they are needed and closes their journals at the end; use as a context manager."""

    def __init__(self, out: Path, open_model: OpenModel, cap: Cap) -> None:
        """Begin with nobody.

        Args:
            out: the data set's folder.
            open_model: how models are opened.
            cap: what may be spent in all.
        """
        self.budget = Budget(cap)
        self._out, self._open_model = out, open_model
        self._clients: dict[tuple[str, str, str], tuple[Client, bool]] = {}
        self._members: dict[str, Member] = {}
        self._journals = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._journals.close()

    def client(self, spec: str, *, source: str, target: str) -> tuple[Client, bool]:
        """Return a model's client for a direction, and whether it is a translation engine.

        Raises:
            GlobmedError: as opening it does.
        """
        opened = self._clients.get((spec, "", "")) or self._clients.get((spec, source, target))
        if opened is None:
            opened = self._open_model(spec, source=source, target=target)
            # Only an engine is another one in another direction; weights are loaded once.
            self._clients[(spec, source, target) if opened[1] else (spec, "", "")] = opened
        return opened

    def member(self, spec: str, *, source: str, target: str) -> Member:
        """Return a model, ready to be asked; the same one wherever id and revision are the same.

        Raises:
            UsageError: a cap in dollars, and its price is not known.
            EnvironmentFailedError: another process writes to its journal.
        """
        client, engine = self.client(spec, source=source, target=target)
        name = journal_name(client)
        if name not in self._members:
            price = price_to_pay(client, self.budget.cap)
            journal = self._journals.enter_context(Journal.open(self._out / "replies" / f"{name}.journal"))
            purse = Purse(self.budget, price)
            purse.spent_before(journal.opened.usage, requests=len(journal))
            self._members[name] = Member(client, engine, journal, price, purse)
        return self._members[name]


def refuse_forbidden(items: Iterable[Item], clients: Iterable[Client]) -> None:
    """Look for what may not be sent, before anything is; the engine looks again at each request.

    Args:
        items: originals.
        clients: all that would be asked about any of them.

    Raises:
        TermsError: an item may not leave this machine, and a client is not on it.
    """
    away = next((client for client in clients if not client.on_this_machine), None)
    bound = next((item for item in items if not item.provenance.may_leave_machine), None)
    if away is not None and bound is not None:
        terms = bound.provenance
        label = f"{bound.family}/{bound.language}"
        raise forbidden(Request(messages=(), label=label, source=bound.source, licence=terms.licence), away)
