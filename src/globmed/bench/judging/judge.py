"""Asks judges about the saved replies of a run: resumable, journalled, capped and priced as every campaign is."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from globmed.bench.asked import asked_folder
from globmed.bench.condition import Condition
from globmed.bench.effort import Effort
from globmed.bench.estimate import Estimate, Estimator
from globmed.bench.judging import Form, Phrasing, judge_folder, judge_journal, judges_folder, prompt_name
from globmed.bench.judging.asked import JUDGED, Judged, Questions, ToJudge, asked_again
from globmed.bench.judging.judgements import judgement
from globmed.bench.part import refuse_forbidden
from globmed.bench.puts import Put
from globmed.bench.runner import OnEstimate, OnProgress
from globmed.bench.scoring import score_inputs
from globmed.core.errors import UsageError
from globmed.core.store import MANIFEST, read_manifest, writing_stage
from globmed.models.budget import Budget, Purse
from globmed.models.campaign import Answered, Campaign, CampaignStats, run_campaigns
from globmed.models.catalog import price_of
from globmed.models.client import Client, Request, Settings, reply_key
from globmed.models.failures import FailureKinds
from globmed.models.journal import Journal
from globmed.models.journal_survey import survey
from globmed.models.paying import journal_name, price_to_pay
from globmed.models.price import Price
from globmed.prompts import load

SETTINGS = Settings(max_tokens=1024)
"""How a judge replies: room for a reason, and no chance in it."""


@dataclass(frozen=True, kw_only=True)
class Manner:
    """In what manner judges are asked.

    Attributes:
        phrasing: of their prompt.
        settings: how they reply.
        more: how often a verdict that cannot be read is asked for again, at most, with chance in the reply.
    """

    phrasing: Phrasing = "plain"
    settings: Settings = SETTINGS
    more: int = 1

    def __post_init__(self) -> None:
        """Refuse what cannot be.

        Raises:
            UsageError: `more` is below 0.
        """
        if self.more < 0:
            raise UsageError(f"a verdict asked for again {self.more} times; expected 0 or more")


@dataclass(frozen=True, kw_only=True)
class JudgeRun:
    """What became of one judge.

    Attributes:
        judge: its id.
        folder: name of its folder below `<run>/judges`.
        in_flight: requests under way when an earlier process was killed: perhaps paid for, and asked again.
        failures: an error's text to the number of requests that now have it.
        stats: of its campaign.
        again: of the campaigns after it, each asking once more for the verdicts that could not be read.
    """

    judge: str
    folder: str
    in_flight: int
    failures: dict[str, int]
    stats: CampaignStats
    again: tuple[CampaignStats, ...] = ()

    @property
    def cost_usd(self) -> float | None:
        """What was paid now, all attempts included; None where the price is not known."""
        costs = [one.cost_usd for one in (self.stats, *self.again)]
        return None if None in costs else sum(cost for cost in costs if cost is not None)


@dataclass(frozen=True, kw_only=True)
class JudgingResult:
    """What judges were to be asked, in the order given, and what became of each; of none where none was asked."""

    estimates: tuple[Estimate, ...]
    judges: tuple[JudgeRun, ...]


@dataclass(frozen=True)
class _Bench:
    """One judge at its work."""

    run: Path
    judge: Client
    journal: Journal
    price: Price | None
    purse: Purse
    questions: Questions
    manner: Manner

    @property
    def form(self) -> Form:
        return self.questions.form

    @property
    def folder(self) -> Path:
        return judge_folder(self.run, journal_name(self.judge), self.form, self.manner.phrasing)

    def requests(self) -> Iterator[Request]:
        return (one.request for one in self.questions.put_to(self.judge) if one.request is not None)

    def unread(self, attempt: int) -> list[Request]:
        """Return the requests of an attempt: where each attempt before it was answered, and none can be read."""
        asked = (one for one in self.questions.put_to(self.judge) if one.request is not None)
        return [asked_again(one.request, attempt) for one in asked if one.request and self._is_unread(one, attempt)]

    def _is_unread(self, one: ToJudge, attempts: int) -> bool:
        assert one.request is not None, "nothing was asked"
        keys = [reply_key(self.judge, asked_again(one.request, attempt)) for attempt in range(attempts)]
        saved = {key: found.reply for key in keys if (found := self.journal.saved(key)) is not None}
        said = judgement(msgspec.structs.replace(one.row, key=keys[0], again=tuple(keys[1:])), saved)
        return said is not None and said.status == "unreadable"

    def prepare(self) -> Estimate:
        """Write which verdict will be about which reply, before anything is sent, and add up what it will take."""
        estimator = Estimator(self.judge, self.journal, self.price, undecided=False)
        with writing_stage(
            self.folder, "judged", configuration=self._configuration(), inputs=score_inputs(self.run)
        ) as writer:
            writer.write(JUDGED, (self._row(one, estimator) for one in self.questions.put_to(self.judge)), Judged)
        self.purse.spend(self.purse.amount(estimator.unknown))
        return estimator.result()

    def _row(self, one: ToJudge, estimator: Estimator) -> Judged:
        if one.request is None:
            return one.row
        key = reply_key(self.judge, one.request)
        estimator.add(Put(one.item, Condition(), one.request), key)
        again = (reply_key(self.judge, asked_again(one.request, 1 + more)) for more in range(self.manner.more))
        return msgspec.structs.replace(one.row, key=key, again=tuple(again))

    def _configuration(self) -> dict[str, Any]:
        return {
            "judge": self.judge.model,
            "revision": self.judge.revision,
            "place": self.judge.pace.place,
            "form": self.form,
            "phrasing": self.manner.phrasing,
            "settings": msgspec.to_builtins(self.manner.settings),
            "more": self.manner.more,
            "prompts": _prompts(self.run, self.form, self.manner.phrasing),
        }

    def refuse_other(self) -> None:
        """Refuse to go on with other settings, prompts or attempts: what is there would count for nothing."""
        if not (self.folder / MANIFEST).is_file():
            return
        there, now = read_manifest(self.folder).configuration, self._configuration()
        names = {"settings": "settings", "prompts": "prompts", "more": "attempts"}
        if differ := [told for name, told in names.items() if there.get(name) != now[name]]:
            raise UsageError(
                f"{self.folder}: was judged with other {' and '.join(differ)}. Keep to them, or remove the folder to "
                "judge anew; replies to the same request are not paid for again"
            )


def judge_run(
    run: Path,
    judges: Sequence[Client],
    *,
    form: Form,
    manner: Manner = Manner(),
    effort: Effort = Effort(),  # noqa: B008 - frozen
    on_estimate: OnEstimate | None = None,
    on_progress: OnProgress | None = None,
) -> JudgingResult:
    """Ask judges about every reply of a run; what is in a judge's journal is not asked again.

    Args:
        run: a run's folder, all its replies saved.
        judges: clients; closed at the end of their campaign.
        form: how they are asked (`globmed.bench.judging.asked.form_of`).
        manner: phrasing, settings, and attempts at a verdict that cannot be read.
        effort: how hard to ask.
        on_estimate: called with what each judge is to be asked, before it is.
        on_progress: called with a judge's id and the state of its campaign.

    Raises:
        UsageError: replies are missing, two judges are one model, one has judged the run with other settings, prompts
            or attempts, or a cap in dollars for a judge without a price.
        TermsError: an item that may not leave this machine, for a judge that is not on it; nothing was sent.
        LimitReachedError: a cap or the time is used up; what was answered is kept.
        InterruptedRunError: stopped by a signal; what was answered is kept.
        EnvironmentFailedError: another process judges the run, the disk is full, or an endpoint answers nobody.
    """
    began = time.monotonic()
    names = [journal_name(judge) for judge in judges]
    if len(set(names)) < len(names):
        raise UsageError("two of the judges have the same id and revision; ask each once")
    prices = [price_to_pay(judge, effort.cap) for judge in judges]
    refuse_forbidden(run, judges)
    questions = Questions(run, form, manner.settings, manner.phrasing)
    with ExitStack() as stack:
        budget, benches = Budget(effort.cap), list[_Bench]()
        for name, judge, price in zip(names, judges, prices, strict=True):
            journal = stack.enter_context(Journal.open(judge_journal(run, name)))
            purse = Purse(budget, price)
            benches.append(_Bench(run, judge, journal, price, purse, questions, manner))
            benches[-1].refuse_other()
        _count_spent(run, benches, budget)
        estimates = [bench.prepare() for bench in benches]
        if on_estimate is not None:
            on_estimate(estimates)
        done = [] if effort.estimate_only else _ask(benches, effort, on_progress, began=began)
    return JudgingResult(estimates=tuple(estimates), judges=tuple(done))


def _prompts(run: Path, form: Form, phrasing: Phrasing) -> Mapping[str, str]:
    """Return the hash of the prompt of each language that the run asks in."""
    codes = read_manifest(asked_folder(run)).configuration["languages"]
    name = prompt_name(form, phrasing)
    return {f"{name}/{code}": load(name, code).hash for code in codes}


def _count_spent(run: Path, benches: Sequence[_Bench], budget: Budget) -> None:
    """Count what judging this run has cost: these judges before, and others that are not asked now."""
    for bench in benches:
        bench.purse.spent_before(bench.journal.opened.usage, requests=len(bench.journal))
    asked_now = {bench.journal.path for bench in benches}
    for stage in sorted(judges_folder(run).glob(f"*/*/{MANIFEST}")):
        name = stage.parents[1].name
        journal = judge_journal(run, name)
        if journal in asked_now or not journal.is_file():
            continue
        asked_now.add(journal)
        judge = read_manifest(stage.parent).configuration
        found = survey(journal)
        price = price_of(judge["judge"], place=judge["place"])
        Purse(budget, price).spent_before(found.usage, requests=found.replies)


def _ask(benches: Sequence[_Bench], effort: Effort, on_progress: OnProgress | None, *, began: float) -> list[JudgeRun]:
    failures = [FailureKinds() for _ in benches]
    rounds = [_round(benches, [bench.requests() for bench in benches], failures, effort, on_progress, began)]
    for attempt in range(1, 1 + max((bench.manner.more for bench in benches), default=0)):
        unread = [bench.unread(attempt) for bench in benches]
        if not any(unread):
            break
        rounds.append(_round(benches, unread, failures, effort, on_progress, began))
    return [
        JudgeRun(
            judge=bench.judge.model,
            folder=journal_name(bench.judge),
            in_flight=len(bench.journal.opened.in_flight),
            failures=kinds.commonest_first(),
            stats=stats[0],
            again=tuple(stats[1:]),
        )
        for bench, kinds, stats in zip(benches, failures, zip(*rounds, strict=True), strict=True)
    ]


def _round(
    benches: Sequence[_Bench],
    requests: Sequence[Iterable[Request]],
    failures: Sequence[FailureKinds],
    effort: Effort,
    on_progress: OnProgress | None,
    began: float,
) -> list[CampaignStats]:
    """Ask every judge its requests; clients open again what an earlier round closed."""

    def noting(kinds: FailureKinds, answered: Answered) -> None:
        if answered.reply.status == "error":
            kinds.add(answered.reply.finish)

    campaigns = [
        Campaign(
            requests=asked,
            client=bench.judge,
            journal=bench.journal,
            purse=bench.purse,
            on_answer=partial(noting, kinds),
            on_progress=partial(on_progress, bench.judge.model) if on_progress is not None else None,
        )
        for bench, asked, kinds in zip(benches, requests, failures, strict=True)
    ]
    patience = effort.patience
    if patience.seconds is not None:
        left = max(patience.seconds - (time.monotonic() - began), 0.0)
        patience = msgspec.structs.replace(patience, seconds=left)
    return run_campaigns(campaigns, concurrency=effort.concurrency, patience=patience)
