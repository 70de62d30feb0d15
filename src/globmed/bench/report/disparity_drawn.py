"""The figures of disparity: a map of gaps, high against low resource, and the parts of gaps."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import groupby
from typing import Any

from globmed.bench.gap_parts import GapPartRow
from globmed.bench.gaps import GapRow
from globmed.bench.report.drawing import COLOURS, INK, QUIET, Figure, altair, draw
from globmed.bench.report.figures import DASHES
from globmed.bench.report.measure import (
    TIER_NAMES,
    Measure,
    Name,
    System,
    language_name,
    ordered,
    system_names,
    systems,
)
from globmed.bench.report.wording import points

MOST_MODELS = 30
"""Models drawn in a figure that has a line for each."""
MOST_PANELS = 5
# Of the colour scale; larger gaps have its end's colour, and their number.
_END_POINTS = 40.0
# White text has a contrast of at least 4.5:1 beyond these points, black text between them (measured on the drawing).
_BLACK_TEXT = (-27.2, 31.0)
# Purple to orange: Brewer's PuOr tells the two sides apart for every kind of colour vision; the numbers tell in grey.
_SCHEME = "purpleorange"


def gap_map(rows: Sequence[GapRow], measures: Sequence[Measure], *, to: str, name: str) -> Figure:
    """Draw models against languages: the gap as a colour and as a number."""
    alt = altair()
    names = system_names(measures)
    single = [row for row in rows if row.by == "language"]
    order = [names[one].text for one in systems(measures, baseline=False)]
    panels: list[Any] = []
    places = ordered({(row.tier, row.language) for row in single})
    for tier, inside in groupby(places, key=lambda place: place[0]):
        codes = [code for _, code in inside]
        data = [_gap(row, names[_system(row)]) for row in single if row.language in codes]
        base = alt.Chart(alt.InlineData(values=data)).encode(
            x=alt.X("language:N", sort=[language_name(code).text for code in codes], title=None).axis(
                labelAngle=-40, ticks=False, domain=False
            ),
            y=alt.Y("model:N", sort=order, title=None, axis=None if panels else alt.Axis(ticks=False, domain=False)),
        )
        colour = alt.Color("gap:Q", title="Points").scale(
            scheme=_SCHEME, domain=[-_END_POINTS, _END_POINTS], clamp=True
        )
        cells = base.mark_rect(stroke="white", strokeWidth=1.5).encode(
            color=colour.legend(gradientLength=130, values=[-40, -20, 0, 20, 40])
        )
        ink = alt.condition("datum.white", alt.value("white"), alt.value("black"))
        text = base.mark_text(fontSize=11).encode(text="text:N", color=ink)
        chart = alt.layer(cells, text)
        panels.append(chart.properties(width=alt.Step(52), height=alt.Step(24), title=TIER_NAMES.get(tier, tier)))
    return draw(
        alt.hconcat(*panels, spacing=16).resolve_scale(color="shared"),
        name=name,
        title=f"Gaps to {to}",
        caption=f"Percentage points less than in {to} on the same questions: purple and a minus are worse, orange is "
        "better; an asterisk where the interval excludes 0. A dash where no number can be given.",
    )


def high_against_low(measures: Sequence[Measure], *, name: str) -> Figure:
    """Draw each model's share right in the high- and the low-resource languages, joined by a line."""
    alt = altair()
    names = system_names(measures)
    models = systems(measures, baseline=False)
    shown = models[:MOST_MODELS]
    order = [names[one].text for one in shown]
    sums = [m for m in measures if m.place[1] == "all" and m.tier in ("high", "low") and m.known]
    data = [_tier_dot(m, names[m.system]) for m in sums if m.system in shown]
    pairs = [_pair(one, names[one], sums) for one in shown]
    place = alt.Y("model:N", sort=order, title=None).axis(ticks=False, domain=False, labelPadding=8)
    axis = alt.X("percent:Q", title="percent right").scale(domain=[0, 100]).axis(domain=False, ticks=False)
    tiers = ["High-resource", "Low-resource"]
    dots = alt.Chart(alt.InlineData(values=data))
    colour = alt.Color("tier:N", title="Languages").scale(domain=tiers, range=[COLOURS[0], COLOURS[1]])
    shape = alt.Shape("tier:N", title="Languages").scale(domain=tiers, range=["circle", "square"])
    layers = [
        _lines(alt, measures),
        alt.Chart(alt.InlineData(values=[pair for pair in pairs if pair]))
        .mark_rule(color=QUIET, strokeWidth=1)
        .encode(x=alt.X("low:Q"), x2="high:Q", y=place),
        dots.mark_rule(strokeWidth=4, opacity=0.35).encode(
            x=alt.X("low:Q"), x2="high:Q", y=place, color=colour.legend(None)
        ),
        dots.mark_point(filled=True, size=70, opacity=1).encode(
            x=axis, y=place, color=colour.legend(orient="top"), shape=shape.legend(orient="top")
        ),
    ]
    caption = (
        "Percent of questions answered right in the high-resource languages (circle) and in the low-resource ones"
        " (square), all questions of a tier together; bars are 95 % intervals, upright lines what baselines reach."
    )
    if len(models) > len(shown):
        caption += (
            f" Drawn are the {len(shown)} models best over all languages; the other {len(models) - len(shown)}"
            " stand in the table of models."
        )
    return draw(
        alt.layer(*layers).properties(width=600, height=alt.Step(20)),
        name=name,
        title="High- against low-resource languages",
        caption=caption,
    )


def part_bars(rows: Sequence[GapPartRow], measures: Sequence[Measure], *, name: str) -> Figure:
    """Draw each language's gap to English in two parts: what may be lost in the texts, and what remains."""
    alt = altair()
    names = system_names(measures)
    with_parts = [one for one in systems(measures, baseline=False) if any(_system(row) == one for row in rows)]
    shown = with_parts[:MOST_PANELS]
    by = "back_translated" if any(row.by == "back_translated" for row in rows) else "revised"
    kinds = ["Lost in the texts", "Remains"]
    colour = alt.Color("part:N", title="Part").scale(domain=kinds, range=[COLOURS[1], COLOURS[0]])
    panels = []
    for one in shown:
        own = [row for row in rows if _system(row) == one and row.by == by and not math.isnan(row.gap)]
        order = [language_name(code).text for _, code in ordered({(row.tier, row.language) for row in own})]
        data = [
            {"language": language_name(row.language).text, "part": kind, "points": 100 * value}
            for row in own
            for kind, value in zip(kinds, (row.lost, row.remains), strict=True)
        ]
        base = alt.Chart(alt.InlineData(values=data)).encode(
            y=alt.Y("language:N", sort=order, title=None).axis(ticks=False, domain=False, labelPadding=8)
        )
        bars = base.mark_bar(stroke="white", strokeWidth=1).encode(
            x=alt.X("points:Q", title="percentage points").axis(domain=False, ticks=False),
            color=colour.legend(orient="top"),
        )
        whole = alt.Chart(
            alt.InlineData(
                values=[
                    {"language": language_name(row.language).text, "gap": 100 * row.gap, "text": points(100 * row.gap)}
                    for row in own
                ]
            )
        ).encode(y=alt.Y("language:N", sort=order), x=alt.X("gap:Q"))
        marks = whole.mark_tick(color=INK, thickness=2, size=18)
        text = whole.mark_text(align="right", dx=-6, fontSize=11, color=INK).encode(text="text:N")
        panels.append(alt.layer(bars, marks, text).properties(width=420, height=alt.Step(24), title=names[one].text))
    caption = "What translation explains at most (orange) and what remains (blue); the tick and its number are the gap."
    if by == "revised":
        caption = "What translation explains at least (orange) and what remains (blue); the tick is the gap."
    if len(with_parts) > len(shown):
        caption += f" Drawn are the {len(shown)} best models; the others stand in the table."
    return draw(
        alt.vconcat(*panels, spacing=14).resolve_scale(x="shared", color="shared"),
        name=name,
        title="Parts of the gaps to English",
        caption=caption,
    )


def _system(row: GapRow | GapPartRow) -> System:
    return (row.model, row.revision, row.answer)


def _gap(row: GapRow, name: Name) -> dict[str, Any]:
    known = not math.isnan(row.gap)
    clear = "*" if row.low > 0 or row.high < 0 else ""
    return {
        "model": name.text,
        "language": language_name(row.language).text,
        "gap": 100 * row.gap if known else None,
        "text": points(100 * row.gap) + clear,
        "white": known and not _BLACK_TEXT[0] < 100 * row.gap < _BLACK_TEXT[1],
    }


def _tier_dot(m: Measure, name: Name) -> dict[str, Any]:
    bounds = {"low": m.low, "high": m.high}
    return {
        "model": name.text,
        "tier": "High-resource" if m.tier == "high" else "Low-resource",
        "percent": 100 * m.accuracy,
        **{key: None if math.isnan(bound) else 100 * bound for key, bound in bounds.items()},
    }


def _pair(one: System, name: Name, sums: Sequence[Measure]) -> dict[str, Any]:
    found = {m.tier: 100 * m.accuracy for m in sums if m.system == one}
    return {"model": name.text, **found} if len(found) == 2 else {}


def _lines(alt: Any, measures: Sequence[Measure]) -> Any:
    """Draw what chance gives, and the baselines that were asked, over all languages."""
    chances = [m.chance for m in measures if m.place[1] == "all" and not math.isnan(m.chance)]
    names = system_names(measures)
    found = [{"baseline": "Chance", "percent": 100 * sum(chances) / len(chances)}] if chances else []
    for one in systems(measures, baseline=True):
        found += [
            {"baseline": names[one].text, "percent": 100 * m.accuracy}
            for m in measures
            if m.system == one and m.tier == "all" and m.known and one[0] != "chance"
        ]
    order = [line["baseline"] for line in found]
    dash = alt.StrokeDash("baseline:N", title="Baselines")
    dash = dash.scale(domain=order, range=[DASHES[index % len(DASHES)] for index in range(len(order))])
    return (
        alt.Chart(alt.InlineData(values=found))
        .mark_rule(color=QUIET, strokeWidth=1.5)
        .encode(x=alt.X("percent:Q"), strokeDash=dash.legend(orient="top", symbolSize=700))
    )
