"""MedQA, United States part: questions in the style of the medical licensing examination (USMLE), steps 1 to 3.

Published with five options (`train.jsonl`, `dev.jsonl`, `test.jsonl`; 12,723 questions) and, in `4_options/`, with
one wrong option taken away (`phrases_no_exclude_*.jsonl`). A release holds one variant, so a folder with both is
refused. Rows have no id: the key is a hash of question and options.

Home: https://github.com/jind11/MedQA. Revision: the data linked in the README of commit 7fd2694.
Copy: https://huggingface.co/datasets/GBaker/MedQA-USMLE-4-options, train and test of the four-option variant.
Licence: MIT (repository), CC BY 4.0 (that copy); the questions were gathered from books and sites of examination
preparation.
Citation: Jin et al., "What Disease Does This Patient Have? A Large-Scale Open Domain Question Answering Dataset from
Medical Exams", Applied Sciences 11(14):6421, 2021.

One line of `phrases_no_exclude_test.jsonl`, an invented question (the publisher's rows also have `metamap_phrases`):

    {"question": "A 24-year-old woman has an itching, swollen lip since eating shrimp. Which is the best first drug?",
     "answer": "Cetirizine", "options": {"A": "Amoxicillin", "B": "Cetirizine", "C": "Digoxin", "D": "Warfarin"},
     "meta_info": "step2&3", "answer_idx": "B"}
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

import msgspec

from globmed.core.errors import InputError
from globmed.core.item import Item, Provenance, Split
from globmed.data.intake import Placed, content_key, find_files, option_findings, option_letter, read_rows, split_of
from globmed.data.sources import Dropped, HubFiles, Source

FOUR_OPTIONS = "phrases_no_exclude_"


class Row(msgspec.Struct, frozen=True):
    """The fields used of one line; only the United States part has these two values of `meta_info`."""

    question: str
    answer: str
    options: dict[str, str]
    answer_idx: str
    meta_info: Literal["step1", "step2&3"]


def read(path: Path, languages: Sequence[str], _seed: int) -> Iterator[Item | Dropped]:
    """Give every row of the files at or below `path`, all of one variant."""
    files = find_files(
        path,
        rf"({FOUR_OPTIONS})?(train|dev|test)\.jsonl",
        expected=f"{{train,dev,test}}.jsonl (five options) or {FOUR_OPTIONS}{{train,dev,test}}.jsonl (four)",
        obtain=SOURCE.obtain,
    )
    four = [file for file in files if file.name.startswith(FOUR_OPTIONS)]
    five = [file for file in files if file not in four]
    if four and five:
        raise InputError.at(
            str(path),
            found=f"both the five-option variant ({five[0]}) and the four-option one ({four[0]})",
            expected="one of them, for a release holds one variant of a question",
            remedy="Name a single file, or a folder that holds one variant",
        )
    for code in languages:
        for file in files:
            for placed in read_rows(file, Row):
                yield _item(placed, code, split=split_of(file))


def _item(placed: Placed[Row], code: str, *, split: Split) -> Item:
    row, place = placed.row, placed.place
    letters = "".join(option_letter(index) for index in range(len(row.options)))
    if "".join(row.options) != letters:
        raise InputError.at(place, found=f"options {', '.join(row.options)}", expected="letters from A on, in order")
    if row.answer_idx not in row.options:
        raise InputError.at(place, found=f"answer_idx {row.answer_idx!r}", expected=f"one of {', '.join(letters)}")
    if row.answer != row.options[row.answer_idx]:
        raise InputError.at(
            place,
            found=f"answer {row.answer!r}",
            expected=f"the text of option {row.answer_idx}, {row.options[row.answer_idx]!r}",
        )
    options = tuple(row.options.values())
    right = letters.index(row.answer_idx)
    return Item(
        family=f"medqa:{content_key(row.question, options)}",
        language=code,
        kind="mcqa",
        source=SOURCE.name,
        split=split,
        question=row.question,
        options=options,
        answer=(right,),
        region="US",
        provenance=Provenance(
            native_language=SOURCE.native_language,
            place=place,
            findings=option_findings(row.question, options, answer=right),
            licence=SOURCE.licence,
        ),
    )


SOURCE = Source(
    name="medqa",
    title="MedQA (United States)",
    kinds=("mcqa",),
    native_language="en",
    languages=("en",),
    url="https://github.com/jind11/MedQA",
    revision="7fd2694",
    licence="MIT (repository); CC BY 4.0 (Hugging Face copy)",
    citation='Jin et al. "What Disease Does This Patient Have?". Applied Sciences 11(14):6421, 2021.',
    rows="10,178 train, 1,272 dev and 1,273 test questions, with four or with five options; fetched: four, without dev",
    obtain="Run `globmed data fetch medqa` for four options, or unpack the data linked in "
    "https://github.com/jind11/MedQA and name questions/US/4_options; for five, copy questions/US/*.jsonl "
    "to a folder of their own and name that",
    downloads=(
        HubFiles(
            repository="GBaker/MedQA-USMLE-4-options",
            revision="0fb93dd23a7339b6dcd27e241cb9b5eca62d4d18",
            patterns=("phrases_no_exclude_*.jsonl",),
        ),
    ),
    read=read,
)
