"""A compaction in a process of its own that kills itself: JOURNAL CALLS NUMBER [FILE_BYTES_MAX].

Of the calls that concern the journal's folder, those that open, rename or remove a file there or the folder itself, the
one of that number (from 1) is never made; with 0 all are. CALLS is `all`, or `seams` to count renames and syncs only.
Prints a line when it begins.
"""

import os
import resource
import signal
import sys
from itertools import count
from pathlib import Path

from globmed.core.errors import GlobmedError
from globmed.models.compaction import compact


def kill_at(call: int, folder: Path, *, seams: bool) -> None:
    """End this process at once, before it makes a call."""
    number = count(1)

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        if event not in {"open", "os.rename", "os.remove"} or not str(arguments[0]).startswith(str(folder)):
            return
        if seams and not (event == "os.rename" or arguments[0] == str(folder)):
            return
        if next(number) == call:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)


if __name__ == "__main__":
    path = Path(sys.argv[1])
    if len(sys.argv) > 4:
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[4]), int(sys.argv[4])))
    sys.stdout.write("begins\n")
    sys.stdout.flush()
    kill_at(int(sys.argv[3]), path.parent, seams=sys.argv[2] == "seams")
    try:
        compact(path)
    except GlobmedError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(error.exit_code)
