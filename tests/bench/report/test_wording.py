"""Numbers and untrusted text as the report writes them."""

import math
import re
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from globmed.bench.report.wording import (
    count,
    counted,
    interval,
    listed,
    markdown,
    percent,
    percent_with_unit,
    plain,
    points,
    points_interval,
    ratio,
    spreadsheet,
)

ANY_TEXT = st.text(st.characters(codec=None))


@pytest.mark.parametrize(
    ("share", "text"),
    [(0.941, "94.1"), (1.0, "100.0"), (0.0, "0.0"), (0.0004, "0.0"), (1 / 3, "33.3"), (math.nan, "–")],
)
def test_a_share_is_written_in_percent_with_one_decimal(share: float, text: str) -> None:
    assert percent(share) == text


def test_an_interval_stands_in_brackets_and_is_nothing_where_unknown() -> None:
    assert interval(0.92, 0.958) == "[92.0, 95.8]"
    assert interval(math.nan, 0.5) == interval(math.nan, math.nan) == ""


def test_differences_have_a_sign_and_a_true_minus() -> None:
    assert [points(value) for value in (64.0, -2.04, -0.04, 0.0, math.nan)] == ["+64.0", "−2.0", "0.0", "0.0", "–"]
    assert points_interval(-3.5, 0.5) == "[−3.5, +0.5]"


def test_counts_and_lists_read_as_a_sentence_does() -> None:
    assert count(1_234_567) == "1\u202f234\u202f567"
    assert [counted(n, "call") for n in (0, 1, 2)] == ["0\xa0calls", "1\xa0call", "2\xa0calls"]
    assert [listed([*names]) for names in ("", "a", "ab", "abc")] == ["", "a", "a and b", "a, b and c"]
    assert ratio(3.126) == "3.13"
    assert percent_with_unit(0.5) == "50.0\xa0%"


@given(ANY_TEXT)
def test_plain_text_changes_no_direction_and_fits_every_file(text: str) -> None:
    shown = plain(text)
    assert not re.search("[\u202a-\u202e\u2066-\u2069\u200e\u200f\u061c\x00-\x1f\x7f-\x9f]", shown)
    shown.encode()
    element = ET.Element("text")
    element.text = shown
    assert ET.fromstring(ET.tostring(element, encoding="unicode")).text == (shown or None)


@given(st.text(st.characters(categories=["L", "N", "Zs"])))
def test_plain_leaves_ordinary_text_alone(text: str) -> None:
    assert plain(text) == text


def test_what_reverses_text_is_written_out() -> None:
    assert plain("gpt\u202etxe") == "gpt⟨U+202E⟩txe"


@given(ANY_TEXT)
def test_markdown_holds_no_tag_no_link_and_no_cell_border(text: str) -> None:
    shown = markdown(text)
    assert "<" not in shown
    assert "\n" not in shown
    assert not re.search(r"(?<!\\)(?:\\\\)*[|\[\]`*_]", shown)


@given(st.sampled_from("=+-@\t\r\n"), ANY_TEXT)
def test_no_cell_starts_a_formula(first: str, rest: str) -> None:
    assert spreadsheet(first + rest)[0] not in "=+-@\t\r\n"
