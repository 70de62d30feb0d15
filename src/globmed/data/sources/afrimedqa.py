r"""AfriMed-QA: questions by clinicians, students and lay people of African countries, in three types.

Version 2 has 15,275 rows in one CSV file:

- `mcq`: 2 to 5 options with one right answer or several (`option1,option3`); 2 options are true and false;
- `saq`: a short answer in words, which stands in `answer_rationale`;
- `consumer-queries`: a question that somebody might ask in the situation that `prompt` tells (here the context). Many
  have no answer: such a row gives no item.

Traps: an option that was left out reads `n/a`, and a rationale `N:A`; `question_clean`, where the file has it, mends
spaces that were lost around numbers and units. `country` is where the contributor lives, so it says whose practice a
question reflects only where `region_specific` says yes.

Home: https://huggingface.co/datasets/intronhealth/afrimedqa_v2. Revision: version 2 of 2024-11.
Licence: CC BY-NC-SA 4.0 (repository and Hugging Face copy); CC BY 4.0 (the repository's Croissant card).
Citation: Olatunji et al., "AfriMed-QA: A Pan-African, Multi-Specialty, Medical Question-Answering Benchmark Dataset",
ACL 2025.

One row, an invented one, as JSON (the file has some 30 columns, read by name in any order):

    {"sample_id": "0af1", "split": "test", "question_type": "mcq", "prompt": "", "question": "Which cause malaria?",
     "answer_options": "{\"option1\": \"P. vivax\", \"option2\": \"P. ovale\", \"option3\": \"E. coli\"}",
     "correct_answer": "option1,option2", "answer_rationale": "Both are Plasmodium.", "specialty": "Parasitology",
     "country": "KE", "region_specific": "Yes"}
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from globmed.core.errors import InputError
from globmed.core.item import Finding, Item, Provenance, Split
from globmed.data.csv_rows import read_csv
from globmed.data.intake import SPLIT_NAMES, Placed, find_files, option_findings
from globmed.data.sources import Dropped, Source

COLUMNS = ("sample_id", "split", "question_type", "question", "answer_options", "correct_answer", "answer_rationale")
TYPES = ("mcq", "saq", "consumer-queries")
LEFT_OUT = {"", "n/a", "n:a", "nan"}
YES = {"yes", "true", "1", "1.0"}

Row = dict[str, str]


def read(path: Path, languages: Sequence[str], _seed: int) -> Iterator[Item | Dropped]:
    """Give every row of the file at or below `path`."""
    file, *more = find_files(path, r"afri.?med.*\.csv", expected="afri_med_qa_15k_v2*.csv", obtain=SOURCE.obtain)
    if more:
        raise InputError.at(str(path), found=f"{file} and {more[0]}", expected="one version of the file")
    for code in languages:
        for placed in read_csv(file, COLUMNS, remedy=SOURCE.obtain):
            yield _multiple_choice(placed, code) if placed.row["question_type"] == "mcq" else _open(placed, code)


def _multiple_choice(placed: Placed[Row], code: str) -> Item | Dropped:
    row, place = placed.row, placed.place
    named = _options(row["answer_options"], place)
    right = tuple(dict.fromkeys(name.strip() for name in row["correct_answer"].split(",") if name.strip()))
    if not right:
        return Dropped(place=place, language=code, split=_split(placed), reason="no answer")
    if strange := [name for name in right if name not in named]:
        raise InputError.at(
            place,
            found=f"correct_answer {strange[0]!r}",
            expected=f"one or several of {', '.join(named)}",
            remedy=SOURCE.obtain,
        )
    answer = tuple(sorted(list(named).index(name) for name in right))
    options = list(named.values())
    left_out = 0
    while len(options) > max(2, answer[-1] + 1) and _said(options[-1]) == "":
        options.pop()
        left_out += 1
    question = _question(row)
    repeated = next((index for index in answer if options.count(options[index]) > 1), answer[0])
    findings = option_findings(question, options, answer=repeated)
    if left_out:
        message = f"{left_out} left out, which reads n/a in the file"
        findings += (Finding(check="options_left_out", severity="note", field="options", message=message),)
    made = _bare_item(placed, code, question=question)
    return msgspec.structs.replace(
        made,
        kind="mcqa",
        options=tuple(options),
        answer=answer,
        rationale=_said(row["answer_rationale"]),
        provenance=msgspec.structs.replace(made.provenance, findings=findings),
    )


def _open(placed: Placed[Row], code: str) -> Item | Dropped:
    row, place = placed.row, placed.place
    if row["question_type"] not in TYPES:
        raise InputError.at(
            place, found=f"question_type {row['question_type']!r}", expected=f"one of {', '.join(TYPES)}"
        )
    answer = _said(row["answer_rationale"]) or _said(row["correct_answer"])
    if not answer:
        return Dropped(place=place, language=code, split=_split(placed), reason="no answer")
    question = _question(row)
    if not question:
        raise InputError.at(place, found="an empty question", expected="a text", remedy=SOURCE.obtain)
    made = _bare_item(placed, code, question=question)
    return msgspec.structs.replace(made, context=_said(row.get("prompt", "")), reference=(answer,))


def _bare_item(placed: Placed[Row], code: str, *, question: str) -> Item:
    """Return what all types have; its kind is that of an open question."""
    row, place = placed.row, placed.place
    if not row["sample_id"].strip():
        raise InputError.at(place, found="an empty sample_id", expected="the row's own", remedy=SOURCE.obtain)
    country = row.get("country", "").strip().upper()
    return Item(
        family=f"afrimedqa:{row['sample_id'].strip()}",
        language=code,
        kind="lfqa",
        source=SOURCE.name,
        split=_split(placed),
        question=question,
        specialty=_said(row.get("specialty", "")).replace("_", " "),
        subset=" ".join(filter(None, [_said(row.get("tier", "")), row["question_type"]])),
        region=country if row.get("region_specific", "").strip().casefold() in YES else "",
        provenance=Provenance(
            native_language=SOURCE.native_language,
            place=place,
            licence=SOURCE.licence,
        ),
    )


def _options(text: str, place: str) -> dict[str, str]:
    """Return the options by their names, which are numbered from 1."""
    try:
        named = msgspec.json.decode(text, type=dict[str, str])
    except msgspec.MsgspecError as error:
        raise InputError.at(
            place, found=f"answer_options that cannot be read ({error})", expected="a JSON object of texts"
        ) from error
    expected = [f"option{number}" for number in range(1, len(named) + 1)]
    if list(named) != expected or not named:
        raise InputError.at(
            place, found=f"the options {', '.join(named) or 'of an empty object'}", expected="option1, option2, ..."
        )
    return {name: option.strip() for name, option in named.items()}


def _question(row: Row) -> str:
    return " ".join((row.get("question_clean", "").strip() or row["question"]).split())


def _said(text: str) -> str:
    """Return a text; empty where it only says that there is none."""
    return "" if text.strip().casefold() in LEFT_OUT else text.strip()


def _split(placed: Placed[Row]) -> Split:
    name = placed.row["split"].strip().casefold()
    if name not in SPLIT_NAMES:
        raise InputError.at(placed.place, found=f"split {name!r}", expected=f"one of {', '.join(SPLIT_NAMES)}")
    return SPLIT_NAMES[name]


SOURCE = Source(
    name="afrimedqa",
    title="AfriMed-QA",
    kinds=("mcqa", "lfqa"),
    native_language="en",
    languages=("en",),
    url="https://huggingface.co/datasets/intronhealth/afrimedqa_v2",
    revision="version 2 (2024-11)",
    licence="CC BY-NC-SA 4.0 (repository and Hugging Face copy); CC BY 4.0 (Croissant card)",
    citation='Olatunji et al. "AfriMed-QA: A Pan-African, Multi-Specialty, Medical Question-Answering Benchmark '
    'Dataset". ACL 2025.',
    terms="The two licences conflict: hold to the stricter, no commercial use and what is made from it under the same",
    rows="15,275 questions: multiple choice with one right answer or several, short answers, and consumers' queries",
    obtain="Download the CSV file from https://huggingface.co/datasets/intronhealth/afrimedqa_v2 (Files), keep its "
    "name, which begins afri_med_qa, and name it",
    read=read,
)
