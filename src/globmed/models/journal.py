"""Replies on disk, each durable once reported: an append-only file of JSON lines that one process writes at a time.

An `asked` line is written before a request is sent and is not waited for; so after `kill -9` it is known exactly which
requests were under way, and after a power loss nearly. A `reply` line is waited for: `Journal.commit` returns once
fdatasync has. Replies that come while the disk is busy share the next fdatasync.

Of several replies under one key the first that is no error counts; while all are errors, the last.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from globmed.core.errors import EnvironmentFailedError, InputError
from globmed.models.client import Reply
from globmed.models.journal_lines import (
    HEADER,
    Saved,
    Scan,
    damaged,
    decode_record,
    encode_line,
    is_whole,
    key_bytes,
    read_at,
    scan_journal,
)

# os.fdatasync is missing on macOS.
_sync = getattr(os, "fdatasync", os.fsync)


@dataclass(frozen=True, kw_only=True)
class Opened:
    """What a journal held when it was opened.

    Attributes:
        finished: keys with a reply that is no error.
        errors: keys with error replies only.
        in_flight: keys asked and not answered when the last writer ended, 32 hexadecimal digits each.
        torn_bytes: length of the torn tail that was cut off; 0 where the last writer ended well.
    """

    finished: int
    errors: int
    in_flight: frozenset[str]
    torn_bytes: int


class Journal:
    """A journal open for writing, locked against every other writer. Use as a context manager or call `close`."""

    def __init__(self, path: Path, fd: int, scan: Scan) -> None:
        self.path = path
        self.opened = Opened(
            finished=scan.index.finished,
            errors=scan.index.errors,
            in_flight=frozenset(key.hex() for key in scan.asked),
            torn_bytes=scan.torn_bytes,
        )
        self._fd = fd
        self._end = scan.end
        self._index = scan.index
        self._encoder = msgspec.json.Encoder()
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="journal")
        self._waiting: list[asyncio.Future[None]] = []
        self._syncing: asyncio.Task[None] | None = None
        self._failure = ""

    @classmethod
    def open(cls, path: Path) -> Journal:
        """Open a journal, or make it, and cut off a torn tail.

        Raises:
            EnvironmentFailedError: another process writes to it, or the file system refuses.
            InputError: the file is not a journal, or is damaged before its last records.
        """
        fd, journal = _open_locked(path), None
        try:
            scan = scan_journal(path)
            if scan.torn_bytes:
                os.ftruncate(fd, scan.end)
            if scan.end == 0:
                _write_all(fd, HEADER)
                scan.end = len(HEADER)
            _sync(fd)
            _sync_folder(path.parent)
            journal = cls(path, fd, scan)
        except OSError as error:
            raise EnvironmentFailedError(f"{path}: {error.strerror}") from error
        finally:
            if journal is None:
                os.close(fd)
        return journal

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __len__(self) -> int:
        """Number of keys with a reply, errors included."""
        return self._index.finished + self._index.errors

    @property
    def size_bytes(self) -> int:
        """Length of the file; what is saved from now on stands at this offset or after."""
        return self._end

    def saved(self, key: str) -> Saved | None:
        """Return what is saved under a key, or None.

        Raises:
            InputError: the record was damaged since the journal was opened.
        """
        offset = self._index.get(key_bytes(key))
        return None if offset is None else read_at(self._fd, self.path, offset)

    def ask(self, keys: Iterable[str]) -> None:
        """Note that requests are about to be sent.

        Raises:
            EnvironmentFailedError: the disk is full or fails.
        """
        self._write(b"".join(encode_line(b'"asked":"%b"}' % key.encode()) for key in keys))

    async def commit(self, replies: Sequence[tuple[str, Reply]]) -> None:
        """Save replies under their keys; they are durable when this returns.

        Raises:
            EnvironmentFailedError: the disk is full or fails; none of these replies counts as saved.
        """
        lines = [
            encode_line(b'"key":"%b","reply":%b}' % (key.encode(), self._encoder.encode(reply)))
            for key, reply in replies
        ]
        place = self._end
        self._write(b"".join(lines))
        for (key, reply), line in zip(replies, lines, strict=True):
            self._index.add(key_bytes(key), place, is_error=reply.status == "error")
            place += len(line)
        loop = asyncio.get_running_loop()
        durable = loop.create_future()
        self._waiting.append(durable)
        if self._syncing is None:
            self._syncing = loop.create_task(self._sync_while_waited_for())
        await durable

    def close(self) -> None:
        """Make everything durable and let go of the lock; further calls do nothing.

        Raises:
            EnvironmentFailedError: the disk fails.
        """
        if self._fd < 0:
            return
        self._thread.shutdown()
        fd, self._fd = self._fd, -1
        try:
            _sync(fd)
        except OSError as error:
            raise EnvironmentFailedError(f"{self.path}: {error.strerror}") from error
        finally:
            os.close(fd)

    def _write(self, data: bytes) -> None:
        if self._failure:
            raise EnvironmentFailedError(self._failure)
        try:
            _write_all(self._fd, data)
        except OSError as error:
            # Shrinking needs no space: it leaves whole records only. If even that fails, the next `open` cuts the tail.
            with suppress(OSError):
                os.ftruncate(self._fd, self._end)
            raise self._failed(error) from error
        self._end += len(data)

    def _failed(self, error: OSError) -> EnvironmentFailedError:
        self._failure = (
            f"{self.path}: {error.strerror} after {self._end} bytes; what was reported as done is kept. "
            "Make room or mend the disk, then run the same command again"
        )
        return EnvironmentFailedError(self._failure)

    async def _sync_while_waited_for(self) -> None:
        loop = asyncio.get_running_loop()
        waiting: list[asyncio.Future[None]] = []
        try:
            while self._waiting:
                waiting, self._waiting = self._waiting, []
                await loop.run_in_executor(self._thread, _sync, self._fd)
                for durable in waiting:
                    if not durable.done():
                        durable.set_result(None)
        except OSError as error:
            # After a failed fsync the kernel may have dropped the pages: trying again would report success falsely.
            failure = self._failed(error)
            for durable in waiting + self._waiting:
                if not durable.done():
                    durable.set_exception(failure)
            self._waiting = []
        finally:
            self._syncing = None


def read_replies(path: Path) -> Iterator[tuple[str, Reply]]:
    """Yield each key with its reply, in the order of the file, without a lock and whatever the length of the file.

    Records that another process is writing meanwhile may be missing; a torn tail is left alone.

    Raises:
        InputError: there is no such file, it is not a journal, or it is damaged before its last records.
    """
    if not path.is_file():
        raise InputError.at(str(path), found="no file", expected="a journal")
    scan = scan_journal(path)
    with path.open("rb") as file:
        offset = file.seek(len(HEADER)) if scan.end else scan.end
        while offset < scan.end:
            line = file.readline()
            if not is_whole(line):
                raise damaged(path, offset)
            record = decode_record(line)
            if record.reply is not None and scan.index.get(key_bytes(record.key)) == offset:
                yield record.key, record.reply
            offset += len(line)


def _open_locked(path: Path) -> int:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise EnvironmentFailedError(f"{path}: cannot be opened for writing: {error.strerror}") from error
    try:
        # flock, not lockf: a POSIX lock would be lost as soon as any reader in this process closes the file.
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(fd)
        busy = isinstance(error, BlockingIOError)
        raise EnvironmentFailedError(
            f"{path}: another process is writing to this journal; wait until it ends, or name another file"
            if busy
            else f"{path}: cannot be locked: {error.strerror}"
        ) from error
    return fd


def _write_all(fd: int, data: bytes) -> None:
    written = os.write(fd, data)
    while written < len(data):
        written += os.write(fd, data[written:])


def _sync_folder(folder: Path) -> None:
    """Make the file's name durable too."""
    fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
