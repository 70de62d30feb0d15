"""What the checks make of good translations, and of translations that an error was put into."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from globmed.core.item import Finding, Severity
from globmed.data.calibration.injections import Injection
from globmed.data.parallel import GoodPair
from globmed.data.quality import check_translation
from globmed.stats.intervals import Interval, clustered_proportion

Level = Severity | None
"""The gravest severity that was found; None where nothing was."""

_GRAVITY: dict[Level, int] = {None: 0, "note": 1, "review": 2, "block": 3}


@dataclass(frozen=True, kw_only=True)
class Judged:
    """What the checks make of one good pair.

    Attributes:
        corpus: name of the corpus.
        pair: the pair.
        findings: what was found in it.
    """

    corpus: str
    pair: GoodPair
    findings: tuple[Finding, ...]

    @property
    def language(self) -> str:
        """Language of the translation."""
        return self.pair.target.language

    @property
    def cluster(self) -> str:
        """What pairs of one text share."""
        return self.pair.source.cluster

    def level(self, check: str = "") -> Level:
        """Return the gravest severity found, by one check where it is named."""
        return gravest(finding for finding in self.findings if not check or finding.check == check)


@dataclass(frozen=True, kw_only=True)
class Spoilt:
    """What the checks make of one pair that an error was put into.

    Attributes:
        corpus: name of the corpus.
        injection: name of the error.
        language: of the translation.
        cluster: what pairs of one text share.
        level: the gravest severity among the findings that the good pair has not.
        checks: the checks that gave those.
    """

    corpus: str
    injection: str
    language: str
    cluster: str
    level: Level
    checks: tuple[str, ...]


class Rates(NamedTuple):
    """Shares of pairs by the gravest severity found in them: blocked; blocked or sent to review; with any finding."""

    blocked: Interval
    flagged: Interval
    noticed: Interval


def judge(corpus: str, pairs: Sequence[GoodPair], *, tell: Callable[[], None] = lambda: None) -> list[Judged]:
    """Check good pairs; `tell` is called after each."""
    judged = []
    for pair in pairs:
        judged.append(Judged(corpus=corpus, pair=pair, findings=tuple(check_translation(*pair))))
        tell()
    return judged


def spoil(
    good: Sequence[Judged], injections: Sequence[Injection], *, seed: int, tell: Callable[[], None] = lambda: None
) -> list[Spoilt]:
    """Put each error into every pair that has something to put it into, and check the outcome."""
    found = []
    for judged in good:
        known = set(judged.findings)
        for injection in injections:
            spoilt = injection.into(judged.pair, seed=seed)
            if spoilt is not None:
                new = [finding for finding in check_translation(*spoilt) if finding not in known]
                found.append(
                    Spoilt(
                        corpus=judged.corpus,
                        injection=injection.name,
                        language=judged.language,
                        cluster=judged.cluster,
                        level=gravest(new),
                        checks=tuple(sorted({finding.check for finding in new})),
                    )
                )
        tell()
    return found


def gravest(findings: Iterable[Finding]) -> Level:
    """Return the gravest severity of findings."""
    levels: list[Level] = [finding.severity for finding in findings]
    return max(levels, key=_GRAVITY.__getitem__, default=None)


def rates(levels: Sequence[Level], clusters: Sequence[str]) -> Rates:
    """Return the shares of pairs by the gravest severity found, with 95 % intervals over clusters."""
    gravity = [_GRAVITY[level] for level in levels]
    blocked, flagged, noticed = (
        clustered_proportion([one >= least for one in gravity], clusters) for least in (3, 2, 1)
    )
    return Rates(blocked, flagged, noticed)
