"""What source modules share: finding the publisher's files, reading their rows strictly, and findings on the rows.

A publisher's row is declared as a `msgspec.Struct` that holds the fields a source uses, under the publisher's names;
reading checks presence and type and stops at the first row that differs, naming file and line or key. Stricter than
JSON parsers by default: a key that stands twice in one object is an error, not a row that vanishes.

What cannot be seen: JSON Lines cut off exactly between two lines are still whole JSON Lines. The stage's manifest holds
the hash of every input and the count of its rows, to be compared with the publisher's.
"""

from __future__ import annotations

import codecs
import hashlib
import json
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Generic, TypeVar, get_args, get_type_hints

import msgspec

from globmed.core.errors import EnvironmentFailedError, InputError
from globmed.core.item import Finding, Severity, Split

T = TypeVar("T")

SPLIT_NAMES: dict[str, Split] = {"train": "train", "dev": "dev", "validation": "dev", "val": "dev", "test": "test"}


@dataclass(frozen=True, kw_only=True)
class Placed(Generic[T]):
    """A row and where it stands, as `file:line` or `file: row n`."""

    place: str
    row: T


def find_files(path: Path, pattern: str, *, expected: str, obtain: str) -> list[Path]:
    """Return the publisher's files at or below `path`, sorted; hidden files and folders are left alone.

    Args:
        path: a file, or a folder at any height above the files.
        pattern: regular expression that a file's whole name matches.
        expected: the files looked for, for people.
        obtain: how to get them, for people.

    Raises:
        InputError: there is no such path, or no such file at or below it.
    """
    named = re.compile(pattern)
    if path.is_file():
        found, seen = [path], f"a file named {path.name}"
    else:
        below = sorted(path.rglob("*")) if path.is_dir() else []
        found = [file for file in below if file.is_file() and not _hidden(file.relative_to(path))]
        seen = "a folder without one" if path.is_dir() else "no such file or folder"
    found = [file for file in found if named.fullmatch(file.name)]
    if not found:
        raise InputError.at(str(path), found=seen, expected=expected, remedy=obtain)
    return found


def split_of(path: Path) -> Split:
    """Return the split that a file's name says: train, dev (or val, validation) or test.

    Raises:
        InputError: the name says none, or several.
    """
    words = re.split(r"[^a-z]+", path.stem.lower())
    named = {SPLIT_NAMES[word] for word in words if word in SPLIT_NAMES}
    if len(named) != 1:
        raise InputError.at(
            str(path),
            found=f"a name that says {' and '.join(sorted(named)) or 'no split'}",
            expected=f"one of {', '.join(SPLIT_NAMES)} in it",
            remedy="Give the file the publisher's name",
        )
    return named.pop()


def read_rows(path: Path, kind: type[T]) -> Iterator[Placed[T]]:
    """Read a Parquet file (by its ending) or else JSON Lines, row by row; blank lines hold no row.

    Args:
        path: the publisher's file.
        kind: what each row is; fields it does not name are let pass.

    Raises:
        InputError: the file or one of its rows is broken, a row is not a `kind`, or there is no row at all.
        EnvironmentFailedError: the file cannot be read.
    """
    rows = 0
    for placed in (_parquet_rows if path.suffix == ".parquet" else _json_lines)(path, kind):
        rows += 1
        yield placed
    if not rows:
        raise InputError.at(str(path), found="no row", expected="at least one", remedy="Fetch the file again")


def read_document(path: Path, kind: type[T]) -> T:
    """Read a file that is one JSON value.

    Raises:
        InputError: the file is broken or not a `kind`.
        EnvironmentFailedError: the file cannot be read.
    """
    with _open(path) as file:
        data = file.read().removeprefix(codecs.BOM_UTF8)
    _check_json(data, path, first_line=1)
    return decode(data, kind, str(path))


def decode(data: bytes | msgspec.Raw, kind: type[T], place: str) -> T:
    """Turn JSON that was already found well formed into a `kind`.

    Raises:
        InputError: it is not one.
    """
    try:
        return msgspec.json.decode(data, type=kind)
    except msgspec.ValidationError as error:
        raise _mismatch(place, str(error), kind) from error
    except msgspec.DecodeError as error:
        raise InputError.at(
            place, found=f"a number or character that JSON has not ({error})", expected="no NaN, no half surrogate pair"
        ) from error


def no_key_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return the keys and values of a JSON object, as a hook of the standard library's decoder.

    Raises:
        ValueError: a key stands twice.
    """
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"the key {twice!r} twice in one object")
    return found


def content_key(question: str, options: Sequence[str]) -> str:
    """Return a stable key for a row without an id: 16 hexadecimal digits of the SHA-256 of its texts."""
    return hashlib.sha256(msgspec.json.encode([question, *options])).hexdigest()[:16]


def option_letter(index: int) -> str:
    """Return the letter of an option by its index: A for 0."""
    return chr(ord("A") + index)


def option_findings(question: str, options: Sequence[str], *, answer: int) -> tuple[Finding, ...]:
    """Return what is wrong with a multiple-choice row that can still be read; nothing is dropped for it.

    Options are compared after NFC and folding of white space, but with their case: genotypes such as Bb and BB
    differ in nothing else.

    Args:
        question: its question.
        options: its options.
        answer: index of the right one; an index outside is left to `Item`, which refuses it.
    """
    folded = [_fold(option) for option in options]
    found: list[Finding] = []
    if not _fold(question):
        found.append(_finding("question_empty", "block", "the question is empty", field="question"))
    if not all(folded):
        empty = ", ".join(option_letter(index) for index, option in enumerate(folded) if not option)
        found.append(_finding("options_empty", "block", f"empty: {empty}"))
    if len(options) <= 2:
        found.append(
            _finding("options_few", "note" if len(options) == 2 else "block", f"{len(options)}, not three or more")
        )
    if repeated := sorted(text for text in set(folded) if text and folded.count(text) > 1):
        right = folded[answer] if 0 <= answer < len(folded) else ""
        letters = "; ".join("".join(option_letter(i) for i, o in enumerate(folded) if o == text) for text in repeated)
        if right in repeated:
            found.append(_finding("options_identical", "block", f"the right option reads like a wrong one: {letters}"))
        else:
            found.append(_finding("options_identical", "review", f"wrong options read the same: {letters}"))
    return tuple(found)


def _finding(check: str, severity: Severity, message: str, *, field: str = "options") -> Finding:
    return Finding(check=check, severity=severity, field=field, message=message)


def _fold(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).split())


def _hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def _open(path: Path) -> BinaryIO:
    # A bare OSError would pass for one of the file that is being written while the rows are read.
    try:
        return path.open("rb")
    except OSError as error:
        raise EnvironmentFailedError(f"{path}: could not be read: {error.strerror or error}") from error


def _json_lines(path: Path, kind: type[T]) -> Iterator[Placed[T]]:
    with _open(path) as file:
        for number, line in enumerate(file, start=1):
            data = line.removeprefix(codecs.BOM_UTF8) if number == 1 else line
            if data.strip():
                _check_json(data, path, first_line=number)
                place = f"{path}:{number}"
                yield Placed(place=place, row=decode(data, kind, place))


def _parquet_rows(path: Path, kind: type[T]) -> Iterator[Placed[T]]:
    import pyarrow as pa  # a third of a second that `--help` need not pay
    import pyarrow.parquet as pq

    number = 0
    with _open(path) as file:
        try:
            for batch in pq.ParquetFile(file).iter_batches():
                for values in batch.to_pylist():
                    number += 1
                    place = f"{path}: row {number}"
                    yield Placed(place=place, row=_convert(values, kind, place))
        except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
            raise InputError.at(
                f"{path}: after row {number}",
                found=str(error).splitlines()[0],
                expected="a whole Parquet file",
                remedy="Fetch the file again",
            ) from error


def _convert(values: dict[str, Any], kind: type[T], place: str) -> T:
    try:
        return msgspec.convert(values, kind)
    except msgspec.ValidationError as error:
        raise _mismatch(place, str(error), kind) from error


def _check_json(data: bytes, path: Path, *, first_line: int) -> None:
    try:
        json.loads(data.decode(), object_pairs_hook=no_key_twice)
    except UnicodeDecodeError as error:
        lines_before = data.count(b"\n", 0, error.start)
        raise InputError.at(
            f"{path}:{first_line + lines_before}",
            found=f"the byte 0x{data[error.start]:02x}, which is not UTF-8",
            expected="UTF-8 text",
            remedy="Convert the file to UTF-8, or fetch it again",
        ) from error
    except json.JSONDecodeError as error:
        raise InputError.at(
            f"{path}:{first_line + error.lineno - 1}",
            found=f"broken JSON ({error.msg}, column {error.colno})",
            expected="whole JSON",
            remedy="Fetch the file again: it may have been cut off or edited",
        ) from error
    except (ValueError, RecursionError) as error:
        raise InputError.at(f"{path}:{first_line}", found=str(error), expected="JSON with one value a key") from error


def _mismatch(place: str, message: str, kind: type[Any]) -> InputError:
    """Say in one line how a row differs from what its source declares."""
    wrong = re.fullmatch(r"Expected (?P<expected>.+?), got (?P<found>.+?)(?: - at (?P<where>.+))?", message)
    if wrong:
        where = f" at {wrong['where']}" if wrong["where"] else ""
        return InputError.at(place, found=wrong["found"] + where, expected=wrong["expected"])
    strange = re.fullmatch(r"Invalid enum value (?P<found>.+) - at `\$\.(?P<name>\w+)`", message)
    if strange and (allowed := get_args(get_type_hints(kind).get(strange["name"]))):
        return InputError.at(
            place, found=f"{strange['name']} {strange['found']}", expected=f"one of {', '.join(map(str, allowed))}"
        )
    names: tuple[str, ...] = getattr(kind, "__struct_encode_fields__", ())
    fields = f"the fields {', '.join(names)}" if names else "an object"
    return InputError.at(place, found=message[0].lower() + message[1:], expected=fields)
