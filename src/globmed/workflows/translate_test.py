"""Translations into English of what a benchmark asks, by one stated model: half of what translate-test deploys.

    data -> items chosen -> <out>/originals -> <out>/replies -> <out>/to_english

The items are those that a run with the same options asks. They are translated once, by the translation machinery of the
data set but without checks, repair or a critic: what is measured is what a clinic would get. What the answer could
be read from (rationale, reference answers, rubric) is not sent along. Each translation keeps the family and language of
its original, so that it is scored as that language's. Open answers to them are translated back afterwards, by
`globmed.workflows.translate_back`.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import msgspec

from globmed.bench.selection import Plan, Selection
from globmed.bench.stand_ins import COSTS, TO_ENGLISH, TranslationCost
from globmed.bench.tasks import task
from globmed.core.errors import UsageError
from globmed.core.item import Finding, Item
from globmed.core.store import Count, Manifest, StageWriter, read_manifest, stage_hash, up_to_date, writing_stage
from globmed.data.translate.asking import NO_ANSWER, Asker, Watch, unwatched
from globmed.data.translate.drafts import Draft
from globmed.data.translate.estimate import StepEstimate
from globmed.data.translate.opening import open_by_name
from globmed.data.translate.plan import Plan as TranslationPlan
from globmed.data.translate.plan import Share
from globmed.data.translate.team import Team
from globmed.data.translate.translating import estimate_translation
from globmed.data.translate.work import Job, Work
from globmed.models.paying import Effort

_ORIGINALS = "originals"
# Between language and family in the names under which originals are translated, several of one family among them.
_SEPARATOR = "/"


@dataclass(frozen=True, kw_only=True)
class TranslateTest:
    """What is translated for a benchmark, and by whom.

    Attributes:
        data: a stage of items, such as a release.
        plan: what the benchmark asks; of its conditions nothing matters here.
        model: who translates, in the forms of `globmed.models.opening`, engines such as Apertium among them.
        out: folder for the translations and the replies they are read from.
    """

    data: Path
    plan: Plan
    model: str
    out: Path


def translate_for_test(
    test: TranslateTest,
    *,
    effort: Effort = Effort(),  # noqa: B008 - frozen
    watch: Watch = unwatched,
) -> Manifest:
    """Translate what a benchmark asks into English, resumably; what was answered once is not asked again.

    Args:
        test: what, and by whom.
        effort: how hard to ask.
        watch: gives what is told how far it is.

    Returns:
        Manifest of the stage `<out>/to_english`, whose counts say what could not be translated, and why.

    Raises:
        UsageError: no item to translate, or an unknown model, language or source.
        TermsError: an item that may not leave this machine, for a model that is not on it; nothing was sent.
        LimitReachedError: a cap or the time is used up; what was answered is kept.
        EnvironmentFailedError: the model answers nobody, or another process translates there.
    """
    job, folder = _job(test), test.out / TO_ENGLISH
    with Team(test.out, job.open_model, effort.cap) as team:
        work = Work(job, team)
        configuration = work.configuration()
        configuration |= {"models": configuration["translators"][0]["models"]}
        inputs = {"data": stage_hash(test.data)} | work.inputs()
        done = up_to_date(folder, configuration=configuration, inputs=inputs)
        if done and not any(NO_ANSWER in count.dropped for count in done.counts):
            return done
        work.refuse_forbidden()
        work.engage()
        drafts = work.translate("en", Asker(effort, attempts=job.plan.attempts, watch=watch))
    with writing_stage(folder, TO_ENGLISH, configuration=configuration, inputs=inputs) as writer:
        _write(writer, drafts)
    return read_manifest(folder)


def estimate_for_test(test: TranslateTest, *, effort: Effort = Effort()) -> list[StepEstimate]:  # noqa: B008 - frozen
    """Say what `translate_for_test` would still ask; nothing is sent.

    Raises:
        UsageError: as `translate_for_test` does.
        TermsError: as `translate_for_test` does.
    """
    return estimate_translation(_job(test, to_ask=False), effort=effort)


def count_fates(fates: Iterable[tuple[str, str, str, str]]) -> Iterator[Count]:
    """Count what became of texts, by source, language and split.

    Args:
        fates: of each text these three, and why nothing came of it; an empty reason where something did.
    """
    reasons: defaultdict[tuple[str, str, str], list[str]] = defaultdict(list)
    for source, language, split, reason in fates:
        reasons[source, language, split].append(reason)
    for (source, language, split), found in sorted(reasons.items()):
        kept, dropped = found.count(""), dict(sorted(Counter(filter(None, found)).items()))
        yield Count(source=source, language=language, split=split, read=len(found), kept=kept, dropped=dropped)


def _job(test: TranslateTest, *, to_ask: bool = True) -> Job:
    return Job(
        folder=_originals(test),
        plan=TranslationPlan(translators=(Share(test.model, 1.0),), languages=("en",), repairs=0),
        out=test.out,
        check=_unchecked,
        open_model=partial(open_by_name, to_ask=to_ask),
    )


def _originals(test: TranslateTest) -> Path:
    """Write the items to translate, each a family of its own, and return the stage's folder."""
    folder, plan = test.out / _ORIGINALS, test.plan
    asked = {name: getattr(plan, name) for name in ("task", "languages", "sources", "split", "limit", "seed")}
    inputs = {"data": stage_hash(test.data)}
    if up_to_date(folder, configuration=asked, inputs=inputs):
        return folder
    chosen = Selection(test.data, plan, task(plan.task)).items()
    items = [_as_asked(item) for item in chosen if item.language != "en"]
    if not items:
        raise UsageError(f"{test.data}: nothing to translate to English; name a language other than English")
    with writing_stage(folder, _ORIGINALS, configuration=asked, inputs=inputs) as writer:
        for (source, code), part in _parts(items).items():
            kept = writer.write(f"{source}.{code}.parquet", part, Item)
            writer.counts.append(Count(source=source, language=code, split=plan.split, read=kept, kept=kept))
    return folder


def _as_asked(item: Item) -> Item:
    family = f"{item.language}{_SEPARATOR}{item.family}"
    return msgspec.structs.replace(item, family=family, rationale="", reference=(), rubric=())


def _as_original(item: Item) -> Item:
    code, _, family = item.family.partition(_SEPARATOR)
    return msgspec.structs.replace(item, family=family, language=code)


def _parts(items: Iterable[Item]) -> dict[tuple[str, str], list[Item]]:
    parts: defaultdict[tuple[str, str], list[Item]] = defaultdict(list)
    for item in items:
        parts[item.source, item.language].append(item)
    return dict(sorted(parts.items()))


def _unchecked(_original: Item, _translation: Item) -> Sequence[Finding]:
    return ()


def _write(writer: StageWriter, drafts: Sequence[Draft]) -> None:
    made = [(_as_original(draft.translated()), draft) for draft in drafts if not draft.dropped]
    for (source, code), items in _parts(item for item, _ in made).items():
        writer.write(f"{source}.{code}.parquet", items, Item)
    writer.write(COSTS, (_cost(item, draft) for item, draft in made), TranslationCost)
    fates = ((draft.item.source, draft.item.language, draft.item.split, draft.dropped) for draft in drafts)
    writer.counts.extend(count_fates(fates))


def _cost(item: Item, draft: Draft) -> TranslationCost:
    return TranslationCost(
        family=item.family,
        language=item.language,
        input_tokens=draft.usage.input,
        output_tokens=draft.usage.output,
        cost_usd=draft.member.cost_usd(draft.usage),
    )
