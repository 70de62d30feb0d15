"""What training gained: two score tables of the same items, before and after.

Numbers to numbers: this takes the tables that a benchmark wrote and runs no model. The absolute gain comes first, since
a ratio over a base near chance says more about the base than about the training. It is split into parts that add up to
it (`globmed.stats.gain_parts`): a learnt answer format is no medical gain. What was asked with the phrasing that no
model is trained on, and what comes from sources left out of training, has rows of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from globmed.core.store import records_to_table
from globmed.stats.comparison import paired_difference
from globmed.stats.fieller import ratio
from globmed.stats.intervals import Floats
from globmed.stats.linearised import Estimate, cluster_sums, declined, linearised
from globmed.train.gain_pairs import By, Group, Pairs, Sources, Trained, as_trained, is_held_out, only_model

if TYPE_CHECKING:
    import pyarrow as pa


class Gain(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the table of gains; points are percentage points, intervals paired and clustered by question.

    Attributes:
        task: a gain is never taken across tasks.
        answer: name of the condition, likewise.
        held_out: it was asked with the phrasing that no model is trained on.
        sources: of which sources: all, those trained on, or those left out of training; the latter two only where it is
            known what was trained on.
        by: what the row sums up.
        group: a tier, a language or `all`.
        tier: the tier of the group, `all` of all.
        language_trained: of a language, whether it was trained on; None where that is not known, and of sums.
        base_model: id of the model before training.
        tuned_model: id after training.
        items: pairs compared, each a question in one language.
        clusters: question clusters that they fall into.
        chance: what guessing would give on the items compared, each with its own chance.
        base: share of 1 answered right before; NaN where no pair is left.
        tuned: after.
        gain_points: tuned - base.
        gain_low: lower bound; NaN for fewer than two clusters, as are all bounds.
        gain_high: upper bound.
        worse: the interval of the gain lies below 0.
        relative_percent: 100 * (ratio - 1), the relative gain.
        relative_low: lower bound.
        relative_high: upper bound.
        ratio: tuned / base. NaN where the base got nothing right.
        ratio_low: lower bound of Fieller's interval; NaN too where the base may have got nothing right.
        ratio_high: upper bound.
        unread_points: part of the gain by fewer unread replies, each newly read one worth a guess.
        unread_low: lower bound.
        unread_high: upper bound.
        right_points: part by more right answers among replies read both times.
        right_low: lower bound.
        right_high: upper bound.
        newly_points: part by replies newly read that were right beyond a guess, less those newly unread. The three
            parts sum to the gain.
        newly_low: lower bound.
        newly_high: upper bound.
        both_read: items read both times; of items asked several times, shares of pairs of runs, as are the next two.
        newly_read: items read only after.
        newly_unread: items read only before.
        unread_base: replies to the items compared that gave no answer that could be read, before.
        unread_tuned: after.
        difference_points: of a held-out phrasing or sources left out, the gain less that of the same group on what was
            trained on (the plain phrasing, the sources trained on); NaN of other rows and where there is no such gain.
        difference_low: lower bound.
        difference_high: upper bound.
        not_compared: pairs not compared since every call of one of the models failed.
        reason: why numbers are missing or say little; empty where none is.
    """

    task: str
    answer: str
    held_out: bool
    sources: Sources
    by: By
    group: str
    tier: str
    language_trained: bool | None
    base_model: str
    tuned_model: str
    items: int
    clusters: int
    chance: float
    base: float
    tuned: float
    gain_points: float
    gain_low: float
    gain_high: float
    worse: bool
    relative_percent: float
    relative_low: float
    relative_high: float
    ratio: float
    ratio_low: float
    ratio_high: float
    unread_points: float
    unread_low: float
    unread_high: float
    right_points: float
    right_low: float
    right_high: float
    newly_points: float
    newly_low: float
    newly_high: float
    both_read: float
    newly_read: float
    newly_unread: float
    unread_base: int
    unread_tuned: int
    difference_points: float
    difference_low: float
    difference_high: float
    not_compared: int
    reason: str = ""


def gains(
    base: pa.Table,
    tuned: pa.Table,
    *,
    trained: Trained | None = None,
    level: float = 0.95,
) -> pa.Table:
    """Compare two models on the same items: within each task and condition by tier, by language and over all languages.

    Only questions with options take part; open ones are neither right nor wrong here.

    Args:
        base: scores of one model, with the columns of `globmed.bench.scoring.Score`.
        tuned: scores of the trained model on the same items under the same conditions.
        trained: what the tuned model was trained on; None where it is not known, and then no row is about sources
            trained on or left out.
        level: confidence of the intervals.

    Returns:
        One row a group, with the columns of `Gain`.

    Raises:
        InputError: a table holds no model or several, or the two hold different items; the text says how many.
    """
    base_model, tuned_model = only_model(base, "base"), only_model(tuned, "tuned")
    pairs = Pairs(base, tuned, trained)
    rows = [
        Gain(
            task=group.task,
            answer=group.answer,
            held_out=is_held_out(group.answer),
            sources=group.sources,
            by=group.by,
            group=group.name,
            tier=group.tier,
            language_trained=group.name in trained.languages if trained and group.by == "language" else None,
            base_model=base_model,
            tuned_model=tuned_model,
            **_numbers(pairs, pairs.rows(group), level=level),
            **_bounds("difference", _difference(pairs, group, level=level)),
        )
        for group in pairs.groups()
    ]
    return records_to_table(rows, Gain)


def _numbers(pairs: Pairs, rows: NDArray[np.bool_], *, level: float) -> dict[str, Any]:
    known = rows & pairs.known
    column = {name: values[known] for name, values in pairs.columns.items()}
    base, tuned, chance, clusters = (column[name] for name in ("accuracy", "accuracy_tuned", "chance", "cluster"))
    gain = paired_difference(base, tuned, clusters, level=level)
    relative = _ratio(base, tuned, clusters, level=level)
    parts = [paired_difference(np.zeros(gain.n), part, clusters, level=level)[:3] for part in pairs.parts[known].T]
    read, read_after = column["read"], column["read_tuned"]
    return {
        "items": gain.n,
        "clusters": gain.clusters,
        **{name: float(column[of].mean()) if gain.n else np.nan for name, of in _MEANS.items()},
        **_bounds("gain", gain[:3]),
        "worse": bool(gain.high < 0),
        **dict(zip(_RATIO, relative.interval[:3], strict=True)),
        **dict(zip(_RELATIVE, (100 * (value - 1) for value in relative.interval[:3]), strict=True)),
        **_bounds("unread", parts[0]),
        **_bounds("right", parts[1]),
        **_bounds("newly", parts[2]),
        "both_read": float((read * read_after).sum()),
        "newly_read": float(((1 - read) * read_after).sum()),
        "newly_unread": float((read * (1 - read_after)).sum()),
        "unread_base": int(column["unread"].sum()),
        "unread_tuned": int(column["unread_tuned"].sum()),
        "not_compared": int((rows & ~pairs.known).sum()),
        "reason": _reason(base, chance, clusters, relative=relative, level=level),
    }


_MEANS = {"chance": "chance", "base": "accuracy", "tuned": "accuracy_tuned"}
_RATIO = ("ratio", "ratio_low", "ratio_high")
_RELATIVE = ("relative_percent", "relative_low", "relative_high")


def _bounds(name: str, shares: tuple[float, float, float]) -> dict[str, Any]:
    return {f"{name}_{end}": 100 * share for end, share in zip(("points", "low", "high"), shares, strict=True)}


def _ratio(base: Floats, tuned: Floats, clusters: NDArray[Any], *, level: float) -> Estimate:
    """Return tuned / base with Fieller's interval; the ratio alone where that is not bounded."""
    sums = cluster_sums(np.column_stack([tuned, base]), clusters)
    if not base.any():
        return declined("the base model got nothing right, so there is no ratio", n=len(base), clusters=len(sums))
    found = ratio(lambda totals: totals, sums, n=len(base), denominator="the base’s accuracy", level=level)
    return Estimate(found.interval._replace(mean=float(tuned.sum() / base.sum())), found.reason)


def _difference(pairs: Pairs, group: Group, *, level: float) -> tuple[float, float, float]:
    """Return the gain of a group less that of the same group on what was trained on, NaN where that is the same."""
    other = Group(
        task=group.task,
        answer=as_trained(group.answer),
        sources="trained" if group.sources == "left_out" else group.sources,
        by=group.by,
        name=group.name,
        tier=group.tier,
    )
    here, there = (pairs.rows(one) & pairs.known for one in (group, other))
    if other == group or not here.any() or not there.any():
        return (np.nan, np.nan, np.nan)
    either = here | there
    gain = pairs.parts[either].sum(axis=1)
    sets = [of[either] for of in (here, there)]
    clusters = pairs.columns["cluster"][either]
    sums = cluster_sums(np.column_stack([column for of in sets for column in (gain * of, of)]), clusters)
    # The difference of two sets is known no better than from as many clusters as the smaller of them has.
    telling = min(len(np.unique(clusters[of])) for of in sets)
    found = linearised(
        _means_apart, sums, n=len(gain), undefined="no item on one side", telling=max(telling, 2), level=level
    ).interval
    return found[:3] if telling > 1 else (found.mean, np.nan, np.nan)


def _means_apart(totals: Floats) -> Floats:
    return np.asarray(totals[:, 0] / totals[:, 1] - totals[:, 2] / totals[:, 3])


def _reason(base: Floats, chance: Floats, clusters: NDArray[Any], *, relative: Estimate, level: float) -> str:
    if not len(base):
        return "every call of one of the models failed"
    reasons = [relative.reason] if relative.reason else []
    above = paired_difference(chance, base, clusters, level=level)
    if base.any() and above.high < 0:
        reasons.append("the base is below chance: the ratio says little")
    elif base.any() and above.low <= 0:
        reasons.append("the base is within its interval of chance: the ratio says little")
    return "; ".join(reasons)
