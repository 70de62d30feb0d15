"""What tasks with open answers share: a free reply is described, and whether it is right is for a judge to say.

Asked as free text alone. `globmed.bench.judging` judges the saved replies; here they are graded by how much of a
reference's wording they share (`globmed.bench.text_overlap`) and by their language (`globmed.bench.fidelity`), neither
of which says that an answer is correct. What was asked and answered in English for an item in another language is
graded as it was translated back (`globmed.bench.translated_back`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from msgspec.structs import replace

from globmed.bench.condition import Condition
from globmed.bench.fidelity import read_language
from globmed.bench.reading import Reading
from globmed.bench.shown import shown_item
from globmed.bench.tasks import Description, Grade, Shown, Task, ToUnfit, refuse_condition
from globmed.bench.text_overlap import chrf, rouge_l
from globmed.core.item import Item
from globmed.models.client import Message, Reply, Request, Settings


class ToMessages(Protocol):
    """Turns an item, as a condition shows it, into the messages that put its question."""

    def __call__(self, shown: Item, condition: Condition, /) -> tuple[Message, ...]:
        """Return them, the question last."""


@dataclass(frozen=True, kw_only=True)
class OpenEnded:
    """A task with open answers, by its parts.

    Attributes:
        name: of the task.
        prompt: name of its plain prompt.
        unfit: why an item cannot be asked; empty where it can.
        messages: an item into the messages that put its question.
        heedless: fields of a condition that would change nothing, or make the reply another than is described.
        compared: whether the reply is described by the wording of the item's references.
    """

    name: str
    prompt: str
    unfit: ToUnfit
    messages: ToMessages
    heedless: frozenset[str] = field(default_factory=frozenset)
    compared: bool = True

    def task(self) -> Task:
        """Return what the task's module declares."""
        return Task(
            name=self.name,
            kinds=("lfqa",),
            prompts={"generate": self.prompt},
            unfit=self.unfit,
            request=self._request,
            grade=self._grade,
            chance=_chance,
            example=_example,
            open=True,
            # An open reply has no labels.
            heedless=self.heedless | {"own_labels"},
        )

    def _request(
        self, item: Item, *, condition: Condition, run: int, settings: Settings, shots: Sequence[Item] = ()
    ) -> Request:
        refuse_condition(self.name, self.heedless, condition)
        terms = [one.provenance for one in (item, *shots)]
        before = (turn for one in shots for turn in self._solved(shown_item(one, condition, run=0), condition))
        return Request(
            messages=(*before, *self.messages(shown_item(item, condition, run=run), condition)),
            settings=replace(settings, answer=condition.answer),
            run=run,
            label=f"{item.family}/{item.language}",
            source=item.source,
            licence=item.provenance.licence,
            may_leave_machine=all(one.may_leave_machine for one in terms),
        )

    def _solved(self, shown: Item, condition: Condition) -> tuple[Message, ...]:
        return *self.messages(shown, condition), Message("assistant", shown.reference[0])

    def _grade(self, item: Item, reply: Reply, *, condition: Condition, run: int) -> Grade:  # noqa: ARG002 - a protocol
        overlaps = item.reference if self.compared else ()
        return Grade(
            reading=_reading(reply),
            correct=False,
            description=Description(
                chrf=chrf(reply.text, overlaps, item.language) / 100 if overlaps else None,
                rouge_l=rouge_l(reply.text, overlaps, item.language) if overlaps else None,
                fidelity=read_language(reply.text, item.language).status,
            ),
        )


def _reading(reply: Reply) -> Reading:
    if reply.status in ("refused", "filtered"):
        return Reading(letter=None, status="refused", rule=f"reply {reply.status}")
    if not reply.text.strip():
        return Reading(letter=None, status="empty", rule="no text")
    return Reading(letter=None, status="unread", rule="open reply")


def _chance(_item: Item) -> float:
    """Return 0: nobody guesses a free answer."""
    return 0.0


def _example(item: Item, shown: Shown, *, condition: Condition) -> Reply:  # noqa: ARG001 - a protocol
    """Return a reference as the right reply; a wrong one is for `validate` to take from another item."""
    return Reply(status="ok", text=item.reference[0] if shown == "right" and item.reference else "")
