"""A table as text: what the page, the Markdown file and nothing else lay out. All numbers in it are already written."""

from __future__ import annotations

from dataclasses import dataclass

from globmed.bench.report.measure import Name


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One cell.

    Attributes:
        value: the number, or an en dash where there is none.
        interval: its bounds in brackets; may be empty.
        detail: a further line, such as the parts of a count or the reason of an empty cell.
        mark: a sign that the table's notes explain.
        order: what rows are sorted by; None stands last.
    """

    value: str
    interval: str = ""
    detail: str = ""
    mark: str = ""
    order: float | None = None


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What models are chosen by; empty where the catalog does not know.

    Attributes:
        kind: `open` or `proprietary`.
        field: `medical` or `general`.
        billions: parameters.
    """

    kind: str = ""
    field: str = ""
    billions: float | None = None


@dataclass(frozen=True, kw_only=True)
class Row:
    """A row: its name and a cell for each column; `facts` where it is a model's."""

    name: Name
    cells: tuple[Cell, ...]
    strong: bool = False
    facts: Facts | None = None


@dataclass(frozen=True, kw_only=True)
class Group:
    """Rows under one heading; the heading may be empty."""

    heading: str
    rows: tuple[Row, ...]


@dataclass(frozen=True, kw_only=True)
class Band:
    """A heading over several columns."""

    heading: str
    span: int


@dataclass(frozen=True, kw_only=True)
class Grid:
    """A table.

    Attributes:
        title: what it holds.
        caption: how to read it.
        corner: what the rows are.
        columns: names of the columns.
        groups: rows under their headings.
        bands: headings over columns; none where empty.
        notes: what its marks mean.
        words: the cells hold words, not numbers.
        models: its rows are models, which readers may sort and choose from.
        places: for each column its tier and language, as of `measure.Place`; empty where columns are something else.
    """

    title: str
    caption: str
    corner: str
    columns: tuple[Name, ...]
    groups: tuple[Group, ...]
    bands: tuple[Band, ...] = ()
    notes: tuple[str, ...] = ()
    words: bool = False
    models: bool = False
    places: tuple[tuple[str, str], ...] = ()

    @property
    def starts(self) -> tuple[int, ...]:
        """Indices of the columns where a band begins."""
        return tuple(sum(band.span for band in self.bands[:index]) for index in range(len(self.bands)))
