"""The item files of a stage: `<source>.<language>.parquet` or, once released, `<source>.<language>.<split>.parquet`."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import NamedTuple

from globmed.core.errors import InputError
from globmed.core.item import Item
from globmed.core.store import read_manifest, read_records


class ItemFile(NamedTuple):
    """One file of items; `split` is empty where the file holds every split."""

    name: str
    source: str
    language: str
    split: str


def item_files(folder: Path) -> list[ItemFile]:
    """Return the item files of a stage, sorted by name.

    Raises:
        InputError: the folder is no finished stage, or one without items.
    """
    found = []
    for name in sorted(read_manifest(folder).files):
        parts = name.removesuffix(".parquet").split(".")
        if name.endswith(".parquet") and len(parts) in (2, 3):
            found.append(ItemFile(name, parts[0], parts[1], parts[2] if len(parts) == 3 else ""))
    if not found:
        files = ", ".join(sorted(read_manifest(folder).files)) or "no files"
        raise InputError.at(str(folder), found=files, expected="item files named <source>.<language>.parquet")
    return found


def read_items(
    folder: Path, *, languages: Collection[str] = (), sources: Collection[str] = (), splits: Collection[str] = ()
) -> Iterator[Item]:
    """Read the items of a stage, file by file; an empty collection asks for all.

    Raises:
        InputError: as `item_files` and `globmed.core.store.read_records` do.
    """
    for file in item_files(folder):
        wanted = (
            (not languages or file.language in languages)
            and (not sources or file.source in sources)
            and (not splits or not file.split or file.split in splits)
        )
        if wanted:
            for item in read_records(folder, Item, prefix=file.name):
                if not splits or item.split in splits:
                    yield item
