"""Asked directly or through English: what a model gains where questions are translated first, and at what cost.

That is what a health service would deploy for a language that a model does not know. Differences are those of
`globmed.bench.compare`: the same questions, in the same run.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import median

from globmed.bench.costs import CostRow
from globmed.bench.paired import CompareRow
from globmed.bench.report.drawing import Figure
from globmed.bench.report.evidence import Evidence, Through
from globmed.bench.report.grid import Cell, Grid, Group, Row
from globmed.bench.report.measure import TIER_NAMES, Measure, Name, language_name, ordered, system_names, systems
from globmed.bench.report.section import Section
from globmed.bench.report.through_drawn import difference_dots
from globmed.bench.report.wording import (
    EMPTY,
    count,
    counted,
    listed,
    percent,
    plain,
    points,
    points_interval,
    significant,
)

CLEAR = "*"
_LEVEL = 0.05


def through_sections(evidence: Evidence) -> list[Section]:
    """Return for each task how it was answered directly and translated; none where nothing was asked both ways."""
    tasks = sorted({m.task for m in evidence.measures})
    sections = []
    for index, task in enumerate(tasks, start=1):
        found = [one for one in evidence.through if one.task == task]
        if found:
            measures = [m for m in evidence.measures if m.task == task]
            costs = [row for row in evidence.costs if row.task == task]
            heading = "Asked directly or through English" + (f": {plain(task)}" if len(tasks) > 1 else "")
            sections.append(_section(found, costs, measures, heading, "" if index == 1 else f"-{index}"))
    return sections


def _section(
    found: Sequence[Through], costs: Sequence[CostRow], measures: Sequence[Measure], heading: str, suffix: str
) -> Section:
    names = system_names(measures)
    found = sorted(found, key=lambda one: systems(measures, baseline=False).index(one.direct))
    panels = {names[one.direct].text: _languages(one.rows) for one in found}
    blocks: tuple[Grid | Figure, ...] = (
        difference_dots(panels, name=f"through-english{suffix}"),
        through_grid(found, costs, names=[names[one.direct].text for one in found]),
    )
    return Section(id=f"through{suffix}", heading=heading, summary=tuple(_told(found, costs)), blocks=blocks)


def through_grid(found: Sequence[Through], costs: Sequence[CostRow], *, names: Sequence[str]) -> Grid:
    """Each model's languages against right directly, right through English, and what either costs."""
    reasons = sorted({row.reason for one in found for row in one.rows if row.reason})
    heads = ("Difference, points", "Directly, percent", "Through English, percent", "Replies each way")
    dollars = ("$ for 1,000, directly", "$ for 1,000, through English")
    groups = []
    for one, name in zip(found, names, strict=True):
        # English is in the other tier's sum, asked the same way twice.
        rows = [row for row in one.rows if (row.by, row.tier) == ("tier", "low")] + _languages(one.rows)
        rows.sort(key=lambda row: (row.tier, row.by != "tier"))
        lines = tuple(
            Row(name=_name(row), cells=(*_cells(row), *_dollars(one, row, costs)), strong=row.by == "tier")
            for row in rows
        )
        groups.append(Group(heading=name, rows=lines))
    return Grid(
        title="Directly and through English",
        caption="The same questions, asked in their language and translated to English by a stated model (its cost"
        " counted); above 0 is better through English. 95 % intervals in brackets, each by itself.",
        corner="Model and language",
        columns=tuple(Name(text=head) for head in (*heads, *dollars)),
        groups=tuple(groups),
        notes=(
            f"{CLEAR} shown at 5 %, corrected for the languages (or tiers) of the model (Holm).",
            f"{EMPTY} no price is known.",
            *(f"Without an interval: {reason}." for reason in reasons),
        ),
    )


def _name(row: CompareRow) -> Name:
    return language_name(row.group) if row.by == "language" else Name(text=TIER_NAMES.get(row.group, plain(row.group)))


def _languages(rows: Sequence[CompareRow]) -> list[CompareRow]:
    order = [code for _, code in ordered({(row.tier, row.group) for row in rows if row.by == "language"})]
    own = [row for row in rows if row.by == "language" and row.group != "en"]
    return sorted(own, key=lambda row: order.index(row.group))


def _cells(row: CompareRow) -> tuple[Cell, ...]:
    return (
        Cell(
            value=points(100 * row.difference),
            interval=points_interval(100 * row.low, 100 * row.high),
            mark=CLEAR if row.p_family < _LEVEL else "",
        ),
        Cell(value=percent(row.first)),
        Cell(value=percent(row.second)),
        Cell(value=count(row.pairs)),
    )


def _dollars(one: Through, row: CompareRow, costs: Sequence[CostRow]) -> tuple[Cell, Cell]:
    inside = [cost for cost in costs if row.group in (cost.language, cost.tier)]
    directly, through = (
        _per_1000([cost for cost in inside if (cost.model, cost.revision, cost.answer) == system])
        for system in (one.direct, one.translated)
    )
    return Cell(value=significant(directly)), Cell(value=significant(through))


def _per_1000(costs: Sequence[CostRow]) -> float:
    replies = sum(row.replies for row in costs)
    return 1000 * sum(row.usd for row in costs) / replies if replies else math.nan


def _told(found: Sequence[Through], costs: Sequence[CostRow]) -> list[str]:
    told = []
    for tier, name in (("low", "the low-resource languages"), ("high", "the high-resource languages but English")):
        rows = [
            row for one in found for row in _languages(one.rows) if row.tier == tier and not math.isnan(row.difference)
        ]
        if rows:
            better = sum(row.p_family < _LEVEL and row.difference > 0 for row in rows)
            worse = sum(row.p_family < _LEVEL and row.difference < 0 for row in rows)
            told.append(
                f"In {name}, answers through English differ by {points(100 * median(row.difference for row in rows))}"
                f" percentage points from direct ones, the median over {counted(len(rows), 'pair')} of model and"
                f" language:"
                f" clearly better in {count(better)}, clearly worse in {count(worse)}, not shown to differ in"
                f" {count(len(rows) - better - worse)}."
            )
    dearer = [times for one in found if (times := _times_dearer(one, costs)) > 0]
    if dearer:
        told.append(
            f"Through English a question costs {median(dearer):.1f} times as much, translation included (the median"
            f" over {counted(len(dearer), 'model')} with a price)."
        )
    makers = sorted({maker for one in found for maker in one.translators})
    if makers:
        named = listed([plain(maker) for maker in makers])
        told.append(f"Translated by {named}; another translator may do better or worse.")
    return told


def _times_dearer(one: Through, costs: Sequence[CostRow]) -> float:
    """Return how many times the direct cost a question costs through English; NaN where a price is not known."""
    inside = [row for row in costs if row.language != "en"]
    directly, through = (
        _per_1000([row for row in inside if (row.model, row.revision, row.answer) == system])
        for system in (one.direct, one.translated)
    )
    return through / directly if directly else math.nan
