"""Saves replies in a process of its own, for tests that end it: JOURNAL NUMBER [FILE_BYTES_MAX].

Prints the key of each reply once it is reported as saved, and exits as the command line would.
"""

import asyncio
import resource
import sys
from collections.abc import Iterator
from pathlib import Path

from globmed.core.errors import GlobmedError
from globmed.models.client import Reply
from globmed.models.journal import Journal


async def save(journal: Journal, numbers: Iterator[int]) -> None:
    """Ask and save, as one of several at once."""
    for number in numbers:
        key = f"{number:032x}"
        journal.ask([key])
        await journal.commit([(key, Reply(status="ok", text=f"answer {number} " * 20))])
        sys.stdout.write(f"{key}\n")
        sys.stdout.flush()


async def main(path: Path, number: int) -> None:
    """Save `number` replies."""
    numbers = iter(range(number))
    with Journal.open(path) as journal:
        async with asyncio.TaskGroup() as group:
            for _ in range(8):
                group.create_task(save(journal, numbers))


if __name__ == "__main__":
    if len(sys.argv) > 3:
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]), int(sys.argv[3])))
    try:
        asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))
    except* GlobmedError as errors:
        sys.stderr.write(f"{errors.exceptions[0]}\n")
        sys.exit(3)
