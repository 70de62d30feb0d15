"""Yes-or-no verdicts of judges beside people's, and the shares corrected by what these tell of a judge's errors.

    acceptable   of a reply: a patient may be given it
    as_wanted    of a criterion of a rubric: met where it gives points, not met where it takes them
    wins, losses of a pair: the first reply is preferred in both orders, or the second is

A judge's errors are known for each language, phrasing of its prompt and form, over all models that people rated there.
Of pairs, wins and losses are calibrated as one thing, "this reply is preferred": its sensitivity is the probability
that the judge prefers the reply that people prefer.

Coverage of 95 % intervals (`benchmarks/judge_coverage.py`, 2,000 draws a setting). Criteria, eight a question, a judge
that errs otherwise in those that take points, 30 or 104 labelled questions: 95.1 to 96.7 %. Wins and losses, one pair a
question, 60 or 104 labelled: 96.7 to 98.4 % where people prefer the reply in 24 to 40 % of the pairs, and 98.1 to
99.4 % where in 8 %: careful, and wider than need be. Ratings of one side alone would be nearer 95 %, and half as wide
again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from globmed.bench.judging import Form
from globmed.bench.judging.judgements import Judgement
from globmed.bench.judging.ratings import Rating, Unit, coded, labels
from globmed.stats.intervals import Interval
from globmed.stats.judge_calibration import CorrectedShare, JudgeQuality, corrected_share
from globmed.stats.linearised import declined

ACCEPTABLE, AS_WANTED, WINS, LOSSES = "acceptable", "as_wanted", "wins", "losses"

CALIBRATED: dict[Form, tuple[str, ...]] = {
    "pointwise": (ACCEPTABLE,),
    "rubric": (AS_WANTED,),
    "pairs": (WINS, LOSSES),
}
"""The measures of each form that people's ratings can correct."""

_RATED: dict[Form, str] = {"pointwise": "acceptable", "rubric": "met", "pairs": "better"}
_NOTHING = Interval(np.nan, np.nan, np.nan, 0, 0)
_UNKNOWN = JudgeQuality(_NOTHING, _NOTHING)

Labels = Mapping[Form, Mapping[Unit, int]]
# What a judge's errors are known for: form, judge, revision, phrasing, language.
Judging = tuple[Form, str, str, str, str]


class Verdict(NamedTuple):
    """One thing judged, yes or no.

    Attributes:
        cluster: of its question.
        says: what the judge says; what is plain without one where there was no text to judge.
        truth: what people say; None where nobody rated it or they are split.
        has_text: there was a text to judge.
    """

    cluster: str
    says: bool
    truth: bool | None
    has_text: bool


class Labelled(NamedTuple):
    """What people and a judge say of the same things."""

    truth: list[bool]
    said: list[bool]
    clusters: list[str]


def people_say(ratings: Sequence[Rating]) -> Labels:
    """Return what people together say, of each form."""
    return {form: labels(ratings, measure) for form, measure in _RATED.items()}


def verdicts(measure: str, given: Sequence[Judgement], told: Labels) -> list[Verdict]:
    """Return the yes-or-no verdicts of a measure; none of what could not be read, nor of half a pair.

    Args:
        measure: one of `CALIBRATED`.
        given: judgements of the form that it is of.
        told: what people say.
    """
    if measure in (WINS, LOSSES):
        return _preferences("model" if measure == WINS else "other", given, told["pairs"])
    found = []
    for one in given:
        said = one.acceptable if measure == ACCEPTABLE else one.met
        if said is not None:
            wanted = measure == ACCEPTABLE or (one.points or 0.0) > 0
            label = told[one.form].get(one.rated)
            truth = None if label is None else bool(label) == wanted
            found.append(Verdict(one.cluster, said == wanted, truth, one.status == "read"))
    return found


def calibrations(judgements: Iterable[Judgement], told: Labels) -> Mapping[Judging, Labelled]:
    """Return what people and each judge say of the same things, in each form, phrasing and language."""
    groups: defaultdict[Judging, list[Judgement]] = defaultdict(list)
    for one in judgements:
        groups[judging(one)].append(one)
    return {key: _labelled(key[0], given, told) for key, given in groups.items()}


def judging(one: Judgement) -> Judging:
    """Return what the errors behind a judgement are known for."""
    return one.form, one.judge, one.judge_revision, one.phrasing, one.language


def correction(found: Sequence[Verdict], labelled: Labelled, *, level: float = 0.95) -> dict[str, Any]:
    """Return the fields of a row that say what a judge's share is worth and, corrected, is.

    Args:
        found: the verdicts that the share is of.
        labelled: what the judge's errors are known by.
        level: confidence of the interval.
    """
    read = [one for one in found if one.has_text]
    if not read or not labelled.truth:
        return uncalibrated("nobody rated what was judged in this language" if read else "no verdict was read")
    share = corrected_share(
        [one.says for one in read],
        [one.cluster for one in read],
        labels=labelled.truth,
        labelled_verdicts=labelled.said,
        labelled_clusters=labelled.clusters,
        level=level,
    )
    # Nothing can be wrong with what is said of an empty reply: it is no part of what is corrected.
    silent = [one.says for one in found if not one.has_text]
    fields = _fields(share, weight=len(read) / len(found), plus=sum(silent) / len(found))
    return fields | {"labelled": len(labelled.truth)}


def uncalibrated(reason: str) -> dict[str, Any]:
    """Return the same fields of a share that nobody can correct."""
    nothing = CorrectedShare(_NOTHING, declined(reason, n=0, clusters=0), _UNKNOWN)
    return _fields(nothing, weight=1.0, plus=0.0) | {"labelled": 0}


def whole_pairs(given: Iterable[Judgement]) -> list[tuple[Judgement, Judgement]]:
    """Return the verdicts in both orders of each pair, of those that could be read in both."""
    found: defaultdict[Unit, list[Judgement]] = defaultdict(list)
    for one in given:
        if one.better is not None:
            found[one.rated].append(one)
    return [(both[0], both[1]) for both in found.values() if len(both) == 2]


def _preferences(side: str, given: Sequence[Judgement], told: Mapping[Unit, int]) -> list[Verdict]:
    found = []
    for one, turned in whole_pairs(given):
        label = told.get(one.rated)
        truth = None if label is None else label == coded(side)
        found.append(Verdict(one.cluster, one.better == turned.better == side, truth, has_text=True))
    return found


def _labelled(form: Form, given: Sequence[Judgement], told: Labels) -> Labelled:
    labelled = Labelled([], [], [])
    for measure in CALIBRATED[form]:
        for one in verdicts(measure, given, told):
            if one.truth is not None and one.has_text:
                labelled.truth.append(one.truth)
                labelled.said.append(one.says)
                labelled.clusters.append(one.cluster)
    return labelled


def _fields(found: CorrectedShare, *, weight: float, plus: float) -> dict[str, Any]:
    interval, reason = found.corrected
    return {
        "calibrated": not reason,
        "corrected": interval.mean * weight + plus,
        "corrected_low": interval.low * weight + plus,
        "corrected_high": interval.high * weight + plus,
        "sensitivity": found.quality.sensitivity.mean,
        "sensitivity_low": found.quality.sensitivity.low,
        "sensitivity_high": found.quality.sensitivity.high,
        "specificity": found.quality.specificity.mean,
        "specificity_low": found.quality.specificity.low,
        "specificity_high": found.quality.specificity.high,
        "not_calibrated": reason,
    }
