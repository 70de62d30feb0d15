"""The lines of a journal file: written, recognised, read. `globmed.models.journal` says what they mean.

After a header there are two kinds, each with the CRC-32 of what follows its own field:

    {"globmed_journal":1}
    {"crc":"5c0d1a3f","asked":"00d5b1c2..."}
    {"crc":"b1946ac9","key":"00d5b1c2...","reply":{"status":"ok","text":"B",...}}

The header of a journal whose earlier replies were compacted names the compacted part by its mark:

    {"globmed_journal":1,"compacted":"8c2f6e0d9b1a4473"}
"""

from __future__ import annotations

import os
import re
import shlex
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import msgspec

from globmed.core.errors import InputError
from globmed.models.client import Reply, Status, Usage

_HEADER = re.compile(rb'\{"globmed_journal":1(?:,"compacted":"([0-9a-f]{16})")?\}\n')
# Where the first field begins, behind {"crc":"xxxxxxxx", and where its value's 32 digits stand.
_FIELD = 18
_ASKED, _ASKED_DIGITS, _KEY_DIGITS = b'"asked":"', slice(27, 59), slice(25, 57)
_READ_BYTES = 8192
_BLOCK_BYTES = 2**18


class ReplyOutline(msgspec.Struct, frozen=True, gc=False):
    """As much of a reply as opening a journal decodes: skipping a text is faster than decoding it."""

    status: Status
    usage: Usage = Usage()


class _Outline(msgspec.Struct, frozen=True, gc=False):
    reply: ReplyOutline


class _Record(msgspec.Struct, frozen=True, gc=False):
    reply: Reply


_decode_outline = msgspec.json.Decoder(_Outline).decode
_decode_record = msgspec.json.Decoder(_Record).decode
_encode_reply = msgspec.json.Encoder().encode


def header(mark: str = "") -> bytes:
    """Return the first line of a journal whose compacted part has this mark; of one without, where it is empty."""
    return b'{"globmed_journal":1,"compacted":"%b"}\n' % mark.encode() if mark else b'{"globmed_journal":1}\n'


def read_mark(path: Path, line: bytes) -> str | None:
    """Return the mark in a journal's first line, empty where it has none; None where the line itself is torn.

    Raises:
        InputError: it is not the first line of a journal.
    """
    if found := _HEADER.fullmatch(line):
        return (found[1] or b"").decode()
    if header().startswith(line):
        return None
    raise InputError.at(str(path), found="another kind of file", expected="a journal that globmed wrote")


def asked_line(key: str) -> bytes:
    """Return the line which says that a request is about to be sent."""
    return _line(b'"asked":"%b"}' % key.encode())


def reply_line(key: str, reply: Reply) -> bytes:
    """Return the line of a reply."""
    return _line(b'"key":"%b","reply":%b}' % (key.encode(), _encode_reply(reply)))


def _line(fields: bytes) -> bytes:
    return b'{"crc":"%08x",%b\n' % (zlib.crc32(fields), fields)


def is_whole(line: bytes) -> bool:
    """Return whether a line is as it was written, to its newline."""
    fields = line[_FIELD:-1]
    return line == b'{"crc":"%08x",%b\n' % (zlib.crc32(fields), fields)


def whole_lines(path: Path, file: BinaryIO, start: int, size: int) -> Iterator[tuple[int, bytes]]:
    """Yield the whole lines of a journal with their offsets, from a file that stands at `start`, up to a torn tail.

    Args:
        path: named in the error.
        file: positioned at `start`, the end of the header.
        start: in bytes.
        size: where to end, in bytes: another process may be writing behind it.

    Raises:
        InputError: a damaged line has whole ones after it.
    """
    end = offset = start
    while offset < size and (lines := file.readlines(_BLOCK_BYTES)):
        for line in lines:
            if is_whole(line):
                if offset > end:
                    raise damaged(path, end)
                yield offset, line
                end = offset + len(line)
            offset += len(line)
            if offset >= size:
                break


def asked_digits(line: bytes) -> bytes:
    """Return the key of a line that says what was asked, as 32 hexadecimal digits; empty for a reply's line."""
    return line[_ASKED_DIGITS] if line.startswith(_ASKED, _FIELD) else b""


def reply_digits(line: bytes) -> bytes:
    """Return the key of a reply's line, as 32 hexadecimal digits."""
    return line[_KEY_DIGITS]


def decode_outline(path: Path, offset: int, line: bytes) -> ReplyOutline:
    """Return the outline of a reply's line, whose path and offset are named in the error.

    Raises:
        InputError: another version of globmed wrote what this one does not know.
    """
    try:
        return _decode_outline(line).reply
    except msgspec.DecodeError as error:
        raise _unknown(path, offset, error) from error


def decode_reply(path: Path, offset: int, line: bytes) -> Reply:
    """Return the reply of a reply's line, whose path and offset are named in the error.

    Raises:
        InputError: another version of globmed wrote what this one does not know.
    """
    try:
        return _decode_record(line).reply
    except msgspec.DecodeError as error:
        raise _unknown(path, offset, error) from error


def _unknown(path: Path, offset: int, error: msgspec.DecodeError) -> InputError:
    expected = "a reply as this version of globmed writes it"
    return InputError.at(f"{path}: byte {offset}", found=str(error), expected=expected)


def key_bytes(key: str) -> bytes:
    """Return the 16 bytes of a key."""
    packed = bytes.fromhex(key)
    assert len(packed) == 16, f"a reply's key has 32 hexadecimal digits, not {key!r}"
    return packed


def read_reply(fd: int, path: Path, offset: int) -> Reply:
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
    return decode_reply(path, offset, line)


def damaged(path: Path, offset: int) -> InputError:
    """Return the error that names where a journal is damaged, and what can be done."""
    command = f"truncate -s {offset} {shlex.quote(str(path))}"
    return InputError.at(
        f"{path}: byte {offset}",
        found="a damaged record with whole ones after it",
        expected="records as they were written",
        remedy=f"Restore the file from a copy, or give up what follows with: {command}",
    )
