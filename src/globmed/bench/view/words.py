"""How the view and the report call what became of a reply, and what was read from it."""

from __future__ import annotations

from globmed.bench.view.records import Question, ReplyRow
from globmed.core.language import languages

LETTERS = "ABCDEFGHIJ"

OUTCOME_NAMES = {
    "correct": "Right",
    "wrong": "Wrong",
    "answered": "Open answer",
    "unread": "Not read",
    "several": "Names several options",
    "empty": "Empty",
    "refused": "Declines",
    "truncated": "Cut off",
    "filtered": "Held back by the endpoint",
    "error": "Call failed",
}
FILTER_NAMES = {
    "right": "Right",
    "wrong": "Wrong",
    "unread": "Not read",
    "refused": "Refused or held back",
    "truncated": "Cut off",
    "error": "Call failed",
    "answered": "Open answer",
}
ORIGINS = {"native": "as it was written", "machine": "translated by a machine", "expert": "revised by an expert"}


def how_read(reply: ReplyRow, question: Question) -> str:
    """Say which answer was read from a reply; empty where none was."""
    if reply.letter is None:
        return ""
    if reply.option is None or reply.option >= len(question.options):
        return reply.letter
    place, text = LETTERS[reply.option], question.options[reply.option]
    shown = place if place == reply.letter else f"{reply.letter} as it was shown, which is {place}"
    return f"{shown}: {text}"


def direction(code: str) -> str:
    """Return the writing direction of a language, for `dir`; one that is not in the table decides for itself."""
    return languages()[code].direction if code in languages() else "auto"
