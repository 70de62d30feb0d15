"""`globmed list`: what there is, from the rows and files themselves."""

from __future__ import annotations

from typing import Annotated

import typer

from globmed.cli import output
from globmed.cli.output import AsJson

app = typer.Typer(help="List languages, sources, tasks, models and prompts.", no_args_is_help=True)

Rows = list[dict[str, str]]


@app.command("languages")
def languages_command(as_json: AsJson = False) -> None:
    """List the languages and who reviewed their rows."""
    output.show(language_rows(), as_json=as_json)


@app.command("sources")
def sources_command(as_json: AsJson = False) -> None:
    """List the sources, their terms and where to get each."""
    output.show(source_rows(), as_json=as_json)


@app.command("tasks")
def tasks_command(as_json: AsJson = False) -> None:
    """List the tasks and the ways each can be asked."""
    output.show(task_rows(), as_json=as_json)


@app.command("models")
def models_command(as_json: AsJson = False) -> None:
    """List the catalog's models and endpoint presets."""
    output.show(model_rows(), as_json=as_json)


@app.command("prompts")
def prompts_command(
    gaps: Annotated[bool, typer.Option("--gaps", help="List only the files that are missing.")] = False,
    as_json: AsJson = False,
) -> None:
    """List the prompts, who wrote them, and what is missing."""
    from globmed import prompts

    if not gaps:
        output.show(prompt_rows(), as_json=as_json)
        return
    missing = [{"missing file": path} for path in prompts.gaps()]
    if missing or as_json:
        output.show(missing, as_json=as_json)
    else:
        output.say("No prompt is missing.")


def language_rows() -> Rows:
    """Return one row a language."""
    from globmed.core.language import languages

    return [
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


def source_rows() -> Rows:
    """Return one row a source."""
    from globmed.data.sources import sources

    return [
        {
            "name": one.name,
            "title": one.title,
            "languages": ", ".join(one.languages),
            "licence": one.licence,
            "to get it": one.obtain,
        }
        for one in sources().values()
    ]


def task_rows() -> Rows:
    """Return one row a task."""
    from globmed.bench.tasks import tasks

    return [
        {"name": one.name, "kinds": ", ".join(one.kinds), "answers": ", ".join(one.prompts)} for one in tasks().values()
    ]


def model_rows() -> Rows:
    """Return one row a model of the catalog, and one an endpoint preset."""
    from globmed.models.catalog import catalog_rows, preset_rows

    models = [{"id": row.id, "kind": row.kind, "what": row.summary} for row in catalog_rows()]
    return models + [{"id": f"api:MODEL@{row.id}", "kind": "endpoint", "what": row.summary} for row in preset_rows()]


def prompt_rows() -> Rows:
    """Return one row a prompt file."""
    from globmed import prompts
    from globmed.core.language import languages

    missing = set(prompts.gaps())
    return [
        {"name": name, "language": code, "hash": prompt.hash, "by": prompt.header}
        for name in prompts.names()
        for code in languages()
        if f"prompts/{name}/{code}.txt" not in missing
        for prompt in (prompts.load(name, code),)
    ]
