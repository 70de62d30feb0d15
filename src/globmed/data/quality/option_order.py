"""Options in another order than the original's: the answer's index then names a wrong one.

Every two options are compared as they stand and crosswise, by what survives translation (`globmed.data.likeness`).
Between English, French, German, Portuguese and Spanish nearly every swap is seen. Elsewhere those are seen that hold
different numbers, abbreviations or names; a swap of two Chinese phrases of equal length is not.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

from globmed.core.item import Finding, Severity
from globmed.data.likeness import COGNATES_WEIGHT, TOKENS_WEIGHT, Relation, looks, overlap, pieces, relation, tokens
from globmed.data.pairs import Pair
from globmed.data.quality import Check

BLOCK_ODDS = {True: 1.2, False: 3.0}
REVIEW_ODDS = {True: 0.6, False: 1.5}
"""Logarithm of the odds of a swap, by whether the languages share cognates: chance likeness is greater elsewhere."""
CLEAR_ODDS = 3.0
"""Where the first letters of words speak so clearly for the order as it is, no letters are compared."""
PIECES_NEEDED = 12
"""Pieces in which two options must differ to be told apart by cognates: about two words."""
PIECES_SHARED = 2
"""One piece in common is chance: "high" ends as "niedrig" does."""


def find(pair: Pair) -> Iterator[Finding]:
    """Block two options that fit better crosswise; ask about those that may."""
    if len(pair.source.options) != len(pair.target.options) or len(pair.source.options) < 2:
        return
    between = relation(pair.source.language, pair.target.language)
    worst, first, second = max(_crosswise(pair, between))
    if worst >= REVIEW_ODDS[between.share_cognates]:
        severity: Severity = "block" if worst >= BLOCK_ODDS[between.share_cognates] else "review"
        message = f"options[{first}] and options[{second}] fit the original better when swapped"
        yield Finding(check=CHECK.name, severity=severity, field="options", message=message)


def comparable(pair: Pair, first: int, second: int) -> bool:
    """Whether a swap of two options can be seen: the original's hold different numbers, abbreviations or cognates."""
    between = relation(pair.source.language, pair.target.language)
    seen = looks((pair.source.options[first], pair.source.options[second]), between)
    one, other = tokens((pair.source.options[first], pair.source.options[second]))
    if one and other and not one & other:
        return True
    return between.share_cognates and len(pieces(seen.spelt[0]) ^ pieces(seen.spelt[1])) >= PIECES_NEEDED


def _crosswise(pair: Pair, between: Relation) -> Iterator[tuple[float, int, int]]:
    """Give, for every two options, by how much they fit better when swapped."""
    source, target = looks(pair.source.options, between), looks(pair.target.options, between)
    here, there = source.log_length, target.log_length
    stems = [
        [0.0 if one.isdisjoint(other) else overlap(one, other, unknown=between.unknown) for other in target.stems]
        for one in source.stems
    ]
    numbers = _numbers(pair)
    letters = _Letters(source.spelt, target.spelt, between.unknown)
    for i, j in combinations(range(len(here)), 2):
        rest = -between.length_weight * (here[i] - here[j]) * (there[i] - there[j])
        if numbers:
            rest += TOKENS_WEIGHT * _swapped(numbers, i, j)
        worse = rest + COGNATES_WEIGHT * _swapped(stems, i, j)
        if between.share_cognates and worse > -CLEAR_ODDS:
            worse = rest + COGNATES_WEIGHT * letters.swapped(i, j)
        yield worse, i, j


class _Letters:
    """What originals and translations share in letters; worked out where it is asked for, and once."""

    def __init__(self, source: Sequence[str], target: Sequence[str], unknown: int) -> None:
        self.spelt = (source, target)
        self.unknown = unknown
        self.pieces: dict[tuple[int, int], frozenset[tuple[str, str, str]]] = {}
        self.fits: dict[tuple[int, int], float] = {}

    def swapped(self, i: int, j: int) -> float:
        """As `_swapped`, of the letters."""
        return self._fit(i, j) + self._fit(j, i) - self._fit(i, i) - self._fit(j, j)

    def _fit(self, one: int, other: int) -> float:
        if (one, other) not in self.fits:
            ours, theirs = self._pieces(0, one), self._pieces(1, other)
            by_chance = len(ours & theirs) < PIECES_SHARED
            self.fits[one, other] = 0.0 if by_chance else overlap(ours, theirs, unknown=self.unknown)
        return self.fits[one, other]

    def _pieces(self, side: int, option: int) -> frozenset[tuple[str, str, str]]:
        if (side, option) not in self.pieces:
            self.pieces[side, option] = pieces(self.spelt[side][option])
        return self.pieces[side, option]


def _numbers(pair: Pair) -> list[list[float]] | None:
    """Return which numbers and abbreviations options share; None where either side holds none."""
    source = tokens(pair.source.options)
    target = tokens(pair.target.options) if any(source) else []
    return [[overlap(one, other) for other in target] for one in source] if any(target) else None


def _swapped(fit: list[list[float]], i: int, j: int) -> float:
    """Return how much more two originals share with each other's translations than with their own."""
    return fit[i][j] + fit[j][i] - fit[i][i] - fit[j][j]


CHECK = Check(name="option_order", title="Options in another order", run=find)
