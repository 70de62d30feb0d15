"""Chat formats of the models that recipes start from, written for these tests, and a tokenizer that knows their tokens.

What each writes was checked against the formats that the makers document: Qwen3 (ChatML, with an empty thought where
thinking is switched off), Llama 3, Gemma 3 (no system turn; the assistant is called model) and Mistral (v3).
"""

from typing import Any

from globmed.train import scratch
from globmed.train.recipe import Scratch

_QWEN3 = """\
{%- for turn in messages %}<|im_start|>{{ turn.role }}
{% if turn.role == 'assistant' and loop.last %}<think>

</think>

{% endif %}{{ turn.content }}<|im_end|>
{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant
{% if enable_thinking is defined and not enable_thinking %}<think>

</think>

{% endif %}{% endif %}"""
_LLAMA3 = """\
<|begin_of_text|>{%- for turn in messages %}<|start_header_id|>{{ turn.role }}<|end_header_id|>

{{ turn.content | trim }}<|eot_id|>{% endfor %}\
{% if add_generation_prompt %}<|start_header_id|>assistant<|end_header_id|>

{% endif %}"""
_GEMMA3 = """\
<bos>{%- for turn in messages %}<start_of_turn>{{ 'model' if turn.role == 'assistant' else turn.role }}
{{ turn.content | trim }}<end_of_turn>
{% endfor %}{% if add_generation_prompt %}<start_of_turn>model
{% endif %}"""
_MISTRAL = """\
<s>{%- for turn in messages %}\
{% if turn.role == 'user' %}[INST] {{ turn.content }}[/INST]{% else %} {{ turn.content }}</s>\
{% endif %}{% endfor %}"""

FORMATS: dict[str, tuple[str, str]] = {
    "qwen3": (_QWEN3, "<|im_end|>"),
    "llama3": (_LLAMA3, "<|eot_id|>"),
    "gemma3": (_GEMMA3, "<end_of_turn>"),
    "mistral": (_MISTRAL, "</s>"),
}
"""Template and the token that ends a turn."""

_TOKENS = [
    "<|im_start|>", "<|im_end|>", "<|begin_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>",
    "<bos>", "<start_of_turn>", "<end_of_turn>", "<s>", "</s>", "[INST]", "[/INST]",
]  # fmt: skip


def tokenizer_of(name: str) -> Any:
    """Return a small tokenizer with the special tokens and the chat template of a format."""
    made = scratch.train_tokenizer(["Is 4 even? Answer: B. Ṣé òótọ́ ni? Ndax dëgg la?"] * 3, Scratch(vocabulary=400))
    made.add_special_tokens({"additional_special_tokens": _TOKENS})
    made.chat_template = FORMATS[name][0]
    return made
