"""The figures of what training gained: before and after, and the parts of the gain."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from globmed.bench.report.drawing import COLOURS, INK, Figure, altair, draw
from globmed.bench.report.gained import Gained, sums
from globmed.bench.report.wording import points, points_interval

PARTS = {"unread": "Fewer unread", "right": "Read both times", "newly": "Newly read"}
"""What the parts are called in a few words; `gains_told` says what they are."""
# Dark, middle and light, so that they are told apart in grey as well; each has an outline, which the light one needs.
_FILLS = ("#f7dfb5", "#0b3c5d", "#e08214")
_NUMBERS = ("Gain", *PARTS.values())


def gain_dots(rows: Sequence[Gained], *, name: str) -> Figure:
    """Draw before and after training by tier and language, and the gain in percentage points with its interval."""
    alt = altair()
    base = alt.Chart(alt.InlineData(values=[_gain(row) for row in rows if row.known]))
    size = {"height": alt.Step(26)}
    left = _before_and_after(alt, base.encode(y=_place(alt, rows))).properties(width=300, title="Before and after")
    after = base.encode(y=_place(alt, rows, labels=False))
    right = _gain_and_interval(alt, after, width=280).properties(title="Gain", **size)
    return draw(
        alt.hconcat(left.properties(**size), right, spacing=24).resolve_scale(color="independent"),
        name=name,
        title="What training gained",
        caption="Left: percent of the same questions answered right before (ring) and after (disc) training. "
        "Right: the difference in percentage points with its 95 % interval; right of the dashed line is a gain.",
    )


def gain_bars(panels: Mapping[str, Sequence[Gained]], *, name: str) -> Figure:
    """Draw the parts of each gain as a stacked bar with their numbers beside it, one panel for each kind of row.

    Args:
        panels: rows by the panel's title.
        name: of the figure's files.
    """
    alt = altair()
    ends = [end for rows in panels.values() for row in rows if row.known for end in _ends(row)]
    # One scale for all panels, so that their bars can be compared.
    axis = alt.X("points:Q", title="percentage points").scale(domain=[min(ends, default=0), max(ends, default=1)])
    axis = axis.axis(domain=False, ticks=False, labelFlush=False)
    drawn = [
        _panel(alt, rows, axis=axis, title=title, first=not index) for index, (title, rows) in enumerate(panels.items())
    ]
    return draw(
        alt.vconcat(*drawn, spacing=16).resolve_scale(color="shared"),
        name=name,
        title="What the gain consists of",
        caption="Bars: parts of the gain in percentage points; what is lost points left. Diamond: the gain, which "
        "is their sum, with its 95 % interval. The same numbers stand beside.",
    )


def _ends(row: Gained) -> tuple[float, ...]:
    """Return how far a row's bars and its interval reach to the left and to the right."""
    parts = [getattr(row, f"{part}_points") for part in PARTS]
    ends = (
        sum(part for part in parts if part < 0),
        sum(part for part in parts if part > 0),
        row.gain_low,
        row.gain_high,
    )
    return tuple(end for end in ends if not math.isnan(end))


def _panel(alt: Any, rows: Sequence[Gained], *, axis: Any, title: str, first: bool) -> Any:
    known = [row for row in rows if row.known]
    bars = [
        {"name": row.name.text, "part": text, "order": index, "points": getattr(row, f"{part}_points")}
        for row in known
        for index, (part, text) in enumerate(PARTS.items())
    ]
    colour = alt.Color("part:N", title="Part of the gain").scale(domain=list(PARTS.values()), range=list(_FILLS))
    at = _place(alt, rows)
    stacked = (
        alt.Chart(alt.InlineData(values=bars))
        .mark_bar(stroke=INK, strokeWidth=0.6, height=11, yOffset=-4)
        .encode(y=at, x=axis, color=colour.legend(orient="top", columns=3) if first else colour, order="order:Q")
    )
    whole = alt.Chart(alt.InlineData(values=[_gain(row) for row in known])).encode(y=at)
    zero = alt.Chart(alt.InlineData(values=[{"zero": 0}])).mark_rule(color=INK).encode(x="zero:Q")
    left = alt.layer(
        stacked,
        zero,
        whole.mark_rule(color=INK, strokeWidth=1.5, yOffset=7).encode(x="low:Q", x2="high:Q"),
        whole.mark_point(shape="diamond", filled=True, color=INK, size=55, opacity=1, yOffset=7).encode(x="gain:Q"),
    ).properties(width=320, height=alt.Step(26), title=title)
    return alt.hconcat(left, _numbers(alt, rows, known), spacing=16)


def _numbers(alt: Any, rows: Sequence[Gained], known: Sequence[Gained]) -> Any:
    texts = [
        {"name": row.name.text, "column": column, "text": text}
        for row in known
        for column, text in zip(_NUMBERS, _written(row), strict=True)
    ]
    columns = alt.X("column:N", sort=list(_NUMBERS), title=None)
    columns = columns.axis(orient="top", labelAngle=0, ticks=False, domain=False)
    numbers = alt.Chart(alt.InlineData(values=texts)).mark_text(fontSize=12, color=INK)
    return numbers.encode(x=columns, y=_place(alt, rows, labels=False), text="text:N").properties(
        width=alt.Step(104), height=alt.Step(26)
    )


def _written(row: Gained) -> tuple[str, ...]:
    return tuple(points(value) for value in (row.gain_points, row.unread_points, row.right_points, row.newly_points))


def _place(alt: Any, rows: Sequence[Gained], *, labels: bool = True) -> Any:
    """Return the axis of names, in the order of the rows, sums in bold."""
    place = alt.Y("name:N", sort=[row.name.text for row in rows], title=None)
    if not labels:
        return place.axis(labels=False, ticks=False, domain=False)
    bold = f"indexof({json.dumps([row.name.text for row in sums(rows)])}, datum.value) >= 0"
    weight = alt.condition(bold, alt.value("bold"), alt.value("normal"))
    return place.axis(labelFontWeight=weight, ticks=False, domain=False, labelPadding=8, minExtent=180)


def _gain(row: Gained) -> dict[str, Any]:
    interval = {"low": row.gain_low, "high": row.gain_high}
    return {
        "name": row.name.text,
        "before": 100 * row.base,
        "after": 100 * row.tuned,
        "gain": row.gain_points,
        "text": f"{points(row.gain_points)} {points_interval(row.gain_low, row.gain_high)}",
        # JSON knows no NaN.
        **{key: None if math.isnan(bound) else bound for key, bound in interval.items()},
    }


def _before_and_after(alt: Any, base: Any) -> Any:
    axis = alt.X("before:Q", title="percent right").scale(domain=[0, 100])
    axis = axis.axis(values=list(range(0, 101, 10)), domain=False, ticks=False, labelFlush=False)
    blue = COLOURS[0]
    return alt.layer(
        base.mark_rule(color=blue, strokeWidth=2).encode(x=axis, x2="after:Q"),
        base.mark_point(size=80, opacity=1, filled=True, fill="white", stroke=blue, strokeWidth=2).encode(x=axis),
        base.mark_point(size=80, opacity=1, filled=True, fill=blue, stroke=blue, strokeWidth=2).encode(x="after:Q"),
    )


def _gain_and_interval(alt: Any, base: Any, *, width: int) -> Any:
    zero = alt.Chart(alt.InlineData(values=[{"zero": 0}])).mark_rule(color=INK, strokeDash=[4, 3])
    axis = alt.X("low:Q", title="percentage points").axis(domain=False, ticks=False, labelFlush=False)
    beside = alt.value(width + 14)
    return alt.layer(
        zero.encode(x="zero:Q"),
        base.mark_rule(color=COLOURS[1], strokeWidth=2.5).encode(x=axis, x2="high:Q"),
        base.mark_point(filled=True, size=64, opacity=1, color=COLOURS[1]).encode(x="gain:Q"),
        base.mark_text(align="left", fontSize=12, color=INK).encode(x=beside, text="text:N"),
    ).properties(width=width)
