"""LiveQA medical test set (TREC 2017): health questions that people sent to the U.S. National Library of Medicine.

104 questions with 167 reference answers from trusted sites, validated by medical experts. There are two versions of the
file with the same questions and answers: one has a summary of each question besides (`NLM-Summary`), and where both lie
in a folder it is the one read. Traps:

- three of the answers stand in `RefAnswer`, the others in `ReferenceAnswer`;
- answers were broken at about 290 characters and indented by tabs: such a break becomes a space, while the breaks of
  lists and paragraphs stay;
- the question is a subject line and a message, of which the subject may be empty or all there is;
- `qrels` (beside the XML) are answers of the systems of 2017 with a grade from 1 to 4: no references, and not read.

The training set (634 pairs) is not read: its author withdrew it in 2024.

Home: https://github.com/abachaa/LiveQA_MedicalTask_TREC2017. Revision: commit e784f2d.
Licence: none stated, so that nobody is known to be allowed to publish it again.
Citation: Ben Abacha et al., "Overview of the Medical Question Answering Task at TREC 2017 LiveQA", TREC 2017.

One element of the file, an invented question:

    <NLM-QUESTION qid="TQ900">
        <Original-Question qfile="0.txt">
            <SUBJECT>iron tablets</SUBJECT>
            <MESSAGE>With milk?</MESSAGE>
        </Original-Question>
        <ANNOTATIONS><TYPE tid="T1" hasFocus="F1">USAGE</TYPE></ANNOTATIONS>
        <ReferenceAnswers>
            <ReferenceAnswer aid="TQ900A1"><ANSWER>Not with milk.</ANSWER><AnswerURL/><COMMENT/></ReferenceAnswer>
        </ReferenceAnswers>
    </NLM-QUESTION>
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from globmed.core.errors import InputError
from globmed.core.item import Item, Provenance
from globmed.data.intake import find_files
from globmed.data.sources import Dropped, Source, WebFile
from globmed.data.xml_elements import Element, read_xml

FILE = "TREC-2017-LiveQA-Medical-Test"
SUMMARIES = f"{FILE}-Questions-w-summaries.xml"
ANSWER_TAGS = ("ReferenceAnswer", "RefAnswer")
WRAPPED_FROM = 270
"""Characters from which a line's end is where it was broken, not where it ends: the test set has lines of 0 to 259
characters, and of 270 to 309."""


def read(path: Path, languages: Sequence[str], _seed: int) -> Iterator[Item | Dropped]:
    """Give every question of the file at or below `path`."""
    found = find_files(
        path, rf"{FILE}(-Questions-w-summaries)?\.xml", expected=f"{FILE}.xml or {SUMMARIES}", obtain=SOURCE.obtain
    )
    by_name = {file.name: file for file in found}
    file = by_name.get(SUMMARIES, found[0])
    for code in languages:
        questions = [element for element in read_xml(file).children if element.name == "NLM-QUESTION"]
        if not questions:
            raise InputError.at(str(file), found="no NLM-QUESTION", expected="104 of them", remedy=SOURCE.obtain)
        for question in questions:
            yield _item(question, code, file=file)


def readable(text: str) -> str:
    """Undo the hard line breaks and tabs of a text; the breaks of lists and paragraphs stay."""
    lines = [" ".join(line.split()) for line in text.strip().splitlines()]
    joined = ""
    for index, line in enumerate(lines):
        goes_on = len(line) >= WRAPPED_FROM and any(lines[index + 1 : index + 2])
        joined += line + (" " if goes_on else "\n")
    return re.sub(r"\n{3,}", "\n\n", joined).strip()


def _item(question: Element, code: str, *, file: Path) -> Item:
    place = f"{file}:{question.line}"
    key = question.attributes.get("qid", "").strip()
    if not key:
        raise InputError.at(place, found="a question without qid", expected='such as qid="TQ1"', remedy=SOURCE.obtain)
    return Item(
        family=f"liveqa:{key}",
        language=code,
        kind="lfqa",
        source=SOURCE.name,
        split="test",
        question=_question(_only(question, "Original-Question", place), place),
        reference=_answers(_only(question, "ReferenceAnswers", place), file),
        subset=_question_type(question),
        provenance=Provenance(
            native_language=SOURCE.native_language,
            place=place,
            licence=SOURCE.licence,
            may_be_redistributed=SOURCE.may_be_redistributed,
        ),
    )


def _question(original: Element, place: str) -> str:
    """Return subject and message, a line each; one of them where the other is empty or says the same."""
    parts = [readable(element.text) for element in original.named("SUBJECT", "MESSAGE")]
    texts = dict.fromkeys(part for part in parts if part)
    if not texts:
        raise InputError.at(place, found="neither SUBJECT nor MESSAGE", expected="a question", remedy=SOURCE.obtain)
    return "\n".join(texts)


def _answers(answers: Element, file: Path) -> tuple[str, ...]:
    texts = []
    for answer in answers.children:
        place = f"{file}:{answer.line}"
        if answer.name not in ANSWER_TAGS:
            raise InputError.at(place, found=f"<{answer.name}>", expected=f"<{'> or <'.join(ANSWER_TAGS)}>")
        text = readable(_only(answer, "ANSWER", place).text)
        if not text:
            raise InputError.at(place, found="an empty ANSWER", expected="a text", remedy=SOURCE.obtain)
        texts.append(text)
    if not texts:
        raise InputError.at(f"{file}:{answers.line}", found="no answer", expected="at least one", remedy=SOURCE.obtain)
    return tuple(texts)


def _question_type(question: Element) -> str:
    """Return what the question asks for, lower case, such as `side_effect`; several are joined by `+`."""
    types = [kind.text.strip().lower() for notes in question.named("ANNOTATIONS") for kind in notes.named("TYPE")]
    return "+".join(dict.fromkeys(types))


def _only(element: Element, name: str, place: str) -> Element:
    found = list(element.named(name))
    if len(found) != 1:
        raise InputError.at(
            place, found=f"{len(found)} of <{name}> in <{element.name}>", expected="one", remedy=SOURCE.obtain
        )
    return found[0]


SOURCE = Source(
    name="liveqa",
    title="LiveQA medical (TREC 2017)",
    kinds=("lfqa",),
    native_language="en",
    languages=("en",),
    url="https://github.com/abachaa/LiveQA_MedicalTask_TREC2017",
    revision="e784f2d",
    licence="none stated",
    citation='Ben Abacha et al. "Overview of the Medical Question Answering Task at TREC 2017 LiveQA". TREC 2017.',
    terms="No licence is stated; whoever publishes it or a translation needs leave of its authors",
    rows="104 test questions with 167 reference answers",
    obtain=f"Run `globmed data fetch liveqa`, or download TestDataset/{SUMMARIES} from "
    "https://github.com/abachaa/LiveQA_MedicalTask_TREC2017 and name it",
    downloads=(
        WebFile(
            url="https://raw.githubusercontent.com/abachaa/LiveQA_MedicalTask_TREC2017/"
            f"e784f2d28b6a174e9a8d9f740876bdaccbd705af/TestDataset/{SUMMARIES}",
            name=SUMMARIES,
            sha256="f6384fcf03e9b1bd0d9a15f6ea1a1aafc9491082e63fef0922ae2d6bc451805b",
        ),
    ),
    read=read,
    may_be_redistributed=False,
)
