"""What is translated, by whom, and the way of each language through the steps."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec

from globmed.core.dataset import item_files, read_items
from globmed.core.errors import UsageError
from globmed.core.item import Item
from globmed.core.store import read_manifest, stage_hash
from globmed.data.pairs import Glossary
from globmed.data.translate.asking import Asker
from globmed.data.translate.drafts import Draft
from globmed.data.translate.fields import item_texts
from globmed.data.translate.filling import Filler
from globmed.data.translate.memory import Memory, read_memory
from globmed.data.translate.originals import Originals
from globmed.data.translate.plan import Plan
from globmed.data.translate.steps import Check, Steps
from globmed.data.translate.team import Member, OpenModel, Team, refuse_forbidden
from globmed.data.translate.wording import StepName, TermFinder, prompt_hash
from globmed.models.client import Client

STAGE = "translate"

_STEPS: tuple[StepName, ...] = ("candidate", "repair", "critique", "refine", "back")

Glossaries = Mapping[tuple[str, str], Glossary]
"""Glossaries by the original's and the translation's language."""


@dataclass(frozen=True, kw_only=True)
class Job:
    """What is translated, by whom, and with what in hand.

    Attributes:
        folder: a finished stage of items.
        plan: what is to be translated and what may pass.
        out: the data set's folder.
        check: finds what is wrong in a translation of an original; part of the code that the manifest names.
        open_model: opens the models that the plan names.
        glossaries: the terms among them that occur in an item are in what its translator is asked.
        memory: earlier stages, whose translations of equal texts are taken as they are.
    """

    folder: Path
    plan: Plan
    out: Path
    check: Check
    open_model: OpenModel
    glossaries: Glossaries = field(default_factory=dict)
    memory: tuple[Path, ...] = ()


class Work:
    """A job with its originals read, and the team that does it."""

    def __init__(self, job: Job, team: Team) -> None:
        """Read the originals; nothing is sent.

        Raises:
            UsageError: an unknown model, one that would judge itself, or a stage that would be written over.
            InputError: a folder that is no finished stage of items.
        """
        self.job, self.plan = job, job.plan
        self._team = team
        if (job.out / STAGE).resolve() == job.folder.resolve():
            raise UsageError(f"{job.folder}: would be written over while it is read; name another dataset's folder")
        self.files = item_files(job.folder)
        self.originals = Originals(job.plan.from_language)
        self.originals.add(read_items(job.folder))
        self.memory: Memory = read_memory(job.memory)
        self.finders = {
            (source, target): TermFinder(glossary)
            for source, target in self._directions
            if (glossary := job.glossaries.get((source, target)))
        }
        self._refuse_own_judgement()

    def configuration(self) -> dict[str, Any]:
        """Return everything that decides what is written; models by id and revision, not as they were named."""
        terms = [[pair, sorted(self.job.glossaries[pair].items())] for pair in sorted(self.finders)]
        plan: dict[str, Any] = msgspec.to_builtins(self.plan)
        team = {
            "translators": [{"share": one.share, "models": self._models(one.model)} for one in self.plan.translators],
            "critic": self._models(self.plan.critic),
            "back": self._models(self.plan.back, back=True),
        }
        return (
            plan
            | team
            | {
                "prompts": {
                    f"{step}/{code}": prompt_hash(step, code) for code in self.plan.languages for step in _STEPS
                },
                "glossary": hashlib.sha256(msgspec.json.encode(terms)).hexdigest() if terms else "",
            }
        )

    def inputs(self) -> dict[str, str]:
        """Return what it is made from."""
        memory = {f"memory {number}": stage_hash(one) for number, one in enumerate(self.job.memory)}
        return {read_manifest(self.job.folder).stage: stage_hash(self.job.folder)} | memory

    def refuse_forbidden(self) -> None:
        """Refuse, before anything is sent, what may not be sent to somebody who would be asked about it.

        Raises:
            TermsError: an item may not leave this machine, and a model is not on it.
        """
        for target in self.plan.languages:
            for item in self._translatable(target):
                if not item.provenance.may_leave_machine:
                    refuse_forbidden([item], self._asked_about(item, target))

    def engage(self) -> None:
        """Get every model ready, so that what each has spent before counts from the first request."""
        for source, target in self._directions:
            for spec in (*(one.model for one in self.plan.translators), self.plan.critic):
                if spec:
                    self._team.member(spec, source=source, target=target)
            if self.plan.back:
                self._team.member(self.plan.back, source=target, target=source)

    def translate(self, target: str, asker: Asker) -> list[Draft]:
        """Take the items of a language through every step."""
        drafts = [
            Draft(item=item, target=target, member=self._translator(item, target), originals=item_texts(item))
            for item in self._translatable(target)
        ]
        steps = Steps(
            language=target,
            plan=self.plan,
            asker=asker,
            filler=Filler(asker, self.plan, self.finders),
            check=self.job.check,
            memory=self.memory,
        )
        steps.candidates(drafts)
        steps.repair(_standing(drafts))
        if self.plan.critic:
            steps.critique(_unblocked(drafts), self._critic)
            steps.refine(_unblocked(drafts), self._critic)
        if self.plan.back:
            steps.back(_unblocked(drafts), self._back)
        return drafts

    def without_original(self, target: str) -> list[Item]:
        """Return the items that lack a text in the language to translate from."""
        return [item for item in self.originals.wanted(target) if not self.originals.translatable(item)]

    def _translatable(self, target: str) -> Iterator[Item]:
        return filter(self.originals.translatable, self.originals.wanted(target))

    @cached_property
    def _directions(self) -> list[tuple[str, str]]:
        found = {(item.language, target) for target in self.plan.languages for item in self._translatable(target)}
        return sorted(found)

    def _models(self, spec: str, *, back: bool = False) -> list[list[str]]:
        """Return id and revision of a model, in every direction that it works in."""
        pairs = [(target, source) if back else (source, target) for source, target in self._directions]
        clients = [self._team.client(spec, source=source, target=target)[0] for source, target in pairs if spec]
        return [list(one) for one in sorted({(client.model, client.revision) for client in clients})]

    def _judges(self, source: str, target: str) -> Iterator[Client]:
        if self.plan.critic:
            yield self._team.client(self.plan.critic, source=source, target=target)[0]
        if self.plan.back:
            yield self._team.client(self.plan.back, source=target, target=source)[0]

    def _asked_about(self, item: Item, target: str) -> list[Client]:
        spec = self.plan.translator(item.family)
        translator = self._team.client(spec, source=item.language, target=target)[0]
        return [translator, *self._judges(item.language, target)]

    def _translator(self, item: Item, target: str) -> Member:
        return self._team.member(self.plan.translator(item.family), source=item.language, target=target)

    def _critic(self, draft: Draft) -> Member:
        return self._team.member(self.plan.critic, source=draft.item.language, target=draft.target)

    def _back(self, draft: Draft) -> Member:
        return self._team.member(self.plan.back, source=draft.target, target=draft.item.language)

    def _refuse_own_judgement(self) -> None:
        for source, target in self._directions:
            translators = {
                self._team.client(one.model, source=source, target=target)[0].model for one in self.plan.translators
            }
            own = [client.model for client in self._judges(source, target) if client.model in translators]
            if own and not self.plan.same_model:
                raise UsageError(
                    f"{own[0]} would judge its own translations; name another model as critic and for the way back, or "
                    "say that it may (--same-model)"
                )
            if self.plan.critic and self._team.client(self.plan.critic, source=source, target=target)[1]:
                raise UsageError(f"{self.plan.critic} translates and judges nothing; name a language model as critic")


def _standing(drafts: Iterable[Draft]) -> list[Draft]:
    return [draft for draft in drafts if not draft.dropped]


def _unblocked(drafts: Iterable[Draft]) -> list[Draft]:
    """Return what is not lost yet: on what the checks block, no more is spent."""
    return [draft for draft in _standing(drafts) if not any(one.severity == "block" for one in draft.findings)]
