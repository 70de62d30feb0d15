"""The lines of a journal file: written, recognised, read. `globmed.models.journal` says what they mean.

After a header there are two kinds, each with the CRC-32 of what follows its own field:

    {"globmed_journal":1}
    {"crc":"5c0d1a3f","asked":"00d5b1c2..."}
    {"crc":"b1946ac9","key":"00d5b1c2...","reply":{"status":"ok","text":"B",...}}
"""

from __future__ import annotations

import os
import shlex
import zlib
from dataclasses import dataclass
from pathlib import Path

import msgspec

from globmed.core.errors import InputError
from globmed.models.client import Reply, Status
from globmed.models.key_index import KeyIndex

HEADER = b'{"globmed_journal":1}\n'
_PREFIX_BYTES = len(b'{"crc":"xxxxxxxx",')
_READ_BYTES = 8192


class Saved(msgspec.Struct, frozen=True, kw_only=True):
    """A reply in a journal.

    Attributes:
        reply: the reply.
        offset: where its record stands, in bytes from the start of the file.
    """

    reply: Reply
    offset: int


class Record(msgspec.Struct):
    """One line: either `asked` or `key` and `reply` are there."""

    key: str = ""
    asked: str = ""
    reply: Reply | None = None


class _Status(msgspec.Struct):
    status: Status


class _Outline(msgspec.Struct):
    """As much of a record as the index needs: skipping a reply's text is faster than decoding it."""

    key: str = ""
    asked: str = ""
    reply: _Status | None = None


decode_record = msgspec.json.Decoder(Record).decode
_decode_outline = msgspec.json.Decoder(_Outline).decode


@dataclass(kw_only=True)
class Scan:
    """What a journal file holds.

    Attributes:
        index: where the reply of each key stands.
        asked: keys of 16 bytes asked and not answered since.
        end: bytes up to the end of the last whole record; 0 where even the header is torn.
        torn_bytes: bytes after it.
    """

    index: KeyIndex
    asked: set[bytes]
    end: int
    torn_bytes: int


def scan_journal(path: Path) -> Scan:
    """Read a journal's outline.

    Raises:
        InputError: it is not a journal, or a damaged record has whole ones after it.
    """
    index, asked, size = KeyIndex(), set[bytes](), path.stat().st_size
    with path.open("rb") as file:
        header = file.read(len(HEADER))
        if not HEADER.startswith(header):
            raise InputError.at(str(path), found="another kind of file", expected="a journal that globmed wrote")
        end = offset = len(header) if header == HEADER else 0
        # No further than the size at the start, for another process may be writing.
        while offset < size:
            line = file.readline()
            if is_whole(line):
                if offset > end:
                    raise damaged(path, end)
                record = _decode_outline(line)
                if record.reply is not None:
                    key = key_bytes(record.key)
                    index.add(key, offset, is_error=record.reply.status == "error")
                    asked.discard(key)
                elif record.asked:
                    asked.add(key_bytes(record.asked))
                end = offset + len(line)
            offset += len(line)
            if not line:
                break
    return Scan(index=index, asked=asked, end=end, torn_bytes=max(size - end, 0))


def encode_line(rest: bytes) -> bytes:
    """Return a line: the checksum and `rest`, which begins with a field's name and ends with the closing brace."""
    return b'{"crc":"%08x",%b\n' % (zlib.crc32(rest), rest)


def is_whole(line: bytes) -> bool:
    """Return whether a line is as it was written, to its newline."""
    return line == encode_line(line[_PREFIX_BYTES:-1])


def key_bytes(key: str) -> bytes:
    """Return the 16 bytes of a key."""
    packed = bytes.fromhex(key)
    assert len(packed) == 16, f"a reply's key has 32 hexadecimal digits, not {key!r}"
    return packed


def read_at(fd: int, path: Path, offset: int) -> Saved:
    """Read the reply whose line begins at an offset.

    Raises:
        InputError: the line is damaged.
    """
    size = _READ_BYTES
    while b"\n" not in (data := os.pread(fd, size, offset)) and len(data) == size:
        size *= 8
    line = data[: data.find(b"\n") + 1]
    if not is_whole(line):
        raise damaged(path, offset)
    reply = decode_record(line).reply
    assert reply is not None, "the index holds replies only"
    return Saved(reply=reply, offset=offset)


def damaged(path: Path, offset: int) -> InputError:
    """Return the error that names where a journal is damaged, and what can be done."""
    command = f"truncate -s {offset} {shlex.quote(str(path))}"
    return InputError.at(
        f"{path}: byte {offset}",
        found="a damaged record with whole ones after it",
        expected="records as they were written",
        remedy=f"Restore the file from a copy, or give up what follows with: {command}",
    )
