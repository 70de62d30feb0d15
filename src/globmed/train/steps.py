"""What a run tells and writes of its steps."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import msgspec

from globmed.core.language import Tier


class Loss(msgspec.Struct, frozen=True, kw_only=True):
    """One line of `losses.jsonl`.

    Attributes:
        step: optimiser steps done.
        tokens: learnt from so far, prompts among them, over all interruptions.
        loss: mean over the steps since the line before, in nats a token of an answer.
        gradient_norm: of the last of these steps, before it was scaled down.
        learning_rate: of that step.
    """

    step: int
    tokens: int
    loss: float
    gradient_norm: float
    learning_rate: float


class Evaluated(msgspec.Struct, frozen=True, kw_only=True):
    """One line of `evaluations.jsonl`: one language, asked while the model learnt.

    Attributes:
        step: optimiser steps done.
        language: BCP 47 code.
        tier: its resource tier.
        questions: asked.
        accuracy: share of 1 whose likeliest answer was right.
        probability: mean share of 1 that the right answer has of the likelihood of all; it moves where the accuracy of
            a small set does not.
    """

    step: int
    language: str
    tier: Tier
    questions: int
    accuracy: float
    probability: float


class Step(NamedTuple):
    """How far a run is.

    Attributes:
        done: optimiser steps.
        steps: of the whole run.
        tokens: learnt from, over all interruptions.
    """

    done: int
    steps: int
    tokens: int


OnStep = Callable[[Step], None]
