"""The rows of a view: questions as they were asked, and replies with what was made of them."""

from __future__ import annotations

import msgspec

from globmed.bench.reading import ReadingStatus
from globmed.bench.scoring import Outcome
from globmed.core.item import Item, Kind, TextOrigin, Turn


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """One question in one language.

    Attributes:
        item: its number within the view.
        source: name of the source.
        family: the question, whatever its language.
        language: BCP 47 code.
        native_language: language it was written in.
        origin: whether this text is native, machine translated or revised by an expert.
        kind: multiple choice, inference, or open.
        turns: the conversation before it.
        context: passage or premise.
        question: its text.
        options: to choose from.
        answer: indices of the right ones.
        reference: reference answers of an open question.
        findings: what checks found and no expert has overruled, a line each.
    """

    item: int
    source: str
    family: str
    language: str
    native_language: str
    origin: TextOrigin
    kind: Kind
    turns: tuple[Turn, ...]
    context: str
    question: str
    options: tuple[str, ...]
    answer: tuple[int, ...]
    reference: tuple[str, ...]
    findings: tuple[str, ...]

    @classmethod
    def of(cls, item: Item, *, number: int) -> Question:
        """Return the row of an item."""
        return cls(
            item=number,
            source=item.source,
            family=item.family,
            language=item.language,
            native_language=item.provenance.native_language,
            origin=item.provenance.text,
            kind=item.kind,
            turns=item.turns,
            context=item.context,
            question=item.question,
            options=item.options,
            answer=item.answer,
            reference=item.reference,
            findings=tuple(f"{found.check}: {found.message}" for found in item.standing_findings),
        )


class ReplyRow(msgspec.Struct, frozen=True, kw_only=True):
    """One reply, as it is looked at; what is not said here is as in `globmed.bench.scoring.Score`.

    Attributes:
        item: number of the question in its language.
        lost: not right, though the same model is in English (`globmed.bench.view.marks`).
        all_wrong: no model is right about the question in this language.
        finish: the endpoint's own reason for stopping; of a failed call its error.
        reply: its text; None where the run holds scores and no replies.
    """

    item: int
    task: str
    model: str
    revision: str
    answer: str
    run: int
    outcome: Outcome
    reading_status: ReadingStatus
    rule: str
    letter: str | None
    option: int | None
    correct: bool
    region_bound: bool
    lost: bool
    all_wrong: bool
    finish: str | None
    reply: str | None
