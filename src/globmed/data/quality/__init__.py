"""Checks of a translation against its original, one file a check; none needs a model.

A check's module declares one `Check`. What it may claim is measured: docs/quality.md has, per check and language, how
often it stops a good human translation and how often it sees an injected error.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache

from globmed.core.item import Finding, Item
from globmed.core.registry import discover
from globmed.data.pairs import Glossary, Pair


@dataclass(frozen=True, kw_only=True)
class Check:
    """What a check's module declares.

    Attributes:
        name: equal to the file's name, and the `check` of every finding it gives.
        title: what it finds, in a few words for people.
        run: gives what it finds in a translation; nothing where all is well or the languages are outside its reach.
        on_originals: whether it looks at originals too, given as a pair of the item with itself.
    """

    name: str
    title: str
    run: Callable[[Pair], Iterable[Finding]]
    on_originals: bool = False


@cache
def checks() -> dict[str, Check]:
    """Return every check by name."""
    return discover(__name__, Check)


def check_translation(source: Item, target: Item, *, glossary: Glossary | None = None) -> list[Finding]:
    """Return what every check finds in a translation, in the order of the checks' names.

    Args:
        source: the item that was translated.
        target: the translation, whose findings so far do not count.
        glossary: terms of the original's language in lower case, each with the translations accepted for it.

    Raises:
        UsageError: a language that is not in the table.
    """
    pair = Pair(source, target, glossary=glossary)
    return [finding for check in checks().values() for finding in check.run(pair)]


def check_original(item: Item) -> list[Finding]:
    """Return what the checks that need no translation find in an item by itself."""
    pair = Pair(item, item)
    return [finding for check in checks().values() if check.on_originals for finding in check.run(pair)]
