"""What accuracy does not tell: further metrics of closed answers, and descriptions of open replies.

Every number is one of `globmed.bench.analysis.MetricRow`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from globmed.bench.analysis import ALL, MetricRow
from globmed.bench.report.evidence import Evidence
from globmed.bench.report.grid import Cell, Grid, Group, Row
from globmed.bench.report.leaderboard import facts_of
from globmed.bench.report.measure import (
    BASELINE_NAMES,
    Place,
    System,
    language_name,
    names_of,
    ordered,
)
from globmed.bench.report.section import Section
from globmed.bench.report.tables import bands, column_name
from globmed.bench.report.wording import EMPTY, interval, percent, percent_with_unit, plain


@dataclass(frozen=True, kw_only=True)
class _Told:
    """How a metric is told.

    Attributes:
        title: of its table.
        caption: what the number is.
        sums: it means something over several languages.
        best: 1 where more is better, -1 where less is, 0 where models are not to be put in order by it.
        worst: the sentence on where it is worst, with `{share}` and `{where}`; empty for none.
    """

    title: str
    caption: str
    sums: bool = True
    best: int = 0
    worst: str = ""


_NUMBER = re.compile(r"(\d+(?:\.\d+)?)")
_CLOSED = {
    "macro_f1": _Told(
        title="Macro-F1",
        caption="The F1 of each label, averaged, in percent: whoever always says the commonest label scores low.",
        best=1,
    ),
    "under_triage": _Told(
        title="Too little urgency",
        caption="Percent of triage questions answered with less urgency than the rule that the question states.",
        best=-1,
        worst="Less urgency than the stated rule asks for was given in up to {share} of triage questions ({where}).",
    ),
    "over_triage": _Told(
        title="Too much urgency",
        caption="Percent of triage questions answered with more urgency than the rule that the question states.",
        best=-1,
    ),
    "decided_unasked": _Told(
        title="Decided where it cannot be told",
        caption="Percent of triage questions that lack what the rule needs, and were decided anyway.",
        best=-1,
        worst="What cannot be told from the question was decided anyway in up to {share} of such questions ({where}).",
    ),
    "ece": _Told(
        title="Calibration error",
        caption=(
            "How far a model’s confidence is from its share of right answers, on average, in percentage points;"
            " small samples show some even where there is none."
        ),
        best=-1,
    ),
    "brier": _Told(
        title="Brier score",
        caption="The squared error of a model’s confidence in its answer, from 0 to 100.",
        best=-1,
    ),
}
_OPEN = {
    "in_language": _Told(
        title="In the language asked",
        caption="Percent of replies in it, of those long enough to tell.",
        best=1,
        worst="In the language that was asked were at least {share} of the replies ({where}).",
    ),
    "chrf": _Told(
        title="chrF++ with the nearest reference",
        caption=(
            "Pieces of words shared with a reference answer, 0 to 100: a description. It does not say that a reply is"
            " right, and its scale is another in each language."
        ),
        sums=False,
    ),
    "rouge_l": _Told(
        title="ROUGE-L with the nearest reference",
        caption="The longest sequence of words shared with a reference answer, 0 to 100: a description, likewise.",
        sums=False,
    ),
    "refused": _Told(title="Declined", caption="Percent of replies that decline, or were withheld.", best=-1),
    "truncated": _Told(title="Cut off", caption="Percent of replies cut off at the length limit.", best=-1),
}


def further_sections(evidence: Evidence) -> list[Section]:
    """Return a section for each source with a metric besides accuracy; none of tasks with open answers."""
    closed = {m.task for m in evidence.measures}
    rows = [row for row in evidence.metrics if row.task in closed]
    sections: list[Section] = []
    for task, source in _parts(rows, _CLOSED):
        own = [row for row in rows if (row.task, row.source) == (task, source)]
        grids = metric_grids(own, _CLOSED)
        number = len(sections) + 1
        sections.append(
            Section(
                id="further" if number == 1 else f"further-{number}",
                heading=f"More than accuracy: {plain(source)}",
                summary=tuple(_sentences(own, _CLOSED)),
                blocks=grids,
            )
        )
    return sections


def described(rows: Sequence[MetricRow]) -> tuple[tuple[str, ...], tuple[Grid, ...]]:
    """Return sentences and tables that describe the replies to the open questions of one source."""
    return tuple(_sentences(rows, _OPEN)), metric_grids(rows, _OPEN)


def metric_grids(rows: Sequence[MetricRow], told: dict[str, _Told]) -> tuple[Grid, ...]:
    """Models against languages, a table for each metric that has a number."""
    shown = {name: [row for row in rows if row.metric == name and row.subset == ALL] for name in told}
    return tuple(
        _grid(found, told[name])
        for name, found in shown.items()
        if any(not math.isnan(row.value) for row in found if row.model not in BASELINE_NAMES)
    )


def _parts(rows: Sequence[MetricRow], told: dict[str, _Told]) -> list[tuple[str, str]]:
    """Return tasks and sources that have a number; sources are not put together, for metrics differ between them."""
    found = {
        (row.task, row.source)
        for row in rows
        if row.metric in told and not math.isnan(row.value) and row.model not in BASELINE_NAMES
    }
    return sorted(part for part in found if part[1] != ALL)


def _grid(rows: Sequence[MetricRow], told: _Told) -> Grid:
    across = ordered({_place(row) for row in rows if row.tier != ALL and (told.sums or row.by == "language")})
    cells = {(_system(row), _place(row)): row for row in rows}
    names = names_of(_system(row) for row in rows)

    def lines(*, baseline: bool) -> tuple[Row, ...]:
        those = (one for one in names if (one[0] in BASELINE_NAMES) == baseline)
        return tuple(
            Row(
                name=names[one],
                cells=tuple(_cell(cells.get((one, place)), told) for place in across),
                facts=None if baseline else facts_of(one[0]),
            )
            for one in sorted(those)
        )

    groups = [Group(heading="Models", rows=lines(baseline=False))]
    groups.append(Group(heading="Baselines, which know nothing of the question", rows=lines(baseline=True)))
    groups = [group for group in groups if group.rows]
    reasons = told_once({row.reason for row in rows if row.reason})
    return Grid(
        title=told.title,
        caption=told.caption,
        corner="Model",
        columns=tuple(column_name(place) for place in across),
        groups=tuple(groups) if len(groups) > 1 else (Group(heading="", rows=groups[0].rows),),
        bands=bands(across),
        notes=tuple(f"{EMPTY} or no brackets: {plain(reason)}." for reason in reasons),
        models=True,
        places=tuple(across),
    )


def told_once(reasons: Iterable[str]) -> list[str]:
    """Put together what differs in one number alone: `0.03 on …` and `0.05 on …` become `0.03 to 0.05 on …`."""
    alike: dict[tuple[str, ...], list[str]] = {}
    for reason in sorted(reasons):
        pieces = _NUMBER.split(reason)
        alike.setdefault((pieces[0], pieces[-1]) if len(pieces) == 3 else (reason,), []).append(reason)
    found = []
    for around, those in alike.items():
        numbers = sorted((_NUMBER.split(one)[1] for one in those), key=float) if len(those) > 1 else []
        found.append(f"{numbers[0]} to {numbers[-1]}".join(around) if numbers else those[0])
    return found


def _cell(row: MetricRow | None, told: _Told) -> Cell:
    if row is None or math.isnan(row.value):
        return Cell(value=EMPTY)
    order = told.best * row.value if told.best else None
    return Cell(value=percent(row.value), interval=interval(row.low, row.high), order=order)


def _sentences(rows: Sequence[MetricRow], told: dict[str, _Told]) -> list[str]:
    found = []
    for metric, how in told.items():
        single = [
            row
            for row in rows
            if (row.metric, row.subset, row.by) == (metric, ALL, "language")
            and not math.isnan(row.value)
            and row.model not in BASELINE_NAMES
        ]
        if how.worst and single:
            worst = min(single, key=lambda row: how.best * row.value)
            where = f"{plain(worst.model)} in {language_name(worst.group).text}"
            found.append(how.worst.format(share=percent_with_unit(worst.value), where=where))
    return found


def _place(row: MetricRow) -> Place:
    return (row.tier, row.group if row.by == "language" else ALL)


def _system(row: MetricRow) -> System:
    return (row.model, row.revision, row.answer)
