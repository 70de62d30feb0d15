"""The check of numbers: good translations pass, lost and changed numbers are blocked, in every language's writing."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from globmed.core.item import Finding, Item, Provenance
from globmed.data.pairs import Pair
from globmed.data.quality import numbers
from globmed.data.quality.numbers import CHECK
from globmed.data.quantities import written_in_digits


def item(code: str, question: str, *, context: str = "", options: tuple[str, ...] = ()) -> Item:
    provenance = Provenance(native_language="en", licence="none")
    return Item(
        family="f", language=code, kind="mcqa", source="s", split="test", question=question, context=context,
        options=options, provenance=provenance,
    )  # fmt: skip


def findings(source: Item, target: Item) -> list[Finding]:
    return list(CHECK.run(Pair(source, target)))


def severities(english: str, code: str, translated: str) -> list[str]:
    return [finding.severity for finding in findings(item("en", english), item(code, translated))]


@pytest.mark.parametrize(
    ("english", "code", "translated"),
    [
        ("Leukocytes 1,200/mm3, 0.5 mg", "es", "Leucocitos 1.200/mm3, 0,5 mg"),
        ("Leukocytes 1,200", "fr", "Leucocytes 1\u202f200"),
        ("platelets 5,000", "es", "plaquetas 5,000"),
        ("42.000 people", "es", "42\u00a0000 personas"),
        ("4 million people", "sw", "watu milioni 4"),
        ("100 million dollars", "zh", "1 亿美元"),
        ("between 14 and 22 million", "zh", "1400 万至 2200 万"),
        ("three days later, 3 days", "es", "3 días después, tres días"),
        ("Since the 1950s", "zh", "自 20 世纪 50 年代"),
        ("in 2019-20", "es", "en 2019-2020"),
        ("in the 1990s", "es", "en los años 90"),
        ("at 5 pm", "fr", "à 17 heures"),
        ("2/3 of them", "pt", "dois terços"),
        ("the 2nd stage, type 2", "es", "el segundo estadio, tipo II"),
        ("March 15, 2020", "zh", "2020 年 3 月 15 日"),
        ("February to 16 March", "zh", "二月至 3 月 16 日"),
        ("COVID-19 and IL-6", "zh", "新冠肺炎和 IL-6"),
        ("1. Rest", "de", "a) Ruhe"),
        ("five patients and one nurse", "zh", "病人和护士"),
        ("50% of 20 patients", "sw", "asilimia 50 ya wagonjwa 20"),
        ("50% of patients", "zh", "百分之50的病人"),
        ("at 6 pm", "sw", "saa 12 jioni"),
        ("$13.7 million", "zu", "izigidi ezingama- $ 13.7"),
        ("21 days", "de", "einundzwanzig Tage"),
        ("fructose 2,6-bisphosphate", "es", "fructosa 2, 6-bisfosfato"),
    ],
)
def test_good_translations_pass(english: str, code: str, translated: str) -> None:
    assert severities(english, code, translated) == []


@pytest.mark.parametrize(
    ("english", "code", "translated", "severity"),
    [
        ("Give 5 mg", "es", "Dar 50 mg", "block"),
        ("Give 5 mg", "es", "Dar 0,5 mg", "block"),
        ("Give 5 mg", "es", "Dar mg", "block"),
        ("Give 50,000 units", "pt", "Dar 50,00 unidades", "block"),
        ("Give 1 mg for a day", "es", "Dar mg por un día", "block"),
        ("grade 1 in a man", "es", "grado en un hombre", "block"),
        ("two million people", "es", "dos personas", "block"),
        ("4 million", "sw", "milioni 40", "block"),
        ("after five days", "zh", "50 天后", "block"),
        ("COVID-19 and COVID-19", "es", "COVID-19 y COVID-91", "block"),
        ("in March 2020", "zh", "2020 年 4 月", "block"),
        ("1 March, 5 March", "zh", "3 月 1 日，4 月 5 日", "block"),
        ("all seven viruses", "zh", "所有 4 种病毒", "block"),
        ("3.5万", "zh", "35万", "block"),
        ("85% of them", "wo", "juróom-ñaar-fukk ci téeméer boo jël", "review"),
        ("85% of them", "wo", "ñoom", "block"),
        ("Give it", "es", "Dar 5 mg", "review"),
        ("Give 5 mg", "es", "Dar 0,005 g", "note"),
    ],
)
def test_errors_are_found(english: str, code: str, translated: str, severity: str) -> None:
    assert severity in severities(english, code, translated)


def test_a_number_may_move_between_context_and_question_but_not_between_options() -> None:
    source = item("en", "What now?", context="He is 45.", options=("5 mg", "10 mg"))
    moved = item("es", "¿Qué ahora, a los 45?", options=("5 mg", "10 mg"))
    assert findings(source, moved) == []
    swapped = item("es", "¿Qué ahora, a los 45?", options=("10 mg", "5 mg"))
    blocked = {finding.field for finding in findings(source, swapped) if finding.severity == "block"}
    assert blocked == {"options[0]", "options[1]"}


def test_a_finding_says_what_is_missing() -> None:
    [lost, added] = findings(item("en", "Give 5 mg"), item("fr", "Donner 6 mg"))
    assert (lost.check, lost.severity, lost.field) == ("numbers", "block", "question")
    assert lost.message == "'5 mg' is not in the translation"
    assert added.message == "'6 mg' is not in the original"
    assert CHECK.name == numbers.__name__.rpartition(".")[2]


def headqa(real_data: Path) -> Iterator[tuple[Item, Item]]:
    """Items of the native Spanish and of its machine translation, as far as their stems hold numbers in digits."""

    def questions(path: str) -> dict[tuple[str, str], str]:
        exams = json.loads((real_data / "headqa" / "data" / path).read_text(encoding="utf-8"))["exams"]
        return {(name, row["qid"]): row["qtext"] for name, exam in exams.items() for row in exam["data"]}

    english = questions("HEAD_EN/dev_HEAD_EN.json")
    for key, text in questions("HEAD/dev_HEAD.json").items():
        if any(each.kind == "digits" for each in written_in_digits(text, "es")):
            yield item("es", text), item("en", english[key])


NUMBER = r"(?<![\w.,-])[1-9]\d*(?![\d.,])"
"""A whole number of its own, as found without the code that is tested."""


def share_blocked(pairs: list[tuple[Item, Item]], change: Callable[[str], str]) -> float:
    changed = [(source, item("en", change(target.question))) for source, target in pairs]
    return sum(any(f.severity == "block" for f in findings(*pair)) for pair in changed) / len(pairs)


@pytest.mark.real
def test_real_translations_pass_and_their_errors_are_found(real_data: Path) -> None:
    pairs = list(headqa(real_data))
    assert len(pairs) > 150
    assert share_blocked(pairs, lambda text: text) <= 0.03
    good = [pair for pair in pairs if not findings(*pair) and re.search(NUMBER, pair[1].question)]
    first_dropped = share_blocked(good, lambda text: re.sub(NUMBER, "", text, count=1))
    tenfold = share_blocked(good, lambda text: re.sub(NUMBER, r"\g<0>0", text, count=1))
    assert min(first_dropped, tenfold) >= 0.97


def test_a_number_that_ends_in_groups_of_zeros_is_no_fraction_of_nothing() -> None:
    assert severities("View this post on Instagram", "zu", "Sizobe sijova abantu abangama-800,000.") == ["review"]
