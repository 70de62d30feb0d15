"""A translation memory: texts that an earlier stage has translated already, to be taken as they stand there."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from globmed.core.dataset import read_items
from globmed.core.item import Item
from globmed.data.translate.fields import field_kind, item_texts

_REFERENCE = "en"


class Remembered(NamedTuple):
    """A translation, and who made it."""

    text: str
    model: str


class Memory:
    """Translations by field kind, direction and text."""

    def __init__(self) -> None:
        """Begin with none."""
        self._texts: dict[tuple[str, str, str, str], Remembered] = {}

    def __len__(self) -> int:
        return len(self._texts)

    def get(self, name: str, *, source: str, target: str, text: str) -> Remembered | None:
        """Return the translation of a field's text, or None."""
        return self._texts.get((field_kind(name), source, target, text))

    def add(self, original: Item, translation: Item) -> None:
        """Remember a translation's texts; what was remembered first stays."""
        other = item_texts(translation)
        for name, text in item_texts(original).items():
            if name in other:
                key = (field_kind(name), original.language, translation.language, text)
                self._texts.setdefault(key, Remembered(other[name], translation.provenance.model))


def read_memory(folders: Iterable[Path]) -> Memory:
    """Read what earlier stages hold: translations that no check keeps out and that nobody has to look at any more.

    What experts revised comes first; then what machines made.

    Args:
        folders: finished stages with originals and translations side by side, such as `translate` or `release`.

    Raises:
        InputError: one is no finished stage of items.
    """
    memory = Memory()
    for folder in folders:
        items = list(read_items(folder))
        originals = {(item.family, item.language): item for item in items}
        made = [item for item in items if item.provenance.text != "native" and _is_sound(item)]
        for item in sorted(made, key=lambda item: item.provenance.text != "expert"):
            native = originals.get((item.family, item.provenance.native_language))
            original = native or originals.get((item.family, _REFERENCE))
            if original is not None and original.language != item.language:
                memory.add(original, item)
    return memory


def _is_sound(item: Item) -> bool:
    return not any(finding.severity in {"block", "review"} for finding in item.standing_findings)
