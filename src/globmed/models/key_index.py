"""Where the reply of each key stands in a journal, in at most 24 bytes a key.

A campaign has tens of millions of replies, and a Python dict of them takes some 200 bytes a key. Keys that come one by
one stand in many short byte strings, those of the compacted part, which no longer change, in one sorted array.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple, get_args

import numpy as np
import numpy.typing as npt

from globmed.models.client import Status

STATUSES: tuple[Status, ...] = get_args(Status)
CODES: dict[Status, int] = {status: code for code, status in enumerate(STATUSES)}
_CODE_BITS = 3
_KEY_BYTES, _PLACE_BYTES = 16, 6
_RECORD_BYTES = _KEY_BYTES + _PLACE_BYTES
# With 96 records a string (2 kB), what the strings and their allocator add is about a byte a key.
_RECORDS_PER_STRING = 96
_PACKED_BYTES = _KEY_BYTES + 5


class Place(NamedTuple):
    """Where a reply stands: in a row of the compacted part, or at a byte of the journal."""

    status: Status
    compacted: bool
    at: int


class PackedKeys:
    """Keys that no longer change, 21 bytes each: the key, and 5 bytes of its row and the code of its status.

    numpy orders such byte strings as memcmp does, and sorts them where they are: packing takes no second array.
    """

    def __init__(self, rows: int, batches: Iterable[tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]] = ()) -> None:
        """Pack batches of keys, 16 columns of bytes, and the codes of their statuses, in the order of the rows."""
        self._records: npt.NDArray[np.bytes_] = np.empty(rows, f"S{_PACKED_BYTES}")
        first = 0
        for keys, codes in batches:
            end = first + len(keys)
            places = np.arange(first, end, dtype=np.uint64) << np.uint64(_CODE_BITS) | codes
            self._table[first:end, :_KEY_BYTES] = keys
            self._table[first:end, _KEY_BYTES:] = places.astype(">u8").view(np.uint8).reshape(-1, 8)[:, 3:]
            first = end
        assert first == rows, f"{first} keys for {rows} rows"
        self._records.sort()

    @property
    def _table(self) -> npt.NDArray[np.uint8]:
        return self._records.view(np.uint8).reshape(-1, _PACKED_BYTES)

    @property
    def _codes(self) -> npt.NDArray[np.uint8]:
        return self._table[:, -1] & np.uint8((1 << _CODE_BITS) - 1)

    def get(self, key: bytes) -> Place | None:
        """Return where a key's reply stands, or None."""
        at = self._records.searchsorted(np.bytes_(key))
        record = self._records[at : at + 1].tobytes()
        return _place(record[_KEY_BYTES:], compacted=True) if record[:_KEY_BYTES] == key else None

    def by_code(self) -> list[int]:
        """Return how many keys have each status, in the order of `STATUSES`."""
        codes = self._codes
        return [int(np.count_nonzero(codes == code)) for code in range(len(STATUSES))]

    def errors(self) -> Iterator[tuple[bytes, Place]]:
        """Yield keys whose reply is an error, with its place."""
        for at in np.flatnonzero(self._codes == CODES["error"]):
            record = self._records[at : at + 1].tobytes()
            yield record[:_KEY_BYTES], _place(record[_KEY_BYTES:], compacted=True)


class KeyIndex:
    """Where the reply that counts under each key stands, in a journal and its compacted part.

    A hash table that grows one string at a time (linear hashing, Litwin 1980): no step takes long, and none needs a
    second copy of the table. Keys are hashes already; the last 8 bytes of one choose its string.
    """

    def __init__(self, packed: PackedKeys | None = None) -> None:
        self._packed = packed
        self._by_code = packed.by_code() if packed else [0] * len(STATUSES)
        self._strings = [b""]
        self._records = 0
        # Strings before `_next`, and those from `_doubled` on, are chosen by one bit more.
        self._next, self._doubled = 0, 1

    def __len__(self) -> int:
        """Number of keys, those with error replies only among them."""
        return sum(self._by_code)

    @property
    def statuses(self) -> dict[Status, int]:
        """Number of keys by the status of the reply that counts; those of which there is none left out."""
        return {status: number for status, number in zip(STATUSES, self._by_code, strict=True) if number}

    def get(self, key: bytes) -> Place | None:
        """Return where the reply under a key of 16 bytes stands, or None."""
        number, at = self._find(key)
        if at >= 0:
            return _place(self._strings[number][at + _KEY_BYTES : at + _RECORD_BYTES], compacted=False)
        return None if self._packed is None else self._packed.get(key)

    def add(self, key: bytes, offset: int, status: Status) -> None:
        """Note a reply that stands at an offset; a key that already has one that is no error keeps it."""
        number, at = self._find(key)
        if at >= 0 or self._packed is not None:
            earlier = self.get(key)
            if earlier is not None:
                if earlier.status != "error":
                    return
                self._by_code[CODES["error"]] -= 1
        code = CODES[status]
        self._by_code[code] += 1
        record = key + (offset << _CODE_BITS | code).to_bytes(_PLACE_BYTES)
        string = self._strings[number]
        if at >= 0:
            self._strings[number] = string[:at] + record + string[at + _RECORD_BYTES :]
            return
        self._strings[number] = string + record
        self._records += 1
        if self._records > len(self._strings) * _RECORDS_PER_STRING:
            self._grow()

    def errors(self) -> Iterator[Place]:
        """Yield the places of the error replies that count."""
        for string in self._strings:
            for record in _records(string):
                place = _place(record[_KEY_BYTES:], compacted=False)
                if place.status == "error":
                    yield place
        for key, place in self._packed.errors() if self._packed else ():
            if self._find(key)[1] < 0:
                yield place

    def _find(self, key: bytes) -> tuple[int, int]:
        """Return the number of a key's string, and where in it its record begins, or -1."""
        number = int.from_bytes(key[8:]) & (2 * self._doubled - 1)
        if number >= len(self._strings):
            number -= self._doubled
        string = self._strings[number]
        at = string.find(key)
        while at % _RECORD_BYTES and at >= 0:
            at = string.find(key, at + 1)
        return number, at

    def _grow(self) -> None:
        stay: list[bytes] = []
        go: list[bytes] = []
        for record in _records(self._strings[self._next]):
            (go if int.from_bytes(record[8:_KEY_BYTES]) & self._doubled else stay).append(record)
        self._strings[self._next] = b"".join(stay)
        self._strings.append(b"".join(go))
        self._next += 1
        if self._next == self._doubled:
            self._next, self._doubled = 0, 2 * self._doubled


def _records(string: bytes) -> Iterator[bytes]:
    for at in range(0, len(string), _RECORD_BYTES):
        yield string[at : at + _RECORD_BYTES]


def _place(packed: bytes, *, compacted: bool) -> Place:
    number = int.from_bytes(packed)
    return Place(STATUSES[number & ((1 << _CODE_BITS) - 1)], compacted, number >> _CODE_BITS)
