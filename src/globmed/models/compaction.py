"""A journal into a small one and a Parquet file: what is answered takes a fraction of the room and opens at once.

`globmed.models.journal_scan` says how the two belong together, and why nothing is lost wherever this is killed.
"""

from __future__ import annotations

import os
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from globmed.core.errors import InputError
from globmed.models.journal_file import open_locked, replacing_durably
from globmed.models.journal_lines import asked_line, header
from globmed.models.journal_parquet import Marks, write_part
from globmed.models.journal_scan import Scan, part_path, real_path, scan_journal


@dataclass(frozen=True, kw_only=True)
class Compacted:
    """What a compaction did.

    Attributes:
        journal: the journal.
        part: the Parquet file.
        replies: how many it holds, one a key.
        errors: of these, errors: they are asked again by the next campaign.
        bytes_before: of both files, before.
        bytes_after: the same, after.
    """

    journal: Path
    part: Path
    replies: int
    errors: int
    bytes_before: int
    bytes_after: int


def compact(path: Path) -> Compacted:
    """Move every reply that counts into the Parquet file beside a journal: `x.journal` into `x.parquet`.

    What is moved is as finished as before: campaigns, `Journal` and `read_replies` see both files as one. Killed at any
    moment, it loses nothing. It needs room for the new file beside the old ones.

    Raises:
        InputError: there is no journal, it is damaged, or another kind of file is where the Parquet file goes.
        EnvironmentFailedError: another process writes to it, or the disk is full or fails.
    """
    if not path.is_file():
        raise InputError.at(str(path), found="no file", expected="a journal")
    fd = open_locked(path)
    try:
        before = _bytes(path)
        with path.open("rb") as file, closing(scan_journal(path, file)) as scan:
            if scan.replies and not scan.half_compacted:
                shorten(scan, _write_part(scan, file))
            elif scan.half_compacted:
                shorten(scan)
            statuses = scan.index.statuses
    finally:
        os.close(fd)
    return Compacted(
        journal=path,
        part=part_path(path),
        replies=sum(statuses.values()),
        errors=statuses.get("error", 0),
        bytes_before=before,
        bytes_after=_bytes(path),
    )


def shorten(scan: Scan, mark: str = "") -> None:
    """Leave of a journal that is all in its compacted part what was asked and not answered; the file is another then.

    Args:
        scan: of the journal, whose lock the caller holds.
        mark: of the part; empty for the one that the scan found.

    Raises:
        EnvironmentFailedError: the disk is full or fails.
    """
    if not mark:
        assert scan.part is not None, "a journal is shortened only after its compacted part was written"
        mark = scan.part.marks.mark
    with replacing_durably(real_path(scan.path)) as temporary:
        temporary.write_bytes(header(mark) + b"".join(asked_line(digits.decode()) for digits in sorted(scan.asked)))


def _write_part(scan: Scan, file: BinaryIO) -> str:
    target = part_path(scan.path)
    if target.exists() and scan.part is None:
        expected = f"nothing, or the compacted part of {scan.path}"
        raise InputError.at(str(target), found="another kind of file", expected=expected, remedy="Rename it")
    marks = Marks(mark=os.urandom(8).hex(), of_mark=scan.mark, of_bytes=scan.end, usage=scan.usage)
    with replacing_durably(target) as temporary:
        rows = write_part(temporary, scan.counting(file), marks)
        assert rows == len(scan.index), f"{rows} rows for {len(scan.index)} keys"
    return marks.mark


def _bytes(path: Path) -> int:
    return sum(file.stat().st_size for file in (path, part_path(path)) if file.is_file())
