"""The whole way: human translations in, a page of rates out."""

import re
from pathlib import Path
from xml.sax.saxutils import escape

import pytest

from globmed.cli.calibration import Files, calibrate
from globmed.core.errors import EnvironmentFailedError
from globmed.core.item import Finding
from globmed.data.calibration import calibrating
from globmed.data.calibration.fitting import is_for_fitting
from globmed.data.calibration.injections import Injection, injections
from globmed.data.calibration.measuring import Judged, gravest, judge, rates, spoil
from globmed.data.calibration.quality_page import render
from globmed.data.calibration.throughput import joined
from globmed.data.parallel import GoodPair, read_parallel

SENTENCES = 80


@pytest.fixture(scope="module")
def translations(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A made translation memory, English to Spanish, in the publisher's format, of sentences of growing length."""
    folder = tmp_path_factory.mktemp("tico19")
    units = []
    for number in range(SENTENCES):
        more = number % 9
        here = f"The patient took {number + 20} mg of the medicine" + " and then did not feel well" * more + "."
        there = f"El paciente tomó {number + 20} mg del medicamento" + " y después no se sintió bien" * more + "."
        units.append(
            f'<tu tuid="doc_{number % 20}:{number}"><tuv xml:lang="en"><seg>{escape(here)}</seg></tuv>'
            f'<tuv xml:lang="es-LA"><seg>{escape(there)}</seg></tuv></tu>'
        )
    (folder / "all.en-es-LA.tmx").write_text(f"<tmx><body>{''.join(units)}</body></tmx>", encoding="utf-8")
    return folder


def test_the_page_has_every_table_and_says_what_has_no_data(
    translations: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "docs" / "quality.md"
    files = Files(
        page=page, bands=tmp_path / "bands.toml", sample=tmp_path / "sample.csv", kept_verdicts=tmp_path / "kept.csv"
    )
    calibrate([f"tico19={translations}"], files, as_json=False)
    text = page.read_text(encoding="utf-8")
    pairs = read_parallel(f"tico19={translations}").pairs
    measured = [pair for pair in pairs if not is_for_fitting(pair)]
    assert f"| TICO-19 | en-es | people | {SENTENCES} | 20 | {SENTENCES - len(measured)} | {len(measured)} |" in text
    assert re.search(rf"\| es \| {len(measured)} \| \d+ \| 0\.0 \(", text)
    for code in ("ja", "ko", "de", "wo", "yo"):
        assert f"| {code} | 0 | 0 | no data |" in text
    assert f"| number changed | es | {len(measured)} |" in text
    assert "| unit changed | es |" in text
    assert "option dropped" not in text
    assert all(file.exists() for file in (files.bands, files.sample, files.kept_verdicts) if file)
    assert "Good translations that are stopped" in capsys.readouterr().out


def test_measuring_again_gives_the_same(translations: Path) -> None:
    first, again = (calibrating.calibrate([f"tico19={translations}"], at_most=10) for _ in range(2))
    assert len(first.good) == 10
    assert first.spoilt == again.spoilt
    pages = [render(one).partition("## Speed")[0] for one in (first, again)]
    assert pages[0] == pages[1]


def test_an_error_counts_as_found_by_new_findings_alone(translations: Path) -> None:
    pairs = read_parallel(f"tico19={translations}").pairs[:30]
    untranslated = next(one for one in injections(pairs) if one.name == "untranslated")
    assert {one.level for one in spoil(judge("tico19", pairs), [untranslated], seed=0)} == {"block"}
    copies = [GoodPair(pair.source, spoilt.target) for pair in pairs if (spoilt := untranslated.into(pair, seed=0))]
    blocked = judge("tico19", copies)
    assert {one.level() for one in blocked} == {"block"}
    nothing = Injection(name="nothing", title="nothing changed", spoil=lambda pair, _generator: pair.target)
    assert {(one.level, one.checks) for one in spoil(blocked, [nothing], seed=0)} == {(None, ())}


def test_the_gravest_finding_decides() -> None:
    def finding(severity: str) -> Finding:
        return Finding(check="x", severity=severity, field="", message="")  # type: ignore[arg-type]

    assert gravest([finding("note"), finding("block"), finding("review")]) == "block"
    assert gravest([]) is None
    found = rates(["block", "review", "note", None], ["a", "b", "c", "d"])
    assert [one.mean for one in found] == [0.25, 0.5, 0.75]


def test_one_check_is_counted_apart(translations: Path) -> None:
    pair = read_parallel(f"tico19={translations}").pairs[0]
    findings = (
        Finding(check="length", severity="block", field="", message=""),
        Finding(check="names", severity="note", field="", message=""),
    )
    one = Judged(corpus="tico19", pair=pair, findings=findings)
    assert (one.level(), one.level("names"), one.level("gold")) == ("block", "note", None)


def test_joined_sentences_come_near_the_length_wanted(translations: Path) -> None:
    made = joined(read_parallel(f"tico19={translations}").pairs, characters=650)
    lengths = [len(pair.source.question) for pair in made]
    assert all(450 < length < 850 for length in lengths)
    assert made[0].target.question.startswith("El paciente tomó 20 mg")


def test_a_page_that_cannot_be_written_is_the_machines_failure(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(EnvironmentFailedError, match="could not be written"):
        calibrating.write_text("x", tmp_path / "file" / "quality.md")
