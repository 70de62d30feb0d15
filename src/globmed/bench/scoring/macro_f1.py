"""Macro-F1 over labels that all items share: inference, and yes/no/maybe as in PubMedQA.

There a model that always gives the commonest label looks good by accuracy (55 % on PubMedQA), and does not by this.
An unread reply is a label missed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from globmed.bench.scoring import Metric
from globmed.stats.classification import UNREAD, classified
from globmed.stats.linearised import Estimate, declined

if TYPE_CHECKING:
    import pyarrow as pa

# The bootstrap's draws are the same whenever a table is computed again.
_SEED = 20260102


def _fits(scores: pa.Table) -> pa.Table:
    import pyarrow.compute as pc

    return scores.filter(pc.and_(scores["fixed_options"], pc.is_valid(scores["gold"])))


def _compute(told: pa.Table) -> Estimate:
    classes = set(told["options"].to_pylist())
    if len(classes) > 1 or len(set(told["source"].to_pylist())) > 1:
        return declined("several sets of labels", n=told.num_rows, clusters=0)
    if len(set(told["gold"].to_pylist())) < 2:
        return declined("one label alone is right", n=told.num_rows, clusters=0)
    return classified(
        told["gold"].to_numpy(),
        told["option"].fill_null(UNREAD).to_numpy(),
        told["cluster"].to_numpy(),
        classes=classes.pop(),
        rng=np.random.default_rng(_SEED),
    ).macro_f1


MACRO_F1 = Metric(name="macro_f1", title="macro-F1 over labels", fits=_fits, compute=_compute)
