"""Whether a long reply is in the language that was asked for.

A model that answers a Zulu question in English may be right and of no use to the one who asked; a judge that reads
English well may not notice. pycld2 tells the languages (it is the one detector found that knows Wolof), in shares of
the text. Of a few words no detector can tell: short replies stay undecided, which is no sign of either.

Measured on human translations of TICO-19 (es, fr, pt, zh) and LAFAND-MT (fr, sw, wo, yo, zu), joined to 200 characters
(Chinese to 67): 95 to 100 % read as asked, at most 4 % as mixed, 1.1 % as another and 1.3 % as undecided, with and
without the marks of Yoruba and Wolof. Blind to Chinese quoted in Japanese; drug names alone read as English.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Literal, NamedTuple

import numpy as np
import pycld2
import regex

from globmed.core.language import language, languages

FidelityStatus = Literal["asked", "other", "mixed", "undecided"]

LETTERS_NEEDED = 100
"""Letters below which a reply stays undecided; see `LETTERS_A_CHARACTER`."""
LETTERS_A_CHARACTER = 4
"""Latin letters that say about as much as a Chinese character, a kana or a Korean syllable."""
SHARE_OF_ONE = 0.6
"""Share of the text from which on it is in one language: names, drugs and quotations may make up the rest."""
SCORE_NEEDED = 220
"""pycld2's score of a language below which a text is of none: 99 % of made-up texts score less, 99 % of real more."""

_LATIN = re.compile(r"[A-Za-z\u00c0-\u024f\u1e00-\u1eff]")
_EAST_ASIAN = regex.compile(r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}]")
# pycld2 refuses control characters.
_CONTROL = regex.compile(r"[\p{Cc}\p{Cs}\p{Cn}]")
# What is the same in every language.
_NO_LANGUAGE = regex.compile(r"https?://\S+|\S+@\S+|\d+")


class Fidelity(NamedTuple):
    """What language a reply is in.

    Attributes:
        language: BCP 47 code of the language that most of it is in; empty where undecided.
        share: share of the text that is in the language asked for, 0 to 1, as pycld2 finds it; NaN where undecided.
        status: `asked`; `other`, another of our languages; `mixed`, none with 60 % of it; `undecided`, too short or
            like none of our languages.
    """

    language: str
    share: float
    status: FidelityStatus


UNDECIDED = Fidelity("", np.nan, "undecided")


def read_language(reply: str, asked: str) -> Fidelity:
    """Return whether a reply is in the language asked for.

    Args:
        reply: what was answered, without what the model thought aloud.
        asked: BCP 47 code.

    Raises:
        UsageError: the language asked for is not in the table.
    """
    code = language(asked).code
    text = _CONTROL.sub(" ", _NO_LANGUAGE.sub(" ", unicodedata.normalize("NFC", reply)))
    if len(_LATIN.findall(text)) + LETTERS_A_CHARACTER * len(_EAST_ASIAN.findall(text)) < LETTERS_NEEDED:
        return UNDECIDED
    found = pycld2.detect(text.encode(), isPlainText=True, bestEffort=True)[2]
    shares: dict[str, float] = {}
    for _, name, percent, _ in found:
        # Chinese in traditional characters is Chinese still.
        shares[name.split("-")[0]] = shares.get(name.split("-")[0], 0.0) + percent / 100
    main = max(shares, key=lambda name: shares[name])
    share = shares.get(code, 0.0)
    if main not in languages() or found[0][3] < SCORE_NEEDED:
        return UNDECIDED
    if shares[main] < SHARE_OF_ONE:
        return Fidelity(main, share, "mixed")
    return Fidelity(main, share, "asked" if main == code else "other")
