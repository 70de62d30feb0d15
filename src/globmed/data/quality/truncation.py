"""A text that breaks off: the original ends as a sentence does, the translation in mid-sentence."""

from __future__ import annotations

import re
from collections.abc import Iterator

from globmed.core.item import Finding, Severity
from globmed.data.bands import band
from globmed.data.function_words import function_words
from globmed.data.graphemes import count_graphemes
from globmed.data.pairs import FieldPair, Pair
from globmed.data.quality import Check

SHORT_BY, OPTION_SHORT_BY = 1.5, 3.0
"""Spreads below the usual length: what lost its full stop and is this short lost words as well."""
ARTICLES_FIRST = {"en", "fr", "de", "pt", "es"}
"""Languages whose function words stand before what they belong to: a text that ends in one breaks off."""
LETTERS_NEEDED = 20

_SENTENCE_ENDS = re.compile(r"[.?!…。？！][)\]\"'»”’）」』]?$")
_ANY_END = re.compile(r"[^\w\s,，、(（\-–—]$")
_BREAKS_OFF = re.compile(r"[,，、(（\-–—]$")


def find(pair: Pair) -> Iterator[Finding]:
    """Block a text that lost its end and stops in mid-phrase or short; ask about one that only lost the end's mark."""
    for field in pair.fields:
        source, target = field.source.rstrip(), field.target.rstrip()
        if len(source) < LETTERS_NEEDED or not target or _ANY_END.search(target[-2:]):
            continue
        if not _SENTENCE_ENDS.search(source[-2:]):
            continue
        cut = _breaks_off(target, pair.target.language)
        severity: Severity = "block" if cut or _is_short(pair, field) else "review"
        # Options end with or without a full stop as the translator likes.
        if severity == "block" or not field.name.startswith("options"):
            how = "breaks off" if cut else "lost the mark at its end"
            yield Finding(check=CHECK.name, severity=severity, field=field.name, message=f"{how}: …{target[-20:]!r}")


def _breaks_off(target: str, code: str) -> bool:
    last = target.rsplit(None, 1)[-1]
    return bool(_BREAKS_OFF.search(target)) or (code in ARTICLES_FIRST and last in function_words(code))


def _is_short(pair: Pair, field: FieldPair) -> bool:
    between = band(pair.source.language, pair.target.language)
    short_by = OPTION_SHORT_BY if field.name.startswith("options") else SHORT_BY
    return between.strays(count_graphemes(field.source), count_graphemes(field.target)) < -short_by


CHECK = Check(name="truncation", title="Text that breaks off", run=find)
