"""The figures: numbers that can be read on their colours, and drawings that stay apart on one page."""

import io
import re
from pathlib import Path

import altair as alt
import msgspec
import pytest

from globmed.bench.report.drawing import COLOURS
from globmed.bench.report.evidence import read_runs
from globmed.bench.report.figures import WHITE_TEXT_BELOW, dots, heat_map
from globmed.bench.report.measure import Measure


def luminance(colour: tuple[int, ...]) -> float:
    """Return the relative luminance of WCAG 2.2."""
    shares = [part / 255 for part in colour]
    linear = [share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for share in shares]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: float, other: float) -> float:
    return (max(one, other) + 0.05) / (min(one, other) + 0.05)


@pytest.fixture(scope="module")
def measures(made_up_run: Path) -> tuple[Measure, ...]:
    return read_runs([made_up_run]).measures


def test_numbers_stand_out_from_every_colour_of_the_heat_map() -> None:
    shares = [index / 200 for index in range(201)]
    colour = alt.Color("share:Q").scale(scheme="cividis", domain=[0, 1]).legend(None)
    chart = alt.Chart(alt.InlineData(values=[{"share": share} for share in shares]))
    out = io.StringIO()
    chart.mark_rect().encode(x=alt.X("share:O").axis(None), color=colour).save(out, format="svg")
    found = [tuple(map(int, rgb)) for rgb in re.findall(r"rgb\((\d+), (\d+), (\d+)\)", out.getvalue())]
    assert len(found) == len(shares)
    lightness = [luminance(rgb) for rgb in found]
    assert lightness == sorted(lightness), "does not hold in grey"
    for share, light in zip(shares, lightness, strict=True):
        assert contrast(light, 1.0 if share < WHITE_TEXT_BELOW else 0.0) >= 4.5, share


def test_models_stand_out_from_the_paper() -> None:
    for colour in COLOURS:
        rgb = tuple(int(colour[start : start + 2], 16) for start in (1, 3, 5))
        assert contrast(luminance(rgb), 1.0) >= 3.0, colour


def test_every_number_of_the_heat_map_is_written_in_it(measures: tuple[Measure, ...]) -> None:
    texts = re.findall(r">([\d.]+|–)</text>", heat_map(measures, name="heat").svg)
    single = [m for m in measures if m.by == "language"]
    written = [text for text in texts if text == "–" or "." in text]
    assert sorted(written) == sorted("–" if not m.known else f"{100 * m.accuracy:.1f}" for m in single)


def test_two_drawings_share_no_id_and_one_drawn_twice_is_the_same(measures: tuple[Measure, ...]) -> None:
    one, other, again = (heat_map(measures, name=name) for name in ("one", "other", "one"))
    ids = [set(re.findall(r'id="([^"]+)"', figure.svg)) for figure in (one, other)]
    assert ids[0]
    assert not ids[0] & ids[1]
    assert one.svg == again.svg


def test_models_beyond_the_colours_are_left_out_and_said(measures: tuple[Measure, ...]) -> None:
    large = [m for m in measures if m.model == "made-up/large"]
    more = [msgspec.structs.replace(m, model=f"made-up/extra-{number}") for number in range(3) for m in large]
    figure = dots([*measures, *more], name="dots")
    assert "Drawn are the 5 models best over all languages; the other 3 stand in the table." in figure.caption
    assert "made-up/base-1.7b" not in figure.svg
