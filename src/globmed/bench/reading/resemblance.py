"""What a reply stresses and which option's words it uses: rules of `read_choice` for where others find nothing."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise

from globmed.bench.reading.deductions import complete, sure
from globmed.bench.reading.markup import LATIN, visible, without_thinking
from globmed.bench.reading.mentions import CLAUSES, Mention, Seen, Span, first_in
from globmed.models.client import LETTERS

_BOLD = re.compile(r"(?:\*\*|__)([^*_\n]{1,200})(?:\*\*|__)")
_LETTER = re.compile(r"[(\[]?([A-J])(?:[).:\]]|$| [-–—] )")
_WORD = re.compile(rf"[{LATIN}]{{3,}}")
_OTHER = re.compile(r"[^\W\d_\x00-\u024f\u1e00-\u1eff]{2,}")
_EDGES = " .,;:!\"'"
_STEM = 5
_ENOUGH, _AHEAD = 0.6, 0.3
# One word alone, an organ's or a drug's, is named for many reasons.
_FEW = 2


def emphasised(reply: str, seen: Seen) -> tuple[int, ...]:
    """Return the one option that stands in bold and is nowhere struck out."""
    bold = [visible(span) for span in _BOLD.findall(without_thinking(reply))]
    found = {option for span in bold if (option := _named(span, seen)) is not None}
    denied = {one.option for one in seen.named if one.denied}
    return tuple(found) if len(found) == 1 and not found & denied and complete(seen.text) else ()


def _named(span: str, seen: Seen) -> int | None:
    lower = span.lower().strip(_EDGES)
    whole = [index for index, option in enumerate(seen.options) if option.strip(_EDGES) == lower]
    letter = _LETTER.match(span)
    if not whole and letter and LETTERS.index(letter[1]) < len(seen.options):
        return LETTERS.index(letter[1])
    return whole[0] if len(whole) == 1 else None


def resembled(seen: Seen) -> tuple[int, ...]:
    """Return the one option whose words the last sentence uses, or else the first, with other endings or order.

    Nothing where the sentence denies, asks or leaves open, where another option's words are there too, or where the
    reply goes through several options.
    """
    if not complete(seen.text) or len({one.option for one in seen.named if not one.denied}) > 1:
        return ()
    heads = {row.start for row in seen.rows}
    for bounds in dict.fromkeys((seen.sentences[-1], seen.sentences[0])):
        if bounds[0] in heads or not _plain(seen, bounds):
            continue
        found = _resembles(seen, bounds)
        if found is not None:
            return (found,)
    return ()


def _plain(seen: Seen, bounds: Span) -> bool:
    start, end = bounds
    # The stop itself belongs to what is looked at.
    return sure(seen, Mention(0, start, max(start, end - 2), by_text=True))


def _resembles(seen: Seen, bounds: Span) -> int | None:
    said = {piece for clause in _clauses(seen, bounds) for piece in _pieces(clause)}
    shares = []
    for own in _distinctive(seen.options):
        total = sum(len(piece) for piece in own)
        shares.append(sum(len(piece) for piece in own & said) / total if len(own) >= _FEW else 0.0)
    best, second = sorted(shares, reverse=True)[:2] if len(shares) > 1 else (0.0, 0.0)
    return shares.index(best) if best >= _ENOUGH and best - second >= _AHEAD else None


def _clauses(seen: Seen, bounds: Span) -> Iterator[str]:
    """Give the clauses of a sentence that deny nothing."""
    start, end = bounds
    for first, last in pairwise([start, *(stop.end() for stop in CLAUSES.finditer(seen.text, start, end)), end]):
        if first_in(seen.denials, first, last) is None:
            yield seen.lower[first:last]


@lru_cache(maxsize=1024)
def _distinctive(options: tuple[str, ...]) -> tuple[frozenset[str], ...]:
    """Return for each option the pieces that no other has."""
    pieces = [_pieces(option) for option in options]
    often = Counter(piece for one in pieces for piece in one)
    return tuple(frozenset(piece for piece in one if often[piece] == 1) for one in pieces)


def _pieces(text: str) -> set[str]:
    """Return the stems of words, and pairs of characters in scripts without spaces."""
    pairs = {run[at : at + 2] for run in _OTHER.findall(text) for at in range(len(run) - 1)}
    return {word[:_STEM] for word in _WORD.findall(text)} | pairs
