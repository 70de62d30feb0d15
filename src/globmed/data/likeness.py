"""How like texts and their possible translations are, by what survives translation: numbers, names, cognates, length.

Cognates are found in a rough spelling that languages share: letters without marks, `ph` as `f`, `y` as `i`, and so on.
Kana and Hangul are romanised by their Unicode names and compared by consonants (アスピリン, 아스피린: s-p-r-n).
Chinese has nothing to compare but numbers, kept abbreviations and length.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import cache

TOKENS_WEIGHT = 8.0
COGNATES_WEIGHT = 12.0
"""How much each says, as a logarithm of odds; chosen, like what stands in `Relation`, on every second case of
CasiMedicos and HEAD-QA and every second of the TICO-19 terms in eleven languages."""

_COGNATE_LANGUAGES = {"en", "fr", "de", "pt", "es"}
_SYLLABIC = {"ja", "ko"}
_TOKEN = re.compile(r"\d+(?:[.,]\d+)*|[A-Z][A-Z0-9]+")
_MAY_HOLD_TOKENS = re.compile(r"\d|[A-Z][A-Z0-9]")
_STEM = re.compile(r"\b[a-z]{4}")
_SHORTER = (
    ("ph", "f"), ("th", "t"), ("ch", "c"), ("qu", "c"), ("h", ""), ("y", "i"), ("k", "c"), ("w", "v"), ("x", "cs"),
    ("z", "c"), ("ss", "s"), ("ll", "l"), ("mm", "m"), ("nn", "n"), ("tt", "t"), ("cc", "c"), ("ae", "e"), ("oe", "e"),
)  # fmt: skip
_SOFT_C = re.compile(r"c(?=[eiy])")
_CONSONANTS = str.maketrans(
    dict.fromkeys("aeiouyhwf", "") | {"l": "r", "v": "b", "c": "k", "q": "k", "z": "s", "j": "s", "x": "ks"}
)


@dataclass(frozen=True, kw_only=True)
class Relation:
    """How texts of two languages are to be compared.

    Attributes:
        share_cognates: whether medical words of the two are mostly of one origin, as in English and Spanish.
        by_consonants: whether vowels tell nothing, as between English and Japanese.
        length_weight: how much the product of two differences in log length says.
        unknown: pieces or stems that nobody shares, added to every text so that few do not decide.
    """

    share_cognates: bool
    by_consonants: bool
    length_weight: float
    unknown: int


@cache
def relation(source: str, target: str) -> Relation:
    """Return how texts of two languages are compared; both are BCP 47 codes."""
    share_cognates = {source, target} <= _COGNATE_LANGUAGES
    return Relation(
        share_cognates=share_cognates,
        by_consonants=(source in _SYLLABIC) != (target in _SYLLABIC),
        length_weight=5.0 if share_cognates else 2.0,
        unknown=4 if share_cognates else 1,
    )


@dataclass(frozen=True)
class Looks:
    """What is compared of the words of several texts, each a list with an entry a text.

    Attributes:
        spelt: the rough spelling.
        stems: first four letters of its words in the rough spelling.
        log_length: natural logarithm of the length in characters, plus one.
    """

    spelt: list[str]
    stems: list[AbstractSet[str]]
    log_length: list[float]


def looks(texts: Sequence[str], between: Relation) -> Looks:
    """Return what can be compared of the words of texts, such as an item's options."""
    together = "\n".join([text.replace("\n", " ") for text in texts])
    spelt = (_consonants(together) if between.by_consonants else spelling(together)).split("\n")
    stems: list[AbstractSet[str]] = [frozenset(_STEM.findall(text)) for text in spelt]
    return Looks(spelt, stems, [math.log(len(text) + 1) for text in texts])


def tokens(texts: Sequence[str]) -> list[AbstractSet[str]]:
    """Return the numbers and abbreviations of each text; decimal commas as points."""
    if not _MAY_HOLD_TOKENS.search("\n".join(texts)):
        return [frozenset()] * len(texts)
    return [frozenset([token.replace(",", ".") for token in _TOKEN.findall(text)]) for text in texts]


def pieces(spelt: str) -> frozenset[tuple[str, str, str]]:
    """Return all three letters in a row of a rough spelling, a space at both ends."""
    padded = f" {spelt} "
    return frozenset(zip(padded, padded[1:], padded[2:], strict=False))


def overlap(one: AbstractSet[object], other: AbstractSet[object], *, unknown: int = 0) -> float:
    """Return the share of two sets that both have (Dice), 0 where both are empty; `unknown` is added to their sizes."""
    size = len(one) + len(other) + unknown
    return 2 * len(one & other) / size if size else 0.0


def spelling(text: str) -> str:
    """Return the rough spelling of a text that languages in Latin letters share."""
    plain = text.lower() if text.isascii() else _without_marks(text.lower())
    for long, short in _SHORTER:
        plain = plain.replace(long, short)
    return plain


def _consonants(text: str) -> str:
    if not text.isascii():
        text = text.translate(_roman()).encode("ascii", "replace").decode().replace("?", " ")
    plain = text.lower().replace("ph", "f").replace("ch", "k")
    return _SOFT_C.sub("s", plain).translate(_CONSONANTS)


def _without_marks(text: str) -> str:
    return unicodedata.normalize("NFD", text).encode("ascii", "ignore").decode()


@cache
def _roman() -> dict[int, str]:
    """Kana and Hangul syllables to Latin letters, by the last word of their Unicode names."""
    # Hiragana spells native words, which have no cognates, so it is left out.
    kana = {code: unicodedata.name(chr(code)).rsplit(" ", 1)[1].lower() for code in range(0x30A1, 0x30FB)}
    hangul = {code: unicodedata.name(chr(code)).rsplit(" ", 1)[1].lower() for code in range(0xAC00, 0xD7A4)}
    return kana | hangul | {ord("ッ"): "", ord("ー"): ""}
