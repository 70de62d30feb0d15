"""Gaps between languages: how much worse a model does in each language than on the same questions in another one.

A gap is the mean difference over questions that were asked in both languages, in the same run, under the same
condition. English is one reference; the language that a question was written in is the other, for an English text may
itself be a translation. Intervals are simultaneous over all models, conditions and languages of a table
(`globmed.stats.simultaneous`): they speak of other questions of these sources, given these translations, prompts and
runs. Each source is given by itself; part of a gap may be the translation's, or the reader's (see the share unread).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

import msgspec
import numpy as np

from globmed.bench.scoring import SCORES, counted
from globmed.core.language import language
from globmed.core.store import table
from globmed.stats.simultaneous import Differences, simultaneous_differences

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

Reference = Literal["en", "native"]
ENGLISH: Reference = "en"
NATIVE: Reference = "native"
# The same draws whenever a table is computed again.
_SEED = 20260102
_DRAWS = 10_000
_KEYS = ("model", "revision", "answer", "language", "family", "run", "cluster", "native_language")


class GapRow(msgspec.Struct, frozen=True, kw_only=True):
    """One language's gap to a reference, of one model under one condition, on one source.

    Attributes:
        task: name of the task.
        source: name of the source.
        model: id of the model.
        revision: version of its weights.
        answer: name of the condition.
        language: BCP 47 code.
        tier: its resource tier.
        reference: `en`, or `native` for the language that each question was written in, where that is not English for
            all of a source.
        accuracy: share right in the language, of the questions asked in both; NaN where there are none.
        at_reference: share right in the reference language, of the same questions.
        gap: accuracy less that at the reference; below 0 where the language does worse.
        low: lower bound of the interval, simultaneous with all of the source; NaN where declined.
        high: upper bound.
        p: adjusted p-value of no gap; at most 0.05 exactly where the interval excludes 0.
        unread_gap: share of replies without an answer read, less that at the reference: a part that may be the
            reader's or the format's.
        pairs: questions and runs in both.
        clusters: question clusters that they fall into.
        reason: why bounds are missing; empty where they are given.
    """

    task: str
    source: str
    model: str
    revision: str
    answer: str
    language: str
    tier: str
    reference: Reference
    accuracy: float
    at_reference: float
    gap: float
    low: float
    high: float
    p: float
    unread_gap: float
    pairs: int
    clusters: int
    reason: str


class _Contrast(NamedTuple):
    model: str
    revision: str
    answer: str
    language: str
    reference: Reference


class _Answers(NamedTuple):
    """One model's answers under one condition by question and run: right and read, [n, L], NaN where not asked."""

    right: NDArray[np.float64]
    read: NDArray[np.float64]


def gap_rows(scores: Path) -> Iterator[GapRow]:
    """Give the gaps of a stage of scores: by source, reference, model, condition and language.

    Raises:
        InputError: the folder holds no scores.
        HashMismatchError: the file of scores was changed by hand.
    """
    told = counted(table(scores, prefix=SCORES))
    for source in sorted(set(told["source"].to_pylist())):
        yield from _of_source(source, _rows_of(told, source))


def _rows_of(told: pa.Table, source: str) -> pa.Table:
    import pyarrow.compute as pc

    return told.filter(pc.equal(told["source"], source))


def _of_source(source: str, rows: pa.Table) -> Iterator[GapRow]:
    codes = sorted(set(rows["language"].to_pylist()))
    places, clusters, native = _questions(rows)
    models = _models(rows)
    if len(codes) < 2:
        return
    answers = [_answers(rows, model, places, codes) for model in models]
    in_english = _reference_column(ENGLISH, codes, native)
    for reference in (ENGLISH, NATIVE):
        at = _reference_column(reference, codes, native)
        if reference == NATIVE and (at == in_english).all():
            # Every question was written in English: the same gaps again.
            continue
        contrasts = [
            (_Contrast(*model, code, reference), given, column)
            for model, given in zip(models, answers, strict=True)
            for column, code in enumerate(codes)
            if (at != column).any() and (at >= 0).any()
        ]
        if contrasts:
            yield from _rows(rows, source, contrasts, at, clusters)


def _questions(rows: pa.Table) -> tuple[dict[tuple[str, int], int], NDArray[np.str_], list[str]]:
    """Return the row of each question and run, and its cluster and native language."""
    names = zip(*(rows[name].to_pylist() for name in ("family", "run", "cluster", "native_language")), strict=True)
    first = {(family, run): (cluster, native) for family, run, cluster, native in names}
    places = {key: place for place, key in enumerate(sorted(first))}
    facts = [first[key] for key in places]
    return places, np.array([cluster for cluster, _ in facts]), [native for _, native in facts]


def _models(rows: pa.Table) -> list[tuple[str, str, str]]:
    columns = (rows[name].to_pylist() for name in ("model", "revision", "answer"))
    return sorted(set(zip(*columns, strict=True)))


def _answers(
    rows: pa.Table, model: tuple[str, str, str], places: dict[tuple[str, int], int], codes: Sequence[str]
) -> _Answers:
    import pyarrow.compute as pc

    for name, wanted in zip(("model", "revision", "answer"), model, strict=True):
        rows = rows.filter(pc.equal(rows[name], wanted))
    keys = zip(rows["family"].to_pylist(), rows["run"].to_pylist(), strict=True)
    at = np.array([places[key] for key in keys], dtype=np.int64)
    column = np.array([codes.index(code) for code in rows["language"].to_pylist()], dtype=np.int64)
    right, read = np.full((2, len(places), len(codes)), np.nan)
    right[at, column] = rows["correct"].to_numpy()
    read[at, column] = np.array([status == "read" for status in rows["reading_status"].to_pylist()], dtype=np.float64)
    return _Answers(right, read)


def _reference_column(reference: Reference, codes: Sequence[str], native: Sequence[str]) -> NDArray[np.int64]:
    """Return, for each question, the column of its reference language; -1 where it was not asked in that one."""
    where = {code: column for column, code in enumerate(codes)}
    wanted = [ENGLISH] * len(native) if reference == ENGLISH else native
    return np.array([where.get(code, -1) for code in wanted], dtype=np.int64)


def _rows(
    rows: pa.Table,
    source: str,
    contrasts: Sequence[tuple[_Contrast, _Answers, int]],
    at: NDArray[np.int64],
    clusters: NDArray[np.str_],
) -> Iterator[GapRow]:
    pairs = [_pair(given.right, column, at) for _, given, column in contrasts]
    unread = [_pair(1 - given.read, column, at) for _, given, column in contrasts]
    differences = np.column_stack([own - other for own, other in pairs])
    # A contrast of a language with itself, and one that nothing was asked for, is none.
    kept = np.isfinite(differences).any(axis=0)
    if not kept.any():
        return
    found = simultaneous_differences(differences[:, kept], clusters, rng=np.random.default_rng(_SEED), draws=_DRAWS)
    for place, index in enumerate(np.flatnonzero(kept).tolist()):
        yield _row(str(rows["task"][0]), source, contrasts[index][0], found, place, pairs[index], unread[index])


def _pair(
    values: NDArray[np.float64], column: int, at: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the values in a language and in the reference, of the questions that have both and not one text."""
    own = values[:, column]
    other = np.where(at >= 0, values[np.arange(len(at)), np.maximum(at, 0)], np.nan)
    both = np.isfinite(own) & np.isfinite(other) & (at != column)
    return np.where(both, own, np.nan), np.where(both, other, np.nan)


def _row(
    task: str,
    source: str,
    contrast: _Contrast,
    found: Differences,
    place: int,
    pair: tuple[NDArray[np.float64], NDArray[np.float64]],
    unread: tuple[NDArray[np.float64], NDArray[np.float64]],
) -> GapRow:
    return GapRow(
        task=task,
        source=source,
        model=contrast.model,
        revision=contrast.revision,
        answer=contrast.answer,
        language=contrast.language,
        tier=language(contrast.language).tier,
        reference=contrast.reference,
        accuracy=float(np.nanmean(pair[0])),
        at_reference=float(np.nanmean(pair[1])),
        gap=float(found.estimate[place]),
        low=float(found.low[place]),
        high=float(found.high[place]),
        p=float(found.p[place]),
        unread_gap=float(np.nanmean(unread[0] - unread[1])),
        pairs=int(found.pairs[place]),
        clusters=int(found.clusters[place]),
        reason=found.reason[place],
    )
