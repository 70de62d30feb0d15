"""The labels of an item, inference or yes, no and maybe, in the words of one language and of English."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from globmed.bench.reading.markup import visible
from globmed.bench.reading.phrases import Phrases, runs_of, words
from globmed.bench.reading.words import Patterns, codes_of, patterns, small_words
from globmed.core.language import language

_ANSWERS = ("yes", "no", "maybe")
_RELATIONS = ("entailment", "neutral", "contradiction")
_PAIR = ("entailment", "not_entailment")
# In the order in which items have them.
_FAMILIES = (_ANSWERS, _RELATIONS, _PAIR)
_NAMES = ("entailment", "not_entailment", "neutral", "contradiction", *_ANSWERS)


@dataclass(frozen=True)
class Labels:
    """The labels of an item in one language and in English.

    Attributes:
        pattern: any of them, the longest first.
        options: the option that each stands for, by its text.
        places: the options that are known labels, by the label's name.
        short: the words for yes, no and maybe.
    """

    pattern: re.Pattern[str]
    options: dict[str, int]
    places: dict[str, int]
    short: frozenset[str]


def form(text: str) -> str:
    """Return a label as replies are compared with it: visible, in lower case, words parted by one space."""
    return " ".join(visible(text).lower().replace("_", " ").split())


@cache
def labels_of(options: tuple[str, ...], code: str) -> Labels:
    """Return the labels of an item by its options' texts, A first, in a language and in English."""
    own = [form(option) for option in options]
    known = {text: index for index, text in enumerate(own)}
    forms = {name: _forms(name, code) for name in _NAMES}
    places = _filled(_placed(own, forms, patterns(code)), len(options))
    for name, index in places.items():
        for text in forms[name]:
            known.setdefault(text, index)
    for text, index in list(known.items()):
        for prefix in patterns(code).copula:
            written = prefix.rstrip("-")
            # Zulu "wukulandela" is "wu" and "ukulandela".
            known.setdefault(written.removesuffix(text[:1]) + text, index)
    long = {text for name in _NAMES[: -len(_ANSWERS)] for text in forms[name]}
    short = {
        text for name in _ANSWERS for text in (*forms[name], *(own[at] for at in [places.get(name)] if at is not None))
    }
    return Labels(pattern=re.compile(words(known)), options=known, places=places, short=frozenset(short - long))


def _forms(name: str, code: str) -> list[str]:
    """Return the words for a label, those of the table of languages first."""
    codes = codes_of(code)
    tables = [small_words()[one] for one in codes if one in small_words()]
    further = [word for table in tables for word in getattr(table, name, ())]
    return [form(text) for text in (*(getattr(language(one), name) for one in codes), *further)]


def _placed(own: list[str], forms: dict[str, list[str]], known: Patterns) -> dict[str, int]:
    """Return the labels' options: by a word for them, or else by what an option's text says of a pair."""
    places = {name: own.index(text) for name in _NAMES for text in reversed(forms[name]) if text in own}
    said = (("contradiction", known.against), ("entailment", known.follows))
    for name, phrases in said if not places and len(own) == len(_RELATIONS) else ():
        found = [index for index, text in enumerate(own) if _says(text, phrases, known)]
        if len(found) == 1:
            places[name] = found[0]
    return places


def _says(text: str, phrases: Phrases, known: Patterns) -> bool:
    return bool(phrases.spans(text, text, runs_of(text, known.begins)))


def _filled(places: dict[str, int], of: int) -> dict[str, int]:
    """Return places with those that follow from the others, where some stand where items of their kind have them."""
    for family in _FAMILIES:
        rest = [(at, name) for at, name in enumerate(family) if name not in places]
        usual = all(places.get(name, at) == at for at, name in enumerate(family))
        if places and len(family) == of and set(places) <= set(family) and usual:
            return places | {name: at for at, name in rest}
    return places
