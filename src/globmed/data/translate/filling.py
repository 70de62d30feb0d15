"""How texts get translated: each asked for once, wherever it stands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

from globmed.core.item import Step
from globmed.data.translate.asking import Asker, Outcome, Question
from globmed.data.translate.drafts import Draft
from globmed.data.translate.fields import field_kind
from globmed.data.translate.plan import Plan
from globmed.data.translate.reading import read_plain, read_texts
from globmed.data.translate.team import Member
from globmed.data.translate.wording import StepName, TermFinder, Wording, prompt_hash, worded_request


class Unit(NamedTuple):
    """A text that is asked for once: two fields with equal ones get the same translation.

    Attributes:
        member: who translates it.
        direction: source and target language.
        kind: of field, such as `options`.
        text: to be translated.
        current: its translation so far, which is to be mended; empty where there is none.
    """

    member: Member
    direction: tuple[str, str]
    kind: str
    text: str
    current: str


class Made(NamedTuple):
    """A translation and the key of the reply it stands in; an empty key where it is only assumed."""

    text: str
    key: str


class Group(NamedTuple):
    """Fields that are asked for together."""

    need: Need
    units: dict[str, Unit]
    question: Question[dict[str, str]]


@dataclass(eq=False)
class Need:
    """Fields of a draft that are to be translated, or mended.

    Attributes:
        draft: whose.
        member: who is asked.
        source: BCP 47 code of the language of `texts`.
        target: BCP 47 code to translate into.
        texts: what is translated, by field id: context for one another.
        into: where translations go.
        open: field ids that are still to come.
        findings: what was found in the translation so far, a line each.
        failure: why some could not be had; empty while they may.
    """

    draft: Draft
    member: Member
    source: str
    target: str
    texts: Mapping[str, str]
    into: dict[str, str]
    open: list[str]
    findings: str = ""
    failure: str = ""

    def unit(self, name: str) -> Unit:
        """Return what a field's text is asked for as."""
        current = self.into.get(name, "")
        return Unit(self.member, (self.source, self.target), field_kind(name), self.texts[name], current)

    def take(self, name: str, made: Made) -> None:
        """Take a field's translation."""
        self.into[name] = made.text
        self.open.remove(name)
        self.draft.assumed |= not made.key


class Filler:
    """Fills what is needed in a step, by one wave of questions after another until all is there or has failed."""

    def __init__(self, asker: Asker, plan: Plan, terms: Mapping[tuple[str, str], TermFinder]) -> None:
        """Get ready.

        Args:
            asker: asks.
            plan: says how.
            terms: of the glossary, by source and target language.
        """
        self._asker, self._plan, self._terms = asker, plan, terms

    def fill(self, language: str, step: StepName, needs: Sequence[Need]) -> None:
        """Ask for every open field, each text once however many drafts hold it.

        Raises:
            GlobmedError: as a campaign does.
        """
        known: dict[Unit, Made] = {}
        while groups := self._next_groups(step, needs, known):
            outcomes = self._asker.ask(language, step, [group.question for group in groups])
            for group, outcome in zip(groups, outcomes, strict=True):
                _settle(step, group, outcome, known)

    def terms(self, source: str, target: str, texts: Mapping[str, str]) -> str:
        """Return the glossary's terms that occur in texts, a line each."""
        finder = self._terms.get((source, target))
        return finder.lines(texts.values()) if finder else ""

    def groups(self, step: StepName, need: Need, units: Mapping[str, Unit]) -> Iterator[Group]:
        """Yield the questions for fields of a need: one for all of them, or one for each to a translation engine."""
        engine = need.member.engine
        for names in [[name] for name in units] if engine else [list(units)] if units else []:
            about = Wording(
                item=need.draft.item,
                source=need.source,
                target=need.target,
                texts=need.texts,
                fields=names,
                translation=need.into,
                findings=need.findings,
                terms="" if engine else self.terms(need.source, need.target, need.texts),
            )
            request = worded_request(step, about, need.member, self._plan)
            read = partial(read_plain, name=names[0]) if engine else partial(read_texts, wanted=names)
            size = sum(len(need.texts[name].encode()) for name in names)
            yield Group(need, {name: units[name] for name in names}, Question(need.member, request, read, size))

    def _next_groups(self, step: StepName, needs: Sequence[Need], known: Mapping[Unit, Made]) -> list[Group]:
        """Take what is known, and return what is to be asked now: each unit by the first who needs it."""
        claimed: set[Unit] = set()
        groups: list[Group] = []
        for need in needs:
            mine: dict[str, Unit] = {}
            for name in [] if need.failure else list(need.open):
                unit = need.unit(name)
                if unit in known:
                    _share(step, need, name, known[unit])
                elif unit not in claimed:
                    claimed.add(unit)
                    mine[name] = unit
            groups += self.groups(step, need, mine)
        return groups


def _settle(step: StepName, group: Group, outcome: Outcome[dict[str, str]] | None, known: dict[Unit, Made]) -> None:
    need = group.need
    if outcome is None:
        for name, unit in group.units.items():
            known[unit] = Made(need.texts[name], "")
            need.take(name, known[unit])
        return
    need.draft.usage += outcome.usage
    need.draft.steps.append(
        Step(
            name=step,
            model=need.member.name,
            prompt_hash="" if need.member.engine else prompt_hash(step, need.target),
            reply_key=outcome.key,
            cost_usd=outcome.cost_usd,
            summary=_summary(group, outcome),
        )
    )
    if outcome.value is None:
        need.failure = outcome.failure
        return
    for name, unit in group.units.items():
        known[unit] = Made(outcome.value[name], outcome.key)
        need.take(name, known[unit])


def _share(step: StepName, need: Need, name: str, made: Made) -> None:
    need.take(name, made)
    if made.key:
        summary = f"{step} of {name}, as asked for once for all items that hold the same text"
        need.draft.steps.append(
            Step(name="memory", model=need.member.name, reply_key=made.key, cost_usd=0.0, summary=summary)
        )


def _summary(group: Group, outcome: Outcome[dict[str, str]]) -> str:
    tries = f", at attempt {outcome.attempts}" if outcome.attempts > 1 else ""
    return f"{', '.join(group.units)}{tries}" + (f": {outcome.failure}" if outcome.failure else "")
