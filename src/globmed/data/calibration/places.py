"""The texts of an item by name, and an item with one of them replaced: where errors are put in."""

from __future__ import annotations

import re
from collections.abc import Callable, Container
from dataclasses import dataclass

import msgspec
import numpy as np

from globmed.core.item import Item


@dataclass(frozen=True, kw_only=True)
class Spot:
    """A stretch of one of an item's texts.

    Attributes:
        place: name of the text, such as `question` or `options[2]`.
        start, end: where the stretch lies in it, in characters.
    """

    place: str
    start: int
    end: int


def texts(item: Item) -> dict[str, str]:
    """Return the texts of an item that a translation must render, by name; empty ones are left out."""
    named = {name: getattr(item, name) for name in ("context", "question", "rationale")}
    named |= {f"options[{index}]": text for index, text in enumerate(item.options)}
    named |= {f"reference[{index}]": text for index, text in enumerate(item.reference)}
    return {name: text for name, text in named.items() if text.strip()}


def with_text(item: Item, place: str, text: str) -> Item:
    """Return the item with another text at a place."""
    name, bracket, index = place.partition("[")
    if not bracket:
        return msgspec.structs.replace(item, **{name: text})
    listed = list(getattr(item, name))
    listed[int(index.rstrip("]"))] = text
    return msgspec.structs.replace(item, **{name: tuple(listed)})


def with_all_texts(item: Item, other: Item) -> Item:
    """Return the item with every text of another, its language, options' order and answer kept as they are."""
    return msgspec.structs.replace(
        item,
        context=other.context,
        question=other.question,
        rationale=other.rationale,
        options=other.options,
        reference=other.reference,
    )


def spots(item: Item, pattern: re.Pattern[str], *, among: Container[str] | None = None) -> list[Spot]:
    """Return where a pattern's last group (the whole where it has none) matches; `among` says which matches count."""
    return [
        Spot(place=place, start=found.start(pattern.groups), end=found.end(pattern.groups))
        for place, text in texts(item).items()
        for found in pattern.finditer(text)
        if among is None or found[pattern.groups] in among
    ]


def rewrite(item: Item, found: list[Spot], generator: np.random.Generator, change: Callable[[str], str]) -> Item | None:
    """Change one of the spots, drawn at random; None where there is none, or where the change changes nothing."""
    if not found:
        return None
    spot = found[int(generator.integers(len(found)))]
    text = texts(item)[spot.place]
    changed = f"{text[: spot.start]}{change(text[spot.start : spot.end])}{text[spot.end :]}"
    return with_text(item, spot.place, changed) if changed != text else None
