"""MedExpQA: clinical cases of the Spanish examination for specialist training (MIR), with doctors' explanations.

434 train, 63 dev and 125 test questions of 2011 to 2022, each in Spanish, English, French and Italian. The Spanish is
native; the files do not say how the others were made, and they carry slips of machine translation, so they are marked
so. Years with four options hold a null as the fifth. `rag`, the passages retrieved for each question, is left aside:
it is most of every file. The same cases, fewer of them and in another form, are the source `casimedicos`: whoever
imports both has them joined by the search for overlap.

Home: https://huggingface.co/datasets/HiTZ/MedExpQA. Revision: 88b09c3 (2024-05), which has the correction of options
that were no JSON. Licence: CC BY 4.0.
Citation: Alonso et al., "MedExpQA: Multilingual benchmarking of Large Language Models for Medical Question Answering",
Artificial Intelligence in Medicine 155:102938, 2024.

One line of `test.en.casimedicos.rag.jsonl`, an invented question (`rag` left out):

    {"id": 9001, "year": 2016, "question_id_specific": 77, "lang": "en", "type": "PNEUMOLOGY",
     "full_question": "A smoker of 60 has lost weight and coughs blood. Which test comes first?",
     "options": {"1": "Chest X-ray.", "2": "Spirometry.", "3": "Sweat test.", "4": "Patch test.", "5": null},
     "correct_option": 1, "full_answer": "The correct one is 1: a tumour must be ruled out.",
     "full_answer_no_ref": "The correct one is [HIDDEN]: a tumour must be ruled out.",
     "explanations": {"1": {"exist": true, "char_ranges": [[0, 22]]}}}
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from globmed.core.errors import InputError
from globmed.core.item import Item, Provenance, Split
from globmed.core.language import languages as known_languages
from globmed.data.intake import Placed, find_files, option_findings, read_rows, split_of
from globmed.data.sources import Dropped, HubFiles, Source

PUBLISHED = ("es", "en", "fr", "it")


class Row(msgspec.Struct, frozen=True):
    """The fields used of one line; `correct_option` is a key of `options`, which are numbered from 1."""

    id: int
    year: int
    lang: str
    type: str
    full_question: str
    options: dict[str, str | None]
    correct_option: int
    full_answer: str


def read(path: Path, languages: Sequence[str], _seed: int) -> Iterator[Item | Dropped]:
    """Give every question of the files at or below `path`; a language that has no file there gives none."""
    files = find_files(
        path,
        rf"(train|dev|test)\.({'|'.join(PUBLISHED)})\.casimedicos\.rag\.jsonl",
        expected="{train,dev,test}.{es,en,fr,it}.casimedicos.rag.jsonl",
        obtain=SOURCE.obtain,
    )
    for code in languages:
        for file in files:
            if file.name.split(".")[1] == code:
                split = split_of(file)
                for placed in read_rows(file, Row):
                    yield _item(placed, code, split=split)


def _item(placed: Placed[Row], code: str, *, split: Split) -> Item:
    row, place = placed.row, placed.place
    if row.lang != code:
        raise InputError.at(f"{place}: lang", found=repr(row.lang), expected=f"{code!r}, which the file's name says")
    options = _options(row, place)
    if not 1 <= row.correct_option <= len(options):
        raise InputError.at(
            place, found=f"correct_option {row.correct_option}", expected=f"1 to {len(options)}, its options"
        )
    right = row.correct_option - 1
    native = code == SOURCE.native_language
    return Item(
        family=f"medexpqa:{row.id}",
        language=code,
        kind="mcqa",
        source=SOURCE.name,
        split=split,
        question=row.full_question,
        options=options,
        answer=(right,),
        rationale=row.full_answer,
        specialty=row.type.lower(),
        subset=str(row.year),
        region="ES",
        provenance=Provenance(
            native_language=SOURCE.native_language,
            text="native" if native else "machine",
            place=place,
            findings=option_findings(row.full_question, options, answer=right),
            licence=SOURCE.licence,
        ),
    )


def _options(row: Row, place: str) -> tuple[str, ...]:
    """Return the options up to the first null, after which there may be no more."""
    texts = list(row.options.values())
    numbered = list(row.options) == [str(number) for number in range(1, len(texts) + 1)]
    present = [text for text in texts if text is not None]
    if not numbered or texts[: len(present)] != present:
        shown = ", ".join(f"{key} (null)" if text is None else key for key, text in row.options.items())
        raise InputError.at(
            f"{place}: options", found=shown or "none", expected="1, 2, 3 and so on, with nothing after a null"
        )
    return tuple(present)


SOURCE = Source(
    name="medexpqa",
    title="MedExpQA",
    kinds=("mcqa",),
    native_language="es",
    # Italian comes with its row in languages.toml, as any further language does.
    languages=tuple(code for code in PUBLISHED if code in known_languages()),
    url="https://huggingface.co/datasets/HiTZ/MedExpQA",
    revision="88b09c3 (2024-05)",
    licence="CC BY 4.0",
    citation='Alonso et al. "MedExpQA". Artificial Intelligence in Medicine 155:102938, 2024.',
    rows="434 train, 63 dev and 125 test questions a language, in Spanish, English, French and Italian",
    obtain="Run `globmed data fetch medexpqa`, or download data/ of https://huggingface.co/datasets/HiTZ/MedExpQA",
    downloads=(
        HubFiles(
            repository="HiTZ/MedExpQA",
            revision="88b09c32c530db2f2496930b388515b285bd2524",
            patterns=("data/*/*.casimedicos.rag.jsonl",),
        ),
    ),
    read=read,
)
