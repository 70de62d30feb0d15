"""What judges say of each model in each language, and what that is worth where people rated replies there.

Shares are of all replies that are no error. A reply without text is not acceptable, whoever judges; an unreadable
verdict is in no share. Rubric scores are the mean of points met over points possible, kept in 0..1 (HealthBench, arXiv
2505.08775). Of pairs a preference counts where both orders give the same verdict; where they do not, it is a tie.
Which measures people's ratings can correct, `globmed.bench.judging.calibrated` says.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from globmed.bench.description import clustered_mean, within
from globmed.bench.judging import Form, Phrasing
from globmed.bench.judging.calibrated import (
    CALIBRATED,
    Labels,
    calibrations,
    correction,
    judging,
    people_say,
    uncalibrated,
    verdicts,
    whole_pairs,
)
from globmed.bench.judging.judgements import Judgement
from globmed.bench.judging.ratings import Rating
from globmed.bench.judging.verdicts import HARMS
from globmed.bench.tasks.rubric import rubric_score
from globmed.core.language import language
from globmed.stats.intervals import clustered_proportion
from globmed.stats.linearised import Estimate, declined

RUBRIC = "rubric"
PREFERRED = "preferred"
_OTHER_MEASURE = "ratings by people calibrate yes-or-no verdicts alone: acceptable, as_wanted, wins and losses"
_CRITERIA = ("correct", "complete", "understandable", "in_language")


class JudgedRow(msgspec.Struct, frozen=True, kw_only=True):
    """One judge's view of one model (or of two) under a condition, in a language.

    Attributes:
        form: how the judge was asked.
        judge: its id.
        judge_revision: version of its weights.
        phrasing: of its prompt.
        model: id of the model judged.
        revision: version of its weights.
        other: the model it is compared with; empty but for pairs.
        other_revision: version of its weights.
        answer: name of the condition.
        language: BCP 47 code.
        tier: its resource tier.
        measure: `acceptable`; `correct`, `complete`, `understandable`, `in_language`; `harm_none` to `harm_severe`;
            `rubric` (its points) and `as_wanted`, criteria met that give points or not met that take them; `wins` and
            `losses` of pairs, `preferred` (ties count half) and `order_decides`, pairs whose verdicts contradict each
            other.
        value: as the judge says, uncorrected; NaN with the reason.
        low: lower bound of the 95 % interval clustered by question, which knows nothing of the judge's errors.
        high: upper bound.
        n: replies (pairs of replies) it is about.
        clusters: question clusters that they fall into.
        reason: why numbers are missing; empty where none is.
        calibrated: people's ratings in this language tell the judge's errors well enough to correct it. A row that is
            not calibrated is not to rank models by.
        corrected: what people would say; a reply without text counts without correction, as not acceptable and as
            meeting no criterion. NaN where not calibrated.
        corrected_low: lower bound of its 95 % interval, which knows of the judge's errors and their uncertainty.
        corrected_high: upper bound.
        sensitivity: of what people say yes to, the share that the judge does too, in this language: of pairs the
            probability that it prefers the reply that people prefer.
        sensitivity_low: lower bound of its 95 % interval clustered by question.
        sensitivity_high: upper bound.
        specificity: of what people say no to, the share that the judge does too.
        specificity_low: lower bound, likewise.
        specificity_high: upper bound.
        labelled: yes-or-no verdicts in this language that people's stand beside; a pair counts twice, from either side.
        not_calibrated: why not; empty where it is.
        asked_again: verdicts that took more than one reply of the judge, whether one was read at last or not.
        unreadable: verdicts that could not be read, in no number but this and the one before.
        errors: calls to the judge that failed, likewise.
        no_reply: replies without a text.
        had_a_hand: verdicts on items that the judge itself translated, repaired or criticised.
        model_had_a_hand: verdicts on items that a model judged did.
        itself: the judge is a model judged.
        also_judges: a model judged is a judge of this run, of itself or of others.
    """

    form: Form
    judge: str
    judge_revision: str
    phrasing: Phrasing
    model: str
    revision: str
    other: str
    other_revision: str
    answer: str
    language: str
    tier: str
    measure: str
    value: float
    low: float
    high: float
    n: int
    clusters: int
    reason: str
    calibrated: bool
    corrected: float
    corrected_low: float
    corrected_high: float
    sensitivity: float
    sensitivity_low: float
    sensitivity_high: float
    specificity: float
    specificity_low: float
    specificity_high: float
    labelled: int
    not_calibrated: str
    asked_again: int
    unreadable: int
    errors: int
    no_reply: int
    had_a_hand: int
    model_had_a_hand: int
    itself: bool
    also_judges: bool


class _Cell(NamedTuple):
    form: Form
    judge: str
    judge_revision: str
    phrasing: Phrasing
    model: str
    revision: str
    other: str
    other_revision: str
    answer: str
    language: str


def judged_rows(judgements: Sequence[Judgement], ratings: Sequence[Rating]) -> Iterator[JudgedRow]:
    """Give what each judge says of each model in each language, calibrated where people's ratings allow it."""
    told = people_say(ratings)
    calibration, judges = calibrations(judgements, told), {one.judge for one in judgements}
    cells: defaultdict[_Cell, list[Judgement]] = defaultdict(list)
    for one in judgements:
        cells[_Cell(*(getattr(one, name) for name in _Cell._fields))].append(one)
    for cell in sorted(cells):
        given = cells[cell]
        facts = _facts(cell, given) | {"also_judges": not judges.isdisjoint({cell.model, cell.other})}
        for measure, estimate in _estimates(cell.form, given, told).items():
            worth = uncalibrated(_OTHER_MEASURE)
            if measure in CALIBRATED[cell.form]:
                worth = correction(verdicts(measure, given, told), calibration[judging(given[0])])
            interval = estimate.interval
            yield JudgedRow(
                **facts,
                **worth,
                measure=measure,
                value=interval.mean,
                low=interval.low,
                high=interval.high,
                n=interval.n,
                clusters=interval.clusters,
                reason=estimate.reason,
            )


def _facts(cell: _Cell, given: Sequence[Judgement]) -> dict[str, Any]:
    statuses = Counter(one.status for one in given)
    return {
        **cell._asdict(),
        "tier": language(cell.language).tier,
        "asked_again": sum(one.attempts > 1 for one in given),
        "unreadable": statuses["unreadable"],
        "errors": statuses["error"],
        "no_reply": statuses["no_reply"],
        "had_a_hand": sum(one.had_a_hand for one in given),
        "model_had_a_hand": sum(one.model_had_a_hand for one in given),
        "itself": given[0].itself,
    }


def _estimates(form: Form, given: Sequence[Judgement], told: Labels) -> dict[str, Estimate]:
    found = {}
    for measure in CALIBRATED[form]:
        said = verdicts(measure, given, told)
        found[measure] = _proportion([one.says for one in said], [one.cluster for one in said])
    return found | _MEASURES[form](given)


def _pointwise(given: Sequence[Judgement]) -> dict[str, Estimate]:
    read = [one for one in given if one.status == "read"]
    found = {name: _share(read, [bool(getattr(one, name)) for one in read]) for name in _CRITERIA}
    return found | {f"harm_{harm}": _share(read, [one.harm == harm for one in read]) for harm in HARMS}


def _rubric(given: Sequence[Judgement]) -> dict[str, Estimate]:
    scores, clusters = [], []
    for replies in _together(given).values():
        if all(one.met is not None for one in replies):
            scores.append(rubric_score([one.points or 0.0 for one in replies], [bool(one.met) for one in replies]))
            clusters.append(replies[0].cluster)
    found = _mean(scores, clusters)
    return {RUBRIC: found._replace(interval=within(found.interval, 0.0, 1.0))}


def _pairs(given: Sequence[Judgement]) -> dict[str, Estimate]:
    values, contradict, clusters = [], [], []
    for pair in whole_pairs(given):
        said = {one.better for one in pair}
        values.append({"model": 1.0, "other": 0.0}.get(str(pair[0].better), 0.5) if len(said) == 1 else 0.5)
        contradict.append(said == {"model", "other"})
        clusters.append(pair[0].cluster)
    found = _mean(values, clusters)
    preferred = found._replace(interval=within(found.interval, 0.0, 1.0))
    return {PREFERRED: preferred, "order_decides": _proportion(contradict, clusters)}


_MEASURES = {"pointwise": _pointwise, "rubric": _rubric, "pairs": _pairs}


def _together(given: Sequence[Judgement]) -> Mapping[tuple[str, int], list[Judgement]]:
    """Return the verdicts on each reply, or pair of replies, of one cell."""
    found: defaultdict[tuple[str, int], list[Judgement]] = defaultdict(list)
    for one in given:
        found[one.family, one.run].append(one)
    return found


def _share(rows: Sequence[Judgement], holds: Sequence[bool]) -> Estimate:
    return _proportion(holds, [one.cluster for one in rows])


def _proportion(holds: Sequence[bool], clusters: Sequence[str]) -> Estimate:
    return _too_few(len(holds), clusters) or Estimate(clustered_proportion(holds, clusters), "")


def _mean(values: Sequence[float], clusters: Sequence[str]) -> Estimate:
    return _too_few(len(values), clusters) or clustered_mean(values, clusters)


def _too_few(n: int, clusters: Sequence[str]) -> Estimate | None:
    if (count := len(set(clusters))) >= 2:
        return None
    return declined("fewer than two question clusters" if n else "no verdict was read", n=n, clusters=count)
