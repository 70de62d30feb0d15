"""How hard a run asks."""

from __future__ import annotations

import msgspec

from globmed.core.errors import UsageError
from globmed.models.attempts import PATIENT, Patience
from globmed.models.budget import Cap


class Effort(msgspec.Struct, frozen=True, kw_only=True):
    """How hard to ask; none of it changes what is asked or how replies are read.

    Attributes:
        concurrency: calls under way at once at most, at each endpoint.
        patience: tries, waits and time in all.
        cap: what may be spent in all by this run, with what it has spent before.
        estimate_only: send nothing.
    """

    concurrency: int = 32
    patience: Patience = PATIENT
    cap: Cap = Cap()
    estimate_only: bool = False

    def __post_init__(self) -> None:
        """Refuse to ask nobody.

        Raises:
            UsageError: a concurrency below 1.
        """
        if self.concurrency < 1:
            raise UsageError(f"concurrency is {self.concurrency}; expected at least 1")
