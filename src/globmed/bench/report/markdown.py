"""The report as Markdown: the same sentences and tables, figures as links to their files beside it."""

from __future__ import annotations

from collections.abc import Iterator

from globmed.bench.report.content import Content
from globmed.bench.report.drawing import Figure
from globmed.bench.report.grid import Cell, Grid
from globmed.bench.report.items import items_markdown
from globmed.bench.report.measure import Name
from globmed.bench.report.wording import markdown


def as_markdown(shown: Content) -> str:
    """Lay out the report as Markdown; text from models and data cannot become markup."""
    return "\n\n".join(_blocks(shown)) + "\n"


def _blocks(shown: Content) -> Iterator[str]:
    yield f"# {markdown(shown.title)}"
    if shown.note:
        yield f"> **{markdown(shown.note)}**"
    for section in shown.sections:
        yield f"## {markdown(section.heading)}"
        yield from (markdown(sentence) for sentence in section.summary)
        for block in section.blocks:
            yield from (_drawing(block) if isinstance(block, Figure) else _table(block))
    yield "## Language by language"
    for page in shown.languages:
        yield f"### {_head(page.name).replace('<br>', ', ')}"
        yield from (markdown(sentence) for sentence in page.sentences)
        yield from _table(page.evidence)
        yield "**What is not known**"
        yield "\n".join(f"- {markdown(sentence)}" for sentence in page.unknown)
    yield from items_markdown(shown.items)
    yield "## How to read the numbers"
    yield from (markdown(paragraph) for paragraph in shown.method)
    yield "## What was left out, and why"
    yield markdown(shown.left_out)
    if shown.left_out_grid:
        yield from _table(shown.left_out_grid)
    yield "## What this was made from"
    yield markdown(shown.review)
    yield from _table(shown.made_from)


def _drawing(figure: Figure) -> Iterator[str]:
    yield f"![{markdown(figure.title)}]({figure.name}.png)"
    yield f"*{markdown(figure.caption)}*"


def _table(grid: Grid) -> Iterator[str]:
    yield f"**{markdown(grid.title)}.** {markdown(grid.caption)}"
    bands = [band.heading for band in grid.bands for _ in range(band.span)]
    heads = [_head(column) for column in grid.columns]
    if bands:
        heads = [f"{head}<br>{markdown(band)}" for head, band in zip(heads, bands, strict=True)]
    lines = [_line([markdown(grid.corner), *heads]), _line(["---", *("---:" for _ in grid.columns)])]
    for group in grid.groups:
        if group.heading:
            lines.append(_line([f"**{markdown(group.heading)}**", *("" for _ in grid.columns)]))
        lines += [_line([_head(row.name), *(_cell(cell) for cell in row.cells)]) for row in group.rows]
    yield "\n".join(lines)
    if grid.notes:
        yield "\n".join(f"- {markdown(note)}" for note in grid.notes)


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _head(name: Name) -> str:
    return "<br>".join(markdown(part) for part in (name.text, name.own, name.detail) if part)


def _cell(cell: Cell) -> str:
    parts = " ".join(part for part in (cell.value + cell.mark, cell.interval) if part)
    return markdown(f"{parts} ({cell.detail})" if cell.detail else parts)
