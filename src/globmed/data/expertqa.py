"""ExpertQA, which gives two sources: questions of its medical fields, and of biology.

Questions stand in `r1_data_anon.jsonl` with the field of the expert who asked; answers, which an expert of the same
field corrected, in `lfqa/rand_lfqa_{train,val,test}.json`. The two are joined on the question's text without the white
space around it: 2,169 of 2,507 questions have an answer. The others are dropped, and counted; as they are in no split,
under train, from which nothing is measured. The files named `r2_compiled*` hold the same answers in pieces
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
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

from globmed.core.errors import InputError, did_you_mean
from globmed.core.item import Item, Provenance, Split
from globmed.data.intake import Placed, content_key, find_files, read_rows, split_of
from globmed.data.sources import Dropped, Source, WebFile

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
DOWNLOADS = tuple(
    WebFile(
        url=f"https://raw.githubusercontent.com/chaitanyamalaviya/ExpertQA/{COMMIT}/data/{name}",
        name=name,
        sha256=digest,
    )
    for name, digest in HASHES.items()
)
NO_ANSWER = "no answer"
FIELDS = frozenset(
    [
        "Anthropology",
        "Architecture",
        "Aviation",
        "Biology",
        "Business",
        "Chemistry",
        "Classical Studies",
        "Climate Science",
        "Criminology",
        "Culinary Arts",
        "Economics",
        "Education",
        "Engineering and Technology",
        "Environmental Science",
        "Geography",
        "Healthcare / Medicine",
        "History",
        "Journalism",
        "Law",
        "Linguistics",
        "Literature",
        "Mathematics",
        "Medicine",
        "Military or Law Enforcement",
        "Music",
        "Nuclear Science",
        "Other",
        "Philosophy",
        "Physics and Astronomy",
        "Political Science",
        "Psychology",
        "Sociology",
        "Theology",
        "Visual Arts",
    ]
)
"""All that `r1_data_anon.jsonl` has: under another name a question would belong to no source, and vanish uncounted."""


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


def read_fields(
    path: Path, languages: Sequence[str], *, declared: Source, fields: Collection[str]
) -> Iterator[Item | Dropped]:
    """Give the questions of some fields: those with an answer in the order of the answers' files, then the others.

    Args:
        path: folder at any height above the files.
        languages: BCP 47 codes.
        declared: the source that the questions belong to.
        fields: names of fields as `r1_data_anon.jsonl` has them.

    Raises:
        InputError: a file is absent or broken, a question is empty, of an unknown field, stands twice or in two
            splits, an answer is empty or has no question, or no question is of these fields.
    """
    for code in languages:
        asked = _questions(path, declared.obtain)
        ours = {text: one for text, one in asked.items() if one.row.metadata.field in fields}
        if not ours:
            raise InputError.at(
                str(path),
                found=f"no question of {' or '.join(fields)}",
                expected="at least one",
                remedy=declared.obtain,
            )
        answered = set[str]()
        for text, split, placed in _answered(path, asked, declared.obtain):
            answered.add(text)
            if text in ours:
                yield _item(ours[text].row, placed, split=split, code=code, declared=declared)
        for text, question in ours.items():
            if text not in answered:
                yield Dropped(place=question.place, language=code, split="train", reason=NO_ANSWER)


def _item(question: Question, answer: Placed[Answer], *, split: Split, code: str, declared: Source) -> Item:
    text = question.question.strip()
    return Item(
        family=f"{declared.name}:{content_key(text, ())}",
        language=code,
        kind="lfqa",
        source=declared.name,
        split=split,
        question=text,
        reference=(_without_gaps(answer.row.answer),),
        specialty=question.metadata.specific_field,
        provenance=Provenance(native_language=declared.native_language, place=answer.place, licence=declared.licence),
    )


def _answered(
    path: Path, asked: Mapping[str, Placed[Question]], obtain: str
) -> Iterator[tuple[str, Split, Placed[Answer]]]:
    """Give every answer with its question's text and split, whatever the field."""
    seen: dict[str, str] = {}
    for split, placed in _answers(path, obtain):
        text, place = placed.row.question.strip(), placed.place
        if text not in asked:
            raise InputError.at(place, found=f"{text[:60]!r}, which {QUESTIONS} has not", expected="a question it has")
        if text in seen:
            raise InputError.at(place, found=f"the question of {seen[text]}", expected="every question in one split")
        seen[text] = place
        if not placed.row.answer.strip():
            raise InputError.at(place, found="an empty answer", expected="a text", remedy=obtain)
        yield text, split, placed


def _without_gaps(answer: str) -> str:
    return re.sub(r"(?<=\S) +(?=[.,;](\s|$))", "", answer.strip())


def _questions(path: Path, obtain: str) -> dict[str, Placed[Question]]:
    file = _only(find_files(path, re.escape(QUESTIONS), expected=QUESTIONS, obtain=obtain), path)
    asked: dict[str, Placed[Question]] = {}
    for placed in read_rows(file, Question):
        text = placed.row.question.strip()
        if not text or text in asked:
            found = f"{text[:60]!r} a second time" if text else "an empty question"
            raise InputError.at(placed.place, found=found, expected="every question once", remedy=obtain)
        if (field := placed.row.metadata.field) not in FIELDS:
            raise InputError.at(
                placed.place,
                found=f"the field {field!r}",
                expected=f"one of ExpertQA's{did_you_mean(field, FIELDS)}",
                remedy=obtain,
            )
        asked[text] = placed
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
