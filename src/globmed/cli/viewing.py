"""`globmed bench view`: look at questions and replies in the browser."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from globmed.cli import output


def view_command(
    runs: Annotated[list[Path], typer.Argument(help="Folders of scored runs.", metavar="RUN...")],
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="On 127.0.0.1; 0 for a free one.")] = 0,
    open_browser: Annotated[bool, typer.Option("--open/--no-open", help="Open the page in the browser.")] = True,
) -> None:
    """Show every question and reply of runs in the browser, with filters and marks for review, until Ctrl-C."""
    import webbrowser

    from globmed.bench.view.serve import serve_view

    def ready(address: str) -> None:
        output.say(f"{address}   Ctrl-C ends it")
        sys.stdout.flush()
        if open_browser:
            webbrowser.open(address)

    sys.stderr.write("Getting ready; of millions of replies this takes minutes the first time\n")
    serve_view(runs, port=port, on_ready=ready)
