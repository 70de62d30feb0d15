"""Quantities: exact values and canonical units from every language's ways to write them, and nothing that stops."""

import unicodedata
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from globmed.core.errors import UsageError
from globmed.core.language import language, languages
from globmed.data.quantities import align, converts, quantities, scan, written_in_digits
from globmed.data.quantities.compose import Word, slot, spoken
from globmed.data.quantities.numerals import read_numeral
from globmed.data.quantities.units import conflict, ratio_of, spellings, units

CODES = list(languages())
F = Fraction


def read(text: str, code: str) -> list[tuple[object, str]]:
    kinds = {"digits", "words"}
    return [(each.value, each.unit) for each in quantities(text, code) if each.kind in kinds]


@pytest.mark.parametrize(
    ("code", "text", "value", "unit"),
    [
        ("en", "0.5 mg/dL", F(1, 2), "mg/dL"),
        ("en", "a dose of .08%", F(2, 25), "%"),
        ("en", "1,200 mcg", 1200, "µg"),
        ("en", "5 μg", 5, "µg"),
        ("en", "5 µg", 5, "µg"),
        ("en", "10 IU/L", 10, "IU/L"),
        ("en", "38.5 °C", F(77, 2), "°C"),
        ("en", "150 × 10^9/L", 150 * 10**9, "/L"),
        ("en", "10⁹/L", 10**9, "/L"),
        ("en", "5 x 10-3 mol", 5, ""),
        ("en", "1½ cups", F(3, 2), ""),
        ("en", "1 1/2 tablets", F(3, 2), ""),
        ("en", "1/2 tablet", F(1, 2), ""),
        ("en", "4 million", 4_000_000, ""),
        ("en", "two hundred and five days", 205, "day"),
        ("en", "twenty-one", 21, ""),
        ("en", "12,34,567 people", 1_234_567, ""),
        ("en", "5 mg per litre", 5, "mg/L"),
        ("en", "in 2009 H1N1 spread", 2009, ""),
        ("en", "the 2016 U.S election", 2016, ""),
        ("es", "3'5 g/dl", F(7, 2), "g/dL"),
        ("es", "1.200 UI", 1200, "IU"),
        ("es", "4 mil millones", 4 * 10**9, ""),
        ("es", "37,5ºC", F(75, 2), "°C"),
        ("es", "91.000/mm3", 91_000, "/µL"),
        ("es", "treinta y uno", 31, ""),
        ("pt", "2,5 milhões", 2_500_000, ""),
        ("pt", "cento e vinte", 120, ""),
        ("fr", "10\u202f000 UI", 10_000, "IU"),
        ("fr", "3 200/mm3", 3200, "/µL"),
        ("fr", "quatre-vingt-dix-sept", 97, ""),
        ("fr", "soixante et onze", 71, ""),
        ("fr", "en 2020 l'eau", 2020, ""),
        ("de", "2,5 Mio.", 2_500_000, ""),
        ("de", "1'234 g", 1234, "g"),
        ("de", "einundzwanzig", 21, ""),
        ("de", "zweihundertfünfzig", 250, ""),
        ("zh", "3.5万", 35_000, ""),
        ("zh", "3万5千", 35_000, ""),
        ("zh", "1亿2000万", 120_000_000, ""),
        ("zh", "三百二十", 320, ""),
        ("zh", "百分之50", 50, "%"),
        ("zh", "５毫克／分升", 5, "mg"),
        ("zh", "5 毫克/分升", 5, "mg/dL"),
        ("zh", "20 世纪 50 年代", 1950, ""),
        ("ja", "3分の1", F(1, 3), ""),
        ("ja", "２.５ミリグラム", F(5, 2), "mg"),
        ("ko", "3만 5천", 35_000, ""),
        ("ko", "5밀리그램", 5, "mg"),
        ("sw", "milioni 4", 4_000_000, ""),
        ("sw", "asilimia 50", 50, "%"),
        ("sw", "mia tatu na hamsini", 350, ""),
        ("wo", "juróom-ñett-fukk ak juróom", 85, ""),
        ("yo", "mílíọ̀nù mẹ́ta", 3_000_000, ""),
        ("yo", "mẹ́rìnlélógún", 24, ""),
        ("yo", "merindinlogbon", 26, ""),
        ("zu", "izigidigidi ezi-$1.5", 1_500_000_000, ""),
        ("zu", "amamiligremu angu-5", 5, "mg"),
        ("zu", "izinkulungwane ezimbili", 2000, ""),
        ("zu", "2 mg ku-5 mL", 5, "mL"),
        ("zu", "2 mg ku-5 mL", 2, "mg"),
        ("sw", "mara 2 siku 5", 5, "day"),
    ],
)
def test_known_answers(code: str, text: str, value: object, unit: str) -> None:
    assert (value, unit) in read(text, code)


PIECES = (
    *("7", "12", "285", "1,234", "38.7", "0,5", "1 000", "2/3", "½", "10^9", "B12", " ", " ", " ", ", ", "(", ")"),
    *("mg", "mg/dL", "mm Hg", "µg", "%", "h", "hours", "siku", "horas", "Mio.", "million", "milioni", "asilimia"),
    *("per", "x 10", "pm", "-", ":", ".", "'s", "\n", "COVID ", "d ", "saa ", "ku-", "the", "년"),
)


@given(
    code=st.sampled_from(["en", "es", "de", "fr", "sw", "zu", "yo", "ko"]),
    pieces=st.lists(st.sampled_from(PIECES), max_size=12),
)
def test_one_look_reads_what_the_full_reading_does(code: str, pieces: list[str]) -> None:
    text = "".join(pieces)
    quick = written_in_digits.__wrapped__(text, code)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scan, "ordinary_at", lambda *_arguments: None)
        assert quick == written_in_digits.__wrapped__(text, code)


def test_a_text_gives_its_quantities_in_order_with_their_places() -> None:
    text = "A 45-year-old took 3-5 mg of B12 at 120/80 mmHg for two weeks."
    found = quantities(text, "en")
    assert [(each.value, each.unit, each.kind) for each in found] == [
        (45, "year", "digits"),
        (3, "", "digits"),
        (5, "mg", "digits"),
        (12, "", "name"),
        (120, "", "digits"),
        (80, "mmHg", "digits"),
        (2, "week", "words"),
    ]
    assert [text[each.start : each.end] for each in found] == [each.text for each in found]


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("COVID-19, IL-6 and H1N1", ["name"] * 4),
        ("1. Rest\n2) Water", ["label", "label"]),
        ("1,2,3", ["digits"] * 3),
        ("on 2020.05.17", ["digits"] * 3),
        ("first, half and type II", ["loose"] * 3),
    ],
)
def test_what_is_no_quantity_is_told_apart(text: str, kinds: list[str]) -> None:
    assert [each.kind for each in quantities(text, "en")] == kinds


def test_a_mark_is_read_by_the_language_and_the_other_reading_is_kept() -> None:
    english, spanish = written_in_digits("1.234", "en")[0], written_in_digits("1.234", "es")[0]
    assert (english.value, english.swapped) == (F(1234, 1000), (1234,))
    assert (spanish.value, spanish.swapped) == (1234, (F(1234, 1000),))


@pytest.mark.parametrize("text", ["1,2,3", "1.2.3", "12 34", "1 234 56", "9" * 50, "1,23,45", "1,234.0,5"])
def test_what_is_no_single_number_has_no_value(text: str) -> None:
    assert read_numeral(text, ".") == ()


NUMBERS = st.one_of(
    st.integers(0, 10**12),
    st.decimals(0, 10**7, places=1),
    st.decimals(0, 10**7, places=2),
)


def written(number: int | Decimal, code: str, group: str) -> str:
    whole, _, tenths = f"{number:,f}".partition(".") if isinstance(number, Decimal) else (f"{number:,}", "", "")
    return whole.replace(",", group) + (language(code).decimal_mark + tenths if tenths else "")


@pytest.mark.parametrize("code", CODES)
@given(number=NUMBERS, data=st.data())
def test_a_number_in_any_format_of_a_language_is_read_exactly(
    code: str, number: int | Decimal, data: st.DataObject
) -> None:
    group = data.draw(st.sampled_from(["", *language(code).group_marks]))
    unit = data.draw(st.sampled_from(["", " mg", "mg", "\u00a0mL", " %"]))
    text = f"({written(number, code, group)}{unit})"
    found = written_in_digits(unicodedata.normalize("NFC", text), code)
    assert [(each.value, each.unit) for each in found] == [(F(number), unit.strip())]


@pytest.mark.parametrize("code", ["zh", "ja", "ko"])
@given(number=st.integers(1, 9999), magnitude=st.integers(0, 1), wide=st.booleans())
def test_ten_thousands_and_full_width_digits(code: str, number: int, magnitude: int, *, wide: bool) -> None:
    word, value = [(w, v) for w, v in language(code).magnitude_words.items() if v >= 10_000][magnitude]
    digits = str(number)
    if wide:
        digits = "".join(chr(ord(digit) + 0xFEE0) for digit in digits)
    assert [each.value for each in written_in_digits(digits + word, code)] == [number * value]


@pytest.mark.parametrize("code", CODES)
@given(text=st.one_of(st.text(), st.from_regex(r"[\d.,'/^x×⁹½ \n%万mgé-]{0,40}", fullmatch=True)))
def test_no_text_stops_the_reading(code: str, text: str) -> None:
    normal = unicodedata.normalize("NFC", text)
    for each in quantities(text, code):
        assert 0 <= each.start < each.end <= len(normal)
        assert each.text == normal[each.start : each.end]


@given(text=st.text(alphabet="0123456789.,/-½ mgLdh%²⁹^x", max_size=30), code=st.sampled_from(CODES))
def test_a_text_is_aligned_with_itself(text: str, code: str) -> None:
    aligned = align([text], code, [text], code)
    assert (aligned.lost, aligned.added, aligned.other_unit) == ((), (), ())


@pytest.mark.parametrize(
    ("code", "text", "lost"),
    [
        ("zh", "1 月 23 日，武汉市封城。", []),
        ("zh", " 月 23 日，武汉市封城。", ["January"]),
        ("zh", "2020 年  月 23 日，武汉市封城。", ["January"]),
        ("zh", "本月23日，武汉市封城。", []),
        ("ja", "2020年月23日に封鎖された。", ["January"]),
        ("ko", "2020년 월 23일에 봉쇄되었다.", ["January"]),
        ("ko", "매월 23일에 봉쇄되었다.", []),
    ],
)
def test_a_month_that_lost_its_number_is_seen(code: str, text: str, lost: list[str]) -> None:
    aligned = align(["On January 23, the city of Wuhan was locked down."], "en", [text], code)
    assert [each.text for each in aligned.lost] == lost


@pytest.mark.parametrize("code", sorted(languages()))
def test_every_unit_is_read_behind_a_number(code: str) -> None:
    for spelling, unit in spellings(code).items():
        (found,) = written_in_digits(f"(45 {spelling})", code)
        assert (found.value, found.unit) == (45, unit), spelling


def test_an_unknown_language_is_refused() -> None:
    with pytest.raises(UsageError, match="'xx'"):
        quantities("5 mg", "xx")


@pytest.mark.parametrize("code", CODES)
def test_every_single_number_word_is_read(code: str) -> None:
    for word, value in language(code).number_words.items():
        counter = " 명" if code == "ko" else ""
        assert value in [each.value for each in quantities(word + counter, code)], word


@given(number=st.integers(1, 999))
def test_english_number_words_compose(number: int) -> None:
    names = {value: word for word, value in language("en").number_words.items() if word not in {"nought", "nil"}}
    hundreds, rest = divmod(number, 100)
    words = [names[hundreds], "hundred"] if hundreds else []
    if rest in names and rest:
        words += [names[rest]]
    elif rest:
        words += [f"{names[rest - rest % 10]}-{names[rest % 10]}"]
    assert [each.value for each in quantities(" ".join(words), "en")] == [number]


def test_words_that_do_not_fit_begin_a_number_of_their_own() -> None:
    words = [Word(2, magnitude=False, start=0, end=3), Word(3, magnitude=False, start=4, end=9)]
    found = list(spoken(words, follows=False, units_first=False, large=1000))
    assert [each.value for each in found] == [2, 3]
    assert [slot(number) for number in (0, 2, 20, 200, 210)] == [1, 1, 10, 100, 10]


@pytest.mark.parametrize(
    ("value", "unit", "other", "other_unit", "same"),
    [
        (5, "mg", F(5, 1000), "g", True),
        (5, "mg", 5, "g", False),
        (24, "h", 1, "day", True),
        (38, "°C", F(1004, 10), "°F", True),
        (150, "lb", 68, "kg", True),
        (150, "lb", 78, "kg", False),
        (5, "mg/dL", 50, "mg/L", True),
        (5, "mg", 5, "mL", False),
        (5, "", 5, "mg", False),
    ],
)
def test_conversions(value: F | int, unit: str, other: F | int, other_unit: str, *, same: bool) -> None:
    assert converts(value, unit, other, other_unit) is same


@pytest.mark.parametrize(
    ("unit", "other", "kind"),
    [
        ("mg", "mg", "none"),
        ("mg", "g", "other"),
        ("mmol/L", "mg/dL", "other"),
        ("mg/kg", "mg/kg/day", "none"),
        ("mg/kg", "mg/L", "other"),
        ("mL", "", "missing"),
        ("day", "", "none"),
        ("", "mg", "none"),
        ("bpm", "/min", "none"),
        ("IU", "mg", "other"),
    ],
)
def test_units_that_go_together(unit: str, other: str, kind: str) -> None:
    assert conflict(unit, other) == kind


def test_the_table_of_units_is_sound() -> None:
    assert all(F(unit.factor) > 0 for unit in units().values())
    assert all(ratio_of(name).dimensions == (unit.measures,) for name, unit in units().items())
    for code in CODES:
        every = [
            (spelling, name)
            for name, unit in units().items()
            for spelling in (*unit.symbols, *unit.words.get(code, ()))
        ]
        assert len({spelling for spelling, _ in every}) == len(set(every)), code
        assert all(spelling == unicodedata.normalize("NFC", spelling) for spelling in spellings(code))
    assert {code for unit in units().values() for code in unit.words} <= set(CODES)
