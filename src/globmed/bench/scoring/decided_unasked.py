"""Deciding without asking: triage questions answered although a sign that decides them is not known."""

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


DECIDED_UNASKED = Metric(
    name="decided_unasked",
    title="share decided although information was missing",
    fits=partial(triage_rows, decidable=False),
    compute=_compute,
)
