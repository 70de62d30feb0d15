"""The figure of translate-test: what asking through English changes, language by language."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from globmed.bench.paired import CompareRow
from globmed.bench.report.drawing import COLOURS, INK, Figure, altair, draw
from globmed.bench.report.measure import language_name
from globmed.bench.report.wording import points

MOST_PANELS = 5


def difference_dots(panels: Mapping[str, Sequence[CompareRow]], *, name: str) -> Figure:
    """Draw for each model the difference, through English less directly, with its interval.

    Args:
        panels: rows of languages by the model's name, the best model first.
        name: of the figure's files.
    """
    alt = altair()
    drawn = []
    shown = list(panels.items())[:MOST_PANELS]
    for title, rows in shown:
        data = [
            {
                "language": language_name(row.group).text,
                "points": 100 * row.difference,
                "low": None if math.isnan(row.low) else 100 * row.low,
                "high": None if math.isnan(row.high) else 100 * row.high,
                "text": points(100 * row.difference),
            }
            for row in rows
            if not math.isnan(row.difference)
        ]
        order = [language_name(row.group).text for row in rows]
        place = alt.Y("language:N", sort=order, title=None).axis(ticks=False, domain=False, labelPadding=8)
        base = alt.Chart(alt.InlineData(values=data)).encode(y=place)
        x = alt.X("points:Q", title="percentage points, through English less directly").axis(domain=False, ticks=False)
        zero = alt.Chart(alt.InlineData(values=[{"zero": 0}])).mark_rule(color=INK, strokeDash=[4, 3])
        layers = (
            zero.encode(x="zero:Q"),
            base.mark_rule(color=COLOURS[0], strokeWidth=2.5).encode(x=alt.X("low:Q"), x2="high:Q"),
            base.mark_point(filled=True, size=64, opacity=1, color=COLOURS[0]).encode(x=x),
            base.mark_text(align="left", fontSize=11, color=INK).encode(x=alt.value(494), text="text:N"),
        )
        drawn.append(alt.layer(*layers).properties(width=480, height=alt.Step(22), title=title))
    caption = "Right of the dashed line a language does better through English; bars are 95 % intervals."
    if len(panels) > len(shown):
        caption += f" Drawn are the {len(shown)} best models; the others stand in the table."
    return draw(
        alt.vconcat(*drawn, spacing=14).resolve_scale(x="shared"),
        name=name,
        title="Through English against directly",
        caption=caption,
    )
