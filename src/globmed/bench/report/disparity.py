"""Where languages stand apart: gaps to English and to the native language, their parts, and high against low.

Every number is one that `globmed.bench.gaps`, `globmed.bench.gap_parts` or the accuracy table gives; nothing is
computed anew but medians of gaps, which the sentences call typical.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from statistics import median

from globmed.bench.gap_parts import GapPartRow
from globmed.bench.gaps import GapRow
from globmed.bench.report.disparity_drawn import gap_map, high_against_low, part_bars
from globmed.bench.report.drawing import Figure
from globmed.bench.report.evidence import Evidence
from globmed.bench.report.grid import Cell, Grid, Group, Row
from globmed.bench.report.leaderboard import facts_of
from globmed.bench.report.measure import (
    BASELINE_NAMES,
    Measure,
    Name,
    Place,
    System,
    language_name,
    ordered,
    system_names,
    systems,
)
from globmed.bench.report.section import Section
from globmed.bench.report.tables import bands, column_name
from globmed.bench.report.wording import (
    EMPTY,
    count,
    counted,
    interval,
    listed,
    percent,
    percent_with_unit,
    plain,
    points,
    points_interval,
)

CLEAR = "*"
REFERENCES = {"en": "English", "native": "the language each question was written in"}
MEASURED_BY = (
    "How much of these gaps the translations explain was not measured. Asking the questions translated back to English"
    " as well measures it: globmed bench translate, then --answer generate --answer generate/translated."
)


def disparity_sections(evidence: Evidence) -> list[Section]:
    """Return, task by task, high against low resource, then the gaps of each source."""
    tasks = sorted({m.task for m in evidence.measures})
    sections = []
    for index, task in enumerate(tasks, start=1):
        measures = [m for m in evidence.measures if m.task == task]
        title = "High- against low-resource languages" + (f": {plain(task)}" if len(tasks) > 1 else "")
        if {m.tier for m in measures if m.known} >= {"high", "low"}:
            sections.append(_tiers(measures, heading=title, suffix="" if index == 1 else f"-{index}"))
    sources = sorted({(row.task, row.source) for row in evidence.gaps if _of_model(row)})
    for index, (task, source) in enumerate(sources, start=1):
        gaps = [row for row in evidence.gaps if (row.task, row.source) == (task, source) and _of_model(row)]
        parts = [row for row in evidence.gap_parts if (row.task, row.source) == (task, source) and _of_model(row)]
        measures = [m for m in evidence.measures if m.task == task]
        heading = "Gaps between languages" + (f": {plain(source)}" if len(sources) > 1 else "")
        sections.append(_gaps(gaps, parts, measures, heading=heading, suffix="" if index == 1 else f"-{index}"))
    return sections


def _tiers(measures: Sequence[Measure], *, heading: str, suffix: str) -> Section:
    models = systems(measures, baseline=False)
    return Section(
        id=f"tiers{suffix}",
        heading=heading,
        summary=tuple(text for text in [_lower(measures, models)] if text),
        blocks=(high_against_low(measures, name=f"high-against-low{suffix}"),),
    )


def _lower(measures: Sequence[Measure], models: Sequence[System]) -> str:
    means = {(m.system, m.tier): m.accuracy for m in measures if m.place[1] == "all" and m.known}
    apart = [
        100 * (means[one, "high"] - means[one, "low"])
        for one in models
        if (one, "high") in means and (one, "low") in means
    ]
    if not apart:
        return ""
    behind = sum(one > 0 for one in apart)
    return (
        f"{count(behind)} of {counted(len(apart), 'model')} answered fewer questions right in the low-resource"
        f" languages than in the high-resource ones; the median distance is {points(median(apart)).lstrip('+')}"
        " percentage points. Tiers may hold other questions: the gaps below compare the same ones."
    )


def _gaps(
    gaps: Sequence[GapRow], parts: Sequence[GapPartRow], measures: Sequence[Measure], *, heading: str, suffix: str
) -> Section:
    blocks: list[Grid | Figure] = []
    for reference, name in REFERENCES.items():
        rows = [row for row in gaps if row.reference == reference and row.text == "all"]
        if rows:
            title = f"gaps-to-{'english' if reference == 'en' else 'native'}{suffix}"
            blocks += [gap_map(rows, measures, to=name, name=title), gap_grid(rows, measures, to=name)]
    to_english = [row for row in gaps if (row.reference, row.text, row.by) == ("en", "all", "language")]
    if any(row.unread_gap for row in to_english):
        blocks.append(unread_grid(to_english, measures))
    if parts:
        blocks += [part_bars(parts, measures, name=f"gap-parts{suffix}"), parts_grid(parts, measures)]
    told = [_typical(to_english, measures), _clear(to_english), _could(to_english), _unread(to_english, measures)]
    told.append(_translation(parts) if parts else MEASURED_BY)
    covered = dict.fromkeys(row.covers for row in to_english if row.covers)
    return Section(
        id=f"gaps{suffix}",
        heading=heading,
        summary=tuple(text for text in (*told, *covered) if text),
        blocks=tuple(blocks),
    )


def gap_grid(rows: Sequence[GapRow], measures: Sequence[Measure], *, to: str) -> Grid:
    """Models against languages: the gap to a reference, with its interval."""
    across = _across(rows)
    cells = {(_system(row), _place(row)): row for row in rows}
    names = system_names(measures)
    shown = [one for one in systems(measures, baseline=False) if any((one, place) in cells for place in across)]
    primary = any(row.primary for row in rows)
    holds = "those of languages hold for all models and languages of the table at once" if primary else "each by itself"
    notes = [f"{CLEAR} the interval excludes 0."] if any(_clear_of(row) for row in rows) else []
    notes += [f"{EMPTY} {reason}." for reason in sorted({row.reason for row in rows if row.reason})]
    return Grid(
        title=f"Gaps to {to}",
        caption=f"Percentage points of the same questions answered right, less those in {to}; below 0 is worse there. "
        f"95 % intervals in brackets, {holds}. “Together” is the mean of a tier's gaps, with an interval of its own.",
        corner="Model",
        columns=tuple(column_name(place) for place in across),
        groups=(
            Group(
                heading="",
                rows=tuple(
                    Row(
                        name=names[one],
                        cells=tuple(_gap_cell(cells.get((one, place))) for place in across),
                        facts=facts_of(one[0]),
                    )
                    for one in shown
                ),
            ),
        ),
        bands=bands(across),
        notes=tuple(notes),
        models=True,
        places=tuple(across),
    )


def unread_grid(rows: Sequence[GapRow], measures: Sequence[Measure]) -> Grid:
    """Models against languages: how many more replies held no answer that could be read than in English."""
    across = [place for place in _across(rows) if place[1] != "all"]
    cells = {(_system(row), _place(row)): row for row in rows}
    names = system_names(measures)
    shown = [one for one in systems(measures, baseline=False) if any((one, place) in cells for place in across)]

    def cell(row: GapRow | None) -> Cell:
        known = row is not None and not math.isnan(row.unread_gap)
        return Cell(value=points(100 * row.unread_gap), order=row.unread_gap) if row and known else Cell(value=EMPTY)

    return Grid(
        title="Replies not read, against English",
        caption="Percentage points of the same questions whose reply held no answer that could be read, less those in"
        " English. This part of a gap may be the format's or the reader's rather than the model's knowledge.",
        corner="Model",
        columns=tuple(column_name(place) for place in across),
        groups=(
            Group(
                heading="",
                rows=tuple(
                    Row(
                        name=names[one],
                        cells=tuple(cell(cells.get((one, place))) for place in across),
                        facts=facts_of(one[0]),
                    )
                    for one in shown
                ),
            ),
        ),
        bands=bands(across),
        models=True,
        places=tuple(across),
    )


def parts_grid(rows: Sequence[GapPartRow], measures: Sequence[Measure]) -> Grid:
    """Languages of each model against the parts of their gap to English."""
    names = system_names(measures)
    heads = ("Gap", "Lost in the texts", "Remains", "Share of the texts, percent", "Questions")
    ways = {
        "back_translated": "at most, by English translated back",
        "revised": "at least, by revised texts",
    }
    groups = []
    for one in systems(measures, baseline=False):
        own = [row for row in rows if _system(row) == one]
        if own:
            lines = tuple(Row(name=_part_name(row, ways), cells=_part_cells(row)) for row in own)
            groups.append(Group(heading=names[one].text, rows=lines))
    return Grid(
        title="Parts of the gaps to English",
        caption="Of questions written in English. “Lost in the texts” is what translation explains: at most, where the"
        " same questions were asked translated back to English, for both translations' errors are in it; at least,"
        " where experts revised some texts. “Remains” is the model's or the reader's. Percentage points with 95 %"
        " intervals, each by itself.",
        corner="Model and language",
        columns=tuple(Name(text=head) for head in heads),
        groups=tuple(groups),
    )


def _part_name(row: GapPartRow, ways: dict[str, str]) -> Name:
    name = language_name(row.language)
    return Name(text=name.text, detail=ways[row.by], own=name.own, code=name.code, direction=name.direction)


def _part_cells(row: GapPartRow) -> tuple[Cell, ...]:
    def difference(value: float, low: float, high: float) -> Cell:
        return Cell(value=points(100 * value), interval=points_interval(100 * low, 100 * high))

    share = Cell(value=percent(row.share), interval=interval(row.share_low, row.share_high), detail=plain(row.reason))
    return (
        difference(row.gap, row.gap_low, row.gap_high),
        difference(row.lost, row.lost_low, row.lost_high),
        difference(row.remains, row.remains_low, row.remains_high),
        share,
        Cell(value=count(row.pairs + row.revised)),
    )


def _gap_cell(row: GapRow | None) -> Cell:
    if row is None or math.isnan(row.gap):
        return Cell(value=EMPTY)
    return Cell(
        value=points(100 * row.gap),
        interval=points_interval(100 * row.low, 100 * row.high),
        mark=CLEAR if _clear_of(row) else "",
        order=row.gap,
    )


def _clear_of(row: GapRow) -> bool:
    """Whether the interval excludes 0; one that is declined excludes nothing."""
    return row.low > 0 or row.high < 0


def _of_model(row: GapRow | GapPartRow) -> bool:
    """A baseline's gap is luck: it knows no language."""
    return row.model not in BASELINE_NAMES


def _system(row: GapRow | GapPartRow) -> System:
    return (row.model, row.revision, row.answer)


def _place(row: GapRow) -> Place:
    return (row.tier, row.language if row.by == "language" else "all")


def _across(rows: Iterable[GapRow]) -> list[Place]:
    return ordered({_place(row) for row in rows})


def _typical(rows: Sequence[GapRow], measures: Sequence[Measure]) -> str:
    known = [row for row in rows if not math.isnan(row.gap)]
    if not known:
        return "No gap to English can be given here: too few questions were asked in both languages."
    tiers = [
        f"{points(100 * median(gaps))} percentage points in {name}"
        for tier, name in (("high", "the other high-resource languages"), ("low", "the low-resource languages"))
        if (gaps := [row.gap for row in known if row.tier == tier])
    ]
    worst = min(known, key=lambda row: row.gap)
    bounds = points_interval(100 * worst.low, 100 * worst.high)
    return (
        "On the same questions as in English, the typical gap (the median over models and languages) is"
        f" {listed(tiers)}; the largest is {points(100 * worst.gap)}{f' {bounds}' if bounds else ''}, of"
        f" {system_names(measures)[_system(worst)].text} in {language_name(worst.language).text}."
    )


def _clear(rows: Sequence[GapRow]) -> str:
    primary = [row for row in rows if row.primary]
    if not primary:
        return ""
    below = Counter(row.language for row in primary if row.high < 0)
    models = len({_system(row) for row in primary})
    order = [code for _, code in _across(primary)]
    if not below:
        return "No primary gap stands clear of 0, all of them taken together: that shows neither a gap nor its absence."
    clauses = [f"{language_name(code).text} ({count(below[code])})" for code in order if below[code]]
    return (
        f"Clearly below English, all primary gaps taken together, for so many of {counted(models, 'model')}:"
        f" {listed(clauses)}."
    )


def _could(rows: Sequence[GapRow]) -> str:
    sizes = [100 * row.smallest_gap for row in rows if row.primary and not math.isnan(row.smallest_gap)]
    if not sizes:
        return ""
    fewest = min(row.clusters for row in rows if row.primary)
    return (
        f"With these questions (at least {counted(fewest, 'independent one')} each) a gap of"
        f" {points(median(sizes)).lstrip('+')} percentage points would be shown four times in five; smaller ones may go"
        " unseen."
    )


def _unread(rows: Sequence[GapRow], measures: Sequence[Measure]) -> str:
    known = [row for row in rows if row.unread_gap > 0]
    if not known:
        return ""
    worst = max(known, key=lambda row: row.unread_gap)
    return (
        f"Part of a gap may be the reader's: {system_names(measures)[_system(worst)].text} in"
        f" {language_name(worst.language).text} has {points(100 * worst.unread_gap).lstrip('+')} percentage points more"
        " replies without an answer that could be read than in English."
    )


def _translation(parts: Sequence[GapPartRow]) -> str:
    shares = [row for row in parts if row.by == "back_translated" and not math.isnan(row.share)]
    if not shares:
        return (
            "What share of these gaps the translations explain cannot be told from so few questions or so small gaps."
        )
    middle, most = median(row.share for row in shares), max(row.share_high for row in shares)
    return (
        f"Translation explains at most {percent_with_unit(middle)} of a gap (the median of"
        f" {counted(len(shares), 'gap')} whose share can be told); the highest upper bound is"
        f" {percent_with_unit(most)}."
    )
