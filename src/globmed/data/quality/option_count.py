"""An option lost, added or empty: the answer's index then points elsewhere, or a choice is missing."""

from __future__ import annotations

from collections.abc import Iterator

from globmed.core.item import Finding
from globmed.data.pairs import Pair
from globmed.data.quality import Check


def find(pair: Pair) -> Iterator[Finding]:
    """Block another number of options, and options that are empty where the original's are not."""
    source, target = pair.source.options, pair.target.options
    if len(source) != len(target):
        message = f"{len(target)} options; the original has {len(source)}"
        yield Finding(check=CHECK.name, severity="block", field="options", message=message)
    for index, (here, there) in enumerate(zip(source, target, strict=False)):
        if here.strip() and not there.strip():
            yield Finding(check=CHECK.name, severity="block", field=f"options[{index}]", message="empty")


CHECK = Check(name="option_count", title="Options lost, added or empty", run=find)
