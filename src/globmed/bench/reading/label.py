"""The label that a free reply gives a pair of premise and hypothesis; see `read_label`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache

from globmed.bench.reading.markup import visible
from globmed.bench.reading.reading import Reading
from globmed.bench.reading.words import patterns, words
from globmed.core.language import language
from globmed.models.client import LETTERS

_EDGES = " \n:=*_|.,-\"'«»“”„「」『』()[]{}<>"
_NAMES = ("entailment", "not_entailment", "neutral", "contradiction")


def read_label(reply: str, options: Sequence[str], language: str) -> Reading:
    """Return which label a careful reader would take as a reply's final answer, and nothing where there is none.

    The rules, in order: the label after the last cue ("Answer: entailment"); the only label that the last line names;
    the only one that the reply names. Labels are known in the language of the item and in English.

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
    for start, rule in [*_stated_at(text, language), (text.rfind("\n") + 1, "last line")]:
        named = pattern.search(text, start)
        if named is not None and (rule == "last line" or not text[start : named.start()].strip(_EDGES)):
            return Reading(letter=LETTERS[labels[_form(named[0])]], status="read", rule=rule)
    found = {labels[_form(named[0])] for named in pattern.finditer(text)}
    if len(found) == 1:
        return Reading(letter=LETTERS[found.pop()], status="read", rule="only label")
    if found:
        return Reading(letter=None, status="several", rule="several labels")
    if patterns(language).refuse.search(text):
        return Reading(letter=None, status="refused", rule="refusal phrase")
    return Reading(letter=None, status="unread", rule="no rule")


def _stated_at(text: str, code: str) -> list[tuple[int, str]]:
    """Return where cues such as "Answer:" end, the last first."""
    return [(cue.start("gap"), "statement") for cue in reversed(list(patterns(code).cue.finditer(text)))]


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
