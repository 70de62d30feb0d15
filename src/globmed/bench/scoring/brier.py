"""Brier score of the confidence in the option answered, 0 sure and right, 1 sure and wrong (`globmed.stats`).

Of answers with likelihoods alone, as local models give them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from globmed.bench.scoring import Metric
from globmed.stats.calibration import brier
from globmed.stats.linearised import Estimate

if TYPE_CHECKING:
    import pyarrow as pa

# The bootstrap's draws are the same whenever a table is computed again.
_SEED = 20261123
_DRAWS = 1_000


def _fits(scores: pa.Table) -> pa.Table:
    import pyarrow.compute as pc

    return scores.filter(pc.and_(pc.is_valid(scores["confidence"]), pc.is_valid(scores["option"])))


def _compute(told: pa.Table) -> Estimate:
    columns = (told[name].to_numpy() for name in ("confidence", "correct", "cluster"))
    return brier(*columns, rng=np.random.default_rng(_SEED), draws=_DRAWS).score


BRIER = Metric(name="brier", title="Brier score of the confidence", fits=_fits, compute=_compute, description=True)
