"""The stage `quality`: what it reads, writes, replaces, refuses and does not do twice."""

import csv
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest

from globmed.core.dataset import read_items
from globmed.core.errors import InputError, UsageError
from globmed.core.item import Finding, Item, Provenance, TextOrigin
from globmed.core.store import Manifest, read_manifest, read_records, writing_stage
from globmed.data import checking
from globmed.data.checking import check_dataset, count_items, findings_by_check
from globmed.data.checking_rows import FindingRow, Unpaired

ENGLISH = "Which of the following drugs is an antibiotic in the hospital?"
SPANISH = "¿Cuál de los siguientes fármacos es un antibiótico en el hospital?"


def item(number: int, code: str, *, native: str = "en", source: str = "made", **fields: Any) -> Item:
    text: TextOrigin = "native" if code == native else "machine"
    provenance = Provenance(native_language=native, licence="CC0", text=text, findings=fields.pop("findings", ()))
    texts: Mapping[str, Any] = {
        "question": ENGLISH if code == "en" else SPANISH,
        "options": ("1 mg", "2 mg"),
        "answer": (0,),
    }
    return Item(
        family=f"{source}:{number}",
        language=code,
        kind="mcqa",
        source=source,
        split="test",
        provenance=provenance,
        **{**texts, **fields},
    )


def stage(out: Path, items: Iterable[Item]) -> Path:
    by_file: dict[str, list[Item]] = {}
    for one in items:
        by_file.setdefault(f"{one.source}.{one.language}.parquet", []).append(one)
    with writing_stage(out / "translate", "translate") as writer:
        for name, rows in by_file.items():
            writer.write(name, rows, Item)
    return out / "translate"


def checked(out: Path, items: Iterable[Item], **options: Any) -> dict[tuple[str, str], Item]:
    check_dataset(stage(out, items), out=out, **options)
    return {(one.family, one.language): one for one in read_items(out / "quality")}


def test_every_item_comes_out_with_what_was_found_beside_it(tmp_path: Path) -> None:
    wrong = item(1, "es", options=("2 mg", "1 mg"))
    items = [item(1, "en"), item(2, "en"), wrong, item(2, "es")]
    found = checked(tmp_path, items)
    assert {one.check for one in found["made:1", "es"].standing_findings} >= {"option_order"}
    assert found["made:1", "es"].blocked
    assert found["made:2", "es"] == items[3]
    assert found["made:1", "en"] == items[0]
    manifest = read_manifest(tmp_path / "quality")
    assert sorted(manifest.files) == ["findings.parquet", "made.en.parquet", "made.es.parquet", "unpaired.jsonl"]
    assert [(count.language, count.read, count.kept) for count in manifest.counts] == [("en", 2, 2), ("es", 2, 2)]
    rows = list(read_records(tmp_path / "quality", FindingRow, prefix="findings."))
    assert ("made:1", "es", "option_order", "block") in [(r.family, r.language, r.check, r.severity) for r in rows]


def test_the_order_of_the_files_does_not_matter(tmp_path: Path) -> None:
    forward = [*(item(n, "en") for n in range(9)), *(item(n, "es", answer=(n % 2,)) for n in range(9))]
    backward = [*(item(n, "en") for n in range(9)), *(item(n, "es", answer=(n % 2,)) for n in reversed(range(9)))]
    assert checked(tmp_path / "a", forward) == checked(tmp_path / "b", backward)


def test_earlier_findings_of_these_checks_are_replaced_and_others_stay(tmp_path: Path) -> None:
    old = Finding(check="gold", severity="block", field="answer", message="of a former run")
    foreign = Finding(check="options_few", severity="note", field="options", message="2, not three or more")
    found = checked(tmp_path, [item(1, "en"), item(1, "es", findings=(old, foreign))])
    assert found["made:1", "es"].provenance.findings == (foreign,)


def test_all_of_an_item_comes_through(tmp_path: Path) -> None:
    rich = item(1, "es", rationale="Porque sí.", specialty="x", region="ES", subset="s")
    steps = msgspec.structs.replace(rich.provenance, model="m", prompt_hash="h", may_leave_machine=False)
    rich = msgspec.structs.replace(rich, provenance=steps)
    found = checked(tmp_path, [item(1, "en", rationale="Because."), rich])["made:1", "es"]
    without = msgspec.structs.replace(found.provenance, findings=())
    assert msgspec.structs.replace(found, provenance=without) == rich


def test_originals_are_looked_at_for_their_region(tmp_path: Path) -> None:
    found = checked(tmp_path, [item(1, "en", question="She called 911."), item(1, "es", question="Llamó al 911.")])
    notes = {key: [one.message for one in it.provenance.findings if one.check == "region"] for key, it in found.items()}
    assert notes == {key: ["US: emergency number 911"] for key in found}


def test_a_translation_without_original_is_counted_and_written_down(tmp_path: Path) -> None:
    found = checked(tmp_path, [item(1, "en"), item(1, "es"), item(2, "es", answer=(1,))])
    assert not found["made:2", "es"].provenance.findings
    (lone,) = read_records(tmp_path / "quality", Unpaired, prefix="unpaired")
    assert (lone.family, lone.language, lone.native_language) == ("made:2", "es", "en")
    assert read_manifest(tmp_path / "quality").files["unpaired.jsonl"].rows == 1


def test_without_the_native_item_the_english_one_is_the_original(tmp_path: Path) -> None:
    made = [item(1, "en", native="de"), item(1, "es", native="de", answer=(1,))]
    found = checked(tmp_path, made)
    assert [one.check for one in found["made:1", "es"].provenance.findings] == ["gold"]
    assert [one.family for one in read_records(tmp_path / "quality", Unpaired, prefix="unpaired")] == ["made:1"]


def test_a_translation_is_compared_with_the_text_that_it_was_made_from(tmp_path: Path) -> None:
    """Of a Spanish question the English may be a translation with an error, and the French made from it a good one."""
    french = item(
        1, "fr", native="es", question="Lequel de ces médicaments est un antibiotique ?", options=("3 mg", "2 mg")
    )
    known = msgspec.structs.replace(french.provenance, translated_from="en")
    items = [item(1, "es", native="es"), item(1, "en", native="es", options=("3 mg", "2 mg"))]
    for one, checks in ((french, {"numbers"}), (msgspec.structs.replace(french, provenance=known), set())):
        found = checked(tmp_path / str(len(checks)), [*items, one])["made:1", "fr"]
        assert {finding.check for finding in found.provenance.findings if finding.severity == "block"} >= checks
        assert bool(checks) == found.blocked


def test_glossaries_are_by_the_pair_of_languages(tmp_path: Path) -> None:
    both = [item(1, "en"), item(1, "es")]
    found = checked(tmp_path, both, glossaries={("en", "es"): {"antibiotic": ["antimicrobiano"]}})
    assert [one.check for one in found["made:1", "es"].provenance.findings] == ["glossary"]
    assert not checked(tmp_path, both, glossaries={("en", "fr"): {"antibiotic": ["x"]}})[
        "made:1", "es"
    ].standing_findings


def test_it_is_not_done_twice_but_for_a_change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = stage(tmp_path, [item(1, "en"), item(1, "es")])
    first = check_dataset(folder, out=tmp_path)
    monkeypatch.setattr(checking, "check_block", None)
    assert check_dataset(folder, out=tmp_path) == first
    with pytest.raises(TypeError):
        check_dataset(folder, out=tmp_path, glossaries={("en", "es"): {"drug": ["fármaco"]}})
    assert read_manifest(tmp_path / "quality") == first


@pytest.mark.slow
def test_many_processes_write_what_one_does(tmp_path: Path) -> None:
    items = [item(n, code, answer=(n % 2,)) for code in ("en", "es") for n in range(2_500)]
    items += [item(n, "es", source="other", native="es") for n in range(10)]
    folder = stage(tmp_path, items)
    seen: list[tuple[int, int | None]] = []
    one = check_dataset(folder, out=tmp_path / "one", processes=1)
    two = check_dataset(folder, out=tmp_path / "two", processes=2, tell=lambda done, total: seen.append((done, total)))
    assert one == two
    assert seen[-1] == (5_010, 5_010)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


def rulings(path: Path, *rows: Mapping[str, str]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, ["family", "language", "check", "reviewer", "day", "comment"])
        writer.writeheader()
        writer.writerows(rows)
    return path


RULING = {
    "family": "made:1",
    "language": "es",
    "check": "gold",
    "reviewer": "Dr A",
    "day": "2026-11-01",
    "comment": "fine",
}


def test_an_expert_overrules_a_finding(tmp_path: Path) -> None:
    items = [item(1, "en"), item(1, "es", answer=(1,))]
    file = rulings(tmp_path / "rulings.csv", RULING)
    found = checked(tmp_path, items, overrule=file)["made:1", "es"]
    assert [one.check for one in found.provenance.findings] == ["gold"]
    assert not found.standing_findings
    assert (found.provenance.review[0].reviewer, found.provenance.review[0].comment) == ("Dr A", "fine")
    assert not list(read_records(tmp_path / "quality", FindingRow, prefix="findings."))
    again = check_dataset(tmp_path / "quality", out=tmp_path / "again", overrule=file)
    assert isinstance(again, Manifest)
    (kept,) = [one for one in read_items(tmp_path / "again" / "quality") if one.language == "es"]
    assert kept.provenance.review == found.provenance.review


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"check": "numberz"}, r"rulings.csv:2: found the check 'numberz'; expected one of characters, "),
        ({"reviewer": " "}, r"rulings.csv:2: found no reviewer"),
        ({"family": "made:7"}, r"found made:7 in 'es'; expected an item of the stage"),
        ({"language": "fr"}, r"found made:1 in 'fr'; expected a language of the stage: en, es"),
    ],
)
def test_a_ruling_on_nothing_stops_the_stage(tmp_path: Path, change: dict[str, str], message: str) -> None:
    file = rulings(tmp_path / "rulings.csv", RULING | change)
    with pytest.raises(InputError, match=message):
        checked(tmp_path, [item(1, "en"), item(1, "es")], overrule=file)
    assert not (tmp_path / "quality" / "manifest.json").exists()


def test_what_cannot_be_checked_is_refused(tmp_path: Path) -> None:
    check_dataset(stage(tmp_path, [item(1, "en")]), out=tmp_path)
    with pytest.raises(UsageError, match="would be written over"):
        check_dataset(tmp_path / "quality", out=tmp_path)
    with writing_stage(tmp_path / "odd", "translate") as writer:
        writer.write(
            "made.es.parquet", [Unpaired(family="a", language="es", source="a", native_language="en")], Unpaired
        )
    with pytest.raises(InputError, match="other columns"):
        check_dataset(tmp_path / "odd", out=tmp_path / "elsewhere")


def test_findings_are_counted_by_language_and_check(tmp_path: Path) -> None:
    stage_of = [item(n, code, answer=(n % 2 if code == "es" else 0,)) for code in ("en", "es") for n in range(4)]
    checked(tmp_path, stage_of)
    assert findings_by_check(tmp_path / "quality") == [
        {"language": "es", "check": "gold", "severity": "block", "items": 2, "findings": 2}
    ]
    assert count_items(tmp_path / "quality", ["block", "review"]) == 2
    assert count_items(tmp_path / "quality", ["review"]) == 0
