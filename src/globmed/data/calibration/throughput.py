"""How many pairs the checks get through in a second of one core."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec

from globmed.data.calibration.places import texts
from globmed.data.parallel import GoodPair
from globmed.data.quality import check_translation

CHARACTERS = 650
GOAL_PAIRS = 2_000


class Throughput(NamedTuple):
    """Pairs a second of CPU time on one core, and what they were measured on.

    Attributes:
        pairs_per_second: of CPU time of this process, user and system.
        pairs: how many pairs were checked.
        characters: mean number of characters of their originals.
    """

    pairs_per_second: float
    pairs: int
    characters: float


def joined(pairs: Iterable[GoodPair], *, characters: int = CHARACTERS) -> list[GoodPair]:
    """Join sentences of one direction, in their order, so that originals have about `characters` characters."""
    made: list[GoodPair] = []
    held: list[GoodPair] = []
    for pair in pairs:
        length = sum(len(one.source.question) + 1 for one in held)
        # Closed where the next sentence would take it farther from the length wanted than it is now.
        if held and (length + len(pair.source.question) / 2 > characters or pair.direction != held[0].direction):
            made.append(_joined(held))
            held = []
        held.append(pair)
    return made


def _joined(pairs: Sequence[GoodPair]) -> GoodPair:
    here, there = (" ".join(item.question for item in items) for items in zip(*pairs, strict=True))
    first = pairs[0]
    return GoodPair(
        msgspec.structs.replace(first.source, question=here), msgspec.structs.replace(first.target, question=there)
    )


def measure(pairs: Sequence[GoodPair], *, seconds: float = 1.0) -> Throughput:
    """Check pairs, again and again, for at least `seconds` of CPU time; the first round is not counted."""
    for pair in pairs:
        check_translation(*pair)
    done, start = 0, time.process_time()
    while time.process_time() - start < seconds:
        for pair in pairs:
            check_translation(*pair)
        done += len(pairs)
    spent = time.process_time() - start
    characters = sum(len(text) for pair in pairs for text in texts(pair.source).values())
    return Throughput(done / spent, done, characters / len(pairs))
