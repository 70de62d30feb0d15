"""The leaderboard of a task: models against languages, with the places that chance leaves open."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from globmed.bench.analysis import ALL
from globmed.bench.baselines import BaselineRow
from globmed.bench.report.grid import Band, Cell, Facts, Grid, Group, Row
from globmed.bench.report.measure import (
    BASELINE_NAMES,
    Measure,
    Name,
    Place,
    System,
    answer_name,
    columns,
    system_names,
    systems,
)
from globmed.bench.report.tables import bands, by_place, column_name, row_of
from globmed.bench.report.wording import EMPTY, count, counted, interval, percent, plain
from globmed.bench.standings import StandingRow
from globmed.models.catalog import catalog_rows

AT_CHANCE = "†"
FEWER = "*"
HAND = "‡"


@dataclass(frozen=True, kw_only=True)
class Standing:
    """A model's place over all languages of a task.

    Attributes:
        every: of all questions.
        independent: without those that a ranked model had a hand in; None where none had.
        hand: the model itself had a hand in some.
    """

    every: StandingRow
    independent: StandingRow | None
    hand: bool


def standings_of(rows: Iterable[StandingRow], *, hands: Collection[System]) -> dict[System, Standing]:
    """Return each model's places over all languages.

    Args:
        rows: standings in one task, of one source or of all together.
        hands: the models that had a hand in questions they are measured on.
    """
    every: dict[System, StandingRow] = {}
    independent: dict[System, StandingRow] = {}
    for row in rows:
        if row.by == "all" and row.items in ("all", "independent"):
            of = every if row.items == "all" else independent
            of[row.model, row.revision, row.answer] = row
    return {
        system: Standing(
            every=row,
            independent=own if (own := independent.get(system)) and own.left_out else None,
            hand=system in hands,
        )
        for system, row in every.items()
    }


def leaderboard(
    measures: Sequence[Measure], standings: Mapping[System, Standing], *, baselines: Sequence[BaselineRow] = ()
) -> Grid:
    """Models against languages: places, percent right with its interval; baselines below.

    Args:
        measures: rows of the accuracy table of one task.
        standings: of the same task.
        baselines: of the same questions, computed from them; those that were asked stand as they were asked.
    """
    across, cells = columns(measures), by_place(measures)
    made = any(one.independent for one in standings.values())
    usual = _usual(measures, across)
    names = system_names(measures)

    def rows(*, baseline: bool) -> tuple[Row, ...]:
        return tuple(
            Row(
                name=_marked(names[s], standings.get(s)),
                cells=(
                    *_place_cells(standings.get(s), made=made),
                    *(_accuracy_cell(cells.get((s, place)), usual.get(place)) for place in across),
                ),
                facts=None if baseline else facts_of(s[0]),
            )
            for s in systems(measures, baseline=baseline)
        )

    heads = (Name(text="Place"), *((Name(text="Place without them", detail=HAND),) if made else ()))
    blank = tuple(Cell(value="") for _ in heads)
    groups = [
        Group(heading="", rows=tuple(replace(row, cells=(*blank, *row.cells)) for row in _sizes(across, usual))),
        Group(heading="Models", rows=rows(baseline=False)),
        Group(
            heading="Baselines, which know nothing of the question",
            rows=(
                *rows(baseline=True),
                *_computed(baselines, across, blank, {s[0] for s in systems(measures, baseline=True)}),
            ),
        ),
    ]
    return Grid(
        title="Models in order",
        caption=f"Percent of questions answered right, with its 95 % interval in brackets below.{_way(measures)}",
        corner="Model",
        columns=(*heads, *(column_name(place) for place in across)),
        groups=tuple(group for group in groups if group.rows),
        bands=(Band(heading="All languages", span=len(heads)), *bands(across)),
        notes=(*_place_notes(standings), *_accuracy_notes(measures, usual)),
        models=True,
        places=(*((ALL, ALL) for _ in heads), *across),
    )


def _computed(
    baselines: Sequence[BaselineRow], across: Sequence[Place], blank: tuple[Cell, ...], asked: set[str]
) -> Iterator[Row]:
    """Give the baselines that nobody asked, as computed from the questions; chance stands above the models."""
    for name in sorted({row.baseline for row in baselines} - asked - {"chance"}):
        found = {
            (row.tier, row.group if row.by == "language" else ALL): row for row in baselines if row.baseline == name
        }
        cells = [_baseline_cell(found.get(place)) for place in across]
        if any(cell.order is not None for cell in cells):
            yield Row(name=Name(text=BASELINE_NAMES.get(name, plain(name))), cells=(*blank, *cells))


def _baseline_cell(row: BaselineRow | None) -> Cell:
    if row is None or math.isnan(row.accuracy):
        return Cell(value=EMPTY, detail=plain(row.reason) if row else "")
    return Cell(value=percent(row.accuracy), interval=interval(row.low, row.high), order=row.accuracy)


def facts_of(model: str) -> Facts:
    """Return what the catalog knows of a model, by the id that replies are saved under: `ID` or `ID@ENDPOINT`."""
    row = catalog_rows().get(model.partition("@")[0])
    if row is None:
        return Facts()
    kind = row.kind if row.kind in ("open", "proprietary") else ""
    return Facts(kind=kind, field="medical" if row.medical else "general", billions=row.parameters_billion)


def _marked(name: Name, standing: Standing | None) -> Name:
    return replace(name, text=f"{name.text} {HAND}") if standing and standing.hand else name


def _place_cells(standing: Standing | None, *, made: bool) -> tuple[Cell, ...]:
    rows = [standing.every, standing.independent] if standing else [None, None]
    return tuple(_place_cell(row) for row in (rows if made else rows[:1]))


def _place_cell(row: StandingRow | None) -> Cell:
    if row is None or row.rank is None:
        return Cell(value=EMPTY, detail=plain(row.reason) if row else "")
    return Cell(value=str(row.rank), interval=f"[{row.best}, {row.worst}]", order=-row.rank)


def _place_notes(standings: Mapping[System, Standing]) -> Iterator[str]:
    ranked = [one.every for one in standings.values() if one.every.rank is not None]
    if ranked:
        yield (
            "Place: one more than the models that did better, of all that were asked the same in the same way; in"
            " brackets the places that chance leaves open, for all of them at once with 95 % confidence. Models whose"
            " brackets overlap are ties, as far as this shows."
        )
    left = [one.independent.left_out for one in standings.values() if one.independent]
    if left:
        yield (
            f"{HAND} Translated, repaired or criticised some of these questions itself. “Without them” leaves out, for"
            f" all models alike, the {counted(max(left), 'question')} that any of them had a hand in."
        )


def _sizes(across: Sequence[Place], usual: dict[Place, Measure]) -> tuple[Row, ...]:
    sizes = [usual[place] for place in across]
    return (
        row_of("Questions", [count(m.items) for m in sizes]),
        row_of("Question clusters", [count(m.clusters) for m in sizes]),
        row_of("Chance, percent", [percent(m.chance) for m in sizes]),
    )


def _usual(measures: Sequence[Measure], across: Sequence[Place]) -> dict[Place, Measure]:
    """Take for each column the largest number of replies counted: the size its head names; smaller ones are marked."""
    found: dict[Place, Measure] = {}
    for m in measures:
        if m.place in across and (m.place not in found or m.counted > found[m.place].counted):
            found[m.place] = m
    return found


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
    bounds = interval(m.low, m.high)
    return Cell(value=percent(m.accuracy), interval=bounds, detail=detail, mark=marks, order=m.accuracy)


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
