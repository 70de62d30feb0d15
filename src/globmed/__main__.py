"""The entry of `globmed` and of `python -m globmed`: interruptions are heard before anything slow is imported."""

import os
import signal
import sys
from types import FrameType


def _stopped(_number: int, _frame: FrameType | None) -> None:
    sys.stderr.write("error: interrupted before anything was done\n")
    sys.stderr.flush()
    os._exit(130)


def main() -> None:
    """Run the command line."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stopped)
    from globmed.cli.main import main as run

    run()


if __name__ == "__main__":
    main()
