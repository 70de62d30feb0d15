"""The steps of a translation, each a wave over all items of a language."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

from globmed.core.item import Finding, Item, Step
from globmed.data.translate.agreement import chrf
from globmed.data.translate.asking import Asker, Outcome, Question
from globmed.data.translate.drafts import Draft
from globmed.data.translate.estimate import REFINE_SHARE, REPAIR_SHARE
from globmed.data.translate.fields import field_kind, given_texts
from globmed.data.translate.filling import Filler, Need
from globmed.data.translate.memory import Memory
from globmed.data.translate.plan import Plan
from globmed.data.translate.reading import Critique, read_critique
from globmed.data.translate.team import Member
from globmed.data.translate.wording import Wording, prompt_hash, worded_request

Check = Callable[[Item, Item], Sequence[Finding]]
Who = Callable[[Draft], Member]

# Three scores and a comment or two.
_CRITIQUE_BYTES = 300
_SUPPOSED = "- supposed: nothing is known yet of what is to be changed"


@dataclass(frozen=True, kw_only=True)
class Steps:
    """What the steps of one language share.

    Attributes:
        language: BCP 47 code to translate into.
        plan: what may pass.
        asker: asks.
        filler: fills texts in.
        check: finds what is wrong in a translation of an original.
        memory: translations that need not be asked for.
    """

    language: str
    plan: Plan
    asker: Asker
    filler: Filler
    check: Check
    memory: Memory

    def candidates(self, drafts: Sequence[Draft]) -> None:
        """Translate every text; a draft some text of which could not be had is dropped."""
        needs = []
        for draft in drafts:
            _take_given(draft)
            _take_remembered(draft, self.memory)
            needs.append(_need(draft, [name for name in draft.originals if name not in draft.texts]))
        self.filler.fill(self.language, "candidate", needs)
        for need in needs:
            need.draft.dropped = need.failure

    def check_all(self, drafts: Iterable[Draft]) -> None:
        """Let the checks look at drafts."""
        for draft in drafts:
            if not draft.assumed:
                draft.findings = list(self.check(draft.item, draft.translated()))

    def repair(self, drafts: Sequence[Draft]) -> None:
        """Check drafts and mend what is found, in as many rounds as the plan lets; no engine can mend anything."""
        self.check_all(drafts)
        faulty = list(drafts)
        for _ in range(self.plan.repairs):
            needs = [need for draft in faulty if (need := _repair_need(draft)) is not None]
            before = [dict(need.into) for need in needs]
            self.filler.fill(self.language, "repair", needs)
            faulty = [need.draft for need, texts in zip(needs, before, strict=True) if need.into != texts]
            self.check_all(faulty)
        if self.asker.estimates is not None and self.plan.repairs:
            supposed = [
                _need(draft, draft.asked, findings=_SUPPOSED)
                for draft in drafts
                if draft.assumed and not draft.member.engine
            ]
            self._suppose("repair", supposed, share=REPAIR_SHARE, rounds=self.plan.repairs)

    def critique(self, drafts: Sequence[Draft], critic: Who) -> None:
        """Let another model judge drafts."""
        questions = [self._critique_question(draft, critic(draft)) for draft in drafts]
        outcomes = self.asker.ask(self.language, "critique", questions)
        for draft, question, outcome in zip(drafts, questions, outcomes, strict=True):
            if outcome is None:
                draft.assumed = True
                continue
            draft.critique = outcome.value
            summary = outcome.value.summary if outcome.value else outcome.failure
            draft.steps.append(_step("critique", question.member, outcome, self.language, summary))
            draft.doubts = [] if outcome.value else [f"no critique could be had ({outcome.failure})"]

    def refine(self, drafts: Sequence[Draft], critic: Who) -> None:
        """Refine what the critic wants changed, keep what the checks let pass, and have that judged again."""
        needs = [need for draft in drafts if (need := _refine_need(draft, self.plan)) is not None]
        before = [(dict(need.into), list(need.draft.findings)) for need in needs]
        self.filler.fill(self.language, "refine", needs)
        self.check_all(need.draft for need in needs)
        changed = []
        for need, (texts, findings) in zip(needs, before, strict=True):
            if not _blocks(findings) and _blocks(need.draft.findings):
                need.into.update(texts)
                need.draft.findings = findings
            elif need.into != texts:
                changed.append(need.draft)
        self.critique(changed, critic)
        if self.asker.estimates is not None:
            assumed = [draft for draft in drafts if draft.assumed]
            supposed = [_need(draft, draft.asked, findings=_SUPPOSED) for draft in assumed]
            self._suppose("refine", supposed, share=REFINE_SHARE, rounds=1)
            again = [self._critique_question(draft, critic(draft)) for draft in assumed]
            self.asker.count(self.language, "critique", again, share=REFINE_SHARE, rounds=1)

    def back(self, drafts: Sequence[Draft], translator: Who) -> None:
        """Translate drafts back and compare that with the originals."""
        needs = [
            Need(
                draft=draft,
                member=translator(draft),
                source=self.language,
                target=draft.item.language,
                texts={name: draft.texts[name] for name in draft.asked},
                into={},
                open=list(draft.asked),
            )
            for draft in drafts
            if draft.asked
        ]
        self.filler.fill(self.language, "back", needs)
        for need in needs:
            draft = need.draft
            if need.failure:
                draft.doubts.append(f"no back-translation could be had ({need.failure})")
            elif not draft.assumed:
                original = "\n".join(draft.originals[name] for name in need.texts)
                draft.agreement = chrf("\n".join(need.into[name] for name in need.texts), original)
                summary = f"chrF {draft.agreement:.1f} of 100"
                draft.steps.append(Step(name="agreement", model="globmed", cost_usd=0.0, summary=summary))

    def _suppose(self, step: Literal["repair", "refine"], needs: Sequence[Need], *, share: float, rounds: int) -> None:
        questions = [
            group.question
            for need in needs
            for group in self.filler.groups(step, need, {name: need.unit(name) for name in need.open})
        ]
        self.asker.count(self.language, step, questions, share=share, rounds=rounds)

    def _critique_question(self, draft: Draft, critic: Member) -> Question[Critique]:
        about = Wording(
            item=draft.item,
            source=draft.item.language,
            target=self.language,
            texts=draft.originals,
            fields=list(draft.originals),
            translation=draft.texts,
            terms=self.filler.terms(draft.item.language, self.language, draft.originals),
        )
        request = worded_request("critique", about, critic, self.plan)
        return Question(critic, request, partial(read_critique, fields=about.fields), _CRITIQUE_BYTES)


def _take_given(draft: Draft) -> None:
    given = given_texts(draft.item, draft.target)
    draft.given = frozenset(given)
    draft.texts.update(given)
    if given:
        summary = f"{', '.join(given)}: labels of the table of languages, or without a word"
        draft.steps.append(Step(name="given", model="globmed", cost_usd=0.0, summary=summary))


def _take_remembered(draft: Draft, memory: Memory) -> None:
    for name in draft.asked:
        found = memory.get(name, source=draft.item.language, target=draft.target, text=draft.originals[name])
        if found is not None:
            draft.texts[name] = found.text
            summary = f"{name}, as an earlier data set has it"
            draft.steps.append(Step(name="memory", model=found.model, cost_usd=0.0, summary=summary))


def _need(draft: Draft, fields: Sequence[str], *, findings: str = "") -> Need:
    return Need(
        draft=draft,
        member=draft.member,
        source=draft.item.language,
        target=draft.target,
        texts=draft.originals,
        into=draft.texts,
        open=list(fields),
        findings=findings,
    )


def _repair_need(draft: Draft) -> Need | None:
    found = [one for one in draft.findings if one.severity != "note"]
    if not found or draft.assumed or draft.member.engine:
        return None
    fields = [name for name in draft.asked if any(_concerns(one.field, name, draft) for one in found)]
    lines = "\n".join(f"- {one.field or 'item'}: {one.message}" for one in found)
    return _need(draft, fields, findings=lines) if fields else None


def _concerns(found: str, name: str, draft: Draft) -> bool:
    """Tell whether a finding is about a field: its own, all of its kind, or what no field is named for."""
    named = found in draft.originals or found in {field_kind(one) for one in draft.originals}
    return found in {name, field_kind(name)} or not named


def _refine_need(draft: Draft, plan: Plan) -> Need | None:
    critique = draft.critique
    if critique is None or draft.assumed or draft.member.engine or critique.lowest >= plan.refine_below:
        return None
    commented = {one.field for one in critique.comments}
    fields = [name for name in draft.asked if name in commented]
    lines = "\n".join(f"- {one.field}: {one.comment}" for one in critique.comments)
    return _need(draft, fields, findings=lines) if fields else None


def _blocks(findings: Iterable[Finding]) -> bool:
    return any(one.severity == "block" for one in findings)


def _step(name: Literal["critique"], member: Member, outcome: Outcome[Critique], language: str, summary: str) -> Step:
    return Step(
        name=name,
        model=member.name,
        prompt_hash=prompt_hash(name, language),
        reply_key=outcome.key,
        cost_usd=outcome.cost_usd,
        summary=summary,
    )
