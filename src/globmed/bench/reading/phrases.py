"""Words and phrases as patterns, and where they stand in a reply."""

from __future__ import annotations

import re
from collections.abc import Iterable

from globmed.bench.reading.markup import LATIN, visible

_RUN = re.compile(rf"[{LATIN}]+")
_ANY_LATIN = re.compile(rf"[{LATIN}]")

Runs = dict[str, list[int]]


def runs_of(lower: str, known: frozenset[str]) -> Runs:
    """Return where each of some Latin words stands in a text in lower case."""
    found: Runs = {}
    for run in _RUN.finditer(lower):
        word = run[0]
        if word in known:
            found.setdefault(word, []).append(run.start())
    return found


class Phrases:
    """Words and phrases to look for in a text, quickly where there are none of them."""

    def __init__(self, texts: Iterable[str]) -> None:
        """Prepare the phrases as `words` does."""
        forms = {visible(text).lower() for text in texts} - {""}
        self.pattern = re.compile(words(forms))
        self.latin = frozenset(first[0] for form in forms if (first := _RUN.match(form)))
        self.other = tuple(form for form in forms if not _RUN.match(form))

    def places(self, lower: str, runs: Runs) -> list[int]:
        """Return where a phrase may begin in a text in lower case, in order."""
        found = []
        if not self.latin.isdisjoint(runs):
            found = [place for word in self.latin.intersection(runs) for place in runs[word]]
        # What is not Latin is not ASCII.
        for form in self.other if not lower.isascii() else ():
            start = lower.find(form)
            while start >= 0:
                found.append(start)
                start = lower.find(form, start + 1)
        return sorted(found) if len(found) > 1 else found

    def spans(self, text: str, lower: str, runs: Runs) -> list[tuple[int, int]]:
        """Return where the phrases stand, none inside another, in order."""
        found, end = [], 0
        for place in self.places(lower, runs):
            named = self.pattern.match(text, place) if place >= end else None
            if named:
                end = named.end()
                found.append(named.span())
        return found


def words(texts: Iterable[str], *, any_case: bool = True) -> str:
    """Return a pattern for any of some words, the longest first, Latin ones as whole words and others wherever.

    Args:
        texts: the words as written; they are brought to the form that `visible` gives replies.
        any_case: whether capitals match as well.
    """
    forms = sorted({visible(text) for text in texts} - {""}, key=lambda form: (-len(form), form))
    latin = [form for form in forms if _ANY_LATIN.search(form)]
    other = [form for form in forms if not _ANY_LATIN.search(form)]
    either = [rf"(?<![{LATIN}]){_tree(latin)}(?![{LATIN}])"] if latin else []
    either += [_tree(other)] if other else []
    pattern = "|".join(either) or r"(?!)"
    return f"(?i:{pattern})" if any_case else f"(?:{pattern})"


def _tree(forms: list[str]) -> str:
    """Return a pattern for any of some texts, the longest first, that branches where they part: many times as fast."""
    longer: dict[str, list[str]] = {}
    for form in forms:
        if form:
            longer.setdefault(form[0], []).append(form[1:])
    branches = [("[ ]" if first == " " else re.escape(first)) + _tree(rest) for first, rest in longer.items()]
    if not branches:
        return ""
    ends = "" in forms
    return f"(?:{'|'.join(branches)})?" if ends else branches[0] if len(branches) == 1 else f"(?:{'|'.join(branches)})"
