"""Where the reply of each key stands in a journal, in little memory.

A campaign has tens of millions of replies. A Python dict of them takes some 200 bytes a key; sorted arrays take 24, and
the newest keys wait in a dict until there are enough to be worth sorting in.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

_RECENT_MAX = 65_536


class KeyIndex:
    """Where each key's reply stands in a journal.

    Attributes:
        finished: number of keys whose reply is no error.
        errors: number of keys with error replies only.
    """

    def __init__(self) -> None:
        self.finished = self.errors = 0
        self._high: npt.NDArray[np.uint64] = np.empty(0, np.uint64)
        self._low: npt.NDArray[np.uint64] = np.empty(0, np.uint64)
        # Twice the offset, plus one where the reply is an error.
        self._value: npt.NDArray[np.int64] = np.empty(0, np.int64)
        self._recent: dict[bytes, int] = {}

    def get(self, key: bytes) -> int | None:
        """Return the offset in bytes of the reply under a key of 16 bytes, or None."""
        value = self._lookup(key)
        return None if value is None else value >> 1

    def add(self, key: bytes, offset: int, *, is_error: bool) -> None:
        """Note a reply that stands at an offset; a key that already has one that is no error keeps it."""
        known = self._lookup(key)
        if known is not None and not known & 1:
            return
        if known is not None:
            self.errors -= 1
        if is_error:
            self.errors += 1
        else:
            self.finished += 1
        value = offset << 1 | is_error
        row = -1 if known is None or key in self._recent else self._row(key)
        if row >= 0:
            self._value[row] = value
            return
        self._recent[key] = value
        if len(self._recent) >= _RECENT_MAX:
            self._pack()

    def _lookup(self, key: bytes) -> int | None:
        value = self._recent.get(key)
        if value is None and (row := self._row(key)) >= 0:
            return int(self._value[row])
        return value

    def _row(self, key: bytes) -> int:
        high, low = int.from_bytes(key[:8]), int.from_bytes(key[8:])
        row = int(self._high.searchsorted(np.uint64(high)))
        while row < len(self._high) and self._high[row] == high:
            if self._low[row] == low:
                return row
            row += 1
        return -1

    def _pack(self) -> None:
        new = np.frombuffer(b"".join(self._recent), ">u8").reshape(-1, 2).astype(np.uint64)
        order = np.argsort(new[:, 0])
        at = self._high.searchsorted(new[order, 0])
        self._high = np.insert(self._high, at, new[order, 0])
        self._low = np.insert(self._low, at, new[order, 1])
        self._value = np.insert(self._value, at, np.fromiter(self._recent.values(), np.int64)[order])
        self._recent = {}
