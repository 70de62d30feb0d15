"""`globmed list`: what there is, from the rows and files themselves."""

from __future__ import annotations

from typing import Annotated

import typer

from globmed.cli import output
from globmed.cli.output import AsJson

app = typer.Typer(help="List languages, sources, tasks, models and prompts.", no_args_is_help=True)


@app.command("languages")
def languages_command(as_json: AsJson = False) -> None:
    """List the languages and who reviewed their rows."""
    from globmed.core.language import languages

    rows = [
        {
            "code": row.code,
            "name": row.english_name,
            "own name": row.own_name,
            "script": row.script,
            "tier": row.tier,
            "written by": row.written_by,
            "reviewed by": row.reviewed_by or "nobody yet",
        }
        for row in languages().values()
    ]
    output.show(rows, as_json=as_json)


@app.command("sources")
def sources_command(as_json: AsJson = False) -> None:
    """List the sources, their terms and where to get each."""
    from globmed.data.sources import sources

    rows = [
        {
            "name": one.name,
            "title": one.title,
            "languages": ", ".join(one.languages) if len(one.languages) < 8 else f"{len(one.languages)} languages",
            "licence": one.licence,
            "to get it": one.obtain,
        }
        for one in sources().values()
    ]
    output.show(rows, as_json=as_json)


@app.command("tasks")
def tasks_command(as_json: AsJson = False) -> None:
    """List the tasks and the ways each can be asked."""
    from globmed.bench.tasks import tasks

    rows = [
        {"name": one.name, "kinds": ", ".join(one.kinds), "answers": ", ".join(one.prompts)} for one in tasks().values()
    ]
    output.show(rows, as_json=as_json)


@app.command("models")
def models_command(as_json: AsJson = False) -> None:
    """List the catalog's models and endpoint presets."""
    from globmed.models.catalog import catalog_rows, preset_rows

    models = [{"id": row.id, "kind": row.kind, "what": row.summary} for row in catalog_rows()]
    presets = [{"id": f"api:MODEL@{row.id}", "kind": "endpoint", "what": row.summary} for row in preset_rows()]
    output.show(models + presets, as_json=as_json)


@app.command("prompts")
def prompts_command(
    gaps: Annotated[bool, typer.Option("--gaps", help="List only the files that are missing.")] = False,
    as_json: AsJson = False,
) -> None:
    """List the prompts, who wrote them, and what is missing."""
    from globmed import prompts
    from globmed.core.language import languages

    if gaps:
        output.show([{"missing file": path} for path in prompts.gaps()], as_json=as_json)
        if not as_json and not prompts.gaps():
            output.say("No prompt is missing.")
        return
    missing = set(prompts.gaps())
    loaded = [
        prompts.load(name, code)
        for name in prompts.names()
        for code in languages()
        if f"prompts/{name}/{code}.txt" not in missing
    ]
    rows = [{"name": one.name, "language": one.language, "hash": one.hash, "by": one.header} for one in loaded]
    output.show(rows, as_json=as_json)
