"""CasiMedicos: text put together again from annotated tokens, in three layouts, packed or unpacked."""

import re
import shutil
import tarfile
from collections import Counter
from pathlib import Path

import pytest

from globmed.core.errors import InputError
from globmed.core.item import Item
from globmed.data.sources import source

FIXTURES = Path(__file__).parents[1] / "fixtures" / "casimedicos"
ARCHIVE = "casimedicos-arg.tar.gz"
LANGUAGES = ("es", "en", "fr")


def items(path: Path, code: str = "en") -> list[Item]:
    return [row for row in source("casimedicos").read(path, [code], 0) if isinstance(row, Item)]


def pack(folder: Path, archive: Path) -> Path:
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(folder, arcname="casimedicos-arg")
    return archive


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(FIXTURES, tmp_path / "unpacked"))


def edit(path: Path, old: str, new: str, *, count: int = 1) -> Path:
    text = path.read_bytes().decode()
    assert text.count(old) >= count
    path.write_bytes(text.replace(old, new, count).encode())
    return path


def test_a_case_is_put_together_from_its_tokens() -> None:
    first, second, third = items(FIXTURES)
    assert first.question == "A 60-year-old smoker has lost weight and coughs blood. Which test comes first?"
    assert first.options == ("Chest X-ray.", "Spirometry.", "Sweat test.", "Patch test.")  # the fifth reads "nan"
    assert (first.answer, first.split, first.specialty, first.region) == ((0,), "test", "pneumology", "ES")
    assert first.rationale == "The correct one is 1: a tumour must be ruled out."
    assert second.options[3] == "Ventricular tachycardia. It is wide and regular."  # goes on for two sentences
    assert len(second.options) == 5
    assert [item.family for item in (first, second, third)] == [f"casimedicos:test:{n}" for n in (1, 2, 3)]
    assert first.provenance.place == f"{FIXTURES / 'EN/test.tsv'}:1"


def test_every_language_has_the_same_cases_with_the_same_key() -> None:
    keys = [[(item.family, item.answer, len(item.options)) for item in items(FIXTURES, code)] for code in LANGUAGES]
    assert keys[0] == keys[1] == keys[2]
    for code in LANGUAGES:
        for item in items(FIXTURES, code):
            assert (item.provenance.text == "native") == (code == "es")
            assert not re.search(r"Quality|\r|\n|  |nan\b|\d- ", " ".join((item.question, *item.options)))


def test_the_fixtures_hold_the_traps_of_the_publishers_files() -> None:
    english, spanish, french = [(FIXTURES / name / "test.tsv").read_bytes() for name in ("EN", "ES", "FR")]
    columns = Counter(line.count(b" ") + 1 for line in french.splitlines() if line)
    assert set(columns) == {2, 3, 4}
    assert {line.count(b" ") + 1 for line in english.splitlines() if line} == {2}
    assert spanish.count(b"\r\n") == spanish.count(b"\n")
    for announced in (
        "BONNE O \nR\u00c9PONSE O \n: O ",
        "R\u00c9PONSE O \nCORRECTE O \n: O ",
        "CORRECT O \nANSWER O \n: O ",
    ):
        assert announced.encode() in french


def test_the_archive_and_the_unpacked_folder_give_the_same(tmp_path: Path) -> None:
    archive = pack(FIXTURES, tmp_path / ARCHIVE)
    for code in LANGUAGES:
        packed, unpacked = items(archive, code), items(FIXTURES, code)
        assert [(one.family, one.question, one.options, one.rationale) for one in packed] == [
            (one.family, one.question, one.options, one.rationale) for one in unpacked
        ]
    assert items(archive)[0].provenance.place == f"{archive}: casimedicos-arg/EN/test.tsv:1"


def test_both_in_one_folder_are_refused(folder: Path) -> None:
    pack(FIXTURES, folder / ARCHIVE)
    with pytest.raises(InputError, match=r"expected one copy of the files\. Name the archive or the unpacked folder"):
        items(folder)


def test_another_number_of_options_than_the_spanish_is_a_finding(folder: Path) -> None:
    edit(folder / "EN" / "test.tsv", "5- B-Claim\nAsystole. I-Claim\n\n", "")
    found = {code: items(folder, code) for code in LANGUAGES}
    assert [(one.check, one.severity, one.message) for one in found["en"][1].provenance.findings] == [
        ("option_count", "block", "4 options, and 5 in the Spanish original")
    ]
    assert not any(item.provenance.findings for code in ("es", "fr") for item in found[code])
    shutil.rmtree(folder / "ES")  # nothing to compare with
    assert not any(item.provenance.findings for item in items(folder))


def test_italian_is_left_aside(folder: Path) -> None:
    (folder / "IT").mkdir()
    (folder / "IT" / "test.tsv").write_text("QUESTION\tO\t\t\n", encoding="utf-8")
    assert [len(items(folder, code)) for code in LANGUAGES] == [3, 3, 3]


@pytest.mark.parametrize(
    ("old", "new", "place", "says"),
    [
        ("QUESTION O\n", "QUESTION X\n", 1, "found 'QUESTION X\\n'; expected a whole line with a token, its tag"),
        ("QUESTION O\n", "", 1, "found 'TYPE: PNEUMOLOGY'; expected 'QUESTION TYPE: ...'"),
        ("CASE: O\n", "CASE; O\n", 1, "found a case with 1 answers that begins 'CLINICAL CASE;'"),
        ("ANSWER: O\n", "ANSWERS: O\n", 1, "found a case with 0 answers"),
        ("ANSWER: O\n1 O\n", "ANSWER: O\n5 O\n", 41, "found answer 5; expected 1 to 4, its options"),
        ("ANSWER: O\n1 O\n", "ANSWER: O\n0 O\n", 41, "found answer 0"),
        ("3- B-Claim\n", "4- B-Claim\n", 30, "found option 4; expected option 3"),
        ("1- B-Claim\n", "7- B-Claim\n", 41, "found an answer without options before it; expected '1- ...'"),
    ],
)
def test_a_broken_case_stops_with_file_and_line(folder: Path, old: str, new: str, place: int, says: str) -> None:
    path = edit(folder / "EN" / "test.tsv", old, new)
    with pytest.raises(InputError, match=re.escape(f"{path}:{place}: {says}")):
        items(folder)


def test_an_empty_option_is_a_blocking_finding(folder: Path) -> None:
    edit(folder / "EN" / "test.tsv", "2- B-Claim\nSpirometry. I-Claim\n", "2- B-Claim\n")
    assert [(one.check, one.severity) for one in items(folder)[0].provenance.findings] == [("options_empty", "block")]


def test_a_wrong_encoding_stops_with_file_and_line(folder: Path) -> None:
    path = folder / "FR" / "test.tsv"
    path.write_bytes(path.read_bytes().decode().encode("latin-1"))
    with pytest.raises(InputError, match=r"FR/test\.tsv:\d+: found the byte 0x.., which is not UTF-8"):
        items(folder, "fr")


@pytest.mark.parametrize("part", [0.2, 0.6, 0.97])
def test_an_archive_that_was_cut_off_is_refused(tmp_path: Path, part: float) -> None:
    archive = pack(FIXTURES, tmp_path / ARCHIVE)
    data = archive.read_bytes()
    archive.write_bytes(data[: int(len(data) * part)])
    with pytest.raises(InputError, match=r"tar\.gz: found a broken archive \(.*expected a whole casimedicos-arg"):
        items(archive)


def test_an_archive_of_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    with pytest.raises(InputError, match=r"found no \.tsv file in it"):
        items(pack(tmp_path / "other", tmp_path / ARCHIVE))


@pytest.mark.real
def test_the_publishers_files(real_data: Path) -> None:
    found = {code: items(real_data / "casimedicos", code) for code in LANGUAGES}
    keys = {code: {item.family: (item.split, item.answer) for item in rows} for code, rows in found.items()}
    assert len(keys["es"]) == 553
    assert keys["es"] == keys["en"] == keys["fr"]
    assert Counter(item.split for item in found["en"]) == {"train": 381, "dev": 55, "test": 117}
    # With `nan` known as no option and options read to their end, every language has the Spanish number of options:
    # the mismatches that a plainer reading finds are an option written "5-Hydralazine" and a fifth option `nan`.
    for rows in found.values():
        assert Counter(len(item.options) for item in rows) == {4: 298, 5: 255}
        assert Counter(one.check for item in rows for one in item.provenance.findings) == {"options_identical": 1}
