"""What a journal tells of a campaign, whether or not it is being written at this moment."""

from __future__ import annotations

from array import array
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from globmed.core.errors import InputError
from globmed.models.client import Status, Usage
from globmed.models.failures import FailureKinds
from globmed.models.journal_lines import key_bytes
from globmed.models.journal_scan import Scan, scan_journal
from globmed.models.key_index import Place


@dataclass(frozen=True, kw_only=True)
class Survey:
    """The state of a journal and its compacted part.

    Attributes:
        path: the journal.
        replies: keys with a reply, those whose reply is an error included.
        compacted: of these, how many stand in the compacted part.
        statuses: keys by the status of the reply that counts.
        failures: an error's text to the number of keys that have it, or one that differs in numbers alone; the
            commonest first.
        in_flight: requests asked and not answered: under way now, or when the last writer ended.
        torn_bytes: length of a half-written record at the end, which the next writer cuts off; also what a writer is
            writing at this moment.
        usage: tokens of all replies: what was paid for, errors that were asked again included.
        bytes: length of both files.
    """

    path: Path
    replies: int
    compacted: int
    statuses: dict[Status, int]
    failures: dict[str, int]
    in_flight: int
    torn_bytes: int
    usage: Usage
    bytes: int


class Snapshot:
    """A journal as it stood when it was looked at; made by `snapshot`.

    Attributes:
        survey: its state.
    """

    def __init__(self, scan: Scan, survey: Survey) -> None:
        self._index = scan.index
        self.survey = survey

    def status(self, key: str) -> Status | None:
        """Return the status of the reply under a key of 32 hexadecimal digits; None where there is none."""
        place = self._index.get(key_bytes(key))
        return None if place is None else place.status


def survey(path: Path) -> Survey:
    """Look at a journal without a lock, whatever its length.

    Raises:
        InputError: there is no such file, it is not a journal, it is damaged before its last records, or its compacted
            part is missing or damaged.
    """
    return snapshot(path).survey


def snapshot(path: Path) -> Snapshot:
    """Look at a journal as `survey` does, and be able to tell the status of each key afterwards, at 24 bytes a key.

    Raises:
        InputError: as `survey` does.
    """
    if not path.is_file():
        raise InputError.at(str(path), found="no file", expected="a journal")
    with path.open("rb") as file, closing(scan_journal(path, file)) as scan:
        return Snapshot(
            scan,
            Survey(
                path=path,
                replies=len(scan.index),
                compacted=scan.part.rows if scan.part else 0,
                statuses=scan.index.statuses,
                failures=_failures(scan, file.fileno()),
                in_flight=len(scan.asked),
                torn_bytes=scan.torn_bytes,
                usage=scan.usage,
                bytes=scan.end + scan.torn_bytes + (scan.part.path.stat().st_size if scan.part else 0),
            ),
        )


def _failures(scan: Scan, fd: int) -> dict[str, int]:
    kinds, rows, offsets = FailureKinds(), array("Q"), array("Q")
    for place in scan.index.errors():
        (rows if place.compacted else offsets).append(place.at)
    # In the order of the files, for speed and so that the first of a kind is the first that came.
    for compacted, places in ((True, rows), (False, offsets)):
        for at in np.sort(np.array(places, np.uint64)):
            kinds.add(scan.reply(fd, Place("error", compacted, int(at))).finish)
    return kinds.commonest_first()
