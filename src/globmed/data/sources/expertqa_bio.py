"""ExpertQA-Bio: questions of biology, asked by experts, with answers that experts corrected.

93 of them have an answer (78 train, 6 validation, 9 test).
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

from globmed.core.item import Item, Provenance
from globmed.data.expertqa import CITATION, COMMIT, HASHES, LICENCE, URL, read_joined
from globmed.data.sources import Dropped, Source, WebFile

FIELDS = ("Biology",)


def read(path: Path, languages: Sequence[str], _seed: int) -> Iterator[Item | Dropped]:
    """Give every answered question of biology in the files below `path`."""
    for code in languages:
        for joined in read_joined(path, fields=FIELDS, obtain=SOURCE.obtain):
            yield Item(
                family=f"expertqa_bio:{joined.key}",
                language=code,
                kind="lfqa",
                source=SOURCE.name,
                split=joined.split,
                question=joined.question,
                reference=(joined.answer,),
                specialty=joined.specialty,
                provenance=Provenance(
                    native_language=SOURCE.native_language, place=joined.place, licence=SOURCE.licence
                ),
            )


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
    downloads=tuple(
        WebFile(
            url=f"https://raw.githubusercontent.com/chaitanyamalaviya/ExpertQA/{COMMIT}/data/{name}",
            name=name,
            sha256=digest,
        )
        for name, digest in HASHES.items()
    ),
    read=read,
)
