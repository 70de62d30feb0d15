"""Expected calibration error: how far a model's confidence in its answers is from the share of them that is right.

Of answers with likelihoods alone, as local models give them. Too high in small samples: a model that is calibrated
would show some too, and bounds are declined where the error is less than twice that (`globmed.stats.calibration`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from globmed.bench.scoring import Metric
from globmed.stats.calibration import calibration_error
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
    return calibration_error(*columns, rng=np.random.default_rng(_SEED), draws=_DRAWS).ece


ECE = Metric(name="ece", title="expected calibration error", fits=_fits, compute=_compute, description=True)
