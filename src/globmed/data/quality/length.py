"""A text much shorter or longer than translations of it are.

The band is `globmed.data.bands`: the usual ratio of lengths between the two languages, and how far good translations
stray from it, which is farther in short texts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from globmed.core.item import Finding
from globmed.core.language import language
from globmed.data.bands import band
from globmed.data.graphemes import count_graphemes
from globmed.data.pairs import Pair
from globmed.data.quality import Check

SHARE_MIXED = 0.2
_LATIN_OR_DIGIT = re.compile(r"[A-Za-z0-9]")


def find(pair: Pair) -> Iterator[Finding]:
    """Block a text far outside the band, send one outside it to review; options are judged together."""
    if pair.source.language == pair.target.language:
        return
    between = band(pair.source.language, pair.target.language)
    for name, source, target in _texts(pair):
        if _mixed(source, pair.source.language) or _mixed(target, pair.target.language):
            continue
        here, there = count_graphemes(source), count_graphemes(target)
        severity = between.judge(here, there)
        if severity:
            way = "short" if there < between.expected(here) else "long"
            usual = f"{between.expected(here):.0f} are usual for {here}"
            base = "" if between.measured else "; the usual is an estimate, not measured in these languages"
            message = f"too {way}: {there} graphemes, {usual}{base}"
            yield Finding(check=CHECK.name, severity=severity, field=name, message=message)


def _mixed(text: str, code: str) -> bool:
    """Whether an East Asian text holds many Latin letters and digits, which stay as long as they are."""
    if language(code).script == "Latn":
        return False
    return len(_LATIN_OR_DIGIT.findall(text)) > SHARE_MIXED * len(text)


def _texts(pair: Pair) -> Iterator[tuple[str, str, str]]:
    options = []
    for field in pair.fields:
        if field.name.startswith("options"):
            options.append(field)
        elif field.source.strip():
            yield field.name, field.source, field.target
    if options and len(pair.source.options) == len(pair.target.options):
        yield "options", " ".join(field.source for field in options), " ".join(field.target for field in options)


CHECK = Check(name="length", title="Too short or too long", run=find)
