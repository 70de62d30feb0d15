"""A page a language: what the questions are, who did best, what is not known."""

import math
from typing import Any

from globmed.bench.costs import CostRow
from globmed.bench.gaps import GapRow
from globmed.bench.report.language_pages import CANNOT, Texts, language_pages, use_of
from globmed.bench.report.measure import Measure


def measure(model: str, accuracy: float, *, source: str = "headqa", code: str = "wo") -> Measure:
    counts = dict.fromkeys(("wrong", "unread", "several", "empty", "refused", "truncated", "filtered", "errors"), 0)
    return Measure(
        task="mcqa",
        answer="generate",
        model=model,
        revision="",
        source=source,
        by="language",
        group=code,
        tier="low",
        items=100,
        clusters=100,
        asked=100,
        accuracy=accuracy,
        low=accuracy - 0.05,
        high=accuracy + 0.05,
        chance=0.25,
        correct=round(100 * accuracy),
        reason="",
        **counts,
    )


def filled(kind: type[Any], **known: object) -> Any:
    """Return a row with the fields that matter here; numbers that do not are NaN, texts empty."""
    blank = {"str": "", "int": 0, "bool": False, "float": math.nan}
    rest = {name: blank.get(str(of), "") for name, of in kind.__annotations__.items()}
    return kind(**(rest | known))


TEXTS = {
    ("mcqa", "headqa", "wo"): Texts(questions=100, native=0, machine=90, expert=10, reviewed=4),
    ("mcqa", "medqa", "wo"): Texts(questions=20, native=0, machine=20, expert=0, reviewed=0),
    ("mcqa", "safety", "en"): Texts(questions=5, native=5, machine=0, expert=0, reviewed=0),
}
SAME = {"task": "mcqa", "source": "headqa", "model": "good", "revision": "", "answer": "generate", "language": "wo"}


def test_a_page_says_what_was_asked_what_was_found_and_what_is_not_known() -> None:
    gaps = [filled(GapRow, **SAME, reference="en", text="all", gap=-0.2, low=-0.3, high=-0.1)]
    costs = [filled(CostRow, **SAME, usd_per_1000=1.5)]
    measures = [measure("poor", 0.4), measure("good", 0.6), measure("longest", 0.9)]
    english, wolof = language_pages(measures, TEXTS, gaps=gaps, costs=costs)
    assert (english.code, wolof.code) == ("en", "wo")
    said = " ".join((*wolof.sentences, *wolof.unknown)).replace("\xa0", " ")
    assert "Asked in Wolof: 120 questions from 2 sources, 110 translated by machine and 10 translated" in said
    assert "People looked at 4 of them." in said
    assert "a thousand questions cost US$ 1.50" in said
    assert "Anything about safety in Wolof: asked in other languages, not in this one." in said
    assert "How models do on medqa: there are questions, and no number that could be given." in said
    assert wolof.unknown[0].startswith(CANNOT)
    row, empty = wolof.evidence.groups[0].rows
    assert [cell.value for cell in row.cells] == [
        "choosing the right answer to written examination questions",
        "100",
        "90 machine, 10 by people",
        "4",
        "good",
        "60.0",
        "25.0",
        "−20.0",
        "1.50",
    ]
    assert row.cells[7].interval == "[−30.0, −10.0]"
    assert empty.cells[4].detail == "no number"


def test_a_best_model_near_chance_is_named() -> None:
    (page,) = language_pages(
        [measure("poor", 0.26)], {("mcqa", "headqa", "wo"): TEXTS["mcqa", "headqa", "wo"]}, gaps=[], costs=[]
    )
    assert "On headqa even the best is not shown to do better than guessing." in " ".join(page.sentences)


def test_a_source_that_asks_something_of_its_own_says_so() -> None:
    assert use_of("mcqa", "doses") == "calculating a dose from numbers that are stated in the question"
    assert use_of("a task to come", "any") == "a task to come"
