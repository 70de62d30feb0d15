"""How often no answer is found: the reply is empty, names several, or no rule reads it; part may be the reader's."""

from __future__ import annotations

from globmed.bench.outcome_share import outcome_share
from globmed.bench.scoring import Metric, closed

UNREAD = Metric(
    name="unread",
    title="share of replies without an answer that can be read",
    fits=closed,
    compute=outcome_share("unread", "several", "empty"),
    description=True,
)
