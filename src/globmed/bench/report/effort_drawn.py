"""Accuracy against what it takes: a point for each model and tier, the two of a model joined."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from globmed.bench.report.drawing import COLOURS, INK, QUIET, Figure, altair, draw


class Point(NamedTuple):
    """One model in one tier.

    Attributes:
        number: the model's in the table.
        tier: `high` or `low`.
        x: what it takes, above 0.
        percent: right.
    """

    number: int
    tier: str
    x: float
    percent: float


def scatter(points: Sequence[Point], *, name: str, title: str, unit: str) -> Figure:
    """Draw percent right against what it takes, on a logarithmic scale."""
    alt = altair()
    tiers = {"high": "High-resource", "low": "Low-resource"}
    base = alt.Chart(alt.InlineData(values=[{**one._asdict(), "tier": tiers[one.tier]} for one in points]))
    x = alt.X("x:Q", title=unit).scale(type="log", nice=True, padding=24)
    x = x.axis(domain=False, ticks=False, format="~g", grid=False)
    y = alt.Y("percent:Q", title="percent right").scale(domain=[0, 100]).axis(domain=False, ticks=False)
    kinds = [tiers[tier] for tier in tiers if any(one.tier == tier for one in points)]
    colour = alt.Color("tier:N", title="Languages").scale(domain=kinds, range=list(COLOURS[: len(kinds)]))
    shape = alt.Shape("tier:N", title="Languages").scale(domain=kinds, range=["circle", "square"][: len(kinds)])
    ends = {one.number: one for one in sorted(points, key=lambda one: one.x)}
    numbers = alt.Chart(alt.InlineData(values=[one._asdict() for one in ends.values()]))
    layers = (
        base.mark_line(color=QUIET, strokeWidth=1).encode(x=x, y=y, detail="number:N"),
        base.mark_point(filled=True, size=64, opacity=1).encode(
            x=x, y=y, color=colour.legend(orient="top"), shape=shape.legend(orient="top")
        ),
        numbers.mark_text(align="left", dx=8, fontSize=11, color=INK).encode(x=x, y=y, text="number:N"),
    )
    return draw(
        alt.layer(*layers).properties(width=600, height=320),
        name=name,
        title=title,
        caption=f"Each model by {unit} (logarithmic) and percent right; a line joins its two tiers. Numbers are those"
        " of the table below.",
    )
