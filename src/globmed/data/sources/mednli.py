"""MedNLI: does a sentence on a patient follow from a clinical note? Written by physicians on notes of MIMIC-III.

11,232 train, 1,395 dev and 1,422 test pairs. Four physicians each read a sentence of the past medical history of a
deceased patient (`sentence1`) and wrote one sentence that is surely true, one that may be and one that is surely false
(`sentence2`). The three on one note are one cluster, by the note's text, for `pairID` says nothing of it.

MedNLI is credentialed: whoever uses it has signed a data use agreement that forbids giving it to anybody else. So
globmed never fetches it, its items never go to an endpoint off the machine and no public release holds them.

Home: https://physionet.org/content/mednli/. Revision: 1.0.0 (https://doi.org/10.13026/C2RS98).
Licence: PhysioNet Credentialed Health Data License 1.5.0.
Citation: Romanov and Shivade, "Lessons from Natural Language Inference in the Clinical Domain", EMNLP 2018.

One line of `mli_dev_v1.jsonl`, an invented pair (the publisher's rows also hold parse trees of both sentences):

    {"pairID": "00000000-0000-4000-8000-000000000001", "gold_label": "contradiction",
     "sentence1": "The patient never smoked.", "sentence2": "The patient smokes a pack of cigarettes a day."}
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

import msgspec

from globmed.core.errors import InputError
from globmed.core.item import Finding, Item, Provenance, Split
from globmed.data.intake import Placed, content_key, find_files, read_rows, split_of
from globmed.data.sources import Dropped, Source

Label = Literal["entailment", "neutral", "contradiction"]
LABELS: tuple[Label, ...] = ("entailment", "neutral", "contradiction")


class Row(msgspec.Struct, frozen=True):
    """The fields used of one line."""

    sentence1: str
    sentence2: str
    gold_label: Label
    pair_id: str = msgspec.field(name="pairID")


def read(path: Path, languages: Sequence[str], _seed: int) -> Iterator[Item | Dropped]:
    """Give every pair of the files at or below `path`."""
    files = find_files(
        path,
        r"mli_(train|dev|test)_v1\.jsonl",
        expected="mli_{train,dev,test}_v1.jsonl",
        obtain=SOURCE.obtain,
    )
    for code in languages:
        for file in files:
            split = split_of(file)
            for placed in read_rows(file, Row):
                yield _item(placed, code, split=split)


def _item(placed: Placed[Row], code: str, *, split: Split) -> Item:
    row, place = placed.row, placed.place
    if not row.pair_id.strip():
        raise InputError.at(place, found="an empty pairID", expected="the pair's own")
    return Item(
        family=f"mednli:{row.pair_id}",
        cluster=f"mednli:note:{content_key(row.sentence1, ())}",
        language=code,
        kind="nli",
        source=SOURCE.name,
        split=split,
        context=row.sentence1,
        question=row.sentence2,
        options=LABELS,
        answer=(LABELS.index(row.gold_label),),
        region="US",
        provenance=Provenance(
            native_language=SOURCE.native_language,
            place=place,
            findings=_findings(row),
            licence=SOURCE.licence,
            may_leave_machine=SOURCE.may_leave_machine,
            may_be_redistributed=SOURCE.may_be_redistributed,
        ),
    )


def _findings(row: Row) -> tuple[Finding, ...]:
    texts = {"context": ("sentence1", row.sentence1), "question": ("sentence2", row.sentence2)}
    return tuple(
        Finding(check=f"{field}_empty", severity="block", field=field, message=f"{name} is empty")
        for field, (name, text) in texts.items()
        if not text.strip()
    )


SOURCE = Source(
    name="mednli",
    title="MedNLI",
    kinds=("nli",),
    native_language="en",
    languages=("en",),
    url="https://physionet.org/content/mednli/",
    revision="1.0.0",
    licence="PhysioNet Credentialed Health Data License 1.5.0",
    citation='Romanov and Shivade. "Lessons from Natural Language Inference in the Clinical Domain". EMNLP 2018.',
    terms=(
        "Credentialed users only; never to be given to others, endpoints of third parties included; no attempt to "
        "identify a patient."
    ),
    rows="11,232 train, 1,395 dev and 1,422 test pairs of a note's sentence and a hypothesis",
    obtain=(
        "Get an account at https://physionet.org, become a credentialed user (identity, reference and the CITI course "
        "'Data or Specimens Only Research'), sign the data use agreement at the foot of "
        "https://physionet.org/content/mednli/1.0.0/, download the three mli_*_v1.jsonl from there yourself onto a "
        "machine that only credentialed users can read, and name their folder"
    ),
    read=read,
    may_leave_machine=False,
    may_be_redistributed=False,
)
