"""HEAD-QA: exams for specialist posts in the Spanish health system, 2013 to 2017, in Spanish and in English.

Six fields (biology, chemistry, medicine, nursing, pharmacology, psychology); train is 2013 and 2014 with five options,
dev 2015 and test 2016 and 2017 with four. The Spanish is native. The English was made by the authors with Google
Translate (`HEAD_EN/README.txt`) and is marked so. A question number is unique only within its exam, and some questions
show an image that their text does not hold: those carry a blocking finding.

Home: https://github.com/aghie/head-qa. Revision: HEAD v1.0, exams last updated by the ministry on 2019-01-14.
Licence: MIT for the collection; the exams under the re-use terms of the Spanish ministry of health (cite it and the
date of the last update, do not distort the content).
Citation: Vilares and Gómez-Rodríguez, "HEAD-QA: A Healthcare Dataset for Complex Reasoning", ACL 2019.

Files: `HEAD/{train,dev,test}_HEAD.json`, `HEAD_EN/{train,dev,test}_HEAD_EN.json`. One question of the first:

    {"version": "1.0", "language": "es", "exams": {"Cuaderno_2016_1_B": {
        "name": "Cuaderno_2016_1_B", "category": "biology", "year": "2016", "data": [
            {"qid": "1", "qtext": "Forma fibras extracelulares con gran resistencia a la tensión:", "ra": "2",
             "answers": [{"aid": 1, "atext": "Fibronectina."}, {"aid": 2, "atext": "Colágeno."},
                         {"aid": 3, "atext": "Integrinas."}, {"aid": 4, "atext": "Proteoglucanos."}],
             "image": ""}]}}}
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from globmed.core.errors import InputError
from globmed.core.item import Finding, Item, Provenance, Split
from globmed.data.intake import decode, find_files, option_findings, read_document, split_of
from globmed.data.sources import Dropped, Source

ENDINGS = {"es": "_HEAD.json", "en": "_HEAD_EN.json"}
SPECIALTIES = {"nursery": "nursing"}


class Answer(msgspec.Struct, frozen=True):
    """One option: its number within the question and its text."""

    aid: int
    atext: str


class Question(msgspec.Struct, frozen=True):
    """One question; `ra` is the `aid` of the right answer, `image` a path or empty."""

    qid: str
    qtext: str
    ra: str
    answers: tuple[Answer, ...]
    image: str


class Exam(msgspec.Struct, frozen=True):
    """One exam, its questions still undecoded."""

    category: str
    data: tuple[msgspec.Raw, ...]


class Document(msgspec.Struct, frozen=True):
    """One file: its language and its exams by name, still undecoded."""

    language: str
    exams: dict[str, msgspec.Raw]


def read(path: Path, languages: Sequence[str], _seed: int) -> Iterator[Item | Dropped]:
    """Give every question of the files at or below `path`; a language that has no file there gives none."""
    files = find_files(
        path,
        r"(train|dev|test)_HEAD(_EN)?\.json",
        expected="{train,dev,test}_HEAD.json or {train,dev,test}_HEAD_EN.json",
        obtain=SOURCE.obtain,
    )
    for code in languages:
        for file in files:
            if file.name.endswith(ENDINGS[code]):
                yield from _read_file(file, code)


def _read_file(file: Path, code: str) -> Iterator[Item]:
    document = read_document(file, Document)
    if document.language != code:
        raise InputError.at(
            f"{file}: language", found=repr(document.language), expected=f"{code!r}, which the file's name says"
        )
    split = split_of(file)
    for name, raw in document.exams.items():
        exam = decode(raw, Exam, f"{file}: {name}")
        for number, row in enumerate(exam.data, start=1):
            question = decode(row, Question, f"{file}: {name}, question {number} of the list")
            yield _item(question, code, exam=name, category=exam.category, split=split, file=file)


def _item(question: Question, code: str, *, exam: str, category: str, split: Split, file: Path) -> Item:
    place = f"{file}: {exam} {question.qid}"
    options = tuple(answer.atext for answer in question.answers)
    numbers = [str(answer.aid) for answer in question.answers]
    if numbers.count(question.ra) != 1:
        raise InputError.at(place, found=f"ra {question.ra!r}", expected=f"one of the aids {', '.join(numbers)}")
    right = numbers.index(question.ra)
    findings = option_findings(question.qtext, options, answer=right)
    if question.image:
        message = f"the question shows an image that its text does not hold: {question.image}"
        findings += (Finding(check="image", severity="block", field="question", message=message),)
    native = code == SOURCE.native_language
    return Item(
        family=f"headqa:{exam}:{question.qid}",
        language=code,
        kind="mcqa",
        source=SOURCE.name,
        split=split,
        question=question.qtext,
        options=options,
        answer=(right,),
        specialty=SPECIALTIES.get(category, category),
        region="ES",
        provenance=Provenance(
            native_language=SOURCE.native_language,
            text="native" if native else "machine",
            model="" if native else "google-translate",
            place=place,
            findings=findings,
            licence=SOURCE.licence,
        ),
    )


SOURCE = Source(
    name="headqa",
    title="HEAD-QA",
    kinds=("mcqa",),
    native_language="es",
    languages=("es", "en"),
    url="https://github.com/aghie/head-qa",
    revision="HEAD v1.0, 2019-01-14",
    licence="MIT; exams: re-use terms of the Spanish ministry of health (cite it, date the content, do not distort)",
    citation='Vilares and Gómez-Rodríguez. "HEAD-QA: A Healthcare Dataset for Complex Reasoning". ACL 2019.',
    terms="Name the Spanish ministry of health and the last update, 2019-01-14; do not distort the content.",
    rows="2,657 train, 1,366 dev and 2,742 test questions a language; 165 show an image that the text does not hold",
    obtain="Download the ES_HEAD and EN_HEAD datasets linked in https://github.com/aghie/head-qa (Google Drive, which "
    "gives no file at a fixed revision), unpack both into one folder and name it",
    read=read,
)
