"""Accuracy: the share of items answered right, with an interval clustered by question.

A reply that could not be read, a refusal and a reply cut off before its answer count as not right; a call that failed
does not count at all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from globmed.bench.scoring import Metric, counted
from globmed.stats.intervals import Interval, clustered_proportion

if TYPE_CHECKING:
    import pyarrow as pa


def _compute(scores: pa.Table) -> Interval:
    rows = counted(scores)
    return clustered_proportion(rows["correct"].to_numpy(), rows["cluster"].to_numpy())


ACCURACY = Metric(name="accuracy", compute=_compute)
