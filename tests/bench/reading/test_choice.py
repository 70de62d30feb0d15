"""Replies in free text: what a careful reader would take for the answer, and nothing where there is none."""

import time

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from globmed.bench.reading import read_choice
from globmed.bench.reading.words import small_words
from globmed.core.errors import UsageError
from globmed.core.language import language, languages
from globmed.models.client import LETTERS
from globmed.prompts import load

OPTIONS = ("paracetamol", "ibuprofen", "E. coli", "aspirin 100 mg", "none of the above")
TEN = tuple(f"substance {number}" for number in range(10))

FOUND = [
    ("Answer: B", "en", "B"),
    ("answer: b", "en", "B"),
    ("The correct answer is (C).", "en", "C"),
    ("The answer to the question is C", "en", "C"),
    ("The answer is A because of the fever", "en", "A"),
    ("Correct answer: B (ibuprofen)", "en", "B"),
    ("Answer:\n\nB) ibuprofen", "en", "B"),
    ("Answer: B, not A", "en", "B"),
    ("Not sure. Answer: B", "en", "B"),
    ("Answer: A. No, wait. Answer: D", "en", "D"),
    ("B. Ibuprofen, because it is", "en", "B"),
    ("Option C", "en", "C"),
    ("Option B is correct.", "en", "B"),
    ("A, B and D are wrong; C is correct.", "en", "C"),
    ("Let me think.\n\nB", "en", "B"),
    ("**B**", "en", "B"),
    ("$\\boxed{B}$", "en", "B"),
    ("so it is \\boxed{\\text{D}}", "en", "D"),
    ('{"reasoning": "A is wrong", "answer": "D"}', "en", "D"),
    ("<answer>C</answer>", "en", "C"),
    ("blah</think>B", "en", "B"),
    ("Answer: E. coli", "en", "C"),
    ("Ibuprofen", "en", "B"),
    ("A. wrong\nB. right\n", "en", "B"),
    ("It's B!", "en", "B"),
    ("Answer: A. On reflection, B is correct.", "en", "B"),
    ("A, B, C and D can all be ruled out.", "en", "E"),
    ("Hmm, is it A? No. It is C.", "en", "C"),
    ("The fourth option.", "en", "D"),
    ("| A | ✗ |\n| B | ✓ |\n| C | ✗ |", "en", "B"),
    ("So the dose is $\\boxed{\\text{aspirin } 100 \\text{ mg}}$.", "en", "D"),
    ("So B. Wait, she weighs less than I thought, which gives A.", "en", "A"),
    ("A: no\nB: no\nC: yes, it grows at 44 °C\nD: no\nE: no", "en", "C"),
    ("A: out\nB: excluded\nC: wrong\nD: incorrect\nE: nothing else is left", "en", "E"),
    ("The fever speaks for **ibuprofen** here, more than paracetamol.", "en", "B"),
    ("The findings settle it in favor of D.", "en", "D"),
    ("A 项：不符。\nB 项：符合。\nC 项：不符。", "zh", "B"),
    ("Bを選びます", "ja", "B"),
    ("The answer is ibuprofen.", "en", "B"),
    ("答案是B。", "zh", "B"),
    ("答案：Ｃ", "zh", "C"),
    ("答案不是A，而是B", "zh", "B"),
    ("选B", "zh", "B"),
    ("我选择 C", "zh", "C"),
    ("正确的是C", "zh", "C"),
    ("B正确", "zh", "B"),
    ("答案:B。A是错误的", "zh", "B"),
    ("La bonne réponse est donc la B.", "fr", "B"),
    ("La réponse n'est pas A mais B", "fr", "B"),
    ("La reponse n’est pas A mais B", "fr", "B"),
    ("Réponse : a", "fr", "A"),
    ("Die richtige Antwort ist nicht A, sondern C.", "de", "C"),
    ("Richtig ist B.", "de", "B"),
    ("ANTWORT: D", "de", "D"),
    ("正しい答えはBです", "ja", "B"),
    ("答えはAではなくBです", "ja", "B"),
    ("Bが正解です", "ja", "B"),
    ("정답은 B입니다.", "ko", "B"),
    ("정답은 A가 아니라 C입니다", "ko", "C"),
    ("A resposta correta é a B.", "pt", "B"),
    ("A correta é a C", "pt", "C"),
    ("La respuesta correcta es la opción D.", "es", "D"),
    ("LA RESPUESTA ES B", "es", "B"),
    ("Respuesta: **C**", "es", "C"),
    ("Jibu sahihi ni B", "sw", "B"),
    ("B ndilo jibu sahihi", "sw", "B"),
    ("Tontu bi mooy B", "wo", "B"),
    ("Ìdáhùn tó tọ̀nà ni C", "yo", "C"),
    ("Idahun to tona ni C", "yo", "C"),
    ("Impendulo ngu-B", "zu", "B"),
    ("Impendulo elungile nguB.", "zu", "B"),
    ("✗ A\n✓ D\n✗ B\n✗ C", "en", "D"),
    ("✅ C, the only one that fits\n❌ A\n❌ B", "en", "C"),
    ("A ✗, B ✗, C ✓, D ✗", "en", "C"),
    ('{"choice": "B", "rejected": ["A", "C", "D"]}', "en", "B"),
    ("antwort b, weil der befund passt", "de", "B"),
    ("pues la a, por el dolor", "es", "A"),
    ("答えはeだと思います。", "ja", "E"),
    ("impendulo u-b, ngoba isiguli sinemfiva", "zu", "B"),
    ("A: 12 %, B: 80 %, C: 8 %.", "en", "B"),
    ("I am 90% sure that it is B, which leaves 10% for D.", "en", "B"),
    ("At first I thought of A, but the fever speaks for D.", "en", "D"),
    ("Many people think that A is the answer. It is D.", "en", "D"),
    ("A is much better than C here.", "en", "A"),
    ("B比A更合适。", "zh", "B"),
    ("AよりもBが適切です。", "ja", "B"),
    ("D로 보입니다. 아, 잠시만요. D가 아니고 C로 정정하겠습니다.", "ko", "C"),
    ("She lacks ibuprofen.", "en", "B"),
    ("Das ist die vierte Aussage.", "de", "D"),
    ("Option-B, since it is safe.", "en", "B"),
    ("A is best. Remember that B is not without risk, though, and nor is C.", "en", "A"),
]

NONE = [
    ("Vitamin C is needed", "en"),
    ("Vitamin C is correct", "en"),
    ("Is it B? What is the creatinine?", "en"),
    ("It could be A, but C cannot be excluded.", "en"),
    (
        "The ulnar nerve (A) supplies the hand, and the radial nerve (C) runs behind the humerus and then through the",
        "en",
    ),
    ("Qual é?\nA paciente evoluiu bem. E a biópsia ficou para depois.", "pt"),
    ("The answer is vitamin C.", "en"),
    ("I think hepatitis B is likely.", "en"),
    ("type A blood", "en"),
    ("B12 deficiency", "en"),
    ("A patient with fever", "en"),
    ("The dose (A), the interval (C) and the route (D) all matter. None of them does without a price.", "en"),
    ("Je ne pense pas que ce soit B.", "fr"),
    ("No creo que sea la B.", "es"),
    ("I would ask a doctor", "en"),
    ("Answer: A patient with fever should rest", "en"),
    ("Answer: C. difficile", "en"),
    ("The answer is A common cause", "en"),
    ("The wrong answer is B", "en"),
    ("The answer is not B", "en"),
    ("Answer: F", "en"),
    ("ce n'est pas A", "fr"),
    ("Il a de la fièvre", "fr"),
    ("À mon avis, la réponse : À discuter", "fr"),
    ("Resposta: A paciente deve repousar", "pt"),
    ("答案是A型血", "zh"),
    ("对B超检查", "zh"),
    ("答えはAではありません", "ja"),
    ("답은 A가 아니다", "ko"),
]

OTHER = [
    ("Réponses yi: B et C.", "wo", "several"),
    ("答えはBかCのどちらかですが、決められません。", "ja", "several"),
    ("", "en", "empty"),
    (" \n**\n", "en", "empty"),
    ("<think>Answer: A", "en", "empty"),
    ("A and C", "en", "several"),
    ("Answer: A or B", "en", "several"),
    ("Answer: A, B", "en", "several"),
    ("A walla C", "wo", "several"),
    ("Jibu: A na C", "sw", "several"),
    ("答案：A、C", "zh", "several"),
    ("I'm sorry, I cannot answer.", "en", "refused"),
    ("je ne peux pas répondre", "fr", "refused"),
    ("抱歉，我无法回答这个问题", "zh", "refused"),
    ("Siwezi kujibu", "sw", "refused"),
]

# How a letter may be written, and how it may be announced by the item's own word for "answer".
FORMS = (
    "{0}",
    "({0})",
    "{0}.",
    "**{0}**",
    "{0})",
    "[{0}]",
    "\\boxed{{{0}}}",
    "<answer>{0}</answer>",
    '{{"answer": "{0}"}}',
)
ANNOUNCED = (
    "{1}: {0}",
    "{1}: **{0}**",
    "{1}: ({0}).",
    "Hmm, aspirin...\n{1}: {0}",
    "{1}: {0}\n\nVitamin C, hepatitis B.",
)


@pytest.mark.parametrize(("reply", "code", "letter"), FOUND)
def test_the_final_answer_is_found(reply: str, code: str, letter: str) -> None:
    assert read_choice(reply, OPTIONS, code).letter == letter


@pytest.mark.parametrize(("reply", "code"), NONE)
def test_nothing_is_found_where_there_is_nothing(reply: str, code: str) -> None:
    assert read_choice(reply, OPTIONS, code).status == "unread"


@pytest.mark.parametrize(("reply", "code", "status"), OTHER)
def test_why_there_is_no_answer_is_told(reply: str, code: str, status: str) -> None:
    assert read_choice(reply, OPTIONS, code).status == status


@pytest.mark.parametrize("code", languages())
def test_the_reply_that_prompts_ask_for_is_read(code: str) -> None:
    for letter in LETTERS:
        reply = load("mcqa_reply", code).render(letter=letter)
        assert read_choice(reply, TEN, code).letter == letter
        assert read_choice(f"Vitamin A, hepatitis B.\n\n{reply}", TEN, code).letter == letter


@pytest.mark.parametrize("code", languages())
def test_labels_in_words_are_read_in_the_items_language(code: str) -> None:
    row = language(code)
    labels = (row.yes, row.no, row.maybe)
    for letter, label in zip(LETTERS, labels, strict=False):
        for reply in (label, f"{label.capitalize()}.", f"{row.answer[0].capitalize()}: {label}", f"**{label}**"):
            assert read_choice(reply, labels, code).letter == letter, reply


def test_a_label_inside_a_word_is_none() -> None:
    assert read_choice("答案是错误的", ("是", "否"), "zh").status == "unread"
    assert read_choice("答案是 B", ("是", "否"), "zh").letter == "B"


def test_single_characters_are_read_as_text_unless_they_are_letters() -> None:
    assert read_choice("Answer: 5", ("4", "6", "5"), "en").letter == "C"
    assert read_choice("Answer: B", ("O", "A", "B", "AB"), "en").letter == "B"
    assert read_choice("Answer: AB", ("O", "A", "B", "AB"), "en").letter == "D"


@pytest.mark.parametrize("code", languages())
def test_repeating_the_prompt_answers_nothing(code: str) -> None:
    body = load("mcqa", code).body.split("{question}")[0].replace("{context}", "")
    assert read_choice(body, TEN, code).letter is None


@given(st.sampled_from(list(languages())), st.sampled_from(LETTERS), st.sampled_from(FORMS))
def test_any_letter_is_found_in_any_form(code: str, letter: str, form: str) -> None:
    reply = form.format(letter)
    assert read_choice(reply, TEN, code).letter == letter
    assert read_choice(reply.replace(letter, chr(ord(letter) + 0xFEE0)), TEN, code).letter == letter


@given(st.sampled_from(list(languages())), st.sampled_from(LETTERS), st.sampled_from(ANNOUNCED), st.booleans())
def test_any_letter_is_found_behind_the_languages_own_word(code: str, letter: str, form: str, english: bool) -> None:
    word = language("en" if english else code).answer[0]
    reply = form.format(letter, word.capitalize())
    assert read_choice(reply, TEN, code).letter == letter


@given(
    st.sampled_from([row[:2] for row in (*FOUND, *NONE, *OTHER) if "think>" not in row[0]]),
    st.text(max_size=80),
    st.sampled_from(["think", "thinking", "THINK"]),
)
def test_a_think_block_changes_nothing(case: tuple[str, str], thought: str, tag: str) -> None:
    assume("<" not in thought)
    reply, code = case
    assert read_choice(f"<{tag}>{thought} Answer: E</{tag}>\n{reply}", OPTIONS, code) == read_choice(
        reply, OPTIONS, code
    )


TEMPLATES = (
    ("en", "It's {0}!"),
    ("en", "I first thought of another one. On reflection, {0} is correct."),
    ("en", "Weighing all of this, the best choice is {0}."),
    ("fr", "Je dirais que c'est la {0}."),
    ("de", "Ich entscheide mich für {0}."),
    ("es", "Me quedo con la {0}."),
    ("pt", "Portanto, fico com a {0}."),
    ("zh", "综上所述，本题应选{0}。"),
    ("ja", "したがって{0}を選びます。"),
    ("ko", "따라서 정답은 {0}입니다."),
    ("sw", "Kwa hiyo ni {0}."),
    ("wo", "Kon {0} la."),
    ("yo", "Nítorí náà, {0} ni."),
    ("zu", "Ngakho ngu-{0}."),
)


@given(st.sampled_from(TEMPLATES), st.sampled_from(LETTERS))
def test_a_letter_is_found_in_every_languages_template(template: tuple[str, str], letter: str) -> None:
    code, text = template
    assert read_choice(text.format(letter), TEN, code).letter == letter


@given(st.sampled_from(TEMPLATES), st.sampled_from(LETTERS), st.text("ABCD answer.", max_size=60))
def test_a_think_block_behind_a_reply_changes_nothing(template: tuple[str, str], letter: str, thought: str) -> None:
    code, text = template
    reply = text.format(letter)
    assert read_choice(f"{reply}<think>{thought}</think>", TEN, code) == read_choice(reply, TEN, code)


@given(st.text(max_size=300), st.sampled_from(list(languages())))
@settings(max_examples=200)
def test_a_letter_comes_with_the_status_read_and_is_an_option(reply: str, code: str) -> None:
    reading = read_choice(reply, OPTIONS, code)
    assert (reading.letter is not None) == (reading.status == "read")
    assert reading.letter is None or LETTERS.index(reading.letter) < len(OPTIONS)


@pytest.mark.parametrize(
    "unit", ["answer ", "A, ", "答", "A. x\n", "<think>", "correct is ", "答えはAではなく", "ngu-", "\u0301\u0323", " "]
)
@pytest.mark.parametrize("code", ["en", "zh", "zu"])
def test_time_is_linear_in_length(unit: str, code: str) -> None:
    def seconds(length: int) -> float:
        reply = (unit * (length // len(unit) + 1))[:length]
        began = time.process_time()
        read_choice(reply, OPTIONS, code)
        return time.process_time() - began

    seconds(1000)
    # Quadratic time would be 100 times as long; the constant forgives a busy machine.
    assert seconds(100_000) < 40 * seconds(10_000) + 0.1


def test_wrong_use_is_refused() -> None:
    with pytest.raises(UsageError, match="11 options"):
        read_choice("A", [str(number) for number in range(11)], "en")
    with pytest.raises(UsageError, match="'xx'"):
        read_choice("A", OPTIONS, "xx")


def test_every_table_of_small_words_is_of_a_known_language() -> None:
    assert small_words().keys() <= languages().keys()
