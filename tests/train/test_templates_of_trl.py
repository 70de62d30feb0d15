"""The formats written here beside the chat templates that TRL ships, and what carries loss beside TRL's masks."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from globmed.models.client import Message
from globmed.train.encoding import encode
from globmed.train.examples import Conversation, Example
from tests.train.formats import FORMATS, tokenizer_of

SWITCHES: dict[str, dict[str, Any]] = {"qwen3": {"enable_thinking": False}}
SHIPPED = {"qwen3": "qwen3", "llama3": "llama3", "gemma3": "gemma3"}
TURNS = [{"role": "user", "content": "Is 4 even?"}, {"role": "assistant", "content": "Ìdáhùn: B"}]


def shipped(name: str) -> str:
    """Return a template of TRL's without importing TRL, which takes seconds."""
    spec = find_spec("trl")
    assert spec is not None
    assert spec.origin is not None
    return (Path(spec.origin).parent / "chat_templates" / f"{name}.jinja").read_text(encoding="utf-8")


def with_template(name: str, template: str) -> Any:
    tokenizer = tokenizer_of(name)
    tokenizer.chat_template = template
    tokenizer.bos_token = {"llama3": "<|begin_of_text|>", "gemma3": "<bos>"}.get(name, "")
    return tokenizer


@pytest.mark.parametrize("name", SHIPPED)
def test_the_formats_here_write_what_the_makers_templates_write(name: str) -> None:
    ours, theirs = tokenizer_of(name), with_template(name, shipped(SHIPPED[name]))
    for turns in (TURNS, [*TURNS, {"role": "user", "content": "And 5?"}, {"role": "assistant", "content": "A"}]):
        texts = [
            tokenizer.apply_chat_template(turns, tokenize=False, **SWITCHES.get(name, {}))
            for tokenizer in (ours, theirs)
        ]
        assert texts[0] == texts[1]
    asked = [
        tokenizer.apply_chat_template(TURNS[:1], tokenize=False, add_generation_prompt=True, **SWITCHES.get(name, {}))
        for tokenizer in (ours, theirs)
    ]
    assert asked[0] == asked[1]


@pytest.mark.parametrize("name", SHIPPED)
def test_loss_is_on_what_trl_masks_as_the_assistants_but_for_the_thought_and_the_line_break(name: str) -> None:
    tokenizer = with_template(name, shipped(SHIPPED[name]))
    answered = Conversation(messages=(Message("user", TURNS[0]["content"]),), answer=TURNS[1]["content"])
    example = Example(part="questions", name="s:1 (en)", language="en", variants=(answered,))
    encoded = encode(tokenizer, [example], template=SWITCHES.get(name))
    ours = encoded.of(0)[-int(encoded.answers[0]) :].tolist()
    training = with_template(name, shipped(f"{SHIPPED[name]}_training"))
    masked = training.apply_chat_template(
        TURNS, return_dict=True, return_assistant_tokens_mask=True, **SWITCHES.get(name, {})
    )
    theirs = [one for one, mask in zip(masked["input_ids"], masked["assistant_masks"], strict=True) if mask]
    said = tokenizer.decode(theirs).removeprefix("<think>\n\n</think>\n\n").removesuffix("\n")
    assert tokenizer.decode(ours).strip() == said.strip() == f"Ìdáhùn: B{FORMATS[name][1]}"
