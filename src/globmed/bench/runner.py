"""Asks models the items of a benchmark, and saves their replies whole.

    data -> items chosen -> requests -> campaign, one a model -> journals

Nothing is judged here: scoring reads what this leaves and needs no model.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from globmed.bench.asked import ASKED, ITEMS, Asked, asked_folder, folder_name, journal_path, models_folder
from globmed.bench.selection import Plan, Selection
from globmed.bench.tasks import Condition, Task, task
from globmed.core.errors import TermsError, UsageError
from globmed.core.item import Item
from globmed.core.store import MANIFEST, Manifest, read_manifest, read_records, stage_hash, up_to_date, writing_stage
from globmed.models.campaign import Answered, CampaignStats, run_campaign
from globmed.models.client import Client, Message, Request, reply_key
from globmed.models.journal import Journal
from globmed.prompts import load

OnProgress = Callable[[str, CampaignStats], None]


@dataclass(frozen=True, kw_only=True)
class ModelRun:
    """What became of one model.

    Attributes:
        model: its id.
        revision: version of its weights.
        folder: name of its folder below `<run>/models`.
        in_flight: requests under way when an earlier run of it was killed: sent, perhaps paid for, and asked again.
        torn_bytes: length of a half-written reply that was cut off the journal.
        stats: of its campaign.
        failures: an error's text to the number of requests that now have it, or one that differs in numbers alone; the
            commonest first.
    """

    model: str
    revision: str
    folder: str
    failures: dict[str, int]
    in_flight: int
    torn_bytes: int
    stats: CampaignStats


@dataclass(frozen=True, kw_only=True)
class RunResult:
    """What a benchmark run did.

    Attributes:
        run: its folder.
        asked: manifest of the items asked: configuration, hashes, and what was left out by its reason.
        models: in the order given.
    """

    run: Path
    asked: Manifest
    models: tuple[ModelRun, ...]


def run_benchmark(
    models: Sequence[Client],
    *,
    data: Path,
    plan: Plan,
    out: Path,
    concurrency: int = 8,
    on_progress: OnProgress | None = None,
) -> RunResult:
    """Ask each model every item of a plan, resumably: what is in a model's journal is not asked again.

    Further models may be asked into the same folder later; their items are the same.

    Args:
        models: clients; closed at the end of their campaign.
        data: a stage of items, such as a release.
        plan: what to ask.
        out: the run's folder.
        concurrency: calls under way at once to one model.
        on_progress: called with a model's id and the state of its campaign, some five times a second.

    Raises:
        UsageError: the folder was made with other data, prompts or settings (the text says which), an asked language
            has no items, or two models have one id and revision.
        TermsError: an item that may not leave this machine, for a model that is not on it; nothing was sent.
        InterruptedRunError: stopped by a signal; what was answered is kept.
    """
    names = [folder_name(client) for client in models]
    if len(set(names)) < len(names):
        raise UsageError("two of the models have the same id and revision; ask each once")
    asking = task(plan.task)
    _try_out(models, asking, plan, concurrency)
    asked = _choose_items(data, plan, asking, out)
    _refuse_forbidden(out, models)
    done = []
    for name, client in zip(names, models, strict=True):
        _note_asked(out, name, client, asking, plan)
        done.append(_ask(out, name, client, asking, plan, concurrency=concurrency, on_progress=on_progress))
    return RunResult(run=out, asked=asked, models=tuple(done))


def _try_out(models: Sequence[Client], asking: Task, plan: Plan, concurrency: int) -> None:
    """Find out what a model cannot serve before the run's folder holds anything."""
    if concurrency < 1:
        raise UsageError(f"concurrency is {concurrency}; expected at least 1")
    for name in plan.answers:
        _prompt(asking, name)
        settings = msgspec.structs.replace(plan.settings, answer=Condition.named(name).answer)
        for client in models:
            client.sent(Request(messages=(Message("user", "?"),), options=("a", "b"), settings=settings))


def _choose_items(data: Path, plan: Plan, asking: Task, out: Path) -> Manifest:
    selection = Selection(data, plan, asking)
    prompts = {_prompt(asking, name) for name in plan.answers}
    configuration = msgspec.to_builtins(plan) | {
        "languages": selection.languages,
        "sources": selection.sources,
        "prompts": {
            f"{name}/{code}": load(name, code).hash for name in sorted(prompts) for code in selection.languages
        },
    }
    inputs = {"data": stage_hash(data)}
    folder = asked_folder(out)
    _refuse_other(folder, configuration, inputs)
    if done := up_to_date(folder, configuration=configuration, inputs=inputs):
        return done
    with writing_stage(folder, "asked", configuration=configuration, inputs=inputs) as writer:
        writer.write(ITEMS, selection.items(), Item)
        writer.counts.extend(selection.counts())
    return read_manifest(folder)


def _refuse_other(folder: Path, configuration: dict[str, Any], inputs: dict[str, str]) -> None:
    if not (folder / MANIFEST).is_file():
        return
    earlier = read_manifest(folder)
    asked = msgspec.json.decode(msgspec.json.encode(configuration | inputs))
    made = earlier.configuration | earlier.inputs
    differ = [
        f"{name} (there {_short(made.get(name))}, now {_short(asked.get(name))})"
        for name in sorted(made.keys() | asked.keys())
        if made.get(name) != asked.get(name)
    ]
    if differ:
        raise UsageError(
            f"{folder.parent}: this run was made with other {'; '.join(differ)}. Name another folder for a new run"
        )


def _refuse_forbidden(out: Path, models: Sequence[Client]) -> None:
    away = [client.model for client in models if not client.on_this_machine]
    for item in read_records(asked_folder(out), Item) if away else ():
        if not item.provenance.may_leave_machine:
            raise TermsError(
                f"{item.family}/{item.language}: its terms of use ({item.provenance.licence}) forbid sending it off "
                f"this machine, and {away[0]} is not on it. Nothing was sent. "
                f"Leave {item.source} out, or ask a local model"
            )


def _short(value: object) -> str:
    text = msgspec.json.encode(value).decode()
    return text if len(text) <= 80 else f"{text[:79]}…"


def _prompt(asking: Task, answer: str) -> str:
    mode = Condition.named(answer).answer
    if mode not in asking.prompts:
        raise UsageError(
            f"task {asking.name!r} cannot be answered by {mode!r}; it knows {', '.join(sorted(asking.prompts))}"
        )
    return asking.prompts[mode]


@dataclass(frozen=True)
class _Put:
    """An item put under a condition, in one repetition."""

    item: Item
    condition: Condition
    request: Request


def _puts(out: Path, asking: Task, plan: Plan) -> Iterator[_Put]:
    conditions = [Condition.named(name) for name in plan.answers]
    for item in read_records(asked_folder(out), Item):
        for condition in conditions:
            for run in range(plan.runs):
                yield _Put(item, condition, asking.request(item, condition=condition, run=run, settings=plan.settings))


def _note_asked(out: Path, name: str, client: Client, asking: Task, plan: Plan) -> None:
    """Write which reply will answer which item, before anything is sent."""
    configuration = {"task": asking.name, "model": client.model, "revision": client.revision}
    inputs = {"asked": stage_hash(asked_folder(out))}
    with writing_stage(models_folder(out) / name, "model", configuration=configuration, inputs=inputs) as writer:
        writer.write(ASKED, (_row(put, client, asking) for put in _puts(out, asking, plan)), Asked)


def _row(put: _Put, client: Client, asking: Task) -> Asked:
    item = put.item
    return Asked(
        task=asking.name,
        model=client.model,
        revision=client.revision,
        answer=put.condition.name,
        source=item.source,
        family=item.family,
        cluster=item.cluster,
        language=item.language,
        run=put.request.run,
        prompt_hash=load(asking.prompts[put.condition.answer], item.language).hash,
        key=reply_key(client, put.request),
    )


def _ask(
    out: Path,
    name: str,
    client: Client,
    asking: Task,
    plan: Plan,
    *,
    concurrency: int,
    on_progress: OnProgress | None,
) -> ModelRun:
    def report(stats: CampaignStats) -> None:
        if on_progress is not None:
            on_progress(client.model, stats)

    failures: Counter[str] = Counter()
    examples: dict[str, str] = {}

    def note(answered: Answered) -> None:
        if answered.reply.status == "error":
            # Texts that differ in their numbers alone are one cause; the first stands for all.
            cause = re.sub(r"\d+", "", answered.reply.finish)
            failures[examples.setdefault(cause, answered.reply.finish)] += 1

    requests = (put.request for put in _puts(out, asking, plan))
    with Journal.open(journal_path(out, name)) as journal:
        opened = journal.opened
        stats = run_campaign(requests, client, journal, concurrency=concurrency, on_answer=note, on_progress=report)
    return ModelRun(
        model=client.model,
        revision=client.revision,
        folder=name,
        failures=dict(failures.most_common()),
        in_flight=len(opened.in_flight),
        torn_bytes=opened.torn_bytes,
        stats=stats,
    )
