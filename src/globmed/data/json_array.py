"""Files that are one JSON array, read value by value, so that memory does not grow with the file.

As strict as `globmed.data.intake`, whose rows these are: a key twice in one object, a file cut off and bytes that are
not UTF-8 are errors that name file and line. The standard library's decoder finds where each value ends.
"""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, TypeVar

from globmed.core.errors import EnvironmentFailedError, InputError
from globmed.data.intake import Placed, decode, no_key_twice

T = TypeVar("T")

CHUNK_BYTES = 1 << 20
_DECODER = json.JSONDecoder(object_pairs_hook=no_key_twice)
_SPACE = " \t\r\n"


def read_array(path: Path, kind: type[T]) -> Iterator[Placed[T]]:
    """Give the values of a file that is one JSON array.

    Args:
        path: the publisher's file.
        kind: what each value is.

    Raises:
        InputError: the file is broken, no array or without a value, or a value is not a `kind`.
        EnvironmentFailedError: the file cannot be read.
    """
    try:
        with path.open("rb") as file:
            yield from _values(_Window(file, path), path, kind)
    except OSError as error:
        raise EnvironmentFailedError(f"{path}: could not be read: {error.strerror or error}") from error


def _values(window: _Window, path: Path, kind: type[T]) -> Iterator[Placed[T]]:
    window.take("[")
    if window.next_sign() == "]":
        raise InputError.at(str(path), found="no row", expected="at least one", remedy="Fetch the file again")
    number, sign = 0, ","
    while sign == ",":
        number += 1
        place = f"{path}: row {number}"
        yield Placed(place=place, row=decode(window.value().encode(), kind, place))
        if (sign := window.next_sign()) == ",":
            window.take(",")
    window.take("]")
    if window.next_sign():
        raise window.broken("Extra data")


class _Window:
    """The part of a file that is being read, and where it stands in it."""

    def __init__(self, file: BinaryIO, path: Path) -> None:
        self._file, self._path = file, path
        self._utf8 = codecs.getincrementaldecoder("utf-8-sig")()
        self._text, self._at, self._bytes = "", 0, CHUNK_BYTES
        self._line, self._column = 1, 1  # of the text's first character

    def next_sign(self) -> str:
        """Go past white space and return what stands there, without taking it; empty at the end of the file."""
        while True:
            while self._at < len(self._text) and self._text[self._at] in _SPACE:
                self._at += 1
            if self._at < len(self._text) or not self._more():
                return self._text[self._at : self._at + 1]

    def take(self, sign: str) -> None:
        """Go past a sign that has to stand here."""
        if self.next_sign() != sign:
            raise self.broken(f"Expecting {sign!r}")
        self._at += 1

    def value(self) -> str:
        """Return the JSON value that has to stand here, as it is written."""
        self.next_sign()
        while True:
            try:
                _, end = _DECODER.raw_decode(self._text, self._at)
            except json.JSONDecodeError as error:
                behind = error.pos - self._at
                # The value may only have been cut off by the end of the window.
                if self._more():
                    continue
                raise self.broken(error.msg, behind=behind) from error
            except (ValueError, RecursionError) as error:
                line, _ = self._place(self._at)
                raise InputError.at(
                    f"{self._path}:{line}", found=str(error), expected="JSON with one value a key"
                ) from error
            if end == len(self._text) and self._more():
                continue
            found, self._at = self._text[self._at : end], end
            return found

    def broken(self, what: str, *, behind: int = 0) -> InputError:
        """Return the error for text that is no JSON, here or so many characters behind."""
        line, column = self._place(self._at + behind)
        return InputError.at(
            f"{self._path}:{line}",
            found=f"broken JSON ({what}, column {column})",
            expected="whole JSON",
            remedy="Fetch the file again: it may have been cut off or edited",
        )

    def _place(self, at: int) -> tuple[int, int]:
        lines = self._text.count("\n", 0, at)
        return self._line + lines, at - self._text.rfind("\n", 0, at) if lines else self._column + at

    def _more(self) -> bool:
        """Let go of what was taken and read on; False at the end of the file."""
        # A value longer than the window is read again each time: in ever longer steps, so few times.
        self._bytes = CHUNK_BYTES if self._at else 2 * self._bytes
        self._line, self._column = self._place(self._at)
        self._text, self._at = self._text[self._at :], 0
        data = self._file.read(self._bytes)
        try:
            self._text += self._utf8.decode(data, final=not data)
        except UnicodeDecodeError as error:
            line = self._place(len(self._text))[0] + error.object.count(b"\n", 0, error.start)
            raise InputError.at(
                f"{self._path}:{line}",
                found=f"the byte 0x{error.object[error.start]:02x}, which is not UTF-8",
                expected="UTF-8 text",
                remedy="Convert the file to UTF-8, or fetch it again",
            ) from error
        return bool(data)
