"""What follows from where a reply names its options; each function is one rule of `read_choice`."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import pairwise

from globmed.bench.reading.markup import LATIN
from globmed.bench.reading.mentions import CLAUSES, Mention, Seen, first_in, struck_out
from globmed.bench.reading.rows import Row
from globmed.bench.reading.words import CROSSES, TICKS, Patterns
from globmed.models.client import LETTERS

_BEFORE = 60
_CLOSE = re.compile(r"[)\]\"'»”」』}|_]{0,3}")
_ENDS = re.compile(r"[ ]?(?:[.!。！\n,，;；、(（…]|[:：]|[ ][-–—] |$)")
_LINE_ENDS = re.compile(r"[ ]?[.!。！]?[ ]?(?:\n|$)")
_TEXT_ENDS = re.compile(r"[.!。！]?\Z")
_WORD = re.compile(rf"[{LATIN}]+")
_COMPLETE = re.compile(r"[.!?。！？✓✔✅][)）\]\"'”»」』|*]{0,3}$")
_TICK = re.compile(rf"[{TICKS}]|\(O\)|（O）")
_CROSS = re.compile(rf"[{CROSSES}]|\(X\)")
_MARKED = re.compile(rf"(?<![{LATIN}])([A-J])[ ]?[:：\-–—]?[ ]?(?:([{TICKS}]|\(O\)|（O）)|[{CROSSES}]|\(X\)|（X）)")
# A share behind a letter, with nothing between them that another letter names.
_LONE = rf"(?<![{LATIN}'])[A-J](?![{LATIN}'])"
_SHARED = re.compile(rf"({_LONE})(?:(?!{_LONE})[^%\n]){{0,80}}?(?<![\d.,])(\d+(?:[.,]\d+)?)[ ]?%")
_SHARE = re.compile(r"(?<![\d.,])(\d+(?:[.,]\d+)?)[ ]?%")
_LETTER = re.compile(_LONE)
_SHARING = re.compile(r"[;，；、\n。]|,(?!\d)|[.](?=\s+[A-ZÀ-Þ])")
_SHARED_OFF = 5
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
    prefix = words.prefixed.search(before) if words.inflects else None
    before = before[: prefix.start()] if prefix else before
    if tail and not tail[0].isascii() and (not before or before[-1] in " \"'「（(" or not before[-1].isascii()):
        return hard or text[end : end + 1] in tuple(".。!！")
    starts = {stop.end() for stop in list(CLAUSES.finditer(before))[-2:]}
    return any(
        _announces(
            before[start:],
            before[:start].rstrip()[-1:],
            words,
            tail=tail is not None or (prefix is not None and prefix[0].lower() in words.copula),
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
    lines = [(row.option, seen.text[row.start : row.end]) for row in seen.rows]
    marks = _TICK.search(seen.text)
    marked = {option for option, line in lines if _is_ticked(line)} if marks else set()
    if not marked and len(lines) >= _FEW:
        marked = _judged(seen)
        marked = set() if len(marked) == 1 and _goes_on(seen) else marked
    return marked.pop() if len(marked) == 1 else None


def marked(seen: Seen) -> int | None:
    """Return the one option with a tick where others have crosses, in a line: "A ✗, B ✓, C ✗"."""
    if _TICK.search(seen.text) is None:
        return None
    found = [(LETTERS.index(one[1]), one[2] is not None) for one in _MARKED.finditer(seen.text)]
    ticks, crosses = ({option for option, tick in found if tick is kind} for kind in (True, False))
    return ticks.pop() if len(ticks) == 1 and crosses and not ticks & crosses else None


def _judged(seen: Seen) -> set[int]:
    """Return the options whose lines say that they hold, or else those whose lines do not strike them out."""
    judged = [(row.option, *_verdict(seen, row)) for row in seen.rows]
    marked = {option for option, holds, denied in judged if holds and not denied}
    if len(judged) == _FEW and not all(denied for option, _, denied in judged if option not in marked):
        return set()
    every = len({option for option, _, _ in judged}) == len(seen.options)
    if not marked and len(judged) > _FEW and every:
        return {option for option, _, denied in judged if not denied}
    return marked


def _goes_on(seen: Seen) -> bool:
    """Whether a reply comes back to an option behind its list."""
    return any(one.start > seen.rows[-1].end and not one.denied and sure(seen, one) for one in seen.named)


def _verdict(seen: Seen, row: Row) -> tuple[bool, bool]:
    """Whether a line says that its option holds, and whether it strikes it out."""
    inside = [first_in(spans, row.letter_ends, row.end) is not None for spans in (seen.fits, seen.denials)]
    return inside[0], inside[1] or _CROSS.search(seen.text, row.start, row.end) is not None


def _is_ticked(line: str) -> bool:
    """Whether the first sign of a line is a tick; a later one may be part of a dose, "2 × 5 mg"."""
    tick, cross = _TICK.search(line), _CROSS.search(line)
    return tick is not None and (cross is None or tick.start() < cross.start())


def highest_share(seen: Seen) -> tuple[int, ...]:
    """Return the option with the highest share where a reply shares its certainty out: "A 10 %, B 70 %, C 20 %"."""
    if "%" not in seen.text:
        return ()
    known = LETTERS[: len(seen.options)]
    behind = [(one[1], one[2]) for one in _SHARED.finditer(seen.text)]
    # "90 % that it is B, and 10 % for A".
    parts = _SHARING.split(seen.text)
    clauses = [([one for one in _LETTER.findall(part) if one in known], _SHARE.findall(part)) for part in parts]
    beside = [(letters[0], shares[0]) for letters, shares in clauses if len(letters) == len(shares) == 1]
    for pairs in (behind, beside):
        given = {letter: float(share.replace(",", ".")) for letter, share in pairs}
        best = [letter for letter in given if given[letter] == max(given.values())]
        once = len(given) == len(set(pairs)) >= _FEW and set(given) <= set(known)
        if once and len(best) == 1 and abs(sum(given.values()) - 100) <= _SHARED_OFF:
            return (LETTERS.index(best[0]),)
    return ()


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
        # "..., so not A or C; she has B" speaks for B.
        last = [one for one in named if one.start >= seen.sentences[-1][0] and not one.denied]
        spared = bool(last) and (named[-1] is not last[-1] or not first_in(seen.denials, last[-1].end, len(seen.text)))
        return () if spared else tuple(unnamed)
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
    loose = seen.loosened
    letters = [one for one in loose.named if not one.by_text and one.start not in loose.listed]
    free = [one for one in letters if seen.text[one.start - 1 : one.start] not in ("(", "（")] or letters
    free = [one for one in free if not _conceded(seen, one)]
    left = {one.option for one in free if not one.denied} - {one.option for one in letters if one.denied}
    if len(left) != 1 or not complete(seen.text):
        return ()
    plain = [one for one in free if one.option in left and sure(loose, one)]
    return tuple(left) if _stands_out(seen, letters, plain) else ()


def only_left(seen: Seen, named: list[Mention]) -> tuple[int, ...]:
    """Return the one option that is named, nowhere struck out, and somewhere neither asked about nor left open.

    What a concession names is named in passing: "even though the husband objects".
    """
    denied = {one.option for one in named if one.denied}
    own = [one for one in named if not one.denied and one.option not in denied]
    if not own or not (len(own) >= _REPEATED or complete(seen.text)):
        return ()
    if len({one.option for one in (*own, *_perhaps_letters(seen)) if one.option not in denied}) != 1:
        return ()
    plain = [one for one in own if sure(seen, one) and not _conceded(seen, one)]
    return (own[0].option,) if _stands_out(seen, named, plain) else ()


def _stands_out(seen: Seen, named: list[Mention], own: list[Mention]) -> bool:
    """Whether an option is not just one of those gone through, perhaps in words that strike it out unseen.

    So it may be where all but one are named and it stands neither in the first nor in the last sentence.
    """
    if len({one.option for one in named}) != len(seen.options) - 1 or len(seen.options) == _FEW:
        return bool(own)
    ends = (seen.sentences[0], seen.sentences[-1])
    return any(seen.sentence_at(one.start) in ends for one in own)


def _perhaps_letters(seen: Seen) -> list[Mention]:
    """Return the letters that are not struck out, those behind words that are not known, too."""
    if any(_LONE_LETTER.search(option) for option in seen.options):
        return []
    return [one for one in seen.loosened.named if not one.by_text and not one.denied and not _conceded(seen, one)]


def _conceded(seen: Seen, one: Mention) -> bool:
    """Whether the clause up to a mention begins a concession."""
    at = bisect_left(seen.clause_stops, (one.start, one.start))
    return first_in(seen.concessions, seen.clause_stops[at - 1][1] if at else 0, one.start) is not None


def closing(seen: Seen, named: list[Mention]) -> tuple[int, ...]:
    """Return the one option that the last sentence names, where the first speaks for no other.

    By its text an option may be named for many reasons; a word for "answer", "correct" or a choice must stand there.
    """
    if not complete(seen.text) or not seen.sentences:
        return ()
    named = [*named, *_perhaps_letters(seen)]
    last, first = (_in_sentence(seen, named, bounds) for bounds in (seen.sentences[-1], seen.sentences[0]))
    options = {one.option for one in last}
    if len(options) != 1 or (len({one.option for one in first}) == 1 and first[0].option not in options):
        return ()
    cues = seen.words.cues(seen.text, seen.lower, seen.runs)
    by_letter = any(not one.by_text for one in last)
    start = seen.sentences[-1][0]
    praised = any(cue.start() >= start for cue in cues) or first_in(seen.fits, start, len(seen.text)) is not None
    return tuple(options) if by_letter or praised else ()


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
    at = bisect_left(seen.stops, (one.end, one.end))
    return at < len(seen.stops) and seen.text[seen.stops[at][0]] in ("?", "？")


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
