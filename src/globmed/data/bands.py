"""How long translations are: the usual ratio of lengths between two languages and how far good translations stray.

`quality_bands.toml` has a row a language, fitted by `globmed data check --calibrate` on human translations. Lengths are
graphemes; a band is drawn in the logarithm of the ratio of translation to original.
"""

from __future__ import annotations

import math
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal

import msgspec

from globmed.core.errors import InputError
from globmed.core.language import language

BLOCK_Z = 5.0
"""Spreads from the usual length at which a text is blocked: about 1 good translation in 1,000 strays so far."""
REVIEW_Z = 3.5


class LengthFacts(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One row of `quality_bands.toml`.

    Attributes:
        log_ratio: natural logarithm of a text's length in this language over its length in English.
        spread: how far a long text strays from that, as a standard deviation of the logarithm.
        spread_short: what shortness adds to the variance: this squared, over the length in graphemes.
        fitted_on: human translations the row was fitted on; empty where there were none.
    """

    log_ratio: float
    spread: float
    spread_short: float
    fitted_on: str = ""


@dataclass(frozen=True, kw_only=True)
class Band:
    """What lengths are usual between two languages.

    Attributes:
        log_ratio: usual logarithm of translation's length over original's.
        spread, spread_short: as in `LengthFacts`.
        measured: whether both languages' rows were fitted on human translations.
    """

    log_ratio: float
    spread: float
    spread_short: float
    measured: bool

    def expected(self, length: int) -> float:
        """Return the usual length in graphemes of the translation of a text that has `length`."""
        return length * math.exp(self.log_ratio)

    def strays(self, source: int, target: int) -> float:
        """Return by how many spreads a translation is longer than usual, below zero where it is shorter.

        Args:
            source: graphemes of the original.
            target: graphemes of the translation; an empty one counts as half a grapheme.
        """
        expected = self.expected(max(source, 1))
        # The shorter language's graphemes carry the information: 10 Chinese characters are no short text.
        size = max(source, expected)
        spread = math.sqrt(self.spread**2 + self.spread_short**2 / size)
        return math.log(max(target, 0.5) / expected) / spread

    def judge(self, source: int, target: int) -> Literal["block", "review"] | None:
        """Return the severity of a translation's length; None where it is inside the band."""
        strays = abs(self.strays(source, target))
        if strays < REVIEW_Z:
            return None
        return "block" if strays >= BLOCK_Z else "review"


@cache
def length_facts() -> dict[str, LengthFacts]:
    """Return every row of `quality_bands.toml` by language.

    Raises:
        InputError: a row lacks a field or holds an unknown one.
    """
    table = tomllib.loads(files("globmed.data").joinpath("quality_bands.toml").read_text(encoding="utf-8"))
    try:
        return msgspec.convert(table, dict[str, LengthFacts])
    except msgspec.ValidationError as error:
        raise InputError.at("quality_bands.toml", found=str(error), expected="a LengthFacts a language") from error


@cache
def band(source: str, target: str) -> Band:
    """Return the band between two languages; one without a row gets that of `default`.

    Raises:
        UsageError: a language that is not in the table of languages.
    """
    rows = length_facts()
    here, there = (rows.get(language(code).code, rows["default"]) for code in (source, target))
    return Band(
        log_ratio=there.log_ratio - here.log_ratio,
        spread=max(here.spread, there.spread),
        spread_short=max(here.spread_short, there.spread_short),
        measured=bool(here.fitted_on and there.fitted_on),
    )
