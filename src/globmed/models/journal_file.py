"""What a journal asks of the system: one writer, whole writes, and that both what is written and its name last."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from globmed.core.errors import EnvironmentFailedError
from globmed.core.store import replacing

# os.fdatasync is missing on macOS.
sync = getattr(os, "fdatasync", os.fsync)


def open_locked(path: Path) -> int:
    """Open a journal for appending, or make it, and lock out every other writer until the descriptor is closed.

    Raises:
        EnvironmentFailedError: another process writes to it, or the file system refuses.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        while True:
            fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
            try:
                _lock(fd, path)
                if _is_at(fd, path):
                    return fd
            except BaseException:
                os.close(fd)
                raise
            # Between the two calls another process put a compacted journal in its place.
            os.close(fd)
    except OSError as error:
        raise EnvironmentFailedError(f"{path}: cannot be opened for writing: {error.strerror}") from error


def _lock(fd: int, path: Path) -> None:
    try:
        # flock, not lockf: a POSIX lock would be lost as soon as any reader in this process closes the file.
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise EnvironmentFailedError(
            f"{path}: another process is writing to this journal; wait until it ends, or name another file"
        ) from error
    except OSError as error:
        raise EnvironmentFailedError(
            f"{path}: cannot be locked: {error.strerror}. Put the journal on a disk whose file system has flock, "
            "so that no two processes write to it"
        ) from error


def _is_at(fd: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(fd), path.stat())
    except FileNotFoundError:
        return False


def write_all(fd: int, data: bytes) -> None:
    """Write bytes, however many calls that takes."""
    written = os.write(fd, data)
    while written < len(data):
        written += os.write(fd, data[written:])


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


@contextmanager
def replacing_durably(path: Path) -> Iterator[Path]:
    """Give a temporary path beside `path`; put it in the place of `path`, for good, when the block ends well.

    What a killed process left of the same is removed first: call it under the journal's lock.

    Raises:
        EnvironmentFailedError: the disk is full or the folder cannot be written.
    """
    with replacing(path) as temporary:
        for left in path.parent.glob(".*.part"):
            if left.name.startswith(f".{path.name}."):
                left.unlink()
        yield temporary
    sync_folder(path.parent)
