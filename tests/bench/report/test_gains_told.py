"""The section on gains: absolute first, then relative, the parts, what remains, and what got worse."""

import math
from typing import Any

import pytest

from globmed.bench.report.drawing import Figure
from globmed.bench.report.gained import Gained
from globmed.bench.report.gains_drawn import gain_bars
from globmed.bench.report.gains_told import gain_sections, gain_sentences, gains_grid
from globmed.core.language import languages

PLACES = ("high", "en", "low", "sw", "all")


def gained(group: str, gain: float, **fields: Any) -> Gained:
    """Make a row whose interval reaches 2 points to either side."""
    by = "language" if group in languages() else "all" if group == "all" else "tier"
    numbers: dict[str, Any] = dict.fromkeys(Gained.__struct_fields__, 0.0) | {
        "task": "mcqa", "answer": "generate", "held_out": False, "sources": "all", "by": by, "group": group,
        "tier": languages()[group].tier if by == "language" else group, "language_trained": None, "reason": "",
        "base_model": "base", "tuned_model": "tuned", "items": 100, "clusters": 90, "base": 0.5,
        "tuned": 0.5 + gain / 100, "gain_points": gain, "gain_low": gain - 2, "gain_high": gain + 2,
        "worse": gain + 2 < 0, "relative_percent": 2 * gain, "relative_low": 2 * gain - 4,
        "relative_high": 2 * gain + 4, "ratio": 1 + gain / 50, "ratio_low": 1 + gain / 50 - 0.04,
        "ratio_high": 1 + gain / 50 + 0.04, "unread_base": 9, "unread_tuned": 1, "unread_points": 1.5,
        "right_points": gain - 2.0, "newly_points": 0.5, "not_compared": 0, "difference_points": math.nan,
        "difference_low": math.nan, "difference_high": math.nan,
    }  # fmt: skip
    return Gained(**(numbers | fields))


def rows(*gains: float, **fields: Any) -> list[Gained]:
    return [gained(place, gain, **fields) for place, gain in zip(PLACES, gains, strict=True)]


def told(found: list[Gained]) -> str:
    return "\n".join(gain_sentences(found)).replace("\xa0", " ")


MAIN = rows(2.0, 1.0, 12.0, 12.0, 6.0)


def test_absolute_comes_first_then_relative_then_the_parts() -> None:
    first, tiers, second, third, *_ = told(MAIN).split("\n")
    assert first == (
        "The gain from base to tuned, on the same questions:"
        " +6.0 [+4.0, +8.0] percentage points (50.0 % before, 56.0 % after) over all languages."
    )
    assert "+12.0 [+10.0, +14.0] percentage points (50.0 % before, 62.0 % after) in the low-resource lang" in tiers
    assert second == (
        "In relative terms: +12.0 % [+8.0, +16.0] over all languages and"
        " a ratio of 1.24 [1.20, 1.28] in the low-resource languages."
    )
    assert "+1.5 [0.0, 0.0] points are fewer unread replies, each worth a guess; +4.0 [" in third


def test_a_ratio_that_says_little_is_said_to() -> None:
    reason = "the base is within its interval of chance: the ratio says little"
    found = [gained(place, 3.0, reason=reason if place == "low" else "") for place in PLACES]
    text = told(found)
    assert f"in the low-resource languages ({reason})." in text
    assert text.count(reason) == 1
    grid = gains_grid(found)
    marked = [row.name.text for group in grid.groups for row in group.rows if row.cells[4].mark == "*"]
    assert marked == ["Together"]
    assert grid.notes[1] == f"* {reason}."
    nothing = [gained(place, 3.0, **dict.fromkeys(("ratio", "ratio_low", "ratio_high"), math.nan)) for place in PLACES]
    assert "In relative terms: no ratio over all languages, for base got nothing right" in told(nothing)


def test_where_all_was_read_no_part_is_claimed() -> None:
    assert "Every reply was read, before and after" in told(rows(2, 1, 12, 12, 6, unread_base=0, unread_tuned=0))


def test_what_was_not_asked_is_said() -> None:
    text = told(MAIN)
    assert "The phrasing that no model is trained on was not asked" in text
    assert "It is not known here which sources were trained on" in text
    text = told([*MAIN, *rows(2.0, 1.0, 12.0, 12.0, 6.0, sources="trained")])
    assert "Every source asked was trained on: nothing is known of others." in text


def test_what_remains_is_told_drawn_and_tabled() -> None:
    apart = {"difference_points": -5.0, "difference_low": -6.0, "difference_high": -4.0}
    held_out = rows(0.0, 0.0, 3.0, 3.0, 1.0, answer="generate/held_out", held_out=True, **apart)
    found = [*MAIN, *held_out, *rows(0.5, 0.5, 4.0, 4.0, 2.0, sources="left_out", **apart)]
    text = told(found)
    assert (
        "With the phrasing that no model is trained on, the gain is, in points: +1.0 [−1.0, +3.0] over all languages"
        " (−5.0 [−6.0, −4.0] against what was trained on);" in text
    )
    assert "On sources left out of training, the gain is, in points: +2.0 [0.0, +4.0] over all languages" in text
    (section,) = gain_sections(found)
    dots, gains, bars, parts, remains = section.blocks
    assert isinstance(dots, Figure)
    assert isinstance(bars, Figure)
    for panel in ("By tier and language", "Held-out phrasing", "Sources left out of training"):
        assert panel in bars.svg
    assert not any(isinstance(grid, Figure) for grid in (gains, parts, remains))
    assert [group.heading for group in remains.groups] == ["Held-out phrasing", "Sources left out of training"]  # type: ignore[union-attr]
    assert remains.groups[0].rows[-1].cells[1].value == "−5.0"  # type: ignore[union-attr]


def test_every_number_of_the_parts_stands_in_the_figure() -> None:
    svg = gain_bars({"By tier and language": MAIN}, name="parts").svg
    for row in MAIN:
        for value in (row.gain_points, row.unread_points, row.right_points, row.newly_points):
            written = f"{value:+.1f}".replace("-", "−") if value else "0.0"
            assert f">{written}</text>" in svg, written


def test_what_got_worse_is_named_with_where() -> None:
    fell = rows(-1.0, -4.0, 1.0, -6.0, -3.0, answer="generate/held_out", held_out=True)
    main = [gained(row.group, -5.0, language_trained=False) if row.group == "sw" else row for row in MAIN]
    text = told([*main, *fell])
    assert (
        "Got worse, in points, with an interval below 0: Swahili (not trained on) −5.0;"
        " held-out phrasing: English −4.0, Swahili −6.0 and All languages −3.0."
        " Of 6 intervals looked at, luck alone puts about one in forty below 0." in text
    )
    assert "Got worse: nothing, as far as the intervals show." in told(MAIN)


@pytest.mark.slow
def test_each_task_and_condition_has_a_section_of_its_own() -> None:
    sections = gain_sections(
        [*MAIN, *rows(2, 1, 12, 12, 6, answer="score_letters"), *rows(2, 1, 12, 12, 6, task="nli\u202e")]
    )
    assert [section.heading for section in sections] == [
        "What training gained: mcqa; free reply, read",
        "What training gained: mcqa; likelihood of the option’s letter",
        "What training gained: nli⟨U+202E⟩; free reply, read",
    ]
    assert len({section.id for section in sections}) == 3
    names = [block.name for section in sections for block in section.blocks if isinstance(block, Figure)]
    assert len(set(names)) == len(names) == 6


def test_no_gain_is_no_number() -> None:
    none = {"gain_low": math.nan, "gain_high": math.nan, "reason": "every call of one of the models failed"}
    text = told(rows(*[math.nan] * 5, **none))
    assert "No gain could be taken: every call of one of the models failed." in text
    assert "nan" not in text


@pytest.mark.parametrize("held_out", [True, False])
def test_a_section_of_one_phrasing_alone(held_out: bool) -> None:
    answer = "generate/held_out" if held_out else "generate"
    text = told(rows(2, 1, 12, 12, 6, answer=answer, held_out=held_out))
    assert ("All was asked with the phrasing that no model is trained on." in text) == held_out
