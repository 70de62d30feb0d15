"""One file a source, each reading the publisher's own format from a path.

A source module declares one `Source` and opens with what it is, where it comes from, licence, citation and a real row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from globmed.core.errors import UsageError, did_you_mean
from globmed.core.item import Item, Kind, Split
from globmed.core.registry import discover


@dataclass(frozen=True, kw_only=True)
class Dropped:
    """A row of the publisher's file that gives no item, and why.

    Attributes:
        place: where it stands, as `file:line` or `file: key`.
        language: BCP 47 code of the language it would have been in.
        split: the part it would have belonged to.
        reason: a short fixed phrase that rows with the same fate share, such as `answer withheld`.
    """

    place: str
    language: str
    split: Split
    reason: str


@dataclass(frozen=True, kw_only=True)
class WebFile:
    """A file to fetch over HTTPS.

    Attributes:
        url: where, at a pinned revision where the host has revisions.
        name: path below the folder fetched into.
        sha256: of the whole file, hexadecimal; empty where nobody has measured it, so that the first fetch records it.
    """

    url: str
    name: str
    sha256: str = ""


@dataclass(frozen=True, kw_only=True)
class HubFiles:
    """Files to fetch from a dataset on the Hugging Face Hub.

    Attributes:
        repository: `owner/name` of the dataset.
        revision: commit, never a branch.
        patterns: which of its files, as shell patterns.
    """

    repository: str
    revision: str
    patterns: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Source:
    """What a source module declares.

    Attributes:
        name: equal to the file's name.
        title: for people.
        kinds: the kinds its items are of.
        native_language: language its questions were written in.
        languages: every language it can give.
        url: its home.
        revision: commit, version or date that the reader was written for.
        licence: as the publisher states it; both, where two stated licences conflict.
        citation: the paper to cite.
        terms: what the terms of use ask beyond the licence, in one line; empty where they ask nothing more.
        rows: what the publisher's files hold, in a few words with the number of rows.
        obtain: how to get the files by hand, in one line.
        downloads: what `globmed data fetch` gets; empty where a person has to, because of credentials or terms.
        read: `read(path, languages, seed)` gives every row of the publisher's files as an `Item` or a `Dropped`, in the
            order of the files and of `languages`; raises `InputError` at the first broken row. `seed` matters to
            procedural sources only.
        beside: names of files that are read from beside a file that was named.
        procedural: made by code from a seed; takes no path and its families are clusters by construction.
        may_leave_machine: False where the terms forbid sending the text to somebody else's endpoint.
        may_be_redistributed: False where the terms forbid publishing it.
    """

    name: str
    title: str
    kinds: tuple[Kind, ...]
    native_language: str
    languages: tuple[str, ...]
    url: str
    revision: str
    licence: str
    citation: str
    obtain: str
    read: Callable[[Path, Sequence[str], int], Iterator[Item | Dropped]]
    terms: str = ""
    rows: str = ""
    downloads: tuple[WebFile | HubFiles, ...] = ()
    beside: tuple[str, ...] = ()
    procedural: bool = False
    may_leave_machine: bool = True
    may_be_redistributed: bool = True


@cache
def sources() -> dict[str, Source]:
    """Return every source by name."""
    return discover(__name__, Source)


def source(name: str) -> Source:
    """Return one source.

    Raises:
        UsageError: there is none of that name.
    """
    if name not in sources():
        raise UsageError(f"no source named {name!r}{did_you_mean(name, sources())}")
    return sources()[name]
