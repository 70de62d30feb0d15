"""What answers take: accuracy against cost, tokens and size, and what a language costs beside English.

Sums of `globmed.bench.costs`' rows and the accuracy table; nothing else is computed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from statistics import median

from globmed.bench.condition import Condition
from globmed.bench.costs import CostRow
from globmed.bench.report.drawing import Figure
from globmed.bench.report.effort_drawn import Point, scatter
from globmed.bench.report.evidence import Evidence
from globmed.bench.report.grid import Band, Cell, Grid, Group, Row
from globmed.bench.report.leaderboard import facts_of
from globmed.bench.report.measure import BASELINE_NAMES, Measure, Name, System, language_name, system_names, systems
from globmed.bench.report.section import Section
from globmed.bench.report.tables import bands
from globmed.bench.report.wording import (
    EMPTY,
    counted,
    interval,
    listed,
    percent,
    plain,
    ratio,
    significant,
)

_TIERS = ("high", "low")
_NAMED_AT_MOST = 5


@dataclass(frozen=True, kw_only=True)
class Effort:
    """What one model's replies took in the languages of one tier, all sources together.

    Attributes:
        tokens: read and written for a reply; NaN where none were told.
        usd_per_1000: for a thousand replies; NaN where a price is not known.
        usd_per_right: for a right answer; NaN likewise, and where none is right.
        times_english: median over sources and languages of how many times English's tokens a reply takes; NaN without.
    """

    tokens: float
    usd_per_1000: float
    usd_per_right: float
    times_english: float


def effort_sections(evidence: Evidence) -> list[Section]:
    """Return for each task what its answers took; none where neither tokens, prices nor sizes are known."""
    tasks = sorted({m.task for m in evidence.measures})
    sections = []
    for index, task in enumerate(tasks, start=1):
        measures = [m for m in evidence.measures if m.task == task]
        costs = [row for row in evidence.costs if row.task == task and row.model not in BASELINE_NAMES]
        heading = "What it takes" + (f": {plain(task)}" if len(tasks) > 1 else "")
        section = _section(costs, measures, heading=heading, suffix="" if index == 1 else f"-{index}")
        sections += [section] if section else []
    return sections


def _section(costs: Sequence[CostRow], measures: Sequence[Measure], *, heading: str, suffix: str) -> Section | None:
    models = systems(measures, baseline=False)
    efforts = {
        (one, tier): effort([row for row in costs if _system(row) == one and row.tier == tier])
        for one in models
        for tier in _TIERS
    }
    sums = {(m.system, m.tier): m for m in measures if m.place[1] == "all" and m.known}
    across: list[tuple[str, str, Callable[[System, str], float]]] = [
        ("size", "billions of parameters", lambda one, _: facts_of(one[0]).billions or math.nan),
        ("tokens", "tokens a reply", lambda one, tier: efforts[one, tier].tokens),
        ("cost", "US dollars for 1,000 replies", lambda one, tier: efforts[one, tier].usd_per_1000),
    ]
    names = system_names(measures)
    blocks: list[Grid | Figure] = []
    for name, unit, of in across:
        dots = [
            Point(number=number, tier=tier, x=of(one, tier), percent=100 * sums[one, tier].accuracy)
            for number, one in enumerate(models, start=1)
            for tier in _TIERS
            if (one, tier) in sums and of(one, tier) > 0
        ]
        # One point is no relation.
        if len({dot.number for dot in dots}) > 1:
            blocks.append(scatter(dots, name=f"accuracy-{name}{suffix}", title=f"Accuracy against {name}", unit=unit))
    known = any(one.tokens > 0 for one in efforts.values())
    if not blocks and not known:
        return None
    return Section(
        id=f"takes{suffix}",
        heading=heading,
        summary=tuple(text for text in _told(models, efforts, costs, measures) if text),
        blocks=(*blocks, effort_grid(models, efforts, sums, names)),
    )


def effort(rows: Sequence[CostRow]) -> Effort:
    """Sum the costs of one model in some languages."""
    replies, right = sum(row.replies for row in rows), sum(row.right for row in rows)
    tokens = sum(row.input_tokens + row.output_tokens for row in rows)
    # A sum over those with a price alone would be too low.
    usd = sum(row.usd for row in rows) if rows else math.nan
    times = [row.times_english for row in rows if row.language != "en" and not math.isnan(row.times_english)]
    return Effort(
        tokens=tokens / replies if tokens else math.nan,
        usd_per_1000=1000 * usd / replies if replies else math.nan,
        usd_per_right=usd / right if right else math.nan,
        times_english=median(times) if times else math.nan,
    )


def effort_grid(
    models: Sequence[System],
    efforts: dict[tuple[System, str], Effort],
    sums: dict[tuple[System, str], Measure],
    names: dict[System, Name],
) -> Grid:
    """Models against accuracy, tokens and dollars in each tier."""
    tiers = [tier for tier in _TIERS if any((one, tier) in sums for one in models)]
    heads = ("Right, percent", "Tokens a reply", "Times English", "$ for 1,000 replies", "$ for a right answer")

    rows = [
        Row(
            name=replace(names[one], text=f"{number}. {names[one].text}"),
            cells=(
                _size(one),
                *(cell for tier in tiers for cell in _cells(efforts[one, tier], sums.get((one, tier)))),
            ),
            facts=facts_of(one[0]),
        )
        for number, one in enumerate(models, start=1)
    ]
    places = [("all", "all"), *((tier, "all") for tier in tiers for _ in heads)]
    return Grid(
        title="What answers take",
        caption="Size in billions of parameters. Tokens read and written, as the endpoint billed them; times English is"
        " the median over languages and sources; dollars at the price that stood when the questions were asked.",
        corner="Model",
        columns=tuple(Name(text=head) for head in ("Size", *(head for _ in tiers for head in heads))),
        groups=(Group(heading="", rows=tuple(rows)),),
        bands=(Band(heading="Model", span=1), *bands(places[1:])),
        notes=(f"{EMPTY} not told, not known, or none right.",),
        models=True,
        places=tuple(places),
    )


def _size(one: System) -> Cell:
    billions = facts_of(one[0]).billions
    return Cell(value=EMPTY if billions is None else f"{billions:g}", order=billions)


def _cells(took: Effort, m: Measure | None) -> Iterable[Cell]:
    right = Cell(value=EMPTY)
    if m:
        right = Cell(value=percent(m.accuracy), interval=interval(m.low, m.high), order=m.accuracy)
    times = Cell(value=ratio(took.times_english), order=_order(took.times_english))
    return (right, _number(took.tokens), times, _number(took.usd_per_1000), _number(took.usd_per_right))


def _told(
    models: Sequence[System],
    efforts: dict[tuple[System, str], Effort],
    costs: Sequence[CostRow],
    measures: Sequence[Measure],
) -> list[str]:
    names = system_names(measures)
    # What was translated first took the translator's tokens too, which English did not.
    direct = [one for one in models if not Condition.named(one[2]).translated]
    known = [value for one in direct if not math.isnan(value := efforts[one, "low"].times_english)]
    told = []
    if known:
        most = max(
            (row for row in costs if _system(row) in direct and row.times_english > 0),
            key=lambda row: row.times_english,
        )
        told.append(
            f"In the low-resource languages a reply takes {ratio(median(known))} times the tokens of English, the"
            f" median over {counted(len(known), 'model')}; the most is {ratio(most.times_english)} times, of"
            f" {names[_system(most)].text} in {language_name(most.language).text}."
        )
    dearer = [
        efforts[one, "low"].usd_per_right / efforts[one, "high"].usd_per_right
        for one in direct
        if efforts[one, "high"].usd_per_right > 0 and efforts[one, "low"].usd_per_right > 0
    ]
    if dearer:
        told.append(
            f"A right answer costs {ratio(median(dearer))} times as much there as in the high-resource languages, the"
            f" median over {counted(len(dearer), 'model')} with a price."
        )
    for what, missing in (
        ("price", [one for one in models if all(math.isnan(efforts[one, tier].usd_per_1000) for tier in _TIERS)]),
        ("size", [one for one in models if facts_of(one[0]).billions is None]),
    ):
        told.append(_unknown(what, [names[one].text for one in missing], of=len(models)))
    return told


def _unknown(what: str, missing: list[str], *, of: int) -> str:
    """Say whose price or size is not known: these are in no figure of it."""
    if not missing:
        return ""
    if len(missing) == of:
        return f"No model’s {what} is known here."
    if len(missing) > _NAMED_AT_MOST:
        return f"The {what} of {counted(len(missing), 'model')} is not known; the table has a dash there."
    return f"The {what} of {listed(missing)} is not known."


def _number(value: float) -> Cell:
    return Cell(value=significant(value), order=_order(value))


def _order(value: float) -> float | None:
    return None if math.isnan(value) else value


def _system(row: CostRow) -> System:
    return (row.model, row.revision, row.answer)
