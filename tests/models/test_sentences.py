import pytest
from hypothesis import given
from hypothesis import strategies as st

from globmed.models.sentences import cut, has_words, put_together, to_translate


@given(st.text(st.sampled_from('Ab. ?。!\n\r\u2028") 5é')))
def test_the_parts_joined_are_the_text_and_no_sentence_holds_a_line_break(text: str) -> None:
    parts = cut(text)
    assert "".join(parts) == text
    assert len(parts) % 2 == 1
    assert all(not part.splitlines()[1:] and part.strip() == part for part in parts[::2])


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("He had a fever. It fell.", ["He had a fever.", "It fell."]),
        ("Dr. Smith grew S. aureus vs. Candida at 37.5 °C.", ["Dr. Smith grew S. aureus vs. Candida at 37.5 °C."]),
        ("¿Qué tiene? ¡Nada! 5 mg bastan.", ["¿Qué tiene?", "¡Nada!", "5 mg bastan."]),
        ("患者发热。咳嗽三天。", ["患者发热。", "咳嗽三天。", ""]),
        ("- one\r\n\r\n- two\n", ["- one", "- two", ""]),
        ("", [""]),
    ],
)
def test_sentences(text: str, sentences: list[str]) -> None:
    assert cut(text)[::2] == sentences


def test_what_has_no_words_is_not_translated_and_stays() -> None:
    parts = cut("120/80\nPain. Pain.\n")
    assert to_translate([parts]) == ["Pain."]
    assert put_together(parts, {"Pain.": "Dolor."}) == "120/80\nDolor. Dolor.\n"
    assert has_words("痛")
    assert not has_words("5 %")
