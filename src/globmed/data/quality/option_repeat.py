"""Two options that read the same in the translation and differ in the original."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from itertools import combinations

from globmed.core.item import Finding
from globmed.data.pairs import Pair
from globmed.data.quality import Check


def find(pair: Pair) -> Iterator[Finding]:
    """Block options that became alike: a reader can tell that neither is right, or cannot tell which is meant."""
    source, target = pair.source.options, pair.target.options
    if len(set(_folded(target, exact=False))) == len(target):
        return
    for exact in (True, False):
        here, there = _folded(source, exact=exact), _folded(target, exact=exact)
        for first, second in combinations(range(min(len(here), len(there))), 2):
            if there[first] and there[first] == there[second] and here[first] != here[second]:
                message = f"reads like options[{first}]: {target[first]!r}; the original's differ"
                yield Finding(check=CHECK.name, severity="block", field=f"options[{second}]", message=message)
                return


def _folded(options: Sequence[str], *, exact: bool) -> list[str]:
    """Fold white space, Unicode form and the full stop; case too, unless the original's options differ in it alone."""
    normal = (text if text.isascii() else unicodedata.normalize("NFC", text) for text in options)
    texts = [" ".join(text.split()).rstrip(".。;；,，") for text in normal]
    return texts if exact else [text.casefold() for text in texts]


CHECK = Check(name="option_repeat", title="Options that became alike", run=find)
