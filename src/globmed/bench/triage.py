"""Which way a triage reply errs: its options stand in the order of urgency, the last one says what is missing.

Of the source `safety`, subset `triage`; shares are of all replies to the questions concerned, so a reply that cannot be
read is neither too urgent nor too little, and is counted where accuracy is given.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from globmed.stats.intervals import clustered_proportion
from globmed.stats.linearised import Estimate

if TYPE_CHECKING:
    import pyarrow as pa

TRIAGE = "triage"


def triage_rows(scores: pa.Table, *, decidable: bool) -> pa.Table:
    """Return the scores of triage questions: those with a right urgency, or those whose information is missing."""
    import pyarrow.compute as pc

    asked = scores.filter(pc.equal(scores["subset"], TRIAGE))
    last = pc.equal(asked["gold"], pc.subtract(asked["options"], 1))
    return asked.filter(pc.invert(last) if decidable else last)


def share(rows: pa.Table, holds: pa.Array) -> Estimate:
    """Return the share of replies for which something holds; a reply without an answer counts among the others."""
    said = holds.fill_null(False).to_numpy(zero_copy_only=False)  # noqa: FBT003
    return Estimate(clustered_proportion(said, rows["cluster"].to_numpy()), "")
