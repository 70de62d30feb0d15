"""Text into tokens, alike for measuring a model and for training it."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec

from globmed.models.client import Message


class Pair(NamedTuple):
    """Token ids of a prompt and its answer in one; the first `before` are the prompt's."""

    before: int
    ids: tuple[int, ...]


def prompt_text(tokenizer: Any, messages: Sequence[Message]) -> str:
    """Write messages as the tokenizer's chat template has them, or one after the other where it has none."""
    if tokenizer.chat_template:
        turns = msgspec.to_builtins(list(messages))
        return str(tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True))
    return "\n".join(message.content for message in messages)


def encode_texts(tokenizer: Any, texts: Sequence[str]) -> list[tuple[int, ...]]:
    """Return token ids; a beginning-of-text token is added only where no chat template has written one."""
    if not texts:
        return []
    encoded = tokenizer(list(texts), add_special_tokens=not tokenizer.chat_template)["input_ids"]
    return [tuple(ids) for ids in encoded]


def encode_pairs(tokenizer: Any, pairs: Sequence[tuple[str, str]]) -> list[Pair]:
    """Encode each (prompt, answer) as one text, so that tokens are those the model would meet.

    Where a token spans the border it counts as the answer's. The very first token never does: nothing predicts it.
    """
    prompts = list(dict.fromkeys(prompt for prompt, _ in pairs))
    alone = dict(zip(prompts, encode_texts(tokenizer, prompts), strict=True))
    together = encode_texts(tokenizer, [prompt + joint(prompt) + answer for prompt, answer in pairs])
    found = []
    for (prompt, answer), both in zip(pairs, together, strict=True):
        # Some tokenizers end what they encode; whether an end is wanted is for the caller to say.
        added = both[-1:] == (tokenizer.eos_token_id,) and not answer.endswith(tokenizer.eos_token)
        ids = both[:-1] if added else both
        shared = zip(alone[prompt], ids, strict=False)
        same = next((place for place, (a, b) in enumerate(shared) if a != b), min(len(alone[prompt]), len(ids)))
        found.append(Pair(max(same, 1), ids))
    return found


def joint(prompt: str) -> str:
    """Return what stands between a prompt and an answer: a space, or nothing after white space or full-width marks."""
    last = prompt[-1:]
    return "" if not last or last.isspace() or unicodedata.east_asian_width(last) in "WF" else " "
