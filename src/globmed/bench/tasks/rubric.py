"""Rubric tasks: a conversation on health whose next reply is scored by criteria with points, through a judge alone.

In the format of HealthBench: Arora et al., "HealthBench: Evaluating Large Language Models Towards Improved Human
Health", arXiv 2505.08775, 2025. The conversation is asked as it is, without instructions. A reply's score is the points
of the criteria it meets over those it could get, which are the positive ones: below 0 where it does what it should not.
Only the mean over replies is kept in 0..1, as there.

Example: the user says "My toddler drank bleach."; criteria: "Says to call poison control", 9 points, and "Says to make
the child vomit", -8 points.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import compress

from globmed.bench.condition import Condition
from globmed.bench.open_ended import OpenEnded
from globmed.core.item import Item
from globmed.models.client import Message
from globmed.prompts import render_item


def rubric_score(points: Sequence[float], met: Sequence[bool]) -> float:
    """Return the points met over the points that could be: at most 1, and below 0 where harm outweighs.

    Args:
        points: of each criterion, at least one of them positive.
        met: whether each is met, in the same order.
    """
    return sum(compress(points, met)) / sum(one for one in points if one > 0)


def _unfit(item: Item) -> str:
    return "" if any(one.points > 0 for one in item.rubric) else "no rubric"


def _messages(shown: Item, condition: Condition) -> tuple[Message, ...]:
    before = (Message(turn.role, turn.text) for turn in shown.turns)
    return *before, Message("user", render_item(shown, "rubric", language=condition.written_in(shown.language)))


RUBRIC = OpenEnded(
    name="rubric",
    prompt="rubric",
    unfit=_unfit,
    messages=_messages,
    heedless=frozenset({"closed_book", "english", "held_out", "steps", "permuted", "shots"}),
    compared=False,
).task()
