"""The report's tables, as grids of written numbers."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from globmed.bench.analysis import ALL
from globmed.bench.report.gained import Gained
from globmed.bench.report.grid import Band, Cell, Grid, Group, Row
from globmed.bench.report.measure import (
    TIER_NAMES,
    Measure,
    Name,
    Place,
    System,
    answer_name,
    columns,
    language_name,
    system_names,
    systems,
)
from globmed.bench.report.wording import (
    EMPTY,
    count,
    counted,
    interval,
    listed,
    percent,
    plain,
    points,
    points_interval,
    ratio,
    ratio_interval,
)

AT_CHANCE = "†"
FEWER = "*"

KINDS = {
    "unread": "Unread: no answer found",
    "several": "Several answers",
    "empty": "Empty",
    "refused": "Refused",
    "truncated": "Cut off at the length limit",
    "filtered": "Withheld by the service",
    "failed": "Call failed",
}

Cells = dict[tuple[System, Place], Measure]


def accuracy_grid(measures: Sequence[Measure]) -> Grid:
    """Models against languages: percent right with its interval; baselines below."""
    across, cells = columns(measures), _by_place(measures)
    usual = _usual(measures, across)
    names = system_names(measures)

    def rows(*, baseline: bool) -> tuple[Row, ...]:
        return tuple(
            Row(name=names[s], cells=tuple(_accuracy_cell(cells.get((s, place)), usual.get(place)) for place in across))
            for s in systems(measures, baseline=baseline)
        )

    groups = [
        Group(heading="", rows=_sizes(across, usual)),
        Group(heading="Models", rows=rows(baseline=False)),
        Group(heading="Baselines, which know nothing of the question", rows=rows(baseline=True)),
    ]
    return Grid(
        title="Accuracy by model and language",
        caption=f"Percent of questions answered right, with its 95 % interval in brackets below.{_way(measures)}",
        corner="Model",
        columns=tuple(_column(place) for place in across),
        groups=tuple(group for group in groups if group.rows),
        bands=_bands(across),
        notes=_accuracy_notes(measures, usual),
    )


def not_answered_grid(measures: Sequence[Measure]) -> Grid:
    """Models against languages: how many replies gave no answer, a row for each kind that occurs."""
    across, cells = columns(measures), _by_place(measures)
    names = system_names(measures)
    groups = [Group(heading="", rows=(_row("Replies asked for", [_most_asked(measures, place) for place in across]),))]
    clean = []
    for system in (*systems(measures, baseline=False), *systems(measures, baseline=True)):
        found = [cells[system, place].without_answer if (system, place) in cells else {} for place in across]
        kinds = [kind for kind in KINDS if any(kind in kinds_here for kinds_here in found)]
        rows = tuple(_row(KINDS[kind], [count(here.get(kind, 0)) for here in found]) for kind in kinds)
        if rows:
            groups.append(Group(heading=names[system].text, rows=rows))
        else:
            clean.append(names[system].text)
    notes = ["All but failed calls count as not right in the accuracy; failed calls do not count there at all."]
    if clean:
        notes.append(f"Every reply was an answer that could be read: {listed(clean)}.")
    return Grid(
        title="Replies without an answer",
        caption="How many of the replies gave no answer, by kind.",
        corner="Model and kind",
        columns=tuple(_column(place) for place in across),
        groups=tuple(groups),
        bands=_bands(across),
        notes=tuple(notes),
    )


def gains_grid(rows: Sequence[Gained]) -> Grid:
    """Tiers and languages against what training changed: the absolute gain first."""
    groups = []
    for tier, members in groupby(rows, key=lambda row: row.tier):
        lines = tuple(_gain_row(row) for row in members)
        groups.append(Group(heading="" if tier == ALL else TIER_NAMES.get(tier, tier), rows=lines))
    heads = ("Gain, points", "Before, percent", "After, percent", "Ratio, after / before")
    counts = ("Questions", "Clusters", "Unread before", "Unread after", "Not compared")
    return Grid(
        title="Gains by tier and language",
        caption="The same questions before and after training; the gain in percentage points, with its 95 % interval.",
        corner="Language",
        columns=tuple(Name(text=text) for text in (*heads, *counts)),
        groups=tuple(groups),
        notes=("The relative gain is the ratio less 1: a ratio of 1.40 is a gain of 40 %.",),
    )


def _by_place(measures: Sequence[Measure]) -> Cells:
    return {(m.system, m.place): m for m in measures}


def _column(place: Place) -> Name:
    return Name(text="Together") if place[1] == ALL else language_name(place[1])


def _bands(across: Sequence[Place]) -> tuple[Band, ...]:
    return tuple(
        Band(heading=TIER_NAMES.get(tier, plain(tier)), span=len(list(places)))
        for tier, places in groupby(across, key=lambda place: place[0])
    )


def _usual(measures: Sequence[Measure], across: Sequence[Place]) -> dict[Place, Measure]:
    """Take for each column the largest number of replies counted: the size its head names; smaller ones are marked."""
    found: dict[Place, Measure] = {}
    for m in measures:
        if m.place in across and (m.place not in found or m.counted > found[m.place].counted):
            found[m.place] = m
    return found


def _sizes(across: Sequence[Place], usual: dict[Place, Measure]) -> tuple[Row, ...]:
    sizes = [usual[place] for place in across]
    return (
        _row("Questions", [count(m.items) for m in sizes]),
        _row("Question clusters", [count(m.clusters) for m in sizes]),
        _row("Chance, percent", [percent(m.chance) for m in sizes]),
    )


def _most_asked(measures: Sequence[Measure], place: Place) -> str:
    return count(max(m.asked for m in measures if m.place == place))


def _row(text: str, values: Sequence[str]) -> Row:
    return Row(name=Name(text=text), cells=tuple(Cell(value=value) for value in values))


def _way(measures: Sequence[Measure]) -> str:
    ways = {m.answer for m in measures}
    return f" Way of answering: {answer_name(ways.pop())}." if len(ways) == 1 else ""


def _accuracy_cell(m: Measure | None, usual: Measure | None) -> Cell:
    if m is None or not m.known:
        return Cell(value=EMPTY, detail=plain(m.reason) if m else "not asked")
    marks = AT_CHANCE if m.at_chance and not m.baseline else ""
    detail = ""
    if usual is not None and m.counted < usual.counted:
        marks += FEWER
        detail = f"{count(m.errors)} failed" if m.items == usual.items else counted(m.items, "question")
    return Cell(value=percent(m.accuracy), interval=interval(m.low, m.high), detail=detail, mark=marks)


def _accuracy_notes(measures: Sequence[Measure], usual: dict[Place, Measure]) -> tuple[str, ...]:
    notes = []
    if any(m.at_chance and not m.baseline for m in measures):
        notes.append(
            f"{AT_CHANCE} The interval reaches down to chance, or lies below it: nothing here shows more than guessing."
        )
    if any(m.known and m.place in usual and m.counted < usual[m.place].counted for m in measures):
        notes.append(f"{FEWER} From fewer replies than others in this column, so not the same questions.")
    if any(not m.known for m in measures):
        notes.append(f"{EMPTY} No number, for the reason below it.")
    return tuple(notes)


def _gain_row(row: Gained) -> Row:
    numbers = (
        Cell(value=points(row.gain_points), interval=points_interval(row.gain_low, row.gain_high)),
        Cell(value=percent(row.base)),
        Cell(value=percent(row.tuned)),
        Cell(value=ratio(row.ratio), interval=ratio_interval(row.ratio_low, row.ratio_high), detail=plain(row.reason)),
    )
    counts = (row.items, row.clusters, row.unread_base, row.unread_tuned, row.left_out)
    cells = (*numbers, *(Cell(value=count(number)) for number in counts))
    name = Name(text="Together") if row.by == "tier" else row.name
    return Row(name=name, cells=cells, strong=row.by != "language")
