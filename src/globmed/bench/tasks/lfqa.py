"""Long-form answers: an open question, answered in words that a patient can understand.

Of LiveQA, ExpertQA and MedicationQA, whose items hold reference answers. A reply is described by how much wording it
shares with the nearest of them and by its language; whether it is right is judged afterwards (`globmed bench judge`).

Example, as asked in English (`prompts/lfqa/en.txt`): "Can I take ibuprofen with warfarin?"; the reference: "Ask first:
together they raise the risk of bleeding."
"""

from __future__ import annotations

from globmed.bench.condition import Condition
from globmed.bench.open_ended import OpenEnded
from globmed.core.item import Item
from globmed.models.client import Message
from globmed.prompts import render_item


def _unfit(item: Item) -> str:
    if item.rubric:
        return "has a rubric: of the task 'rubric'"
    if item.turns:
        return "the last message of a conversation"
    return "" if any(text.strip() for text in item.reference) else "no reference answer"


def _messages(shown: Item, condition: Condition) -> tuple[Message, ...]:
    prompt, language = condition.prompt("lfqa"), condition.written_in(shown.language)
    return (Message("user", render_item(shown, prompt, language=language, closed_book=condition.closed_book)),)


LFQA = OpenEnded(
    name="lfqa",
    prompt="lfqa",
    unfit=_unfit,
    messages=_messages,
    # Instructions in English ask for an answer in English, to which no reference in the item's language compares; that
    # to a translated question is translated back.
    heedless=frozenset({"english", "steps", "permuted"}),
).task()
