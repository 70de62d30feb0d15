"""Models in the order of what a judge makes of their replies, where people's ratings calibrate it, and nowhere else.

Two tables side by side, as in `globmed.bench.standings`. `all` has every question judged. `independent` leaves out
models that judge themselves and, for all models alike, each question in a language that the judge or a model of the
table itself translated, repaired or criticised; the judge's errors, too, are then taken from such verdicts alone.

The places that the data leave open: Klein, Wright and Wieczorek (2020), "A joint confidence region for an overall
ranking of populations", Journal of the Royal Statistical Society C 69. Intervals of all models of a table hold together
with 95 % confidence (Bonferroni, so however alike their errors are); a model is surely below another one where its
interval ends below where the other's begins. That is careful: models may differ that are not told apart.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple

import msgspec

from globmed.bench.judging import Form, Phrasing
from globmed.bench.judging.calibrated import (
    ACCEPTABLE,
    AS_WANTED,
    Labelled,
    Labels,
    calibrations,
    correction,
    judging,
    people_say,
    uncalibrated,
    verdicts,
)
from globmed.bench.judging.judgements import Judgement
from globmed.bench.judging.ratings import Rating

Which = Literal["all", "independent"]

_RANKED: dict[Form, str] = {"pointwise": ACCEPTABLE, "rubric": AS_WANTED}
_LEVEL = 0.95


class JudgedRank(msgspec.Struct, frozen=True, kw_only=True):
    """One model's place by one judge, among the models judged the same in a language.

    Attributes:
        form: how the judge was asked; pairs are compared, not ranked.
        judge: its id.
        judge_revision: version of its weights.
        phrasing: of its prompt.
        answer: name of the condition.
        language: BCP 47 code.
        measure: `acceptable` or `as_wanted`.
        items: which questions count: `all`, or those `independent` of judge and models.
        left_out: questions that do not count for that.
        model: id of the model.
        revision: version of its weights.
        itself: it is the judge.
        corrected: the share that it is ranked by; NaN where it is not ranked.
        low: lower bound; the intervals of all models of a table hold together with 95 % confidence.
        high: upper bound.
        rank: 1 + the models ranked whose share is higher; None where it is not ranked.
        best: the best place that the data leave open.
        worst: the worst one.
        ranked: models of the table that are ranked.
        n: verdicts counted.
        reason: why it is not ranked; empty where it is.
    """

    form: Form
    judge: str
    judge_revision: str
    phrasing: Phrasing
    answer: str
    language: str
    measure: str
    items: Which
    left_out: int
    model: str
    revision: str
    itself: bool
    corrected: float
    low: float
    high: float
    rank: int | None
    best: int | None
    worst: int | None
    ranked: int
    n: int
    reason: str


class _Table(NamedTuple):
    form: Form
    judge: str
    judge_revision: str
    phrasing: Phrasing
    answer: str
    language: str


Contender = tuple[str, str]


def judged_ranks(judgements: Sequence[Judgement], ratings: Sequence[Rating]) -> Iterator[JudgedRank]:
    """Give the place of each model, by each judge, condition and language in which there are two models or more."""
    told = people_say(ratings)
    every = calibrations(judgements, told)
    independent = calibrations((one for one in judgements if one.independent), told)
    tables: defaultdict[_Table, list[Judgement]] = defaultdict(list)
    for one in judgements:
        if one.form in _RANKED:
            tables[_Table(*(getattr(one, name) for name in _Table._fields))].append(one)
    for table in sorted(tables):
        given = tables[table]
        if len({_model(one) for one in given}) > 1:
            errors_of = judging(given[0])
            yield from _ranks(table, _All(given), told, every.get(errors_of))
            yield from _ranks(table, _Independent(given), told, independent.get(errors_of))


class _All:
    """Every verdict of a table, by model."""

    items: Which = "all"

    def __init__(self, given: Sequence[Judgement]) -> None:
        self.by_model: dict[Contender, list[Judgement]] = {}
        for one in given:
            self.by_model.setdefault(_model(one), []).append(one)
        self.itself = {_model(one) for one in given if one.itself}
        self.left_out = 0

    @property
    def left(self) -> set[Contender]:
        """Models that are not ranked, whatever is said of them."""
        return set()


class _Independent(_All):
    """Those on questions that neither judge nor models made; and who judges itself."""

    items: Which = "independent"

    def __init__(self, given: Sequence[Judgement]) -> None:
        made = {one.family for one in given if one.had_a_hand or one.model_had_a_hand}
        super().__init__(given)
        self.by_model = {
            model: [one for one in rows if one.family not in made] for model, rows in self.by_model.items()
        }
        self.left_out = len(made)

    @property
    def left(self) -> set[Contender]:
        """Models that are not ranked, for they judge themselves."""
        return self.itself


def _ranks(table: _Table, kept: _All, told: Labels, labelled: Labelled | None) -> Iterator[JudgedRank]:
    measure = _RANKED[table.form]
    level = 1 - (1 - _LEVEL) / max(len(kept.by_model) - len(kept.left), 1)
    worth: dict[Contender, dict[str, Any]] = {}
    for model, given in kept.by_model.items():
        said = verdicts(measure, given, told)
        found = correction(said, labelled or Labelled([], [], []), level=level)
        worth[model] = (uncalibrated("it judges itself") if model in kept.left else found) | {"n": len(said)}
    places = _places({model: one for model, one in worth.items() if one["calibrated"]})
    last = (len(worth) + 1, 0, 0)
    for model, one in sorted(worth.items(), key=lambda told: (places.get(told[0], last), told[0])):
        rank, best, worst = places.get(model, (None, None, None))
        yield JudgedRank(
            **table._asdict(),
            measure=measure,
            items=kept.items,
            left_out=kept.left_out,
            model=model[0],
            revision=model[1],
            itself=model in kept.itself,
            corrected=one["corrected"],
            low=one["corrected_low"],
            high=one["corrected_high"],
            rank=rank,
            best=best,
            worst=worst,
            ranked=len(places),
            n=one["n"],
            reason=one["not_calibrated"],
        )


def _places(worth: Mapping[Contender, Mapping[str, Any]]) -> dict[Contender, tuple[int, int, int]]:
    """Return each model's rank, and the best and the worst place that intervals holding together leave it."""
    found = {}
    for model, one in worth.items():
        others = [other for name, other in worth.items() if name != model]
        above = sum(other["corrected_low"] > one["corrected_high"] for other in others)
        below = sum(other["corrected_high"] < one["corrected_low"] for other in others)
        rank = 1 + sum(other["corrected"] > one["corrected"] for other in others)
        found[model] = (rank, 1 + above, len(worth) - below)
    return found


def _model(one: Judgement) -> Contender:
    return one.model, one.revision
