"""What a translation will take, before anything is sent: by step and model, as expected and at most.

Expected: each request is answered once, a reply has a token for every three bytes of what it is about (the original's
length stands for the translation's), and of the steps that depend on what comes back, repair and refinement, the stated
share of the items needs one round. At most: each request is asked for as often as the plan lets, with its limit of
tokens doubled each time, in every round and of every item, and each byte of text is a token. Calls that fail on the way
and are made again can add to either.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import msgspec

from globmed.data.translate.team import Member
from globmed.models.budget import most_usage
from globmed.models.client import Request, Usage

# Of text as UTF-8, by tokenizers that were made for many languages.
_BYTES_PER_TOKEN = 3.0
# What was wrong with a reply is said in so many bytes at most.
_RETRY_BYTES = 1500
REPAIR_SHARE = 0.1
"""Share of the translations that is expected to need a repair: a guess, to be replaced by what a first part shows."""
REFINE_SHARE = 0.3
"""Share of the translations that is expected to be refined, and judged once more: a guess like the one above."""


class StepEstimate(msgspec.Struct, frozen=True, kw_only=True):
    """What one step will take of one model.

    Attributes:
        language: translated into.
        step: its name.
        model: its id.
        place: where it answers.
        requests: expected to be sent; what the journal holds is not among them.
        requests_at_most: if every reply has to be asked for again.
        input_tokens: of the messages, expected.
        output_tokens: of the replies, expected.
        tokens_at_most: of both.
        cost_usd: expected; None where the price is not known.
        cost_usd_at_most: at most; None where the price is not known.
    """

    language: str
    step: str
    model: str
    place: str
    requests: int
    requests_at_most: int
    input_tokens: int
    output_tokens: int
    tokens_at_most: int
    cost_usd: float | None
    cost_usd_at_most: float | None


class _Sum:
    def __init__(self) -> None:
        self.requests = self.input = self.output = 0.0
        self.requests_most = 0
        self.most = Usage()


class Estimates:
    """Adds up what would be asked."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._sums: dict[tuple[str, str, Member], _Sum] = {}

    def add(
        self,
        language: str,
        step: str,
        member: Member,
        request: Request,
        reply_bytes: int,
        *,
        attempts: int,
        share: float = 1.0,
        rounds: int = 1,
    ) -> None:
        """Count one request.

        Args:
            language: translated into.
            step: name of the step.
            member: who would be asked.
            request: what.
            reply_bytes: length of what the reply is about.
            attempts: how often it may be asked for.
            share: how probable it is to be asked at all.
            rounds: how often the whole may come again.
        """
        one = self._sums.setdefault((language, step, member), _Sum())
        size = sum(len(message.content.encode()) for message in request.messages)
        one.requests += share
        one.requests_most += attempts * rounds
        one.input += share * size / _BYTES_PER_TOKEN
        one.output += share * reply_bytes / _BYTES_PER_TOKEN
        most = most_usage(request)
        # Each attempt may have twice the tokens of the one before.
        repeated = Usage(
            input=one.most.input + rounds * attempts * (most.input + _RETRY_BYTES),
            output=one.most.output + rounds * (2**attempts - 1) * most.output,
        )
        one.most = repeated

    def result(self) -> list[StepEstimate]:
        """Return the sums, in the order in which the steps came."""
        return [
            StepEstimate(
                language=language,
                step=step,
                model=member.name,
                place=member.client.pace.place,
                requests=math.ceil(one.requests),
                requests_at_most=one.requests_most,
                input_tokens=round(one.input),
                output_tokens=round(one.output),
                tokens_at_most=one.most.input + one.most.output,
                cost_usd=member.cost_usd(Usage(input=round(one.input), output=round(one.output))),
                cost_usd_at_most=member.cost_usd(one.most),
            )
            for (language, step, member), one in self._sums.items()
        ]


def total_cost_usd(estimates: Iterable[StepEstimate]) -> tuple[float, float] | None:
    """Return what all of it costs in US dollars, expected and at most; None where a price is not known."""
    rows = list(estimates)
    expected = [row.cost_usd for row in rows if row.cost_usd is not None]
    most = [row.cost_usd_at_most for row in rows if row.cost_usd_at_most is not None]
    return (sum(expected), sum(most)) if len(expected) == len(most) == len(rows) else None
