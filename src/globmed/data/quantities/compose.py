"""Put number words together: addition, multiplication by magnitudes, and where one number ends and the next begins."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple


class Word(NamedTuple):
    """A number or magnitude word in a text."""

    value: int
    magnitude: bool
    start: int
    end: int


class Spoken(NamedTuple):
    """A number made of words; vague where it is a magnitude alone (`millions`)."""

    value: int
    vague: bool
    start: int
    end: int


def slot(number: int) -> int:
    """Return what a further word must be below to be added: 10 after twenty, 100 after two hundred, 1 after two."""
    below = 1
    while number and number % (below * 10) == 0:
        below *= 10
    return below


@dataclass
class _Sum:
    """The number so far: closed thousands, hundreds within the present ones, and words not multiplied yet."""

    total: int = 0
    section: int = 0
    pending: int | None = None
    opened: int | None = None

    @property
    def value(self) -> int:
        last = self.pending or 0
        if self.opened:
            last = (1 if self.pending is None else self.pending) * self.opened
        return self.total + self.section + last

    def add(self, word: int, *, units_first: bool) -> bool:
        """Add a number word; False where it begins a number of its own."""
        if self.pending is None:
            if not self.opened and self.section and word >= slot(self.section):
                return False
            self.pending = word
        elif self._fits(word, units_first=units_first):
            self.pending += word
        elif self.opened and word < self.opened:
            self.section, self.opened, self.pending = self.section + self.pending * self.opened, None, word
        else:
            return False
        return True

    def _fits(self, word: int, *, units_first: bool) -> bool:
        assert self.pending is not None
        twenties = self.pending in (60, 80) and word < 20
        reversed_tens = units_first and 0 < self.pending < 10 and 20 <= word < 100
        return 0 < word < slot(self.pending) or twenties or reversed_tens

    def multiply(self, magnitude: int, *, large: int) -> bool:
        """Multiply by a magnitude that stands behind its number; False where it begins a number of its own."""
        if magnitude < large:
            if self.pending is None and self.section and magnitude >= slot(self.section):
                return False
            self.section += (1 if self.pending is None else self.pending) * magnitude
        elif self.section or self.pending:
            self.total += (self.section + (self.pending or 0)) * magnitude
            self.section = 0
        else:
            self.total = (self.total or 1) * magnitude
        self.pending = None
        return True

    def open(self, magnitude: int) -> bool:
        """Take a magnitude whose multiplier follows."""
        self.section, self.pending, self.opened = self.value - self.total, None, magnitude
        return True


def spoken(words: Iterable[Word], *, follows: bool, units_first: bool, large: int) -> Iterator[Spoken]:
    """Give the numbers that neighbouring number words make.

    Args:
        words: in order, with nothing between them but spaces, hyphens and joining words.
        follows: the multiplier stands behind the magnitude (sw mia tatu).
        units_first: units may stand before tens (de einundzwanzig).
        large: the lowest magnitude that multiplies everything before it: a thousand, or 万.
    """
    so_far, taken = _Sum(), list[Word]()
    for word in words:
        if not _take(so_far, word, follows=follows, units_first=units_first, large=large):
            yield _finished(so_far, taken)
            so_far, taken = _Sum(), []
            _take(so_far, word, follows=follows, units_first=units_first, large=large)
        taken.append(word)
    if taken:
        yield _finished(so_far, taken)


def _finished(so_far: _Sum, taken: list[Word]) -> Spoken:
    vague = len(taken) == 1 and taken[0].magnitude
    return Spoken(so_far.value, vague, taken[0].start, taken[-1].end)


def _take(so_far: _Sum, word: Word, *, follows: bool, units_first: bool, large: int) -> bool:
    if not word.magnitude:
        return so_far.add(word.value, units_first=units_first)
    if follows and (so_far.pending is None or so_far.opened):
        return so_far.open(word.value)
    return so_far.multiply(word.value, large=large)
