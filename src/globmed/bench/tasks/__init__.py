"""One file a task: how an item becomes a request and what a reply to it is worth.

A task module declares one `Task`. `validate` proves a task on items: the right answer scores, a wrong one does not,
and an empty reply neither scores nor passes for read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal, Protocol

import msgspec

from globmed.bench.condition import Answer, Condition
from globmed.bench.reading import Reading
from globmed.core.errors import UsageError, did_you_mean
from globmed.core.item import Item, Kind
from globmed.core.registry import discover
from globmed.models.client import Reply, Request, Settings

Shown = Literal["right", "wrong", "empty"]


class Grade(msgspec.Struct, frozen=True, kw_only=True):
    """What a reply is worth.

    Attributes:
        reading: what was read from it; its letter is that of the option as shown.
        option: index of the option chosen, as the item has them; None where none was read.
        correct: whether it is right.
    """

    reading: Reading
    correct: bool
    option: int | None = None


class ToRequest(Protocol):
    """Turns an item into what a model is asked."""

    def __call__(
        self, item: Item, *, condition: Condition, run: int, settings: Settings, shots: Sequence[Item] = ()
    ) -> Request:
        """Return the request, after solved examples; `settings.answer` is that of the condition."""


class ToGrade(Protocol):
    """Turns a reply into its worth."""

    def __call__(self, item: Item, reply: Reply, *, condition: Condition, run: int) -> Grade:
        """Return the grade of a reply to the same item, condition and run."""


class ToExample(Protocol):
    """Makes up a reply, for a task to prove itself on."""

    def __call__(self, item: Item, shown: Shown, *, condition: Condition) -> Reply:
        """Return a reply that gives the right answer, a wrong one, or none."""


@dataclass(frozen=True, kw_only=True)
class Task:
    """What a task module declares.

    Attributes:
        name: equal to the file's name.
        kinds: kinds of items it asks.
        prompts: name of the plain prompt for each answer mode that it knows (`Condition.prompt`).
        unfit: why an item cannot be asked, as a short phrase that items with the same fate share; empty where it can.
        request: an item into a request.
        grade: a reply into its grade.
        chance: share of items like this one that guessing gets right.
        example: a made-up reply, for `validate`.
    """

    name: str
    kinds: tuple[Kind, ...]
    prompts: Mapping[Answer, str]
    unfit: Callable[[Item], str]
    request: ToRequest
    grade: ToGrade
    chance: Callable[[Item], float]
    example: ToExample


@dataclass(frozen=True, kw_only=True)
class Proof:
    """What `validate` found.

    Attributes:
        checked: examples graded.
        failures: one line for each example whose grade is not what it must be.
    """

    checked: int
    failures: tuple[str, ...]


@cache
def tasks() -> dict[str, Task]:
    """Return every task by name."""
    return discover(__name__, Task)


def task(name: str) -> Task:
    """Return one task.

    Raises:
        UsageError: there is none of that name.
    """
    if name not in tasks():
        raise UsageError(f"no task named {name!r}{did_you_mean(name, tasks())}")
    return tasks()[name]


def validate(task: Task, items: Iterable[Item]) -> Proof:
    """Prove a task on items, under every condition: right scores, wrong does not, empty neither scores nor reads."""
    checked, failures = 0, list[str]()
    conditions = list(_conditions(task))
    for item in items:
        for condition in conditions:
            task.request(item, condition=condition, run=0, settings=Settings(answer=condition.answer))
            for shown in ("right", "wrong", "empty"):
                reply = task.example(item, shown, condition=condition)
                grade = task.grade(item, reply, condition=condition, run=0)
                checked += 1
                if grade.correct != (shown == "right") or (grade.reading.status == "read") != (shown != "empty"):
                    failures.append(f"{item.family}/{item.language}, {condition.name}, {shown}: {grade}")
    return Proof(checked=checked, failures=tuple(failures))


def _conditions(task: Task) -> Iterator[Condition]:
    """Give each answer mode of a task, plain and with one thing changed at a time."""
    for answer in task.prompts:
        for word in ("", "/english", "/held_out", "/unmarked", "/closed", "/steps", "/permuted"):
            fits = answer == "generate" if word == "/steps" else word != "/permuted" or answer != "score_options"
            if fits:
                yield Condition.named(answer + word)
