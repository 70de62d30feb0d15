"""Where a reply names an option, and whether it strikes it out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

from globmed.bench.reading.markup import LATIN
from globmed.bench.reading.words import Patterns
from globmed.models.client import LETTERS

_BEFORE, _AFTER = 48, 90
_LETTER = re.compile(rf"(?<!['°º\d])([A-J])(?![{LATIN}]|['\-][{LATIN}])")
_STOPS = re.compile(r"[.!?;](?=[\s*\"'»”)]|$)|[。！？；…\n]|\.\.")
CLAUSES = re.compile(r"[,、，:：]|[.!?;](?=[\s*\"'»”)]|$)|[。！？；…\n]|\.\.| [–—] ")
_WORD = re.compile(rf"[{LATIN}']+")
SHARE = re.compile(r"[)\].:|]{0,2}[^\S\n]{0,2}(?:[-–—=:|(][^\S\n]?)?\d+(?:[.,]\d+)?[ ]?%")
_LOWER_WORD = re.compile(rf"[ ](?![0-9A-ZÀ-ÖØ-Þ])([{LATIN}']+)")
_GENUS = re.compile(r"\.[ ]?[a-z]{4}")
# Words of many languages: only before a word that may follow an option's letter are they letters.
_WORDS_TOO = frozenset("AEI")
_EDGES = " .。;,:!"
_STEM_MIN = 6
_JOINT = re.compile(r"[ ]?[)\]]?")


@dataclass(frozen=True)
class Mention:
    """One place where a reply names an option.

    Attributes:
        option: its index.
        start, end: where the name stands.
        by_text: whether the option's text stands there, not its letter.
        denied: whether the clause strikes the option out.
    """

    option: int
    start: int
    end: int
    by_text: bool
    denied: bool = False


def mentions(text: str, lower: str, options: tuple[str, ...], words: Patterns, *, start: int = 0) -> list[Mention]:
    """Return where a visible reply names its options, in order, in time linear in its length.

    Args:
        text: the reply as `visible` gives it.
        lower: the same in lower case.
        options: texts of the options, visible and in lower case.
        words: the patterns of the language.
        start: from where on.
    """
    found = list(_texts(lower, options, start, inflects=words.inflects))
    covered = {place for one in found for place in range(one.start, one.end)}
    found += [one for one in _letters(text, options, words, start) if one.start not in covered]
    return _judged(text, sorted(found, key=lambda one: one.start), words)


def _texts(lower: str, options: tuple[str, ...], begin: int, *, inflects: bool) -> Iterator[Mention]:
    taken: set[int] = set()
    named = [(text, index) for index, option in enumerate(options) for text in _forms(option, inflects=inflects)]
    for option, index in sorted(named, key=lambda one: -len(one[0])):
        within = inflects and len(option) >= _STEM_MIN
        start = lower.find(option, begin)
        while start >= 0:
            end = start + len(option)
            if start not in taken and _whole(lower, start, end, within=within):
                taken.update(range(start, end))
                yield Mention(index, start, end, by_text=True)
            start = lower.find(option, end)


_EDGE = re.compile(rf"[{LATIN}]")


def _forms(option: str, *, inflects: bool) -> Iterator[str]:
    """Give an option's text, and in languages that inflect by prefix also without its first vowel."""
    option = option.strip(_EDGES)
    if len(option) > 1:
        yield option
    if inflects and len(option) > _STEM_MIN and option[0] in "aeiou":
        yield option[1:].removeprefix("-")


def _whole(lower: str, start: int, end: int, *, within: bool) -> bool:
    before, after = lower[start - 1 : start] if start else "", lower[end : end + 1]
    if after == "/" or (not within and _EDGE.match(lower[start]) and _EDGE.match(before)):
        return False
    if lower[start].isdigit() and before in (".", ",") and lower[start - 2 : start - 1].isdigit():
        return False
    return not (_EDGE.match(lower[end - 1]) and _EDGE.match(after))


def _letters(text: str, options: tuple[str, ...], words: Patterns, begin: int) -> Iterator[Mention]:
    name_ends = -1
    for letter in _LETTER.finditer(text, begin):
        index = LETTERS.index(letter[1])
        # "Antigens A and B": what is joined to a name is one.
        if name_ends >= 0 and _joined(text, name_ends, letter.start(), words):
            name_ends = letter.end()
            continue
        name_ends = letter.end() if _names_more(text, letter.start(), words) else -1
        if index < len(options) and _is_letter(text, letter.start(), letter.end(), words, options[index]):
            yield Mention(index, letter.start(), letter.end(), by_text=False)


def _names_more(text: str, start: int, words: Patterns) -> bool:
    word = _word_before(text[max(0, start - _BEFORE) : start])
    return len(word) > 2 and word not in words.known_before


def _word_before(before: str) -> str:
    """Return the word that a space parts from what follows, in lower case; empty where there is none."""
    last = before[:-1].rsplit(None, 1)[-1:] if before.endswith(" ") else []
    found = _WORD.findall(last[0]) if last else []
    return found[-1].lower() if found and last[0].endswith(found[-1]) else ""


def _is_letter(text: str, start: int, end: int, words: Patterns, option: str) -> bool:
    """Whether a capital names an option: not "vitamin C", "T1", "E. coli", "A patient", "38 C" or "B: 60 %"."""
    before = text[max(0, start - _BEFORE) : start]
    if words.prefixed.search(before):
        return True
    if before and (_EDGE.match(before[-1]) or before[-1] in "-'"):
        return False
    word = _word_before(before)
    named = word and word not in words.known_before
    if (
        named
        or words.noun_before.search(before.rstrip())
        or words.noun_after.match(text, end)
        or SHARE.match(text, end)
    ):
        return False
    follows = _LOWER_WORD.match(text, end)
    if follows and text[start] in _WORDS_TOO and not words.after.match(text, end + 1):
        return option.startswith(follows[1])
    genus = _GENUS.match(text, end)
    return not genus or option.startswith(genus[0].lstrip(". ")) or words.after.match(text, genus.end() - 4) is not None


def _judged(text: str, found: list[Mention], words: Patterns) -> list[Mention]:
    """Say of each mention whether it is denied; joined ones ("A, B and D") share what follows the last."""
    judged: list[Mention] = []
    for group in joined_groups(text, found, words):
        following = found[len(judged) + len(group)] if len(judged) + len(group) < len(found) else None
        previous = judged[-1] if judged else None
        denied = _denied(text, group[0], group[-1], following, previous, words)
        judged += [replace(one, denied=True) for one in group] if denied else group
    return judged


def joined_groups(text: str, found: list[Mention], words: Patterns) -> Iterator[list[Mention]]:
    """Give mentions in groups, those together that are joined: "A, B and D"."""
    group: list[Mention] = []
    for one in found:
        if group and not _joined(text, group[-1].end, one.start, words):
            yield group
            group = []
        group.append(one)
    if group:
        yield group


def _joined(text: str, end: int, start: int, words: Patterns) -> bool:
    close = _JOINT.match(text, end)
    join = words.join.match(text, end if close is None else close.end()) if start - end < 20 else None
    if join is None or join.end() < start:
        return text[end:start].strip(" -").lower() in words.joins
    # "Du B, A la": a comma joins no clause of its own.
    return text[end:start].strip() != "," or not words.tail.match(text, start + 2)


def _denied(
    text: str, first: Mention, last: Mention, following: Mention | None, previous: Mention | None, words: Patterns
) -> bool:
    before = text[max(0, first.start - _BEFORE, previous.end if previous else 0) : first.start]
    clause = words.prefixed.sub("", before[_last_end(before) :])
    turned = previous is not None and words.instead.match(text, previous.end)
    if not turned and words.struck_before.search(clause):
        return True
    if words.instead.match(text, last.end):
        return True
    limit = min(len(text), last.end + _AFTER)
    after = text[last.end : limit if following is None else min(limit, following.start)]
    stop = CLAUSES.search(after, 1)
    held = after[: stop.start()] if stop else after
    reason = words.reason.search(held)
    held = held[: reason.start()] if reason else held
    struck = words.deny.search(held)
    # "B not A": what stands right before the next option denies that one.
    return struck is not None and not (
        following is not None and stop is None and not held[struck.end() :].strip(" ,\"'")
    )


def _last_end(before: str) -> int:
    end = 0
    for stop in CLAUSES.finditer(before):
        end = stop.end()
    return end


def sentences(text: str) -> list[tuple[int, int]]:
    """Return where sentences begin and end."""
    bounds = [0, *(stop.end() for stop in _STOPS.finditer(text)), len(text)]
    return [(start, end) for start, end in pairwise(bounds) if start < end]
