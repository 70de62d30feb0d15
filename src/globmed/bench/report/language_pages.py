"""One page a language, for a health officer: what evidence there is, from what, at what cost, what is not known."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from globmed.bench.analysis import ALL
from globmed.bench.costs import CostRow
from globmed.bench.gap_contrasts import ENGLISH
from globmed.bench.gaps import GapRow
from globmed.bench.judging.shares import JudgedRow
from globmed.bench.report.grid import Cell, Grid, Group, Row
from globmed.bench.report.measure import Measure, Name, answer_name, language_name
from globmed.bench.report.wording import (
    EMPTY,
    count,
    counted,
    interval,
    listed,
    percent,
    plain,
    points,
    points_interval,
)
from globmed.bench.tasks import tasks
from globmed.core.language import languages

CANNOT = "A benchmark cannot establish safety in use."


@dataclass(frozen=True, kw_only=True)
class Texts:
    """What the questions of one source in one language are.

    Attributes:
        questions: asked in the language.
        native: written in it.
        machine: translated into it by a machine.
        expert: translated or revised by a person.
        reviewed: looked at by a person, whatever the verdict.
    """

    questions: int
    native: int
    machine: int
    expert: int
    reviewed: int


@dataclass(frozen=True, kw_only=True)
class LanguagePage:
    """What is known of one language.

    Attributes:
        code: of the language.
        name: of the language, in English and in itself.
        sentences: what there is, in order.
        evidence: a row for each task and source.
        unknown: what is not known, a sentence each.
    """

    code: str
    name: Name
    sentences: tuple[str, ...]
    evidence: Grid
    unknown: tuple[str, ...]


Sources = Mapping[tuple[str, str, str], Texts]


def language_pages(
    measures: Sequence[Measure],
    texts: Sources,
    *,
    gaps: Sequence[GapRow],
    costs: Sequence[CostRow],
    judged: Sequence[JudgedRow] = (),
) -> tuple[LanguagePage, ...]:
    """Write the pages of the languages asked in, in the order of the table of languages.

    Args:
        measures: accuracies by source.
        texts: of the questions, by task, source and language.
        gaps: rows of the tables of gaps.
        costs: rows of the tables of costs.
        judged: what judges say of open answers.
    """
    order = list(languages())
    asked = {m.language for m in measures if m.by == "language"} | {code for *_, code in texts}
    codes = sorted(asked, key=lambda code: (order.index(code) if code in order else len(order), code))
    return tuple(
        _page(
            code,
            [m for m in measures if m.by == "language" and m.language == code and not m.baseline],
            {(task, source): found for (task, source, of), found in texts.items() if of == code},
            gaps=[row for row in gaps if row.language == code and row.reference == ENGLISH and row.text == ALL],
            costs=[row for row in costs if row.language == code],
            judged=[row for row in judged if row.language == code and row.measure in ("acceptable", "as_wanted")],
            others={(task, source) for task, source, of in texts if of != code},
        )
        for code in codes
    )


def _page(
    code: str,
    measures: Sequence[Measure],
    texts: Mapping[tuple[str, str], Texts],
    *,
    gaps: Sequence[GapRow],
    costs: Sequence[CostRow],
    judged: Sequence[JudgedRow],
    others: set[tuple[str, str]],
) -> LanguagePage:
    name = language_name(code)
    best = {(m.task, m.source): m for m in sorted(measures, key=lambda m: m.accuracy) if m.known and m.source != ALL}
    return LanguagePage(
        code=code,
        name=name,
        sentences=(*_sentences(name.text, texts, best, costs), *_of_judges(name.text, judged)),
        evidence=_evidence(name, texts, best, gaps=gaps, costs=costs),
        unknown=tuple(_unknown(name.text, texts, best, judged, missing=others - texts.keys())),
    )


def _sentences(
    name: str, texts: Mapping[tuple[str, str], Texts], best: Mapping[tuple[str, str], Measure], costs: Sequence[CostRow]
) -> Iterator[str]:
    questions = sum(one.questions for one in texts.values())
    made = (
        (sum(one.native for one in texts.values()), f"written in {name}"),
        (sum(one.machine for one in texts.values()), "translated by machine"),
        (sum(one.expert for one in texts.values()), "translated or revised by people"),
    )
    parts = [f"{count(number)} {words}" for number, words in made if number]
    reviewed = sum(one.reviewed for one in texts.values())
    yield (
        f"Asked in {name}: {counted(questions, 'question')} from {counted(len(texts), 'source')}, {listed(parts)}. "
        + (f"People looked at {count(reviewed)} of them." if reviewed else "No person has looked at any of them.")
    )
    chance = [m for m in best.values() if m.at_chance]
    if best:
        yield (
            f"On {counted(len(best), 'source')} a model gave a number; the table says which did best on each, and how"
            " far that is from guessing and from English." + (f" {_near_chance(chance)}" if chance else "")
        )
    dollars = [row.usd_per_1000 for row in costs if not math.isnan(row.usd_per_1000) and row.usd_per_1000 > 0]
    if dollars:
        low, high = min(dollars), max(dollars)
        yield f"When asked, a thousand questions cost {_dollars(low)} to {_dollars(high)}, by model and source."


def _of_judges(name: str, judged: Sequence[JudgedRow]) -> Iterator[str]:
    """Say what judges' verdicts on open answers are worth in one language; nothing where none judged."""
    known = [row for row in judged if row.calibrated]
    if known:
        best = max(known, key=lambda row: row.corrected)
        what = "acceptable" if best.measure == "acceptable" else "as wanted in the criteria"
        yield (
            f"Of open answers in {name}, {plain(best.model)} had the most that were {what}:"
            f" {percent(best.corrected)} {interval(best.corrected_low, best.corrected_high)} percent by"
            f" {plain(best.judge)}, corrected by what people said of some of them."
        )
    elif judged:
        judges = listed(sorted({plain(row.judge) for row in judged}))
        yield (
            f"Open answers in {name} were judged by {judges}, and by too few people or none: how often these judges err"
            " is not known, so nothing follows about the answers."
        )


def _near_chance(found: Sequence[Measure]) -> str:
    names = listed([plain(m.source) for m in found])
    return f"On {names} even the best is not shown to do better than guessing."


def _evidence(
    name: Name,
    texts: Mapping[tuple[str, str], Texts],
    best: Mapping[tuple[str, str], Measure],
    *,
    gaps: Sequence[GapRow],
    costs: Sequence[CostRow],
) -> Grid:
    heads = ("What it is evidence about", "Questions", "Text", "Looked at by people", "Best model", "Right, percent")
    columns = (*heads, "Guessing, percent", "Against English, points", "US$ for 1 000")
    rows = []
    for (task, source), found in sorted(texts.items()):
        m = best.get((task, source))
        gap = next((row for row in gaps if m and (row.task, row.source) == (task, source) and _same(row, m)), None)
        cost = next((row for row in costs if m and (row.task, row.source) == (task, source) and _same(row, m)), None)
        cells = (
            Cell(value=use_of(task, source)),
            Cell(value=count(found.questions)),
            Cell(value=_made(found)),
            Cell(value=count(found.reviewed)),
            Cell(value=plain(m.model), detail=answer_name(m.answer)) if m else Cell(value=EMPTY, detail="no number"),
            Cell(value=percent(m.accuracy), interval=interval(m.low, m.high)) if m else Cell(value=EMPTY),
            Cell(value=percent(m.chance)) if m else Cell(value=EMPTY),
            _gap(gap),
            Cell(value=f"{cost.usd_per_1000:.2f}" if cost and not math.isnan(cost.usd_per_1000) else EMPTY),
        )
        rows.append(Row(name=Name(text=plain(source)), cells=cells))
    return Grid(
        title=f"Evidence on {name.text}",
        caption="For each source the model that did best: having been picked, its number is rather too high.",
        corner="Source",
        columns=tuple(Name(text=text) for text in columns),
        groups=(Group(heading="", rows=tuple(rows)),),
    )


def _same(row: GapRow | CostRow, m: Measure) -> bool:
    return (row.model, row.revision, row.answer) == m.system


def _gap(row: GapRow | None) -> Cell:
    if row is None or math.isnan(row.gap):
        return Cell(value=EMPTY, detail=plain(row.reason) if row else "")
    return Cell(value=points(100 * row.gap), interval=points_interval(100 * row.low, 100 * row.high))


def _made(found: Texts) -> str:
    said = {"native": found.native, "machine": found.machine, "by people": found.expert}
    return ", ".join(f"{count(number)} {kind}" for kind, number in said.items() if number)


def _unknown(
    name: str,
    texts: Mapping[tuple[str, str], Texts],
    best: Mapping[tuple[str, str], Measure],
    judged: Sequence[JudgedRow],
    *,
    missing: Iterable[tuple[str, str]],
) -> Iterator[str]:
    yield CANNOT + " Nothing here was tried with patients, or by the people who would work with it."
    machine = sum(one.machine for one in texts.values())
    if machine:
        yield (
            f"How much of what is lacking is the translation’s: {counted(machine, 'question')} in {name}"
            " came from a machine, and may be wrong or unnatural."
        )
    absent = sorted({plain(source) for _, source in missing})
    if absent:
        yield f"Anything about {listed(absent)} in {name}: asked in other languages, not in this one."
    # Where people's ratings calibrate a judge, its number stands above.
    told = {name for name, task in tasks().items() if task.open} if any(row.calibrated for row in judged) else set()
    silent = sorted({plain(source) for task, source in texts if (task, source) not in best and task not in told})
    if silent:
        yield f"How models do on {listed(silent)}: there are questions, and no number that could be given."
    yield f"How speech, dialects and local words in {name} fare, and anything that these sources do not ask."


def use_of(task: str, source: str) -> str:
    """Say what a task, or a source that asks something of its own, is evidence about."""
    table = _uses()
    return table["source"].get(source) or table["task"].get(task) or plain(task)


@cache
def _uses() -> dict[str, dict[str, str]]:
    return tomllib.loads(files("globmed.bench.report").joinpath("uses.toml").read_text(encoding="utf-8"))


def _dollars(amount: float) -> str:
    return f"US$ {amount:.2f}"
