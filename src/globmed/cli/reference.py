"""Writes docs/reference.md from the program itself: `python -m globmed.cli.reference > docs/reference.md`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import typer

from globmed.cli import listing
from globmed.cli.main import app
from globmed.models.catalog import catalog_rows

WIDTH = 100
SECTIONS: dict[str, Callable[[], Sequence[Mapping[str, Any]]]] = {
    "Languages": listing.language_rows,
    "Sources": listing.source_rows,
    "Tasks": listing.task_rows,
    "Models": lambda: listing.model_table(list(catalog_rows().values())),
    "Endpoints": listing.endpoint_rows,
    "Prompts": listing.prompt_rows,
}


def reference() -> str:
    """Return the page as Markdown: what there is, then every command's help."""
    parts = ["# Reference", "Written by `make docs`; do not edit."]
    for title, rows in SECTIONS.items():
        parts += [f"## {title}", _table(rows())]
    parts.append("## Commands")
    command = typer.main.get_command(app)
    for name, text in _helps(command, "globmed", None):
        parts += [f"### `{name}`", f"```\n{text.strip()}\n```"]
    return "\n\n".join(parts) + "\n"


def _table(rows: Sequence[Mapping[str, Any]]) -> str:
    names = list(rows[0])
    cells = [["" if row[name] is None else str(row[name]).replace("|", "\\|") for name in names] for row in rows]
    lines = [names, ["---"] * len(names), *cells]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _helps(command: Any, name: str, parent: Any) -> Iterator[tuple[str, str]]:
    context = typer.Context(command, info_name=name, parent=parent, terminal_width=WIDTH, max_content_width=WIDTH)
    yield context.command_path, command.get_help(context)
    for inner, below in getattr(command, "commands", {}).items():
        yield from _helps(below, inner, context)


if __name__ == "__main__":
    sys.stdout.write(reference())
