"""How results are grouped and written in tables of docs/quality.md."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from globmed.core.language import languages
from globmed.data.calibration.measuring import Judged, Rates, Spoilt, rates
from globmed.data.parallel import CORPORA
from globmed.stats.intervals import Interval

T = TypeVar("T", Judged, Spoilt)


@dataclass(frozen=True, kw_only=True)
class Group(Generic[T]):
    """Results of one language; machine translation stands apart, for nobody vouches for it.

    Attributes:
        language: code of the translations' language.
        machine: whether a machine translated.
        medical: whether the texts are.
        results: what belongs to it.
    """

    language: str
    machine: bool
    medical: bool
    results: Sequence[T]

    @property
    def label(self) -> str:
        """The language, with what a reader must know of the texts."""
        return self.language + (" (machine)" if self.machine else "") + ("" if self.medical else " (news)")


def groups(results: Iterable[T]) -> list[Group[T]]:
    """Sort results by language, in the order of languages: medical texts, then news, then what a machine translated."""
    found: dict[tuple[bool, bool, str], list[T]] = defaultdict(list)
    for one in results:
        corpus = CORPORA[one.corpus]
        found[corpus.making == "machine", not corpus.medical, one.language].append(one)
    order = list(languages())
    keys = sorted(found, key=lambda one: (one[0], one[1], order.index(one[2])))
    return [
        Group(language=language, machine=machine, medical=not news, results=found[machine, news, language])
        for machine, news, language in keys
    ]


def rates_of(judged: Sequence[Judged], *, check: str = "") -> Rates:
    """Return the shares of good pairs by what was found in them, by one check where it is named."""
    return rates([one.level(check) for one in judged], [one.cluster for one in judged])


def percent(interval: Interval) -> str:
    """Return a share and its interval in percent; without bounds where too few clusters say nothing about spread."""
    if interval.low != interval.low:
        return mean_percent(interval)
    return f"{100 * interval.mean:.1f} ({100 * interval.low:.1f} to {100 * interval.high:.1f})"


def mean_percent(interval: Interval) -> str:
    """Return a share in percent."""
    return f"{100 * interval.mean:.1f}"


def met(margin: float) -> str:
    """Say whether a goal is met, and if not, by how many points of a hundred it is missed."""
    return "yes" if margin >= 0 else f"no, by {-100 * margin:.1f} points"


def table(names: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    """Give the lines of a Markdown table; a line that says so where it has no rows."""
    lines = [f"| {' | '.join(map(str, row))} |" for row in rows]
    if lines:
        yield f"| {' | '.join(names)} |"
        yield f"|{'---|' * len(names)}"
        yield from lines
    else:
        yield "Nothing yet."
