"""ExpertQA-Bio: questions of biology, asked by experts, with answers that experts corrected.

93 of them have an answer (78 train, 6 validation, 9 test); 2 have none, and are dropped.
How questions, answers and splits are joined is told in `globmed.data.expertqa`.

Home: https://github.com/chaitanyamalaviya/ExpertQA. Revision: commit 4b732d6.
Licence: MIT.
Citation: Malaviya et al., "ExpertQA: Expert-Curated Questions and Attributed Answers", NAACL 2024.

One line of `r1_data_anon.jsonl` and the one that answers it in `lfqa/rand_lfqa_test.json`, an invented question:

    {"question": "Why is blood red? ", "annotator_id": "0", "answers": {},
     "metadata": {"question_type": "Directed question", "field": "Biology", "specific_field": "Physiology"}}
    {"example_id": 0, "context": "", "question": "Why is blood red?", "answer": "Haemoglobin is ."}
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from globmed.core.item import Item
from globmed.data.expertqa import CITATION, COMMIT, DOWNLOADS, LICENCE, URL, read_fields
from globmed.data.sources import Dropped, Source

FIELDS = ("Biology",)


def read(path: Path, languages: Sequence[str], _seed: int) -> Iterator[Item | Dropped]:
    """Give every question of biology in the files below `path`, dropped where it has no answer."""
    return read_fields(path, languages, declared=SOURCE, fields=FIELDS)


SOURCE = Source(
    name="expertqa_bio",
    title="ExpertQA-Bio",
    kinds=("lfqa",),
    native_language="en",
    languages=("en",),
    url=URL,
    revision=COMMIT[:7],
    licence=LICENCE,
    citation=CITATION,
    terms="The answers were written by language models and corrected by experts, who may have left errors",
    rows="93 questions with answers: 78 train, 6 validation, 9 test",
    obtain="Run `globmed data fetch expertqa_bio`, or clone https://github.com/chaitanyamalaviya/ExpertQA and name its "
    "folder data",
    downloads=DOWNLOADS,
    read=read,
)
