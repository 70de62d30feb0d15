"""A negation lost: "not", "except" or "contraindicated" in the original, and nothing of the kind in the translation.

What counts most is a question that asks for the exception. The translation is read very loosely (`negation.toml`), for
languages negate by prefixes, verbs and many words: what is found is nearly always real, and much is not found.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from itertools import pairwise

import msgspec

from globmed.core.item import Finding, Severity
from globmed.core.language import language
from globmed.data.pairs import FieldPair, Pair
from globmed.data.quality import Check

LONGEST = 400
"""Characters of a text in which the absence of a whole word class still tells; in longer ones something negates."""
END_MARGIN, END_MORE = 1.3, 20
"""How much more of the translation's end than its share is read for what the original's last sentence says."""

_SENTENCE_END = re.compile(r"[.?!:]\s+|[。？！]")


class Negation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A language's row of `negation.toml`: regular expressions for what negates, asks for the exception, may negate."""

    says: str
    asks: str
    may: str


@cache
def _patterns(code: str) -> dict[str, re.Pattern[str]]:
    text = files("globmed.data.quality").joinpath("negation.toml").read_text(encoding="utf-8")
    table = msgspec.convert(tomllib.loads(text), dict[str, Negation])
    known = language(code)
    listed = "|".join(re.escape(word) for word in known.not_)
    written = rf"\b(?:{listed})\b" if known.script == "Latn" else listed
    row = table.get(code, Negation(says="(?!)", asks="(?!)", may=""))
    return {
        "says": re.compile(row.says),
        "asks": re.compile(row.asks),
        "may": re.compile(f"{row.may}|{written}" if row.may else ""),
    }


def find(pair: Pair) -> Iterator[Finding]:
    """Block a question that no longer asks for the exception, ask about other negations that have no counterpart."""
    if pair.source.language == pair.target.language:
        return
    here, there = _patterns(pair.source.language), _patterns(pair.target.language)
    for field in pair.fields:
        if not field.source.strip() or not field.target.strip():
            continue
        if field.name == "question" and pair.source.kind == "mcqa":
            yield from _lost_in_question(field, here, there)
        elif len(field.source) <= LONGEST:
            said = here["says"].search(_fold(field.source))
            if said and not there["may"].search(_fold(field.target)):
                yield _finding("review", field, said[0])


def _lost_in_question(
    field: FieldPair, here: dict[str, re.Pattern[str]], there: dict[str, re.Pattern[str]]
) -> Iterator[Finding]:
    """Judge the last sentence, which asks, against the end of the translation."""
    source = _fold(field.source)
    last = _last(source)
    asked = here["asks"].search(last)
    said = asked or here["says"].search(last)
    if not said:
        return
    target = _fold(field.target)
    end = int(len(target) * len(last) / len(source) * END_MARGIN) + END_MORE
    if not there["may"].search(target[-end:]):
        # The exclusion may have moved into the sentence before.
        gone = asked and not there["may"].search(target)
        yield _finding("block" if gone else "review", field, said[0])


def _last(text: str) -> str:
    ends = [0, *[end.end() for end in _SENTENCE_END.finditer(text)], len(text)]
    for start, end in reversed(list(pairwise(ends))):
        if len(sentence := text[start:end].rstrip()) > 15:
            return sentence
    return text


def _fold(text: str) -> str:
    lower = text.strip().lower()
    return lower if lower.isascii() else unicodedata.normalize("NFC", lower)


def _finding(severity: Severity, field: FieldPair, said: str) -> Finding:
    message = f"the original's {said[-40:]!r} has no counterpart"
    return Finding(check=CHECK.name, severity=severity, field=field.name, message=message)


CHECK = Check(name="negation", title="Negation lost", run=find)
