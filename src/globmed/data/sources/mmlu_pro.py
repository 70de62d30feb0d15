"""MMLU-Pro: a harder MMLU with up to ten options, over 14 fields; the medical part of it.

12,032 test questions and 70 in `validation`, worked examples for prompts (`dev` here). `src` says which older test a
question is from; medical ones are kept, with `src` in `subset`, and all others counted as dropped, `not medical`.
Which are medical was decided by reading rows of biology, chemistry, health and psychology, and is one list, `MEDICAL`:

- the eight subjects of MMLU that make up the field health (818 rows of test);
- professional psychology (324), the licensing examination of a health profession, as psychology is in HEAD-QA: 32 % of
  its rows name a patient, disorder, therapy or drug, more than of nutrition (16 %) or human ageing (17 %).

Not among them, though some collections count it as medicine: college biology, of which 6 % name such a thing and most
are on plants, ecology and evolution; nor genetics (17 %: peas, corn, fruit flies and statistics), the textbook of
psychology (18 %: schools of thought) and school psychology (11 %).

Three to ten options are the rule; a few rows have two or one and carry a finding. The publisher knows of 159 questions
in health and law that stand twice under different numbers and kept them.

Home: https://huggingface.co/datasets/TIGER-Lab/MMLU-Pro (Parquet). Revision: 3373e0b.
Licence: Apache-2.0 (repository), MIT (Hub).
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
from globmed.data.sources import Dropped, HubFiles, Source

MEDICAL = {
    "ori_mmlu-anatomy",
    "ori_mmlu-clinical_knowledge",
    "ori_mmlu-college_medicine",
    "ori_mmlu-human_aging",
    "ori_mmlu-medical_genetics",
    "ori_mmlu-nutrition",
    "ori_mmlu-professional_medicine",
    "ori_mmlu-professional_psychology",
    "ori_mmlu-virology",
}


class Row(msgspec.Struct, frozen=True):
    """The fields used of one row; `answer` is the letter of `answer_index`."""

    question_id: int
    question: str
    options: tuple[str, ...]
    answer: str
    answer_index: int
    cot_content: str
    category: str
    src: str


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
            split = split_of(file)
            for placed in read_rows(file, Row):
                # Every row is held to the format, those of other fields too: a damaged `src` must not pass for one.
                item = _item(placed, code, split=split)
                if placed.row.src in MEDICAL:
                    yield item
                else:
                    yield Dropped(place=placed.place, language=code, split=split, reason="not medical")


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
        subset=row.src,
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
    kinds=("mcqa",),
    native_language="en",
    languages=("en",),
    url="https://huggingface.co/datasets/TIGER-Lab/MMLU-Pro",
    revision="3373e0b",
    licence="Apache-2.0 (repository); MIT (Hugging Face Hub)",
    citation='Wang et al. "MMLU-Pro". NeurIPS 2024, Datasets and Benchmarks.',
    rows="12,032 test and 70 validation questions of 14 fields, of which 1,142 test questions are medical",
    obtain="Run `globmed data fetch mmlu_pro`, or download data/*.parquet from "
    "https://huggingface.co/datasets/TIGER-Lab/MMLU-Pro",
    downloads=(
        HubFiles(
            repository="TIGER-Lab/MMLU-Pro",
            revision="3373e0b32277875b8db2aa555a333b78a08477ea",
            patterns=("data/*.parquet",),
        ),
    ),
    read=read,
)
