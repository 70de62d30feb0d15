"""The share of replies with one outcome, for the metrics that say how often a model gives no answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from globmed.stats.intervals import clustered_proportion
from globmed.stats.linearised import Estimate

if TYPE_CHECKING:
    import pyarrow as pa


def outcome_share(*outcomes: str) -> Callable[[pa.Table], Estimate]:
    """Return what computes the share of replies with any of some outcomes, with an interval clustered by question.

    Args:
        outcomes: as in the column `outcome` of the scores.
    """

    def compute(told: pa.Table) -> Estimate:
        found = np.isin(told["outcome"].to_numpy(), outcomes)
        return Estimate(clustered_proportion(found, told["cluster"].to_numpy()), "")

    return compute
