"""How often a model declines, or whoever serves it withholds the reply."""

from __future__ import annotations

from globmed.bench.outcome_share import outcome_share
from globmed.bench.scoring import Metric

REFUSED = Metric(
    name="refused",
    title="share of replies that decline",
    fits=lambda scores: scores,
    compute=outcome_share("refused", "filtered"),
    description=True,
)
