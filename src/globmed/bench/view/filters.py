"""What can be asked of a run's replies, as conditions in SQL; values are always parameters."""

from __future__ import annotations

from typing import Literal, NamedTuple

import msgspec

OUTCOMES = {
    "right": ("correct",),
    "wrong": ("wrong",),
    "unread": ("unread", "several", "empty"),
    "refused": ("refused", "filtered"),
    "truncated": ("truncated",),
    "error": ("error",),
    "answered": ("answered",),
}
"""What became of replies, as it is filtered by, and the outcomes of `globmed.bench.scoring.Score` that each stands for;
`answered` is an open question's."""

NAMED = {
    "lost": "Not right here, but right in English",
    "all_wrong": "No model right: perhaps a bad translation or a wrong key",
    "region_bound": "Bound to one country",
}
"""Columns that `globmed.bench.view.marks` adds or the scores have, and what each says to people."""

FACETS = ("task", "source", "language", "model", "answer")
"""Columns that are filtered by one of the values that they hold."""

# Typed with or without accents and capitals, a word is found: both sides are put through the same function.
FOLDED = "lower(strip_accents({}))"


class Where(NamedTuple):
    """A condition in SQL, and the values of its parameters by name."""

    sql: str
    values: dict[str, str]


class Filter(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Which replies are wanted; an empty field asks for nothing.

    Attributes:
        task: name of the task.
        source: of the items.
        language: BCP 47 code.
        model: its id.
        answer: name of the condition.
        outcome: a key of `OUTCOMES`.
        named: a key of `NAMED`.
        text: to be found, whatever its capitals and accents.
        within: where.
    """

    task: str = ""
    source: str = ""
    language: str = ""
    model: str = ""
    answer: str = ""
    outcome: Literal["", "right", "wrong", "unread", "refused", "truncated", "error", "answered"] = ""
    named: Literal["", "lost", "all_wrong", "region_bound"] = ""
    text: str = ""
    within: Literal["", "question", "reply"] = ""

    @property
    def searched(self) -> bool:
        """Whether a text is searched for."""
        return bool(self.text.strip())

    @property
    def where(self) -> Where:
        """The condition for a table of replies beside one of questions; both have their folded text in `folded`."""
        values = {name: value for name in FACETS if (value := getattr(self, name))}
        parts = [f"{name} = ${name}" for name in values]
        if self.outcome:
            parts.append(f"outcome IN ({', '.join(repr(one) for one in OUTCOMES[self.outcome])})")
        if self.named:
            parts.append(self.named)
        if self.searched:
            values["text"] = self.text.strip()
            wanted = FOLDED.format("$text")
            places = {
                "question": f"item IN (SELECT item FROM questions WHERE contains(folded, {wanted}))",  # noqa: S608
                "reply": f"contains(folded, {wanted})",
            }
            parts.append(f"({' OR '.join(places[name] for name in places if self.within in {'', name})})")
        return Where(" AND ".join(parts) or "true", values)
