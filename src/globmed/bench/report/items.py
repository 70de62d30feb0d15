"""Questions and replies in the report: a stated sample, for a page that holds everything that it shows.

A question stands in every language that it was asked in, with who read what from whose reply, and with some of the
replies. All of it is in the page; its script only hides what was not chosen.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from globmed.bench.asked import Asked, asked_folder, scores_folder
from globmed.bench.judging.told import Replied, verdicts_on
from globmed.bench.report.items_drawn import KINDS, Drawn, Pool, ScoredReply, Scores
from globmed.bench.report.measure import Name, answer_name, language_name
from globmed.bench.report.wording import count, counted, markdown, plain, readable
from globmed.bench.scoring import SCORES
from globmed.bench.view.records import Question, ReplyRow
from globmed.bench.view.texts import said_of
from globmed.bench.view.words import LETTERS, ORIGINS, OUTCOME_NAMES, direction, how_read
from globmed.core.item import Item
from globmed.core.language import languages
from globmed.core.store import checked_file, table

PER_TASK = 30
BYTES_MAX = 2_000_000
REPLIES_PER_LANGUAGE = 4
REPLY_CHARACTERS = 300
TEXT_CHARACTERS = 1_500

# What the page takes beside the texts, by the row, panel and question, as measured on a made-up run.
_ROW_BYTES, _PANEL_BYTES, _ITEM_BYTES = 260, 560, 420


@dataclass(frozen=True, kw_only=True)
class Read:
    """What was read from the replies of some models alike.

    Attributes:
        outcome: as `globmed.bench.scoring.Score` has it.
        became: the same in words.
        answer: letter and option; empty where none was read.
        models: whose replies; with the condition where models were asked in several ways.
    """

    outcome: str
    became: str
    answer: str
    models: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Excerpt:
    """A reply, or its beginning, how it was read, by which rule, and what judges said of it."""

    model: str
    outcome: str
    became: str
    answer: str
    rule: str
    text: str
    verdicts: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Panel:
    """A question in one language, with its replies.

    Attributes:
        name: of the language.
        code: of the language.
        direction: for `dir`.
        origin: whether it is native or translated, in words.
        context: passage or premise; may be empty.
        question: its text.
        options: letter, text, and whether it is right.
        findings: what checks found.
        reads: what was read from all replies.
        excerpts: some replies.
        replies: how many there are.
    """

    name: Name
    code: str
    direction: str
    origin: str
    context: str
    question: str
    options: tuple[tuple[str, str, bool], ...]
    findings: tuple[str, ...]
    reads: tuple[Read, ...]
    excerpts: tuple[Excerpt, ...]
    replies: int

    @property
    def size_bytes(self) -> int:
        """About how much of the page it takes."""
        texts = [self.context, self.question, *self.findings, *(text for _, text, _ in self.options)]
        texts += [part for one in self.reads for part in (one.answer, *one.models)]
        texts += [part for one in self.excerpts for part in (one.model, one.answer, one.text, *one.verdicts)]
        rows = len(self.options) + len(self.reads) + 2 * len(self.excerpts)
        return _PANEL_BYTES + _ROW_BYTES * rows + sum(len(text.encode()) + 5 for text in texts)


@dataclass(frozen=True, kw_only=True)
class Shown:
    """A question of the sample.

    Attributes:
        task: its task.
        family: its id.
        source: its source.
        kind: among what it was drawn, a key of `KINDS`.
        why: the same in words, with the language that it was drawn in.
        panels: the language it was drawn in first, then English, then all others.
    """

    task: str
    family: str
    source: str
    kind: str
    why: str
    panels: tuple[Panel, ...]

    @property
    def size_bytes(self) -> int:
        """About how much of the page it takes."""
        return _ITEM_BYTES + sum(panel.size_bytes for panel in self.panels)


@dataclass(frozen=True, kw_only=True)
class Items:
    """The sample.

    Attributes:
        sentences: how many of how many, and how they were drawn.
        shown: the questions, by task and by what they were drawn among.
        kinds: of those shown, and what each is called.
        tasks: of those shown.
        codes: languages of those shown, in the order of the table of languages, and their names.
    """

    sentences: tuple[str, ...]
    shown: tuple[Shown, ...]
    kinds: tuple[tuple[str, str], ...]
    tasks: tuple[str, ...]
    codes: tuple[tuple[str, str], ...]


def sample_items(runs: Sequence[Path], *, per_task: int = PER_TASK, bytes_max: int = BYTES_MAX, seed: int = 0) -> Items:
    """Draw questions of scored runs, and put together what is shown of them.

    Args:
        runs: folders of scored runs; one named twice counts once.
        per_task: questions of a task and run at most.
        bytes_max: what all of them may take of the page; each task and run has an equal part of it.
        seed: of the draw.

    Raises:
        InputError: a run's journal is damaged.
        HashMismatchError: scores were changed by hand.
    """
    chosen, pools = list[tuple[Path, Drawn]](), list[Pool]()
    once = list(dict.fromkeys(run.resolve() for run in runs))
    for run in once:
        with Scores(checked_file(scores_folder(run), SCORES)) as scores:
            drawn, found = scores.draw(most=per_task, seed=seed)
        chosen += [(run, one) for one in drawn]
        pools += found
    room = bytes_max // max(len({(run, one.task) for run, one in chosen}), 1)
    shown = [one for run in once for one in _fitting(_shown(run, [d for of, d in chosen if of == run]), room)]
    order = list(KINDS)
    shown.sort(key=lambda one: (one.task, order.index(one.kind)))
    codes = {panel.code for one in shown for panel in one.panels}
    return Items(
        sentences=tuple(_sentences(shown, pools)),
        shown=tuple(shown),
        kinds=tuple((kind, name) for kind, name in KINDS.items() if any(one.kind == kind for one in shown)),
        tasks=tuple(sorted({one.task for one in shown})),
        codes=tuple((plain(code), language_name(code).text) for code in _in_order(codes)),
    )


def _fitting(shown: Iterable[Shown], room: int) -> Iterator[Shown]:
    left: dict[str, int] = {}
    for one in shown:
        left[one.task] = left.get(one.task, room) - one.size_bytes
        if left[one.task] >= 0:
            yield one


def _shown(run: Path, drawn: Sequence[Drawn]) -> Iterator[Shown]:
    families = sorted({one.family for one in drawn})
    questions = _questions(run, families)
    replies: dict[tuple[str, str, str], list[ScoredReply]] = {}
    for reply in _replies(run, families):
        replies.setdefault((reply.row.task, reply.family, reply.language), []).append(reply)
    verdicts = verdicts_on(run, families)
    for one in drawn:
        asked = questions.get(one.family, {})
        first = [code for code in dict.fromkeys((one.language, "en")) if code in asked]
        codes = [*first, *(code for code in _in_order(asked) if code not in first)]
        if codes:
            yield Shown(
                task=plain(one.task),
                family=plain(one.family),
                source=plain(asked[codes[0]].source),
                kind=one.kind,
                why=f"{KINDS[one.kind]}: {language_name(one.language).text}",
                panels=tuple(
                    _panel(asked[code], replies.get((one.task, one.family, code), []), verdicts) for code in codes
                ),
            )


def _questions(run: Path, families: Sequence[str]) -> dict[str, dict[str, Question]]:
    import pyarrow as pa
    import pyarrow.compute as pc

    rows = table(asked_folder(run))
    rows = rows.filter(pc.is_in(rows["family"], pa.array(families, pa.string())))
    found: dict[str, dict[str, Question]] = {}
    for item in msgspec.convert(rows.to_pylist(), list[Item]):
        found.setdefault(item.family, {})[item.language] = Question.of(item, number=0)
    return found


def _replies(run: Path, families: Sequence[str]) -> Iterator[ScoredReply]:
    said = {_key(one.asked, one.asked.family, one.asked.language): one.reply for one in said_of(run, families)}
    with Scores(checked_file(scores_folder(run), SCORES)) as scores:
        for reply in scores.replies(families):
            found = said.get(_key(reply.row, reply.family, reply.language))
            text = {"reply": found.text, "finish": found.finish} if found else {}
            yield reply._replace(row=msgspec.structs.replace(reply.row, **text))


def _key(of: Asked | ReplyRow, family: str, language: str) -> tuple[str, str, str, int, str, str]:
    return of.model, of.revision, of.answer, of.run, family, language


def _panel(question: Question, replies: Sequence[ScoredReply], verdicts: Mapping[Replied, tuple[str, ...]]) -> Panel:
    rows = [reply.row for reply in replies]
    several = len({row.answer for row in rows}) > 1
    names = {id(row): _model(row, with_answer=several) for row in rows}
    alike: dict[tuple[str, str], list[ReplyRow]] = {}
    for row in rows:
        alike.setdefault((row.outcome, _cut(how_read(row, question), REPLY_CHARACTERS)), []).append(row)
    return Panel(
        name=language_name(question.language),
        code=plain(question.language),
        direction=direction(question.language),
        origin=ORIGINS[question.origin],
        context=_cut(question.context, TEXT_CHARACTERS),
        question=_cut(question.question, TEXT_CHARACTERS),
        options=tuple(
            (LETTERS[index], _cut(text, REPLY_CHARACTERS), index in question.answer)
            for index, text in enumerate(question.options[: len(LETTERS)])
        ),
        findings=tuple(_cut(finding, REPLY_CHARACTERS) for finding in question.findings),
        reads=tuple(
            Read(
                outcome=outcome,
                became=OUTCOME_NAMES[outcome],
                answer=answer,
                models=tuple(name for name in dict.fromkeys(names[id(row)] for row in those)),
            )
            for (outcome, answer), those in sorted(alike.items(), key=lambda one: -len(one[1]))
            # That an open answer is one says nothing.
            if outcome != "answered"
        ),
        excerpts=tuple(
            _excerpt(row, question, names[id(row)], verdicts.get(_key(row, question.family, question.language), ()))
            for row in _some(list(alike.values()))
        ),
        replies=len(rows),
    )


def _some(alike: Sequence[Sequence[ReplyRow]]) -> list[ReplyRow]:
    """Return some of the replies with a text, of as many kinds as there are."""
    with_text = [[row for row in those if row.reply and row.reply.strip()] for those in alike]
    longest = max(map(len, with_text), default=0)
    in_turn = [those[place] for place in range(longest) for those in with_text if place < len(those)]
    return in_turn[:REPLIES_PER_LANGUAGE]


def _excerpt(row: ReplyRow, question: Question, model: str, verdicts: Sequence[str]) -> Excerpt:
    return Excerpt(
        model=model,
        outcome=row.outcome,
        became=OUTCOME_NAMES[row.outcome],
        answer=_cut(how_read(row, question), REPLY_CHARACTERS),
        rule=plain(row.rule),
        text=_cut(row.reply or "", REPLY_CHARACTERS),
        verdicts=tuple(_cut(verdict, REPLY_CHARACTERS) for verdict in verdicts),
    )


def _model(row: ReplyRow, *, with_answer: bool) -> str:
    return f"{plain(row.model)} ({answer_name(row.answer)})" if with_answer else plain(row.model)


def _cut(text: str, most: int) -> str:
    return readable(text if len(text) <= most else text[:most] + "…")


def _in_order(codes: Iterable[str]) -> list[str]:
    order = list(languages())
    return sorted(codes, key=lambda code: (order.index(code) if code in order else len(order), code))


def _sentences(shown: Sequence[Shown], pools: Sequence[Pool]) -> Iterator[str]:
    totals: Counter[str] = Counter()
    for pool in pools:
        totals[pool.kind] += pool.found
    drawn = Counter(one.kind for one in shown)
    yield (
        f"This page holds {counted(len(shown), 'question')}, drawn by lot and the same each time, in all languages"
        " that they were asked in. Of replies it holds some, cut where they are long; what was read is given for all."
    )
    among = [f"{name} ({_of(drawn[kind], totals[kind])})" for kind, name in KINDS.items() if totals[kind]]
    yield f"Drawn in turn among these, each language counted by itself: {'; '.join(among)}."
    yield "To see all questions and replies, to search them, and to mark one for review: globmed bench view RUN."


def _of(drawn: int, total: int) -> str:
    return f"{count(drawn)} of {count(total)}"


def items_markdown(items: Items) -> Iterator[str]:
    """Yield the sample as blocks of Markdown: of each question its first two languages."""
    yield "## Some questions and replies"
    yield from (markdown(sentence) for sentence in items.sentences)
    for one in items.shown:
        yield f"### {_line(one.family)}"
        yield _line(f"{one.task}; {one.source}. {one.why}")
        for panel in one.panels[:2]:
            yield f"**{_line(panel.name.text)}**, {panel.origin}: {_line(f'{panel.context} {panel.question}')}"
            yield from _listed(panel)


def _listed(panel: Panel) -> Iterator[str]:
    options = [f"- {letter}: {_line(text)}{' (right)' if right else ''}" for letter, text, right in panel.options]
    reads = [f"- {one.became} {_line(one.answer)}: {_line(', '.join(one.models))}" for one in panel.reads]
    replies = [
        f"- {_line(one.model)}, rule {_line(one.rule)}: {_line(one.text)}"
        + "".join(f"\n    - Judge {_line(verdict)}" for verdict in one.verdicts)
        for one in panel.excerpts
    ]
    yield from ("\n".join(lines) for lines in (options, reads, replies) if lines)


def _line(text: str) -> str:
    return markdown(" ".join(text.split()))
