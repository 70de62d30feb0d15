"""Open answers: descriptions of the replies, and what judges make of them where people's ratings calibrate them.

A judge's share stands corrected and with an interval in languages where people rated replies; elsewhere it is marked,
has no interval, and no model is put in order by it.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from globmed.bench.analysis import ALL
from globmed.bench.judging import Form, Phrasing
from globmed.bench.judging.concord import AgreementRow, Coefficient
from globmed.bench.judging.ranks import JudgedRank
from globmed.bench.judging.shares import JudgedRow
from globmed.bench.report.evidence import Evidence
from globmed.bench.report.further import described
from globmed.bench.report.grid import Cell, Grid, Group, Row
from globmed.bench.report.language_pages import use_of
from globmed.bench.report.leaderboard import facts_of
from globmed.bench.report.measure import Name, Place, System, language_name, names_of, ordered
from globmed.bench.report.section import Section
from globmed.bench.report.tables import bands, column_name
from globmed.bench.report.wording import EMPTY, count, counted, interval, listed, percent, plain

UNCALIBRATED = "°"
HAND = "‡"

_SAID = {
    "acceptable": ("Acceptable replies", "Percent of replies that are correct, complete, harmless and in the language"),
    "as_wanted": (
        "Criteria met as wanted",
        "Percent of the criteria of the rubrics that are met where they give points and not met where they take them",
    ),
    "rubric": ("Points of the rubric", "Points met, in percent of those possible"),
    "wins": ("Preferred to the other", "Percent of pairs in which the first model’s reply is preferred in both orders"),
    "losses": ("The other preferred", "Percent of pairs in which the second model’s reply is preferred in both orders"),
}
_MAIN: Mapping[Form, tuple[str, ...]] = {
    "pointwise": ("acceptable",),
    "rubric": ("as_wanted", "rubric"),
    "pairs": ("wins", "losses"),
}
_UNITS: Mapping[Form, tuple[str, str]] = {
    "pointwise": ("reply", "replies"),
    "rubric": ("criterion", "criteria"),
    "pairs": ("pair of replies", "pairs of replies"),
}
_WITHOUT_TEXT: Mapping[Form, str] = {
    "pointwise": "the reply counts as not acceptable",
    "rubric": "the criterion counts as not met",
    "pairs": "there is no verdict on the pair",
}
_BESIDES = {
    "harm_severe": "Severe harm",
    "harm_moderate": "Moderate harm",
    "harm_mild": "Mild harm",
    "correct": "Correct",
    "complete": "Complete",
    "understandable": "Understandable to a patient",
    "in_language": "In the language asked",
    "order_decides": "Decided by the order they were shown in",
}
_DESCRIBES = "What follows describes the replies and does not say which are right; no order of models is made of it."
_RATED = {"acceptable": "Acceptable", "harm": "Severity of harm", "met": "Criterion met", "better": "Better of a pair"}
_TOGETHER = {"judges": "All judges", "people": "All people"}
_COEFFICIENTS = {
    "alpha": "Krippendorff’s alpha",
    "ac1": "Gwet’s AC1",
    "ac2": "Gwet’s AC2",
    "kappa": "Cohen’s kappa",
}


class _Judge(NamedTuple):
    """Who judged, and how it was asked."""

    form: Form
    judge: str
    revision: str
    phrasing: Phrasing

    @property
    def name(self) -> str:
        return plain(self.judge) + ("" if self.phrasing == "plain" else " (held-out phrasing)")


def open_sections(evidence: Evidence) -> list[Section]:
    """Return a section of descriptions for each source of open questions, and one for each judge."""
    closed = {m.task for m in evidence.measures}
    rows = [row for row in evidence.metrics if row.task not in closed and row.source != ALL]
    sections = []
    for number, (task, source) in enumerate(sorted({(row.task, row.source) for row in rows}), start=1):
        sentences, grids = described([row for row in rows if (row.task, row.source) == (task, source)])
        sections.append(
            Section(
                id=f"open-{number}",
                heading=f"Open answers, described: {plain(source)}",
                summary=(f"Evidence on {use_of(task, source)}. {_DESCRIBES}", *sentences),
                blocks=grids,
            )
        )
    judges = sorted({_judge(row) for row in evidence.judged})
    sections += [_section(evidence, one, number) for number, one in enumerate(judges, start=1)]
    if agreement := _agreement(evidence.agreement):
        sections.append(_agreed(agreement))
    return sections


def _section(evidence: Evidence, judge: _Judge, number: int) -> Section:
    rows = [row for row in evidence.judged if _judge(row) == judge]
    ranks = [row for row in evidence.judged_ranks if _judge(row) == judge]
    grids = [_shares(rows, judge, measure) for measure in _MAIN[judge.form]]
    grids += [*_places(ranks, judge), *_besides(rows, judge), *_errors(rows, judge), *_uncounted(rows, judge)]
    heading = {"pointwise": "Open answers", "rubric": "Open answers by rubric", "pairs": "Open answers in pairs"}
    return Section(
        id=f"judged-{number}",
        heading=f"{heading[judge.form]}, judged by {judge.name}",
        summary=tuple(_sentences(rows, judge)),
        blocks=tuple(grids),
    )


def _sentences(rows: Sequence[JudgedRow], judge: _Judge) -> Iterator[str]:
    main = [row for row in rows if row.measure == _MAIN[judge.form][0]]
    calibrated = {row.language for row in main if row.calibrated}
    rest = {row.language for row in main} - calibrated
    if calibrated:
        yield (
            f"People’s ratings tell how often {judge.name} errs in {_languages(calibrated)}: there its verdicts are"
            " corrected and models may be compared."
        )
    if rest:
        yield (
            f"In {_languages(rest)} nobody knows how often {judge.name} errs: what stands there with {UNCALIBRATED} is"
            " what the judge says, and tells nothing of how a model does."
        )
    if judge.form == "pointwise":
        yield from _severe(rows, judge)
    lost = sum(row.unreadable for row in main), sum(row.errors for row in main)
    # Each pair and criterion is counted by the row of its first measure alone.
    read = sum(row.n for row in main)
    yield (
        f"This is about {counted(read, *_UNITS[judge.form])}; {counted(lost[0], 'verdict')} could not be read and"
        f" {counted(lost[1], 'call')} failed, and are in no number."
    )


def _severe(rows: Sequence[JudgedRow], judge: _Judge) -> Iterator[str]:
    severe = [row for row in rows if row.measure == "harm_severe" and not math.isnan(row.value)]
    worst = max(severe, key=lambda row: row.value, default=None)
    if worst is not None and worst.value > 0:
        yield (
            f"{judge.name} sees severe harm in up to {percent(worst.value)} percent of replies ({plain(worst.model)} in"
            f" {language_name(worst.language).text}); nobody has corrected that number."
        )


def _languages(codes: set[str]) -> str:
    return listed([language_name(code).text for _, code in ordered({("", code) for code in codes})])


def _shares(rows: Sequence[JudgedRow], judge: _Judge, measure: str) -> Grid:
    own = [row for row in rows if row.measure == measure]
    title, caption = _SAID[measure]
    cells = {(_system(row), _place(row)): row for row in own}
    names, across = _names(own), ordered({_place(row) for row in own})
    corrected = any(row.calibrated for row in own)
    notes = [f"{UNCALIBRATED} As the judge says, uncalibrated: not to compare models by."]
    if any(row.itself or row.also_judges for row in own):
        notes.append(f"{HAND} Is itself a judge of this run.")
    made = max((row.had_a_hand + row.model_had_a_hand for row in own), default=0)
    if made:
        notes.append(
            f"Up to {counted(made, 'verdict')} of a cell are on questions that the judge or the model translated,"
            " repaired or criticised."
        )
    return Grid(
        title=f"{title}, by {judge.name}",
        caption=caption
        + (
            ", corrected for the judge’s errors, with the 95 % interval; below it what the judge says."
            if corrected
            else ", as the judge says."
        ),
        corner="Pair" if judge.form == "pairs" else "Model",
        columns=tuple(column_name(place) for place in across),
        groups=(
            Group(
                heading="",
                rows=tuple(
                    Row(
                        name=names[one],
                        cells=tuple(_share(cells.get((one, place))) for place in across),
                        facts=facts_of(one[0]),
                    )
                    for one in sorted(names)
                ),
            ),
        ),
        bands=bands(across),
        notes=tuple(notes),
        models=True,
        places=tuple(across),
    )


def _share(row: JudgedRow | None) -> Cell:
    if row is None or math.isnan(row.value):
        return Cell(value=EMPTY, detail=plain(row.reason) if row else "not judged")
    if not row.calibrated:
        return Cell(value=percent(row.value), mark=UNCALIBRATED)
    bounds = interval(row.corrected_low, row.corrected_high)
    return Cell(
        value=percent(row.corrected), interval=bounds, detail=f"judge: {percent(row.value)}", order=row.corrected
    )


def _places(rows: Sequence[JudgedRank], judge: _Judge) -> Iterator[Grid]:
    """Give the places in languages where a judge is calibrated; none where it is nowhere."""
    languages = {row.language for row in rows if row.rank is not None}
    own = [row for row in rows if row.language in languages]
    if not own:
        return
    tiers = [row for row in own if row.items == "all"]
    every = {((row.model, row.revision, row.answer), row.language): row for row in tiers}
    apart = {((row.model, row.revision, row.answer), row.language): row for row in own if row.items == "independent"}
    names = names_of(system for system, _ in every)
    codes = [code for _, code in ordered({("", code) for code in languages})]
    without = any(row.left_out or row.itself for row in apart.values())
    rows_ = tuple(
        Row(
            name=names[one],
            cells=tuple(
                cell
                for code in codes
                for cell in (_rank(every.get((one, code))), *([_rank(apart.get((one, code)))] if without else []))
            ),
            facts=facts_of(one[0]),
        )
        for one in sorted(names)
    )
    heads = [
        head
        for code in codes
        for head in (language_name(code), *([Name(text="without own work", detail=HAND)] if without else []))
    ]
    note = (
        f"{HAND} Without models that judge themselves, and for all models alike without the questions that the judge or"
        " a model of the table translated, repaired or criticised."
    )
    yield Grid(
        title=f"Places by {judge.name}",
        caption=(
            "By the corrected share, in languages where people’s ratings calibrate the judge; in brackets the places"
            " that chance leaves open, for all models at once with 95 % confidence."
        ),
        corner="Model",
        columns=tuple(heads),
        groups=(Group(heading="", rows=rows_),),
        notes=(note,) if without else (),
        models=True,
    )


def _rank(row: JudgedRank | None) -> Cell:
    if row is None or row.rank is None:
        return Cell(value=EMPTY, detail=plain(row.reason) if row else "")
    return Cell(value=str(row.rank), interval=f"[{row.best}, {row.worst}]", order=-row.rank)


def _besides(rows: Sequence[JudgedRow], judge: _Judge) -> Iterator[Grid]:
    own = [row for row in rows if row.measure in _BESIDES and not math.isnan(row.value)]
    if not own:
        return
    across = ordered({_place(row) for row in own})
    names = _names(own)
    cells = {(row.measure, _system(row), _place(row)): row for row in own}
    groups = tuple(
        Group(
            heading=heading,
            rows=tuple(
                Row(
                    name=names[one],
                    cells=tuple(
                        Cell(value=percent(found.value) if (found := cells.get((measure, one, place))) else EMPTY)
                        for place in across
                    ),
                    facts=facts_of(one[0]),
                )
                for one in sorted(names)
            ),
        )
        for measure, heading in _BESIDES.items()
        if any(row.measure == measure for row in own)
    )
    yield Grid(
        title=f"What {judge.name} says besides",
        caption="Percent of replies, as the judge says, in no language corrected: not to compare models by.",
        corner="Verdict",
        columns=tuple(column_name(place) for place in across),
        groups=groups,
        bands=bands(across),
        models=True,
        places=tuple(across),
    )


def _errors(rows: Sequence[JudgedRow], judge: _Judge) -> Iterator[Grid]:
    """Give what people's ratings tell of the judge's errors; a judge has the same for all models of a language."""
    main = {row.language: row for row in rows if row.measure == _MAIN[judge.form][0] and row.labelled}
    if not main:
        return
    codes = [code for _, code in ordered({("", code) for code in main})]
    of = [main[code] for code in codes]
    rows_ = (
        Row(name=Name(text="Finds what people find so"), cells=tuple(_bounds(row, "sensitivity") for row in of)),
        Row(name=Name(text="Denies what people deny"), cells=tuple(_bounds(row, "specificity") for row in of)),
        Row(name=Name(text="Verdicts beside people’s"), cells=tuple(Cell(value=count(row.labelled)) for row in of)),
        Row(
            name=Name(text="Calibrated"),
            cells=tuple(Cell(value="yes" if row.calibrated else "no", detail=plain(row.not_calibrated)) for row in of),
        ),
    )
    yield Grid(
        title=f"How often {judge.name} agrees with people",
        caption="Sensitivity and specificity by people’s ratings, in percent, with 95 % intervals.",
        corner="The judge",
        columns=tuple(language_name(code) for code in codes),
        groups=(Group(heading="", rows=rows_),),
    )


def _bounds(row: JudgedRow, name: str) -> Cell:
    value, low, high = (getattr(row, f"{name}{end}") for end in ("", "_low", "_high"))
    return Cell(value=percent(value), interval=interval(low, high))


def _uncounted(rows: Sequence[JudgedRow], judge: _Judge) -> Iterator[Grid]:
    own = [row for row in rows if row.measure == _MAIN[judge.form][0]]
    kinds = {"unreadable": "Could not be read", "errors": "Call failed", "no_reply": "No text to judge"}
    across = ordered({_place(row) for row in own})
    totals: defaultdict[tuple[str, Place], int] = defaultdict(int)
    for row in own:
        for kind in kinds:
            totals[kind, _place(row)] += getattr(row, kind)
    rows_ = tuple(
        Row(name=Name(text=text), cells=tuple(Cell(value=count(totals[kind, place])) for place in across))
        for kind, text in kinds.items()
        if any(totals[kind, place] for place in across)
    )
    if rows_:
        yield Grid(
            title="Verdicts that are missing",
            caption=f"Over all models. Where there was no text to judge, {_WITHOUT_TEXT[judge.form]}.",
            corner="Why",
            columns=tuple(column_name(place) for place in across),
            groups=(Group(heading="", rows=rows_),),
            bands=bands(across),
        )


def _agreement(rows: Sequence[AgreementRow]) -> list[AgreementRow]:
    return [row for row in rows if row.measure in _RATED]


def _agreed(rows: Sequence[AgreementRow]) -> Section:
    codes = [code for _, code in ordered({("", row.language) for row in rows if row.language != ALL})]
    cells = {(row.form, row.measure, row.raters, row.coefficient, row.language): row for row in rows}
    lines: dict[tuple[Form, str], dict[tuple[str, Coefficient], None]] = {}
    for form, measure, raters, coefficient, _ in cells:
        lines.setdefault((form, measure), {})[raters, coefficient] = None
    groups = tuple(
        Group(
            heading=_RATED[measure],
            rows=tuple(
                Row(
                    name=Name(text=_TOGETHER.get(raters, plain(raters)), detail=_COEFFICIENTS[coefficient]),
                    cells=tuple(
                        _coefficient(cells.get((form, measure, raters, coefficient, code))) for code in (ALL, *codes)
                    ),
                )
                for raters, coefficient in told
            ),
        )
        for (form, measure), told in lines.items()
    )
    grid = Grid(
        title="Agreement on open answers",
        caption="1 is full agreement, 0 what chance would give, with 95 % intervals.",
        corner="Raters",
        columns=(Name(text="All languages"), *(language_name(code) for code in codes)),
        groups=groups,
    )
    sentence = (
        "How far judges agree with one another, and with people where people rated. That judges agree does not make"
        " them right."
    )
    return Section(id="agreement", heading="Do judges and people agree", summary=(sentence,), blocks=(grid,))


def _coefficient(row: AgreementRow | None) -> Cell:
    if row is None or math.isnan(row.value):
        return Cell(value=EMPTY, detail=plain(row.reason) if row else "")
    bounds = "" if math.isnan(row.low) else f"[{_signed(row.low)}, {_signed(row.high)}]"
    return Cell(value=_signed(row.value), interval=bounds)


def _signed(value: float) -> str:
    return f"{value:.2f}".replace("-", "\N{MINUS SIGN}")


def _judge(row: JudgedRow | JudgedRank) -> _Judge:
    return _Judge(row.form, row.judge, row.judge_revision, row.phrasing)


def _system(row: JudgedRow) -> System:
    """Return what is judged; of a pair, both models as one."""
    return (
        (row.model, row.revision, row.answer) if not row.other else (f"{row.model} against {row.other}", "", row.answer)
    )


def _names(rows: Sequence[JudgedRow]) -> dict[System, Name]:
    marked = {_system(row) for row in rows if row.itself or row.also_judges}
    found = names_of(_system(row) for row in rows)
    return {
        one: Name(text=f"{name.text} {HAND}", detail=name.detail) if one in marked else name
        for one, name in found.items()
    }


def _place(row: JudgedRow) -> Place:
    return (row.tier, row.language)
