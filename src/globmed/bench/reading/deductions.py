"""What follows from where a reply names its options; each function is one rule of `read_choice`."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

from globmed.bench.reading.markup import LATIN
from globmed.bench.reading.mentions import CLAUSES, STOPS, Mention, Seen, first_in, struck_out
from globmed.bench.reading.rows import Row
from globmed.bench.reading.words import Patterns
from globmed.models.client import LETTERS

_BEFORE = 60
_CLOSE = re.compile(r"[)\]\"'»”」』}|_]{0,3}")
_ENDS = re.compile(r"[ ]?(?:[.!。！\n,，;；、(（…]|[:：]|[ ][-–—] |$)")
_LINE_ENDS = re.compile(r"[ ]?[.!。！]?[ ]?(?:\n|$)")
_TEXT_ENDS = re.compile(r"[.!。！]?\Z")
_WORD = re.compile(rf"[{LATIN}]+")
_COMPLETE = re.compile(r"[.!?。！？✓✔✅][)）\]\"'”»」』|*]{0,3}$")
_TICK = re.compile(r"[✓✔✅☑√○◯⭕🟢◎]|\(O\)|（O）")
_CROSS = re.compile(r"[✗✘❌×✕╳☒🔴]|\(X\)")
# A share behind a letter, with nothing between them that another letter names.
_LONE = rf"(?<![{LATIN}'])[A-J](?![{LATIN}'])"
_SHARED = re.compile(rf"({_LONE})(?:(?!{_LONE})[^%\n]){{0,80}}?(?<![\d.,])(\d+(?:[.,]\d+)?)[ ]?%")
_SHARED_MIN, _SHARED_OFF = 3, 5
_LONE_LETTER = re.compile(rf"(?<![{LATIN}])[a-j](?![{LATIN}])")
_FEW = 2
_SHORT = 90  # bytes: scripts without spaces say more in a character
_REPEATED = 3
_LEAD_WORDS = 9
_GREETING = 5


def concluded(seen: Seen, groups: list[list[Mention]]) -> Iterator[tuple[Mention, tuple[int, ...]]]:
    """Give letters that a clause says nothing but to conclude with: "Also E.", "C la.", "のでDです"."""
    for at, group in enumerate(groups):
        if group[0].start in seen.listed or not _concludes(seen, group):
            continue
        if not struck_out(seen, groups, at) and not asked(seen, group[-1]) and not _hedged(seen, group[0].start):
            yield group[-1], tuple(one.option for one in group)


def _concludes(seen: Seen, group: Sequence[Mention]) -> bool:
    text, words = seen.text, seen.words
    end = _CLOSE.match(text, group[-1].end).end()  # type: ignore[union-attr]
    tail = words.tail.match(text, end) or words.tail.match(text, end + 1)
    end = tail.end() if tail else end
    ends = _ENDS.match(text, end)
    if ends is None:
        return False
    # "Since she is an adult, B."
    last = len(group) == 1 and _TEXT_ENDS.match(text, end) is not None
    hard = _LINE_ENDS.match(text, end) is not None
    first = group[0].start
    bound = max(0, first - _BEFORE)
    before = text[bound:first]
    if tail and not tail[0].isascii() and (not before or before[-1] in " \"'「（(" or not before[-1].isascii()):
        return hard or text[end : end + 1] in tuple(".。!！")
    starts = {stop.end() for stop in list(CLAUSES.finditer(before))[-2:]}
    return any(
        _announces(
            before[start:],
            before[:start].rstrip()[-1:],
            words,
            tail=tail is not None,
            ends=ends[0],
            hard=hard,
            text=group[0].by_text,
            last=last,
        )
        for start in (starts | {0} if bound == 0 else starts)
    )


def _announces(
    lead: str, mark: str, words: Patterns, *, tail: bool, ends: str, hard: bool, text: bool, last: bool
) -> bool:
    """Whether a clause up to an option announces it, and nothing else."""
    lead = lead.lstrip()
    if lead.count(" ") > _LEAD_WORDS or words.leads.fullmatch(lead[:1].lower() + lead[1:]) is None:
        return False
    said = set(_WORD.findall(lead.lower())) - words.prepositions
    if not lead.isascii() and any(not character.isascii() and character.isalpha() for character in lead):
        said.add(lead)
    if ends.strip() not in ("", ".", "!", "。", "！"):
        said -= words.options
    if text:
        return (tail or len(said) > 1 or bool(said & words.announcing)) and ends.strip() in ("", ".", "!", "。", "！")
    if said or tail:
        return True
    return (not mark or mark in (".!?…:：。！？→—–,、，" if last else ".!?…:：。！？→—–")) and hard


def contrasted(seen: Seen, groups: list[list[Mention]]) -> Iterator[tuple[Mention, tuple[int, ...]]]:
    """Give options that a word for "but" sets against others that are struck out: "not A, but B"."""
    for at, (before, group) in enumerate(pairwise(groups)):
        but = seen.words.but.match(seen.text, before[-1].end)
        negated = first_in(seen.negations, seen.sentence_at(before[0].start)[0], before[0].start)
        if but and but.end() >= group[0].start and (negated or struck_out(seen, groups, at)):
            yield group[-1], tuple(one.option for one in group)


def named_both(seen: Seen, groups: list[list[Mention]]) -> Iterator[tuple[Mention, tuple[int, ...]]]:
    """Give sentences that accept several options: "Both C and E are correct"."""
    starts = [group[0].start for group in groups]
    for both, _ in seen.words.both.spans(seen.text, seen.lower, seen.runs):
        start, end = seen.sentence_at(both)
        inside = range(bisect_left(starts, start), bisect_left(starts, end))
        left = [one for at in inside if not struck_out(seen, groups, at) for one in groups[at]]
        if len({one.option for one in left}) > 1:
            yield left[-1], tuple(one.option for one in left)


def ticked(seen: Seen) -> int | None:
    """Return the one option whose line is ticked or said to hold, or alone is not struck out, in a list of options."""
    lines = [(row.option, seen.text[row.letter_ends : row.end]) for row in seen.rows]
    marks = _TICK.search(seen.text)
    marked = {option for option, line in lines if _is_ticked(line)} if marks else set()
    if not marked and len(lines) >= _FEW:
        judged = [(row.option, *_verdict(seen, row)) for row in seen.rows]
        marked = {option for option, holds, denied in judged if holds and not denied}
        if len(lines) == _FEW and not all(denied for option, _, denied in judged if option not in marked):
            marked = set()
        open_still = {option for option, _, denied in judged if not denied}
        if not marked and len(lines) > _FEW and len({option for option, _ in lines}) == len(seen.options):
            marked = open_still
    return marked.pop() if len(marked) == 1 else None


def _verdict(seen: Seen, row: Row) -> tuple[bool, bool]:
    """Whether a line says that its option holds, and whether it strikes it out."""
    inside = [first_in(spans, row.letter_ends, row.end) is not None for spans in (seen.fits, seen.denials)]
    return inside[0], inside[1] or _CROSS.search(seen.text, row.letter_ends, row.end) is not None


def _is_ticked(line: str) -> bool:
    """Whether the first sign of a line is a tick; a later one may be part of a dose, "2 × 5 mg"."""
    tick, cross = _TICK.search(line), _CROSS.search(line)
    return tick is not None and (cross is None or tick.start() < cross.start())


def highest_share(seen: Seen) -> tuple[int, ...]:
    """Return the option with the highest share where a reply shares its certainty out: "A 10 %, B 70 %, C 20 %"."""
    if "%" not in seen.text:
        return ()
    shares = [(LETTERS.index(one[1]), float(one[2].replace(",", "."))) for one in _SHARED.finditer(seen.text)]
    given = dict(shares)
    total = sum(given.values())
    if len(given) < min(_SHARED_MIN, len(seen.options)) or len(given) < len(shares) or abs(total - 100) > _SHARED_OFF:
        return ()
    best = [option for option, share in given.items() if share == max(given.values())]
    return tuple(best) if len(best) == 1 else ()


def place_named(seen: Seen, named: list[Mention]) -> tuple[int, ...]:
    """Return the option named by its place, "the third option"."""
    if any(not one.denied and not one.by_text for one in named):
        return ()
    ordinals = seen.words.any_ordinal.spans(seen.text, seen.lower, seen.runs)
    if not ordinals:
        return ()
    bounds = {seen.sentence_at(start) for start, _ in ordinals}
    found = [
        (len(one["far"] or ""), -one.start(), place)
        for pattern, place in seen.words.ordinals
        for span in bounds
        for one in pattern.finditer(seen.text, *span)
    ]
    if not found:
        return ()
    # The nearest to a word for "option", of those the last.
    place = min(found)[2]
    return (len(seen.options) - 1 if place < 0 else place,)


def eliminated(seen: Seen, named: list[Mention]) -> tuple[int, ...]:
    """Return the one option that is left where all others are struck out.

    Of three others or more one may be gone through in words that strike nothing out: where all but one option are
    named, the one that is never named is the one left.
    """
    denied = {one.option for one in named if one.denied}
    left = set(range(len(seen.options))) - denied
    unnamed = left - {one.option for one in named}
    alike = len({one.by_text for one in named if one.denied or one.option in left}) == 1
    if len(left) == _FEW and len(unnamed) == 1 and len(denied) >= _FEW and alike and named[0].denied:
        return tuple(unnamed)
    if len(left) > 1 and denied:
        # "B is out since ..., C since ..., and D for ...": the sentence strikes out all it names.
        bounds = {seen.sentence_at(one.start) for one in named if one.denied}
        plain = {span for span in bounds if not first_in(seen.fits, *span)}
        struck = {one.option for one in named if seen.sentence_at(one.start) in plain}
        left = unnamed if alike and len(struck) == len(seen.options) - 1 else left
    return tuple(left) if len(left) == 1 else ()


def only_letter(seen: Seen) -> tuple[int, ...]:
    """Return the option of the one letter that a reply names, be it behind a word that is not known: "Tick box C".

    A letter is seldom written for anything but its option, so it outweighs options named by their texts. Where a letter
    stands in brackets behind a text it only says which option the text is.
    """
    if any(_LONE_LETTER.search(option) for option in seen.options):
        return ()
    loose = replace(seen, loose=True)
    letters = [one for one in loose.named if not one.by_text and one.start not in loose.listed]
    free = [one for one in letters if seen.text[one.start - 1 : one.start] not in ("(", "（")] or letters
    left = {one.option for one in free if not one.denied} - {one.option for one in letters if one.denied}
    if len(left) != 1 or not complete(seen.text):
        return ()
    return tuple(left) if any(sure(loose, one) for one in free if one.option in left) else ()


def only_left(seen: Seen, named: list[Mention]) -> tuple[int, ...]:
    """Return the one option that is named, nowhere struck out, and somewhere neither asked about nor left open."""
    denied = {one.option for one in named if one.denied}
    left = {one.option for one in named if not one.denied} - denied
    if len(left) != 1 or not any(one.option in left and sure(seen, one) for one in named):
        return ()
    return tuple(left) if len(named) >= _REPEATED or complete(seen.text) else ()


def closing(seen: Seen, named: list[Mention]) -> tuple[int, ...]:
    """Return the one option that the last sentence names, where the first speaks for no other.

    By its text an option may be named for many reasons; a word for "answer", "correct" or a choice must stand there.
    """
    if not complete(seen.text) or not seen.sentences:
        return ()
    last, first = (_in_sentence(seen, named, bounds) for bounds in (seen.sentences[-1], seen.sentences[0]))
    options = {one.option for one in last}
    if len(options) != 1 or (len({one.option for one in first}) == 1 and first[0].option not in options):
        return ()
    cues = seen.words.cues(seen.text, seen.lower, seen.runs)
    by_letter = any(not one.by_text for one in last)
    return tuple(options) if by_letter or any(cue.start() >= seen.sentences[-1][0] for cue in cues) else ()


def _in_sentence(seen: Seen, named: list[Mention], bounds: tuple[int, int]) -> list[Mention]:
    inside = [one for one in named if bounds[0] <= one.start < bounds[1]]
    return [one for one in inside if not one.denied and sure(seen, one)]


def sure(seen: Seen, one: Mention) -> bool:
    """Whether the sentence around a mention is neither a question nor leaves anything open."""
    if asked(seen, one):
        return False
    start, end = seen.sentence_at(one.start) if seen.hedges else (0, 0)
    return not any(start <= hedge[0] < end for hedge in seen.hedges)


def asked(seen: Seen, one: Mention) -> bool:
    """Whether the sentence around a mention is a question."""
    stop = STOPS.search(seen.text, one.end)
    return stop is not None and stop[0] in ("?", "？")


def _hedged(seen: Seen, place: int) -> bool:
    """Whether the clause up to a place leaves something open."""
    stops = list(CLAUSES.finditer(seen.text, max(0, place - _BEFORE), place)) if seen.hedges else []
    start = stops[-1].end() if stops else place - _BEFORE
    return any(start <= hedge[0] and hedge[1] <= place for hedge in seen.hedges)


def complete(text: str) -> bool:
    """Whether a reply came to its end; the reasoning of one that was cut off is no answer."""
    body, _, last = text.rpartition("\n\n")
    # "With kind regards".
    text = body if body and last.count(" ") < _GREETING and last[-1:].isalpha() else text
    return len(text.encode()) < _SHORT or _COMPLETE.search(text[-8:].rstrip()) is not None
