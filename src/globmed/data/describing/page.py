"""Draws a description on one page that opens from disk: bars and shades are boxes of the page itself.

No picture and no script: the page takes the reader's colours, dark or light, and the width of any screen, and every
number that is drawn also stands there as text.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import get_args

from globmed.core.errors import MissingExtraError
from globmed.core.item import Split
from globmed.core.language import languages
from globmed.core.store import write_text
from globmed.data.describing.description import Description, Found, Length

PAGE = "stats.html"
DARKEST = 38
"""Percent of colour in the deepest shade, at which text keeps a contrast of 4.5:1 on it (WCAG 2.2, 1.4.3)."""
SEVERITIES = ("block", "review", "note")


@dataclass(frozen=True, kw_only=True)
class Shaded:
    """A number of a table and how deep it is shaded.

    Attributes:
        count: the number.
        shade: percent of colour, 0 to `DARKEST`.
    """

    count: int
    shade: float


@dataclass(frozen=True, kw_only=True)
class Strip:
    """The lengths of one language, and where they lie on the axis of their source: percent of its width.

    Attributes:
        length: in graphemes.
        low, quarter, median, three_quarters, high: places of the five quantiles.
    """

    length: Length
    low: float
    quarter: float
    median: float
    three_quarters: float
    high: float


@dataclass(frozen=True, kw_only=True)
class Panel:
    """The lengths of a source in all its languages, on one axis from 0 to `end` graphemes."""

    source: str
    end: int
    strips: tuple[Strip, ...]


def write_page(description: Description, *, out: Path, name: str) -> Path:
    """Write the page into a folder and return its path.

    Args:
        description: what is drawn.
        out: folder to write to.
        name: of what is described, such as its folder.

    Raises:
        MissingExtraError: the extra `report` is not installed.
        EnvironmentFailedError: the disk is full or cannot be written.
    """
    try:
        import jinja2
        from markupsafe import Markup
    except ModuleNotFoundError as error:
        raise MissingExtraError.for_extra("report", error.name or "jinja2") from error
    package = files("globmed.data.describing")
    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(lambda file: package.joinpath(file).read_text(encoding="utf-8")),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["count"] = lambda number: f"{number:,}"
    text = environment.get_template("page.html").render(
        page=description,
        name=name,
        style=Markup(package.joinpath("page.css").read_text(encoding="utf-8")),  # noqa: S704 - ours
        rows=languages(),
        sizes=shaded(
            [[description.count(source=s, language=c) for s in description.sources] for c in description.languages]
        ),
        origins=("native", "machine", "expert"),
        splits=get_args(Split),
        panels=panels(description.lengths),
        checks=checks(description),
        chance=chance,
    )
    write_text(out / PAGE, text)
    return out / PAGE


def shaded(counts: Sequence[Sequence[int]]) -> list[list[Shaded]]:
    """Shade numbers by their logarithm, for sources differ in size by a factor of a thousand."""
    top = math.log1p(max((count for row in counts for count in row), default=0)) or 1.0
    return [[Shaded(count=count, shade=round(DARKEST * math.log1p(count) / top, 1)) for count in row] for row in counts]


def panels(lengths: Sequence[Length]) -> list[Panel]:
    """Place lengths on an axis for each source, which ends at a round number."""
    found = []
    for source in dict.fromkeys(length.source for length in lengths):
        members = [length for length in lengths if length.source == source]
        end = rounded_up(max(length.high for length in members))
        found.append(Panel(source=source, end=end, strips=tuple(_strip(length, end) for length in members)))
    return found


def rounded_up(number: int) -> int:
    """Return the next of 1, 2, 5, 10, 20, 50 and so on that is not below a number."""
    power = int(f"1{'0' * (len(str(number)) - 1)}")
    return next(step * power for step in (1, 2, 5, 10) if step * power >= number)


def _strip(length: Length, end: int) -> Strip:
    def place(value: int) -> float:
        return round(100 * value / end, 2)

    return Strip(
        length=length,
        low=place(length.low),
        quarter=place(length.quarter),
        median=place(length.median),
        three_quarters=place(length.three_quarters),
        high=place(length.high),
    )


def checks(description: Description) -> list[tuple[str, str, list[Shaded]]]:
    """Return a row for each check and severity: items with a finding, by language; the gravest first."""
    by: dict[tuple[str, str], dict[str, Found]] = {}
    for found in description.findings:
        by.setdefault((found.check, found.severity), {})[found.language] = found
    order = sorted(by, key=lambda key: (SEVERITIES.index(key[1]), key[0]))
    counts = [[by[key][code].items if code in by[key] else 0 for code in description.languages] for key in order]
    return [(check, severity, row) for (check, severity), row in zip(order, shaded(counts), strict=True)]


def chance(p_value: float | None) -> str:
    """Say what a p-value of the balance of right options means."""
    if p_value is None:
        return "too few to tell from chance"
    if p_value < 0.001:
        return "more uneven than chance makes it (p\u00a0<\u00a00.001)"
    return f"{'perhaps' if p_value < 0.05 else 'not'} more uneven than chance makes it (p\u00a0=\u00a0{p_value:.3f})"
