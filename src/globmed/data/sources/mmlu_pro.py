"""MMLU-Pro: a harder MMLU with up to ten options, over 14 fields of which health is the medical one.

12,032 test questions and 70 in `validation`, worked examples for prompts (`dev` here). All fields are imported, named
in `specialty`: what a dataset takes of them is chosen later. Three to ten options are the rule; a few rows have two or
one and carry a finding. The publisher knows of 159 questions in health and law that stand twice under different numbers
and kept them.

Home: https://huggingface.co/datasets/TIGER-Lab/MMLU-Pro (Parquet). Revision: stable version of 2024-07, with the
corrections up to 9917624. Licence: Apache-2.0 (repository), MIT (Hub).
Citation: Wang et al., "MMLU-Pro: A More Robust and Challenging Multi-Task Language Understanding Benchmark", NeurIPS
2024, Datasets and Benchmarks.

One row as JSON Lines, an invented question (Parquet has the same columns):

    {"question_id": 90001, "question": "Which electrolyte disturbance gives tall, peaked T waves?",
     "options": ["Hyponatraemia", "Hypokalaemia", "Hyperkalaemia", "Hypocalcaemia", "Hypercalcaemia"],
     "answer": "C", "answer_index": 2, "cot_content": "", "category": "health", "src": "ori_mmlu-clinical_knowledge"}
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from globmed.core.errors import InputError
from globmed.core.item import Item, Provenance, Split
from globmed.data.intake import Placed, find_files, option_findings, option_letter, read_rows, split_of
from globmed.data.sources import Dropped, Source


class Row(msgspec.Struct, frozen=True):
    """The fields used of one row; `answer` is the letter of `answer_index`."""

    question_id: int
    question: str
    options: tuple[str, ...]
    answer: str
    answer_index: int
    cot_content: str
    category: str


def read(path: Path, languages: Sequence[str], _seed: int) -> Iterator[Item | Dropped]:
    """Give every row of the files at or below `path`."""
    files = find_files(
        path,
        r"(test|validation)([-_.].*)?\.(jsonl|parquet)",
        expected="{test,validation}*.parquet or {test,validation}*.jsonl",
        obtain=SOURCE.obtain,
    )
    for code in languages:
        for file in files:
            for placed in read_rows(file, Row):
                yield _item(placed, code, split=split_of(file))


def _item(placed: Placed[Row], code: str, *, split: Split) -> Item:
    row, place = placed.row, placed.place
    if not 0 <= row.answer_index < len(row.options):
        raise InputError.at(
            place, found=f"answer_index {row.answer_index}", expected=f"0 to {len(row.options) - 1}, its options"
        )
    letter = option_letter(row.answer_index)
    if row.answer != letter:
        raise InputError.at(
            place,
            found=f"answer {row.answer!r} and answer_index {row.answer_index}",
            expected=f"the letter of that index, {letter!r}",
        )
    return Item(
        family=f"mmlu_pro:{row.question_id}",
        language=code,
        kind="mcqa",
        source=SOURCE.name,
        split=split,
        question=row.question,
        options=row.options,
        answer=(row.answer_index,),
        rationale=row.cot_content,
        specialty=row.category,
        provenance=Provenance(
            native_language=SOURCE.native_language,
            place=place,
            findings=option_findings(row.question, row.options, answer=row.answer_index),
            licence=SOURCE.licence,
        ),
    )


SOURCE = Source(
    name="mmlu_pro",
    title="MMLU-Pro",
    kind="mcqa",
    native_language="en",
    languages=("en",),
    url="https://huggingface.co/datasets/TIGER-Lab/MMLU-Pro",
    revision="9917624 (2024-07)",
    licence="Apache-2.0 (repository); MIT (Hugging Face Hub)",
    citation='Wang et al. "MMLU-Pro". NeurIPS 2024, Datasets and Benchmarks.',
    obtain="Download data/test-*.parquet from https://huggingface.co/datasets/TIGER-Lab/MMLU-Pro",
    read=read,
)
