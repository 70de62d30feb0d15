"""One row of the table of gains as the report sees it; the columns are those of `globmed.train.gains.gains`."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Literal

import msgspec

from globmed.bench.analysis import ALL
from globmed.bench.condition import Condition
from globmed.bench.report.measure import TIER_NAMES, TIERS, Name, language_name
from globmed.core.errors import InputError
from globmed.core.language import languages

if TYPE_CHECKING:
    import pyarrow as pa

SOURCES = ("all", "trained", "left_out")


class Gained(msgspec.Struct, frozen=True, kw_only=True):
    """What training changed in one tier or language; shares are of 1, gains and their parts in percentage points."""

    task: str
    answer: str
    held_out: bool
    sources: Literal["all", "trained", "left_out"]
    by: Literal["all", "tier", "language"]
    group: str
    tier: str
    language_trained: bool | None
    base_model: str
    tuned_model: str
    items: int
    clusters: int
    chance: float
    base: float
    tuned: float
    gain_points: float
    gain_low: float
    gain_high: float
    worse: bool
    relative_percent: float
    relative_low: float
    relative_high: float
    ratio: float
    ratio_low: float
    ratio_high: float
    unread_points: float
    unread_low: float
    unread_high: float
    right_points: float
    right_low: float
    right_high: float
    newly_points: float
    newly_low: float
    newly_high: float
    both_read: float
    newly_read: float
    newly_unread: float
    unread_base: int
    unread_tuned: int
    difference_points: float
    difference_low: float
    difference_high: float
    not_compared: int
    reason: str = ""

    @property
    def name(self) -> Name:
        """The tier's or the language's name."""
        if self.by == "language":
            return language_name(self.group)
        return Name(text=TIER_NAMES.get(self.group, self.group))

    @property
    def known(self) -> bool:
        """Whether there is a gain; without one, `reason` says why."""
        return not math.isnan(self.gain_points)

    @property
    def family(self) -> str:
        """Its condition, whichever the phrasing."""
        return msgspec.structs.replace(Condition.named(self.answer), held_out=False).name


def gained_rows(table: pa.Table) -> list[Gained]:
    """Read the table of gains: each tier, then its languages; all languages together come last.

    Raises:
        InputError: the table has other columns.
    """
    try:
        rows = msgspec.convert(table.to_pylist(), list[Gained])
    except msgspec.ValidationError as error:
        raise InputError.at("gains", found=str(error), expected="the table that train.gains returns") from error
    return sorted(rows, key=_place)


def headline(rows: Iterable[Gained]) -> list[Gained]:
    """Return the rows of all sources in the first condition, with the phrasing trained on where that was asked."""
    every = [row for row in rows if row.sources == "all"]
    return [row for row in every if row.answer == every[0].answer]


def sums(rows: Sequence[Gained]) -> list[Gained]:
    """Return the rows of tiers and of all languages."""
    return [row for row in rows if row.by != "language"]


def _place(row: Gained) -> tuple[str, str, bool, int, int, bool, int, str]:
    tiers = [*TIERS, ALL]
    codes = list(languages())
    return (
        row.task,
        row.family,
        row.held_out,
        SOURCES.index(row.sources),
        tiers.index(row.tier) if row.tier in tiers else len(tiers),
        row.by == "language",
        codes.index(row.group) if row.group in codes else len(codes),
        row.group,
    )
