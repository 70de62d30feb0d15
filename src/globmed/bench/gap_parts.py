"""Where a gap to English comes from: what is lost in the texts by translation, and what remains.

A model is asked the same questions three times under one condition: in English, in a language, and in English
translated back from that language (the condition with `translated`). Their texts were written in English and
translated, by a machine or with an expert's revision; questions written in the language itself are left out, for
nothing was lost on their way there.

What is lost between English and the text translated back is a bound, not a measure, of what translation into the
language explains: it holds the errors of both ways, and so bounds the first from above, unless the second translator
mended what the first broke. What remains is the model's own handling of the language, and the reader's. It bounds that
from below. Back-translation as the control for what translation alone costs: Artetxe, Labaka and Agirre (2020),
"Translation artifacts in cross-lingual transfer learning", EMNLP, arXiv:2004.04721.

An expert's revision bounds the same from the other side: what it mends was the translation's. A release holds one text
of a question in a language, so machine texts and revised ones are of different questions, and are compared as two
sets: fair where the revised ones were drawn at random.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import msgspec
import numpy as np
from msgspec.structs import replace

from globmed.bench.condition import Condition
from globmed.bench.gap_contrasts import ENGLISH
from globmed.bench.questions import CONTENDER, Numbered, named, numbered_by, parts_of
from globmed.bench.scoring import SCORES, closed, counted
from globmed.core.language import language
from globmed.core.store import table
from globmed.stats.columns import Clusters, Column, mean_column, numbered
from globmed.stats.gap_parts import revised_share, translation_share
from globmed.stats.linearised import Estimate, declined
from globmed.stats.max_t import errors_of, unadjusted

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

_COLUMNS = (
    *("task", "source", *CONTENDER, "answer", "language", "family", "cluster", "native_language", "text"),
    *("reply_status", "options", "correct", "had_a_hand"),
)


class GapPartRow(msgspec.Struct, frozen=True, kw_only=True):
    """The parts of one language's gap to English, of one model under one condition, on one source.

    All intervals are of 95 %, clustered by question, each for itself. Only questions written in English and asked in
    all the texts count, so that the gap may differ from the one over all questions.

    Attributes:
        task: name of the task.
        source: name of the source.
        model: id of the model.
        revision: version of its weights.
        answer: name of the condition under which English and the language were asked.
        by: which text tells the parts apart: English translated back from the language, of the same questions; or
            texts that an expert revised, of other questions than those of the machine alone.
        language: BCP 47 code.
        tier: its resource tier.
        english: share right in English; NaN, like all numbers below, of fewer than two clusters. By `revised`, this,
            `target` and `gap` are of the machine's texts.
        between: share right in English translated back; by `revised`, in the language where an expert revised it.
        target: share right in the language.
        gap: the language less English; below 0 where it does worse. The sum of the two parts.
        gap_low: lower bound; NaN, like all bounds, where declined (`globmed.stats.max_t.why_declined`).
        gap_high: upper bound.
        lost: translated back less English: what translation explains at most; by `revised`, the gap of the machine's
            texts less that of the revised ones: what it explains at least.
        lost_low: lower bound.
        lost_high: upper bound.
        remains: the language less translated back: the model's handling of the language, or the reader's; by
            `revised`, the gap of the revised texts.
        remains_low: lower bound.
        remains_high: upper bound.
        share: lost / gap: the share that translation may explain, as a bound from above, or from below by `revised`;
            below 0 or above 1 where the parts point different ways. NaN where declined.
        share_low: lower bound (Fieller).
        share_high: upper bound.
        own: questions whose text or its translation back the model made itself.
        pairs: questions; by `revised`, those of the machine's texts.
        revised: questions whose text an expert revised; 0 where it was translated back.
        clusters: question clusters that they fall into, of the part that has the fewest.
        reason: what is missing and why; empty where nothing is.
    """

    task: str
    source: str
    model: str
    revision: str
    answer: str
    by: Literal["back_translated", "revised"]
    language: str
    tier: str
    english: float
    between: float
    target: float
    gap: float
    gap_low: float
    gap_high: float
    lost: float
    lost_low: float
    lost_high: float
    remains: float
    remains_low: float
    remains_high: float
    share: float
    share_low: float
    share_high: float
    own: int
    pairs: int
    revised: int
    clusters: int
    reason: str


@dataclass(frozen=True, kw_only=True)
class _Asked:
    """What a model answered under one condition; [L, Q] each, NaN where not asked.

    Attributes:
        right: share of runs that were right.
        back: the same, of English translated back from the language.
        expert: above 0 where an expert revised the text.
        own: above 0 where the model made the text, or its translation back.
    """

    right: NDArray[np.float64]
    back: NDArray[np.float64]
    expert: NDArray[np.float64]
    own: NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class _Parts:
    """A gap, its two parts, and the share of the first.

    Attributes:
        columns: by name: gap, lost, remains.
        share: of questions whose columns are told.
        means: shares right.
        counts: of questions.
    """

    columns: dict[str, Column]
    share: Callable[[], Estimate]
    means: dict[str, float]
    counts: dict[str, int]


def gap_part_rows(scores: Path) -> Iterator[GapPartRow]:
    """Give the parts of gaps of a stage of scores: by source, model, condition and language.

    There is none without replies under a condition and the same one with `translated`, nor, of revised texts, without
    a language that has some of them and some of a machine.

    Raises:
        InputError: the folder holds no scores.
        HashMismatchError: the file of scores was changed by hand.
    """
    rows = _translations(counted(closed(table(scores, prefix=SCORES, columns=_COLUMNS))))
    asked = rows["answer"].unique().to_pylist()
    if _backs(asked) or "expert" in rows["text"].unique().to_pylist():
        for of_model in parts_of(rows, ("task", "source", *CONTENDER)):
            yield from _of_model(of_model)


def _translations(rows: pa.Table) -> pa.Table:
    """Return the rows of questions written in English, in English and in what they were translated to."""
    import pyarrow.compute as pc

    native = pc.equal(rows["native_language"], ENGLISH)
    return rows.filter(
        pc.and_(native, pc.or_(pc.equal(rows["language"], ENGLISH), pc.not_equal(rows["text"], "native")))
    )


def _backs(answers: Collection[str]) -> dict[str, str]:
    """Return the name of the same condition with `translated`, of each that was asked both ways."""
    translated = {name: Condition.named(name) for name in answers if Condition.named(name).translated}
    direct = {replace(condition, translated=False).name: name for name, condition in translated.items()}
    return {name: direct[name] for name in sorted(direct) if name in answers}


def _of_model(rows: pa.Table) -> Iterator[GapPartRow]:
    languages, questions = numbered_by(rows, ("language",)), numbered_by(rows, ("family",))
    codes = named(rows, languages, "language")
    if ENGLISH not in codes:
        return
    clusters = numbered(numbered_by(rows, ("cluster",)).of[questions.first])
    of = {column: str(rows[column][0]) for column in ("task", "source", *CONTENDER)}
    answers = np.array(rows["answer"].to_pylist())
    backs = _backs(np.unique(answers).tolist())
    for answer in np.unique(answers).tolist():
        if Condition.named(answer).translated:
            continue
        asked = _asked(
            rows, answers == answer, answers == backs.get(answer, ""), languages=languages, questions=questions
        )
        english = asked.right[codes.index(ENGLISH)]
        for place, code in enumerate(codes):
            if code != ENGLISH:
                named_so = {**of, "answer": answer, "language": code, "tier": language(code).tier}
                for by, parts in (
                    ("back_translated", _back_translated(english, asked, place, clusters)),
                    ("revised", _revised(english, asked, place, clusters)),
                ):
                    if parts is not None:
                        yield _row({**named_so, "by": by}, parts)


def _asked(
    rows: pa.Table, kept: NDArray[np.bool_], back: NDArray[np.bool_], *, languages: Numbered, questions: Numbered
) -> _Asked:
    import pyarrow.compute as pc

    right, hand = (rows[name].to_numpy().astype(np.float64) for name in ("correct", "had_a_hand"))
    expert = pc.equal(rows["text"], "expert").to_numpy().astype(np.float64)

    def means(values: NDArray[np.float64], chosen: NDArray[np.bool_]) -> NDArray[np.float64]:
        return _means(values, chosen, languages.of, questions.of, (languages.count, questions.count))

    own = np.nansum([means(hand, kept), means(hand, back)], axis=0)
    return _Asked(right=means(right, kept), back=means(right, back), expert=means(expert, kept), own=own)


def _back_translated(english: NDArray[np.float64], asked: _Asked, place: int, clusters: Clusters) -> _Parts | None:
    """Return the parts by translating back, of the questions asked in all three texts; None where there are none."""
    back, target = asked.back[place], asked.right[place]
    whole = np.isfinite(english + back + target)
    if not whole.any():
        return None
    values = {"gap": target - english, "lost": back - english, "remains": target - back}
    return _Parts(
        columns={name: mean_column(np.where(whole, value, np.nan), clusters) for name, value in values.items()},
        share=lambda: translation_share(english, back, target, clusters.of).share,
        means={"english": english[whole].mean(), "between": back[whole].mean(), "target": target[whole].mean()},
        counts={"own": int((asked.own[place, whole] > 0).sum()), "pairs": int(whole.sum()), "revised": 0},
    )


def _revised(english: NDArray[np.float64], asked: _Asked, place: int, clusters: Clusters) -> _Parts | None:
    """Return the parts by an expert's revision: of machine texts and of revised ones; None without both."""
    target, expert = asked.right[place], asked.expert[place] > 0
    whole = np.isfinite(english + target)
    machine, revised = whole & ~expert, whole & expert
    if not (machine.any() and revised.any()):
        return None
    gap, remains = (mean_column(np.where(kept, target - english, np.nan), clusters) for kept in (machine, revised))
    return _Parts(
        columns={"gap": gap, "lost": _less(gap, remains), "remains": remains},
        share=lambda: revised_share(english, target, expert.astype(np.float64), clusters.of),
        means={"english": english[machine].mean(), "between": target[revised].mean(), "target": target[machine].mean()},
        counts={
            "own": int((asked.own[place, whole] > 0).sum()),
            "pairs": int(machine.sum()),
            "revised": int(revised.sum()),
        },
    )


def _less(one: Column, other: Column) -> Column:
    """Return the difference of two means over the same clusters; it is known no better than the worse of them."""
    return Column(
        estimate=one.estimate - other.estimate,
        influence=one.influence - other.influence,
        n=min(one.n, other.n),
        clusters=min(one.clusters, other.clusters),
        differing=min(one.differing, other.differing),
    )


def _means(
    values: NDArray[np.float64],
    kept: NDArray[np.bool_],
    row: NDArray[np.int64],
    column: NDArray[np.int64],
    shape: tuple[int, int],
) -> NDArray[np.float64]:
    """Return the mean over runs of each language and question, [L, Q]; NaN where it was not asked."""
    cell = (row * shape[1] + column)[kept]
    count = np.bincount(cell, minlength=shape[0] * shape[1])
    total = np.bincount(cell, weights=values[kept], minlength=shape[0] * shape[1])
    means = np.divide(total, count, out=np.full(count.shape, np.nan), where=count > 0)
    return np.asarray(means.reshape(shape))


def _row(of: dict[str, str], parts: _Parts) -> GapPartRow:
    found = unadjusted(errors_of(list(parts.columns.values())))
    clusters, why = int(found.clusters.min()), dict(zip(parts.columns, found.reason, strict=True))
    stopped = why["gap"] or why["lost"]
    share = declined(stopped, n=0, clusters=clusters) if stopped else parts.share()
    numbers = dict(parts.means)
    for place, name in enumerate(parts.columns):
        numbers |= {name: found.estimate[place], f"{name}_low": found.low[place], f"{name}_high": found.high[place]}
    numbers |= {"share": share.interval.mean, "share_low": share.interval.low, "share_high": share.interval.high}
    # One question says nothing of others: a number would be read as if it did.
    known = np.nan if clusters < 2 else 1.0
    told = {name: float(known * number) for name, number in numbers.items()}
    made = {**of, **told, **parts.counts, "clusters": clusters, "reason": _reason(why, share.reason)}
    return msgspec.convert(made, GapPartRow)


def _reason(why: dict[str, str], share: str) -> str:
    """Say why numbers are missing, and which, unless it is one reason for all."""
    told = [f"{name}: {reason}" for name, reason in {**why, "share": share}.items() if reason]
    same = {*why.values(), share}
    return share if len(same) == 1 else "; ".join(told)
