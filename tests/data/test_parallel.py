"""Readers of human translations: TICO-19's translation memories, LAFAND-MT's lines, sources in several languages."""

import json
import zipfile
from pathlib import Path
from xml.sax.saxutils import escape

import pytest

from globmed.core.errors import InputError, UsageError
from globmed.data.parallel import misaligned_windows, read_parallel

FIXTURES = Path(__file__).parent / "fixtures"


def tmx(units: list[tuple[str, str, str]], *, language: str = "es-LA") -> str:
    rows = (
        f'<tu tuid="{number}"><tuv xml:lang="en"><seg>{escape(here)}</seg></tuv>'
        f'<tuv xml:lang="{language}"><seg>{escape(there)}</seg></tuv></tu>'
        for number, here, there in units
    )
    return f'<?xml version="1.0" encoding="UTF-8"?><tmx version="1.4"><body>{"".join(rows)}</body></tmx>'


def sentences(count: int, *, shifted: int = 0) -> list[tuple[str, str, str]]:
    lengths = [7 + 31 * number % 90 for number in range(count)]
    words = ["fever"] * 100
    return [
        (
            f"Wiki_1:{number + 1}",
            " ".join(words[: lengths[number]]),
            " ".join(words[: lengths[(number + shifted) % count]]),
        )
        for number in range(count)
    ]


def test_sentences_of_a_translation_memory_are_pairs_with_their_document_as_cluster(tmp_path: Path) -> None:
    units = [("CMU_1:2", "Fever & cough < 3 days", "Fiebre y tos < 3 días"), ("wiki_9:1", "Wash hands.", "Lávese.")]
    (tmp_path / "all.en-es-LA.tmx").write_text(tmx(units), encoding="utf-8")
    found = read_parallel(f"tico19={tmp_path}")
    assert [(pair.id, pair.source.cluster, pair.direction) for pair in found.pairs] == [
        ("CMU_1:2", "CMU_1", "en-es"),
        ("wiki_9:1", "wiki_9", "en-es"),
    ]
    assert found.pairs[0].source.question == "Fever & cough < 3 days"
    assert found.pairs[0].target.provenance.text == "expert"


def test_the_publishers_zip_reads_as_what_is_in_it(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "all.en-zh.tmx.zip", "w") as archive:
        archive.writestr("all.en-zh.tmx", tmx([("CMU_1:1", "Fever?", "发热吗？")], language="zh"))
    assert [pair.target.language for pair in read_parallel(f"tico19={tmp_path}").pairs] == ["zh"]


def test_a_file_whose_sentences_stand_beside_other_translations_is_left_out_and_said_to_be(tmp_path: Path) -> None:
    (tmp_path / "all.en-es-LA.tmx").write_text(tmx(sentences(120)), encoding="utf-8")
    (tmp_path / "all.en-fr.tmx").write_text(tmx(sentences(120, shifted=7), language="fr"), encoding="utf-8")
    found = read_parallel(f"tico19={tmp_path}")
    assert {pair.target.language for pair in found.pairs} == {"es"}
    assert len(found.left_out) == 1
    assert "all.en-fr.tmx: all 120 sentences, for 100 of them, from number 1 to 100" in found.left_out[0]


@pytest.mark.parametrize(
    "text", ["", "<tmx><body>", tmx([("", "a", "b")]), tmx([("x:1", "a", "")]), "<tmx><tu tuid='x:1'></tu></tmx>"]
)
def test_a_broken_translation_memory_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "all.en-es-LA.tmx").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=r"all\.en-es-LA\.tmx"):
        read_parallel(f"tico19={tmp_path}")


def test_lines_of_lafand_carry_our_codes_and_a_broken_one_is_named(tmp_path: Path) -> None:
    file = tmp_path / "en-yor" / "dev.json"
    file.parent.mkdir()
    line = json.dumps({"translation": {"en": "Fever", "yor": "Ibà"}})
    file.write_text(f"{line}\n", encoding="utf-8")
    pair = read_parallel(f"lafand={tmp_path}").pairs[0]
    assert (pair.id, pair.direction, pair.target.question) == ("en-yor:0", "en-yo", "Ibà")
    file.write_text(f'{line}\n{{"translation": 3}}\n', encoding="utf-8")
    with pytest.raises(InputError, match=r"dev\.json:2"):
        read_parallel(f"lafand={tmp_path}")


def test_a_heading_in_the_place_of_many_originals_is_left_out(tmp_path: Path) -> None:
    file = tmp_path / "en-zul" / "dev.json"
    file.parent.mkdir()
    originals = ["News Crawl 2019"] * 12 + ["Fever"] * 3 + ["Cough"]
    rows = [{"translation": {"en": text, "zul": f"umusho {number}"}} for number, text in enumerate(originals)]
    file.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    found = read_parallel(f"lafand={tmp_path}")
    assert [pair.id for pair in found.pairs] == ["en-zul:12", "en-zul:13", "en-zul:14", "en-zul:15"]
    assert found.left_out == ["en-zul/dev.json: 12 of 16 sentences, whose original reads 'News Crawl 2019'"]


def test_a_source_gives_its_native_items_beside_their_translations() -> None:
    found = read_parallel(f"headqa={FIXTURES / 'headqa'}")
    assert {pair.direction for pair in found.pairs} == {"es-en"}
    assert all(pair.source.family == pair.target.family for pair in found.pairs)


@pytest.mark.parametrize("text", ["tico=/tmp", "tico19", "tico19="])
def test_an_unknown_name_or_no_path_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        read_parallel(text)


def test_a_folder_without_the_publishers_files_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"\.tmx"):
        read_parallel(f"tico19={tmp_path}")


@pytest.mark.real
def test_the_french_file_is_misaligned_in_six_windows_and_the_others_in_none(real_data: Path) -> None:
    found = read_parallel(f"tico19={real_data / 'tico19' / 'TM'}")
    assert {pair.target.language: 3071 for pair in found.pairs} == {"es": 3071, "pt": 3071, "zh": 3071}
    assert len(found.left_out) == 1
    assert "all.en-fr" in found.left_out[0]
    assert "300 of them, from number 451 to 750" in found.left_out[0]
    assert not misaligned_windows([pair for pair in found.pairs if pair.target.language == "zh"])
