"""The final answer of a free reply, by rules in a fixed order; see `read_choice`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache

import msgspec

from globmed.bench.reading.deductions import (
    closing,
    concluded,
    contrasted,
    eliminated,
    highest_share,
    marked,
    named_both,
    only_left,
    only_letter,
    place_named,
    sure,
    ticked,
)
from globmed.bench.reading.lines import (
    bare,
    begins_with_answer,
    last_line,
    lead,
    listed_letters,
    own_line,
    whole_text,
    with_capitals,
)
from globmed.bench.reading.markup import visible
from globmed.bench.reading.mentions import Seen, groups_from
from globmed.bench.reading.reading import Reading
from globmed.bench.reading.resemblance import emphasised, resembled
from globmed.bench.reading.statements import Stated, record, slip, statements, values, verdicts
from globmed.bench.reading.words import patterns
from globmed.core.errors import UsageError
from globmed.models.client import LETTERS


def read_choice(reply: str, options: Sequence[str], language: str) -> Reading:
    """Return what a careful reader would take as the final answer of a reply, and nothing where there is none.

    The rules, in order; the first that finds something decides: a bare letter; the one letter that is a value in a
    reply that is nothing but JSON; the last of all statements after a cue ("Answer: B", "la réponse est donc B", TeX's
    boxed letter, `{"answer": "B"}`), verdicts ("B is correct"), lists with one line ticked or alone not struck out,
    conclusions (a clause that says nothing else, "Also B.") and sentences that accept several, or what follows a change
    of mind behind it; a bare letter on the last line; what follows a change of mind; a letter at the beginning ("B.
    Paracetamol ..."); several letters; the option's text instead of its letter. Then, unless the reply declines: the
    highest of shares of certainty; the place of an option ("the second option"); the one option left where all others
    are struck out; the one option that a reply names and does not strike out; the one in bold; the one in the last
    sentence; the one whose words the last sentence uses. What is asked, left open, conceded, only seemed so or is less
    good than another counts for nothing. A reply unread so far is read again with its lone small letters as capitals
    ("antwort b, weil ..."). Without any, it is unread.

    Args:
        reply: the model's text as it came.
        options: texts of the options, A first; at most ten.
        language: BCP 47 code of the language asked in; English is understood inside any.

    Raises:
        UsageError: more options than letters, or a language that is not in the table.
    """
    if len(options) > len(LETTERS):
        raise UsageError(f"{len(options)} options; expected at most {len(LETTERS)}, {LETTERS[0]} to {LETTERS[-1]}")
    text = visible(reply)
    if not any(character.isalnum() for character in text):
        return Reading(letter=None, status="empty", rule="empty")
    seen = Seen(text=text, lower=text.lower(), options=_shown(tuple(options)), words=patterns(language))
    read = _read(seen, reply)
    capital = with_capitals(seen) if read.status == "unread" else None
    if capital is None:
        return read
    again = _read(capital, reply)
    return msgspec.structs.replace(again, rule=f"{again.rule}, letter in lower case") if again.letter else read


def _read(seen: Seen, reply: str) -> Reading:
    for rule in (bare, record, _last_stated, last_line, _turned, lead, listed_letters, own_line, whole_text):
        stated = rule(seen)
        if stated is not None:
            return _as_reading(stated, len(seen.options))
    refusals = seen.words.refuse.spans(seen.text, seen.lower, seen.runs)
    if refusals:
        # "I am no doctor, but C would be my guess" refuses nothing.
        behind = only_letter(replace(seen, text=seen.text[refusals[-1][1] :], lower=seen.lower[refusals[-1][1] :]))
        if behind:
            return _as_reading(Stated(behind, "letter behind a refusal"), len(seen.options))
        return Reading(letter=None, status="refused", rule="refusal phrase")
    stated = _deduced(seen, reply)
    return _as_reading(stated, len(seen.options)) if stated else Reading(letter=None, status="unread", rule="no rule")


@lru_cache(maxsize=1024)
def _shown(options: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(" ".join(visible(option).lower().split()) for option in options)


def _as_reading(stated: Stated, options: int) -> Reading:
    named = dict.fromkeys(stated.options)
    if len(named) > 1:
        return Reading(letter=None, status="several", rule=stated.rule)
    (option,) = named
    if option >= options:
        return Reading(letter=None, status="unread", rule=f"{stated.rule}, letter beyond the options")
    return Reading(letter=LETTERS[option], status="read", rule=stated.rule)


def _last_stated(seen: Seen) -> Stated | None:
    """Return the last of all statements, verdicts and conclusions: a reply that changes its mind means the later."""
    stated = _stated(seen)
    return slip(seen) or stated if stated else None


def _stated(seen: Seen) -> Stated | None:
    found = [*values(seen), *statements(seen), *verdicts(seen)]
    option = ticked(seen) if seen.rows and not highest_share(seen) else None
    if option is not None:
        found.append((seen.rows[-1].end, Stated((option,), "the one line ticked")))
    option = None if seen.rows else marked(seen)
    if option is not None:
        return Stated((option,), "the one letter ticked")
    last = max((place for place, _ in found), default=0)
    if not begins_with_answer(seen):
        found += _conclusions(seen, last)
    if not found:
        return None
    place, stated = max(found, key=lambda one: one[0])
    return _turned(seen, place) or stated


def _turned(seen: Seen, place: int = 0) -> Stated | None:
    """Return what a reply comes to behind a change of mind that follows a place: "B. Wait, C fits"."""
    turns = [end for start, end in seen.words.turn.spans(seen.text, seen.lower, seen.runs) if start > place]
    if not turns:
        return None
    # Behind such words a letter is seldom part of a name.
    named = [one for one in (seen if place else seen.loosened).named if not one.denied and one.start not in seen.listed]
    named = [one for one in named if sure(seen, one)]
    left = {one.option for one in named if one.start >= turns[-1]}
    if not left and seen.words.negates_behind:
        # "D로 정정하겠습니다": the verb stands behind.
        left = {one.option for one in named if place < one.start}
    return Stated(tuple(left), "change of mind") if left and (place or len(left) == 1) else None


def _conclusions(seen: Seen, start: int) -> Iterator[tuple[int, Stated]]:
    # What stands before the last statement cannot change it.
    groups = groups_from(seen, start) if start else seen.groups
    for first, options in concluded(seen, groups):
        yield first.start, Stated(options, "conclusion")
    for first, options in contrasted(seen, groups):
        yield first.start, Stated(options, "not one but another")
    for first, options in named_both(seen, groups):
        yield first.start, Stated(options, "several accepted")


def _deduced(seen: Seen, reply: str) -> Stated | None:
    """Return what follows where nothing is stated: by place, by elimination, by what the reply comes back to."""
    unlisted = [one for one in seen.named if one.start not in seen.listed]
    found: tuple[tuple[str, Callable[[], tuple[int, ...]]], ...] = (
        ("highest share", lambda: highest_share(seen)),
        ("place among the options", lambda: place_named(seen, unlisted)),
        ("elimination", lambda: eliminated(seen, seen.named)),
        ("only letter named", lambda: only_letter(seen)),
        ("only option named", lambda: only_left(seen, unlisted)),
        ("emphasis", lambda: emphasised(reply, seen)),
        ("option in the last sentence", lambda: closing(seen, unlisted)),
        ("words of an option", lambda: resembled(seen)),
    )
    for name, rule in found:
        options = rule()
        if options:
            return Stated(options, name)
    return None
