"""The stage `translate`: `<out>/translate` with originals and translations side by side, resumably.

What models reply lies in `<out>/replies`, one journal a model, and is never asked again: not after a crash, not when a
language is added, and not when the stage is made anew from it. Beside the items lies `dropped.jsonl`: each translation
that did not pass, with the reason and the steps it went through.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import chain

import msgspec

from globmed.core.dataset import ItemFile
from globmed.core.item import Finding, Item, Split, Step
from globmed.core.store import Count, Manifest, StageWriter, read_manifest, read_records, up_to_date, writing_stage
from globmed.data.translate.asking import NO_ANSWER, Asker, Watch, unwatched
from globmed.data.translate.drafts import Draft
from globmed.data.translate.estimate import Estimates, StepEstimate
from globmed.data.translate.team import Team
from globmed.data.translate.verdict import judge
from globmed.data.translate.work import STAGE, Job, Work
from globmed.models.paying import Effort

DROPPED = "dropped.jsonl"
NO_ORIGINAL = "no text in the language to translate from"


class DroppedTranslation(msgspec.Struct, frozen=True, kw_only=True):
    """One row of `dropped.jsonl`: a translation that did not pass.

    Attributes:
        family: the question.
        source: name of its source.
        split: part it belongs to.
        language: translated into.
        model: the translator.
        reason: why it was dropped.
        findings: what the checks found.
        texts: the translation as far as it came, by field id.
        steps: how it was made.
    """

    family: str
    source: str
    split: Split
    language: str
    model: str
    reason: str
    findings: tuple[Finding, ...]
    texts: dict[str, str]
    steps: tuple[Step, ...]


def translate_dataset(job: Job, *, effort: Effort = Effort(), watch: Watch = unwatched) -> Manifest:  # noqa: B008 - frozen
    """Translate a stage of items into `<out>/translate`, unless just that was already done.

    Args:
        job: what is to be done.
        effort: how hard to ask.
        watch: gives what is told how far each step is.

    Returns:
        The stage's manifest, whose counts say for each language how many translations were kept and dropped, and why.

    Raises:
        UsageError: an unknown model or language, a model that would judge itself, or a cap in dollars without a price.
        TermsError: an item that may not leave this machine, for a model that is not on it; nothing was sent.
        LimitReachedError: a cap or the time is used up; what was answered is kept.
        InterruptedRunError: stopped by a signal; what was answered is kept.
        EnvironmentFailedError: the disk is full, another process translates there, or a model answers nobody.
    """
    with Team(job.out, job.open_model, effort.cap) as team:
        work = Work(job, team)
        configuration, inputs = work.configuration(), work.inputs()
        folder = job.out / STAGE
        finished = up_to_date(folder, configuration=configuration, inputs=inputs)
        if finished and not any(NO_ANSWER in count.dropped for count in finished.counts):
            return finished
        work.refuse_forbidden()
        work.engage()
        asker = Asker(effort, attempts=job.plan.attempts, watch=watch)
        with writing_stage(folder, STAGE, configuration=configuration, inputs=inputs) as writer:
            _write(writer, work, asker)
    return read_manifest(folder)


def estimate_translation(job: Job, *, effort: Effort = Effort()) -> list[StepEstimate]:  # noqa: B008 - frozen
    """Say what `translate_dataset` would still ask, by language, step and model; nothing is sent.

    Raises:
        UsageError: as `translate_dataset` does.
        TermsError: as `translate_dataset` does.
    """
    estimates = Estimates()
    with Team(job.out, job.open_model, effort.cap) as team:
        work = Work(job, team)
        work.refuse_forbidden()
        work.engage()
        asker = Asker(effort, attempts=job.plan.attempts, estimates=estimates)
        for target in job.plan.languages:
            work.translate(target, asker)
    return estimates.result()


def _write(writer: StageWriter, work: Work, asker: Asker) -> None:
    """Write every language, those that are translated into one after the other."""
    of_language: defaultdict[str, list[ItemFile]] = defaultdict(list)
    for file in work.files:
        of_language[file.language].append(file)
    dropped: list[DroppedTranslation] = []
    for code in sorted({*of_language, *work.plan.languages}):
        made: defaultdict[str, list[Item]] = defaultdict(list)
        books = _Books(code)
        if code in work.plan.languages:
            for item in work.without_original(code):
                books.count(item, NO_ORIGINAL)
            for draft in work.translate(code, asker):
                findings = judge(draft, work.plan)
                books.count(draft.item, draft.dropped)
                if draft.dropped:
                    dropped.append(_dropped(draft))
                else:
                    made[draft.item.source].append(draft.translated(findings))
        for source in sorted({*made, *(file.source for file in of_language[code])}):
            names = [file.name for file in of_language[code] if file.source == source]
            there = (item for name in names for item in read_records(work.job.folder, Item, prefix=name))
            items = chain((books.seen(item) for item in there), made[source])
            writer.write(f"{source}.{code}.parquet", items, Item)
        writer.counts.extend(books.counts())
    writer.write(DROPPED, dropped, DroppedTranslation)


class _Books:
    """Counts what becomes of the items of one language."""

    def __init__(self, language: str) -> None:
        self._language = language
        self._kept: Counter[tuple[str, Split]] = Counter()
        self._dropped: defaultdict[tuple[str, Split], Counter[str]] = defaultdict(Counter)

    def seen(self, item: Item) -> Item:
        """Count an item that was there, and pass it on."""
        self._kept[item.source, item.split] += 1
        return item

    def count(self, item: Item, reason: str) -> None:
        """Count what was to be translated."""
        if reason:
            self._dropped[item.source, item.split][reason] += 1
        else:
            self._kept[item.source, item.split] += 1

    def counts(self) -> Iterator[Count]:
        for source, split in sorted({*self._kept, *self._dropped}):
            kept, dropped = self._kept[source, split], dict(sorted(self._dropped[source, split].items()))
            yield Count(
                source=source,
                language=self._language,
                split=split,
                read=kept + sum(dropped.values()),
                kept=kept,
                dropped=dropped,
            )


def _dropped(draft: Draft) -> DroppedTranslation:
    return DroppedTranslation(
        family=draft.item.family,
        source=draft.item.source,
        split=draft.item.split,
        language=draft.target,
        model=draft.member.name,
        reason=draft.dropped,
        findings=tuple(draft.findings),
        texts=draft.texts,
        steps=tuple(draft.steps),
    )
