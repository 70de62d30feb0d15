"""Language fidelity on medical sentences of the twelve languages, written for this test by a language model."""

import unicodedata

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from globmed.bench.fidelity import read_language
from globmed.core.errors import UsageError
from globmed.core.language import languages

REPLIES = {
    "en": (
        "You should drink plenty of water and rest at home. If the fever lasts longer than three days, or if "
        "you find it hard to breathe, go to the nearest clinic at once."
    ),
    "fr": (
        "Vous devriez boire beaucoup d'eau et vous reposer à la maison. Si la fièvre dure plus de trois "
        "jours ou si vous avez du mal à respirer, allez tout de suite au centre de santé le plus proche."
    ),
    "de": (
        "Sie sollten viel Wasser trinken und sich zu Hause ausruhen. Wenn das Fieber länger als drei Tage "
        "dauert oder Sie schwer atmen können, gehen Sie sofort in die nächste Klinik."
    ),
    "es": (
        "Debe beber mucha agua y descansar en casa. Si la fiebre dura más de tres días o si le cuesta "
        "respirar, acuda de inmediato al centro de salud más cercano."
    ),
    "pt": (
        "Você deve beber bastante água e descansar em casa. Se a febre durar mais de três dias ou se tiver "
        "dificuldade para respirar, vá imediatamente ao posto de saúde mais próximo."
    ),
    "sw": (
        "Unapaswa kunywa maji mengi na kupumzika nyumbani. Ikiwa homa itadumu zaidi ya siku tatu au ukipata "
        "shida ya kupumua, nenda mara moja kwenye kituo cha afya kilicho karibu nawe."
    ),
    "wo": (
        "Danga wara naan ndox mu bari te noppalu ci sa kër. Su yaram wu tàng wi weesoo ñetti fan walla nga "
        "am jafe-jafe ci noyyi, demal ci saa si ci dispaanseer bi la gëna jege."
    ),
    "yo": (
        "Ó yẹ kí o mu omi púpọ̀ kí o sì sinmi nílé. Bí ibà náà bá ju ọjọ́ mẹ́ta lọ tàbí bí ó bá ṣòro fún ọ "
        "láti mí, lọ sí ilé ìwòsàn tí ó súnmọ́ ọ lẹ́sẹ̀kẹsẹ̀."
    ),
    "zu": (
        "Kufanele uphuze amanzi amaningi futhi uphumule ekhaya. Uma imfiva ithatha izinsuku ezingaphezu "
        "kwezintathu noma uma kunzima ukuphefumula, yana emtholampilo oseduze ngokushesha."
    ),
    "zh": (
        "您应该多喝水，在家休息。如果发烧超过三天，或者感到呼吸困难，请立即到最近的医院就诊，并告诉医生您正在"
        "服用的药物。"
    ),
    "ja": (
        "水分を十分にとり、家で安静にしてください。熱が三日以上続く場合や、息苦しさを感じる場合は、すぐに近く"
        "の病院を受診してください。"
    ),
    "ko": (
        "물을 충분히 마시고 집에서 쉬십시오. 열이 사흘 넘게 지속되거나 숨쉬기가 힘들면 즉시 가까운 병원으로 "
        "가십시오. 복용 중인 약도 알려 주십시오."
    ),
}


def test_there_is_a_reply_in_each_language() -> None:
    assert set(REPLIES) == set(languages())


@pytest.mark.parametrize("asked", sorted(REPLIES))
@pytest.mark.parametrize("written", sorted(REPLIES))
def test_a_reply_is_in_the_language_it_is_written_in(asked: str, written: str) -> None:
    found = read_language(REPLIES[written], asked)
    assert (found.language, found.status) == (written, "asked" if asked == written else "other")
    assert found.share > 0.9 if asked == written else found.share < 0.1


def test_marks_left_out_and_either_normal_form_are_still_the_language() -> None:
    for code in ("yo", "wo", "fr"):
        apart = unicodedata.normalize("NFD", REPLIES[code])
        bare = "".join(letter for letter in apart if not unicodedata.combining(letter))
        assert read_language(apart, code).status == "asked"
        assert read_language(bare, code).status == "asked"


def test_english_drug_names_and_links_leave_a_reply_in_its_language() -> None:
    text = (
        REPLIES["sw"]
        + " Tumia paracetamol (acetaminophen) 500 mg au ibuprofen. https://www.who.int/news-room/fact-sheets"
    )
    assert read_language(text, "sw").status == "asked"


def test_traditional_characters_are_chinese() -> None:
    text = "您應該多喝水，在家休息。如果發燒超過三天，或者感到呼吸困難，請立即到最近的醫院就診，並告訴醫生。"
    assert read_language(text, "zh").status == "asked"


def test_made_up_words_are_of_no_language() -> None:
    rng = np.random.default_rng(1)
    letters = list("aeiouabdefgklmnoprstuw")
    texts = [" ".join("".join(rng.choice(letters, rng.integers(2, 10))) for _ in range(30)) for _ in range(200)]
    assert sum(read_language(text, "en").status != "undecided" for text in texts) <= 4


@pytest.mark.parametrize(("one", "other"), [("zu", "en"), ("zh", "en"), ("wo", "fr"), ("ja", "en")])
def test_half_and_half_is_mixed(one: str, other: str) -> None:
    found = read_language(f"{REPLIES[one]}\n\n{REPLIES[other]}", one)
    assert found.status == "mixed"
    assert 0.2 < found.share < 0.8


@pytest.mark.parametrize(
    "reply", ["", "B", "Paracetamol 500 mg", "Yebo.", "答案是B", "12345 67890 " * 30, "... !!! " * 40]
)
@pytest.mark.parametrize("asked", ["zu", "en", "zh"])
def test_short_or_wordless_replies_are_undecided(reply: str, asked: str) -> None:
    found = read_language(reply, asked)
    assert (found.language, found.status) == ("", "undecided")
    assert np.isnan(found.share)


@given(st.text(max_size=400), st.sampled_from(sorted(REPLIES)))
def test_any_text_is_read(text: str, asked: str) -> None:
    found = read_language(text, asked)
    assert (found.status == "undecided") == (found.language == "") == bool(np.isnan(found.share))
    assert found.status == "undecided" or 0 <= found.share <= 1


@given(st.text(max_size=20), st.sampled_from(sorted(REPLIES)))
def test_a_few_stray_characters_change_nothing(stray: str, code: str) -> None:
    assert read_language(REPLIES[code] + "\n" + stray, code).status == "asked"


def test_an_unknown_language_is_refused() -> None:
    with pytest.raises(UsageError, match="'xx' is not in the table"):
        read_language("text", "xx")
