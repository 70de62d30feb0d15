"""A term of the glossary that was translated otherwise. Nothing is found where no glossary was given."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache

from globmed.core.item import Finding
from globmed.data.pairs import Glossary, Pair
from globmed.data.quality import Check

_SPACELESS = {"zh", "ja"}


def find(pair: Pair) -> Iterator[Finding]:
    """Ask about terms of which the translation holds none of the accepted translations, inflected forms let pass."""
    if not pair.glossary or pair.source is pair.target:
        return
    said = pair.target_text.casefold()
    for term, accepted in _terms_in(pair):
        if not any(_holds(said, wording, pair.target.language) for wording in accepted):
            message = f"{term!r} is not rendered as {' or '.join(map(repr, accepted))}"
            yield Finding(check=CHECK.name, severity="review", field="", message=message)


def _terms_in(pair: Pair) -> Iterator[tuple[str, Sequence[str]]]:
    """Give the terms that stand in the original, longer ones first, none inside another that was found."""
    text = pair.source_text.casefold()
    if pair.source.language in _SPACELESS:
        found = [term for term in pair.glossary if term in text]
    else:
        words = {word.casefold() for word in pair.source_words}
        starts = _by_first_word(_Same(pair.glossary))
        padded = f" {' '.join(word.casefold() for word in pair.source_words)} "
        found = [term for word in words & starts.keys() for term in starts[word] if f" {term} " in padded]
    longer: list[str] = []
    for term in sorted(found, key=lambda term: (-len(term), term)):
        if not any(term in other for other in longer):
            longer.append(term)
            yield term, pair.glossary[term]


class _Same:
    """A glossary as a key: the same object, whatever it holds; a campaign passes one object for all its pairs."""

    def __init__(self, glossary: Glossary) -> None:
        self.glossary = glossary

    def __hash__(self) -> int:
        return id(self.glossary)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.glossary is self.glossary


@lru_cache(maxsize=32)
def _by_first_word(same: _Same) -> dict[str, list[str]]:
    starts: dict[str, list[str]] = {}
    for term in same.glossary:
        words = term.split()
        if words:
            starts.setdefault(words[0], []).append(term)
    return starts


def _holds(said: str, wording: str, code: str) -> bool:
    """Whether a text holds a wording, each of its words inflected at the end or, in Bantu languages, at the start."""
    wording = wording.casefold()
    if wording in said or code in _SPACELESS:
        return wording in said
    return all(_stem(word) in said for word in wording.split())


def _stem(word: str) -> str:
    """Leave out the third of a word's end that inflection may change; short words stay whole."""
    return word if len(word) < 5 else word[: max(4, len(word) * 2 // 3)]


CHECK = Check(name="glossary", title="Glossary terms translated otherwise", run=find)
