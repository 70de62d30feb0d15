"""The check of units: the same unit in every spelling passes, another unit is blocked."""

import pytest

from globmed.core.item import Item, Provenance
from globmed.data.pairs import Pair
from globmed.data.quality.units import CHECK


def item(code: str, question: str) -> Item:
    provenance = Provenance(native_language="en", licence="none")
    return Item(
        family="f", language=code, kind="lfqa", source="s", split="test", question=question, provenance=provenance
    )


def found(english: str, code: str, translated: str) -> list[tuple[str, str]]:
    pair = Pair(item("en", english), item(code, translated))
    return [(finding.severity, finding.message) for finding in CHECK.run(pair)]


@pytest.mark.parametrize(
    ("english", "code", "translated"),
    [
        ("5 mcg", "es", "5 μg"),
        ("5 micrograms", "zh", "5 微克"),
        ("5 mg", "ja", "5ミリグラム"),
        ("5 mg", "ko", "5밀리그램"),
        ("5 mg", "sw", "miligramu 5"),
        ("5 mg", "zu", "amamiligremu angu-5"),
        ("100 IU/L", "es", "100 UI/L"),
        ("100 units", "de", "100 IE"),
        ("50 mg/dL", "zh", "50 毫克/分升"),
        ("4000/mm3", "es", "4.000/microlitro"),
        ("5 mL and 5 days", "fr", "5 jours et 5 ml"),
        ("5 mL", "es", "5 cc"),
        ("80 beats per minute", "es", "80 lpm"),
        ("3-year-old, 5%", "zh", "3 岁，5％"),
        ("5 mg", "es", "0,005 g"),
        ("24 hours", "fr", "un jour"),
        ("37 °C", "es", "37ºC"),
        ("5 mg/kg", "pt", "5 mg por kg"),
        ("3 puffs", "es", "3 mg"),
    ],
)
def test_the_same_unit_passes(english: str, code: str, translated: str) -> None:
    assert found(english, code, translated) == []


@pytest.mark.parametrize(
    ("english", "code", "translated"),
    [
        ("5 mg", "es", "5 g"),
        ("5 µg", "es", "5 mg"),
        ("5 mg", "zh", "5 克"),
        ("5 mmol/L", "fr", "5 mg/dL"),
        ("5 mg/dL", "pt", "5 mg/L"),
        ("100 IU", "es", "100 mg"),
        ("3 weeks", "es", "3 meses"),
        ("37 °C", "de", "37 °F"),
        ("5 mL", "sw", "lita 5"),
        ("5 mg and 5 days", "es", "5 g y 5 días"),
    ],
)
def test_another_unit_is_blocked(english: str, code: str, translated: str) -> None:
    assert [severity for severity, _ in found(english, code, translated)] == ["block"]


def test_a_missing_unit_of_measure_is_asked_about_and_a_finding_says_both() -> None:
    assert found("5 mg", "es", "5") == [("review", "the unit of '5 mg' (mg) is missing at '5'")]
    assert found("5 days", "yo", "5") == []
    assert found("5 mg", "es", "5 g") == [("block", "'5 mg' (mg) became '5 g' (g)")]
