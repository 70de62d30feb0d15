"""The label that a free reply gives a pair of premise and hypothesis; see `read_label`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache

from globmed.bench.reading.markup import visible
from globmed.bench.reading.reading import Reading
from globmed.bench.reading.words import patterns, words
from globmed.core.language import language
from globmed.models.client import LETTERS

_EDGES = " \n:=*_|.,-\"'«»“”„「」『』()[]{}<>"
_QUOTES = " \"'“”„«»「」‘’*()（）"
_TENTATIVE = ("?", "？", "...", "…")
_SEEN_BEFORE = 40
_OF_TWO = 2
_NAMES = ("entailment", "not_entailment", "neutral", "contradiction", "yes", "no", "maybe")


def read_label(reply: str, options: Sequence[str], language: str) -> Reading:
    """Return which label a careful reader would take as a reply's final answer, and nothing where there is none.

    The rules, in order: the label after the last cue ("Answer: entailment"); several where two are joined; the only
    label that the reply names and does not strike out, or the last line does; of two, the one not struck out. Labels
    are known in the language of the item and in English.

    Args:
        reply: the model's text as it came.
        options: the labels as the item has them, A first.
        language: BCP 47 code of the language asked in.

    Raises:
        UsageError: a language that is not in the table.
    """
    text = visible(reply)
    if not any(character.isalnum() for character in text):
        return Reading(letter=None, status="empty", rule="empty")
    pattern, labels = _labels(tuple(options), language)
    for start in _stated_at(text, language):
        named = pattern.search(text, start)
        if named is not None and not text[start : named.start()].strip(_EDGES) and not _instead(text, named, language):
            return Reading(letter=LETTERS[labels[_form(named[0])]], status="read", rule="statement")
    return _from_mentions(text, list(_named(text, pattern, labels, language)), pattern, language, of=len(options))


def _from_mentions(
    text: str, found: list[tuple[int, int, bool]], pattern: re.Pattern[str], code: str, *, of: int
) -> Reading:
    left = [option for _, option, denied in found if not denied]
    several = _two_at_once(text, pattern, code) or (len(set(left)) > 1 and patterns(code).both.search(text) is not None)
    if len(set(left)) > 1:
        left = [option for place, option, denied in found if not denied and place > text.rfind("\n")][-1:] or left
    if not left and of == _OF_TWO and found:
        left = [1 - found[-1][1]]
    if several or len(set(left)) > 1:
        return Reading(letter=None, status="several", rule="several labels")
    if left:
        return Reading(letter=LETTERS[left[0]], status="read", rule="only label" if len(found) == 1 else "label left")
    if patterns(code).refuse.search(text):
        return Reading(letter=None, status="refused", rule="refusal phrase")
    return Reading(letter=None, status="unread", rule="no rule")


def _named(text: str, pattern: re.Pattern[str], labels: dict[str, int], code: str) -> Iterator[tuple[int, int, bool]]:
    """Give each label that a reply names: where, which, and whether it is struck out.

    A label that is questioned or trails off ("Neutral? No") is not meant; "yes", "no" and the like mean a label only
    where they stand alone, since negation is written with the same words.
    """
    words_of = patterns(code)
    short = {_form(getattr(language(one), name)) for one in (code, "en") for name in ("yes", "no", "maybe")}
    for named in pattern.finditer(text):
        form, rest = _form(named[0]), text[named.end() : named.end() + 12].lstrip(_QUOTES)
        if rest.startswith(_TENTATIVE) or (form in short and not _alone(text, named.start(), rest)):
            continue
        before = text[max(0, named.start() - _SEEN_BEFORE) : named.start()]
        denied = words_of.struck_before.search(before) is not None or _instead(text, named, code)
        yield named.start(), labels[form], denied


def _instead(text: str, named: re.Match[str], code: str) -> bool:
    """Whether what follows a label puts another in its place: "'예'가 아니라 '아니요'"."""
    end = named.end() + 1 if text[named.end() : named.end() + 1] in tuple(_QUOTES) else named.end()
    return patterns(code).instead.match(text, end) is not None


def _two_at_once(text: str, pattern: re.Pattern[str], code: str) -> bool:
    """Whether a reply begins with two labels that are joined: "Yes and no"."""
    first = pattern.match(text)
    join = patterns(code).join.match(text, first.end()) if first else None
    return join is not None and pattern.match(text, join.end()) is not None


def _alone(text: str, start: int, rest: str) -> bool:
    before = text[max(0, start - _SEEN_BEFORE) : start].rstrip(_QUOTES)
    opened = start > 0 and text[start - 1] in "\"'“„«「‘"
    starts = not before or before[-1] in ".,:;!?\n–—-…。、>|" or opened
    return starts and (opened or not rest or rest.startswith("的") or not rest[0].isalnum())


def _stated_at(text: str, code: str) -> list[int]:
    """Return where cues such as "Answer:" end, the last first."""
    cues = reversed(list(patterns(code).cues(text, text.lower())))
    # A label may begin as a linking word does, as "是", "はい" and "ndiyo" do.
    return [place for cue in cues for place in (cue.end(), cue.start("gap"))]


def _form(text: str) -> str:
    return " ".join(visible(text).lower().split())


@cache
def _labels(options: tuple[str, ...], code: str) -> tuple[re.Pattern[str], dict[str, int]]:
    """Return a pattern for any label, the longest first, and the option that each stands for."""
    known = {_form(option): index for index, option in enumerate(options)}
    for name in _NAMES:
        own, english = (_form(getattr(language(one), name)) for one in (code, "en"))
        if own in known:
            known.setdefault(english, known[own])
        elif english in known:
            known.setdefault(own, known[english])
    return re.compile(words(known)), known
