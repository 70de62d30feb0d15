"""A campaign in a process of its own, for tests that end it: URL JOURNAL NUMBER CONCURRENCY [FILE_BYTES_MAX].

Prints what the journal held at the start and what the campaign did, as JSON lines, and exits as the command line would.
"""

import json
import resource
import sys
from pathlib import Path

from globmed.core.errors import GlobmedError
from globmed.models.campaign import Patience, run_campaign
from globmed.models.client import Message, Request
from globmed.models.http_api import HttpModel
from globmed.models.journal import Journal


def say(counts: dict[str, int]) -> None:
    """Write one JSON line at once."""
    sys.stdout.write(json.dumps(counts) + "\n")
    sys.stdout.flush()


def main(url: str, path: Path, number: int, concurrency: int) -> None:
    """Ask `number` questions."""
    requests = (Request(messages=(Message(role="user", content=f"question {index}"),)) for index in range(number))
    with Journal.open(path) as journal:
        opened = journal.opened
        say({"finished": opened.finished, "in_flight": len(opened.in_flight)})
        patience = Patience(retries=0)
        stats = run_campaign(requests, HttpModel("m", url), journal, concurrency=concurrency, patience=patience)
    say({"asked": stats.asked, "asked_again": stats.asked_again, "from_journal": stats.from_journal})


if __name__ == "__main__":
    if len(sys.argv) > 5:
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[5]), int(sys.argv[5])))
    try:
        main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
    except GlobmedError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(error.exit_code)
