"""The report's tables, as grids of written numbers."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from globmed.bench.analysis import ALL
from globmed.bench.report.grid import Band, Cell, Grid, Group, Row
from globmed.bench.report.measure import (
    TIER_NAMES,
    Measure,
    Name,
    Place,
    System,
    columns,
    language_name,
    system_names,
    systems,
)
from globmed.bench.report.wording import (
    count,
    listed,
    plain,
)

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


def not_answered_grid(measures: Sequence[Measure]) -> Grid:
    """Models against languages: how many replies gave no answer, a row for each kind that occurs."""
    across, cells = columns(measures), by_place(measures)
    names = system_names(measures)
    groups = [
        Group(heading="", rows=(row_of("Replies asked for", [_most_asked(measures, place) for place in across]),))
    ]
    clean = []
    for system in (*systems(measures, baseline=False), *systems(measures, baseline=True)):
        found = [cells[system, place].without_answer if (system, place) in cells else {} for place in across]
        kinds = [kind for kind in KINDS if any(kind in kinds_here for kinds_here in found)]
        rows = tuple(row_of(KINDS[kind], [count(here.get(kind, 0)) for here in found]) for kind in kinds)
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
        columns=tuple(column_name(place) for place in across),
        groups=tuple(groups),
        bands=bands(across),
        notes=tuple(notes),
    )


def by_place(measures: Sequence[Measure]) -> Cells:
    """Return the rows by what was measured and where it stands."""
    return {(m.system, m.place): m for m in measures}


def column_name(place: Place) -> Name:
    """Name a column: its language, or the sum of its tier."""
    return Name(text="Together") if place[1] == ALL else language_name(place[1])


def bands(across: Sequence[Place]) -> tuple[Band, ...]:
    """Return the headings of tiers over their columns."""
    return tuple(
        Band(heading=TIER_NAMES.get(tier, plain(tier)), span=len(list(places)))
        for tier, places in groupby(across, key=lambda place: place[0])
    )


def _most_asked(measures: Sequence[Measure], place: Place) -> str:
    return count(max(m.asked for m in measures if m.place == place))


def row_of(text: str, values: Sequence[str]) -> Row:
    """Return a row of written numbers."""
    return Row(name=Name(text=text), cells=tuple(Cell(value=value) for value in values))
