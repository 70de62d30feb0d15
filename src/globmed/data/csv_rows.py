"""Strict reading of CSV with a header: every row as wide as the header, quotes closed, the last line ended, UTF-8."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from globmed.core.errors import EnvironmentFailedError, InputError
from globmed.data.intake import Placed

FETCH_AGAIN = "Fetch the file again: it may have been cut off or edited"


def read_csv(path: Path, columns: Sequence[str], *, remedy: str) -> Iterator[Placed[dict[str, str]]]:
    """Read a CSV file by its header, row by row; blank lines hold no row.

    Args:
        path: the file.
        columns: names that must stand in its header once each; other columns come along.
        remedy: what to do where one of them does not, for people.

    Raises:
        InputError: the file or one of its rows is broken, or there is no row at all.
        EnvironmentFailedError: the file cannot be read.
    """
    rows = csv.reader(io.StringIO(_text(path), newline=""), strict=True)
    number = 0
    try:
        header = _header(path, next(rows, []), columns, remedy)
        for row in rows:
            if not row:
                continue
            number += 1
            place = f"{path}: row {number}"
            if len(row) != len(header):
                raise InputError.at(
                    place, found=f"{len(row)} fields", expected=f"{len(header)}, as in the header", remedy=FETCH_AGAIN
                )
            yield Placed(place=place, row=dict(zip(header, row, strict=True)))
    except csv.Error as error:
        raise InputError.at(
            str(path), found=f"broken CSV ({error})", expected="whole CSV", remedy=FETCH_AGAIN
        ) from error
    if not number:
        raise InputError.at(str(path), found="no row", expected="at least one", remedy=FETCH_AGAIN)


def _header(path: Path, header: list[str], columns: Sequence[str], remedy: str) -> list[str]:
    wanted = [name for name in columns if header.count(name) != 1]
    twice = [name for name in header if header.count(name) > 1]
    if wrong := [*wanted, *twice]:
        raise InputError.at(
            f"{path}:1",
            found=f"the columns {', '.join(header) or 'of an empty file'}",
            expected=f"{wrong[0]!r} once among them",
            remedy=remedy,
        )
    return header


def _text(path: Path) -> str:
    # The default bound of a field, 128 KiB, is for files whose quotes are not checked.
    csv.field_size_limit(min(sys.maxsize, 2**31 - 1))
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise EnvironmentFailedError(f"{path}: could not be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise InputError.at(
            f"{path}:{line}",
            found=f"the byte 0x{error.object[error.start]:02x}, which is not UTF-8",
            expected="UTF-8 text",
            remedy="Convert the file to UTF-8, or fetch it again",
        ) from error
    if text and not text.endswith("\n"):
        raise InputError.at(
            str(path), found="a last line without an end", expected="a whole CSV file", remedy=FETCH_AGAIN
        )
    return text
