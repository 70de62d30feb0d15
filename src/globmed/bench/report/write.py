"""Writes the report: one page that opens from disk, the same as Markdown, CSV and figures."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from globmed.bench.report.content import Content, content
from globmed.bench.report.drawing import Figure
from globmed.bench.report.evidence import read_runs
from globmed.bench.report.gained import gained_rows
from globmed.bench.report.markdown import as_markdown
from globmed.bench.report.wording import spreadsheet, unbroken
from globmed.core.errors import MissingExtraError
from globmed.core.store import replacing, write_text

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, kw_only=True)
class ReportFiles:
    """What was written, as absolute paths.

    Attributes:
        html: the page.
        markdown: the same for people who read text.
        tables: CSV files, numbers unrounded.
        figures: PNG and SVG files.
    """

    html: Path
    markdown: Path
    tables: tuple[Path, ...]
    figures: tuple[Path, ...]


def write_report(
    runs: Sequence[Path],
    *,
    out: Path,
    gains: pa.Table | None = None,
    title: str = "Accuracy by model and language",
    note: str = "",
) -> ReportFiles:
    """Write the report of one or several runs into a folder.

    Args:
        runs: folders of scored runs.
        out: folder to write to; files of an earlier report are replaced.
        gains: the table that `globmed.train.gains.gains` returns, where a model was trained.
        title: heading of the page.
        note: stands boxed on top, such as what a run is not.

    Raises:
        UsageError: no run is given, or two runs measure one model on one task in one language.
        InputError: a folder holds no scores, or `gains` is another table.
        MissingExtraError: the extra `report` is not installed.
    """
    evidence = read_runs(runs)
    shown = content(evidence, gained_rows(gains) if gains is not None else [], title=title, note=note)
    tables = {**evidence.tables, **({"gains": gains} if gains is not None else {})}
    page, text = as_html(shown), as_markdown(shown)
    figures = tuple(path for figure in shown.figures for path in _write_figure(out, figure))
    html, markdown = out / "report.html", out / "report.md"
    write_text(markdown, text)
    written = tuple(_write_csv(out / f"{name}.csv", table) for name, table in tables.items())
    write_text(html, page)
    return ReportFiles(html=html, markdown=markdown, tables=written, figures=figures)


def as_html(shown: Content) -> str:
    """Lay out the page; everything but the style sheet and the checked drawings is escaped.

    Raises:
        MissingExtraError: the extra `report` is not installed.
    """
    try:
        import jinja2
        from markupsafe import Markup
    except ModuleNotFoundError as error:
        raise MissingExtraError.for_extra("report", error.name or "jinja2") from error
    folder = files("globmed.bench.report")
    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(lambda name: folder.joinpath(name).read_text(encoding="utf-8")),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["unbroken"] = unbroken
    # Ours, and checked by `drawing.draw`: the only three texts that stand in the page as they are.
    style, script = (
        Markup("\n".join(folder.joinpath(f"{part}.{kind}").read_text(encoding="utf-8") for part in ("page", "items")))  # noqa: S704
        for kind in ("css", "js")
    )
    script_hash = f"sha256-{b64encode(sha256(script.encode()).digest()).decode()}"
    drawn = {figure.name: Markup(figure.svg) for figure in shown.figures}  # noqa: S704
    return environment.get_template("page.html").render(
        page=shown, style=style, drawn=drawn, script=script, script_hash=script_hash
    )


def _write_figure(out: Path, figure: Figure) -> tuple[Path, Path]:
    svg, png = out / f"{figure.name}.svg", out / f"{figure.name}.png"
    write_text(svg, figure.svg)
    with replacing(png) as temporary:
        temporary.write_bytes(figure.png)
    return svg, png


def _write_csv(path: Path, table: pa.Table) -> Path:
    import pyarrow as pa
    import pyarrow.csv as pc

    def safe(name: str) -> pa.ChunkedArray:
        column = table[name]
        if not pa.types.is_string(column.type):
            return column
        return pa.chunked_array(
            [[None if text is None else spreadsheet(text) for text in column.to_pylist()]], pa.string()
        )

    with replacing(path) as temporary:
        pc.write_csv(pa.table({name: safe(name) for name in table.column_names}), temporary)
    return path
