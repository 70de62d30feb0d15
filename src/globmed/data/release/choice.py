"""What a release is to be: what stays out of it, in which formats, under what name and version."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import Literal, get_args

from globmed.core.errors import UsageError, did_you_mean

Format = Literal["parquet", "jsonl", "globmed"]
FORMATS: tuple[Format, ...] = get_args(Format)

_VERSION = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


@dataclass(frozen=True, kw_only=True)
class Choice:
    """What a release is to be.

    Attributes:
        leave_out: names of sources that stay out of it.
        keep_blocked: keep items that a standing finding blocks; by default they are dropped and counted.
        formats: `parquet` is always written; `jsonl` beside it, `globmed` (the authors' layout) in a folder of its own.
        name: of the dataset, as in the name of a repository.
        version: three numbers, as `1.2.0`.
        url: where it is published; empty where that is not known yet.
        creator: who publishes it; empty where nobody is to be named.
        day: day of publication as ISO 8601; empty leaves it out, so that the same items give the same bytes.
    """

    leave_out: tuple[str, ...] = ()
    keep_blocked: bool = False
    formats: tuple[Format, ...] = ("parquet",)
    name: str = "globmed"
    version: str = "1.0.0"
    url: str = ""
    creator: str = ""
    day: str = ""

    def __post_init__(self) -> None:
        """Refuse what could not be published.

        Raises:
            UsageError: a malformed name, version or day, or an unknown format.
        """
        if not _VERSION.fullmatch(self.version):
            raise UsageError(f"version {self.version!r}: expected three numbers, such as 1.2.0")
        if not _NAME.fullmatch(self.name):
            raise UsageError(f"name {self.name!r}: expected letters, digits, '.', '-' and '_', such as globmed-2026")
        for name in self.formats:
            if name not in FORMATS:
                raise UsageError(f"no format named {name!r}{did_you_mean(name, FORMATS)}")
        try:
            date.fromisoformat(self.day or "2000-01-01")
        except ValueError as error:
            raise UsageError(f"day {self.day!r}: expected a date such as 2026-11-22") from error

    def check_sources(self, held: Collection[str]) -> None:
        """Refuse to leave out what is not there, or all there is.

        Args:
            held: names of the sources whose items could be released.

        Raises:
            UsageError: an unknown name, or no source left.
        """
        for name in self.leave_out:
            if name not in held:
                raise UsageError(f"--leave-out {name}: the stage holds no such source{did_you_mean(name, held)}")
        if set(held) <= set(self.leave_out):
            raise UsageError(f"--leave-out {', '.join(self.leave_out)}: leaves nothing to release")


@dataclass(frozen=True, kw_only=True)
class About:
    """What a card says of a source beyond its items.

    Attributes:
        title: for people.
        url: its home.
        citation: the paper to cite.
        terms: what its terms of use ask beyond the licence; empty where nothing more.
    """

    title: str
    url: str = ""
    citation: str = ""
    terms: str = ""
