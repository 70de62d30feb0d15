"""What carries the loss is the answer and the token that ends it, in every chat format, and nothing else."""

from typing import Any

import numpy as np
import pytest
from transformers import AutoTokenizer

from globmed.core.errors import InputError
from globmed.models.client import Message
from globmed.models.tokens import prompt_text
from globmed.train.encoding import encode, end_of_answer
from globmed.train.examples import Conversation, Example
from tests.train.formats import FORMATS, tokenizer_of

SWITCHES: dict[str, dict[str, Any]] = {"qwen3": {"enable_thinking": False}}
ANSWERS = ("Answer: B", "Ó ń gbèrú.\n\nÌdáhùn: B", "say <|im_end|> or </s>", "two\nlines ")


def example(answer: str, *turns: str) -> Example:
    roles = ("user", "assistant")
    messages = tuple(Message(roles[place % 2], text) for place, text in enumerate(turns or ("Is 4 even?",)))  # type: ignore[arg-type]
    variant = Conversation(messages=messages, answer=answer)
    return Example(part="questions", name="s:1 (en)", language="en", variants=(variant,))


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("answer", ANSWERS)
def test_the_tokens_that_carry_loss_are_the_answer_and_its_end(name: str, answer: str) -> None:
    tokenizer, switches = tokenizer_of(name), SWITCHES.get(name)
    encoded = encode(tokenizer, [example(answer), example(answer, "Is 4 even?", "Yes.", "And 5?")], template=switches)
    for place, turns in enumerate(([Message("user", "Is 4 even?")], None)):
        ids, carrying = encoded.of(place), int(encoded.answers[place])
        end = FORMATS[name][1]
        assert tokenizer.decode(ids[-carrying:]).removeprefix(" ") == f"{answer}{end}"
        # The end is one token, and what spells it within an answer is text.
        assert ids[-1] == tokenizer.convert_tokens_to_ids(end)
        assert (ids[-carrying:-1] != ids[-1]).all()
        if turns:
            assert tokenizer.decode(ids[:-carrying]) == prompt_text(tokenizer, turns, switches)


@pytest.mark.parametrize("name", FORMATS)
def test_the_whole_is_what_the_template_writes(name: str) -> None:
    tokenizer, switches = tokenizer_of(name), SWITCHES.get(name, {})
    turns = [{"role": "user", "content": "Is 4 even?"}, {"role": "assistant", "content": "Answer: B"}]
    whole = tokenizer.apply_chat_template(turns, tokenize=False, **switches)
    encoded = encode(tokenizer, [example("Answer: B")], template=switches)
    assert tokenizer.decode(encoded.of(0)) == whole.rstrip("\n")


def test_a_model_without_a_template_ends_by_the_end_of_text(small_model: Any) -> None:
    tokenizer: Any = AutoTokenizer.from_pretrained(small_model)
    tokenizer.chat_template = None
    encoded = encode(tokenizer, [example("yes")])
    assert encoded.of(0)[-1] == tokenizer.eos_token_id
    assert tokenizer.decode(encoded.of(0)[-int(encoded.answers[0]) :]) == f" yes{tokenizer.eos_token}"


@pytest.mark.parametrize(
    ("template", "found"),
    [
        ("{% for turn in messages %}{% if turn.role == 'user' %}{{ turn.content }}{% endif %}{% endfor %}", "answered"),
        ("{{ messages[-1].role }}{% for turn in messages %}{{ turn.content }}{% endfor %}", "answered"),
        ("{% for turn in messages %}{{ turn.content }}\n{% endfor %}", "behind an answer"),
        (FORMATS["qwen3"][0], "Set the switches of the template"),
    ],
)
def test_a_template_without_a_place_for_the_answer_is_refused(template: str, found: str) -> None:
    tokenizer = tokenizer_of("qwen3")
    tokenizer.chat_template = template
    with pytest.raises(InputError, match=found) as caught:
        end_of_answer(tokenizer)
    assert "chat template: found" in str(caught.value)


def test_phrasings_lie_one_after_the_other() -> None:
    tokenizer = tokenizer_of("llama3")
    several = Example(
        part="questions",
        name="s:2 (sw)",
        language="sw",
        variants=tuple(Conversation(messages=(Message("user", text),), answer=text) for text in ("a", "bb b")),
    )
    encoded = encode(tokenizer, [example("x"), several])
    assert encoded.variants.tolist() == [0, 1, 3]
    assert encoded.names == ("s:1 (en)", "s:2 (sw)")
    assert encoded.language.tolist() == ["en", "sw"]
    assert encoded.tokens.tolist() == [encoded.of(place).size for place in range(3)]
    assert encoded.ids.dtype == np.int32
    assert encode(tokenizer, []).tokens.size == 0
