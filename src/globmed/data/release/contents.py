"""What a release holds, counted from its items: whatever number stands in the card or the metadata comes from here."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field

from globmed.core.store import Count

Part = tuple[str, str, str]
"""Source, language and split."""


@dataclass(kw_only=True)
class Contents:
    """Counts of items that stay, unless said otherwise.

    Attributes:
        read: items met, kept or not, by source, language and split.
        kept: those that stay.
        dropped: those that do not, by their reason.
        texts: by language and origin of the text (`native`, `machine`, `expert`).
        natives: by source and native language.
        kinds: by source and kind.
        licences: by source and licence.
        restricted: items whose terms forbid to publish them, by source and licence.
        makers: by language and the model that translated.
        findings: items with a standing finding, by check, severity and language.
        reviewed: items that at least one person gave a verdict on, by language.
        reviewers: names of those persons.
        regions: by country whose practice the item reflects; "" where it is not known.
        families: questions, whatever their language.
        clusters: families that are one question across sources, counted once.
    """

    read: Counter[Part] = field(default_factory=Counter)
    kept: Counter[Part] = field(default_factory=Counter)
    dropped: defaultdict[Part, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    texts: Counter[tuple[str, str]] = field(default_factory=Counter)
    natives: Counter[tuple[str, str]] = field(default_factory=Counter)
    kinds: Counter[tuple[str, str]] = field(default_factory=Counter)
    licences: Counter[tuple[str, str]] = field(default_factory=Counter)
    restricted: Counter[tuple[str, str]] = field(default_factory=Counter)
    makers: Counter[tuple[str, str]] = field(default_factory=Counter)
    findings: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    reviewed: Counter[str] = field(default_factory=Counter)
    reviewers: set[str] = field(default_factory=set)
    regions: Counter[str] = field(default_factory=Counter)
    families: int = 0
    clusters: int = 0

    @property
    def sources(self) -> list[str]:
        """Names of the sources that have items."""
        return sorted({source for source, _, _ in self.kept})

    @property
    def languages(self) -> list[str]:
        """Codes of the languages that have items."""
        return sorted({language for _, language, _ in self.kept})

    def items(self, *, source: str = "", language: str = "", split: str = "") -> int:
        """Return how many items stay; an empty name stands for all."""
        return sum(
            count
            for (of, code, part), count in self.kept.items()
            if source in ("", of) and language in ("", code) and split in ("", part)
        )

    def reasons(self) -> Counter[str]:
        """Return how many items were dropped, by reason."""
        return sum(self.dropped.values(), Counter[str]())

    def counts(self) -> list[Count]:
        """Return the books: for each source, language and split what was read, kept, and dropped by its reason."""
        return [
            Count(
                source=part[0],
                language=part[1],
                split=part[2],
                read=read,
                kept=self.kept[part],
                dropped=dict(sorted(self.dropped[part].items())),
            )
            for part, read in sorted(self.read.items())
        ]
