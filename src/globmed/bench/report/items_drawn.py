"""Which questions the report holds: drawn by lot among those that a named filter finds, the same ones each time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Self

import msgspec
import numpy as np

from globmed.bench.view.filters import NAMED
from globmed.bench.view.marks import MARKED_SCORES
from globmed.bench.view.records import ReplyRow

if TYPE_CHECKING:
    import numpy.typing as npt

ANY = "any"
KINDS = {**NAMED, ANY: "Any question"}
"""Among what is drawn, and what it is called."""


class Drawn(NamedTuple):
    """A question in a language, and among what it was drawn."""

    task: str
    family: str
    language: str
    kind: str


class Pool(NamedTuple):
    """How many questions of a task, each language counted by itself, were drawn among."""

    task: str
    kind: str
    found: int


class ScoredReply(NamedTuple):
    """A reply with the question that it answers; its text is not among the scores."""

    family: str
    language: str
    row: ReplyRow


class Scores:
    """The scores of a run, open for queries; use as a context manager."""

    def __init__(self, scores: Path) -> None:
        """Open the file of a run's scores."""
        import duckdb

        from globmed.bench.view.build import view_of

        self._connection = duckdb.connect()
        self._connection.execute("SET memory_limit = '1GB'")
        view_of(self._connection, "scores", scores)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def draw(self, *, most: int, seed: int) -> tuple[list[Drawn], list[Pool]]:
        """Draw up to `most` questions of each task, in turn among each of `KINDS`, no question twice.

        Args:
            most: of a task.
            seed: of the draw.
        """
        named = ", ".join(f"bool_or({name}) AS {name}" for name in NAMED)
        query = f"SELECT task, family, language, {named} FROM ({MARKED_SCORES}) GROUP BY ALL ORDER BY ALL"  # noqa: S608
        rows = self._connection.execute(query).fetchnumpy()
        drawn, pools = list[Drawn](), list[Pool]()
        for number, task in enumerate(sorted(set(rows["task"]))):
            of_task = rows["task"] == task
            among = {kind: np.flatnonzero(of_task & rows.get(kind, True)) for kind in KINDS}
            pools += [Pool(task, kind, len(found)) for kind, found in among.items()]
            rng = np.random.default_rng([seed, number])
            order = {kind: rng.permutation(found) for kind, found in among.items()}
            drawn += [
                Drawn(task, str(rows["family"][index]), str(rows["language"][index]), kind)
                for kind, index in _in_turn(order, np.asarray(rows["family"]), most=most)
            ]
        return drawn, pools

    def replies(self, families: Sequence[str]) -> list[ScoredReply]:
        """Return what was made of the replies to some questions, in all languages, by model and condition."""
        names = [name for name in ReplyRow.__struct_fields__ if name not in {"item", "finish", "reply"}]
        chosen = {"families": list(families)}
        self._connection.execute("CREATE OR REPLACE TEMP TABLE chosen AS SELECT unnest($families) AS family", chosen)
        # The marks are made of all replies to a question, and of no other question's.
        query = f"""
            WITH scores AS (SELECT * FROM main.scores WHERE family IN (SELECT family FROM chosen))
            SELECT family, language, {", ".join(names)} FROM ({MARKED_SCORES})
            ORDER BY family, language, model, revision, answer, run
        """  # noqa: S608 - names of ours
        rows = self._connection.execute(query).fetchall()
        absent = {"item": 0, "finish": None, "reply": None}
        return [
            ScoredReply(family, language, msgspec.convert(dict(zip(names, values, strict=True)) | absent, ReplyRow))
            for family, language, *values in rows
        ]


def _in_turn(
    order: dict[str, npt.NDArray[np.int64]], families: npt.NDArray[np.object_], *, most: int
) -> Iterator[tuple[str, int]]:
    """Yield kinds in turn, each with the next row of its order whose question was not drawn yet."""
    taken, left = set[str](), {kind: iter(rows) for kind, rows in order.items()}
    while left:
        for kind in tuple(left):
            row = next((int(row) for row in left[kind] if families[row] not in taken), None)
            if row is None:
                del left[kind]
            elif len(taken) == most:
                return
            else:
                taken.add(families[row])
                yield kind, row
