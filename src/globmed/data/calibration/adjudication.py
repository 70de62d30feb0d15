"""Which flagged translations are truly wrong: a sample for people to read, and what they found.

A human translation that was flagged may hold a real error. The sample is drawn by a hash of the pair and the seed, so
that a pair stays in it for as long as it is flagged, whatever becomes of the others. Verdicts are kept without the
texts, whose licences differ; `adjudicated.csv` beside this module says in every row who judged.
"""

from __future__ import annotations

import csv
import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from io import StringIO
from itertools import zip_longest
from pathlib import Path
from typing import Literal, get_args

import msgspec

from globmed.core.errors import EnvironmentFailedError, InputError
from globmed.data.calibration.measuring import Judged
from globmed.data.calibration.places import texts

SAMPLE_SIZE = 100
Word = Literal["error", "fine", "unsure"]
Key = tuple[str, str]
"""The id of a pair, and its direction, such as `en-es`."""

_COLUMNS = ("id", "direction", "checks", "findings", "original", "translation", "verdict", "reason", "adjudicated_by")


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What somebody who read a flagged pair says of it.

    Attributes:
        id: of the pair.
        direction: the two languages, such as `en-es`.
        checks: the checks that flagged it, by findings as grave as its gravest, joined by `;`.
        verdict: `error` where what the findings point at changes what the original says, `fine` where not, `unsure`.
        reason: in a few words.
        adjudicated_by: who read it.
    """

    id: str
    direction: str
    checks: str
    verdict: Word
    reason: str
    adjudicated_by: str


def draw_sample(judged: Iterable[Judged], *, seed: int, size: int = SAMPLE_SIZE) -> list[Judged]:
    """Draw a sample of the flagged pairs, in turn from the languages, in each the blocked ones first."""
    by_language: dict[str, list[Judged]] = defaultdict(list)
    for one in sorted(judged, key=lambda one: (one.level() != "block", _rank(one, seed))):
        if one.level() in {"block", "review"}:
            by_language[one.language].append(one)
    rounds = zip_longest(*(by_language[code] for code in sorted(by_language)))
    return [one for turn in rounds for one in turn if one is not None][:size]


def sample_csv(sample: Sequence[Judged], verdicts: Mapping[Key, Verdict]) -> str:
    """Return the sample as a table for people, with the texts, and with the verdicts that there are."""
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for one in sample:
        known = verdicts.get(key(one))
        findings = [finding for finding in one.findings if finding.severity == one.level()]
        writer.writerow(
            [
                *key(one),
                flagging_checks(one),
                "\n".join(f"{finding.check} {finding.field}: {finding.message}" for finding in findings),
                *("\n".join(f"{place}: {text}" for place, text in texts(item).items()) for item in one.pair),
                *((known.verdict, known.reason, known.adjudicated_by) if known else ("", "", "")),
            ]
        )
    return text.getvalue()


def read_verdicts(path: Path | None = None) -> dict[Key, Verdict]:
    """Read verdicts by pair: the package's own, or those of a sample that people have filled in.

    Raises:
        InputError: a column is missing, or a verdict is none of `error`, `fine` and `unsure`.
        EnvironmentFailedError: the file cannot be read.
    """
    place = path or files("globmed.data.calibration").joinpath("adjudicated.csv")
    try:
        text = place.read_text(encoding="utf-8")
    except OSError as error:
        raise EnvironmentFailedError(f"{place}: could not be read: {error.strerror or error}") from error
    verdicts = {}
    for line, row in enumerate(csv.DictReader(StringIO(text)), start=2):
        if row.get("verdict") == "" and path is not None:
            continue  # not judged yet
        try:
            one = msgspec.convert(row, Verdict)
        except msgspec.ValidationError as error:
            expected = f"the columns of a Verdict, its verdict one of {', '.join(get_args(Word))}"
            raise InputError.at(f"{place}:{line}", found=str(error), expected=expected) from error
        verdicts[one.id, one.direction] = one
    return verdicts


def verdicts_csv(sample: Sequence[Judged], verdicts: Mapping[Key, Verdict]) -> str:
    """Return the verdicts on a sample without its texts, as `adjudicated.csv` keeps them."""
    text = StringIO()
    names = list(Verdict.__dataclass_fields__)
    writer = csv.DictWriter(text, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(vars(verdicts[key(one)]) for one in sample if key(one) in verdicts)
    return text.getvalue()


def key(one: Judged) -> Key:
    """Return what verdicts name a pair by."""
    return one.pair.id, one.pair.direction


def flagging_checks(one: Judged) -> str:
    """Return the checks that gave a pair the gravest findings it has, joined by `;`."""
    return ";".join(sorted({finding.check for finding in one.findings if finding.severity == one.level()}))


def _rank(one: Judged, seed: int) -> bytes:
    return hashlib.sha256("\n".join((str(seed), *key(one))).encode()).digest()
