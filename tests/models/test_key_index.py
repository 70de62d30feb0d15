"""The index against a dict, through packing, and its memory."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from globmed.models import key_index
from globmed.models.key_index import KeyIndex

# Few distinct halves, so that keys share the one by which they are sorted.
half = st.sampled_from([0, 1, 2**64 - 1, 2**63, 12345])
keys = st.tuples(half, half).map(lambda halves: halves[0].to_bytes(8) + halves[1].to_bytes(8))


@given(st.lists(st.tuples(keys, st.booleans()), max_size=60))
def test_index_is_a_dict_in_which_errors_give_way(added: list[tuple[bytes, bool]]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(key_index, "_RECENT_MAX", 4)
        index, expected = KeyIndex(), dict[bytes, tuple[int, bool]]()
        for offset, (key, is_error) in enumerate(added):
            index.add(key, offset, is_error=is_error)
            if key not in expected or expected[key][1]:
                expected[key] = (offset, is_error)
            assert {key: index.get(key) for key in expected} == {key: place for key, (place, _) in expected.items()}
            assert index.errors == sum(is_error for _, is_error in expected.values())
            assert index.finished == len(expected) - index.errors
        assert index.get(b"\x07" * 16) is None


def test_index_takes_24_bytes_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(key_index, "_RECENT_MAX", 4096)
    number, rng = 4 * 4096, np.random.default_rng(0)
    keys = rng.bytes(16 * number)
    tracemalloc.start()
    index = KeyIndex()
    for row in range(number):
        index.add(keys[16 * row : 16 * row + 16], row, is_error=False)
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert index.finished == number
    assert held / number < 26
