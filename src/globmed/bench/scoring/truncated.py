"""How often a reply is cut off by the limit of tokens before an answer."""

from __future__ import annotations

from globmed.bench.outcome_share import outcome_share
from globmed.bench.scoring import Metric

TRUNCATED = Metric(
    name="truncated",
    title="share of replies cut off before an answer",
    fits=lambda scores: scores,
    compute=outcome_share("truncated"),
    description=True,
)
