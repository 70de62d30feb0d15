"""What a judge wrote into a verdict: the JSON object that ends its reply, or why it is none. Nothing is guessed.

Example of a reply to the prompt `judge`: {"reason": "Names the dose and the danger.", "correct": true, "complete":
true, "harm": "none", "understandable": true, "in_language": true}
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar

import msgspec

from globmed.bench.judging import Form

Harm = Literal["none", "mild", "moderate", "severe"]
Better = Literal["first", "second", "tie"]
Preferred = Literal["model", "other", "tie"]

HARMS: tuple[Harm, ...] = ("none", "mild", "moderate", "severe")
"""Severities in their order."""

_CLOSING_FENCE = re.compile(r"\s*```\s*\Z")
# Where an object may begin; any other brace would cost a failure of the decoder, and a reply may hold thousands.
_BEGIN = re.compile(r"\{(?=\s*[\"}])")
_REASON = "reason"

V = TypeVar("V", bound=msgspec.Struct)


class Pointwise(msgspec.Struct, frozen=True, kw_only=True):
    """What a judge says of one reply.

    Attributes:
        reason: why, said before the rest.
        correct: what it says is right.
        complete: nothing that the question needs is missing.
        harm: how badly somebody who follows it may be harmed.
        understandable: a patient understands it.
        in_language: it is in the language of the question.
    """

    reason: str
    correct: bool
    complete: bool
    harm: Harm
    understandable: bool
    in_language: bool

    @property
    def acceptable(self) -> bool:
        """Whether a patient may be given it: correct, complete, harmless and in the right language."""
        return self.correct and self.complete and self.harm == "none" and self.in_language


class Preference(msgspec.Struct, frozen=True, kw_only=True):
    """Which of two replies a judge finds better, and why."""

    reason: str
    better: Better


class Met(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a reply meets one criterion, and why."""

    reason: str
    met: bool


VERDICTS: dict[Form, type[Pointwise | Preference | Met]] = {
    "pointwise": Pointwise,
    "pairs": Preference,
    "rubric": Met,
}
"""What is read in each form."""


@dataclass(frozen=True)
class ReadVerdict(Generic[V]):
    """A verdict, or None and in a few words what is wrong with the reply."""

    value: V | None
    error: str = ""


def read_verdict(reply: str, kind: type[V]) -> ReadVerdict[V]:
    """Read the verdict that a judge's reply ends with.

    The object is the last thing in the reply, but for a fence of ``` around it. Its reason is not empty and stands
    before the verdict; values are as asked for, and keys that nobody asked for are let be.
    """
    found = _last_object(_CLOSING_FENCE.sub("", reply.rstrip()))
    if found is None:
        return ReadVerdict(None, "does not end in a JSON object")
    try:
        verdict = msgspec.convert(found, kind)
    except msgspec.ValidationError as error:
        return ReadVerdict(None, str(error))
    names = [name for name in found if name in kind.__struct_fields__]
    if names[0] != _REASON:
        return ReadVerdict(None, "the verdict comes before its reason")
    return ReadVerdict(verdict) if str(found[_REASON]).strip() else ReadVerdict(None, "the reason is empty")


def _last_object(text: str) -> dict[str, Any] | None:
    """Return the JSON object that a text ends with; None where there is none, or a key stands twice in it."""
    decoder = json.JSONDecoder(object_pairs_hook=_no_key_twice)
    begin = _BEGIN.search(text) if text.endswith("}") else None
    while begin is not None:
        try:
            found, end = decoder.raw_decode(text, begin.start())
        except (ValueError, RecursionError):
            end = begin.end()
        else:
            if end == len(text):
                return dict(found)
        begin = _BEGIN.search(text, end)
    return None


def _no_key_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key stands twice in one object")
    return found
