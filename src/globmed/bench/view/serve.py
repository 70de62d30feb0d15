"""Serves the view of runs on this machine until it is stopped."""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from pathlib import Path

from globmed.bench.view.build import build_view
from globmed.bench.view.store import View
from globmed.core.errors import EnvironmentFailedError, InterruptedRunError, MissingExtraError, UsageError

ADDRESS = "127.0.0.1"


def serve_view(runs: Sequence[Path], *, port: int = 0, on_ready: Callable[[str], None]) -> None:
    """Make the views of runs where they are not up to date, and serve them until SIGINT or SIGTERM.

    Args:
        runs: folders of scored runs.
        port: 0 for a free one.
        on_ready: called with the address as soon as it answers.

    Raises:
        UsageError: no run is given, or one was not scored since it last asked a model.
        InputError: a folder holds no run.
        EnvironmentFailedError: the port is taken.
        MissingExtraError: the extra `review` is not installed.
    """
    try:
        import jinja2  # noqa: F401 - `pages` needs it later
        import uvicorn

        from globmed.bench.view.app import Shown, make_app
    except ModuleNotFoundError as error:
        raise MissingExtraError.for_extra("review", error.name or "fastapi") from error
    if not runs:
        raise UsageError("no run given; name the folder of at least one scored run")
    with _listening(port) as listening:
        app = make_app([Shown(run.resolve(), View(build_view(run))) for run in runs])
        config = uvicorn.Config(app, log_level="warning", access_log=False, server_header=False, ws="none")
        on_ready(f"http://{ADDRESS}:{listening.getsockname()[1]}/")
        try:
            uvicorn.Server(config).run(sockets=[listening])
        except (InterruptedRunError, KeyboardInterrupt):
            # It is how a server ends, and uvicorn has answered whoever was waiting.
            return


def _listening(port: int) -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((ADDRESS, port))
        made.listen()
    except (OSError, OverflowError) as error:
        made.close()
        raise EnvironmentFailedError(f"{ADDRESS}:{port}: cannot be opened: {error}. Name another --port") from error
    return made
