"""What holds for every source that reads publishers' files, on three hand-written rows each."""

import random
import shutil
import tempfile
from importlib import import_module
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from globmed.core.errors import InputError
from globmed.core.item import Item
from globmed.data.sources import Dropped, Source, source, sources

FIXTURES = Path(__file__).parents[1] / "fixtures"
READING = sorted(name for name, found in sources().items() if not found.procedural)
FILES = sorted(
    (name, file.relative_to(FIXTURES)) for name in READING for file in (FIXTURES / name).rglob("*") if file.is_file()
)
JSON_LINES = [(name, file) for name, file in FILES if name in {"medmcqa", "medqa", "mmlu_pro"}]
# ExpertQA calls its JSON Lines .json.
BY_LINE = [(name, file) for name, file in FILES if file.suffix in {".jsonl", ".csv", ".tsv"} or "expertqa" in name]
CODE_OF = {"HEAD": "es", "HEAD_EN": "en"}

Rows = list[Item | Dropped]


def rows_of(found: Source, folder: Path, languages: tuple[str, ...] = ()) -> Rows:
    return list(found.read(folder, languages or found.languages, 0))


def languages_of(name: str) -> tuple[str, ...]:
    """The languages that a source's fixtures hold: all that it declares, but for GlobMed, which may have any."""
    return ("en", "sw") if name == "globmed" else source(name).languages


def rows_or_refusal(name: str, file: Path, data: bytes) -> Rows | None:
    """Read a source's fixtures with one file's content replaced; None where it was refused."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(shutil.copytree(FIXTURES / name, Path(folder) / name))
        (Path(folder) / file).write_bytes(data)
        try:
            return rows_of(source(name), copy)
        except InputError as error:
            refusal = str(error)
    assert refusal.startswith(folder)
    assert "\n" not in refusal
    return None


def without_place(rows: Rows | None) -> list[Item]:
    return [
        msgspec.structs.replace(row, provenance=msgspec.structs.replace(row.provenance, place=""))
        for row in rows or []
        if isinstance(row, Item)
    ]


@pytest.mark.parametrize("name", READING)
def test_three_rows_a_language_come_out_whole(name: str) -> None:
    found = source(name)
    for code in languages_of(name):
        rows = rows_of(found, FIXTURES / name, (code,))
        items = [row for row in rows if isinstance(row, Item)]
        assert len(items) == len(rows) == 3
        assert len({item.family for item in items}) == 3
        for item in items:
            assert (item.language, item.source) == (code, name)
            assert item.kind in found.kinds
            assert item.family.startswith(f"{name}:")
            assert item.cluster.startswith(f"{name}:")
            assert len(item.answer) == (0 if item.kind == "lfqa" else 1)
            assert bool(item.reference or item.rubric) == (item.kind == "lfqa")
            assert item.question.strip()
            assert item.provenance.licence == (source("medqa") if name == "globmed" else found).licence
            assert item.provenance.native_language == found.native_language
            assert (item.provenance.text == "native") == (code == found.native_language)
            assert item.provenance.place.startswith(f"{FIXTURES / name}/")


@pytest.mark.parametrize("name", READING)
def test_a_source_module_opens_with_what_it_is(name: str) -> None:
    text = import_module(f"globmed.data.sources.{name}").__doc__ or ""
    for word in ("Home:", "Revision:", "Licence:", "Citation:", source(name).url, "\n\n    "):
        assert word in text, word


@pytest.mark.parametrize("name", READING)
def test_a_path_without_the_files_says_how_to_get_them(name: str, tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "gone"):
        with pytest.raises(InputError) as raised:
            rows_of(source(name), path)
        assert str(raised.value).startswith(f"{path}: found ")
        assert str(raised.value).endswith(source(name).obtain)


@settings(max_examples=300)
@given(st.sampled_from(FILES), st.data())
def test_a_file_cut_off_anywhere_is_refused_or_gives_every_whole_line(
    case: tuple[str, Path], data: st.DataObject
) -> None:
    name, file = case
    whole = (FIXTURES / file).read_bytes()
    cut = data.draw(st.integers(0, len(whole) - 1))
    rows = rows_or_refusal(name, file, whole[:cut])
    if rows is None:
        return
    everything = rows_of(source(name), FIXTURES / name)
    if case in JSON_LINES:
        # Lines that are all whole are a whole file of fewer rows: nothing in them can show that more followed.
        assert b"\n" in (whole[cut : cut + 1], whole[cut - 1 : cut])
        lines = len(whole[:cut].splitlines())
        assert without_place(rows) == without_place(everything)[:lines]
    elif case in BY_LINE:
        # As above; and what stands at the end of a file may be the end of a case, or a question that has no answer.
        assert cut == 0 or b"\n" in (whole[cut : cut + 1], whole[cut - 1 : cut])
        assert {item.family for item in without_place(rows)} <= {item.family for item in without_place(everything)}
    else:
        assert not whole[cut:].strip()
        assert without_place(rows) == without_place(everything)


@settings(max_examples=300)
@given(st.sampled_from(FILES), st.data())
def test_a_changed_byte_loses_no_row(case: tuple[str, Path], data: st.DataObject) -> None:
    name, file = case
    changed = bytearray((FIXTURES / file).read_bytes())
    position = data.draw(st.integers(0, len(changed) - 1))
    changed[position] = data.draw(st.integers(0, 255) | st.sampled_from(b'\n{}[]",:\\ 0'))
    rows = rows_or_refusal(name, file, bytes(changed))
    assert rows is None or len(rows) == 3 * len(languages_of(name))


@settings(max_examples=30)
@given(st.sampled_from(JSON_LINES), st.randoms(use_true_random=False))
def test_the_order_of_lines_changes_nothing_but_the_order(case: tuple[str, Path], rng: random.Random) -> None:
    name, file = case
    lines = (FIXTURES / file).read_bytes().splitlines(keepends=True)
    order = rng.sample(range(len(lines)), len(lines))
    rows = rows_or_refusal(name, file, b"".join(lines[index] for index in order))
    everything = without_place(rows_of(source(name), FIXTURES / name))
    assert without_place(rows) == [everything[index] for index in order]
