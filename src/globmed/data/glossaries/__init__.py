"""One file a glossary format: terms of one language with their translations into another.

A glossary module declares one `Glossary` and opens with what it is, where it comes from, licence, citation and a row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from globmed.core.errors import UsageError, did_you_mean
from globmed.core.language import language
from globmed.core.registry import discover

PLAIN = "table"
"""The format of a path that is given without a name."""


@dataclass(frozen=True, kw_only=True)
class Term:
    """A term and its translation.

    Attributes:
        source: in the language translated from.
        target: in the language translated into.
        place: where it stands, as `file: row n`.
    """

    source: str
    target: str
    place: str


@dataclass(frozen=True, kw_only=True)
class Glossary:
    """What a glossary module declares.

    Attributes:
        name: equal to the file's name.
        title: for people.
        languages: every language it can give; empty where that depends on the file.
        url: its home.
        licence: as the publisher states it.
        citation: the paper to cite.
        obtain: how to get the files, in one line.
        read: `read(path, source_language, target_language)` gives the terms of a pair of languages, in the order of the
            file, and none where the glossary has not both; raises `InputError` at the first broken row.
    """

    name: str
    title: str
    languages: tuple[str, ...]
    url: str
    licence: str
    citation: str
    obtain: str
    read: Callable[[Path, str, str], Iterator[Term]]


@cache
def glossaries() -> dict[str, Glossary]:
    """Return every glossary format by name."""
    return discover(__name__, Glossary)


def glossary(name: str) -> Glossary:
    """Return one glossary format.

    Raises:
        UsageError: there is none of that name.
    """
    if name not in glossaries():
        raise UsageError(f"no glossary named {name!r}{did_you_mean(name, glossaries())}")
    return glossaries()[name]


def read_glossary(wanted: str, source_language: str, target_language: str) -> tuple[Term, ...]:
    """Read the terms of a pair of languages.

    Args:
        wanted: `NAME=PATH`, such as `tico19=terminologies`, or the path of a CSV table alone.
        source_language: BCP 47 code of the language translated from.
        target_language: BCP 47 code of the language translated into.

    Returns:
        The terms in the order of the file; none where the glossary has not both languages. A term may stand in it
        several times, each time with another translation.

    Raises:
        UsageError: there is no such glossary, or a language is not in the table.
        InputError: the file is absent or broken.
        EnvironmentFailedError: the file cannot be read.
    """
    language(source_language)
    language(target_language)
    name, equals, path = wanted.partition("=")
    if not equals:
        name, path = PLAIN, wanted
    found = glossary(name)
    return tuple(found.read(Path(path), source_language, target_language))


def accepted_translations(terms: Iterable[Term]) -> dict[str, tuple[str, ...]]:
    """Return every term in lower case with the translations that are accepted for it, as checks want it."""
    accepted: dict[str, dict[str, None]] = {}
    for term in terms:
        accepted.setdefault(term.source.casefold(), {})[term.target] = None
    return {source: tuple(targets) for source, targets in accepted.items()}
