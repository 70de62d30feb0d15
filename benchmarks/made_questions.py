"""Made questions for the benchmarks: multiple choice about invented patients, no two alike, as long as exam questions.

The text means nothing; what counts is that it has the size and shape of a medical examination item (some 600 bytes
with its options), that question N is the same in every run, and that any number of them can be had.

    python benchmarks/made_questions.py FOLDER COUNT

writes a stage of them.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

from globmed.core.item import Item, Provenance
from globmed.core.store import writing_stage

_COMPLAINTS = ("chest pain", "shortness of breath", "fever and a cough", "abdominal pain", "palpitations", "dizziness")
_HISTORIES = ("arterial hypertension", "type 2 diabetes", "asthma", "chronic kidney disease", "no known illness")
_OPTIONS = (
    "Order an electrocardiogram and measure troponin",
    "Start oral antibiotics and review in two days",
    "Give intravenous fluids and repeat the blood pressure",
    "Reassure the patient and arrange a routine visit",
)


def question(number: int) -> Item:
    """Return the question of a number, from 0."""
    shift = number % len(_OPTIONS)
    return Item(
        family=f"made:{number}",
        language="en",
        kind="mcqa",
        source="made",
        split="test",
        question=(
            f"Case {number}. A {20 + number % 70}-year-old patient with {_HISTORIES[number % len(_HISTORIES)]} comes "
            f"to the emergency department with {_COMPLAINTS[number % len(_COMPLAINTS)]} that began "
            f"{1 + number % 47} hours ago. The temperature is {36 + number % 40 / 10:.1f} °C, the pulse "
            f"{50 + number % 97} per minute, the respiratory rate {10 + number % 23} per minute and the blood pressure "
            f"{90 + number % 89}/{50 + number % 53} mmHg. Which of the following is the most appropriate next step?"
        ),
        options=_OPTIONS[shift:] + _OPTIONS[:shift],
        answer=(number % len(_OPTIONS),),
        provenance=Provenance(native_language="en", licence="Apache-2.0", place=f"made_questions.py: {number}"),
    )


def questions(count: int) -> Iterator[Item]:
    """Give the first questions."""
    return map(question, range(count))


def write_stage(folder: Path, count: int) -> Path:
    """Write the first questions as a stage that `globmed bench run --data` reads, and return its folder."""
    with writing_stage(folder, "made") as writer:
        writer.write("made.en.parquet", questions(count), Item)
    return folder


def write_lines(path: Path, count: int) -> Path:
    """Write the first questions as JSON Lines with `id`, `question`, `choices` and `target`; return the file."""
    with path.open("w", encoding="utf-8") as file:
        for item in questions(count):
            row = {
                "id": item.family,
                "question": item.question,
                "choices": list(item.options),
                "target": "ABCD"[item.answer[0]],
            }
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
    return path


if __name__ == "__main__":
    write_stage(Path(sys.argv[1]), int(sys.argv[2]))
