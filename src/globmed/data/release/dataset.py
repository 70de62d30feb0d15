"""What the card and the metadata of a release are written from."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from dataclasses import dataclass

from globmed.core.language import languages
from globmed.core.store import FileEntry
from globmed.data.release.choice import About, Choice
from globmed.data.release.contents import Contents
from globmed.data.release.survey import SPLITS

_ATTRIBUTE = re.compile(r"^    (\w+): (.*(?:\n        .*)*)", re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """All that a card and the metadata are written from.

    Attributes:
        choice: name, version and what was left out.
        contents: the counts.
        about: what is known of each source.
        files: Parquet files by name.
        bytes: their sizes, by name.
        inputs: stage that it was made from, to the hash of its records.
        private: True where it stays with those who made it.
    """

    choice: Choice
    contents: Contents
    about: Mapping[str, About]
    files: Mapping[str, FileEntry]
    bytes: Mapping[str, int]
    inputs: Mapping[str, str]
    private: bool

    @property
    def title(self) -> str:
        """Name and version."""
        return f"{self.choice.name} {self.choice.version}"

    @property
    def codes(self) -> list[str]:
        """Languages in the order of the table of languages; those that it lacks last."""
        place = {code: number for number, code in enumerate(languages())}
        return sorted(self.contents.languages, key=lambda code: (place.get(code, len(place)), code))

    def source_title(self, name: str) -> str:
        """Return a source's title, or its name where no more is known."""
        return self.about[name].title if name in self.about else name

    def of_language(self, code: str) -> list[str]:
        """Return the names of a language's files."""
        return [name for name in self.files if name.split(".")[1] == code]

    def splits(self, code: str) -> dict[str, list[str]]:
        """Return the names of a language's files by split."""
        names = {split: [name for name in self.of_language(code) if name.split(".")[2] == split] for split in SPLITS}
        return {split: files for split, files in names.items() if files}

    def origin(self, origin: str) -> int:
        """Return how many items have a text of this origin: `native`, `machine` or `expert`."""
        return sum(count for (_, name), count in self.contents.texts.items() if name == origin)


def attributes(record: type) -> dict[str, str]:
    """Return what the documentation of a record says of each of its fields, in one line each."""
    found = _ATTRIBUTE.findall(inspect.getdoc(record) or "")
    return {name: " ".join(text.split()).replace("`", "") for name, text in found}


def language_title(code: str) -> str:
    """Return a language's own name and its English one."""
    row = languages().get(code)
    if row is None:
        return code
    return row.own_name if row.own_name == row.english_name else f"{row.own_name} ({row.english_name})"
