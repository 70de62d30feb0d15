"""Yoruba number words: texts leave out tone marks and dots, and numbers between the tens are reckoned from a ten.

Mẹ́rìnlélógún is four over twenty (24), mẹ́rìndínlọ́gbọ̀n four short of thirty (26). Written by a language model in 2026;
no native speaker has reviewed it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from globmed.data.quantities.compose import Word

UNITS = {"okan": 1, "kan": 1, "eji": 2, "ji": 2, "eta": 3, "ta": 3, "erin": 4, "rin": 4, "arun": 5, "run": 5}
UNITS |= {"efa": 6, "fa": 6, "eje": 7, "je": 7, "ejo": 8, "jo": 8, "esan": 9, "san": 9}
TENS = {"ogun": 20, "ogbon": 30, "ogoji": 40, "aadota": 50, "ogota": 60, "aadorin": 70, "ogorin": 80, "aadorun": 90}
TENS |= {"ogorun": 100, "aadofa": 110, "ogofa": 120, "aadoje": 130, "ogoje": 140, "aadojo": 150, "ogojo": 160}
TENS |= {"aadosan": 170, "ogosan": 180, "aadowa": 190, "igba": 200}
RECKONED = re.compile(
    rf"(?<!\w)[mk]?[oea]{{0,2}}({'|'.join(sorted(UNITS, key=len, reverse=True))})"
    rf"(le|din)la?({'|'.join(TENS)})(?:-un)?(?!\w)"
)
FIVE_SHORT = {"meedogun": 15, "meedogbon": 25, "meedogoji": 35}
FIVE_SHORT_OF = re.compile(rf"(?<!\w)(?:{'|'.join(FIVE_SHORT)})(?!\w)")


class Bare(NamedTuple):
    """A text in lower case without marks, and for each of its characters (and its end) the place in the text."""

    text: str
    places: tuple[int, ...]


@lru_cache(maxsize=4096)
def bare(text: str) -> Bare:
    """Return a text for looking words up: what is stored or shown keeps its marks."""
    chars, places = [], []
    for place, char in enumerate(text):
        for part in unicodedata.normalize("NFD", char).lower():
            if not unicodedata.combining(part):
                chars.append(part)
                places.append(place)
    return Bare("".join(chars), (*places, len(text)))


def reckoned(text: str) -> Iterator[Word]:
    """Give the number words reckoned from a ten in a bare text, unordered."""
    for found in RECKONED.finditer(text):
        ten, unit = TENS[found[3]], UNITS[found[1]]
        value = ten + unit if found[2] == "le" else ten - unit
        yield Word(value, magnitude=False, start=found.start(), end=found.end())
    for found in FIVE_SHORT_OF.finditer(text):
        yield Word(FIVE_SHORT[found[0]], magnitude=False, start=found.start(), end=found.end())
