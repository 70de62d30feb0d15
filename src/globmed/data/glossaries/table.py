"""A CSV table of one's own, UTF-8 with commas, in one of two shapes.

- a column a language, named by its code in `languages.toml`: every row is one term, and a cell may be empty where a
  language has no translation yet;
- the columns `source` and `target`, where the file's name tells the languages, as `terms.en-sw.csv`.

Any other column that is no language code must begin with `_`, such as `_note`: a misspelt code would otherwise be a
language that is silently not there. A term may have several rows, each with another translation that is accepted.

Home: wherever you keep it. Revision: yours. Licence: yours. Citation: yours.

Header and one row of the first shape, as JSON:

    {"en": "face mask", "sw": "barakoa", "es": "mascarilla", "_note": "as the ministry has it"}
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from globmed.core.errors import InputError, did_you_mean
from globmed.core.language import languages
from globmed.data.csv_rows import read_csv
from globmed.data.glossaries import Glossary, Term
from globmed.data.intake import find_files

PAIR = ("source", "target")


def read(path: Path, source_language: str, target_language: str) -> Iterator[Term]:
    """Give the terms of a pair of languages from the CSV files at or below `path`."""
    for file in find_files(path, r".*\.csv", expected="a CSV table of terms", obtain=GLOSSARY.obtain):
        for number, placed in enumerate(read_csv(file, (), remedy=GLOSSARY.obtain)):
            row = {name.strip(): cell.strip() for name, cell in placed.row.items()}
            if number == 0:
                _check_columns(file, set(row))
            if set(PAIR) <= set(row):
                if not (row["source"] and row["target"]):
                    raise InputError.at(placed.place, found="a row without source or target", expected="both")
                row = dict(zip(_languages_of(file), (row["source"], row["target"]), strict=True))
            if row.get(source_language) and row.get(target_language) and source_language != target_language:
                yield Term(source=row[source_language], target=row[target_language], place=placed.place)


def _check_columns(file: Path, columns: set[str]) -> None:
    named = {name for name in columns if not name.startswith("_")}
    if named == set(PAIR):
        return
    if strange := sorted(named - languages().keys()):
        raise InputError.at(
            f"{file}:1",
            found=f"the column {strange[0]!r}",
            expected=f"language codes, or source and target{did_you_mean(strange[0], languages())}",
            remedy="Begin the name of a column that is no language with _",
        )
    if len(named) < 2:
        raise InputError.at(
            f"{file}:1", found=f"{len(named)} language", expected="two at least", remedy=GLOSSARY.obtain
        )


def _languages_of(file: Path) -> tuple[str, str]:
    """Return the two languages that a file's name tells."""
    named = re.search(r"(?:^|[._ ])([a-z]{2,3})-([a-z]{2,3})$", file.stem)
    if not named or not {named[1], named[2]} <= languages().keys() or named[1] == named[2]:
        raise InputError.at(
            str(file),
            found="the columns source and target, and a name that does not tell the languages",
            expected="a name such as terms.en-sw.csv, with codes of languages.toml",
            remedy="Rename the file, or name the columns by language code",
        )
    return named[1], named[2]


GLOSSARY = Glossary(
    name="table",
    title="A CSV table of one's own",
    languages=(),
    url="",
    licence="",
    citation="",
    obtain="Write a CSV file with a column a language, named by its code, and a row a term",
    read=read,
)
