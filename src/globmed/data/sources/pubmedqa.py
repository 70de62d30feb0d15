"""PubMedQA, the expert-labelled part: 1,000 research questions with an abstract, to be answered yes, no or maybe.

The question is a paper's title, the context its abstract without the conclusion, and the conclusion (`LONG_ANSWER`) is
why the answer is right. 500 of the papers are the official test set, named by `test_ground_truth.json`, which must
lie beside the main file. The other 500 are for training and development by ten-fold cross-validation: `train` here.
The reasoning-required setting of the paper is meant: question and context in, label out.

Home: https://github.com/pubmedqa/pubmedqa. Revision: `ori_pqal.json` of commit 1f00b98, `test_ground_truth.json` of
commit 3e7616d. Licence: MIT.
Citation: Jin et al., "PubMedQA: A Dataset for Biomedical Research Question Answering", EMNLP-IJCNLP 2019.

One paper of `ori_pqal.json` (shortened):

    {"21645374": {"QUESTION": "Do mitochondria play a role in remodelling lace plant leaves during ... cell death?",
                  "CONTEXTS": ["Programmed cell death (PCD) is the regulated death ...", "The following paper ..."],
                  "LABELS": ["BACKGROUND", "RESULTS"], "MESHES": ["Alismataceae", "Apoptosis"], "YEAR": "2011",
                  "reasoning_required_pred": "yes", "reasoning_free_pred": "yes", "final_decision": "yes",
                  "LONG_ANSWER": "Results depicted mitochondrial dynamics in vivo as PCD progresses ..."}}
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal

import msgspec

from globmed.core.errors import InputError
from globmed.core.item import Item, Provenance, Split
from globmed.core.language import language
from globmed.data.intake import decode, find_files, option_findings, read_document
from globmed.data.sources import Dropped, Source, WebFile

TRUTH = "test_ground_truth.json"
Decision = Literal["yes", "no", "maybe"]
DECISIONS: tuple[Decision, ...] = ("yes", "no", "maybe")


class Paper(msgspec.Struct, frozen=True):
    """The fields used of one paper; `LABELS` name the sections of the abstract in `CONTEXTS`."""

    question: str = msgspec.field(name="QUESTION")
    contexts: tuple[str, ...] = msgspec.field(name="CONTEXTS")
    labels: tuple[str, ...] = msgspec.field(name="LABELS")
    final_decision: Decision
    long_answer: str = msgspec.field(name="LONG_ANSWER")


def read(path: Path, languages: Sequence[str], _seed: int) -> Iterator[Item | Dropped]:
    """Give every paper of the `ori_pqal.json` at or below `path`."""
    (file, *more) = find_files(path, r"ori_pqal\.json", expected="ori_pqal.json", obtain=SOURCE.obtain)
    if more:
        raise InputError.at(
            str(path), found=f"{file} and {more[0]}", expected="one ori_pqal.json", remedy="Name the folder of one"
        )
    rows = read_document(file, dict[str, msgspec.Raw])
    papers = {key: decode(raw, Paper, f"{file}: {key}") for key, raw in rows.items()}
    truth = _read_truth(file, papers)
    for code in languages:
        for key, paper in papers.items():
            yield _item(key, paper, code, split="test" if key in truth else "train", place=f"{file}: {key}")


def _read_truth(main: Path, papers: Mapping[str, Paper]) -> dict[str, Decision]:
    """Read the official test papers' labels and compare them with the main file."""
    file = main.with_name(TRUTH)
    if not file.is_file():
        raise InputError.at(
            str(main.parent),
            found=f"no {TRUTH}",
            expected="it beside ori_pqal.json, for it names the official test set",
            remedy=SOURCE.obtain,
        )
    truth = read_document(file, dict[str, Decision])
    if not truth:
        raise InputError.at(str(file), found="no paper", expected="the official test papers", remedy=SOURCE.obtain)
    for key, decision in truth.items():
        if key not in papers:
            raise InputError.at(f"{file}: {key}", found="a paper that is not in ori_pqal.json", expected="one that is")
        if decision != papers[key].final_decision:
            raise InputError.at(
                f"{file}: {key}", found=repr(decision), expected=f"{papers[key].final_decision!r}, as in ori_pqal.json"
            )
    return truth


def _item(key: str, paper: Paper, code: str, *, split: Split, place: str) -> Item:
    if len(paper.contexts) != len(paper.labels):
        raise InputError.at(
            place, found=f"{len(paper.contexts)} CONTEXTS and {len(paper.labels)} LABELS", expected="a label each"
        )
    sections = [f"{label}: {text}" for label, text in zip(paper.labels, paper.contexts, strict=True)]
    words = language(code)
    options = (words.yes, words.no, words.maybe)
    right = DECISIONS.index(paper.final_decision)
    return Item(
        family=f"pubmedqa:{key}",
        language=code,
        kind="mcqa",
        source=SOURCE.name,
        split=split,
        question=paper.question,
        context="\n".join(sections),
        options=options,
        answer=(right,),
        rationale=paper.long_answer,
        provenance=Provenance(
            native_language=SOURCE.native_language,
            place=place,
            findings=option_findings(paper.question, options, answer=right),
            licence=SOURCE.licence,
        ),
    )


SOURCE = Source(
    name="pubmedqa",
    title="PubMedQA (PQA-L)",
    kinds=("mcqa",),
    native_language="en",
    languages=("en",),
    url="https://github.com/pubmedqa/pubmedqa",
    revision="1f00b98 (data), 3e7616d (test ids)",
    licence="MIT",
    citation='Jin et al. "PubMedQA: A Dataset for Biomedical Research Question Answering". EMNLP-IJCNLP 2019.',
    rows="1,000 questions, 500 of them the official test set",
    obtain="Run `globmed data fetch pubmedqa`, or git clone https://github.com/pubmedqa/pubmedqa: both lie in data/",
    downloads=(
        WebFile(
            url="https://raw.githubusercontent.com/pubmedqa/pubmedqa/1f00b98d5cc626844bf8c4ca513b6e62c40071ec/"
            "data/ori_pqal.json",
            name="ori_pqal.json",
            sha256="8b3276be8942ebbd77f3ddcda12c1749bf0e490045a736fd8438ee40cf37a41d",
        ),
        WebFile(
            url="https://raw.githubusercontent.com/pubmedqa/pubmedqa/3e7616d288b52edaf38f5fd5c59821c7806bde86/"
            "data/test_ground_truth.json",
            name=TRUTH,
            sha256="939fe566f09017d13b1ca64d2ddfee0bc2374b366048152997669cccedc44d51",
        ),
    ),
    read=read,
    beside=(TRUTH,),
)
