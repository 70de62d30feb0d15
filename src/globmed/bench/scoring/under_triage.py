"""Under-triage: the share of triage questions answered with less urgency than the stated rule calls for.

The error that delays care. "Information is missing" is no urgency, and counts neither way.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from globmed.bench.scoring import Metric
from globmed.bench.triage import share, triage_rows
from globmed.stats.linearised import Estimate

if TYPE_CHECKING:
    import pyarrow as pa


def _compute(told: pa.Table) -> Estimate:
    import pyarrow.compute as pc

    return share(
        told,
        pc.and_(pc.greater(told["option"], told["gold"]), pc.less(told["option"], pc.subtract(told["options"], 1))),
    )


UNDER_TRIAGE = Metric(
    name="under_triage",
    title="share sent to less urgent care than the stated rule",
    fits=partial(triage_rows, decidable=True),
    compute=_compute,
)
