"""Answers that take a whole reply, its beginning or a line of their own; each function is a rule of `read_choice`."""

from __future__ import annotations

import re

from globmed.bench.reading.markup import LATIN
from globmed.bench.reading.mentions import SHARE, Seen, first_in, word_before
from globmed.bench.reading.statements import Stated, denied_after, joined_letters, stands_alone, text_at
from globmed.models.client import LETTERS

_SEEN_BEFORE, _SEEN_AFTER = 40, 60
# Looked for where a cue ends; after a prefix ("nguB") it may touch what stands before it.
_LETTER = re.compile(rf"([A-J])(?![{LATIN}]|['\-][{LATIN}])")
_BARE = re.compile(r"[^\w\n]{0,12}_{0,2}([A-Ja-j])_{0,2}[^\w\n]{0,12}")
_ENDING = re.compile(r"([A-J]|[a-j](?=\)))[^\w\n]{0,12}")
# "Final letter: g", "What I settle on -> B".
_NAMED_LETTER = re.compile(r"[^:：→>\n]{1,40}(?:[:：→]|->|=>)[ ]?[^\w\n]{0,4}([A-Ja-j])[^\w\n]{0,6}")
_SMALL = re.compile(
    rf"(?<![{LATIN}'.°/%])(?<!\d )(?:[b-dfghj]|[aei](?=[ ]?(?:[,.;:!?)\]\n]|[^\x00-\u024f]|$)))(?![{LATIN}'\-/])"
)
_VERB = re.compile(r" (?=[a-z])")
_LEAD = re.compile(r"[(\[\"']?([A-J]|[a-j](?=\)))(?:[).:\]][\"']?(?=\s|[^\x00-\x7f])|(?=\n)|(?= [-–—] ))")
_WORD_CHARACTER = re.compile(r"\w")
_MARKS = "#>-–—•·=_|()[]{}<>.:;,!。、：「」『』【】\"' "
_EDGES = " \"'«»“”„「」『』()[]{}<>.,;:!。、_|-"
# Options such as yes, no and maybe are not struck out by the negation that follows them.
_LABELS_MAX = 3


def bare(seen: Seen) -> Stated | None:
    """Find a reply that is nothing but a letter: "B", "(b)", "**B**"."""
    return _bare_line(seen, seen.text, "bare letter")


def last_line(seen: Seen) -> Stated | None:
    """Find a last line that is nothing but a letter, or names one: "Final letter: g"."""
    return _bare_line(seen, seen.text.rsplit("\n", 1)[-1].strip(), "last line")


def _bare_line(seen: Seen, line: str, rule: str) -> Stated | None:
    bare = _BARE.fullmatch(line)
    if bare is None and len(line) <= _SEEN_AFTER:
        bare = _NAMED_LETTER.fullmatch(line)
    if bare is None and len(line) <= _SEEN_AFTER:
        approach = seen.words.approach.match(line)
        bare = _ENDING.fullmatch(line, approach.end()) if approach else None
    return Stated((LETTERS.index(bare[1].upper()),), rule) if bare else None


def with_capitals(seen: Seen) -> Seen | None:
    """Return a reply with capitals for the letters it may name in lower case, "antwort b, weil ..."; None without any.

    A letter that is a word of many languages, "a", "e" or "i", is one only where no further word follows it, behind a
    word that may announce it.
    """
    if any(not one.by_text for one in seen.named):
        return None

    def capital(letter: re.Match[str]) -> str:
        word = word_before(seen.text[max(0, letter.start() - _SEEN_BEFORE) : letter.start()])
        meant = letter[0] not in "aei" or letter[0] == word or not word or word in seen.words.known_before
        return letter[0].upper() if meant or seen.text.startswith(")", letter.end()) else letter[0]

    text = _SMALL.sub(capital, seen.text)
    return Seen(text=text, lower=seen.lower, options=seen.options, words=seen.words) if text != seen.text else None


def own_line(seen: Seen) -> Stated | None:
    """Find the one line that holds nothing but an option, by its letter, its text or both."""
    if "\n" not in seen.text:
        return None
    found = [option for line in seen.text.split("\n") if (option := _line_of(seen, line)) is not None]
    return Stated((found[0],), "option on a line of its own") if len(found) == 1 else None


def _line_of(seen: Seen, line: str) -> int | None:
    bare = _BARE.fullmatch(line)
    if bare:
        return LETTERS.index(bare[1].upper())
    text = line.lower().strip(_MARKS)
    for index, option in enumerate(seen.options):
        plain = option.strip(_MARKS)
        if plain and text.endswith(plain) and text[: -len(plain)].strip(_MARKS) in ("", LETTERS[index].lower()):
            return index
    return None


def lead(seen: Seen) -> Stated | None:
    """Find a letter that a reply begins with: "B. Paracetamol ..."; a list of options begins with none."""
    first = _LEAD.match(seen.text)
    if first is None or seen.rows:
        return None
    index = LETTERS.index(first[1].upper())
    end = first.end(1)
    if denied_after(seen, end) or not stands_alone(seen, end, index) or SHARE.match(seen.text, end):
        return None
    if _ruled_out(seen, first.end()):
        return None
    return Stated((index,), "leading letter")


def _ruled_out(seen: Seen, end: int) -> bool:
    """Whether a letter is the subject of a clause that strikes it out: "a) scheidet aus"."""
    if _VERB.match(seen.text, end) is None or text_at(seen, end + 1) is not None:
        return False
    stop = first_in(seen.clause_stops, end, len(seen.text))
    return first_in(seen.denials, end, stop[0] if stop else len(seen.text)) is not None


def begins_with_answer(seen: Seen) -> bool:
    """Whether a reply begins with a letter and its option's text: what it says behind that explains."""
    lead = _LEAD.match(seen.text)
    if lead is None or seen.rows or LETTERS.index(lead[1].upper()) >= len(seen.options):
        return False
    option = seen.options[LETTERS.index(lead[1].upper())].strip(_EDGES)
    return bool(option) and seen.lower[lead.end() :].lstrip(_EDGES).startswith(option)


def listed_letters(seen: Seen) -> Stated | None:
    """Find a reply that is a list of letters: "A, C"."""
    first = _LETTER.match(seen.text)
    letters = [first, *joined_letters(seen, first.end())] if first else []
    if len(letters) < 2 or _WORD_CHARACTER.search(seen.text, letters[-1].end()):
        return None
    return Stated(tuple(LETTERS.index(letter[1]) for letter in letters), "several letters")


def whole_text(seen: Seen) -> Stated | None:
    """Find an option's text that stands for its letter: as the whole reply, a line of it, or its beginning."""
    lines = seen.lower.split("\n")
    for line in (" ".join(lines[:3]) if len(lines) <= 3 else lines[0], lines[0], lines[-1]):
        bare = line.strip(_EDGES)
        equal = tuple(index for index, option in enumerate(seen.options) if option.strip(_EDGES) == bare)
        if equal and bare:
            return Stated(equal, "option's text")
    index = text_at(seen, 0)
    if index is None or seen.lower[len(seen.options[index]) :][:1] not in ".,;:!。、,\n":
        return None
    struck = len(seen.options) > _LABELS_MAX and any(one.denied for one in seen.named[:1])
    if not struck:
        return Stated((index,), "leading option's text")
    return None
