"""Marks for review: what a reader of the view asks a person to look at, one line each in the run's folder."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import msgspec

from globmed.core.errors import EnvironmentFailedError
from globmed.core.store import read_jsonl
from globmed.models.journal_file import sync_folder, write_all

REASONS = {
    "translation": "The translation is wrong",
    "key": "The answer held for right is wrong",
    "reading": "A reply was read wrongly",
    "country": "It holds in one country only",
    "other": "Something else",
}
"""Why an item is to be reviewed, and how people are told."""

TEXT_CHARACTERS_MAX = 2_000


class ReviewRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the file.

    Attributes:
        item: the question in its language, as `family/language`.
        family: the question.
        language: BCP 47 code.
        model: id of the model whose reply it is about; empty where it is about the question.
        reason: a key of `REASONS`.
        text: what the reader says of it.
        when: ISO 8601, UTC.
    """

    item: str
    family: str
    language: str
    model: str
    reason: Literal["translation", "key", "reading", "country", "other"]
    text: str
    when: str


def requests_path(run: Path) -> Path:
    """Return the file of a run's marks."""
    return run / "review_requests.jsonl"


def add_request(run: Path, request: ReviewRequest) -> bool:
    """Write a mark down for good, and return whether it is new; one that differs in nothing but its time is not.

    Raises:
        EnvironmentFailedError: the disk is full, or the folder cannot be written.
        InputError: the file holds a line that is no mark.
    """
    path = requests_path(run)
    with _locked(path) as fd:
        _cut_torn_tail(fd)
        if any(_same(one, request) for one in read_jsonl(path, ReviewRequest)):
            return False
        write_all(fd, msgspec.json.encode(request) + b"\n")
        os.fsync(fd)
        sync_folder(path.parent)
    return True


def requests_of(run: Path, family: str) -> list[ReviewRequest]:
    """Return the marks of a question, whatever its language, as they were made.

    Raises:
        InputError: the file holds a line that is no mark.
        EnvironmentFailedError: it cannot be read.
    """
    path = requests_path(run)
    if not path.is_file():
        return []
    with _locked(path) as fd:
        _cut_torn_tail(fd)
        return [request for request in read_jsonl(path, ReviewRequest) if request.family == family]


@contextmanager
def _locked(path: Path) -> Iterator[int]:
    """Open the file for appending, and lock it against other servers and threads."""
    try:
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX)
            yield fd
        finally:
            os.close(fd)
    except OSError as error:
        raise EnvironmentFailedError(f"{path}: the mark could not be kept: {error.strerror}") from error


def _cut_torn_tail(fd: int) -> None:
    """Take off a line that was being written when the machine stopped; nobody was told that it was kept."""
    size = os.fstat(fd).st_size
    whole = os.pread(fd, size, 0).rfind(b"\n") + 1
    if whole < size:
        os.ftruncate(fd, whole)


def _same(one: ReviewRequest, other: ReviewRequest) -> bool:
    return msgspec.structs.replace(one, when=other.when) == other
