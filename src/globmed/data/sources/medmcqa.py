"""MedMCQA: questions of Indian entrance examinations for postgraduate medicine (AIIMS, NEET PG), four options each.

182,822 train, 4,183 dev and 6,150 test questions over 21 subjects. Test comes without answers: its rows are counted
as dropped, `answer withheld`. Two traps. The publisher's own files number the right option `cop` from 1, the copy on
the Hugging Face Hub from 0: which it is shows in the values a file holds (a 4, or a 0). And some copies of dev bear one
id in all rows: there the key is a hash of question and options.

Home: https://github.com/medmcqa/medmcqa; copy: https://huggingface.co/datasets/openlifescienceai/medmcqa (Parquet).
Revision: files as described in the README of commit c59ef14. Licence: MIT (repository), Apache-2.0 (Hub).
Citation: Pal et al., "MedMCQA: A Large-scale Multi-Subject Multi-Choice Dataset for Medical domain Question Answering",
CHIL 2022.

One line of `dev.json` (JSON Lines, for all its name), an invented question:

    {"id": "0b6c7f0e-2d0a-4f3e-9a55-7f1c2e9d3a10", "question": "Deficiency of which vitamin causes scurvy?",
     "opa": "Vitamin A", "opb": "Vitamin B1", "opc": "Vitamin C", "opd": "Vitamin D", "cop": 3,
     "choice_type": "single", "exp": "Ascorbic acid is needed to hydroxylate collagen.",
     "subject_name": "Biochemistry", "topic_name": "Vitamins"}
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from globmed.core.errors import InputError
from globmed.core.item import Item, Provenance, Split
from globmed.data.intake import Placed, content_key, find_files, option_findings, read_rows, split_of
from globmed.data.sources import Dropped, HubFiles, Source

WITHHELD = -1
OPTIONS = 4


class Row(msgspec.Struct, frozen=True):
    """The fields used of one row; `cop` is absent, null or -1 where the answer is withheld."""

    id: str
    question: str
    opa: str
    opb: str
    opc: str
    opd: str
    cop: int | None = None
    exp: str | None = None
    subject_name: str | None = None

    @property
    def withheld(self) -> bool:
        """Whether the publisher keeps the answer back."""
        return self.cop is None or self.cop == WITHHELD


def read(path: Path, languages: Sequence[str], _seed: int) -> Iterator[Item | Dropped]:
    """Give every row of the files at or below `path`."""
    files = find_files(
        path,
        r"(train|dev|validation|test)([-_.].*)?\.(json|jsonl|parquet)",
        expected="{train,dev,test}.json, or the Parquet files of the Hub",
        obtain=SOURCE.obtain,
    )
    for code in languages:
        for file in files:
            split, rows = split_of(file), list(read_rows(file, Row))
            first, shared_id = _first_number(rows, file), _has_shared_id(rows)
            for placed in rows:
                if placed.row.withheld:
                    yield Dropped(place=placed.place, language=code, split=split, reason="answer withheld")
                else:
                    yield _item(placed, code, split=split, first=first, shared_id=shared_id)


def _first_number(rows: Sequence[Placed[Row]], file: Path) -> int:
    """Return what the file calls its first option: 1 where a `cop` of 4 occurs, 0 where a 0 does."""
    places = {placed.row.cop: placed.place for placed in reversed(rows) if not placed.row.withheld}
    if outside := [cop for cop in places if cop not in range(OPTIONS + 1)]:
        raise InputError.at(
            places[outside[0]], found=f"cop {outside[0]}", expected="1 to 4, or 0 to 3 in the Hub's copy"
        )
    if places and (0 in places) == (OPTIONS in places):
        found = f"both, in {places[0]} and {places[OPTIONS]}" if 0 in places else "neither"
        raise InputError.at(
            f"{file}: cop",
            found=found,
            expected="a 4 (numbered from 1, as its publisher does) or a 0 (from 0, as the Hub's copy)",
            remedy="Import the publisher's whole file, where every option is right somewhere",
        )
    return 0 if 0 in places else 1


def _has_shared_id(rows: Sequence[Placed[Row]]) -> bool:
    """Return whether all rows bear one id, which then is no key; ids of which only some repeat are refused."""
    ids = Counter(placed.row.id for placed in rows)
    if len(ids) in {1, len(rows)}:
        return len(ids) < len(rows)
    repeated = next(key for key, count in ids.items() if count > 1)
    first, second, *_ = [placed.place for placed in rows if placed.row.id == repeated]
    raise InputError.at(
        second,
        found=f"id {repeated!r}, which {first} has as well",
        expected="an id of its own",
        remedy="Remove one of the rows, or fetch the file again",
    )


def _item(placed: Placed[Row], code: str, *, split: Split, first: int, shared_id: bool) -> Item:
    row = placed.row
    options = (row.opa, row.opb, row.opc, row.opd)
    assert row.cop is not None
    right = row.cop - first
    return Item(
        family=f"medmcqa:{content_key(row.question, options) if shared_id else row.id}",
        language=code,
        kind="mcqa",
        source=SOURCE.name,
        split=split,
        question=row.question,
        options=options,
        answer=(right,),
        rationale=row.exp or "",
        specialty=row.subject_name or "",
        region="IN",
        provenance=Provenance(
            native_language=SOURCE.native_language,
            place=placed.place,
            findings=option_findings(row.question, options, answer=right),
            licence=SOURCE.licence,
        ),
    )


SOURCE = Source(
    name="medmcqa",
    title="MedMCQA",
    kinds=("mcqa",),
    native_language="en",
    languages=("en",),
    url="https://github.com/medmcqa/medmcqa",
    revision="c59ef14",
    licence="MIT (repository); Apache-2.0 (Hugging Face Hub)",
    citation='Pal et al. "MedMCQA: A Large-scale Multi-Subject Multi-Choice Dataset". CHIL 2022.',
    rows="182,822 train, 4,183 dev and 6,150 test questions; those of test without answers",
    obtain="Run `globmed data fetch medmcqa` for the Hub's copy, or download the data linked in "
    "https://github.com/medmcqa/medmcqa and unpack it",
    downloads=(
        HubFiles(
            repository="openlifescienceai/medmcqa",
            revision="91c6572c454088bf71b679ad90aa8dffcd0d5868",
            patterns=("data/*.parquet",),
        ),
    ),
    read=read,
)
