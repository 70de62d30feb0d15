"""The right option is another than in the original."""

from __future__ import annotations

from collections.abc import Iterator

from globmed.core.item import Finding
from globmed.data.pairs import Pair
from globmed.data.quality import Check


def find(pair: Pair) -> Iterator[Finding]:
    """Block a translation whose answer has other indices than the original's."""
    source, target = sorted(pair.source.answer), sorted(pair.target.answer)
    if source != target:
        message = f"right is {_letters(target)}; in the original {_letters(source)}"
        yield Finding(check=CHECK.name, severity="block", field="answer", message=message)


def _letters(indices: list[int]) -> str:
    return ", ".join(chr(ord("A") + index) for index in indices) or "none"


CHECK = Check(name="gold", title="Another right option", run=find)
