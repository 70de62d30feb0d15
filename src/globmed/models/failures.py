"""Errors by their kind: texts that differ in numbers and ids alone are one, and the first of them stands for all."""

from __future__ import annotations

import re
from collections import Counter

# Numbers, and what servers call a request: long words that hold a digit.
_NUMBER = re.compile(r"\b(?=\w*\d)[\w-]{8,}|\d+")
_KINDS_MAX = 1000
_OTHERS = "others, each unlike the rest"


class FailureKinds:
    """Counts the texts of errors by kind; many as the texts are, only one of each kind is held."""

    def __init__(self) -> None:
        self._examples: dict[str, str] = {}
        self._counts: Counter[str] = Counter()

    def add(self, text: str) -> None:
        """Count one error."""
        kind = _NUMBER.sub("", text)
        if kind not in self._examples and len(self._examples) >= _KINDS_MAX:
            kind = text = _OTHERS
        self._examples.setdefault(kind, text)
        self._counts[kind] += 1

    def commonest_first(self) -> dict[str, int]:
        """Return the first text of each kind with the number of its kind, the commonest first."""
        return {self._examples[kind]: count for kind, count in self._counts.most_common()}
