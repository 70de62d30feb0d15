"""How hard a run asks."""

from __future__ import annotations

from globmed.models import paying


class Effort(paying.Effort, frozen=True, kw_only=True):
    """How hard to ask, and whether at all.

    Attributes:
        estimate_only: send nothing.
    """

    estimate_only: bool = False
