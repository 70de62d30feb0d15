"""What follows from where a reply names its options; each function is one rule of `read_choice`."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import groupby

from globmed.bench.reading.markup import LATIN
from globmed.bench.reading.mentions import CLAUSES, Mention, joined_groups, sentences
from globmed.bench.reading.words import Patterns
from globmed.models.client import LETTERS

_BEFORE = 60
_CLOSE = re.compile(r"[)\]\"'»”」』}|_]{0,3}")
_ENDS = re.compile(r"[ ]?(?:[.!。！\n,，;；、(（…]|[:：]|[ ][-–—] |$)")
_LINE_ENDS = re.compile(r"[ ]?[.!。！]?[ ]?(?:\n|$)")
_WORD = re.compile(rf"[{LATIN}]+")
_TICK = re.compile(r"[✓✔✅☑√○◯⭕🟢◎]|\(O\)|（O）")
_CROSS = re.compile(r"[✗✘❌×✕╳☒🔴]|\(X\)")
_ROW = re.compile(r"^[\s|(\[*•\-]{0,6}([A-J])(?![\w'])")
_COMPLETE = re.compile(r"[.!?。！？✓✔✅][)）\]\"'”»」』|*]{0,3}$")
_SHORT = 60
_REPEATED = 3
_LEAD_WORDS = 9
_FEW_ROWS = 2


def concluded(text: str, named: list[Mention], words: Patterns) -> Iterator[tuple[Mention, tuple[int, ...]]]:
    """Give letters that a clause says nothing but to conclude with: "Also E.", "C la.", "のでDです"."""
    for group in joined_groups(text, named, words):
        if not any(one.denied for one in group) and _concludes(text, group, words):
            yield group[-1], tuple(one.option for one in group)


def _concludes(text: str, group: Sequence[Mention], words: Patterns) -> bool:
    end = _CLOSE.match(text, group[-1].end).end()  # type: ignore[union-attr]
    tail = words.tail.match(text, end) or words.tail.match(text, end + 1)
    end = tail.end() if tail else end
    ends = _ENDS.match(text, end)
    if ends is None:
        return False
    hard = _LINE_ENDS.match(text, end) is not None
    before = text[max(0, group[0].start - _BEFORE) : group[0].start]
    if tail and not tail[0].isascii() and (not before or before[-1] in " \"'「（(" or not before[-1].isascii()):
        return hard or text[end : end + 1] in tuple(".。!！")
    stops = list(CLAUSES.finditer(before))
    starts = {0 if len(before) < _BEFORE else None, *(stop.end() for stop in stops[-2:])} - {None}
    return any(
        _announces(
            before[start:],
            before[:start].rstrip()[-1:],
            words,
            tail=tail is not None,
            ends=ends[0],
            hard=hard,
            text=group[0].by_text,
        )
        for start in starts
        if start is not None
    )


def _announces(lead: str, mark: str, words: Patterns, *, tail: bool, ends: str, hard: bool, text: bool) -> bool:
    """Whether a clause up to an option announces it, and nothing else."""
    lead = lead.lstrip()
    if lead.count(" ") > _LEAD_WORDS or words.leads.fullmatch(lead[:1].lower() + lead[1:]) is None:
        return False
    said = set(_WORD.findall(lead.lower())) - words.prepositions
    if any(not character.isascii() and character.isalpha() for character in lead):
        said.add(lead)
    if ends.strip() not in ("", ".", "!", "。", "！"):
        said -= words.options
    if text:
        return (tail or len(said) > 1 or bool(said & words.announcing)) and ends.strip() in ("", ".", "!", "。", "！")
    if said or tail:
        return True
    return (not mark or mark in ".!?…:：。！？→—–") and hard


def named_both(text: str, named: list[Mention], words: Patterns) -> Iterator[tuple[Mention, tuple[int, ...]]]:
    """Give sentences that accept several options: "Both C and E are correct"."""
    if not words.both.search(text):
        return
    ends = [end for _, end in sentences(text)]
    for sentence, inside in groupby(named, key=lambda one: bisect_right(ends, one.start)):
        left = [one for one in inside if not one.denied]
        start = ends[sentence - 1] if sentence else 0
        if len({one.option for one in left}) > 1 and words.both.search(text[start : ends[sentence]]):
            yield left[-1], tuple(one.option for one in left)


def ticked(text: str, words: Patterns) -> int | None:
    """Return the one option whose line is ticked or called correct, among lines that each begin with a letter."""
    rows = [(LETTERS.index(row[1]), line) for line in text.split("\n") if (row := _ROW.match(line))]
    if len({option for option, _ in rows}) < 2:
        return None
    marked = {option for option, line in rows if _TICK.search(line) and not _CROSS.search(line)}
    if not marked and len(rows) > _FEW_ROWS:
        marked = {option for option, line in rows if words.praised.search(line) and not words.deny.search(line)}
    return marked.pop() if len(marked) == 1 else None


def place_named(text: str, named: list[Mention], words: Patterns, options: int) -> tuple[int, ...]:
    """Return the option named by its place, "the third option"."""
    if not words.any_ordinal.search(text):
        return ()
    found = {place for pattern, place in words.ordinals if pattern.search(text)}
    if len(found) != 1 or any(not one.denied and not one.by_text for one in named):
        return ()
    place = found.pop()
    return (options - 1 if place < 0 else place,)


def eliminated(named: list[Mention], options: int) -> tuple[int, ...]:
    """Return the one option that is left where all others are struck out."""
    left = set(range(options)) - {one.option for one in named if one.denied}
    return tuple(left) if len(left) == 1 else ()


def only_left(text: str, named: list[Mention]) -> tuple[int, ...]:
    """Return the one option that is named and nowhere struck out."""
    denied = {one.option for one in named if one.denied}
    left = {one.option for one in named if not one.denied} - denied
    repeated = len(named) >= _REPEATED
    return tuple(left) if len(left) == 1 and (repeated or _complete(text)) else ()


def _complete(text: str) -> bool:
    """Whether a reply came to its end; the reasoning of one that was cut off is no answer."""
    return len(text) < _SHORT or _COMPLETE.search(text[-8:].rstrip()) is not None
