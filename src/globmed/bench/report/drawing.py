"""What all figures share: colours, Vega-Altair's settings, and the way to a checked SVG and a PNG.

Colours: cividis for shares (rises evenly in lightness, so that it holds in grey and for every kind of colour vision:
Nuñez et al. 2018, doi:10.1371/journal.pone.0199239); for models the five of Okabe and Ito's set that stand out from
white by at least 3:1 (WCAG 2.2, 1.4.11), and a shape each, so that no colour has to be told apart.
"""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from types import ModuleType
from typing import Any
from xml.etree import ElementTree as ET

from globmed.core.errors import MissingExtraError

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#000000")
SHAPES = ("circle", "square", "triangle-up", "diamond", "cross")
INK, QUIET, FAINT = "#1a1a1a", "#595959", "#e4e4e4"
PNG_DOTS_PER_INCH = 200

_FONT = "Noto Sans, Segoe UI, Roboto, Liberation Sans, Arial, sans-serif"
_SVG = "{http://www.w3.org/2000/svg}"
_DRAWS = {"svg", "g", "path", "rect", "line", "text", "tspan", "defs", "clipPath", "linearGradient", "stop", "title"}
_REFERENCE = re.compile(r"url\(#([^)]*)\)")


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A drawn figure.

    Attributes:
        name: of its files, without ending.
        title: what it shows.
        caption: how to read it, and what it leaves out.
        svg: the drawing, for the page and for papers.
        png: the same in pixels.
    """

    name: str
    title: str
    caption: str
    svg: str
    png: bytes


def altair() -> ModuleType:
    """Import Vega-Altair, which takes half a second, only when something is drawn.

    Raises:
        MissingExtraError: the extra `report` is not installed.
    """
    try:
        import altair as alt
        import vl_convert as _  # noqa: F401 - altair asks for it only when saving
    except ModuleNotFoundError as error:
        raise MissingExtraError.for_extra("report", error.name or "altair") from error
    return alt


def draw(chart: Any, *, name: str, title: str, caption: str) -> Figure:
    """Turn a chart into a figure.

    Args:
        chart: an Altair chart of any composition.
        name: of its files; also what sets its ids apart from another figure's on the same page.
        title: what it shows.
        caption: how to read it.
    """
    import vl_convert

    out = io.StringIO()
    _configured(chart).save(out, format="svg")
    svg = _checked(out.getvalue(), prefix=name, title=title)
    return Figure(
        name=name, title=title, caption=caption, svg=svg, png=vl_convert.svg_to_png(svg, ppi=PNG_DOTS_PER_INCH)
    )


def _configured(chart: Any) -> Any:
    return (
        chart.configure(font=_FONT, background="white", padding=8)
        .configure_view(stroke=None)
        .configure_axis(
            labelFontSize=12,
            titleFontSize=12,
            labelColor=INK,
            titleColor=INK,
            titleFontWeight="normal",
            labelLimit=260,
            gridColor=FAINT,
            domainColor=QUIET,
            tickColor=QUIET,
        )
        .configure_legend(labelFontSize=12, titleFontSize=12, labelColor=INK, titleColor=INK, labelLimit=260)
        .configure_header(labelFontSize=13, labelFontWeight="bold", labelColor=INK)
        .configure_title(fontSize=13, fontWeight="bold", color=INK, anchor="start", frame="group")
    )


def _checked(svg: str, *, prefix: str, title: str) -> str:
    """Return the SVG with ids of its own, the same for the same drawing, and nothing in it that is not a drawing.

    Model names are untrusted and stand in the SVG, which stands in the page: what Vega escapes is checked again here.
    Vega numbers ids through the life of the process, and two figures on one page must not share one.
    """
    ET.register_namespace("", "http://www.w3.org/2000/svg")
    # Vega wrote this text a moment ago; entities, the danger of XML from elsewhere, cannot be declared in it.
    root = ET.fromstring(svg)  # noqa: S314
    ids = {
        name: f"{prefix}-{index}" for index, name in enumerate(e.attrib["id"] for e in root.iter() if "id" in e.attrib)
    }
    for element in root.iter():
        assert element.tag.removeprefix(_SVG) in _DRAWS, element.tag
        for key, value in list(element.attrib.items()):
            assert not key.lower().startswith("on"), key
            assert "href" not in key.lower(), key
            if key == "id":
                element.set(key, ids[value])
            elif key.startswith("aria-") or key == "role":
                # One label for the whole figure, not one for each stroke: the numbers stand in the table beside it.
                del element.attrib[key]
            else:
                element.set(key, _REFERENCE.sub(lambda found: f"url(#{ids[found[1]]})", value))
    root.set("role", "img")
    root.set("aria-label", title)
    return ET.tostring(root, encoding="unicode")
