"""Which text of each question is translated: the one nearest to how it was written."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from globmed.core.item import Item

_REFERENCE = "en"


@dataclass
class Originals:
    """The text of each family to translate from, and the languages that it is there in already.

    Attributes:
        items: by family, in the order of the data.
        languages: by family.
        from_language: the only language to translate from; empty for the nearest to how the question was written.
    """

    from_language: str = ""
    items: dict[str, Item] = field(default_factory=dict)
    languages: dict[str, set[str]] = field(default_factory=dict)

    def add(self, items: Iterable[Item]) -> None:
        """Look at items; of a family the native text comes first, then English, then the first."""
        for item in items:
            self.languages.setdefault(item.family, set()).add(item.language)
            held = self.items.get(item.family)
            if held is None or self._rank(item) < self._rank(held):
                self.items[item.family] = item

    def wanted(self, target: str) -> list[Item]:
        """Return the items to translate into a language: of each family that is not there in it."""
        return [item for family, item in self.items.items() if target not in self.languages[family]]

    def translatable(self, item: Item) -> bool:
        """Tell whether an item stands in a language that may be translated from."""
        return not self.from_language or item.language == self.from_language

    def _rank(self, item: Item) -> int:
        if self.from_language:
            return 0 if item.language == self.from_language else 1
        native = item.provenance.text == "native" and item.language == item.provenance.native_language
        return 0 if native else 1 if item.language == _REFERENCE else 2
