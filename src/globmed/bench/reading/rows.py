"""Lists in a reply in which each line is about one option."""

from __future__ import annotations

from dataclasses import dataclass

from globmed.bench.reading.words import Patterns
from globmed.models.client import LETTERS

_REST = 4


@dataclass(frozen=True)
class Row:
    """One line that is about one option.

    Attributes:
        option: its index.
        start: where the line begins.
        letter_ends: where its letter ends.
        end: where the line ends.
    """

    option: int
    start: int
    letter_ends: int
    end: int


def rows_of(text: str, words: Patterns) -> list[Row]:
    """Return the lines that each begin with a letter; none where there are not two letters at least."""
    if "\n" not in text:
        return []
    found = []
    for head in words.row.finditer(text):
        end = text.find("\n", head.end())
        letter = (head[1] or head[2] or head[3]).upper()
        found.append(Row(LETTERS.index(letter), head.start(), head.end(), end if end >= 0 else len(text)))
    return found if len({row.option for row in found}) > 1 else []


def heads(rows: list[Row]) -> frozenset[int]:
    """Return the places where a mention only says which option a line is about: its letter, or the text behind it."""
    return frozenset(place for row in rows for place in range(row.letter_ends - 1, row.letter_ends + _REST))
