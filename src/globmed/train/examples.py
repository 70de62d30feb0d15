"""What passes between the making of examples and the trainer."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec


class Loss(msgspec.Struct, frozen=True):
    """One line of `losses.jsonl`: the mean loss of the steps since the line before."""

    step: int
    loss: float
    learning_rate: float


@dataclass(frozen=True)
class Example:
    """One item as token ids; the last `answer_tokens` of them carry the loss."""

    ids: tuple[int, ...]
    answer_tokens: int
