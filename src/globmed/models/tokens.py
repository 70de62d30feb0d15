"""Text into tokens, alike for measuring a model and for training it.

A message or an answer may spell out a special token, such as `<|im_end|>`. It stays text: only the chat template writes
tokens that end turns. Tokenizers would take the spelling for the token wherever it stands, so it is broken up by a
character that texts hardly hold, and where that character stands, the text's tokens are cut apart. For tokenizers
without a Rust core (`is_fast`) the spelling is left as it is: they do not say where in the text a token stands.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from globmed.models.client import Message

# A code point that Unicode reserves for such uses within a program and keeps out of texts (The Unicode Standard, 23.7).
_BREAK = "\ufdd0"


class Pair(NamedTuple):
    """Token ids of a prompt and its answer in one; the first `before` are the prompt's."""

    before: int
    ids: tuple[int, ...]


def prompt_text(tokenizer: Any, messages: Sequence[Message], template: Mapping[str, Any] | None = None) -> str:
    """Write messages as the tokenizer's chat template has them, or one after the other where it has none.

    Args:
        tokenizer: a transformers tokenizer.
        messages: the turns.
        template: switches of the chat template, such as `{"enable_thinking": False}`.
    """
    turns = [{"role": turn.role, "content": _spelt_out(tokenizer, turn.content)} for turn in messages]
    if tokenizer.chat_template:
        switches = template or {}
        return str(tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True, **switches))
    return "\n".join(turn["content"] for turn in turns)


def encode_texts(tokenizer: Any, texts: Sequence[str]) -> list[tuple[int, ...]]:
    """Return token ids; a beginning-of-text token is added only where no chat template has written one."""
    if not texts:
        return []
    # Not verbose: what is too long is counted by whoever asks, and a warning without the text's name helps nobody.
    encoded = tokenizer(list(texts), add_special_tokens=not tokenizer.chat_template, verbose=False)["input_ids"]
    return [
        _encode_broken(tokenizer, text) if _BREAK in text and _special_tokens(tokenizer) else tuple(ids)
        for text, ids in zip(texts, encoded, strict=True)
    ]


def encode_documents(tokenizer: Any, texts: Sequence[str]) -> list[tuple[int, ...]]:
    """Return token ids of whole texts as in pre-training, from the beginning of text, where there is one, to its end.

    Args:
        tokenizer: a transformers tokenizer.
        texts: as they are; a special token that one spells stays text.
    """
    begin, end = tokenizer.bos_token_id, tokenizer.eos_token_id
    before = (begin,) if begin is not None and tuple(tokenizer("a")["input_ids"][:1]) == (begin,) else ()
    found = []
    for ids in encode_texts(tokenizer, [_spelt_out(tokenizer, text) for text in texts]):
        inner = ids[1:] if before and ids[:1] == before else ids
        found.append((*before, *(inner[:-1] if inner[-1:] == (end,) else inner), end))
    return found


def encode_pairs(tokenizer: Any, pairs: Sequence[tuple[str, str]]) -> list[Pair]:
    """Encode each (prompt, answer) as one text, so that tokens are those the model would meet.

    Where a token spans the border it counts as the answer's. The very first token never does: nothing predicts it.

    Args:
        tokenizer: a transformers tokenizer.
        pairs: prompts as `prompt_text` gives them, and answers as they are.
    """
    prompts = list(dict.fromkeys(prompt for prompt, _ in pairs))
    alone = dict(zip(prompts, encode_texts(tokenizer, prompts), strict=True))
    answers = [_spelt_out(tokenizer, answer) for _, answer in pairs]
    texts = [prompt + joint(prompt) + answer for (prompt, _), answer in zip(pairs, answers, strict=True)]
    found = []
    for (prompt, _), answer, both in zip(pairs, answers, encode_texts(tokenizer, texts), strict=True):
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


@lru_cache(maxsize=8)
def _special_tokens(tokenizer: Any) -> tuple[str, ...]:
    if not getattr(tokenizer, "is_fast", False):
        return ()
    # Of one character there is nothing to break up.
    return tuple(
        token.content
        for token in tokenizer.added_tokens_decoder.values()
        if token.special and len(token.content) > 1 and not token.single_word
    )


@lru_cache(maxsize=8)
def _spelling(tokens: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(re.escape(token) for token in sorted(tokens, key=len, reverse=True)))


def _spelt_out(tokenizer: Any, text: str) -> str:
    """Break up, after its first character, every special token that a text spells; double what looks like a break."""
    tokens = _special_tokens(tokenizer)
    if not tokens:
        return text
    return _spelling(tokens).sub(lambda found: found[0][0] + _BREAK + found[0][1:], text.replace(_BREAK, 2 * _BREAK))


def _encode_broken(tokenizer: Any, text: str) -> tuple[int, ...]:
    """Encode a text with a special token in place of each break, so that no token reaches over it, and take it out."""
    wall = _special_tokens(tokenizer)[0]
    places, walled = set(), ""
    for piece in re.split(f"({_BREAK}{{1,2}})", text):
        if piece == _BREAK:
            places.add(len(walled))
            walled += wall
        else:
            walled += _BREAK if piece == 2 * _BREAK else piece
    marked = not tokenizer.chat_template
    encoded = tokenizer(walled, add_special_tokens=marked, return_offsets_mapping=True, verbose=False)
    tokens = zip(encoded["input_ids"], encoded["offset_mapping"], strict=True)
    return tuple(token for token, (begin, end) in tokens if begin == end or begin not in places)
