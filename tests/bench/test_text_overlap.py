"""chrF++ and ROUGE-L against sacreBLEU and rouge-score, and units that keep what each language writes."""

import json
import time
import unicodedata
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from globmed.bench.text_overlap import chrf, rouge_l, units_of
from globmed.core.errors import UsageError
from globmed.core.language import languages

_STATS = Path(__file__).parents[1] / "stats"
KNOWN = json.loads((_STATS / "known_answers.json").read_text(encoding="utf-8"))["overlap"]
WORDS = st.lists(st.sampled_from(["a", "b", "c", "d", "e"]), max_size=12).map(" ".join)


@pytest.mark.parametrize("code", sorted(KNOWN))
def test_chrf_is_sacrebleus(code: str) -> None:
    row = KNOWN[code]
    assert chrf(row["reply"], [row["reference"]], code) == pytest.approx(row["chrf"], abs=1e-9)


def test_rouge_l_of_english_is_that_of_rouge_score() -> None:
    row = KNOWN["en"]
    assert rouge_l(row["reply"], [row["reference"]], "en") == pytest.approx(row["rouge_l"], abs=1e-12)


@pytest.mark.parametrize(
    ("code", "text", "units"),
    [
        ("yo", "Ẹ lo oògùn náà!", ["ẹ", "lo", "oògùn", "náà"]),
        ("fr", "L'Amoxicilline, contre-indiquée.", ["l'amoxicilline", "contre-indiquée"]),
        ("wo", "Dafay ñëw ci 500 mg.", ["dafay", "ñëw", "ci", "500", "mg"]),
        ("zh", "每日2次。", ["每", "日", "2", "次"]),
        ("ja", "がん、ガン", ["が", "ん", "ガ", "ン"]),
        ("ko", "하루 두 번, 복용하세요.", ["하루", "두", "번", "복용하세요"]),
    ],
)
def test_units_keep_what_the_language_writes(code: str, text: str, units: list[str]) -> None:
    assert units_of(text, code) == [unicodedata.normalize("NFC", unit) for unit in units]


def test_a_yoruba_mark_makes_another_word_in_either_normal_form() -> None:
    assert rouge_l("ọkọ́", ["ọkọ̀"], "yo") == 0
    written = "Jọ̀wọ́ lo oògùn náà"
    for form in ("NFC", "NFD"):
        assert rouge_l(unicodedata.normalize(form, written), [written], "yo") == 1
        assert chrf(unicodedata.normalize(form, written), [written], "yo") == pytest.approx(100)


@pytest.mark.parametrize("code", sorted(languages()))
def test_the_text_itself_scores_all_an_empty_reply_nothing(code: str) -> None:
    text = KNOWN.get(code, KNOWN["en"])["reference"]
    assert rouge_l(text, [text], code) == 1
    assert chrf(text, [text], code) == pytest.approx(100)
    assert (rouge_l("", [text], code), chrf(" ", [text], code)) == (0, 0)


def test_the_nearest_reference_counts_and_none_is_no_number() -> None:
    assert rouge_l("take two", ["nothing", "take two"], "en") == 1
    assert chrf("take two", ["nothing", "take two"], "en") == pytest.approx(100)
    for references in ([], [""], [" "]):
        assert np.isnan(rouge_l("take", references, "en"))
        assert np.isnan(chrf("take", references, "en"))
    assert np.isnan(rouge_l("take", ["..."], "en"))


@given(WORDS, WORDS.filter(bool))
def test_rouge_l_is_the_textbook_table(reply: str, reference: str) -> None:
    one, other = reply.split(), reference.split()
    longest = np.zeros((len(one) + 1, len(other) + 1))
    for i, left in enumerate(one):
        for j, right in enumerate(other):
            longest[i + 1, j + 1] = (
                longest[i, j] + 1 if left == right else max(longest[i, j + 1], longest[i + 1, j])
            )  # fmt: skip
    assert rouge_l(reply, [reference], "en") == pytest.approx(2 * longest[-1, -1] / (len(one) + len(other)))


def test_long_texts_take_little_time() -> None:
    rng = np.random.default_rng(0)
    one, other = (" ".join(map(str, rng.integers(0, 500, 5000))) for _ in range(2))
    start = time.process_time()
    rouge_l(one, [other], "en")
    assert time.process_time() - start < 1


def test_an_unknown_language_is_refused() -> None:
    for measure in (chrf, rouge_l):
        with pytest.raises(UsageError, match="'xx' is not in the table"):
            measure("a", ["a"], "xx")
