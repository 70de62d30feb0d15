"""Consistency and transfer: whether what a model knows in English it also knows in another language.

Every number is one of `globmed.bench.transfer`; the sentences give medians of them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import median

from globmed.bench.condition import Condition
from globmed.bench.report.evidence import Evidence
from globmed.bench.report.grid import Cell, Grid, Group, Row
from globmed.bench.report.leaderboard import facts_of
from globmed.bench.report.measure import (
    BASELINE_NAMES,
    Measure,
    Place,
    System,
    ordered,
    system_names,
    systems,
)
from globmed.bench.report.section import Section
from globmed.bench.report.tables import bands, column_name
from globmed.bench.report.wording import EMPTY, counted, interval, percent, percent_with_unit, plain
from globmed.bench.transfer import TransferRow

_TITLES = {
    "carried": (
        "Known in English, and here",
        (
            "Of what a model knows in English, the percent that it also knows here; what guessing would give is taken"
            " out of both. In brackets the 95 % interval."
        ),
    ),
    "same_wrong_beyond": (
        "The same mistakes as in English",
        (
            "Of questions wrong in both languages, how much oftener than by guessing the same wrong option was chosen:"
            " 100 is always, 0 as often as guessing would. Many same mistakes point to the question or to what was"
            " learnt, few to the language."
        ),
    ),
}


def transfer_sections(evidence: Evidence) -> list[Section]:
    """Return, source by source, what carries over from English; none where English was not asked."""
    rows = [row for row in evidence.transfers if row.reference == "en" and row.model not in BASELINE_NAMES]
    # What was translated first was asked in English everywhere.
    rows = [row for row in rows if row.language != "en" and not Condition.named(row.answer).translated]
    parts = sorted({(row.task, row.source) for row in rows})
    sections = []
    for index, (task, source) in enumerate(parts, start=1):
        own = [row for row in rows if (row.task, row.source) == (task, source)]
        measures = [m for m in evidence.measures if m.task == task]
        heading = "What carries over from English" + (f": {plain(source)}" if len(parts) > 1 else "")
        sections.append(_section(own, measures, heading, "" if index == 1 else f"-{index}"))
    return sections


def _section(rows: Sequence[TransferRow], measures: Sequence[Measure], heading: str, suffix: str) -> Section:
    grids = tuple(
        transfer_grid([row for row in rows if row.measure == measure], measures, title=title, caption=caption)
        for measure, (title, caption) in _TITLES.items()
    )
    return Section(id=f"carried{suffix}", heading=heading, summary=tuple(_told(rows)), blocks=grids)


def transfer_grid(rows: Sequence[TransferRow], measures: Sequence[Measure], *, title: str, caption: str) -> Grid:
    """Models against languages: one measure, with its interval."""
    across: list[Place] = ordered({(row.tier, row.language) for row in rows})
    cells = {(_system(row), (row.tier, row.language)): row for row in rows}
    names = system_names(measures)
    shown = [one for one in systems(measures, baseline=False) if any((one, place) in cells for place in across)]
    lines = tuple(
        Row(name=names[one], cells=tuple(_cell(cells.get((one, place))) for place in across), facts=facts_of(one[0]))
        for one in shown
    )
    reasons = sorted({row.reason for row in rows if row.reason})
    reasons += ["The interval is wider than 100 points, and says nothing"] if any(map(_says_nothing, rows)) else []
    return Grid(
        title=title,
        caption=caption,
        corner="Model",
        columns=tuple(column_name(place) for place in across),
        groups=(Group(heading="", rows=lines),),
        bands=bands(across),
        notes=tuple(f"{EMPTY} {reason}." for reason in reasons),
        models=True,
        places=tuple(across),
    )


def _cell(row: TransferRow | None) -> Cell:
    if row is None or math.isnan(row.value) or _says_nothing(row):
        return Cell(value=EMPTY)
    return Cell(value=percent(row.value), interval=interval(row.low, row.high), order=row.value)


def _says_nothing(row: TransferRow) -> bool:
    """Whether the interval is wider than all that a share may be, as where next to nothing is known in English."""
    return row.high - row.low > 1


def _told(rows: Sequence[TransferRow]) -> list[str]:
    told = []
    for tier, name in (("high", "other high-resource languages"), ("low", "low-resource languages")):
        carried = [row for row in _known(rows, "carried") if row.tier == tier]
        if carried:
            share, luck = median(row.value for row in carried), median(row.by_luck for row in carried)
            told.append(
                f"Of what a model knows in English it also knows {percent_with_unit(share)} in {name} (the median over"
                f" {counted(len(carried), 'pair')} of model and language); if knowing in one language said nothing of"
                f" knowing in the other, it would be {percent_with_unit(luck)}."
            )
    same = _known(rows, "consistent")
    if same:
        share, luck = median(row.value for row in same), median(row.by_luck for row in same)
        told.append(
            f"Answers are right in both languages or wrong in both in {percent_with_unit(share)} of questions, the"
            f" median; the two accuracies alone, without any link, would give {percent_with_unit(luck)}."
        )
    return told


def _known(rows: Sequence[TransferRow], measure: str) -> list[TransferRow]:
    return [row for row in rows if row.measure == measure and not math.isnan(row.value) and not math.isnan(row.by_luck)]


def _system(row: TransferRow) -> System:
    return (row.model, row.revision, row.answer)
