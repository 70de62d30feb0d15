"""The plain sentences on top: what a run shows, and how sure it is.

They follow from the numbers by fixed rules and claim no more than these: a model is called best only beside how many
others may be first as well, and a language in which an interval reaches down to chance is named.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from globmed.bench.analysis import ALL
from globmed.bench.report.gained import Gained
from globmed.bench.report.measure import TIERS, Measure, System, columns, language_name, system_names
from globmed.bench.report.wording import (
    counted,
    interval,
    listed,
    percent_with_unit,
    plain,
    points,
    points_interval,
)
from globmed.bench.standings import StandingRow

IN_TIER = {"high": "the high-resource languages", "low": "the low-resource languages"}


def summary(
    measures: Sequence[Measure],
    gained: Sequence[Gained],
    *,
    standings: Sequence[StandingRow] = (),
    question_sets: int = 1,
) -> list[str]:
    """Return the sentences about one task: the first is what it shows, the others how sure that is.

    Args:
        measures: rows of the accuracy table of one task.
        gained: rows of the table of gains of the same task; none where nothing was trained.
        standings: rows of the table of standings of the same task and source.
        question_sets: how many different sets of questions the runs asked.
    """
    parts = [
        _trained(gained),
        _best(measures, standings),
        _sureness(measures),
        _near_chance(measures),
        _unanswered(measures),
    ]
    if question_sets > 1:
        parts.append(
            f"These runs asked {counted(question_sets, 'different set')} of questions: compare only within a run."
        )
    return [part for part in parts if part]


def _trained(gained: Sequence[Gained]) -> str:
    tiers = [row for row in gained if row.by == "tier" and not math.isnan(row.gain_points)]
    clauses = [
        f"{_moved(row)} {points_interval(row.gain_low, row.gain_high)} in {IN_TIER.get(row.tier, row.tier)}"
        f" (from {percent_with_unit(row.base)} to {percent_with_unit(row.tuned)})"
        for row in sorted(tiers, key=lambda row: -row.gain_points)
    ]
    if not clauses:
        return ""
    models = f"{plain(tiers[0].base_model)} to {plain(tiers[0].tuned_model)}"
    return f"With training ({models}), the share of questions answered right {listed(clauses)}."


def _moved(row: Gained) -> str:
    if row.gain_low > 0 or row.gain_high < 0:
        verb = "rose" if row.gain_low > 0 else "fell"
        return f"{verb} by {abs(row.gain_points):.1f} percentage points"
    return f"changed by {points(row.gain_points)} percentage points, which luck can explain,"


def _best(measures: Sequence[Measure], standings: Sequence[StandingRow]) -> str:
    names = system_names(measures)
    clauses = []
    for tier in TIERS:
        ranked = sorted(_sums(measures, tier, baseline=False), key=lambda m: -m.accuracy)
        if not ranked:
            continue
        best = ranked[0]
        rivals = _rivals(best.system, standings, tier)
        clause = (
            f"in {IN_TIER[tier]} {names[best.system].text} answered {percent_with_unit(best.accuracy)}"
            f" {interval(best.low, best.high)} of the questions right"
        )
        if best.errors:
            clause += f" (leaving out {counted(best.errors, 'call')} that failed)"
        if rivals:
            clause += f", and {counted(rivals, 'other model')} may be first as well, as far as these questions tell"
        clauses.append(clause)
    if not clauses:
        asked = any(not m.baseline for m in measures)
        lead = "No model gave a number here." if asked else "No model was asked here, only baselines."
        return f"{lead} {_guessing(measures)}"
    many = len({m.system for m in measures if not m.baseline})
    text = "; ".join(clauses)
    text = f"Of {counted(many, 'model')} asked, the best: {text}" if many > 1 else text[0].upper() + text[1:]
    return f"{text}. {_guessing(measures)}"


def _rivals(best: System, standings: Sequence[StandingRow], tier: str) -> int:
    """Count the other models whose intervals of places, which hold for all models at once, reach to the first."""
    places = [row for row in standings if (row.by, row.group, row.items) == ("tier", tier, "all")]
    rivals = {(row.model, row.revision, row.answer) for row in places if row.best == 1}
    return len(rivals - {best})


def _sums(measures: Sequence[Measure], tier: str, *, baseline: bool) -> list[Measure]:
    return [m for m in measures if m.tier == tier and m.language == ALL and m.baseline == baseline and m.known]


def _guessing(measures: Sequence[Measure]) -> str:
    chances = [m.chance for m in measures if m.language == ALL and not math.isnan(m.chance)]
    text = f"Guessing gives {percent_with_unit(sum(chances) / len(chances))}" if chances else ""
    baselines = [m for tier in TIERS for m in _sums(measures, tier, baseline=True)]
    if text and baselines:
        best = max(baselines, key=lambda m: m.accuracy)
        text += f", and the best baseline, which knows nothing of the question, {percent_with_unit(best.accuracy)}"
    return f"{text}." if text else ""


def _sureness(measures: Sequence[Measure]) -> str:
    single = [m for m in measures if m.language != ALL and not m.baseline and not math.isnan(m.low)]
    if not single:
        return ""
    widest = max(m.high - m.low for m in single) / 2
    fewest = min(single, key=lambda m: m.clusters)
    languages = len({m.language for m in single})
    return (
        f"How sure: numbers come with a 95 % interval in brackets. For one language it reaches up to {100 * widest:.1f}"
        f" percentage points to either side of the number ({counted(languages, 'language')}, at least"
        f" {counted(fewest.clusters, 'independent question')} each). It speaks of questions of this kind, asked in this"
        " way, and of nothing else."
    )


def _near_chance(measures: Sequence[Measure]) -> str:
    names = system_names(measures)
    found: dict[str, list[str]] = {}
    for _, code in columns(measures):
        for m in measures:
            if m.language == code != ALL and m.at_chance and not m.baseline:
                found.setdefault(names[m.system].text, []).append(language_name(code).text)
    if not found:
        return ""
    clauses = [f"{model} in {listed(codes)}" for model, codes in list(found.items())[:3]]
    more = f"; and {counted(len(found) - 3, 'further model')}" if len(found) > 3 else ""
    return f"No better than guessing, as far as this shows: {'; '.join(clauses)}{more}."


def _unanswered(measures: Sequence[Measure]) -> str:
    single = [m for m in measures if m.language != ALL and not m.baseline]
    failed, counted_replies = sum(m.errors for m in single), sum(m.counted for m in single)
    sentences = []
    if counted_replies:
        without = sum(_unread(m) for m in single)
        worst = max((m for m in single if m.counted), key=lambda m: _unread(m) / m.counted)
        where = f"{system_names(measures)[worst.system].text} in {language_name(worst.language).text}"
        most = f"; most with {where}, {percent_with_unit(_unread(worst) / worst.counted)}" if without else ""
        share = percent_with_unit(without / counted_replies)
        text = f"{share} of the replies held no answer that could be read{most}."
        sentences.append(text if without else "Every reply held an answer that could be read.")
    if failed:
        sentences.append(f"{counted(failed, 'call')} failed and {'is' if failed == 1 else 'are'} left out.")
    return " ".join(sentences)


def _unread(m: Measure) -> int:
    return sum(number for kind, number in m.without_answer.items() if kind != "failed")
