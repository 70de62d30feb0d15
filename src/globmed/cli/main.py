"""The command `globmed`: its areas, its exit codes, and no traceback unless asked for."""

from __future__ import annotations

import gc
import io
import os
import signal
import sys
import traceback
from types import FrameType, TracebackType
from typing import Annotated

import typer

from globmed import __version__
from globmed.cli import bench, data, demo, journal, listing, train
from globmed.core.errors import EnvironmentFailedError, GlobmedError, InterruptedRunError

app = typer.Typer(
    name="globmed",
    help="Build, benchmark and train medical language models for many languages.",
    epilog="Exit codes: 0 done; 1 the work found what it was told to fail on; 2 wrong use or bad input; "
    "3 the environment failed (disk, network, permission); 130 interrupted.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,  # rich help takes a tenth of a second to import
    pretty_exceptions_enable=False,
)
app.add_typer(data.app, name="data")
app.add_typer(bench.app, name="bench")
app.add_typer(journal.app, name="journal")
app.add_typer(train.app, name="train")
app.add_typer(listing.app, name="list")
app.command("demo")(demo.demo_command)


def print_version(wanted: bool) -> None:
    """Print the version and stop."""
    if wanted:
        sys.stdout.write(f"globmed {__version__}\n")
        raise typer.Exit


@app.callback()
def options(
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks of errors.")] = False,
    _version: Annotated[bool, typer.Option("--version", callback=print_version, is_eager=True)] = False,
) -> None:
    """Set what holds for every command."""
    if debug:
        sys.excepthook = sys.__excepthook__


def main() -> None:
    """Run the command line and leave the process with its exit code."""
    sys.excepthook = _one_line
    # Records make no cycles: looking for some after every 700 of them takes a tenth of the time of asking a model.
    gc.set_threshold(50_000)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal without Yoruba is no reason to stop
    try:
        # Called as an object, typer would put its own hook for tracebacks into the place of ours.
        typer.main.get_command(app)(prog_name="globmed")
    except GlobmedError as error:
        _fail(error)
    except (OSError, MemoryError) as error:
        _fail(EnvironmentFailedError(f"{type(error).__name__}: {error}"))


def _interrupt(number: int, _frame: FrameType | None) -> None:
    # typer would turn a KeyboardInterrupt into exit code 1, which says that the work found what it was to fail on.
    raise InterruptedRunError(f"stopped by {signal.Signals(number).name}. What was done is kept; run it again to go on")


def _fail(error: GlobmedError) -> None:
    if sys.excepthook is sys.__excepthook__:
        traceback.print_exc()
    sys.stderr.write(f"error: {error}\n")
    sys.exit(error.exit_code)


def _one_line(kind: type[BaseException], error: BaseException, _trace: TracebackType | None) -> None:
    sys.stderr.write(f"internal error: {kind.__name__}: {error}. Run again with `globmed --debug ...` and report it\n")
    sys.stderr.flush()
    # Python would exit with 1, which says that the work found what it was told to fail on.
    os._exit(EnvironmentFailedError.exit_code)
