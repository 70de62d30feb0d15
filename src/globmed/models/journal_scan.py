"""What a journal holds, with its compacted part: read once, in outline, by whoever opens it to write or to read.

    x.journal   {"globmed_journal":1,"compacted":"<mark>"}, then what was saved since
    x.parquet   what was compacted, with its own mark, and the mark and length of the journal that it was made from

A compaction puts the part in its place first and the shortened journal second. Killed between the two, it leaves a part
that names the journal beside it: nothing is missing, everything stands in both, and the next writer shortens the
journal.
"""

from __future__ import annotations

import os
from binascii import unhexlify
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from globmed.core.errors import InputError
from globmed.models.client import Reply, Usage
from globmed.models.journal_lines import (
    asked_digits,
    decode_outline,
    decode_reply,
    header,
    read_mark,
    read_reply,
    reply_digits,
    whole_lines,
)
from globmed.models.journal_parquet import CompactedPart
from globmed.models.key_index import KeyIndex, Place

_HEADER_BYTES_MAX = len(header("0" * 16))


@dataclass(kw_only=True)
class Scan:
    """A journal and its compacted part, as they were found.

    Attributes:
        path: the journal.
        mark: of the compacted part that the journal goes on from; empty where there is none.
        part: the compacted part; None where there is none.
        index: where the reply that counts under each key stands.
        start: bytes of the header; 0 where it is torn.
        end: bytes up to the end of the last whole record.
        torn_bytes: bytes after it.
        asked: keys asked and not answered since, 32 hexadecimal digits each.
        usage: tokens of all replies, those that no longer count included.
        replies: number of replies in the journal itself.
        half_compacted: the part holds all that the journal does, which is still to be shortened.
    """

    path: Path
    mark: str
    part: CompactedPart | None
    index: KeyIndex
    start: int
    end: int
    torn_bytes: int
    asked: set[bytes] = field(default_factory=set)
    usage: Usage = field(default_factory=Usage)
    replies: int = 0
    half_compacted: bool = False

    def reply(self, fd: int, place: Place) -> Reply:
        """Return the reply that stands at a place, with the journal's descriptor.

        Raises:
            InputError: it was damaged since the journal was opened.
        """
        if not place.compacted:
            return read_reply(fd, self.path, place.at)
        assert self.part is not None, "a place in a part that is not there"
        return self.part.reply(place.at)

    def counting(self, file: BinaryIO) -> Iterator[tuple[bytes, Reply]]:
        """Yield each key of 16 bytes with the reply that counts, those of the compacted part first, from the open file.

        Raises:
            InputError: the journal was damaged since it was opened.
        """
        for row, (key, reply) in enumerate(self.part.replies() if self.part else ()):
            if not self.replies or self.index.get(key) == Place(reply.status, compacted=True, at=row):
                yield key, reply
        file.seek(self.start)
        for offset, line in whole_lines(self.path, file, self.start, self.end):
            if not asked_digits(line):
                key, reply = unhexlify(reply_digits(line)), decode_reply(self.path, offset, line)
                if self.index.get(key) == Place(reply.status, compacted=False, at=offset):
                    yield key, reply

    def close(self) -> None:
        """Let go of the compacted part."""
        if self.part is not None:
            self.part.close()


def part_path(path: Path) -> Path:
    """Return where a journal's compacted part is: beside the file itself, where the path is a link to it."""
    return real_path(path).with_suffix(".parquet")


def real_path(path: Path) -> Path:
    """Return the path of the file that a link leads to; any other path as it is."""
    return path.resolve() if path.is_symlink() else path


def scan_journal(path: Path, file: BinaryIO) -> Scan:
    """Read the outline of a journal that is open, and of its compacted part.

    Raises:
        InputError: it is not a journal, a damaged record has whole ones after it, or its compacted part is missing,
            damaged, or that of another state of it.
    """
    # No further than the length at the start, for another process may be writing.
    size = os.fstat(file.fileno()).st_size
    first = file.readline(_HEADER_BYTES_MAX)
    mark = read_mark(path, first)
    start = 0 if mark is None else len(first)
    with ExitStack() as on_error:
        if (part := CompactedPart.open(part_path(path))) is not None:
            on_error.callback(part.close)
            # A journal that is not yet begun goes on from the part that is there.
            mark = part.marks.mark if mark is None else mark
        index = KeyIndex(part.keys() if part else None)
        scan = Scan(path=path, mark=mark or "", part=part, index=index, start=start, end=start, torn_bytes=size - start)
        if start:
            _read_lines(scan, file, size)
        _join(scan)
        on_error.pop_all()
    return scan


def _read_lines(scan: Scan, file: BinaryIO, size: int) -> None:
    add, asked = scan.index.add, scan.asked
    given = cached = thought = made = 0
    for offset, line in whole_lines(scan.path, file, scan.start, size):
        scan.end = offset + len(line)
        if digits := asked_digits(line):
            asked.add(digits)
            continue
        digits, reply = reply_digits(line), decode_outline(scan.path, offset, line)
        add(unhexlify(digits), offset, reply.status)
        asked.discard(digits)
        scan.replies += 1
        usage = reply.usage
        given += usage.input
        cached += usage.cached
        thought += usage.reasoning
        made += usage.output
    scan.usage = Usage(input=given, cached=cached, reasoning=thought, output=made)
    scan.torn_bytes = max(size - scan.end, 0)


def _join(scan: Scan) -> None:
    """Make sure that journal and part belong together, and count what was paid for once."""
    if scan.part is None:
        if scan.mark:
            raise _apart(scan.path, found=f"no compacted part {scan.mark}")
        return
    marks = scan.part.marks
    if marks.mark == scan.mark:
        scan.usage = scan.usage + marks.usage
    elif (marks.of_mark, marks.of_bytes) == (scan.mark, scan.end):
        scan.half_compacted, scan.usage = True, marks.usage
    else:
        raise _apart(scan.path, found=f"the compacted part {marks.mark}, made from {marks.of_bytes} bytes")


def _apart(path: Path, *, found: str) -> InputError:
    return InputError.at(
        str(part_path(path)),
        found=found,
        expected=f"the compacted part that {path} goes on from",
        remedy="Restore both files from the same copy",
    )
