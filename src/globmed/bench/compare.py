"""Two models on the same questions: how far apart they are, whether that may be chance, and what could have been shown.

Both answer the same items, in the same language and repetition; only what both answered is compared. Models may be of
one run or of two, and so may prompts, settings and conditions of one model. What else differs between two runs would be
taken for a difference between models, so it is refused (`globmed.bench.comparable`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from globmed.bench.asked import scores_folder
from globmed.bench.comparable import Side, condition_pairs, refuse_other, two_sides
from globmed.bench.condition import Condition
from globmed.bench.paired import CompareRow, Pairs, compared_rows
from globmed.bench.questions import CONTENDER, ITEM, QUESTION, crossed, numbered_by, right
from globmed.bench.scoring import SCORES, closed
from globmed.core.errors import UsageError
from globmed.core.store import table

if TYPE_CHECKING:
    import pyarrow as pa

_COLUMNS = (
    "task",
    "answer",
    *CONTENDER,
    *QUESTION,
    "tier",
    "cluster",
    "options",
    "reply_status",
    "correct",
    "had_a_hand",
)


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """What two models' comparison found.

    Attributes:
        first: one model.
        second: the other.
        allowed: what differs between the runs and was named as what is compared: `prompts`, `settings` or
            `translations`, in words.
        unpaired: replies of either model that the other has none to, failed calls among them.
        conflicts: items compared (in `independent`: left out) that one of the two translated, repaired, criticised or
            judged itself.
        independent: whether these items were left out.
        rows: by condition and source: languages, tiers, all.
    """

    first: Side
    second: Side
    allowed: dict[str, str]
    unpaired: int
    conflicts: int
    independent: bool
    rows: list[CompareRow]


def compare(
    first: Path,
    second: Path | None = None,
    *,
    models: Sequence[str] = (),
    answers: Sequence[str] = (),
    despite: Sequence[str] = (),
    independent: bool = False,
    by_source: bool = False,
) -> Comparison:
    """Compare two models of one scored run, or of two, on what both answered.

    Args:
        first: a scored run.
        second: another; None where both models are of the first.
        models: as in `globmed.bench.comparable.two_sides`.
        answers: conditions, as in `globmed.bench.comparable.condition_pairs`.
        despite: what may differ between the runs, for it is what is compared: `prompts`, `settings`,
            `translations`.
        independent: leave out items that one of the two models translated, repaired, criticised or judged itself.
        by_source: each source too; without it, sources are taken together.

    Raises:
        UsageError: a run without scores or with open questions alone, runs that differ otherwise (the text says in
            what), a model or condition that is not there, or no item that both answered.
        HashMismatchError: a file of scores was changed by hand.
    """
    one, other = two_sides(first, second, models=models, conditions=len(set(answers)))
    sheets = [_rows_of(side) for side in (one, other)]
    conditions = condition_pairs(*sheets, wanted=answers)
    translated = any(all(Condition.named(name).translated for name in names) for names in conditions)
    allowed = refuse_other(one.run, other.run, despite=despite, translated=translated)
    pairs = [_paired(sheets, answers=names, independent=independent) for names in conditions]
    if not any(pair.asked.num_rows for pair in pairs):
        raise UsageError(_nothing(one, other, sheets, conflicts=sum(pair.conflicts for pair in pairs)))
    return Comparison(
        first=one,
        second=other,
        allowed=allowed,
        unpaired=sum(pair.unpaired for pair in pairs),
        conflicts=sum(pair.conflicts for pair in pairs),
        independent=independent,
        rows=[row for pair in pairs for row in compared_rows(pair, by_source=by_source)],
    )


def _rows_of(side: Side) -> pa.Table:
    import pyarrow.compute as pc

    rows = closed(table(scores_folder(side.run), prefix=SCORES, columns=_COLUMNS))
    if not rows.num_rows:
        raise UsageError(
            f"{side.run}: has open questions alone, whose replies are neither right nor wrong; only answers to "
            "questions with options are compared"
        )
    return rows.filter(pc.and_(pc.equal(rows["model"], side.model), pc.equal(rows["revision"], side.revision)))


def _nothing(one: Side, other: Side, sheets: Sequence[pa.Table], *, conflicts: int) -> str:
    if conflicts:
        return f"one of {one.model} and {other.model} had a hand in all {conflicts} items that both answered"
    asked = [
        f"{side.model} of {side.run} was asked " + " in ".join(_named(rows, name) for name in ("source", "language"))
        for side, rows in zip((one, other), sheets, strict=True)
    ]
    return f"{one.model} and {other.model}: no item that both answered. {'; '.join(asked)}"


def _named(rows: pa.Table, column: str) -> str:
    return ", ".join(sorted(rows[column].unique().to_pylist()))


def _paired(sheets: Sequence[pa.Table], *, answers: tuple[str, str], independent: bool) -> Pairs:
    import pyarrow as pa
    import pyarrow.compute as pc

    own = [rows.filter(pc.equal(rows["answer"], name)) for rows, name in zip(sheets, answers, strict=True)]
    both = pa.concat_tables(own)
    questions, items = numbered_by(both, QUESTION), numbered_by(both, ITEM)
    side = np.repeat([0, 1], [rows.num_rows for rows in own])
    values = crossed(right(both), side, questions.of, shape=(2, questions.count))
    whole = np.isfinite(values).all(axis=0)
    marked = np.zeros(items.count, dtype=bool)
    marked[items.of[both["had_a_hand"].to_numpy()]] = True
    item = items.of[questions.first]
    conflicts = np.unique(item[whole & marked[item]]).size
    kept = whole & ~marked[item] if independent else whole
    return Pairs(
        answers=answers,
        asked=both.take(questions.first[kept]),
        right=values[:, kept],
        cluster=numbered_by(both, ("cluster",)).of[questions.first[kept]],
        unpaired=both.num_rows - 2 * int(whole.sum()),
        conflicts=int(conflicts),
    )
