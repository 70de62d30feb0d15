"""The sentences on top: each case says no more than the numbers do."""

import math
from typing import Any

from globmed.bench.report.gained import Gained
from globmed.bench.report.measure import Measure
from globmed.bench.report.summary import summary
from globmed.bench.standings import StandingRow
from globmed.core.language import languages


def measure(model: str, group: str, accuracy: float, *, half: float = 0.04, **fields: Any) -> Measure:
    by = "language" if group in languages() else "all" if group == "all" else "tier"
    row: dict[str, Any] = dict.fromkeys(("unread", "several", "empty", "refused", "truncated", "filtered", "errors"), 0)
    row |= {
        "task": "mcqa", "answer": "generate", "model": model, "revision": "", "source": "all", "by": by, "group": group,
        "tier": languages()[group].tier if by == "language" else group, "items": 100, "clusters": 90, "asked": 100,
        "accuracy": accuracy, "low": accuracy - half, "high": accuracy + half, "chance": 0.25, "reason": "",
        "correct": 0, "wrong": 0,
    }  # fmt: skip
    return Measure(**(row | fields))


def model(name: str, high: float, low: float, **fields: Any) -> list[Measure]:
    places = {"en": high, "high": high, "sw": low, "low": low, "all": (high + low) / 2}
    return [measure(name, group, accuracy, **fields) for group, accuracy in places.items()]


def gained(tier: str, gain: float, low: float, high: float) -> Gained:
    numbers: dict[str, Any] = dict.fromkeys(Gained.__struct_fields__, 0.0)
    numbers |= {
        "task": "mcqa", "answer": "generate", "held_out": False, "sources": "all", "by": "tier", "group": tier,
        "tier": tier, "language_trained": None, "base_model": "base", "tuned_model": "tuned", "base": 0.3,
        "tuned": 0.3 + gain / 100, "gain_points": gain, "gain_low": low, "gain_high": high, "worse": high < 0,
    }  # fmt: skip
    return Gained(**numbers)


def standing(model: str, tier: str, best: int, **fields: Any) -> StandingRow:
    row: dict[str, Any] = {
        "task": "mcqa", "answer": "generate", "source": "all", "by": "tier", "group": tier, "tier": tier,
        "items": "all", "left_out": 0, "model": model, "revision": "", "accuracy": 0.5, "low": 0.4, "high": 0.6,
        "replies": 100, "clusters": 90, "rank": best, "best": best, "worst": 9, "ranked": 3, "reason": "",
    }  # fmt: skip
    return StandingRow(**(row | fields))


def said(measures: list[Measure], *gains: Gained, sets: int = 1, standings: tuple[StandingRow, ...] = ()) -> str:
    return " ".join(summary(measures, gains, standings=standings, question_sets=sets)).replace("\xa0", " ")


def test_one_model_is_not_called_the_best() -> None:
    text = said(model("a", 0.9, 0.6))
    assert text.startswith("In the high-resource languages a answered 90.0 % [86.0, 94.0] of the questions right;")
    assert "best" not in text
    assert "Guessing gives 25.0 %." in text


def test_the_best_is_named_with_how_many_may_be_first_as_well() -> None:
    places = (
        standing("a", "high", 1),
        standing("b", "high", 1),
        standing("a", "low", 1),
        standing("b", "low", 2),
        standing("b", "low", 1, items="independent"),
    )
    text = said([*model("a", 0.9, 0.6), *model("b", 0.88, 0.4), *model("longest", 0.3, 0.31)], standings=places)
    assert "Of 2 models asked, the best: in the high-resource languages a answered" in text
    assert "and 1 other model may be first as well, as far as these questions tell; in the low-resource" in text
    assert text.count("as well") == 1
    assert "the best baseline, which knows nothing of the question, 31.0 %" in text


def test_how_sure_names_the_widest_interval() -> None:
    text = said(model("a", 0.9, 0.6, half=0.051))
    assert (
        "up to 5.1 percentage points to either side of the number (2 languages, at least 90 independent questions"
        in text
    )


def test_a_language_at_chance_is_named() -> None:
    assert "No better than guessing, as far as this shows: a in Swahili." in said(model("a", 0.9, 0.27))
    assert "No better than guessing" not in said([*model("a", 0.9, 0.6), *model("chance", 0.25, 0.25)])


def test_rise_fall_and_neither() -> None:
    text = said(model("a", 0.9, 0.6), gained("low", 60.0, 55.0, 65.0), gained("high", -2.0, -3.5, -0.5))
    assert "With training (base to tuned), the share of questions answered right rose by 60.0 percentage points" in text
    assert (
        "and fell by 2.0 percentage points [−3.5, −0.5] in the high-resource languages (from 30.0 % to 28.0 %)." in text
    )
    text = said(model("a", 0.9, 0.6), gained("low", 1.0, -2.0, 4.0))
    assert "changed by +1.0 percentage points, which luck can explain, [−2.0, +4.0]" in text


def test_replies_without_answer_and_failed_calls_are_told_apart() -> None:
    assert "None of the replies held no answer" not in said(model("a", 0.9, 0.6))
    assert "Every reply held an answer that could be read." in said(model("a", 0.9, 0.6))
    text = said(model("a", 0.9, 0.6, unread=4, refused=1, errors=50))
    assert "10.0 % of the replies held no answer that could be read; most with a in English, 10.0 %." in text
    assert "100 calls failed and are left out." in text
    assert "(leaving out 50 calls that failed)" in text


def test_no_number_is_no_sentence() -> None:
    text = said([measure("a", group, math.nan, errors=100) for group in ("sw", "low", "all")])
    assert "nan" not in text
    assert "No model gave a number here." in text
    assert "100 calls failed" in text


def test_several_sets_of_questions_are_said() -> None:
    assert "These runs asked 2 different sets of questions" in said(model("a", 0.9, 0.6), sets=2)
