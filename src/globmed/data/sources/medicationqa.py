"""MedicationQA: questions on medicines that consumers asked, with answers found in trusted sources.

690 rows in the sheet `DrugQA` of an Excel file (the paper counts 674 pairs). Traps:

- 39 rows ask what another row asks, word for word, and have another answer: each is an item, in one cluster. A row that
  stands twice with the same answer gives one item;
- where nothing was found, the answer reads `No answers`, `Unanswerable` or `n/a`: such a row gives no item;
- there is no key: it is a hash of question and answer. There are no splits either: all of it is test.

Home: https://github.com/abachaa/Medication_QA_MedInfo2019. Revision: `MedInfo2019-QA-Medications.xlsx` of 2019, SHA-256
4f13d0e3b195bd6a5d72a1872f9118cb5f69fd02c370001695330cfc9e3b5832.
Licence: none stated, so that nobody is known to be allowed to publish it again.
Citation: Ben Abacha et al., "Bridging the Gap between Consumers' Medication Questions and Trusted Answers", MEDINFO
2019.

Header and one row of the sheet, an invented one, as JSON:

    {"Question": "can i crush metformin", "Focus (Drug)": "metformin", "Question Type": "Usage",
     "Answer": "Extended-release tablets must be swallowed whole.", "Section Title": "How to use", "URL": "https://..."}
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from globmed.core.errors import EnvironmentFailedError, InputError
from globmed.core.item import Item, Provenance
from globmed.data.intake import Placed, content_key, find_files
from globmed.data.sources import Dropped, Source

FILE = "MedInfo2019-QA-Medications.xlsx"
SHEET = "DrugQA"
COLUMNS = ("Question", "Question Type", "Answer")
NO_ANSWER = {"no answers", "no answer", "unanswerable", "n/a"}


def read(path: Path, languages: Sequence[str], _seed: int) -> Iterator[Item | Dropped]:
    """Give every row of the file at or below `path`."""
    file, *more = find_files(path, r".*QA-Medications.*\.xlsx", expected=FILE, obtain=SOURCE.obtain)
    if more:
        raise InputError.at(str(path), found=f"{file} and {more[0]}", expected="one copy of the file")
    for code in languages:
        seen: set[str] = set()
        for placed in _rows(file):
            row = _item(placed, code)
            if isinstance(row, Item) and row.family in seen:
                yield Dropped(place=placed.place, language=code, split="test", reason="stands twice")
                continue
            if isinstance(row, Item):
                seen.add(row.family)
            yield row


def _rows(file: Path) -> Iterator[Placed[dict[str, str]]]:
    """Give the rows of the sheet by its header; a row's number is Excel's, with the header as row 1."""
    header, *rows = _cells(file) or [[]]
    if missing := [name for name in COLUMNS if header.count(name) != 1]:
        raise InputError.at(
            f"{file}: row 1",
            found=f"the columns {', '.join(map(str, header)) or 'of an empty sheet'}",
            expected=f"{missing[0]!r} once among them",
            remedy=SOURCE.obtain,
        )
    for number, row in enumerate(rows, start=2):
        place = f"{file}: row {number}"
        cells = dict(zip(header, row, strict=True))
        for name in COLUMNS:
            if not isinstance(cells[name], str) or not cells[name].strip():
                raise InputError.at(
                    place, found=f"{cells[name]!r} under {name!r}", expected="a text", remedy=SOURCE.obtain
                )
        yield Placed(place=place, row={name: cells[name].strip() for name in COLUMNS})
    if not rows:
        raise InputError.at(str(file), found="no row", expected="at least one", remedy=SOURCE.obtain)


def _cells(file: Path) -> list[list[Any]]:
    from python_calamine import CalamineError, load_workbook  # a library of native code that `--help` need not load

    try:
        with file.open("rb") as opened:
            workbook = load_workbook(opened)
            if SHEET not in workbook.sheet_names:
                raise InputError.at(
                    str(file),
                    found=f"the sheets {', '.join(workbook.sheet_names)}",
                    expected=f"{SHEET!r} among them",
                    remedy=SOURCE.obtain,
                )
            return workbook.get_sheet_by_name(SHEET).to_python()
    except CalamineError as error:
        raise InputError.at(
            str(file),
            found=f"a broken Excel file ({' '.join(str(error).split())})",
            expected="a whole one",
            remedy=SOURCE.obtain,
        ) from error
    except OSError as error:
        raise EnvironmentFailedError(f"{file}: could not be read: {error.strerror or error}") from error


def _item(placed: Placed[dict[str, str]], code: str) -> Item | Dropped:
    row, place = placed.row, placed.place
    question, answer = row["Question"], row["Answer"]
    if answer.casefold() in NO_ANSWER:
        return Dropped(place=place, language=code, split="test", reason="no answer")
    return Item(
        family=f"medicationqa:{content_key(question, [answer])}",
        cluster=f"medicationqa:{content_key(question.casefold(), ())}",
        language=code,
        kind="lfqa",
        source=SOURCE.name,
        split="test",
        question=question,
        reference=(answer,),
        subset=row["Question Type"],
        provenance=Provenance(
            native_language=SOURCE.native_language,
            place=place,
            licence=SOURCE.licence,
            may_be_redistributed=SOURCE.may_be_redistributed,
        ),
    )


SOURCE = Source(
    name="medicationqa",
    title="MedicationQA (MedInfo 2019)",
    kinds=("lfqa",),
    native_language="en",
    languages=("en",),
    url="https://github.com/abachaa/Medication_QA_MedInfo2019",
    revision="2019 (SHA-256 4f13d0e3)",
    licence="none stated",
    citation='Ben Abacha et al. "Bridging the Gap between Consumers\' Medication Questions and Trusted Answers". '
    "MEDINFO 2019.",
    terms="No licence is stated; whoever publishes it or a translation needs leave of its authors",
    rows="690 questions with an answer or the note that there is none; all of it test",
    obtain=f"Download {FILE} from https://github.com/abachaa/Medication_QA_MedInfo2019 and name it",
    read=read,
    may_be_redistributed=False,
)
