"""The records that every stage hands on: `Item`, its `Provenance`, and the `Finding`s of checks."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from globmed.core.errors import InputError

TextOrigin = Literal["native", "machine", "expert"]
Split = Literal["train", "dev", "test"]
Kind = Literal["mcqa", "nli", "lfqa"]
Severity = Literal["block", "review", "note"]


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """What a check found in an item.

    Attributes:
        check: name of the check.
        severity: `block` keeps the item out of benchmarks and training, `review` asks a person, `note` informs.
        field: the item's field it is about, such as `options`.
        message: one line for people.
    """

    check: str
    severity: Severity
    field: str
    message: str


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One step of making an item's text, such as a candidate translation or a critique of it.

    Attributes:
        name: what was done, such as `candidate`, `repair`, `critique`, `refine` or `back`.
        model: id of the model or program that did it.
        prompt_hash: hash of the prompt text it was asked with.
        reply_key: key of the reply, which the journal beside the items holds whole; empty where no model was asked.
        cost_usd: what the reply cost, in US dollars; None where the model has no price.
        summary: one line for people, such as the scores a critique gave.
    """

    name: str
    model: str
    prompt_hash: str = ""
    reply_key: str = ""
    cost_usd: float | None = None
    summary: str = ""


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    """One message of the conversation that came before a question.

    Attributes:
        role: `system`, `user` or `assistant`.
        text: what was said.
    """

    role: Literal["system", "user", "assistant"]
    text: str


class Criterion(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a rubric by which physicians want an open reply to be judged.

    Attributes:
        text: what the reply does.
        points: how much it counts; below zero where it should not be done.
        tags: as the source labels it.
    """

    text: str
    points: float
    tags: tuple[str, ...] = ()


class Review(msgspec.Struct, frozen=True, kw_only=True):
    """One person's verdict on an item.

    Attributes:
        reviewer: who.
        day: ISO 8601 date.
        accuracy: 1 to 5.
        fluency: 1 to 5.
        completeness: 1 to 5.
        comment: free text.
        overruled: names of checks whose findings do not hold in this person's judgement.
    """

    reviewer: str
    day: str
    accuracy: int
    fluency: int
    completeness: int
    comment: str = ""
    overruled: tuple[str, ...] = ()


class Provenance(msgspec.Struct, frozen=True, kw_only=True):
    """Where an item's text comes from and what may be done with it.

    Attributes:
        native_language: BCP 47 code of the language the question was written in.
        text: whether this variant is native, machine translated or revised by an expert.
        translated_from: BCP 47 code of the language of the text that was translated; empty for native text, and where
            the source does not say.
        model: id of the model that translated it; empty for native text.
        prompt_hash: hash of the prompt that produced it; empty for native text.
        place: where in the publisher's files it stands, as `file:line` or `file: key`.
        steps: how the text was made, in order; empty for native text.
        findings: what checks found.
        review: verdicts of people.
        licence: as the publisher states it.
        may_leave_machine: False where the terms forbid sending the text to somebody else's endpoint.
        may_be_redistributed: False where the terms forbid publishing it.
    """

    native_language: str
    licence: str
    text: TextOrigin = "native"
    translated_from: str = ""
    model: str = ""
    prompt_hash: str = ""
    place: str = ""
    steps: tuple[Step, ...] = ()
    findings: tuple[Finding, ...] = ()
    review: tuple[Review, ...] = ()
    may_leave_machine: bool = True
    may_be_redistributed: bool = True


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """One question in one language, the same record from source to release.

    Attributes:
        family: the question, whatever its language, as `headqa:Cuaderno_2016_1_B:12`.
        cluster: families that are one question across sources; splits and statistics go by it. Default: the family.
        language: BCP 47; (family, language) is unique within a release.
        kind: multiple choice, inference, or an open question.
        source: name of the source plugin.
        split: which part it belongs to.
        question: the question; of an inference item the hypothesis.
        context: passage or abstract; of an inference item the premise.
        turns: the conversation before the question, where it is the last message of one.
        options: answer options; always the labels in words for inference and yes/no/maybe.
        answer: indices of the right options.
        reference: reference answers of an open question.
        rubric: criteria with points by which an open reply is judged.
        rationale: why the answer is right, where the source says so.
        specialty: medical field as the source names it.
        subset: part of its source that results can be split by, such as the kind of negative in BioNLI.
        region: country (ISO 3166-1 alpha-2) whose practice it reflects, where known.
        provenance: where the text comes from and its terms of use.
    """

    family: str
    language: str
    kind: Kind
    source: str
    split: Split
    question: str
    provenance: Provenance
    cluster: str = ""
    context: str = ""
    turns: tuple[Turn, ...] = ()
    options: tuple[str, ...] = ()
    answer: tuple[int, ...] = ()
    reference: tuple[str, ...] = ()
    rubric: tuple[Criterion, ...] = ()
    rationale: str = ""
    specialty: str = ""
    subset: str = ""
    region: str = ""

    def __post_init__(self) -> None:
        """Fill in the default cluster and refuse what no stage could use.

        Raises:
            InputError: an empty family or language, or an answer that points at no option.
        """
        if not self.cluster:
            msgspec.structs.force_setattr(self, "cluster", self.family)
        if not self.family or not self.language:
            raise InputError.at(
                self.provenance.place or self.source,
                found=f"family {self.family!r} and language {self.language!r}",
                expected="both to be named",
            )
        outside = [index for index in self.answer if not 0 <= index < len(self.options)]
        if outside:
            raise InputError.at(
                self.provenance.place or self.family,
                found=f"answer index {outside[0]}",
                expected=f"an index below the number of options, {len(self.options)}",
            )

    def made_into(self, *, provenance: Provenance, **changes: Any) -> Item:
        """Return an item made from this one, such as a translation; it is under this one's terms of use.

        Args:
            provenance: who or what made it. Its licence is this item's whatever it says, and where this item may not
                leave the machine or be redistributed, neither may what is made from it.
            changes: fields of the new item that differ.
        """
        terms = self.provenance
        inherited = msgspec.structs.replace(
            provenance,
            licence=terms.licence,
            may_leave_machine=terms.may_leave_machine and provenance.may_leave_machine,
            may_be_redistributed=terms.may_be_redistributed and provenance.may_be_redistributed,
        )
        return msgspec.structs.replace(self, provenance=inherited, **changes)

    @property
    def standing_findings(self) -> tuple[Finding, ...]:
        """What checks found and no expert has overruled."""
        overruled = {check for review in self.provenance.review for check in review.overruled}
        return tuple(finding for finding in self.provenance.findings if finding.check not in overruled)

    @property
    def blocked(self) -> bool:
        """Whether a finding that stands keeps the item out of benchmarks and training."""
        return any(finding.severity == "block" for finding in self.standing_findings)
