"""The right option's text stands in the question of the translation, and not in that of the original."""

from __future__ import annotations

import re
from collections.abc import Iterator

from globmed.core.item import Finding, Item
from globmed.data.pairs import Pair
from globmed.data.quality import Check

# Graphemes an option needs to be told from a word that stands in the question by chance.
_NEEDED = {"zh": 3, "ja": 3, "ko": 3}
_NEEDED_ELSEWHERE = 6


def find(pair: Pair) -> Iterator[Finding]:
    """Ask about a right option that the translated question names, where the original's does not."""
    if pair.source is pair.target or len(pair.target.options) != len(pair.source.options):
        return
    target = _stem(pair.target)
    named = [_names(target, option, pair.target.language) for option in pair.target.options]
    if not any(named) or all(named):
        return
    source = _stem(pair.source)
    for index in pair.target.answer:
        if named[index] and not _names(source, pair.source.options[index], pair.source.language):
            message = f"the question names the right option: {pair.target.options[index][:60]!r}"
            yield Finding(check=CHECK.name, severity="review", field="question", message=message)


def _stem(item: Item) -> str:
    return f"{item.context}\n{item.question}".casefold()


def _names(stem: str, option: str, code: str) -> bool:
    text = option.strip(" .。").casefold()
    if len(text) < _NEEDED.get(code, _NEEDED_ELSEWHERE) or text not in stem:
        return False
    # "50 mL" does not stand in "250 mL".
    return not text[0].isdigit() or re.search(rf"(?<![\d.,]){re.escape(text)}", stem) is not None


CHECK = Check(name="giveaway", title="Answer given away in the question", run=find)
