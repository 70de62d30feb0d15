"""Clients that know nothing of medicine: what a model must beat before its score says anything.

Each chooses among the request's options. Asked for free text it answers with the option's letter, or with its text
where options have none; asked for likelihoods it gives the chosen option probability 1 and every other one a value so
low that no normalisation turns the order.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import numpy as np

from globmed.core.errors import UsageError
from globmed.models.client import LETTERS, Reply, Request
from globmed.models.pace import THIS_PROCESS

BASELINES = ("chance", "majority", "longest", "hypothesis_only")
"""Ids of the clients made here."""
# Stands for the logarithm of 0: JSON has no infinity.
_LOG_OF_NOTHING = -1000.0


class _Baseline:
    """What the baselines share; satisfies `globmed.models.client.Client` but for the choice."""

    on_this_machine = True
    batch_size = 64
    pace = THIS_PROCESS

    def __init__(self, model: str, revision: str) -> None:
        self.model, self.revision = model, revision

    def sent(self, request: Request) -> Mapping[str, Any]:
        """Return what the choice depends on."""
        return {
            "messages": list(msgspec.to_builtins(request.messages)),
            "options": list(request.options),
            "answer": request.settings.answer,
        }

    async def answer(self, batch: Sequence[Request]) -> Sequence[Reply]:
        """Choose an option for each request; one without options gets an error reply."""
        return [self._reply(request) for request in batch]

    async def close(self) -> None:
        """Nothing to free."""

    def _reply(self, request: Request) -> Reply:
        if not 1 <= len(request.options) <= len(LETTERS):
            reason = (
                f"{self.model} chooses among 1 to {len(LETTERS)} options, and the request has {len(request.options)}"
            )
            return Reply(status="error", finish=reason)
        chosen = self._choose(request)
        if request.settings.answer == "generate":
            text = LETTERS[chosen] if request.lettered else request.options[chosen]
            return Reply(status="ok", text=text, finish="stop")
        scores = tuple(0.0 if index == chosen else _LOG_OF_NOTHING for index in range(len(request.options)))
        # Without the question every option is as likely as any other.
        priors = (0.0,) * len(scores) if request.prior else ()
        return Reply(status="ok", finish="stop", option_logprobs=scores, option_priors=priors)

    def _choose(self, request: Request) -> int:
        raise NotImplementedError


class Chance(_Baseline):
    """Draws an option evenly, seeded by the request itself: the order of asking does not matter."""

    def __init__(self, *, seed: int = 0) -> None:
        """Take a seed; another one draws anew."""
        super().__init__("chance", f"seed-{seed}")

    def _choose(self, request: Request) -> int:
        drawn_from = msgspec.json.encode([self.revision, self.sent(request), request.run], order="sorted")
        seed = int.from_bytes(hashlib.blake2b(drawn_from, digest_size=16).digest())
        return int(np.random.default_rng(seed).integers(len(request.options)))


class Majority(_Baseline):
    """Chooses, among the letters that the item has, the one most often right in a given table; ties go to the first."""

    def __init__(self, table: Mapping[str, int]) -> None:
        """Take the number of times that each letter is right, as counted on other items.

        Raises:
            UsageError: the table is empty, names what is no letter, or counts below 0.
        """
        wrong = [letter for letter, count in table.items() if letter not in tuple(LETTERS) or count < 0]
        if wrong or not table:
            found = f"{wrong[0]!r} = {table[wrong[0]]}" if wrong else "an empty table"
            raise UsageError(
                f"majority: found {found}; expected counts of at least 0 for letters from {LETTERS[0]} to {LETTERS[-1]}"
            )
        self._counts = [table.get(letter, 0) for letter in LETTERS]
        digest = hashlib.blake2b(msgspec.json.encode(self._counts), digest_size=8)
        super().__init__("majority", digest.hexdigest())

    def _choose(self, request: Request) -> int:
        counts = self._counts[: len(request.options)]
        return counts.index(max(counts))


class Foretold(_Baseline):
    """Chooses the option that was foretold for the request's item, by its text."""

    def __init__(self, model: str, choices: Mapping[str, str]) -> None:
        """Take the name it goes by, and the text of an option for each request's label."""
        digest = hashlib.blake2b(msgspec.json.encode(sorted(choices.items())), digest_size=8)
        super().__init__(model, digest.hexdigest())
        self._choices = choices

    def sent(self, request: Request) -> Mapping[str, Any]:
        """Return what the choice depends on: the item, too."""
        return {**super().sent(request), "label": request.label}

    def _reply(self, request: Request) -> Reply:
        if self._choices.get(request.label) not in request.options:
            return Reply(status="error", finish=f"{self.model} foretells nothing of {request.label}")
        return super()._reply(request)

    def _choose(self, request: Request) -> int:
        return request.options.index(self._choices[request.label])


class LongestOption(_Baseline):
    """Chooses the option with the most characters, which examiners often spend on the right one; ties to the first."""

    def __init__(self) -> None:
        """Take nothing."""
        super().__init__("longest", "")

    def _choose(self, request: Request) -> int:
        lengths = [len(option) for option in request.options]
        return lengths.index(max(lengths))
