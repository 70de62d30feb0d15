"""Labels of pairs and of yes/no/maybe questions in free text, named or described."""

import pytest

from globmed.bench.reading import read_label

PAIRS = ("entailment", "neutral", "contradiction")
TWO = ("entailment", "not entailment")
ANSWERS = ("yes", "no", "maybe")


@pytest.mark.parametrize(
    ("reply", "options", "letter"),
    [
        ("**Label:** contradiction", PAIRS, "C"),
        ("The second sentence contradicts the first.", PAIRS, "C"),
        ("The premise does not say whether she smokes.", PAIRS, "B"),
        ("Neither entailment nor contradiction.", PAIRS, "B"),
        ("It follows from the premise.", PAIRS, "A"),
        ("It does not follow from the abstract.", TWO, "B"),
        ('{"relationship": "not_entailment"}', TWO, "B"),
        ("Weighing all this, the answer to the question is yes.", ANSWERS, "A"),
        ("The trial does not support it, so no.", ANSWERS, "B"),
        ("The evidence is inconclusive.", ANSWERS, "C"),
        ("Neutral? No, contradiction.", PAIRS, "C"),
    ],
)
def test_a_label_is_found(reply: str, options: tuple[str, ...], letter: str) -> None:
    assert read_label(reply, options, "en").letter == letter


@pytest.mark.parametrize(
    ("reply", "options", "status"),
    [
        ("", PAIRS, "empty"),
        ("Yes and no.", ANSWERS, "several"),
        ("I'm sorry, I can't evaluate this study.", ANSWERS, "refused"),
        ("There were no drop-outs.", ANSWERS, "unread"),
        ("The premise describes a woman of 54.", PAIRS, "unread"),
    ],
)
def test_nothing_is_found_where_there_is_no_label(reply: str, options: tuple[str, ...], status: str) -> None:
    assert read_label(reply, options, "en").status == status


@pytest.mark.parametrize(
    ("reply", "options", "code", "letter"),
    [
        ("仮説は前提から導かれない。", ("含意", "非含意"), "ja", "B"),
        ("'예'가 아니라 '아니요'입니다.", ("예", "아니요", "불확실함"), "ko", "B"),
        ("Die Hypothese folgt nicht aus der Prämisse.", ("Folgerung", "keine Folgerung"), "de", "B"),
        ("Jibu la swali ni ndiyo.", ("ndiyo", "hapana", "labda"), "sw", "A"),
        ("Nicht nein, sondern ja: der Effekt blieb.", ("ja", "nein", "vielleicht"), "de", "A"),
        ("La réponse n'est pas « peut-être » mais bien « oui ».", ("oui", "non", "peut-être"), "fr", "A"),
    ],
)
def test_negation_is_read_where_the_language_puts_it(
    reply: str, options: tuple[str, ...], code: str, letter: str
) -> None:
    assert read_label(reply, options, code).letter == letter


@pytest.mark.parametrize(
    ("reply", "options", "code", "letter"),
    [
        ("Maybe. 样本太小。", ("是", "否", "可能"), "zh", "C"),
        ("Neutral. Sentensi ya kwanza haisemi.", ("Uthibitisho", "Kutoegemea upande", "Ukinzani"), "sw", "B"),
        ("Entailment.", ("Ìfìdímúlẹ̀", "Aláìṣègbè", "Ìtakora"), "yo", "A"),
        ("Implication : la prémisse le dit.", ("topp na", "xamul", "juuyoo na"), "wo", "A"),
        ("Impendulo nguyebo.", ("yebo", "cha", "mhlawumbe"), "zu", "A"),
    ],
)
def test_labels_are_known_in_other_words_than_the_items(
    reply: str, options: tuple[str, ...], code: str, letter: str
) -> None:
    assert read_label(reply, options, code).letter == letter


@pytest.mark.parametrize(
    ("reply", "options", "code", "letter"),
    [
        ("At first glance it is neutral, but the second sentence makes it contradiction.", PAIRS, "en", "C"),
        ("Waaw. Xaaral... damaa juum, déedéet la.", ("waaw", "déedéet", "xëy na"), "wo", "B"),
        ("'예'라고 하려다가 대조군이 없어 '불확실함'으로 바꾸겠습니다.", ("예", "아니요", "불확실함"), "ko", "C"),
    ],
)
def test_a_changed_mind_counts_as_changed(reply: str, options: tuple[str, ...], code: str, letter: str) -> None:
    assert read_label(reply, options, code).letter == letter
