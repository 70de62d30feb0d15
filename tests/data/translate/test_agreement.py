"""chrF: known answers of sacreBLEU, and what holds for all texts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from globmed.data.translate.agreement import chrf


@pytest.mark.parametrize(
    ("hypothesis", "reference", "expected"),
    [
        # The first as documented in the metric card of huggingface/datasets, metrics/chrf; the others were computed
        # with sacreBLEU's CHRF().sentence_score.
        (
            "The relationship between Obama and Netanyahu is not exactly friendly.",
            "The ties between Obama and Netanyahu are not particularly friendly.",
            61.576379378113785,
        ),
        ("患者有高血压。", "病人患有高血压。", 42.589553303839025),
        ("abc", "abcd", 68.86227544910179),
        ("a", "ab", 55.55555555555556),
        ("Kí ni ìwọ̀n oògùn?", "Kí ni ìwọn oògùn náà?", 55.587355464478605),
        ("", "a", 0.0),
    ],
)
def test_known_answers(hypothesis: str, reference: str, expected: float) -> None:
    assert chrf(hypothesis, reference) == pytest.approx(expected)


@given(st.text(), st.text())
def test_bounds(one: str, other: str) -> None:
    assert 0 <= chrf(one, other) <= 100 + 1e-9
    assert chrf(one, one) == pytest.approx(100)


@given(st.text(alphabet="abc", min_size=1), st.text(alphabet="xyz", min_size=1))
def test_nothing_shared_is_nothing(one: str, other: str) -> None:
    assert chrf(one, other) == 0


def test_what_is_missing_counts_more_than_what_is_added() -> None:
    text = "Take 5 mg of it twice a day with water."
    assert chrf(text + " Take 5 mg.", text) > chrf(text[:-12], text)
