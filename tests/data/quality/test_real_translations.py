"""The checks of options and language on real pairs: HEAD-QA, whose English its authors made by machine from Spanish."""

from pathlib import Path

import msgspec
import numpy as np
import pytest

from globmed.core.item import Item
from globmed.data.pairs import Pair
from globmed.data.quality import checks, option_order
from globmed.data.sources import source

WITHOUT_NUMBERS = [check for name, check in checks().items() if name not in {"numbers", "units"}]


@pytest.fixture(scope="module")
def pairs(real_data: Path) -> list[Pair]:
    read = {
        code: {
            one.family: one for one in source("headqa").read(real_data / "headqa", (code,), 0) if isinstance(one, Item)
        }
        for code in ("es", "en")
    }
    families = sorted(read["es"].keys() & read["en"].keys())
    return [Pair(read["es"][family], read["en"][family]) for family in families[1::12]]


def blocked(pair: Pair) -> bool:
    return any(found.severity == "block" for check in WITHOUT_NUMBERS for found in check.run(pair))


@pytest.mark.real
@pytest.mark.slow
def test_few_pairs_are_blocked_and_nearly_all_spoilt_ones_are(pairs: list[Pair]) -> None:
    assert len(pairs) > 500
    assert np.mean([blocked(pair) for pair in pairs]) < 0.02
    lost = [
        Pair(one.source, msgspec.structs.replace(one.target, options=one.target.options[:-1], answer=()))
        for one in pairs
    ]
    assert all(blocked(pair) for pair in lost)
    kept = [Pair(one.source, msgspec.structs.replace(one.target, question=one.source.question)) for one in pairs]
    assert np.mean([blocked(pair) for pair in kept if len(pair.source.question) > 60]) > 0.98


@pytest.mark.real
@pytest.mark.slow
def test_swapped_options_that_can_be_compared_are_seen(pairs: list[Pair]) -> None:
    seen = []
    for pair in pairs:
        first, second, *rest = pair.target.options
        if option_order.comparable(pair, 0, 1):
            swapped = msgspec.structs.replace(pair.target, options=(second, first, *rest))
            seen.append(any(found.severity == "block" for found in option_order.find(Pair(pair.source, swapped))))
    assert len(seen) > 400
    assert np.mean(seen) > 0.96  # 98 % of all; what is missed here are words that the machine translated wrongly
