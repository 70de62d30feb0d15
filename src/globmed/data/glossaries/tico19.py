"""TICO-19 terminologies: 306 terms of COVID-19 that Facebook had translated from English, a file a language.

The English side is the same in all files, by `id`, so that any two of the languages can be paired through it. Such a
pair may be less exact than one with English: two words of one language can share an English word.

Traps: the files name languages in their own way (`es_XX`, `zh_CN`); of `zh_CN` and `zh_TW` the first is read, for the
table's Chinese is simplified; `f_en-es_XX.csv` ends in 306 rows with nothing but the language; some targets are the
English term left as it is.

Home: https://tico-19.github.io. Revision: data/terminologies of commit a9ecfaa of tico-19/tico-19.github.io.
Licence: CC0.
Citation: Anastasopoulos et al., "TICO-19: the Translation Initiative for COvid-19", NLP-COVID19 at EMNLP 2020.

Header and one row of `f_en-sw_KE.csv`, an invented one, as JSON:

    {"id": "307", "sourceLang": "en", "targetLang": "sw_KE", "sourceString": "face mask", "targetString": "barakoa"}
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from globmed.core.errors import InputError
from globmed.data.csv_rows import read_csv
from globmed.data.glossaries import Glossary, Term
from globmed.data.intake import find_files

COLUMNS = ("id", "sourceLang", "targetLang", "sourceString", "targetString")
ENGLISH = "en"
_NAMES = "de_DE es_XX fr_XX ja_XX ko_KR pt_XX sw_KE wo_SN yo_NG zh_CN zu_ZA"
CODES = {name: name.partition("_")[0] for name in _NAMES.split()}
"""The publisher's name of a language to its code in `languages.toml`."""


@dataclass(frozen=True, kw_only=True)
class _Entry:
    """One row: the English term, its translation, and where it stands."""

    english: str
    translation: str
    place: str


def read(path: Path, source_language: str, target_language: str) -> Iterator[Term]:
    """Give the terms of a pair of languages from the files at or below `path`."""
    found = find_files(path, r"f_en-\w+\.csv", expected="f_en-es_XX.csv and its like", obtain=GLOSSARY.obtain)
    files = {CODES.get(file.stem.removeprefix("f_en-"), ""): file for file in found}
    if source_language == target_language or {source_language, target_language} - {*files, ENGLISH}:
        return
    here = _entries(files[target_language if source_language == ENGLISH else source_language])
    there = here if ENGLISH in {source_language, target_language} else _entries(files[target_language])
    for key, entry in here.items():
        if key not in there:
            continue
        if there[key].english != entry.english:
            raise InputError.at(
                there[key].place,
                found=f"{there[key].english!r} as term {key}",
                expected=f"{entry.english!r}, as in {entry.place}",
                remedy="Name files of one version",
            )
        source = entry.english if source_language == ENGLISH else entry.translation
        target = entry.english if target_language == ENGLISH else there[key].translation
        yield Term(source=source, target=target, place=there[key].place)


def _entries(file: Path) -> dict[str, _Entry]:
    entries: dict[str, _Entry] = {}
    expected = file.stem.removeprefix("f_en-")
    for placed in read_csv(file, COLUMNS, remedy=GLOSSARY.obtain):
        key, source, target, english, translation = (placed.row[name].strip() for name in COLUMNS)
        if not (key or english or translation):
            continue
        if not (key and english and translation) or (source, target) != (ENGLISH, expected):
            found = ", ".join(f"{name} {placed.row[name]!r}" for name in COLUMNS)
            raise InputError.at(placed.place, found=found, expected=f"all five, from {ENGLISH} to {expected}")
        if key in entries:
            raise InputError.at(placed.place, found=f"id {key}, as in {entries[key].place}", expected="every id once")
        entries[key] = _Entry(english=english, translation=translation, place=placed.place)
    if not entries:
        raise InputError.at(str(file), found="no term", expected="at least one", remedy=GLOSSARY.obtain)
    return entries


GLOSSARY = Glossary(
    name="tico19",
    title="TICO-19 terminologies",
    languages=(ENGLISH, *CODES.values()),
    url="https://tico-19.github.io",
    licence="CC0",
    citation='Anastasopoulos et al. "TICO-19: the Translation Initiative for COvid-19". NLP-COVID19 at EMNLP 2020.',
    obtain="Download data/terminologies/f_en-*.csv from https://github.com/tico-19/tico-19.github.io and name their "
    "folder",
    read=read,
)
