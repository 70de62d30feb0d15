"""What training gained, as a section: absolute first, then relative, the parts, what remains, and what got worse."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from itertools import groupby

from globmed.bench.analysis import ALL
from globmed.bench.condition import Condition
from globmed.bench.report.drawing import Figure
from globmed.bench.report.gained import Gained, headline, sums
from globmed.bench.report.gains_drawn import PARTS, gain_bars, gain_dots
from globmed.bench.report.grid import Cell, Grid, Group, Row
from globmed.bench.report.measure import TIER_NAMES, Name
from globmed.bench.report.section import Section
from globmed.bench.report.wording import (
    count,
    counted,
    listed,
    percent,
    percent_with_unit,
    plain,
    points,
    points_interval,
    ratio,
    ratio_interval,
)

IN = {ALL: "over all languages", "high": "in the high-resource languages", "low": "in the low-resource languages"}
HELD_OUT, LEFT_OUT = "Held-out phrasing", "Sources left out of training"
BOTH = f"{LEFT_OUT}, held-out phrasing"
_PARTS_NOTE = (
    "Fewer unread: replies read only after training, less those read only before, each worth what a guess is on that"
    " question. Read both times: more right answers among replies read before and after. Newly read: what replies read"
    " only after were right beyond a guess, less the same of those read only before. “Unread” counts replies; the last"
    " three columns count questions."
)
_REMAINS_NOTE = (
    "The second column is this gain less that of the same languages under the phrasing and on the sources that training"
    " used; sources differ in their questions as well."
)


def gain_sections(gained: Sequence[Gained]) -> list[Section]:
    """Return a section for each task and condition that was asked before and after training, whichever the phrasing."""
    parts = list(dict.fromkeys((row.task, row.family) for row in gained))
    several_tasks = len({task for task, _ in parts}) > 1
    several_conditions = len({family for _, family in parts}) > 1
    sections = []
    for index, (task, family) in enumerate(parts, start=1):
        words = [plain(task)] if several_tasks else []
        words += [Condition.named(family).title] if several_conditions else []
        rows = [row for row in gained if (row.task, row.family) == (task, family)]
        heading = ": ".join(["What training gained", *(["; ".join(words)] if words else [])])
        sections.append(_section(rows, heading=heading, suffix="" if index == 1 else f"-{index}"))
    return sections


def _section(rows: Sequence[Gained], *, heading: str, suffix: str) -> Section:
    main, others = headline(rows), _others(rows)
    panels = {"By tier and language": main, **{title: sums(there) for title, there in others.items()}}
    blocks: list[Grid | Figure] = [gain_dots(main, name=f"gains{suffix}"), gains_grid(main)]
    blocks.append(gain_bars(panels, name=f"gain-parts{suffix}"))
    blocks += [parts_grid(main)] if any(row.unread_base or row.unread_tuned for row in main) else []
    blocks += [remains_grid(others)] if others else []
    return Section(
        id=f"training{suffix}",
        heading=heading,
        summary=gain_sentences(rows),
        blocks=tuple(blocks),
    )


def gain_sentences(rows: Sequence[Gained]) -> tuple[str, ...]:
    """Say what training gained in one task and condition, whichever the phrasing; the absolute gain first."""
    main, others = headline(rows), _others(rows)
    told = (*_absolute(main), _relative(main), _split(main), *_remains(rows, others), _worse(main, others))
    return tuple(text for text in told if text)


def gains_grid(rows: Sequence[Gained]) -> Grid:
    """Tiers and languages against what training changed: the absolute gain first, then the relative."""
    reasons = [row.reason for row in rows]
    marks = {reason: "*" * index for index, reason in enumerate(dict.fromkeys(filter(None, reasons)), start=1)}
    heads = ("Gain, points", "Before, percent", "After, percent", "Relative gain, percent", "Ratio, after / before")
    return Grid(
        title="Gains by tier and language",
        caption="The same questions before and after training; the gain in percentage points, with its 95 % interval.",
        corner="Language",
        columns=tuple(Name(text=text) for text in (*heads, "Chance, percent", "Questions", "Clusters", "Not compared")),
        groups=_by_tier(rows, lambda row: _gain_cells(row, marks)),
        notes=(
            "The relative gain is the ratio less 1: a ratio of 1.40 is a gain of 40 %.",
            *(f"{mark} {plain(reason)}." for reason, mark in marks.items()),
        ),
    )


def parts_grid(rows: Sequence[Gained]) -> Grid:
    """Tiers and languages against the parts of the gain."""
    counts = ("Unread before", "Unread after", "Read both times", "Newly read", "Newly unread")
    heads = ("Gain, points", *(f"{text}, points" for text in PARTS.values()))
    return Grid(
        title="Parts of the gain",
        caption="The three parts sum to the gain; each with its 95 % interval.",
        corner="Language",
        columns=tuple(Name(text=text) for text in (*heads, *counts)),
        groups=_by_tier(rows, lambda row: (*_part_cells(row), *_read_cells(row))),
        notes=(_PARTS_NOTE,),
    )


def remains_grid(others: dict[str, list[Gained]]) -> Grid:
    """What remains of the gain on held-out phrasings and sources left out, against what was trained on."""
    heads = (
        "Gain, points",
        "Against what was trained on, points",
        *(f"{text}, points" for text in PARTS.values()),
    )
    groups = [
        Group(
            heading=title,
            rows=tuple(Row(name=row.name, cells=_remain_cells(row), strong=row.by != "language") for row in rows),
        )
        for title, rows in others.items()
    ]
    return Grid(
        title="What remains of the gain",
        caption="The gain under the phrasing that no model is trained on, and on sources left out of training.",
        corner="Asked how, and language",
        columns=tuple(Name(text=text) for text in (*heads, "Before, percent", "After, percent", "Questions")),
        groups=tuple(groups),
        notes=(_REMAINS_NOTE,),
    )


def _others(rows: Sequence[Gained]) -> dict[str, list[Gained]]:
    found = {
        HELD_OUT: [row for row in rows if row.held_out and row.sources == "all"],
        LEFT_OUT: [row for row in rows if not row.held_out and row.sources == "left_out"],
        BOTH: [row for row in rows if row.held_out and row.sources == "left_out"],
    }
    main = headline(rows)
    return {title: there for title, there in found.items() if there and there != main}


def _by_tier(rows: Sequence[Gained], cells: Callable[[Gained], tuple[Cell, ...]]) -> tuple[Group, ...]:
    groups = []
    for tier, members in groupby(rows, key=lambda row: row.tier):
        lines = tuple(
            Row(
                name=Name(text="Together") if row.by == "tier" else row.name,
                cells=cells(row),
                strong=row.by != "language",
            )
            for row in members
        )
        groups.append(Group(heading="" if tier == ALL else TIER_NAMES.get(tier, plain(tier)), rows=lines))
    return tuple(groups)


def _gain_cells(row: Gained, marks: Mapping[str, str]) -> tuple[Cell, ...]:
    return (
        _points(row, "gain"),
        Cell(value=percent(row.base)),
        Cell(value=percent(row.tuned)),
        Cell(value=points(row.relative_percent), interval=points_interval(row.relative_low, row.relative_high)),
        Cell(
            value=ratio(row.ratio),
            interval=ratio_interval(row.ratio_low, row.ratio_high),
            mark=marks.get(row.reason, ""),
        ),
        Cell(value=percent(row.chance)),
        *(Cell(value=count(number)) for number in (row.items, row.clusters, row.not_compared)),
    )


def _part_cells(row: Gained) -> tuple[Cell, ...]:
    return tuple(_points(row, part) for part in ("gain", *PARTS))


def _read_cells(row: Gained) -> tuple[Cell, ...]:
    numbers = (row.unread_base, row.unread_tuned, row.both_read, row.newly_read, row.newly_unread)
    return tuple(Cell(value=count(round(number))) for number in numbers)


def _remain_cells(row: Gained) -> tuple[Cell, ...]:
    gain, *parts = _part_cells(row)
    shares = (Cell(value=percent(share)) for share in (row.base, row.tuned))
    return (gain, _points(row, "difference"), *parts, *shares, Cell(value=count(row.items)))


def _points(row: Gained, name: str) -> Cell:
    value, low, high = (getattr(row, f"{name}_{end}") for end in ("points", "low", "high"))
    return Cell(value=points(value), interval=points_interval(low, high))


def _written(row: Gained, name: str = "gain") -> str:
    cell = _points(row, name)
    return f"{cell.value} {cell.interval}".rstrip()


def _of(rows: Sequence[Gained], *tiers: str) -> list[Gained]:
    """Return the sums that have a gain, in the order of the tiers named."""
    return [row for tier in tiers for row in sums(rows) if row.tier == tier and row.known]


def _absolute(main: Sequence[Gained]) -> list[str]:
    told = [f"{_moved(row)} {IN[row.tier]}" for row in _of(main, ALL, "high", "low")]
    if not told:
        return ["No gain could be taken: every call of one of the models failed."]
    row = next(row for row in main if row.known)
    models = f"{plain(row.base_model)} to {plain(row.tuned_model)}"
    return [
        f"The gain from {models}, on the same questions: {told[0]}.",
        *([f"By tier: {'; '.join(told[1:])}."] if told[1:] else []),
    ]


def _moved(row: Gained) -> str:
    shares = f"{percent_with_unit(row.base)} before, {percent_with_unit(row.tuned)} after"
    return f"{_written(row)} percentage points ({shares})"


def _relative(main: Sequence[Gained]) -> str:
    clauses = []
    for row in _of(main, ALL, "low"):
        if math.isnan(row.ratio):
            clauses.append(f"no ratio {IN[row.tier]}, for {row.base_model} got nothing right")
            continue
        if row.tier == ALL:
            bounds = points_interval(row.relative_low, row.relative_high)
            said = f"{points(row.relative_percent)} % {bounds}".rstrip() + f" {IN[row.tier]}"
        else:
            bounds = ratio_interval(row.ratio_low, row.ratio_high)
            said = f"a ratio of {ratio(row.ratio)} {bounds}".rstrip() + f" {IN[row.tier]}"
        clauses.append(said + (f" ({plain(row.reason)})" if row.reason else ""))
    return f"In relative terms: {listed(clauses)}." if clauses else ""


def _split(main: Sequence[Gained]) -> str:
    told = _of(main, ALL)
    if not told:
        return ""
    row = told[0]
    if row.unread_base == row.unread_tuned == 0:
        return "Every reply was read, before and after: all of the gain is of the part called “Read both times”."
    return (
        f"Of the gain over all languages, {_written(row, 'unread')} points are fewer unread replies, each worth a"
        f" guess; {_written(row, 'right')} are more right answers among replies read both times;"
        f" {_written(row, 'newly')} are what newly read replies were right beyond a guess. They sum to the gain."
    )


def _remains(rows: Sequence[Gained], others: dict[str, list[Gained]]) -> list[str]:
    main = headline(rows)
    told = []
    if main[0].held_out:
        told.append("All was asked with the phrasing that no model is trained on.")
    elif HELD_OUT in others:
        told.append(_remaining("With the phrasing that no model is trained on", others[HELD_OUT]))
    else:
        told.append(
            "The phrasing that no model is trained on was not asked, so what is a learnt phrasing cannot be told."
        )
    if LEFT_OUT in others:
        told.append(_remaining("On sources left out of training", others[LEFT_OUT]))
    elif any(row.sources == "trained" for row in rows):
        told.append("Every source asked was trained on: nothing is known of others.")
    else:
        told.append("It is not known here which sources were trained on, so none counts as left out.")
    return told


def _remaining(where: str, rows: Sequence[Gained]) -> str:
    clauses = []
    for row in _of(rows, ALL, "high", "low"):
        compared = not math.isnan(row.difference_points)
        less = f" ({_written(row, 'difference')} against what was trained on)" if compared else ""
        clauses.append(f"{_written(row)} {IN[row.tier]}{less}")
    return f"{where}, the gain is, in points: {'; '.join(clauses)}." if clauses else ""


def _worse(main: Sequence[Gained], others: dict[str, list[Gained]]) -> str:
    """Name languages, and all together, whose gain lies below 0 with its whole interval."""
    looked, fell = 0, []
    for where, rows in {"": main, **others}.items():
        bounded = [row for row in rows if row.by != "tier" and not math.isnan(row.gain_low)]
        names = [f"{_whose(row)} {points(row.gain_points)}" for row in bounded if row.worse]
        looked += len(bounded)
        if names:
            fell.append(f"{where[0].lower()}{where[1:]}: {listed(names)}" if where else listed(names))
    if not looked:
        return ""
    luck = f"Of {counted(looked, 'interval')} looked at, luck alone puts about one in forty below 0."
    if not fell:
        return f"Got worse: nothing, as far as the intervals show. {luck}"
    return f"Got worse, in points, with an interval below 0: {'; '.join(fell)}. {luck}"


def _whose(row: Gained) -> str:
    return row.name.text + (" (not trained on)" if row.language_trained is False else "")
