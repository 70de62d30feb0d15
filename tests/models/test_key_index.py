"""The index against a dict, through its growth and with packed keys, and its memory."""

import tracemalloc
from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from globmed.models import key_index
from globmed.models.client import Status
from globmed.models.key_index import CODES, STATUSES, KeyIndex, PackedKeys, Place

# Few distinct halves, so that keys share the one by which they are found, and bytes that look like another key's.
half = st.sampled_from([0, 1, 2**64 - 1, 2**63, 12345])
keys = st.tuples(half, half).map(lambda halves: halves[0].to_bytes(8) + halves[1].to_bytes(8))
statuses = st.sampled_from(STATUSES)
Bytes = npt.NDArray[np.uint8]


def packed(rows: Sequence[tuple[bytes, Status]], batch: int = 3) -> PackedKeys:
    def batches() -> Iterator[tuple[Bytes, Bytes]]:
        for first in range(0, len(rows), batch):
            some = rows[first : first + batch]
            table = np.frombuffer(b"".join(key for key, _ in some), np.uint8).reshape(-1, 16)
            yield table, np.array([CODES[status] for _, status in some], np.uint8)

    return PackedKeys(len(rows), batches())


@given(
    st.dictionaries(keys, statuses, max_size=12),
    st.lists(st.tuples(keys | st.binary(min_size=16, max_size=16), statuses), max_size=60),
)
def test_index_is_a_dict_in_which_errors_give_way(
    compacted: dict[bytes, Status], added: list[tuple[bytes, Status]]
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(key_index, "_RECORDS_PER_STRING", 2)
        index = KeyIndex(packed(list(compacted.items())))
        expected = {key: Place(status, True, row) for row, (key, status) in enumerate(compacted.items())}
        for number, (key, status) in enumerate(added):
            offset = number << 39
            index.add(key, offset, status)
            if key not in expected or expected[key].status == "error":
                expected[key] = Place(status, False, offset)
            assert index.get(key) == expected[key]
    assert {key: index.get(key) for key in expected} == expected
    assert index.statuses == Counter(place.status for place in expected.values())
    assert len(index) == len(expected)
    assert sorted(index.errors()) == sorted(place for place in expected.values() if place.status == "error")
    assert index.get(b"\x07" * 16) is None


def test_many_keys_are_found_again() -> None:
    raw = np.random.default_rng(1).bytes(16 * 6000)
    all_keys = [raw[at : at + 16] for at in range(0, len(raw), 16)]
    index = KeyIndex(packed([(key, "ok") for key in all_keys[:2000]], batch=700))
    for offset, key in enumerate(all_keys[2000:]):
        index.add(key, offset, "truncated")
    assert [index.get(key) for key in all_keys] == [Place("ok", True, row) for row in range(2000)] + [
        Place("truncated", False, offset) for offset in range(4000)
    ]


@pytest.mark.parametrize("number", [20_000, pytest.param(200_000, marks=pytest.mark.slow)])
def test_memory_is_at_most_24_bytes_a_key_and_hardly_more_while_it_grows(number: int) -> None:
    half_of_them, raw = number // 2, np.random.default_rng(0).bytes(16 * number)
    table, codes = np.frombuffer(raw, np.uint8).reshape(-1, 16)[:half_of_them], np.zeros(half_of_them, np.uint8)
    batches = [slice(at, min(at + 1024, half_of_them)) for at in range(0, half_of_them, 1024)]
    tracemalloc.start()
    try:
        index = KeyIndex(PackedKeys(half_of_them, ((table[batch], codes[batch]) for batch in batches)))
        packing = tracemalloc.get_traced_memory()[1]
        for at in range(half_of_them, number):
            index.add(raw[16 * at : 16 * at + 16], at, "ok")
        held, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(index) == number
    assert packing < 24 * half_of_them + 100_000
    assert held < 24 * number
    assert peak < held + 100_000
