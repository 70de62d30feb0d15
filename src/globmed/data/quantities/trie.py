"""Patterns for long lists of words: `re` tries an alternation word by word, so they are nested by their letters."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TypeAlias

Node: TypeAlias = "dict[str, Node]"
LATIN_OR_GREEK = "A-Za-z\u00aa\u00ba\u00b5\u00c0-\u024f\u0300-\u03ff\u1e00-\u1eff"
BOUNDARY = rf"(?![{LATIN_OR_GREEK}\d'’]|\.[A-Z])"
"""Where a word in Latin script ends. Han, kana and hangul may follow directly; l'eau, H1N1 and U.S. hold no unit."""


def words_pattern(words: Iterable[str], *, fused: bool = False) -> str:
    """Return a pattern that matches the longest of some words.

    A lower-case letter matches both cases, a capital only itself. A word that ends in a Latin or Greek letter must
    end there in the text too, unless words are written as one (`fused`).
    """
    root: Node = {}
    for word in words:
        node = root
        for char in word:
            node = node.setdefault(char, {})
        node["" if not fused and re.search(f"[{LATIN_OR_GREEK}]$", word) else " end"] = {}
    return _branches(root)


def _branches(node: Node) -> str:
    parts = [f"{_char(char)}{_branches(node[char])}" for char in node if len(char) == 1]
    if "" in node:
        parts.append(BOUNDARY)
    if " end" in node:
        parts.append("")
    return parts[0] if len(parts) == 1 else f"(?:{'|'.join(parts)})"


def _char(char: str) -> str:
    both = char + char.upper() if char != char.upper() and len(char.upper()) == 1 else char
    if char in "µμ":
        both = "µμ"
    return f"[{both}]" if len(both) > 1 else re.escape(char)
