"""Two score tables of the same items side by side, and the groups of items that a gain is about."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from globmed.core.errors import InputError
from globmed.stats.gain_parts import gain_parts

if TYPE_CHECKING:
    import pyarrow as pa

ALL = "all"
By = Literal["tier", "language", "all"]
Sources = Literal["all", "trained", "left_out"]

# The word for it in the name of a condition of the benchmark.
_HELD_OUT = "held_out"
_ITEM = "task, answer, source, family, language, chance"
# An item answered in several runs is one observation, the mean over its runs. A call that failed says nothing of what
# the model knows, so an item whose every call failed has no mean: its pair is left out and counted.
_ITEMS = f"""
    select {_ITEM}, any_value(cluster) as cluster, any_value(tier) as tier,
           coalesce(avg(correct::double) filter (where reply_status <> 'error'), 'nan'::double) as accuracy,
           coalesce(avg((reading_status = 'read')::double) filter (where reply_status <> 'error'), 'nan'::double)
               as read,
           count(*) filter (where reply_status <> 'error' and reading_status <> 'read') as unread
    from scores where options > 0 group by {_ITEM}
"""  # noqa: S608 - no text from outside
_ALONE = f"""
    select count(b.family) filter (where a.family is null), count(a.family) filter (where b.family is null)
    from before b full join after a using ({_ITEM})
"""  # noqa: S608 - no text from outside
_BOTH = f"""
    select b.*, a.accuracy as accuracy_tuned, a.read as read_tuned, a.unread as unread_tuned
    from before b join after a using ({_ITEM}) order by task, answer, language, source, family
"""  # noqa: S608 - no text from outside


@dataclass(frozen=True, kw_only=True)
class Trained:
    """What the tuned model was trained on.

    Attributes:
        sources: names of sources.
        languages: BCP 47 codes.
    """

    sources: frozenset[str]
    languages: frozenset[str]


@dataclass(frozen=True, kw_only=True)
class Group:
    """Which items a gain is about.

    Attributes:
        task: name of the task.
        answer: name of the condition.
        sources: all, those trained on, or those left out of training.
        by: what it sums up.
        name: a tier, a language or `all`.
        tier: the tier of the group; `all` of all.
    """

    task: str
    answer: str
    sources: Sources
    by: By
    name: str
    tier: str


class Pairs:
    """The items of both tables side by side.

    Attributes:
        columns: [n] each: `chance`, `cluster` (numbered), and of before and after (`_tuned`) the share of replies right
            (`accuracy`; NaN where every call failed) and `read`, and the number `unread`.
        known: [n], whether both models replied.
        parts: [n, 3] of `gain_parts`; NaN where not known.
    """

    def __init__(self, base: pa.Table, tuned: pa.Table, trained: Trained | None) -> None:
        """Put the two tables side by side.

        Args:
            base: scores of one model; open questions are left out.
            tuned: those of the other.
            trained: what the tuned model was trained on, if that is known.

        Raises:
            InputError: the two hold different items, or none with options.
        """
        self.columns = _paired(base, tuned)
        # Names are compared once: of a hundred thousand items that is what takes the time.
        self._named: dict[tuple[str, str], NDArray[np.bool_]] = {
            (name, value): self.columns[name] == value
            for name in ("task", "answer", "tier", "language")
            for value in np.unique(self.columns[name])
        }
        self.columns["cluster"] = np.unique(self.columns["cluster"], return_inverse=True)[1]
        self._sources: dict[Sources, NDArray[np.bool_]] = {"all": np.ones(len(self.columns["cluster"]), dtype=bool)}
        if trained:
            seen = np.isin(self.columns["source"].astype(str), sorted(trained.sources))
            self._sources |= {"trained": seen, "left_out": ~seen}
        told = [self.columns[name] for name in ("accuracy", "read", "accuracy_tuned", "read_tuned", "chance")]
        self.known: NDArray[np.bool_] = np.logical_and.reduce(np.isfinite(told))
        self.parts = np.full((len(self.known), 3), np.nan)
        self.parts[self.known] = gain_parts(*(column[self.known] for column in told))

    def groups(self) -> Iterator[Group]:
        """Give the groups that hold an item: by task, the held-out phrasing last, by sources, each tier before all."""
        for task in self._values("task"):
            for answer in sorted(self._values("answer"), key=lambda name: (is_held_out(name), name)):
                for sources in self._sources:
                    yield from (group for group in self._of(task, answer, sources) if self.rows(group).any())

    def rows(self, group: Group) -> NDArray[np.bool_]:
        """Return which items are of a group, [n]; none of a group without items."""
        chosen = {"task": group.task, "answer": group.answer} | ({} if group.by == ALL else {group.by: group.name})
        found = self._sources[group.sources].copy()
        for named in chosen.items():
            np.logical_and(found, self._named.get(named, False), out=found)
        return found

    def _values(self, name: str) -> list[str]:
        return sorted(value for of, value in self._named if of == name)

    def _of(self, task: str, answer: str, sources: Sources) -> Iterator[Group]:
        def group(by: By, name: str, tier: str) -> Group:
            return Group(task=task, answer=answer, sources=sources, by=by, name=name, tier=tier)

        for tier in self._values("tier"):
            yield group("tier", tier, tier)
            for language in self._values("language"):
                if (self._named["language", language] & self._named["tier", tier]).any():
                    yield group("language", language, tier)
        yield group("all", ALL, ALL)


def is_held_out(answer: str) -> bool:
    """Whether a condition, such as `generate/held_out`, asks with the phrasing that no model is trained on."""
    return _HELD_OUT in answer.split("/")


def as_trained(answer: str) -> str:
    """Return the name of the same condition with the phrasing that models are trained on."""
    return "/".join(word for word in answer.split("/") if word != _HELD_OUT)


def only_model(scores: pa.Table, which: str) -> str:
    """Return the id of the one model that scores are of.

    Args:
        scores: with the columns of `globmed.bench.scoring.Score`.
        which: what to call the table in the error.

    Raises:
        InputError: they are of none or of several.
    """
    found = scores.group_by(["model", "revision"]).aggregate([]).to_pylist()
    if len(found) != 1:
        names = ", ".join(sorted(f"{row['model']} ({row['revision'] or 'no revision'})" for row in found))
        raise InputError.at(
            f"{which} scores",
            found=f"{len(found)} models{': ' if names else ''}{names}",
            expected="one model",
            remedy="Keep the rows of one `model` and `revision`",
        )
    return str(found[0]["model"])


def _paired(base: pa.Table, tuned: pa.Table) -> dict[str, NDArray[Any]]:
    import duckdb

    with duckdb.connect() as database:
        for name, scores in (("before", base), ("after", tuned)):
            database.register("scores", scores)
            database.execute(f"create table {name} as {_ITEMS}")
        base_only, tuned_only = database.execute(_ALONE).fetchall()[0]
        columns: dict[str, Any] = database.execute(_BOTH).fetchnumpy()
    if base_only or tuned_only:
        raise InputError.at(
            "scores to compare",
            found=f"{base_only} items ({_ITEM}) in base only and {tuned_only} in tuned only",
            expected="the same items in both",
            remedy="Benchmark both models on one dataset in the same languages under the same conditions",
        )
    if not len(columns["family"]):
        raise InputError.at(
            "scores to compare", found="no question with options", expected="some: only these are right or wrong"
        )
    return columns
