"""Fetching a source's files: what its `downloads` name, into a folder of its name, with a record of what came.

`<out>/<name>/fetched.json` says for every file its address, revision, SHA-256, size and the day it was fetched. What is
there already with the hash that the source states, or that the record holds, is not fetched again; a publisher's file
that has changed since it was recorded is an error and leaves the earlier one in place.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

import msgspec

from globmed.core.errors import EnvironmentFailedError, HashMismatchError, InputError, UsageError
from globmed.core.fetch import DEFAULT_LIMITS, Fetched, Limits, Progress, download, download_dataset, replacing
from globmed.core.store import file_hash
from globmed.data.sources import HubFiles, Source, WebFile, source

RECORD = "fetched.json"


class FetchedFile(msgspec.Struct, frozen=True, kw_only=True):
    """One file of the record.

    Attributes:
        name: path below the source's folder.
        url: where it was fetched, or the dataset it belongs to.
        revision: commit; empty where the address itself is all there is.
        sha256: of its content, hexadecimal.
        bytes: its size.
        day: ISO 8601 date.
    """

    name: str
    url: str
    revision: str
    sha256: str
    bytes: int
    day: str


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """What `fetched.json` holds: the files of each finished download, by what was asked for."""

    source: str
    downloads: dict[str, tuple[FetchedFile, ...]] = {}


@dataclass(frozen=True, kw_only=True)
class FetchResult:
    """A source whose files are all there.

    Attributes:
        source: what was fetched.
        folder: where its files lie; `globmed data import` takes it.
        files: all of them.
        fetched: names of those that were not there before.
    """

    source: Source
    folder: Path
    files: tuple[FetchedFile, ...]
    fetched: frozenset[str]


def fetch_source(
    name: str, *, out: Path, limits: Limits = DEFAULT_LIMITS, progress: Progress | None = None
) -> FetchResult:
    """Fetch all files of a source into `<out>/<name>`, as far as they are not there already.

    Args:
        name: of the source.
        out: folder in which each source gets a folder of its name.
        limits: bounds of time and size.
        progress: told of what is fetched and how far it is.

    Raises:
        UsageError: there is no such source, or a person has to get its files; the text says how.
        HashMismatchError: what came is not what the source states, or what the record holds.
        InputError: the record is broken.
        EnvironmentFailedError: network, server or disk failed.
    """
    found = source(name)
    if not found.downloads:
        raise _by_hand(found)
    folder = out / name
    record = _read_record(folder, name)
    fetched: set[str] = set()
    for wanted in found.downloads:
        known = record.downloads.get(_key(wanted), ())
        if known and all(_is_there(folder, file) for file in known) and _as_stated(wanted, known):
            continue
        files = _fetch(wanted, folder, known, limits, progress)
        fetched |= {file.name for file in files}
        record = msgspec.structs.replace(record, downloads=record.downloads | {_key(wanted): files})
        _write_record(folder, record)
    files = tuple(file for wanted in found.downloads for file in record.downloads[_key(wanted)])
    return FetchResult(source=found, folder=folder, files=files, fetched=frozenset(fetched))


def _by_hand(found: Source) -> UsageError:
    if found.procedural:
        return UsageError(f"source {found.name!r} is made by globmed itself: there is nothing to fetch")
    terms = f" ({found.terms.rstrip('.')})" if found.terms else ""
    return UsageError(f"source {found.name!r} cannot be fetched by a program{terms}. By hand: {found.obtain}")


def _key(wanted: WebFile | HubFiles) -> str:
    """Return what tells one download of a source from another, in the record."""
    if isinstance(wanted, WebFile):
        return wanted.url
    return f"{wanted.repository}@{wanted.revision}: {' '.join(wanted.patterns)}"


def _is_there(folder: Path, file: FetchedFile) -> bool:
    path = folder / file.name
    return path.is_file() and file_hash(path) == file.sha256


def _as_stated(wanted: WebFile | HubFiles, known: tuple[FetchedFile, ...]) -> bool:
    """Return whether what was fetched is what this version states, which an earlier one may not have known."""
    return isinstance(wanted, HubFiles) or not wanted.sha256 or {wanted.sha256} == {file.sha256 for file in known}


def _fetch(
    wanted: WebFile | HubFiles,
    folder: Path,
    known: tuple[FetchedFile, ...],
    limits: Limits,
    progress: Progress | None,
) -> tuple[FetchedFile, ...]:
    if isinstance(wanted, HubFiles):
        got = download_dataset(
            wanted.repository, wanted.revision, patterns=wanted.patterns, folder=folder, progress=progress
        )
        _compare(got, known, folder)
        home = f"https://huggingface.co/datasets/{wanted.repository}"
        return tuple(_entry(one, url=home, revision=wanted.revision) for one in got)
    if wanted.sha256:
        expected, stated_by = wanted.sha256, "this version of globmed"
    elif known:
        expected, stated_by = known[0].sha256, f"{folder / RECORD}, from {known[0].day},"
    else:
        expected, stated_by = "", ""
    one = download(
        wanted.url, folder, name=wanted.name, sha256=expected, stated_by=stated_by, limits=limits, progress=progress
    )
    return (_entry(one, url=wanted.url, revision=""),)


def _compare(got: list[Fetched], known: tuple[FetchedFile, ...], folder: Path) -> None:
    """Hold what the Hub gave to what it gave before: a commit stays what it is, unless its history was rewritten."""
    recorded = {file.name: file for file in known}
    for one in got:
        before = recorded.get(one.name)
        if before and before.sha256 != one.sha256:
            raise HashMismatchError(
                f"{folder / one.name}: found SHA-256 {one.sha256[:12]}…; expected {before.sha256[:12]}…, which "
                f"{folder / RECORD} recorded on {before.day}. The publisher changed a commit: find out why; remove "
                "the record to accept it"
            )


def _entry(one: Fetched, *, url: str, revision: str) -> FetchedFile:
    day = dt.datetime.now(tz=dt.UTC).date().isoformat()
    return FetchedFile(name=one.name, url=url, revision=revision, sha256=one.sha256, bytes=one.bytes, day=day)


def _read_record(folder: Path, name: str) -> Record:
    path = folder / RECORD
    try:
        return msgspec.json.decode(path.read_bytes(), type=Record)
    except FileNotFoundError:
        return Record(source=name)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InputError.at(
            str(path),
            found=str(error),
            expected="the record of an earlier fetch",
            remedy="Remove it: everything is then fetched anew",
        ) from error
    except OSError as error:
        raise EnvironmentFailedError(f"{path}: could not be read: {error.strerror or error}") from error


def _write_record(folder: Path, record: Record) -> None:
    with replacing(folder / RECORD) as file:
        file.write(msgspec.json.format(msgspec.json.encode(record), indent=1) + b"\n")
