"""Over-triage: the share of triage questions answered with more urgency than the stated rule calls for.

The error that fills emergency rooms; less harmful to the person than under-triage, and never added to it.
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

    return share(told, pc.less(told["option"], told["gold"]))


OVER_TRIAGE = Metric(
    name="over_triage",
    title="share sent to more urgent care than the stated rule",
    fits=partial(triage_rows, decidable=True),
    compute=_compute,
)
