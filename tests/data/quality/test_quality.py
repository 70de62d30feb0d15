"""All checks together: a good translation passes in every direction, a spoilt one does not, nothing raises."""

from itertools import combinations, permutations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from globmed.core.errors import UsageError
from globmed.core.item import Item
from globmed.core.language import languages
from globmed.data.pairs import Pair
from globmed.data.quality import check_original, check_translation, checks

from .conftest import item

DIRECTIONS = list(permutations(languages(), 2))
NUMERIC = {"numbers", "units"}


def blocked(source: Item, target: Item) -> set[str]:
    return {found.check for found in check_translation(source, target) if found.severity == "block"} - NUMERIC


def spoilt(target: Item, **fields: object) -> Item:
    return msgspec.structs.replace(target, **fields)


def test_every_language_has_the_question(question: dict[str, Item]) -> None:
    assert set(question) == set(languages())


@pytest.mark.parametrize(("here", "there"), DIRECTIONS)
def test_a_good_translation_has_nothing_to_stop_it(question: dict[str, Item], here: str, there: str) -> None:
    found = check_translation(question[here], question[there])
    assert not [one for one in found if one.severity != "note" and one.check not in NUMERIC]


@pytest.mark.parametrize(("here", "there"), DIRECTIONS)
def test_swapped_dropped_and_doubled_options_are_blocked(question: dict[str, Item], here: str, there: str) -> None:
    source, target = question[here], question[there]
    for first, second in combinations(range(4), 2):
        options = list(target.options)
        options[first], options[second] = options[second], options[first]
        assert "option_order" in blocked(source, spoilt(target, options=tuple(options))), (first, second)
    assert "option_count" in blocked(source, spoilt(target, options=target.options[:3]))
    assert "option_count" in blocked(source, spoilt(target, options=("", *target.options[1:])))
    assert "option_repeat" in blocked(source, spoilt(target, options=(target.options[1], *target.options[1:])))
    assert "gold" in blocked(source, spoilt(target, answer=(1,)))


@pytest.mark.parametrize(("here", "there"), DIRECTIONS)
def test_what_was_left_untranslated_is_blocked(question: dict[str, Item], here: str, there: str) -> None:
    source, target = question[here], question[there]
    texts = {"question": source.question, "rationale": source.rationale}
    assert blocked(source, spoilt(target, **texts, options=source.options)) & {"language", "copied"}
    for name, text in texts.items():
        assert blocked(source, spoilt(target, **{name: text})) & {"language", "copied"}, name


@pytest.mark.parametrize("there", languages())
def test_another_language_is_blocked(question: dict[str, Item], there: str) -> None:
    source = question["en" if there != "en" else "fr"]
    for code in languages():
        if code not in {there, source.language}:
            wrong = msgspec.structs.replace(question[code], language=there)
            assert "language" in blocked(source, wrong), code


def test_findings_come_in_the_order_of_the_checks_and_bear_their_names(question: dict[str, Item]) -> None:
    target = spoilt(question["es"], options=question["es"].options[:3], answer=(1,), question="Edad {AGE}")
    found = [one.check for one in check_translation(question["en"], target)]
    assert found == sorted(found)
    assert {"gold", "length", "markup", "negation", "option_count"} <= set(found) <= set(checks())


def test_a_language_outside_the_table_is_a_usage_error(question: dict[str, Item]) -> None:
    with pytest.raises(UsageError, match="'xx' is not in the table"):
        check_translation(question["en"], spoilt(question["es"], language="xx"))


def test_an_original_is_looked_at_by_the_checks_that_say_so() -> None:
    assert [one.check for one in check_original(item("Call 911 at once.", "en"))] == ["region"]
    assert not check_original(item("Which drug is it?", "en"))


letters = st.characters(codec="utf-8", exclude_categories=["Cs"])
some_text = st.one_of(
    st.text(letters, max_size=80), st.sampled_from(["", " ", "NOT", "1/2 {x}", "抗生素", "\u0301", "____"])
)


@given(
    texts=st.tuples(some_text, some_text, some_text, some_text),
    options=st.lists(st.tuples(some_text, some_text), max_size=5),
    codes=st.tuples(st.sampled_from(list(languages())), st.sampled_from(list(languages()))),
)
def test_no_text_makes_a_check_raise(
    texts: tuple[str, ...], options: list[tuple[str, str]], codes: tuple[str, str]
) -> None:
    here, there = codes
    source = item(texts[0], here, options=tuple(one for one, _ in options), context=texts[1])
    target = item(texts[2], there, options=tuple(other for _, other in options), context=texts[3])
    for name, check in checks().items():
        if name not in NUMERIC:
            found = list(check.run(Pair(source, target)))
            assert all(one.check == name and "\n" not in one.message for one in found)


@given(text=some_text, options=st.lists(some_text, max_size=4), code=st.sampled_from(list(languages())))
def test_a_copy_in_the_same_language_is_no_wrong_translation(text: str, options: list[str], code: str) -> None:
    same = item(text, code, options=tuple(options))
    found = [one.check for one in check_translation(same, msgspec.structs.replace(same)) if one.severity == "block"]
    assert set(found) - NUMERIC <= {"language"}
