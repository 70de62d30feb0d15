"""Ranks of models with intervals: which places the data leave open to each, and who is tied with whom."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from globmed.core.errors import UsageError
from globmed.stats.columns import Clusters, mean_columns, numbered
from globmed.stats.intervals import Floats
from globmed.stats.max_t import Errors, Simultaneous, draws_above, errors_of, held_together, joined, weight_blocks

# Of pairs, question by question: few enough that the ten arrays of a mean stay near the processor.
_DIFFERENCES_AT_ONCE = 50_000


@dataclass(frozen=True, kw_only=True)
class Ranks:
    """Places of K models, 1 the best.

    Attributes:
        rank: [K], 1 + the models with a higher mean on the questions shared with them; ties share a place.
        low: [K], the best place that the data leave open.
        high: [K], the worst one.
        tied: [K, K], pairs that the data do not tell apart, each model with itself too.
        reason: [K], why a model was not told apart from some other; empty where all its differences were tested.
        pairs: the differences behind it, of models i < j in the order of `itertools.combinations`, i less j.
    """

    rank: NDArray[np.int64]
    low: NDArray[np.int64]
    high: NDArray[np.int64]
    tied: NDArray[np.bool_]
    reason: tuple[str, ...]
    pairs: Simultaneous


def rank_intervals(
    values: ArrayLike, clusters: ArrayLike, *, rng: np.random.Generator, draws: int = 10_000, level: float = 0.95
) -> Ranks:
    """Return ranks with intervals that hold for all models together.

    A model's best place is 1 + the models clearly better than it, its worst K - those clearly worse, by simultaneous
    intervals of all paired differences: Mogstad, Romano, Shaikh and Wilhelm (2024), "Inference for ranks with
    applications to mobility across neighbourhoods and academic achievement across countries", Review of Economic
    Studies 91, section 3.3 (single step). Unlike intervals of each model's mean, paired differences know that models
    find the same questions hard.

    Measured (`benchmarks/coverage.py`, 5,000 times, eight models, 104 clusters): all rank intervals hold 94.6 % where
    models are alike, so that some are told apart wrongly 5.4 %; 100 % where each is 5 points better than the next, for
    ranks come in whole places.

    Args:
        values: [K, question], higher is better; NaN where missing. A difference is of the questions that both have.
        clusters: [question], whatever names the cluster of each.
        rng: seeded generator.
        draws: of the bootstrap.
        level: confidence that all rank intervals hold.

    Returns:
        Ranks; a pair whose difference is declined (see `globmed.stats.max_t`) is tied, and the reason given.

    Raises:
        UsageError: fewer than two models, shapes that do not fit, an infinite value, too few draws, or a level outside
            0..1.
    """
    table = np.asarray(values, dtype=np.float64)
    if table.ndim != 2 or len(table) < 2:
        raise UsageError(f"found values {table.shape}; expected [model, question] of at least two models")
    draws_above(draws, level=level)
    names, (first, second) = numbered(clusters), np.triu_indices(len(table), 1)
    found = _differences(table, names, first, second)
    pairs = held_together(found, _largest(found, table, names, rng=rng, draws=draws), level=level)
    ahead, better = np.zeros((2, len(table), len(table)), dtype=bool)
    ahead[first, second], ahead[second, first] = pairs.estimate > 0, pairs.estimate < 0
    better[first, second], better[second, first] = pairs.low > 0, pairs.high < 0
    reason = [""] * len(table)
    for at in np.flatnonzero(~found.told).tolist():
        for model in (int(first[at]), int(second[at])):
            reason[model] = reason[model] or pairs.reason[at]
    return Ranks(
        rank=1 + ahead.sum(axis=0),
        low=1 + better.sum(axis=0),
        high=len(table) - better.sum(axis=1),
        tied=~(better | better.T),
        reason=tuple(reason),
        pairs=pairs,
    )


def _differences(table: Floats, names: Clusters, first: NDArray[np.intp], second: NDArray[np.intp]) -> Errors:
    """Return the paired differences of these models and how they err."""
    at_once = max(1, _DIFFERENCES_AT_ONCE // max(names.of.size, 1))
    blocks = [slice(start, start + at_once) for start in range(0, first.size, at_once)]
    return joined([errors_of(mean_columns(table[first[some]] - table[second[some]], names)) for some in blocks])


def _largest(found: Errors, table: Floats, names: Clusters, *, rng: np.random.Generator, draws: int) -> Floats:
    """Return of each draw the largest error of a difference, in standard errors.

    Where two models answered the same questions, the draw of their difference is the difference of their own draws, so
    that K draws do for K (K - 1) / 2 pairs. The rest are drawn pair by pair, as `drawn_errors` does, and all together.
    """
    first, second = np.triu_indices(len(table), 1)
    asked = np.unique([row.tobytes() for row in np.isfinite(table)], return_inverse=True)[1]
    alike, told = asked[first] == asked[second], found.told
    alike, apart = told & alike, told & ~alike
    own = np.array([column.influence for column in mean_columns(table, names)])
    # One over the size of the influences: of the error, without its factor G / (G - 1).
    scale = (np.sqrt(found.clusters / np.maximum(found.clusters - 1, 1)) / found.error).astype(np.float32)
    blocks = []
    for weights in weight_blocks(names.count, draws, rng=rng):
        errors = (own @ weights.T).astype(np.float32)
        largest = np.abs(weights @ found.parts[:, apart]).max(axis=1, initial=0.0)
        for at in range(len(table) - 1):
            pairs = np.flatnonzero(alike & (first == at))
            differences = errors[second[pairs]] - errors[at]
            differences *= scale[pairs, None]
            np.abs(differences, out=differences)
            np.maximum(largest, differences.max(axis=0, initial=0.0), out=largest)
        blocks.append(largest)
    return np.concatenate(blocks)
