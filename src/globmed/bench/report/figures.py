"""The figures of accuracy: heat map, dots with intervals."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from globmed.bench.analysis import ALL
from globmed.bench.report.drawing import COLOURS, QUIET, SHAPES, Figure, altair, draw
from globmed.bench.report.measure import (
    TIER_NAMES,
    Measure,
    columns,
    language_name,
    system_names,
    systems,
)
from globmed.bench.report.wording import percent

# In cividis, white text has a contrast of at least 4.5:1 below this share and black text above it.
WHITE_TEXT_BELOW = 0.47
DASHES = ([1, 0], [6, 3], [2, 2], [8, 2, 2, 2])


def heat_map(measures: Sequence[Measure], *, name: str) -> Figure:
    """Draw models against languages: the share of right answers as a colour and as a number."""
    alt = altair()
    names = system_names(measures)
    order = [names[s].text for s in (*systems(measures, baseline=False), *systems(measures, baseline=True))]
    panels: list[Any] = []
    plain_axis = alt.Axis(ticks=False, domain=False)
    for tier, codes in _languages(measures).items():
        rows = [
            {
                "model": names[m.system].text,
                "language": language_name(m.language).text,
                "percent": 100 * m.accuracy if m.known else None,
                "text": percent(m.accuracy),
                "white": m.accuracy < WHITE_TEXT_BELOW,
            }
            for m in measures
            if m.language in codes
        ]
        base = alt.Chart(alt.InlineData(values=rows)).encode(
            x=alt.X("language:N", sort=_english(codes), title=None).axis(labelAngle=-40, ticks=False, domain=False),
            y=alt.Y("model:N", sort=order, title=None, axis=None if panels else plain_axis),
        )
        colour = alt.Color("percent:Q", title="Percent right").scale(scheme="cividis", domain=[0, 100])
        cells = base.mark_rect(stroke="white", strokeWidth=2).encode(
            color=colour.legend(gradientLength=130, values=[0, 25, 50, 75, 100])
        )
        ink = alt.condition("datum.white", alt.value("white"), alt.value("black"))
        text = base.mark_text(fontSize=12).encode(text="text:N", color=ink)
        panels.append(
            alt.layer(cells, text).properties(width=alt.Step(48), height=alt.Step(32), title=TIER_NAMES[tier])
        )
    return draw(
        alt.hconcat(*panels, spacing=18).resolve_scale(color="shared"),
        name=name,
        title="Accuracy by model and language",
        caption="Percent of questions answered right: dark is few, light is many. Baselines stand below the models.",
    )


def dots(measures: Sequence[Measure], *, name: str) -> Figure:
    """Draw each language's accuracies as dots with intervals, a panel for each tier, baselines as reference lines."""
    alt = altair()
    names = {system: label.text for system, label in system_names(measures).items()}
    ranked = systems(measures, baseline=False)
    # What random choice gives is drawn as its expectation, not as one draw of it.
    references = [system for system in systems(measures, baseline=True) if system[0] != "chance"]
    shown = ranked[: len(COLOURS)]
    rows = [_dot(m, names[m.system]) for m in measures if m.language != ALL and m.system in shown]
    lines = [_dot(m, names[m.system]) for m in measures if m.language != ALL and m.system in references]
    lines += _chance(measures)
    models, baselines = [names[s] for s in shown], ["Chance", *(names[s] for s in references)]
    panels = []
    for tier, codes in _languages(measures).items():
        languages = _english(codes)
        place = alt.Y("language:N", sort=languages, title=None).scale(paddingInner=0.22, paddingOuter=0.1)
        place = place.axis(ticks=False, domain=False, labelPadding=8, minExtent=90)
        panel = alt.layer(
            _reference_lines(alt, [r for r in lines if r["tier"] == tier], place, baselines),
            *_dots_and_intervals(alt, [r for r in rows if r["tier"] == tier], place, models),
        )
        height = alt.Step(11 * len(models) + 12, **{"for": "position"})
        panels.append(panel.properties(width=600, height=height, title=TIER_NAMES[tier]))
    caption = "Dot: percent of questions answered right; bar: its 95 % interval; upright lines: what baselines reach."
    if len(ranked) > len(shown):
        caption += (
            f" Drawn are the {len(shown)} models best over all languages;"
            f" the other {len(ranked) - len(shown)} stand in the table."
        )
    return draw(
        alt.vconcat(*panels, spacing=14).resolve_scale(x="shared", color="shared", shape="shared", strokeDash="shared"),
        name=name,
        title="Accuracy by language, with intervals",
        caption=caption,
    )


def _languages(measures: Sequence[Measure]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for tier, code in columns(measures):
        if code != ALL:
            found.setdefault(tier, []).append(code)
    return found


def _english(codes: Sequence[str]) -> list[str]:
    return [language_name(code).text for code in codes]


def _dot(m: Measure, model: str) -> dict[str, Any]:
    shares = {"percent": m.accuracy, "low": m.low, "high": m.high}
    # JSON knows no NaN.
    scaled = {key: None if math.isnan(share) else 100 * share for key, share in shares.items()}
    return {"model": model, "language": language_name(m.language).text, "tier": m.tier, **scaled}


def _chance(measures: Sequence[Measure]) -> list[dict[str, Any]]:
    found = {m.place: m.chance for m in measures if m.language != ALL and not math.isnan(m.chance)}
    return [
        {"model": "Chance", "language": language_name(code).text, "tier": tier, "percent": 100 * chance}
        for (tier, code), chance in found.items()
    ]


def _reference_lines(alt: Any, rows: list[dict[str, Any]], place: Any, baselines: list[str]) -> Any:
    dashes = [DASHES[index % len(DASHES)] for index in range(len(baselines))]
    upper, lower = place.copy(), alt.Y2("language:N", bandPosition=1)
    upper["bandPosition"] = 0
    return (
        alt.Chart(alt.InlineData(values=rows))
        .mark_rule(color=QUIET, strokeWidth=1.5)
        .encode(
            x=_percent_axis(alt),
            y=upper,
            y2=lower,
            strokeDash=alt.StrokeDash("model:N", title="Baselines")
            .scale(domain=baselines, range=dashes)
            .legend(orient="top", columns=2, symbolSize=700),
        )
    )


def _dots_and_intervals(alt: Any, rows: list[dict[str, Any]], place: Any, models: list[str]) -> list[Any]:
    base = alt.Chart(alt.InlineData(values=rows)).encode(
        y=place,
        yOffset=alt.YOffset("model:N", sort=models),
        color=alt.Color("model:N", title="Models")
        .scale(domain=models, range=list(COLOURS[: len(models)]))
        .legend(orient="top", columns=2),
    )
    shape = alt.Shape("model:N", title="Models")
    shape = shape.scale(domain=models, range=list(SHAPES[: len(models)])).legend(orient="top", columns=2)
    return [
        base.mark_rule(strokeWidth=2).encode(x=_percent_axis(alt, "low"), x2="high:Q"),
        base.mark_point(filled=True, size=62, opacity=1).encode(x=_percent_axis(alt), shape=shape),
    ]


def _percent_axis(alt: Any, field: str = "percent") -> Any:
    axis = alt.X(f"{field}:Q", title="percent right").scale(domain=[0, 100])
    return axis.axis(values=list(range(0, 101, 10)), domain=False, ticks=False, labelFlush=False)
