"""What the report says, from the evidence: sections, sentences, tables and figures, ready to be laid out."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from importlib.resources import files

from globmed.bench.analysis import ALL
from globmed.bench.baselines import BaselineRow
from globmed.bench.report.disparity import disparity_sections
from globmed.bench.report.drawing import Figure
from globmed.bench.report.effort import effort_sections
from globmed.bench.report.evidence import Evidence, PromptMark
from globmed.bench.report.figures import dots, heat_map
from globmed.bench.report.further import further_sections
from globmed.bench.report.gained import Gained, headline
from globmed.bench.report.gains_told import gain_sections
from globmed.bench.report.grid import Cell, Grid, Group, Row
from globmed.bench.report.items import Items
from globmed.bench.report.judged import open_sections
from globmed.bench.report.language_pages import LanguagePage, language_pages, use_of
from globmed.bench.report.leaderboard import leaderboard, standings_of
from globmed.bench.report.measure import Measure, Name, System, language_name
from globmed.bench.report.section import Section
from globmed.bench.report.summary import summary
from globmed.bench.report.tables import not_answered_grid
from globmed.bench.report.through import through_sections
from globmed.bench.report.transferred import transfer_sections
from globmed.bench.report.wording import count, counted, listed, plain
from globmed.bench.standings import StandingRow
from globmed.core.language import languages
from globmed.prompts import load


@dataclass(frozen=True, kw_only=True)
class Content:
    """All that is laid out; every text from models or data is free of invisible characters, and not yet escaped.

    Attributes:
        title: heading of the page.
        note: stands boxed on top; may be empty.
        sections: one a task, and one for each source of a task that has several.
        method: how the intervals were made, in words.
        left_out: a sentence on what was not asked.
        left_out_grid: the same by reason; None where nothing was left out.
        review: who wrote and who reviewed the prompts.
        made_from: hashes of data, prompts and code.
        languages: one page a language.
        items: some questions and replies.
    """

    title: str
    note: str
    sections: tuple[Section, ...]
    method: tuple[str, ...]
    left_out: str
    left_out_grid: Grid | None
    review: str
    made_from: Grid
    languages: tuple[LanguagePage, ...]
    items: Items

    @property
    def figures(self) -> tuple[Figure, ...]:
        """All figures, in order."""
        return tuple(block for section in self.sections for block in section.blocks if isinstance(block, Figure))


def content(evidence: Evidence, gained: Sequence[Gained], *, title: str, note: str) -> Content:
    """Say what the evidence shows.

    Args:
        evidence: what was read from the runs.
        gained: rows of the table of gains; none where nothing was trained.
        title: heading of the page.
        note: for the box on top.
    """
    tasks = sorted({m.task for m in evidence.measures})
    of_tasks = [
        _section(
            index,
            [m for m in evidence.measures if m.task == task],
            headline([row for row in gained if row.task == task]),
            heading="What this shows" if len(tasks) == 1 else f"What this shows: {plain(task)}",
            question_sets=evidence.question_sets,
            standings=[row for row in evidence.standings if (row.task, row.source) == (task, ALL)],
            hands=_hands(evidence, task),
            baselines=_baselines(evidence, task),
        )
        for index, task in enumerate(tasks, start=1)
    ]
    parts = sorted({(m.task, m.source) for m in evidence.by_source})
    several = [(task, source) for task, source in parts if sum(of == task for of, _ in parts) > 1]
    sections = [
        *gain_sections(gained),
        *of_tasks,
        *open_sections(evidence),
        *further_sections(evidence),
        *disparity_sections(evidence),
        *through_sections(evidence),
        *transfer_sections(evidence),
        *effort_sections(evidence),
        *(_source(evidence, *part, index=index) for index, part in enumerate(several, start=1)),
    ]
    return Content(
        title=plain(title),
        note=plain(note),
        sections=tuple(sections),
        method=tuple(files("globmed.bench.report").joinpath("method.txt").read_text(encoding="utf-8").splitlines()),
        left_out=_left_out(evidence),
        left_out_grid=_left_out_grid(evidence),
        review=review_sentence(evidence.prompts),
        made_from=_made_from(evidence),
        languages=language_pages(
            evidence.by_source, evidence.texts, gaps=evidence.gaps, costs=evidence.costs, judged=evidence.judged
        ),
        items=evidence.items,
    )


def review_sentence(prompts: Sequence[PromptMark]) -> str:
    """Say who wrote the prompts and whether native speakers have reviewed them.

    A language counts as reviewed where its row in `languages.toml` names the reviewer and every prompt used is the text
    that its file holds today, whose own first line does not say otherwise.
    """
    codes = [code for code in languages() if any(prompt.language == code for prompt in prompts)]
    reviewed = {
        code: languages()[code].reviewed_by
        for code in codes
        if languages()[code].reviewed_by and all(_reviewed(p) for p in prompts if p.language == code)
    }
    if not reviewed:
        return "Prompts were written by a language model; no native speaker has reviewed them."
    by = listed([f"{language_name(code).text} (by {plain(who)})" for code, who in reviewed.items()])
    rest = [language_name(code).text for code in codes if code not in reviewed]
    text = f"Prompts were written by a language model. A native speaker has reviewed those in {by}"
    return f"{text}; none has reviewed those in {listed(rest)}." if rest else f"{text}."


def _reviewed(used: PromptMark) -> bool:
    prompt = load(used.name, used.language)
    return prompt.hash == used.hash and "no native speaker" not in prompt.header.lower()


def _section(
    index: int,
    measures: list[Measure],
    gained: list[Gained],
    *,
    heading: str,
    question_sets: int,
    standings: Sequence[StandingRow],
    hands: Collection[System],
    baselines: Sequence[BaselineRow],
) -> Section:
    # Files and anchors carry a number rather than the task's name, which is data.
    suffix = "" if index == 1 else f"-{index}"
    blocks: list[Grid | Figure] = [
        leaderboard(measures, standings_of(standings, hands=hands), baselines=baselines),
        heat_map(measures, name=f"accuracy-heat-map{suffix}"),
        dots(measures, name=f"accuracy-intervals{suffix}"),
        not_answered_grid(measures),
    ]
    return Section(
        id=f"results{suffix}",
        heading=heading,
        summary=tuple(summary(measures, gained, standings=standings, question_sets=question_sets)),
        blocks=tuple(blocks),
    )


def _source(evidence: Evidence, task: str, source: str, *, index: int) -> Section:
    """One of several sources of a task by itself."""
    measures = [m for m in evidence.by_source if (m.task, m.source) == (task, source)]
    standings = [row for row in evidence.standings if (row.task, row.source) == (task, source)]
    return Section(
        id=f"source-{index}",
        heading=f"{plain(source)}: {use_of(task, source)}",
        summary=tuple(summary(measures, [], standings=standings)),
        blocks=(
            leaderboard(
                measures,
                standings_of(standings, hands=_hands(evidence, task)),
                baselines=_baselines(evidence, task, source),
            ),
            not_answered_grid(measures),
        ),
    )


def _baselines(evidence: Evidence, task: str, source: str = ALL) -> list[BaselineRow]:
    rows = [row for row in evidence.baselines if row.task == task]
    # Of one source there is no table of all.
    sources = {row.source for row in rows}
    return [row for row in rows if row.source == (source if source in sources else min(sources))]


def _hands(evidence: Evidence, task: str) -> set[System]:
    return {one[1:] for one in evidence.hands if one[0] == task}


def _left_out(evidence: Evidence) -> str:
    total = sum(entry.items for entry in evidence.books if entry.reason)
    read = sum(entry.items for entry in evidence.books)
    each = "each language counted by itself" + (", and each run" if evidence.question_sets > 1 else "")
    if not total:
        return f"Nothing: all {counted(read, 'question')} of the data were asked, {each}."
    return (
        f"Of {counted(read, 'question')} in the data, {count(total)} were not asked, {each}."
        " “Blocked” names the check that found a question defective."
    )


def _left_out_grid(evidence: Evidence) -> Grid | None:
    if not any(entry.reason for entry in evidence.books):
        return None
    items = {(entry.source, entry.language, entry.reason): entry.items for entry in evidence.books}
    order = list(languages())
    codes = sorted({code for _, code, _ in items}, key=lambda code: order.index(code) if code in order else len(order))
    groups = []
    for source in sorted({source for source, _, _ in items}):
        reasons = sorted({reason for of, _, reason in items if of == source and reason})
        shown = {"": "Asked", **{reason: plain(reason).capitalize() for reason in reasons}}
        rows = tuple(
            Row(
                name=Name(text=text),
                cells=tuple(Cell(value=count(items.get((source, code, reason), 0))) for code in codes),
                strong=not reason,
            )
            for reason, text in shown.items()
        )
        groups.append(Group(heading=plain(source), rows=rows))
    return Grid(
        title="Asked and left out",
        caption="Questions of the data by what became of them.",
        corner="Source and reason",
        columns=tuple(language_name(code) for code in codes),
        groups=tuple(groups),
    )


def _made_from(evidence: Evidence) -> Grid:
    groups = tuple(
        Group(
            heading=f"Run {plain(origin.run)}",
            rows=tuple(
                Row(name=Name(text=plain(what)), cells=(Cell(value=plain(mark)),)) for what, mark in origin.marks
            ),
        )
        for origin in evidence.origins
    )
    return Grid(
        title="Data, prompts and code",
        caption="A number belongs to the bytes it came from; these name them, by the first digits of their hashes.",
        corner="What",
        columns=(Name(text="Hash, version or setting"),),
        groups=groups,
        words=True,
    )
