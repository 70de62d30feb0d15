"""Examples into token ids, with the loss on the answer and on the token that ends it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np

from globmed.core.errors import InputError
from globmed.models.client import Message
from globmed.models.tokens import encode_pairs, encode_texts, prompt_text
from globmed.train.examples import Example

if TYPE_CHECKING:
    from numpy.typing import NDArray

_AT_ONCE = 2_000
_ANSWER = "globmed answers here"


@dataclass(frozen=True, kw_only=True)
class Encoded:
    """Examples as token ids, m phrasings of n examples.

    Attributes:
        ids: all token ids, one phrasing after the other.
        starts: [m + 1], where each phrasing starts in `ids`.
        answers: [m], how many of its last tokens carry the loss.
        variants: [n + 1], where each example's phrasings start.
        part: [n], kind of example.
        language: [n], BCP 47 code.
        names: [n], for people.
    """

    ids: NDArray[np.int32]
    starts: NDArray[np.int64]
    answers: NDArray[np.int64]
    variants: NDArray[np.int64]
    part: NDArray[np.str_]
    language: NDArray[np.str_]
    names: tuple[str, ...]

    @property
    def tokens(self) -> NDArray[np.int64]:
        """[m], tokens of each phrasing."""
        return np.diff(self.starts)

    def of(self, phrasing: int) -> NDArray[np.int32]:
        """Return the token ids of a phrasing."""
        return self.ids[self.starts[phrasing] : self.starts[phrasing + 1]]


def joined(first: Encoded, second: Encoded) -> Encoded:
    """Return both, the second behind the first."""
    return Encoded(
        ids=np.concatenate([first.ids, second.ids]),
        starts=np.concatenate([first.starts, second.starts[1:] + first.starts[-1]]),
        answers=np.concatenate([first.answers, second.answers]),
        variants=np.concatenate([first.variants, second.variants[1:] + first.variants[-1]]),
        part=np.concatenate([first.part, second.part]),
        language=np.concatenate([first.language, second.language]),
        names=(*first.names, *second.names),
    )


def encode(tokenizer: Any, examples: Iterable[Example], *, template: Mapping[str, Any] | None = None) -> Encoded:
    """Encode every phrasing of every example, ends included; nothing is cut.

    Args:
        tokenizer: a transformers tokenizer.
        examples: to encode.
        template: switches of its chat template.

    Raises:
        InputError: the chat template has no place for an answer.
    """
    end = end_of_answer(tokenizer, template)
    chunks: list[NDArray[np.int32]] = []
    lengths, answers, variants, kept = [], [], [0], []
    stream = iter(examples)
    while chunk := list(islice(stream, _AT_ONCE)):
        spoken = [one for example in chunk for one in example.variants]
        asked = [prompt_text(tokenizer, one.messages, template) for one in spoken]
        for before, ids in encode_pairs(tokenizer, list(zip(asked, (one.answer for one in spoken), strict=True))):
            chunks.append(np.array([*ids, end], dtype=np.int32))
            lengths.append(len(ids) + 1)
            answers.append(len(ids) + 1 - before)
        variants += [variants[-1] + done for done in np.cumsum([len(one.variants) for one in chunk]).tolist()]
        kept += [(one.part, one.language, one.name) for one in chunk]
    parts, codes, names = zip(*kept, strict=True) if kept else ((), (), ())
    return Encoded(
        ids=np.concatenate(chunks) if chunks else np.array([], dtype=np.int32),
        starts=np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
        answers=np.array(answers, dtype=np.int64),
        variants=np.array(variants, dtype=np.int64),
        part=np.array(parts, dtype=np.str_),
        language=np.array(codes, dtype=np.str_),
        names=tuple(names),
    )


def end_of_answer(tokenizer: Any, template: Mapping[str, Any] | None = None) -> int:
    """Return the token that the chat template writes behind an answer, or the end of text where there is no template.

    It need not be the end of text: Gemma's turns end by `<end_of_turn>`. What a template writes behind it, such as a
    line break, is nothing that a model is to say.

    Raises:
        InputError: the template writes no answer behind the prompt that it makes for one, or no token to end it.
    """
    if not tokenizer.chat_template:
        return int(tokenizer.eos_token_id)
    asked = [Message("user", "?")]
    prompt = prompt_text(tokenizer, asked, template)
    whole = _conversation(tokenizer, [*asked, Message("assistant", _ANSWER)], template)
    answer, found, behind = whole.removeprefix(prompt).partition(_ANSWER)
    if not whole.startswith(prompt) or not found or answer.strip():
        raise InputError.at(
            "chat template",
            found=f"{whole[-80:]!r} for an answered question, {prompt[-80:]!r} for one to answer",
            expected="the second, then the answer",
            remedy="Set the switches of the template by `template` in the recipe",
        )
    ends = encode_texts(tokenizer, [behind])[0] if behind else ()
    if not ends or ends[0] not in tokenizer.all_special_ids + list(tokenizer.added_tokens_decoder):
        raise InputError.at(
            "chat template", found=f"{behind[:40]!r} behind an answer", expected="a special token that ends it"
        )
    return int(ends[0])


def _conversation(tokenizer: Any, messages: Sequence[Message], template: Mapping[str, Any] | None) -> str:
    turns = [{"role": turn.role, "content": turn.content} for turn in messages]
    return str(tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=False, **(template or {})))
