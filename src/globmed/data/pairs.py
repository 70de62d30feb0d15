"""An original and its translation, field by field: what the checks of `globmed.data.quality` look at."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from globmed.core.item import Item


@dataclass(frozen=True)
class FieldPair:
    """One field of both: its name (`question`, `context`, `options[2]`, `reference[0]`, `rationale`) and texts."""

    name: str
    source: str
    target: str


class Pair:
    """An original and its translation.

    Attributes:
        source: the original.
        target: the translation.
    """

    def __init__(self, source: Item, target: Item) -> None:
        self.source = source
        self.target = target

    @cached_property
    def fields(self) -> tuple[FieldPair, ...]:
        """The fields that have a text in the original or in the translation, as far as both have them."""
        return tuple(self._fields())

    def _fields(self) -> Iterator[FieldPair]:
        for name in ("context", "question", "rationale"):
            source, target = getattr(self.source, name), getattr(self.target, name)
            if source or target:
                yield FieldPair(name, source, target)
        for name in ("options", "reference"):
            both = zip(getattr(self.source, name), getattr(self.target, name), strict=False)
            for index, (source, target) in enumerate(both):
                yield FieldPair(f"{name}[{index}]", source, target)
