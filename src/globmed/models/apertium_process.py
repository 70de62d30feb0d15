"""Apertium's processes, kept running: starting them takes longer than fifty sentences.

Texts go in and translations come out ended by NUL (`-z`). Debian's lttoolbox 3.7 reads some texts ahead, so what was
asked comes out only once more follows: empty texts do. Each batch stands between two marks, which the engine leaves
alone, so that no translation can be taken for another text's.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import threading
from collections.abc import Sequence
from contextlib import suppress
from itertools import count
from typing import IO

from globmed.core.errors import EnvironmentFailedError

NUL = "\0"
# More than the texts that the engine reads ahead.
_FOLLOWING = 8
_END_SECONDS = 2.0


class EngineFailedError(EnvironmentFailedError):
    """The engine died, or did not answer in time, at one text; says so in one line."""


class Engine:
    """The processes of one mode, started at the first text and again after each that they die of."""

    def __init__(self, mode: str, *, wait_seconds: float) -> None:
        """Take note of a mode.

        Args:
            mode: as `apertium -l` lists it.
            wait_seconds: how long the engine may go without an answer.
        """
        self._mode = mode
        self._wait_seconds = wait_seconds
        self._process: subprocess.Popen[bytes] | None = None
        self._unread = b""
        self._batches = count()

    def answers(self, texts: Sequence[str]) -> list[str | EngineFailedError]:
        """Return the answer to each text in the engine's stream format, in order, or why there is none.

        After a failure each text is asked alone: only so can be told which it was.
        """
        try:
            return list(self._ask(texts))
        except EngineFailedError as error:
            self.close()
            if len(texts) == 1:
                return [error]
        return [answer for text in texts for answer in self.answers([text])]

    def close(self) -> None:
        """End the processes."""
        if self._process is None:
            return
        # The whole group: the program is a shell that starts a dozen others, and removes its temporary file at the end.
        os.killpg(self._process.pid, signal.SIGTERM)
        try:
            self._process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with suppress(BrokenPipeError):
                    pipe.close()
        self._process, self._unread = None, b""

    def _ask(self, texts: Sequence[str]) -> list[str]:
        process = self._process = self._process or _start(self._mode)
        if process.stdin is None or process.stdout is None:
            raise AssertionError(f"{self._mode}: started without pipes")
        first, last = (f"[{name} {next(self._batches)}]" for name in ("first", "last"))
        written = [first, *texts, last, *[""] * _FOLLOWING]
        # The engine answers while it is still being told, and would block at a full pipe.
        teller = threading.Thread(target=_tell, args=(process.stdin, written), daemon=True)
        teller.start()
        while self._next(process.stdout).strip() != first:
            pass
        answers = [self._next(process.stdout) for _ in texts]
        if (found := self._next(process.stdout).strip()) != last:
            raise EngineFailedError(f"apertium {self._mode}: found {found!r} where its answers end")
        teller.join()
        return answers

    def _next(self, pipe: IO[bytes]) -> str:
        """Return the next answer."""
        while NUL.encode() not in self._unread:
            ready, _, _ = select.select([pipe], [], [], self._wait_seconds)
            if not ready:
                raise EngineFailedError(f"apertium {self._mode}: no answer in {self._wait_seconds:g} seconds")
            got = os.read(pipe.fileno(), 2**16)
            if not got:
                raise EngineFailedError(f"apertium {self._mode}: its process ended at this text")
            self._unread += got
        answer, _, self._unread = self._unread.partition(NUL.encode())
        return answer.decode(errors="replace")


def _start(mode: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603
        ["apertium", "-u", "-z", "-f", "none", mode],  # noqa: S607
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "LC_ALL": "C.UTF-8"},
        start_new_session=True,
    )


def _tell(pipe: IO[bytes], texts: Sequence[str]) -> None:
    try:
        for text in texts:
            pipe.write(f"{text}\n{NUL}".encode(errors="replace"))
        pipe.flush()
    except (BrokenPipeError, ValueError):
        # The processes are gone, or were ended: whoever reads their answers sees it.
        return
