"""Statements of an answer in a reply: after a cue, before a verdict, as the value of a key."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from globmed.bench.reading.markup import LATIN
from globmed.bench.reading.mentions import Seen
from globmed.models.client import LETTERS

_SEEN_BEFORE, _SEEN_AFTER = 40, 60
# Looked for where a cue ends; after a prefix ("nguB") it may touch what stands before it.
_LETTER = re.compile(rf"([A-J])(?![{LATIN}]|['\-][{LATIN}])")
_LOWER_LETTER = re.compile(r"([a-j])(?=[ ]?(?:[)\]\"'»”」』}.,;\n]|$))")
_LAST_LETTER = re.compile(r"[a-j][.\"'”»]{0,2}\Z")
_MENTION = re.compile(rf"(?<![{LATIN}'\-])([A-J])(?![{LATIN}]|['\-][{LATIN}])")
# Between a letter and the text that explains it: "A (prednisolone)", "D, azithromycin".
_BESIDE = re.compile(r"[)\].:,]{0,2}[ ]?[-–—(:]{0,1}[ ]?[\"'«“]?(?:i-|[a-z]{1,3}[' ])?")
_BESIDE_LETTER = re.compile(r"[ ]?[(\[]([A-J])[)\]]")
_EDGES = " \"'«»“”„「」『』()[]{}<>.,;:!。、_|-"
# Letters written together, "BE".
_JSON = re.compile(r"\"[^\"\n]{1,40}\"\s?:\s?\"([A-J])[\".)]")
_RECORD = re.compile(r"(?:json\s*)?\{")
_VALUE = re.compile(r"\"[^\"\n]{1,40}\"\s?:\s?\"[(\[]?([A-Ja-j])[\".)\]]")
_RUN = re.compile(r"([A-J]{2,6})(?=[.。]?[ ]?(?:\n|$))")
_SENTENCE_ENDS = re.compile(r"\w[.] ")
_GOES_ON = re.compile(rf"[{LATIN}]|[.,]\d")
# A word in lower case right after a letter, be it behind a full stop, may make the letter something else.
_STOP = re.compile(r"\.?[ ]|\.")
_WORD = re.compile(rf"(?![0-9A-ZÀ-ÖØ-Þ])[{LATIN}]+")


@dataclass(frozen=True)
class Stated:
    """One place that states an answer: the options it names and the rule that found it."""

    options: tuple[int, ...]
    rule: str


def values(seen: Seen) -> Iterator[tuple[int, Stated]]:
    """Give letters that are the value of a key, with their places: `{"choice": "B. Paracetamol"}`."""
    if '"' in seen.text:
        for value in _JSON.finditer(seen.text):
            yield value.start(1), Stated((LETTERS.index(value[1]),), "value of a key")


def record(seen: Seen) -> Stated | None:
    """Find the one letter that is a value in a reply that is nothing but JSON; lists of it hold what is left out."""
    if not seen.text.endswith("}") or _RECORD.match(seen.text) is None:
        return None
    letters = {value[1].upper() for value in _VALUE.finditer(seen.text)}
    return Stated((LETTERS.index(letters.pop()),), "value of a key") if len(letters) == 1 else None


def statements(seen: Seen) -> Iterator[tuple[int, Stated]]:
    """Give what stands behind a cue, with its place: "Answer: B", "la réponse est donc B"."""
    for cue in seen.words.cues(seen.text, seen.lower, seen.runs):
        if _SENTENCE_ENDS.search(cue["gap"]) or (cue["correct"] and not seen.words.tied.search(cue["gap"])):
            continue
        if _negated(seen, cue.start()) or cue.end() in seen.seemed:
            continue
        lower = any(mark in cue["gap"] for mark in ":{(") or _LAST_LETTER.match(seen.text, cue.end()) is not None
        stated = _named_at(seen, cue.end(), lower=lower) or _label(seen, cue)
        if stated:
            yield cue.end(), stated


def _negated(seen: Seen, start: int) -> bool:
    """Whether a negation stands right before a cue or letter."""
    last = bisect_left(seen.negations, (start, start))
    return any(
        end <= start and seen.words.not_filler.fullmatch(seen.text, end, start)
        for _, end in seen.negations[max(0, last - 2) : last]
    )


def verdicts(seen: Seen) -> Iterator[tuple[int, Stated]]:
    """Give the letters that a reply calls right, with the last one's place: "B is correct"."""
    found = [
        mention
        for mention in _MENTION.finditer(seen.text)
        if (seen.words.verdict.match(seen.text, mention.end()) or seen.words.praised.match(seen.text, mention.end()))
        and not denied_after(seen, mention.end())
        and mention.start() not in seen.seemed
        and _names_an_option(seen, mention.start())
    ]
    if found:
        options = tuple(LETTERS.index(mention[1]) for mention in found)
        yield found[-1].start(), Stated(options, "verdict")


def _names_an_option(seen: Seen, start: int) -> bool:
    if _negated(seen, start):
        return False
    before = seen.text[max(0, start - _SEEN_BEFORE) : start]
    return not before.rstrip(" ")[-1:].isalnum() or seen.words.introduces.search(before) is not None


def slip(seen: Seen) -> Stated | None:
    """Return what a reply means that writes a letter beside another option's text, if it comes back to one of them."""
    for letter in _MENTION.finditer(seen.text):
        written = LETTERS.index(letter[1])
        # It matches nothing, too.
        begins = _BESIDE.match(seen.text, letter.end()).end()  # type: ignore[union-attr]
        meant = text_at(seen, begins)
        if meant is None or meant == written:
            continue
        end = begins + len(seen.options[meant])
        # "A, prednisolone (B)" names two options, each rightly.
        own = _BESIDE_LETTER.match(seen.text, end)
        if own is None or LETTERS.index(own[1]) != meant:
            later = Counter(one.option for one in seen.named if one.start >= end and not one.denied)
            more = later[meant] - later[written]
            return Stated((meant if more > 0 else written,), "comes back to one of letter and text") if more else None
    return None


def _named_at(seen: Seen, place: int, *, lower: bool) -> Stated | None:
    by_text = text_at(seen, place)
    if by_text is not None:
        return Stated((by_text,), "statement of the option's text")
    letter = _LETTER.match(seen.text, place) or (_LOWER_LETTER.match(seen.text, place) if lower else None)
    if letter is not None:
        return _letter_stated(seen, letter)
    run = _RUN.match(seen.text, place)
    if run is not None and list(run[1]) == sorted(set(run[1])):
        return Stated(tuple(LETTERS.index(one) for one in run[1]), "statement")
    denied = seen.words.denied_then.match(seen.text, place)
    first = _LETTER.match(seen.text, denied.end()) if denied else None
    meant = seen.words.but.match(seen.text, first.end()) if first else None
    second = _LETTER.match(seen.text, meant.end()) if meant else None
    return _letter_stated(seen, second) if second else None


def _label(seen: Seen, cue: re.Match[str]) -> Stated | None:
    """Find a label that begins as a linking word does, as "是", "はい" and "ndiyo" do: "答案：是"."""
    start = cue.start("gap") + len(cue["gap"]) - len(cue["gap"].lstrip(_EDGES))
    index = text_at(seen, start)
    whole = index is not None and not _next_to(seen, start + len(seen.options[index])).isalnum()
    return Stated((index,), "statement of the option's text") if index is not None and whole else None


def _letter_stated(seen: Seen, letter: re.Match[str]) -> Stated | None:
    instead = seen.words.instead.match(seen.text, letter.end())
    letter = (_LETTER.match(seen.text, instead.end()) if instead else None) or letter
    index = LETTERS.index(letter[1].upper())
    if seen.text[letter.end() : letter.end() + 2].lstrip(")]\"'").startswith(("?", "？")):
        return None
    if denied_after(seen, letter.end()) or not stands_alone(seen, letter.end(), index):
        return None
    return Stated((index, *(LETTERS.index(other[1]) for other in joined_letters(seen, letter.end()))), "statement")


def denied_after(seen: Seen, end: int) -> bool:
    """Whether what follows a letter denies it, and not the letter behind: "B is wrong", but not "B not A"."""
    denied = seen.words.denied_after.match(seen.text, end)
    if denied is None:
        return False
    # "B not A" denies the letter that follows.
    approach = seen.words.approach.match(seen.text, denied.end())
    return approach is None or _LETTER.match(seen.text, approach.end()) is None


def stands_alone(seen: Seen, end: int, index: int) -> bool:
    """Whether what follows leaves a letter a letter: no word it is part of ("A patient"), no genus ("E. coli")."""
    rest = seen.text[end : end + _SEEN_AFTER].lstrip(")]\"'»”」』}|_")
    if rest[:1].isalpha():
        return seen.words.after.match(rest) is not None
    stop = _STOP.match(rest)
    word = rest[stop.end() :] if stop else ""
    first = _WORD.match(word)
    if first is None:
        return True
    own = index < len(seen.options) and seen.options[index].startswith(first[0])
    return own or seen.words.after.match(word) is not None


def joined_letters(seen: Seen, end: int) -> Iterator[re.Match[str]]:
    """Give the letters that are joined to one that ends here: "A and C", "A, B"."""
    for _ in LETTERS:
        join = seen.words.join.match(seen.text, end)
        letter = _LETTER.match(seen.text, join.end()) if join else None
        if letter is None:
            return
        rest = seen.text[letter.end() : letter.end() + _SEEN_AFTER].lstrip(" ")
        if _GOES_ON.match(rest) and not seen.words.join.match(seen.text, letter.end()):
            return
        yield letter
        end = letter.end()


def text_at(seen: Seen, place: int) -> int | None:
    """Return the option whose text stands at a place of the reply, the longest where one begins like another."""
    texts = _longest_first(seen.options)
    if not seen.lower.startswith(tuple(texts), place):
        return None
    return next(
        (
            index
            for text, index in texts.items()
            if seen.lower.startswith(text, place) and _ends(seen, place + len(text))
        ),
        None,
    )


@lru_cache(maxsize=1024)
def _longest_first(options: tuple[str, ...]) -> dict[str, int]:
    # An option such as blood group "A" is read as the letter that was asked for.
    named = {
        text: index for index, text in reversed(list(enumerate(options))) if text and text.upper() not in tuple(LETTERS)
    }
    return dict(sorted(named.items(), key=lambda one: -len(one[0])))


def _next_to(seen: Seen, end: int) -> str:
    return seen.lower[end : end + 1]


def _ends(seen: Seen, end: int) -> bool:
    return _GOES_ON.match(seen.lower, end) is None
