"""SIGINT and SIGTERM for whatever is under way in an event loop: several campaigns at once stop together."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
# Only the main thread touches them.
_to_call: list[Callable[[], None]] = []
_handlers_before: dict[signal.Signals, Any] = {}


@contextmanager
def on_signals(call: Callable[[], None]) -> Iterator[None]:
    """Call `call` in the running event loop at each SIGINT and SIGTERM, and then leave the handlers as they were.

    Only the main thread can handle signals; in another one nothing is installed.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    loop = asyncio.get_running_loop()
    if not _to_call:
        _handlers_before.update({number: signal.getsignal(number) for number in _SIGNALS})
        for number in _SIGNALS:
            loop.add_signal_handler(number, _call_all)
    _to_call.append(call)
    try:
        yield
    finally:
        _to_call.remove(call)
        if not _to_call:
            _restore(loop)


@contextmanager
def calling_at_sigint(call: Callable[[], None]) -> Iterator[None]:
    """Call `call` at each SIGINT, in place of a KeyboardInterrupt, which could come at any line; without an event loop.

    Only the main thread can handle signals; in another one nothing is installed.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, lambda _number, _frame: call())
    try:
        yield
    finally:
        # None: a handler that was not installed from Python, and cannot be put back from here.
        signal.signal(signal.SIGINT, signal.default_int_handler if before is None else before)


def _restore(loop: asyncio.AbstractEventLoop) -> None:
    for number, handler in _handlers_before.items():
        loop.remove_signal_handler(number)
        # None: a handler that was not installed from Python, and cannot be put back from here.
        if handler is not None:
            signal.signal(number, handler)


def _call_all() -> None:
    for call in tuple(_to_call):
        call()
