"""Replies on disk, each durable once reported: an append-only file of JSON lines that one process writes at a time.

An `asked` line is written before a request is sent and is not waited for; so after `kill -9` it is known exactly which
requests were under way, and after a power loss nearly. A `reply` line is waited for: `Journal.commit` returns once
fdatasync has. Replies that come while the disk is busy share the next write and fdatasync.

Of several replies under one key the first that is no error counts; while all are errors, the last. What was compacted
(`globmed.models.compaction`) stands in a Parquet file beside the journal and counts as if it came first in it.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from globmed.core.errors import EnvironmentFailedError, InputError
from globmed.models.client import Reply, Status, Usage
from globmed.models.compaction import shorten
from globmed.models.journal_file import open_locked, sync_folder, write_all
from globmed.models.journal_file import sync as _sync
from globmed.models.journal_lines import asked_line, header, key_bytes, reply_line
from globmed.models.journal_scan import Scan, scan_journal

COMPACTED = -1
"""The offset of a reply that stands in the compacted part."""


class Saved(msgspec.Struct, frozen=True, kw_only=True):
    """A reply in a journal.

    Attributes:
        reply: the reply.
        offset: where its record stands, in bytes from the start of the file; `COMPACTED` in the compacted part.
    """

    reply: Reply
    offset: int


@dataclass(frozen=True, kw_only=True)
class Opened:
    """What a journal held when it was opened, its compacted part included.

    Attributes:
        finished: keys with a reply that is no error.
        errors: keys with error replies only.
        statuses: keys by the status of the reply that counts.
        in_flight: keys asked and not answered when the last writer ended, 32 hexadecimal digits each.
        torn_bytes: length of the torn tail that was cut off; 0 where the last writer ended well.
        usage: tokens of all replies: what was paid for, errors that were asked again included.
    """

    finished: int
    errors: int
    statuses: dict[Status, int]
    in_flight: frozenset[str]
    torn_bytes: int
    usage: Usage


class Journal:
    """A journal open for writing, locked against every other writer. Use as a context manager or call `close`."""

    def __init__(self, path: Path, fd: int, scan: Scan) -> None:
        statuses = scan.index.statuses
        self.path = path
        self.opened = Opened(
            finished=len(scan.index) - statuses.get("error", 0),
            errors=statuses.get("error", 0),
            statuses=statuses,
            in_flight=frozenset(digits.decode() for digits in scan.asked),
            torn_bytes=scan.torn_bytes,
            usage=scan.usage,
        )
        self._fd = fd
        self._end = scan.end
        self._scan, self._index = scan, scan.index
        scan.asked = set()
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="journal")
        # Replies not yet written, and who waits for them; written, and not yet durable.
        self._unwritten: list[tuple[str, Status, bytes]] = []
        self._waiting: list[asyncio.Future[None]] = []
        self._syncing: asyncio.Task[None] | None = None
        self._failure = ""

    @classmethod
    def open(cls, path: Path) -> Journal:
        """Open a journal, or make it, and cut off a torn tail.

        Raises:
            EnvironmentFailedError: another process writes to it, or the file system refuses.
            InputError: the file is not a journal, is damaged before its last records, or its compacted part is missing
                or damaged.
        """
        fd = open_locked(path)
        with ExitStack() as on_error:
            on_error.callback(os.close, fd)
            with path.open("rb") as file:
                scan = scan_journal(path, file)
            on_error.callback(scan.close)
            if scan.half_compacted:
                # A compaction was killed before its end. Afterwards the file is another, to be locked anew.
                shorten(scan)
                return cls.open(path)
            _begin(fd, scan)
            on_error.pop_all()
        return cls(path, fd, scan)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __len__(self) -> int:
        """Number of keys with a reply, errors included."""
        return len(self._index)

    @property
    def size_bytes(self) -> int:
        """Length of the file; what is saved from now on stands at this offset or after."""
        return self._end

    def saved(self, key: str) -> Saved | None:
        """Return what is saved under a key, or None; a reply whose `commit` has not returned may not be there yet.

        Quick where keys come in about the order in which their replies were saved.

        Raises:
            InputError: the record was damaged since the journal was opened.
        """
        place = self._index.get(key_bytes(key))
        if place is None:
            return None
        return Saved(reply=self._scan.reply(self._fd, place), offset=COMPACTED if place.compacted else place.at)

    def ask(self, keys: Iterable[str]) -> None:
        """Note that requests are about to be sent.

        Raises:
            EnvironmentFailedError: the disk is full or fails.
        """
        self._write(b"".join(map(asked_line, keys)))

    async def commit(self, replies: Sequence[tuple[str, Reply]]) -> None:
        """Save replies under their keys; they are durable when this returns.

        Raises:
            EnvironmentFailedError: the disk is full or fails; none of these replies counts as saved.
        """
        if self._failure:
            raise EnvironmentFailedError(self._failure)
        self._unwritten += [(key, reply.status, reply_line(key, reply)) for key, reply in replies]
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
        self._scan.close()
        try:
            if not self._failure:
                self._write()
            _sync(self._fd)
        except OSError as error:
            raise EnvironmentFailedError(f"{self.path}: {error.strerror}") from error
        finally:
            os.close(self._fd)
            self._fd = -1

    def _write(self, asked: bytes = b"") -> None:
        """Write the replies that wait for it, and then lines that say what is about to be asked."""
        if self._failure:
            raise EnvironmentFailedError(self._failure)
        replies, self._unwritten = self._unwritten, []
        try:
            write_all(self._fd, b"".join([line for _, _, line in replies]) + asked)
        except OSError as error:
            # Shrinking needs no space: it leaves whole records only. If even that fails, the next `open` cuts the tail.
            with suppress(OSError):
                os.ftruncate(self._fd, self._end)
            raise self._failed(error) from error
        for key, status, line in replies:
            self._index.add(key_bytes(key), self._end, status)
            self._end += len(line)
        self._end += len(asked)

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
                self._write()
                await loop.run_in_executor(self._thread, _sync, self._fd)
                for durable in waiting:
                    if not durable.done():
                        durable.set_result(None)
        except (OSError, EnvironmentFailedError) as error:
            # After a failed fsync the kernel may have dropped the pages: trying again would report success falsely.
            failure = self._failed(error) if isinstance(error, OSError) else error
            for durable in waiting + self._waiting:
                if not durable.done():
                    durable.set_exception(failure)
            self._waiting = []
        finally:
            self._syncing = None


def _begin(fd: int, scan: Scan) -> None:
    """Cut off a torn tail, write the header where there is none, and make sure that the file lasts."""
    try:
        if scan.torn_bytes:
            os.ftruncate(fd, scan.end)
        if scan.end == 0:
            write_all(fd, header(scan.mark))
            scan.start = scan.end = len(header(scan.mark))
        _sync(fd)
        sync_folder(scan.path.parent)
    except OSError as error:
        raise EnvironmentFailedError(f"{scan.path}: {error.strerror}") from error


def read_replies(path: Path) -> Iterator[tuple[str, Reply]]:
    """Yield each key with its reply, in the order they were saved, without a lock and whatever the length of the file.

    Records that another process is writing meanwhile may be missing; a torn tail is left alone.

    Raises:
        InputError: there is no such file, it is not a journal, it is damaged before its last records, or its compacted
            part is missing or damaged.
    """
    if not path.is_file():
        raise InputError.at(str(path), found="no file", expected="a journal")
    with path.open("rb") as file, closing(scan_journal(path, file)) as scan:
        for key, reply in scan.counting(file):
            yield key.hex(), reply
