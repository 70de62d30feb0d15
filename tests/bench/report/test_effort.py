"""What answers take: sums of the costs' rows by tier, points only where something is known, and who has no price."""

import math
import re
from pathlib import Path
from typing import Any

import pytest

from globmed.bench.costs import CostRow
from globmed.bench.report.drawing import Figure
from globmed.bench.report.effort import effort, effort_sections
from globmed.bench.report.evidence import read_runs
from globmed.bench.report.grid import Grid
from globmed.bench.report.section import Section


def cost(code: str, **changes: Any) -> CostRow:
    row: dict[str, Any] = {
        "task": "mcqa", "model": "m", "revision": "", "answer": "generate", "source": "s", "language": code,
        "tier": "low", "replies": 100, "right": 25, "input_tokens": 900, "cached_tokens": 0, "output_tokens": 100,
        "reasoning_tokens": 0, "tokens_per_reply": 10.0, "tokens_per_right": 40.0, "usd": 0.5, "usd_per_1000": 5.0,
        "usd_per_right": 0.02, "times_english": 2.0, "translation_tokens": 0, "translation_usd": 0.0,
    }  # fmt: skip
    return CostRow(**(row | changes))


def test_languages_are_summed_by_replies_not_meant() -> None:
    found = effort([cost("wo"), cost("yo", replies=300, right=25, input_tokens=8900, usd=3.5, times_english=4.0)])
    assert found.tokens == pytest.approx((1000 + 9000) / 400)
    assert found.usd_per_1000 == pytest.approx(1000 * 4.0 / 400)
    assert found.usd_per_right == pytest.approx(4.0 / 50)
    assert found.times_english == 3.0


def test_one_language_without_a_price_leaves_none() -> None:
    found = effort([cost("wo"), cost("yo", usd=math.nan)])
    assert math.isnan(found.usd_per_1000)
    assert math.isnan(found.usd_per_right)
    assert found.tokens == 10
    assert all(math.isnan(value) for value in (effort([]).tokens, effort([]).usd_per_1000, effort([]).times_english))


@pytest.fixture(scope="module")
def section(made_up_run: Path) -> Section:
    (found,) = effort_sections(read_runs([made_up_run]))
    return found


def test_the_table_has_what_the_replies_took(section: Section) -> None:
    grid = section.blocks[-1]
    assert isinstance(grid, Grid)
    rows = {row.name.text: [cell.value for cell in row.cells] for row in grid.groups[0].rows}
    large = rows["1. made-up/large"]
    # Of the high-resource languages 110 tokens a reply at a millionth of a dollar, of the low-resource ones 260.
    assert large[2:5] == ["110", "1.00", "0.110"]
    assert large[7:10] == ["260", "2.36", "0.260"]
    assert float(large[10]) == pytest.approx(0.00026 / 0.78, rel=0.05)
    assert next(cells for name, cells in rows.items() if name.endswith("made-up/chat-4b"))[9:] == ["–", "–"]


def test_figures_leave_out_what_is_not_known_and_the_sentences_say_who(section: Section) -> None:
    figures = {block.name: block for block in section.blocks if isinstance(block, Figure)}
    assert list(figures) == ["accuracy-tokens", "accuracy-cost"]
    drawn = {name: re.findall(r">(\d)</text>", figure.svg) for name, figure in figures.items()}
    assert {"1", "2", "3", "4", "5"} <= set(drawn["accuracy-tokens"])
    assert {"3", "4", "5"}.isdisjoint(drawn["accuracy-cost"])
    told = " ".join(section.summary).replace("\xa0", " ")
    assert "takes 2.36 times the tokens of English, the median over 5 models" in told
    assert "The price of made-up/tuned-1.7b, made-up/chat-4b and made-up/base-1.7b is not known." in told
    assert "No model’s size is known here." in told
