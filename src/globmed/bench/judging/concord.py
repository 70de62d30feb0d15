"""How far judges agree with one another and with people, by language: alpha, AC1 or AC2, and kappa.

Severity of harm is ordered, and near misses count by quadratic weights (AC2, weighted kappa); all else is yes or no
(AC1, plain kappa). What could not be read is missing, not a disagreement.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations
from typing import Literal, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from globmed.bench.judging import Form
from globmed.bench.judging.judgements import Judgement
from globmed.bench.judging.ratings import Rating, coded, labels
from globmed.bench.judging.ratings import Unit as Rated
from globmed.bench.judging.verdicts import HARMS
from globmed.stats.agreement import Weighting, cohen_kappa, gwet_ac, krippendorff_alpha
from globmed.stats.linearised import Estimate

ALL = "all"
PEOPLE = "people"
_MEASURES: dict[Form, tuple[str, ...]] = {
    "pointwise": ("acceptable", "correct", "complete", "harm", "understandable", "in_language"),
    "rubric": ("met",),
    "pairs": ("better",),
}
_LEVELS = {"harm": len(HARMS), "better": 3}

Coefficient = Literal["alpha", "ac1", "ac2", "kappa"]
# What names one thing that is judged: a reply, with a criterion, or a pair in one order.
Unit = tuple[object, ...]


class AgreementRow(msgspec.Struct, frozen=True, kw_only=True):
    """How far some raters agree on one measure in one language.

    Attributes:
        form: how judges were asked.
        language: BCP 47 code, or `all`.
        measure: what is rated, such as `acceptable` or `harm`.
        raters: `judges`, `people`, or two of them: `A / B`, `A / people` (the middle of their ratings).
        coefficient: `alpha` (Krippendorff), `ac1` or `ac2` (Gwet), `kappa` (Cohen; quadratic weights for harm).
        value: 1 full agreement, 0 what chance gives; NaN with the reason.
        low: lower bound of the 95 % interval clustered by question.
        high: upper bound.
        n: replies rated.
        clusters: question clusters that they fall into.
        reason: why numbers are missing; empty where none is.
    """

    form: Form
    language: str
    measure: str
    raters: str
    coefficient: Coefficient
    value: float
    low: float
    high: float
    n: int
    clusters: int
    reason: str


class _Units(NamedTuple):
    """Ratings of one measure, [units, raters] with NaN, and what each unit is."""

    ratings: NDArray[np.float64]
    clusters: NDArray[np.str_]
    languages: NDArray[np.str_]
    raters: list[str]


def agreement_rows(judgements: Sequence[Judgement], ratings: Sequence[Rating]) -> Iterator[AgreementRow]:
    """Give the agreement of all judges, of all people, of each two judges, and of each judge with people."""
    for form, measures in _MEASURES.items():
        of_form = [one for one in judgements if one.form == form]
        for measure in measures if of_form else ():
            judged = _judged(of_form, measure)
            yield from _of_judges(form, measure, judged)
            yield from _of_people(form, measure, judged, of_form, ratings)


def _of_judges(form: Form, measure: str, judged: _Units) -> Iterator[AgreementRow]:
    if len(judged.raters) < 2:
        return
    yield from _among(form, measure, "judges", judged)
    for (i, one), (j, other) in combinations(enumerate(judged.raters), 2):
        yield from _between(form, measure, f"{one} / {other}", judged, judged.ratings[:, [i, j]])


def _of_people(
    form: Form, measure: str, judged: _Units, given: Sequence[Judgement], ratings: Sequence[Rating]
) -> Iterator[AgreementRow]:
    if not ratings:
        return
    clusters = {one.rated: one.cluster for one in given}
    people = _units(
        (((*one.unit,), one.rater, clusters[one.unit], one.language, coded(getattr(one, measure))))
        for one in ratings
        if one.unit in clusters
    )
    if len(people.raters) > 1:
        yield from _among(form, measure, PEOPLE, people)
    middle = labels(ratings, measure)
    # In the order of the units that the judges' table has, which know revisions and the order shown too.
    told = np.array([middle.get(unit, np.nan) for unit in _names(given)], dtype=np.float64)
    for i, judge in enumerate(judged.raters):
        both = np.column_stack([judged.ratings[:, i], told])
        yield from _between(form, measure, f"{judge} / {PEOPLE}", judged, both)


def _names(given: Iterable[Judgement]) -> list[Rated]:
    """Return what people know the units of `_judged` by, in their order."""
    return list({_unit(one): one.rated for one in given}.values())


def _unit(one: Judgement) -> Unit:
    reply = (one.model, one.revision, one.answer, one.family, one.language, one.run)
    return (*reply, one.other, one.other_revision, one.criterion, one.turned)


def _judged(given: Iterable[Judgement], measure: str) -> _Units:
    return _units(
        (
            _unit(one),
            " ".join(filter(None, (one.judge, one.judge_revision, "" if one.phrasing == "plain" else one.phrasing))),
            one.cluster,
            one.language,
            coded(getattr(one, measure)) if one.status == "read" else None,
        )
        for one in given
    )


def _units(given: Iterable[tuple[Unit, str, str, str, int | None]]) -> _Units:
    """Put ratings into a table: units and raters in the order they come in."""
    facts: dict[Unit, tuple[str, str]] = {}
    said: defaultdict[str, dict[Unit, float]] = defaultdict(dict)
    for unit, rater, cluster, language, code in given:
        facts.setdefault(unit, (cluster, language))
        said[rater][unit] = np.nan if code is None else float(code)
    table = [[said[rater].get(unit, np.nan) for rater in said] for unit in facts]
    return _Units(
        np.array(table, dtype=np.float64).reshape(len(facts), len(said)),
        np.array([cluster for cluster, _ in facts.values()], dtype=np.str_),
        np.array([language for _, language in facts.values()], dtype=np.str_),
        list(said),
    )


def _among(form: Form, measure: str, raters: str, units: _Units) -> Iterator[AgreementRow]:
    ordered = measure == "harm"
    for code, rows in _by_language(units, units.ratings):
        ratings, clusters = units.ratings[rows], units.clusters[rows]
        alpha = krippendorff_alpha(ratings, clusters, scale="ordinal" if ordered else "nominal")
        yield _row(form, code, measure, raters, "alpha", alpha)
        yield _row(form, code, measure, raters, "ac2" if ordered else "ac1", _ac(measure, ratings, clusters))


def _between(
    form: Form, measure: str, raters: str, units: _Units, ratings: NDArray[np.float64]
) -> Iterator[AgreementRow]:
    ordered = measure == "harm"
    for code, rows in _by_language(units, ratings):
        both, clusters = ratings[rows], units.clusters[rows]
        kappa = cohen_kappa(
            both[:, 0],
            both[:, 1],
            clusters,
            categories=_categories(measure),
            weighting="quadratic" if ordered else "identity",
        )
        yield _row(form, code, measure, raters, "kappa", kappa)
        yield _row(form, code, measure, raters, "ac2" if ordered else "ac1", _ac(measure, both, clusters))


def _ac(measure: str, ratings: NDArray[np.float64], clusters: NDArray[np.str_]) -> Estimate:
    weighting: Weighting = "quadratic" if measure == "harm" else "identity"
    return gwet_ac(ratings, clusters, categories=_categories(measure), weighting=weighting)


def _categories(measure: str) -> list[int]:
    return list(range(_LEVELS.get(measure, 2)))


def _by_language(units: _Units, ratings: NDArray[np.float64]) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    """Give the units with two ratings at least, of each language and of all, where that says more."""
    paired = np.isfinite(ratings).sum(axis=1) >= 2
    codes = sorted(set(units.languages[paired].tolist()))
    for code in codes:
        yield code, paired & (units.languages == code)
    if len(codes) > 1:
        yield ALL, paired


def _row(
    form: Form, code: str, measure: str, raters: str, coefficient: Coefficient, estimate: Estimate
) -> AgreementRow:
    interval = estimate.interval
    return AgreementRow(
        form=form,
        language=code,
        measure=measure,
        raters=raters,
        coefficient=coefficient,
        value=interval.mean,
        low=interval.low,
        high=interval.high,
        n=interval.n,
        clusters=interval.clusters,
        reason=estimate.reason,
    )
