"""One row of the accuracy table as the report sees it, and the order and names in which rows are shown."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from globmed.bench.analysis import ALL, AccuracyRow
from globmed.bench.condition import Condition
from globmed.bench.report.wording import plain
from globmed.core.errors import UsageError
from globmed.core.language import Tier, languages

System = tuple[str, str, str]
Place = tuple[str, str]

TIERS: tuple[str, ...] = get_args(Tier)
TIER_NAMES = {"high": "High-resource languages", "low": "Low-resource languages", ALL: "All languages"}
# The ids of `globmed.models.baseline`, which know nothing and are shown apart from models.
BASELINE_NAMES = {
    "chance": "Random choice",
    "majority": "Most frequent letter",
    "longest": "Longest option",
    "hypothesis_only": "The hypothesis alone",
}


class Measure(AccuracyRow, frozen=True, kw_only=True):
    """A row of the accuracy table with what a report asks of it."""

    @property
    def system(self) -> System:
        """What was measured: a model, its revision, and its way of answering."""
        return (self.model, self.revision, self.answer)

    @property
    def place(self) -> Place:
        """The column it stands in: its tier, and the language or `all`."""
        return (self.tier, self.group if self.by == "language" else ALL)

    @property
    def language(self) -> str:
        """The language's code, or `all`."""
        return self.place[1]

    @property
    def baseline(self) -> bool:
        """Whether the model is one of the baselines."""
        return self.model in BASELINE_NAMES

    @property
    def known(self) -> bool:
        """Whether there is an accuracy; without one, `reason` says why."""
        return not math.isnan(self.accuracy)

    @property
    def at_chance(self) -> bool:
        """Whether the interval reaches down to what guessing gives."""
        return self.low <= self.chance

    @property
    def counted(self) -> int:
        """Replies that the accuracy is a share of."""
        return self.asked - self.errors

    @property
    def without_answer(self) -> dict[str, int]:
        """How many replies gave no answer, by kind, each reply once; kinds with none are left out."""
        kinds = {
            "unread": self.unread,
            "several": self.several,
            "empty": self.empty,
            "refused": self.refused,
            "truncated": self.truncated,
            "filtered": self.filtered,
            "failed": self.errors,
        }
        return {kind: number for kind, number in kinds.items() if number}


@dataclass(frozen=True, kw_only=True)
class Name:
    """What a row or column is called, with a language's own name in its own script.

    Attributes:
        text: the name, without invisible characters.
        detail: a second line, such as how the model answers.
        own: the language's own name; empty for anything else, and where it is the English one.
        code: BCP 47 code of the language, for `lang`.
        direction: of the own name, for `dir`.
    """

    text: str
    detail: str = ""
    own: str = ""
    code: str = ""
    direction: Literal["ltr", "rtl"] = "ltr"


def language_name(code: str) -> Name:
    """Name a language in English and in itself; a code that the table of languages does not have stands for itself."""
    row = languages().get(code)
    if row is None:
        return Name(text=plain(code), code=plain(code))
    own = "" if row.own_name == row.english_name else row.own_name
    return Name(text=row.english_name, own=own, code=code, direction=row.direction)


def columns(measures: Sequence[Measure]) -> list[Place]:
    """Return the columns, tier by tier; see `ordered`."""
    return ordered({m.place for m in measures if m.tier != ALL})


def ordered(places: Iterable[Place]) -> list[Place]:
    """Return places tier by tier: its sum first, then its languages in the order of `languages.toml`."""
    order = list(languages())

    def rank(place: Place) -> tuple[int, bool, int, str]:
        tier, code = place
        return (
            TIERS.index(tier) if tier in TIERS else len(TIERS),
            code != ALL,
            order.index(code) if code in order else len(order),
            code,
        )

    return sorted(places, key=rank)


def systems(measures: Sequence[Measure], *, baseline: bool) -> list[System]:
    """Return the models (or the baselines), the best over all languages first, ties by name."""
    best: dict[System, float] = {m.system: -1.0 for m in measures if m.baseline == baseline}
    for m in measures:
        if m.baseline == baseline and m.tier == ALL and m.known:
            best[m.system] = m.accuracy
    return sorted(best, key=lambda system: (-best[system], system))


def answer_name(answer: str) -> str:
    """Say in words how a model answers."""
    try:
        return Condition.named(answer).title
    except UsageError:
        # A run of a later version, with a condition that this one does not know.
        return plain(answer)


def system_names(measures: Sequence[Measure]) -> dict[System, Name]:
    """Name each model of the measures; see `names_of`."""
    return names_of(m.system for m in measures)


def names_of(measured: Iterable[System]) -> dict[System, Name]:
    """Name each model by its id, with what else it takes to tell them apart.

    The way of answering stands behind the id where one model answers in several ways, and below it where models differ
    in it; the revision stands behind where a model has several.
    """
    found = sorted(set(measured))
    differ = len({answer for _, _, answer in found}) > 1
    names = {}
    for model, revision, answer in found:
        ways = {way for other, _, way in found if other == model}
        revisions = {made for other, made, _ in found if other == model}
        way = answer_name(answer)
        parts = [way] * (len(ways) > 1) + [plain(revision)[:12]] * (len(revisions) > 1)
        shown = BASELINE_NAMES.get(model, plain(model))
        text = f"{shown} ({', '.join(parts)})" if parts else shown
        names[model, revision, answer] = Name(text=text, detail=way if differ and len(ways) == 1 else "")
    return names
