"""What training gained: two score tables of the same items, before and after.

Numbers to numbers: this takes the tables that a benchmark wrote and runs no model. The absolute gain comes first, since
a ratio over a base near chance says more about the base than about the training.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from globmed.core.errors import InputError
from globmed.core.store import records_to_table
from globmed.stats.comparison import cluster_bootstrap, paired_difference

if TYPE_CHECKING:
    import pyarrow as pa

ALL = "all"
By = Literal["tier", "language", "all"]

# An item answered in several runs is one observation, the mean over its runs. A call that failed says nothing of what
# the model knows, so an item whose every call failed has no mean: its pair is left out and counted.
_ITEMS = """
    select task, family, language, any_value(cluster) as cluster, any_value(tier) as tier,
           coalesce(avg(correct::double) filter (where reply_status <> 'error'), 'nan'::double) as accuracy,
           count(*) filter (where reply_status <> 'error' and reading_status <> 'read') as unread
    from scores group by task, family, language
"""


class Gain(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the table of gains.

    Attributes:
        task: a gain is never taken across tasks.
        by: what the row sums up.
        group: a tier, a language or `all`.
        tier: the tier of the group, `all` of all.
        base_model: id of the model before training.
        tuned_model: id after training.
        items: pairs compared, each a question in one language.
        clusters: question clusters that they fall into.
        base: share of 1 answered right before; NaN where no pair is left.
        tuned: after.
        gain_points: tuned - base in percentage points.
        gain_low: lower bound of the paired interval clustered by question; NaN for fewer than two clusters.
        gain_high: upper bound.
        ratio: tuned / base; the relative gain is ratio - 1. NaN where the base got nothing right.
        ratio_low: lower bound by cluster bootstrap; NaN too where the base got nothing right in some draw.
        ratio_high: upper bound.
        unread_base: replies to the items compared that gave no answer that could be read, before.
        unread_tuned: after.
        left_out: pairs not compared since every call of one of the models failed.
        reason: why numbers are missing; empty where none is.
    """

    task: str
    by: By
    group: str
    tier: str
    base_model: str
    tuned_model: str
    items: int
    clusters: int
    base: float
    tuned: float
    gain_points: float
    gain_low: float
    gain_high: float
    ratio: float
    ratio_low: float
    ratio_high: float
    unread_base: int
    unread_tuned: int
    left_out: int
    reason: str = ""


def gains(
    base: pa.Table, tuned: pa.Table, *, rng: np.random.Generator, level: float = 0.95, draws: int = 2000
) -> pa.Table:
    """Compare two models on the same items: within each task by tier, by language and over all languages.

    Args:
        base: scores of one model, with the columns of `globmed.bench.scoring.Score`.
        tuned: scores of the trained model on the same items.
        rng: seeded generator of the bootstrap.
        level: confidence of the intervals.
        draws: of the bootstrap.

    Returns:
        One row a group, with the columns of `Gain`.

    Raises:
        InputError: a table holds no model or several, or the two hold different items; the text says how many.
    """
    base_model, tuned_model = _only_model(base, "base"), _only_model(tuned, "tuned")
    pairs = _paired(base, tuned)
    rows = []
    for group in _groups(pairs):
        chosen = {name: column[group.rows] for name, column in pairs.items()}
        gain = Gain(
            task=group.task,
            by=group.by,
            group=group.name,
            tier=group.tier,
            base_model=base_model,
            tuned_model=tuned_model,
            **_numbers(chosen, rng=rng, level=level, draws=draws),
        )
        rows.append(gain)
    return records_to_table(rows, Gain)


@dataclass(frozen=True)
class _Group:
    task: str
    by: By
    name: str
    tier: str
    rows: NDArray[np.bool_]


def _only_model(scores: pa.Table, which: str) -> str:
    found = scores.group_by(["model", "revision", "answer"]).aggregate([]).to_pylist()
    if len(found) != 1:
        names = ", ".join(sorted(f"{row['model']} ({row['answer']})" for row in found))
        raise InputError.at(
            f"{which} scores",
            found=f"{len(found)} models{': ' if names else ''}{names}",
            expected="one model in one way of answering",
            remedy="Keep the rows of one `model`, `revision` and `answer`",
        )
    return str(found[0]["model"])


def _paired(base: pa.Table, tuned: pa.Table) -> dict[str, NDArray[Any]]:
    import duckdb

    with duckdb.connect() as database:
        for name, scores in (("before", base), ("after", tuned)):
            database.register("scores", scores)
            database.execute(f"create table {name} as {_ITEMS}")
        alone = database.execute(
            "select count(b.family) filter (where a.family is null), count(a.family) filter (where b.family is null)"
            " from before b full join after a using (task, family, language)"
        ).fetchall()[0]
        if any(alone):
            raise InputError.at(
                "scores to compare",
                found=f"{alone[0]} items (task, family, language) in base only and {alone[1]} in tuned only",
                expected="the same items in both",
                remedy="Benchmark both models on one dataset in the same languages",
            )
        columns: dict[str, Any] = database.execute(
            "select b.*, a.accuracy as accuracy_tuned, a.unread as unread_tuned"
            " from before b join after a using (task, family, language) order by task, language, family"
        ).fetchnumpy()
        return columns


def _groups(pairs: dict[str, NDArray[Any]]) -> Iterator[_Group]:
    for task in np.unique(pairs["task"]):
        of_task = pairs["task"] == task
        for tier in np.unique(pairs["tier"][of_task]):
            of_tier = of_task & (pairs["tier"] == tier)
            yield _Group(task, "tier", tier, tier, of_tier)
            for language in np.unique(pairs["language"][of_tier]):
                yield _Group(task, "language", language, tier, of_tier & (pairs["language"] == language))
        yield _Group(task, "all", ALL, ALL, of_task)


def _numbers(pairs: dict[str, NDArray[Any]], *, rng: np.random.Generator, level: float, draws: int) -> dict[str, Any]:
    known = np.isfinite(pairs["accuracy"]) & np.isfinite(pairs["accuracy_tuned"])
    base, tuned, clusters = (pairs[name][known] for name in ("accuracy", "accuracy_tuned", "cluster"))
    gain = paired_difference(base, tuned, clusters, level=level)
    ratio = ratio_low = ratio_high = np.nan
    if base.any():
        ratio, ratio_low, ratio_high, *_ = cluster_bootstrap(
            lambda weights: (weights @ tuned) / (weights @ base), clusters, draws=draws, rng=rng, level=level
        )
    return {
        "items": gain.n,
        "clusters": gain.clusters,
        "base": float(base.mean()) if gain.n else np.nan,
        "tuned": float(tuned.mean()) if gain.n else np.nan,
        "gain_points": 100 * gain.mean,
        "gain_low": 100 * gain.low,
        "gain_high": 100 * gain.high,
        "ratio": ratio,
        "ratio_low": ratio_low,
        "ratio_high": ratio_high,
        "unread_base": int(pairs["unread"][known].sum()),
        "unread_tuned": int(pairs["unread_tuned"][known].sum()),
        "left_out": int((~known).sum()),
        "reason": _why_missing(
            gain.n, gain.clusters, base_right=bool(base.any()), ratio_bounded=bool(np.isfinite(ratio_low))
        ),
    }


def _why_missing(items: int, clusters: int, *, base_right: bool, ratio_bounded: bool) -> str:
    if not items:
        return "every call of one of the models failed"
    reasons = []
    if clusters < 2:
        reasons.append("one question cluster gives no interval")
    if not base_right:
        reasons.append("the base model got nothing right, so there is no ratio")
    elif clusters > 1 and not ratio_bounded:
        reasons.append(
            "the base model got so little right that some bootstrap draws hold none of it, so the ratio has no interval"
        )
    return "; ".join(reasons)
