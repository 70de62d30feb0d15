"""`globmed list`: what there is, from the rows and files themselves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from globmed.cli import output
from globmed.cli.output import AsJson

if TYPE_CHECKING:
    from globmed.data.sources import Source
    from globmed.models.catalog import ModelRow

app = typer.Typer(help="List languages, sources, tasks, models, endpoints and prompts.", no_args_is_help=True)

Rows = list[dict[str, str]]


@app.command("languages")
def languages_command(as_json: AsJson = False) -> None:
    """List the languages and who reviewed their rows."""
    output.show(language_rows(), as_json=as_json)


@app.command("sources")
def sources_command(
    name: Annotated[str | None, typer.Argument(help="A source: show all that is known of it.")] = None,
    as_json: AsJson = False,
) -> None:
    """List the sources, their terms and where to get each, or show all of one."""
    if name is None:
        output.show(source_rows(), as_json=as_json)
        return
    from globmed.data.sources import source

    facts = source_facts(source(name))
    if as_json:
        output.print_json(facts)
        return
    shown = [{"fact": fact, "value": _words(value)} for fact, value in facts.items() if value not in ("", ())]
    output.show(shown, as_json=False)


@app.command("tasks")
def tasks_command(as_json: AsJson = False) -> None:
    """List the tasks and the ways each can be asked."""
    output.show(task_rows(), as_json=as_json)


@app.command("models")
def models_command(
    name: Annotated[str | None, typer.Argument(help="A catalog id: show all that is known of it.")] = None,
    kind: Annotated[Literal["baseline", "proprietary", "open"] | None, typer.Option("--kind")] = None,
    maker: Annotated[str, typer.Option("--maker", help="Part of the maker's name.")] = "",
    family: Annotated[str, typer.Option("--family", help="Part of the family's name.")] = "",
    medical: Annotated[bool | None, typer.Option(help="Trained for medicine.")] = None,
    reasoning: Annotated[bool | None, typer.Option(help="Thinks before it answers.")] = None,
    min_billion: Annotated[float | None, typer.Option("--min-billion", help="Parameters, in billions.")] = None,
    max_billion: Annotated[float | None, typer.Option("--max-billion", help="Parameters, in billions.")] = None,
    as_json: AsJson = False,
) -> None:
    """List the catalog's models, or show one with the source of each fact."""
    from globmed.models.catalog import catalog_rows, model_row

    if name is not None:
        _show_model(model_row(name), as_json=as_json)
        return

    def chosen(row: ModelRow) -> bool:
        size = row.parameters_billion
        return (
            (kind is None or row.kind == kind)
            and maker.casefold() in row.maker.casefold()
            and family.casefold() in row.family.casefold()
            and (medical is None or row.medical == medical)
            and (reasoning is None or row.reasoning == reasoning)
            and (min_billion is None or (size is not None and size >= min_billion))
            and (max_billion is None or (size is not None and size <= max_billion))
        )

    rows = [row for row in catalog_rows().values() if chosen(row)]
    if rows or as_json:
        output.show(model_table(rows), as_json=as_json)
    else:
        output.say("No model of the catalog is like that.")


@app.command("endpoints")
def endpoints_command(as_json: AsJson = False) -> None:
    """List the endpoint presets: where each is, its API key's variable, and what starts a server of one's own."""
    output.show(endpoint_rows(), as_json=as_json)


@app.command("prompts")
def prompts_command(
    gaps: Annotated[bool, typer.Option("--gaps", help="List only the files that are missing.")] = False,
    language: Annotated[
        list[str] | None,
        typer.Option("--language", help="Only these; with --gaps a code that is not in the table yet too; repeat."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List the prompts, who wrote them, and what is missing."""
    from globmed import prompts

    if not gaps:
        output.show([row for row in prompt_rows() if not language or row["language"] in language], as_json=as_json)
        return
    missing = [{"missing file": path} for path in prompts.gaps(language or ())]
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
            "languages": _languages(one),
            "rows": one.rows,
            "licence": one.licence,
            "terms": _terms(one),
            "citation": one.citation,
            "to get it": _obtained(one),
        }
        for one in sources().values()
    ]


def source_facts(one: Source) -> dict[str, Any]:
    """Return all that is known of a source."""
    from globmed.data.sources import WebFile

    return {
        "name": one.name,
        "title": one.title,
        "kinds": one.kinds,
        "native language": one.native_language,
        "languages": one.languages,
        "rows": one.rows,
        "home": one.url,
        "revision": one.revision,
        "licence": one.licence,
        "terms": one.terms,
        "may be redistributed": one.may_be_redistributed,
        "may be sent to endpoints of others": one.may_leave_machine,
        "citation": one.citation,
        "by hand": one.obtain,
        "fetched by globmed": tuple(
            file.url if isinstance(file, WebFile) else f"{file.repository} at {file.revision} on the Hugging Face Hub"
            for file in one.downloads
        ),
    }


def _languages(one: Source) -> str:
    if one.languages == (one.native_language,):
        return one.native_language
    return f"{', '.join(one.languages)} (native {one.native_language})"


def _terms(one: Source) -> str:
    forbidden = [] if one.may_be_redistributed else ["not to be published"]
    forbidden += [] if one.may_leave_machine else ["not to be sent to endpoints of others"]
    return "; ".join(part for part in (one.terms, *forbidden) if part) or "–"


def _obtained(one: Source) -> str:
    fetch = f"globmed data fetch {one.name}"
    return f"`{fetch}`, or: {one.obtain}" if one.downloads and fetch not in one.obtain else one.obtain


def task_rows() -> Rows:
    """Return one row a task."""
    from globmed.bench.tasks import tasks

    return [
        {"name": one.name, "kinds": ", ".join(one.kinds), "answers": ", ".join(one.prompts)} for one in tasks().values()
    ]


def model_table(rows: Sequence[ModelRow]) -> list[dict[str, Any]]:
    """Return models as rows of a table; what is not known is None."""
    return [
        {
            "id": row.id,
            "maker": row.maker or None,
            "kind": row.kind,
            "billion": _number(row.parameters_billion),
            "active": _number(row.active_billion),
            "context": row.context_tokens,
            "licence": row.licence or None,
            "released": str(row.released) if row.released else None,
            "what": row.summary,
        }
        for row in rows
    ]


def endpoint_rows() -> Rows:
    """Return one row an endpoint preset."""
    from globmed.models.catalog import preset_rows

    return [
        {
            "id": row.id,
            "what": row.summary,
            "base URL": row.base_url,
            "key from": row.key_variable or "none needed",
            "on this machine": "yes" if row.on_this_machine else "no",
        }
        for row in preset_rows().values()
    ]


def _show_model(row: ModelRow, *, as_json: bool) -> None:
    import msgspec

    if as_json:
        output.print_json(msgspec.to_builtins(row))
        return
    output.say(f"{row.id}: {row.summary}")
    facts = [
        {"fact": name.replace("_", " "), "value": _words(value), "source": row.source_of(name) or "–"}
        for name, value in row.facts().items()
    ]
    if row.price is not None:
        price = row.price
        cached = "" if price.cached is None else f", {price.cached:g} read from cache"
        value = f"US$ {price.input:g} read{cached}, {price.output:g} written, a million tokens, on {price.on}"
        facts.append({"fact": "price", "value": value, "source": price.source})
    output.show(facts, as_json=False)
    if row.kind != "baseline":
        output.say(f"To ask it: globmed bench run --model {row.id}{'' if row.endpoint else '@ENDPOINT'} ...")


def _number(value: float | None) -> str | None:
    return None if value is None else f"{value:g}"


def _words(value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


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
