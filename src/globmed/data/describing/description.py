"""What a stage of items holds, as plain numbers: the tables that `globmed data stats` prints and draws."""

from __future__ import annotations

import msgspec


class Size(msgspec.Struct, frozen=True, kw_only=True):
    """How many items a source has in a language and split."""

    source: str
    language: str
    split: str
    items: int


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """How many items of a language are in it from the start, translated by a model, or revised by an expert."""

    language: str
    native: int
    machine: int
    expert: int


class Length(msgspec.Struct, frozen=True, kw_only=True):
    """How long the items of a source are in a language, in graphemes of turns, context, question and options together.

    Attributes:
        source: name of the source.
        language: BCP 47 code.
        items: how many there are.
        low: 5 % are as short as this or shorter.
        quarter: likewise 25 %.
        median: likewise half.
        three_quarters: likewise 75 %.
        high: likewise 95 %.
    """

    source: str
    language: str
    items: int
    low: int
    quarter: int
    median: int
    three_quarters: int
    high: int


class Balance(msgspec.Struct, frozen=True, kw_only=True):
    """Where the right option stands, among a source's questions with one right option and as many options.

    Attributes:
        source: name of the source.
        language: the one that was counted: translations have their options in the same places.
        options: how many each question has.
        right: at how many questions the right one is the first, the second, and so on.
        p_value: of Pearson's chi-square test that every place is as likely; None of too few questions to say.
    """

    source: str
    language: str
    options: int
    right: tuple[int, ...]
    p_value: float | None

    @property
    def questions(self) -> int:
        """How many questions there are."""
        return sum(self.right)


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """How many items of a language have a finding of a check that no reviewer has overruled."""

    check: str
    severity: str
    language: str
    items: int


class Crossing(msgspec.Struct, frozen=True, kw_only=True):
    """How many clusters two sources have in common."""

    first: str
    second: str
    clusters: int


class Description(msgspec.Struct, frozen=True, kw_only=True):
    """What a stage of items holds.

    Attributes:
        stage: its name.
        items: all of them.
        families: questions, whatever their language.
        clusters: families that are one question across sources, counted once.
        sizes: items by source, language and split.
        origins: where the text comes from, by language.
        lengths: by source and language.
        balances: where the right option stands, by source and number of options.
        not_one_right: items with options of which none, or several, are right, by source.
        findings: by check, severity and language.
        crossings: pairs of sources that share clusters.
    """

    stage: str
    items: int
    families: int
    clusters: int
    sizes: tuple[Size, ...]
    origins: tuple[Origin, ...]
    lengths: tuple[Length, ...]
    balances: tuple[Balance, ...]
    not_one_right: dict[str, int]
    findings: tuple[Found, ...]
    crossings: tuple[Crossing, ...]

    @property
    def sources(self) -> list[str]:
        """Names of the sources, sorted."""
        return sorted({size.source for size in self.sizes})

    @property
    def languages(self) -> list[str]:
        """Codes of the languages, in the order that `origins` has them."""
        return [origin.language for origin in self.origins]

    def count(self, *, source: str = "", language: str = "", split: str = "") -> int:
        """Return the number of items of a source, a language, a split; an empty name stands for all."""
        return sum(
            size.items
            for size in self.sizes
            if source in ("", size.source) and language in ("", size.language) and split in ("", size.split)
        )
