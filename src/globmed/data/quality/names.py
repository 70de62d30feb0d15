"""Abbreviations, gene symbols and drug names of the original that the translation does not hold.

Languages write many abbreviations in their own way or in full, so of these a note is made; a symbol with a digit, such
as BRCA1 or HbA1c, and a drug are left to review. `names.toml` lists abbreviations that mean the same. Drug names are
looked for where the target has Latin letters; into Chinese, Japanese and Korean they are not seen.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Sequence
from functools import cache
from importlib.resources import files

from globmed.core.item import Finding, Severity
from globmed.core.language import language
from globmed.data.function_words import function_words
from globmed.data.likeness import spelling
from globmed.data.pairs import Pair
from globmed.data.quality import Check

# A capital after the first letter, or capitals and digits: TSH, HbA1c, BRCA1, IL-6. Longer words in capitals are
# meant to be read aloud (NOT, EXCEPT, FALSE).
_SYMBOL = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:[-/][A-Za-z0-9]+)*")
_SHOUTED = re.compile(r"[A-Z]{5,}")
_ROMAN = re.compile(r"[IVXL]+[ab]?")
_WITH_DIGIT = re.compile(r"\d")
_SHOUTING = 0.3
"""Share of words in capitals from which a text is written in them."""
_SEPARATORS = " -/.,'’\u2010\u2011\u00a0"
_TAIL_LETTERS = 3
_SHORTEST_DRUG = 6
_STEM_LETTERS = 4


def find(pair: Pair) -> Iterator[Finding]:
    """Ask about symbols with digits and drugs that are gone, note other abbreviations."""
    if pair.source.language == pair.target.language:
        return
    gone = _missing_symbols(pair)
    lost = [symbol for symbol in gone if _WITH_DIGIT.search(symbol)]
    yield from _finding("review", [*lost, *_missing_drugs(pair)])
    yield from _finding("note", [symbol for symbol in gone if symbol not in lost])


def _finding(severity: Severity, missing: Sequence[str]) -> Iterator[Finding]:
    if missing:
        message = f"not in the translation: {', '.join(missing[:6])}"
        yield Finding(check=CHECK.name, severity=severity, field="", message=message)


def _missing_symbols(pair: Pair) -> list[str]:
    words = pair.source_words
    symbols = [word for word in words if not word.islower() and word[1:] != word[1:].lower()]
    if not symbols or len(symbols) > _SHOUTING * len(words):
        return []
    said = pair.target_text.lower()
    lost = [word for word in dict.fromkeys(symbols) if word.lower() not in said and _SYMBOL.fullmatch(word)]
    short = function_words(pair.source.language)
    if not lost:
        return []
    packed = said
    for separator in _SEPARATORS:
        packed = packed.replace(separator, "")
    return [
        word
        for word in lost
        if not (_ROMAN.fullmatch(word) or _SHOUTED.fullmatch(word) or word.lower() in short or _otherwise(word, packed))
    ]


def _otherwise(symbol: str, packed: str) -> bool:
    """Whether a symbol stands in other spelling in a text without spaces and hyphens, or under another name."""
    symbols = [part for part in re.split(r"[-/]", symbol) if not part.islower()]
    parts = [part.removesuffix("s").lower() for part in symbols]
    return all(part in packed or any(name in packed for name in _same().get(part, ())) for part in parts)


def _missing_drugs(pair: Pair) -> list[str]:
    here, there = pair.source.language, pair.target.language
    if language(here).script != "Latn" or language(there).script != "Latn":
        return []
    ends, tails = _drug_ends()
    candidates = {word.lower() for word in pair.source_words if word[-_TAIL_LETTERS:] in tails}
    drugs = sorted(word for word in candidates if len(word) >= _SHORTEST_DRUG and word.endswith(ends))
    said = pair.target_text.lower()
    drugs = [drug for drug in drugs if drug[:_STEM_LETTERS] not in said]
    if not drugs:
        return []
    spelt = spelling(said)
    return [drug for drug in drugs if spelling(drug)[:_STEM_LETTERS] not in spelt]


@cache
def _table() -> dict[str, list[str]]:
    table: dict[str, list[str]] = tomllib.loads(
        files("globmed.data.quality").joinpath("names.toml").read_text(encoding="utf-8")
    )
    return table


@cache
def _same() -> dict[str, list[str]]:
    """Return each abbreviation with all that mean the same; a line of the table holds one such group."""
    found: dict[str, list[str]] = {}
    for line in _table()["same"]:
        group = line.split()
        for name in group:
            found.setdefault(name, []).extend(group)
    return found


@cache
def _drug_ends() -> tuple[tuple[str, ...], frozenset[str]]:
    """Return how drug names end, and the last letters of those ends, which are looked up faster."""
    ends = tuple(_table()["drug_ends"])
    return ends, frozenset(end[-_TAIL_LETTERS:] for end in ends)


CHECK = Check(name="names", title="Abbreviations, genes and drugs lost", run=find)
