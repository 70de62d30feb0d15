"""One row of the table of gains as the report sees it; the columns are those of `globmed.train.gains.gains`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import msgspec

from globmed.bench.analysis import ALL
from globmed.bench.report.measure import TIER_NAMES, TIERS, Name, language_name
from globmed.core.errors import InputError
from globmed.core.language import languages

if TYPE_CHECKING:
    import pyarrow as pa


class Gained(msgspec.Struct, frozen=True, kw_only=True):
    """What training changed in one tier or language; shares are of 1, the gain is in percentage points."""

    task: str
    by: Literal["all", "tier", "language"]
    group: str
    tier: str
    base_model: str
    tuned_model: str
    items: int
    clusters: int
    base: float
    tuned: float
    gain_points: float
    gain_low: float
    gain_high: float
    ratio: float
    ratio_low: float
    ratio_high: float
    unread_base: int
    unread_tuned: int
    left_out: int
    reason: str = ""

    @property
    def name(self) -> Name:
        """The tier's or the language's name."""
        if self.by == "language":
            return language_name(self.group)
        return Name(text=TIER_NAMES.get(self.group, self.group))


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


def sums(rows: Sequence[Gained]) -> list[Gained]:
    """Return the rows of tiers and of all languages."""
    return [row for row in rows if row.by != "language"]


def _place(row: Gained) -> tuple[str, int, bool, int, str]:
    tiers = [*TIERS, ALL]
    codes = list(languages())
    return (
        row.task,
        tiers.index(row.tier) if row.tier in tiers else len(tiers),
        row.by == "language",
        codes.index(row.group) if row.group in codes else len(codes),
        row.group,
    )
