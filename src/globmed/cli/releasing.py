"""`globmed data release` and `globmed data stats`: a dataset for others, and what is in it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from globmed.cli import output
from globmed.cli.output import AsJson

if TYPE_CHECKING:
    from globmed.data.describing import Description
    from globmed.data.release import Format

Folder = Annotated[Path, typer.Argument(help="Folder of a finished stage.", metavar="STAGE")]


def release_command(
    folder: Folder,
    out: Annotated[Path, typer.Option("--out", help="The dataset's folder; `release` is written there.")],
    private: Annotated[bool, typer.Option("--private", help="Keep items that may not be redistributed.")] = False,
    formats: Annotated[
        str,
        typer.Option(
            "--format",
            metavar="NAME,...",
            help="Besides parquet, which is always written: jsonl; globmed, the layout its authors publish in.",
        ),
    ] = "parquet",
    leave_out: Annotated[
        list[str] | None, typer.Option("--leave-out", metavar="SOURCE", help="A source that stays out; repeat.")
    ] = None,
    keep_blocked: Annotated[
        bool, typer.Option("--keep-blocked", help="Keep items that a standing finding blocks.")
    ] = False,
    name: Annotated[str, typer.Option("--name", help="Of the dataset, as in the name of a repository.")] = "globmed",
    version: Annotated[str, typer.Option("--version", help="Three numbers, as 1.2.0.")] = "1.0.0",
    url: Annotated[str, typer.Option("--url", help="Where it is to be published.")] = "",
    creator: Annotated[str, typer.Option("--creator", help="Who publishes it.")] = "",
    day: Annotated[str, typer.Option("--date", help="Day of publication, as 2026-11-22. Default: not stated.")] = "",
    as_json: AsJson = False,
) -> None:
    """Write one file a source, language and split, with a card; refuse a train part that holds a test question."""
    from globmed.data.pipeline import release_items
    from globmed.data.release import Choice

    choice = Choice(
        leave_out=tuple(leave_out or ()),
        keep_blocked=keep_blocked,
        # Choice refuses any other name.
        formats=cast("tuple[Format, ...]", tuple(part.strip() for part in formats.split(","))),
        name=name,
        version=version,
        url=url,
        creator=creator,
        day=day,
    )
    released = release_items(folder, out=out, private=private, choice=choice)
    output.stage(released, title="Released", as_json=as_json)
    if "globmed" in choice.formats and not as_json:
        output.say(f"In the layout of GlobMed's authors: {out / 'release-globmed'}")


def stats_command(
    folder: Folder,
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder for the same drawn as one page, stats.html.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Say what a stage holds: languages, sources, origin and length of texts, right options, findings, overlaps."""
    import msgspec

    from globmed.data.describing import describe, write_page

    description = describe(folder)
    page = write_page(description, out=out, name=folder.resolve().name) if out else None
    if as_json:
        output.print_json(msgspec.to_builtins(description))
        return
    for title, rows in _tables(description).items():
        if rows:
            output.show(rows, as_json=False, title=title)
    if page:
        output.say(f"Drawn: {page}")


def _tables(description: Description) -> dict[str, list[dict[str, Any]]]:
    from globmed.data.describing import chance

    found: dict[tuple[str, str], dict[str, int]] = {}
    for one in description.findings:
        found.setdefault((one.check, one.severity), {})[one.language] = one.items
    return {
        f"Items of the stage {description.stage!r}": [
            {
                "language": origin.language,
                **{name: description.count(source=name, language=origin.language) for name in description.sources},
                "together": description.count(language=origin.language),
                "native": origin.native,
                "machine": origin.machine,
                "expert": origin.expert,
            }
            for origin in description.origins
        ],
        "Length in graphemes": [
            {
                "source": one.source,
                "language": one.language,
                "5 %": one.low,
                "25 %": one.quarter,
                "median": one.median,
                "75 %": one.three_quarters,
                "95 %": one.high,
            }
            for one in description.lengths
        ],
        "Where the right option stands": [
            {
                "source": one.source,
                "counted in": one.language,
                "options": one.options,
                "questions": one.questions,
                "right at A, B, ...": ", ".join(f"{100 * count / one.questions:.0f} %" for count in one.right),
                "chance": chance(one.p_value),
            }
            for one in description.balances
        ],
        "Items with a finding that stands": [
            {"check": check, "severity": severity, **{code: by.get(code, 0) for code in description.languages}}
            for (check, severity), by in found.items()
        ],
        "Clusters that sources share": [
            {"source": one.first, "and source": one.second, "clusters": one.clusters} for one in description.crossings
        ],
    }
