"""One file a task: how an item becomes a request and what a reply to it is worth.

A task module declares one `Task`. `validate` proves a task on items: the right answer scores, a wrong one does not,
and an empty reply neither scores nor passes for read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Literal, Protocol, get_args

import msgspec

from globmed.bench.reading import Reading
from globmed.core.errors import UsageError, did_you_mean
from globmed.core.item import Item, Kind
from globmed.core.registry import discover
from globmed.models.client import Reply, Request, Settings

Answer = Literal["generate", "score_options", "score_letters"]
Shown = Literal["right", "wrong", "empty"]


class Condition(msgspec.Struct, frozen=True, kw_only=True):
    """Under what condition an item is asked and read; each field is crossed with every other.

    Attributes:
        answer: free text, the likelihood of the options' texts, or of their letters.
        per_byte: divide the likelihood of an option's text by its UTF-8 bytes; decides the reading alone, so replies
            can be scored again the other way.
        against_prior: subtract the likelihood that an option's text has without the question.
        closed_book: leave the item's context out.
    """

    answer: Answer = "generate"
    per_byte: bool = False
    against_prior: bool = False
    closed_book: bool = False

    def __post_init__(self) -> None:
        """Refuse what no reading would heed.

        Raises:
            UsageError: `per_byte` or `against_prior` for anything but the likelihood of options' texts, or both.
        """
        if (self.per_byte or self.against_prior) and self.answer != "score_options":
            raise UsageError(
                f"condition: per_byte or against_prior with {self.answer!r}; expected either with 'score_options' only"
            )
        if self.per_byte and self.against_prior:
            raise UsageError("condition: per_byte and against_prior; expected one of them, for each levels lengths")

    @property
    def name(self) -> str:
        """Its short name in tables, such as `score_options/byte/closed`."""
        reading = "/byte" * self.per_byte + "/prior" * self.against_prior
        return self.answer + reading + "/closed" * self.closed_book

    @classmethod
    def named(cls, name: str) -> Condition:
        """Return the condition of a short name.

        Raises:
            UsageError: there is none of that name.
        """
        known = {
            condition.name: condition
            for answer in get_args(Answer)
            for reading in (("", "per_byte", "against_prior") if answer == "score_options" else ("",))
            for closed_book in (False, True)
            for condition in (cls(answer=answer, closed_book=closed_book, **({reading: True} if reading else {})),)
        }
        if name not in known:
            raise UsageError(f"no answer mode {name!r}{did_you_mean(name, known)}")
        return known[name]


class Grade(msgspec.Struct, frozen=True, kw_only=True):
    """What a reply is worth: what was read from it, and whether that is right."""

    reading: Reading
    correct: bool


class ToRequest(Protocol):
    """Turns an item into what a model is asked."""

    def __call__(self, item: Item, *, condition: Condition, run: int, settings: Settings) -> Request:
        """Return the request; `settings.answer` is that of the condition."""


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
        prompts: name of the prompt for each answer mode that it knows.
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
    """Prove a task on items, in every answer mode: right scores, wrong does not, empty neither scores nor reads."""
    checked, failures = 0, list[str]()
    for item in items:
        for answer in task.prompts:
            condition = Condition(answer=answer)
            task.request(item, condition=condition, run=0, settings=Settings(answer=answer))
            for shown in ("right", "wrong", "empty"):
                reply = task.example(item, shown, condition=condition)
                grade = task.grade(item, reply, condition=condition, run=0)
                checked += 1
                if grade.correct != (shown == "right") or (grade.reading.status == "read") != (shown != "empty"):
                    failures.append(f"{item.family}/{item.language}, {condition.name}, {shown}: {grade}")
    return Proof(checked=checked, failures=tuple(failures))
