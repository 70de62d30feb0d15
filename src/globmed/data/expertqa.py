"""ExpertQA, which gives two sources: questions of its medical fields, and of biology.

Questions stand in `r1_data_anon.jsonl` with the field of the expert who asked; answers, which an expert of the same
field corrected, in `lfqa/rand_lfqa_{train,val,test}.json`. The two are joined on the question's text without the white
space around it: 2,169 of 2,507 questions have an answer. The files named `r2_compiled*` hold the same answers in pieces
with their evidence; they are not needed and not read.

The split is that of the `rand_` files, which hold every question once. The `domain_` files split the same questions
another way: 9 of the 243 questions of `domain_lfqa_test.json` are in the random train file and 27 in its validation
file, so that mixing the two would put test questions into training. They are left unread, and a question in two splits
is an error.

Answers were taken from language models before experts corrected them; where the markers of their sources were removed,
a space was left before the full stop, which is taken out here.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from globmed.core.errors import InputError
from globmed.core.item import Split
from globmed.data.intake import Placed, content_key, find_files, read_rows, split_of

QUESTIONS = "r1_data_anon.jsonl"
ANSWERS = r"rand_lfqa_(train|val|test)\.json"
URL = "https://github.com/chaitanyamalaviya/ExpertQA"
COMMIT = "4b732d60707e61e34d508680d16168f485ee5632"
LICENCE = "MIT"
CITATION = 'Malaviya et al. "ExpertQA: Expert-Curated Questions and Attributed Answers". NAACL 2024.'
HASHES = {
    QUESTIONS: "8254d24d8d8bd0ccc1f85db9159aef6f5c3a1b310d736ee2c6b5026d661c3d04",
    "lfqa/rand_lfqa_train.json": "6b74a308c324bef957eafd0131edd0ce23def4ba333fdbda4a66350b19eea34d",
    "lfqa/rand_lfqa_val.json": "a73a357e74576536bb9fb011cfdd42fe33cf87046b52e528d9daad762fc250f1",
    "lfqa/rand_lfqa_test.json": "cc175f6fb1b044e5e2b5dad92b87ecb62ea09234f0cd525415862053dceedf9a",
}
"""SHA-256 of the publisher's files, by their path below `data/` of the commit."""


class Metadata(msgspec.Struct, frozen=True):
    """What is known of who asked, as `r1_data_anon.jsonl` says."""

    field: str
    specific_field: str = ""


class Question(msgspec.Struct, frozen=True):
    """The fields used of one line of `r1_data_anon.jsonl`."""

    question: str
    metadata: Metadata


class Answer(msgspec.Struct, frozen=True):
    """The fields used of one line of `rand_lfqa_*.json`, which are JSON Lines."""

    question: str
    answer: str


@dataclass(frozen=True, kw_only=True)
class Joined:
    """A question with its answer.

    Attributes:
        place: where the answer stands, as `file:line`.
        key: hash of the question, for rows have no id.
        split: of the answer's file.
        question: without white space around it.
        answer: as an expert left it.
        specialty: the special field of the expert who asked.
    """

    place: str
    key: str
    split: Split
    question: str
    answer: str
    specialty: str


def read_joined(path: Path, *, fields: Collection[str], obtain: str) -> Iterator[Joined]:
    """Give the answered questions of some fields, in the order of the answers' files.

    Args:
        path: folder at any height above the files.
        fields: names of fields as `r1_data_anon.jsonl` has them.
        obtain: how to get the files, for people.

    Raises:
        InputError: a file is absent or broken, a question is empty, stands twice or in two splits, an answer is empty
            or has no question, or no question is of these fields.
    """
    asked = _questions(path, obtain)
    if not any(row.metadata.field in fields for row in asked.values()):
        raise InputError.at(
            str(path), found=f"no question of {' or '.join(fields)}", expected="at least one", remedy=obtain
        )
    seen: dict[str, str] = {}
    for split, placed in _answers(path, obtain):
        row, place = placed.row, placed.place
        text = row.question.strip()
        if text not in asked:
            raise InputError.at(place, found=f"{text[:60]!r}, which {QUESTIONS} has not", expected="a question it has")
        if text in seen:
            raise InputError.at(place, found=f"the question of {seen[text]}", expected="every question in one split")
        seen[text] = place
        answer = re.sub(r"(?<=\S) +(?=[.,;](\s|$))", "", row.answer.strip())
        if not answer:
            raise InputError.at(place, found="an empty answer", expected="a text", remedy=obtain)
        about = asked[text].metadata
        if about.field in fields:
            key = content_key(text, ())
            yield Joined(
                place=place, key=key, split=split, question=text, answer=answer, specialty=about.specific_field
            )


def _questions(path: Path, obtain: str) -> dict[str, Question]:
    file = _only(find_files(path, re.escape(QUESTIONS), expected=QUESTIONS, obtain=obtain), path)
    asked: dict[str, Question] = {}
    for placed in read_rows(file, Question):
        text = placed.row.question.strip()
        if not text or text in asked:
            found = f"{text[:60]!r} a second time" if text else "an empty question"
            raise InputError.at(placed.place, found=found, expected="every question once", remedy=obtain)
        asked[text] = placed.row
    return asked


def _answers(path: Path, obtain: str) -> Iterator[tuple[Split, Placed[Answer]]]:
    expected = "lfqa/rand_lfqa_{train,val,test}.json"
    files = find_files(path, ANSWERS, expected=expected, obtain=obtain)
    splits = [split_of(file) for file in files]
    if sorted(splits) != ["dev", "test", "train"]:
        raise InputError.at(str(path), found=f"files of {', '.join(splits)}", expected=f"{expected}, one of each")
    for split, file in zip(splits, files, strict=True):
        for placed in read_rows(file, Answer):
            yield split, placed


def _only(files: list[Path], path: Path) -> Path:
    if len(files) > 1:
        raise InputError.at(str(path), found=f"{files[0]} and {files[1]}", expected="one copy of the files")
    return files[0]
