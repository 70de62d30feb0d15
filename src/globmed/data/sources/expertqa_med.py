"""ExpertQA-Med: questions of medicine and health care, asked by experts, with answers that experts corrected.

497 of them have an answer (405 train, 49 validation, 43 test). They stand under two names of one field: 386 under
`Healthcare / Medicine` and 111 under `Medicine`. 116 more have none, and are dropped.
How questions, answers and splits are joined is told in `globmed.data.expertqa`.

Home: https://github.com/chaitanyamalaviya/ExpertQA. Revision: commit 4b732d6.
Licence: MIT.
Citation: Malaviya et al., "ExpertQA: Expert-Curated Questions and Attributed Answers", NAACL 2024.

One line of `r1_data_anon.jsonl` and the one that answers it in `lfqa/rand_lfqa_test.json`, an invented question:

    {"question": "Does zinc shorten a cold? ", "annotator_id": "0", "answers": {},
     "metadata": {"question_type": "Directed question", "field": "Medicine", "specific_field": "Family medicine"}}
    {"example_id": 0, "context": "", "question": "Does zinc shorten a cold?", "answer": "By a day or so ."}
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from globmed.core.item import Item
from globmed.data.expertqa import CITATION, COMMIT, DOWNLOADS, LICENCE, URL, read_fields
from globmed.data.sources import Dropped, Source

FIELDS = ("Healthcare / Medicine", "Medicine")


def read(path: Path, languages: Sequence[str], _seed: int) -> Iterator[Item | Dropped]:
    """Give every question of the two medical fields in the files below `path`, dropped where it has no answer."""
    return read_fields(path, languages, declared=SOURCE, fields=FIELDS)


SOURCE = Source(
    name="expertqa_med",
    title="ExpertQA-Med",
    kinds=("lfqa",),
    native_language="en",
    languages=("en",),
    url=URL,
    revision=COMMIT[:7],
    licence=LICENCE,
    citation=CITATION,
    terms="The answers were written by language models and corrected by experts, who may have left errors",
    rows="497 questions with answers: 405 train, 49 validation, 43 test",
    obtain="Run `globmed data fetch expertqa_med`, or clone https://github.com/chaitanyamalaviya/ExpertQA and name its "
    "folder data",
    downloads=DOWNLOADS,
    read=read,
)
