"""How long a reply may be in each language: the same for all would cut those off that a tokenizer makes costly.

A tokenizer made for English cuts Yoruba or Wolof into two or three times as many tokens. So each model is asked a few
questions in each language, the same ones where there are such, and what it reports to have read tells what each
language costs; a plan's limit holds for English, and is raised in proportion elsewhere. It is never lowered. Tokens a
character alone would not do: Chinese takes three times as many of those, and a third of the characters.

Petrov et al. (2023), "Language model tokenizers introduce unfairness between languages", arXiv:2305.15425.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

import msgspec

from globmed.bench.effort import Effort
from globmed.core.item import Item
from globmed.models.budget import Purse
from globmed.models.campaign import Answered, Campaign, run_campaigns
from globmed.models.client import Client, Message, Request, Settings
from globmed.models.engine import OnAnswer
from globmed.models.journal import Journal

REFERENCE = "en"
_SAMPLE_ITEMS = 200
_SAMPLE_CHARACTERS = 1500
# Some endpoints refuse a limit of a few tokens.
_REPLY_TOKENS = 16
_SHORTEST = "?"


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """Questions in one language to measure with, and the item whose terms of use they are under.

    Attributes:
        text: of all of them.
        item: the one with the strictest terms.
        shared: they are the same questions in every language.
    """

    text: str
    item: Item
    shared: bool


class Measured(Protocol):
    """Whose tokens are to be measured: a model with its journal and purse."""

    @property
    def client(self) -> Client:
        """The model."""

    @property
    def journal(self) -> Journal:
        """Its own, open for writing."""

    @property
    def purse(self) -> Purse:
        """What it may spend."""


def samples(items: Iterable[Item]) -> dict[str, Sample]:
    """Return a few questions in each language, some 1,500 characters: the same ones where the languages share any.

    Args:
        items: those that are asked, in any order.
    """
    first: dict[str, dict[str, Item]] = {}
    for item in items:
        of_language = first.setdefault(item.language, {})
        if len(of_language) < _SAMPLE_ITEMS:
            of_language[item.family] = item
    shared = set.intersection(*(set(of_language) for of_language in first.values())) if first else set()
    if not shared:
        return {language: _sample(_few(list(chosen.values())), shared=False) for language, chosen in first.items()}
    reference = first.get(REFERENCE, next(iter(first.values())))
    few = [item.family for item in _few([item for family, item in reference.items() if family in shared])]
    return {language: _sample([chosen[family] for family in few], shared=True) for language, chosen in first.items()}


def measure(clients: Sequence[Measured], texts: Mapping[str, Sample], effort: Effort) -> list[dict[str, float]]:
    """Return for each model what a text costs in each language, in tokens; empty where it does not report them.

    The number stands for the same questions, or for 1,000 characters where the languages share none. Each language
    costs one short reply, and one more tells what the chat template adds. They are journalled like any other, so that
    they are paid for once.

    Args:
        clients: whom to ask, all at the same time.
        texts: by language.
        effort: as in a campaign.

    Raises:
        GlobmedError: as a campaign does.
    """
    notes: list[dict[str, int]] = [{} for _ in clients]

    def noter(read: dict[str, int]) -> OnAnswer:
        def note(answered: Answered) -> None:
            read[answered.request.label] = answered.reply.usage.input

        return note

    requests = [_request(_SHORTEST, "", None), *(_request(one.text, code, one.item) for code, one in texts.items())]
    campaigns = [
        Campaign(
            requests=iter(requests), client=one.client, journal=one.journal, purse=one.purse, on_answer=noter(read)
        )
        for one, read in zip(clients, notes, strict=True)
    ]
    run_campaigns(campaigns, concurrency=effort.concurrency, patience=effort.patience)
    return [_rates(read, texts) for read in notes]


def _rates(read: Mapping[str, int], texts: Mapping[str, Sample]) -> dict[str, float]:
    if not read[""] or not all(read[language] > read[""] for language in texts):
        return {}
    # The template is counted with either text, and the shortest text is one token.
    tokens = {language: read[language] - read[""] + 1 for language in texts}
    return {
        language: round(tokens[language] * (1.0 if one.shared else 1000 / len(one.text)), 1)
        for language, one in texts.items()
    }


def limit_tokens(settings: Settings, language: str, rates: Mapping[str, float]) -> int:
    """Return how many tokens a reply in a language may have.

    Args:
        settings: their `max_tokens` holds for English, or for the least costly language where English is not asked.
        language: BCP 47 code.
        rates: what a text costs by language, as `measure` returns it; empty where that is not known.
    """
    if language not in rates:
        return settings.max_tokens
    reference = rates.get(REFERENCE, min(rates.values()))
    return math.ceil(settings.max_tokens * max(rates[language] / reference, 1.0))


def _few(items: list[Item]) -> list[Item]:
    """Return the first items that make up some 1,500 characters."""
    few: list[Item] = []
    for item in items:
        few.append(item)
        if sum(len(_text(one)) for one in few) >= _SAMPLE_CHARACTERS:
            break
    return few


def _text(item: Item) -> str:
    return "\n".join([item.question, *item.options])


def _sample(items: list[Item], *, shared: bool) -> Sample:
    # Whatever may not leave the machine decides for the whole text.
    bound = next((item for item in items if not item.provenance.may_leave_machine), items[0])
    return Sample(text="\n".join(map(_text, items)), item=bound, shared=shared)


def _request(text: str, label: str, item: Item | None) -> Request:
    terms = item and item.provenance
    return Request(
        messages=(Message("user", text),),
        # For baselines, which choose and read nothing.
        options=("A", "B"),
        settings=Settings(max_tokens=_REPLY_TOKENS),
        label=label,
        source=item.source if item else "",
        licence=terms.licence if terms else "",
        may_leave_machine=terms.may_leave_machine if terms else True,
    )
