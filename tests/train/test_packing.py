"""Packing: nothing is cut, left out or doubled, and rows are nearly full."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from globmed.train.packing import pack

LIMIT = 64


@given(st.lists(st.integers(1, LIMIT), max_size=200), st.integers(1, 50))
def test_every_example_stands_in_one_row_and_whole(tokens: list[int], window: int) -> None:
    rows = pack(np.array(tokens, dtype=np.int64), limit=LIMIT, window=window)
    assert sorted(place for row in rows for place in row.tolist()) == list(range(len(tokens)))
    assert all(sum(tokens[place] for place in row) <= LIMIT for row in rows)
    # Of a window, two rows would never have gone into one.
    for start in range(0, len(tokens), window):
        fills = [sum(tokens[place] for place in row) for row in rows if start <= row[0] < start + window]
        assert sum(2 * fill <= LIMIT for fill in fills) <= 1
    # Nothing leaves its window.
    assert all(np.ptp(row) < window for row in rows)


def test_rows_are_nearly_full_and_long_examples_do_not_come_first() -> None:
    tokens = np.clip(np.random.default_rng(0).lognormal(5.5, 0.7, 20_000), 20, 2048).astype(np.int64)
    rows = pack(tokens, limit=2048)
    assert tokens.sum() / (2048 * len(rows)) > 0.985
    first, last = (np.concatenate(part) for part in (rows[: len(rows) // 4], rows[-len(rows) // 4 :]))
    assert abs(np.log(tokens[first].mean() / tokens[last].mean())) < 0.1
