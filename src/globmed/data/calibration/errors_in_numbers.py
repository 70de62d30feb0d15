"""Errors put into numbers and units: found by plain patterns, none of them shared with the checks that must see them.

A number is Arabic digits that stand alone: not a part of a name such as COVID-19, H1N1 or IL-6, nor of a date with
slashes or a number with several thousands marks. One that the original does not state either, for translators add some,
is left alone: where it is above twelve, its digits must stand in the original.
"""

from __future__ import annotations

import re

import numpy as np

from globmed.core.item import Item
from globmed.data.calibration.places import Spot, rewrite, spots, texts
from globmed.data.parallel import GoodPair

_NUMBER = re.compile(r"(?<![A-Za-z0-9.,_/])(?<![A-Za-z]-)\d+(?:[.,]\d+)?(?![0-9A-Za-z_/]|[.,]\d|-[A-Za-z])")
_OTHER_UNIT = {
    "mg/dl": "g/dl", "mg/dL": "g/dL", "g/dl": "mg/dl", "g/dL": "mg/dL", "mmol/l": "mg/dl", "mmol/L": "mg/dL",
    "mEq/l": "mg/dl", "mEq/L": "mg/dL", "mmHg": "kPa", "mm Hg": "kPa", "kg": "g", "mg": "g", "mcg": "mg", "µg": "mg",
    "μg": "mg", "ng": "mg", "g": "mg", "ml": "l", "mL": "L", "l": "ml", "L": "mL", "cm": "mm", "mm": "cm", "km": "m",
    "nm": "mm", "m": "cm", "UI": "mg", "IU": "mg", "°C": "°F", "ºC": "°F", "%": "mg",
}  # fmt: skip
_UNIT = re.compile(
    rf"(?<=\d)\s?({'|'.join(map(re.escape, sorted(_OTHER_UNIT, key=len, reverse=True)))})(?![A-Za-zÀ-ɏ0-9/%²³])"
)
_OTHER_TIME = {
    "en": {"days": "weeks", "weeks": "days", "hours": "minutes", "minutes": "hours", "months": "days", "years": "days"},
    "es": {"días": "horas", "semanas": "días", "horas": "días", "minutos": "horas", "meses": "años", "años": "días"},
    "fr": {"jours": "mois", "semaines": "jours", "heures": "jours", "minutes": "heures", "mois": "ans", "ans": "mois"},
    "pt": {"dias": "horas", "semanas": "dias", "horas": "dias", "minutos": "horas", "meses": "anos", "anos": "dias"},
    "zh": {"天": "周", "周": "天", "小时": "分钟", "分钟": "小时", "个月": "年"},
}  # fmt: skip


def change_number(pair: GoodPair, generator: np.random.Generator) -> Item | None:
    """Replace one digit of a number by another."""

    def change(number: str) -> str:
        at = int(generator.choice([index for index, sign in enumerate(number) if sign.isdigit()]))
        digits = [digit for digit in "123456789" if digit != number[at]]
        return f"{number[:at]}{generator.choice(digits)}{number[at + 1 :]}"

    return rewrite(pair.target, _numbers(pair), generator, change)


def drop_number(pair: GoodPair, generator: np.random.Generator) -> Item | None:
    """Leave a number out; one in brackets is left alone, for it only repeats the words before it."""
    return rewrite(pair.target, _numbers(pair, bracketed=False), generator, lambda _number: "")


def multiply_number(pair: GoodPair, generator: np.random.Generator) -> Item | None:
    """Make a number ten times as great, as a slipped decimal mark does."""
    return rewrite(pair.target, _numbers(pair), generator, tenfold)


def tenfold(number: str) -> str:
    """Return ten times a number; three digits after the mark are taken for thousands. Nought stays as it is."""
    if not number.strip("0.,"):
        return number
    whole, fraction = re.split(r"[.,]", number) if re.search(r"[.,]", number) else (number, "")
    mark = number[len(whole) : len(whole) + 1]
    if not mark:
        return f"{number}0"
    shifted = f"{whole}{fraction[0]}".lstrip("0") or "0"
    if len(fraction) == 3:
        return f"{shifted}{mark}{fraction[1:]}0"
    return f"{shifted}{mark}{fraction[1:]}" if fraction[1:] else shifted


def change_unit(pair: GoodPair, generator: np.random.Generator) -> Item | None:
    """Put another unit after a number, such as g for mg."""
    return rewrite(pair.target, spots(pair.target, _UNIT), generator, lambda unit: _OTHER_UNIT[unit])


def change_time_unit(pair: GoodPair, generator: np.random.Generator) -> Item | None:
    """Put another unit of time, a word, after a number, such as weeks for days."""
    others = _OTHER_TIME.get(pair.target.language)
    if others is None:
        return None
    # In Chinese no space tells where a word ends: 周岁 is an age, 天文 a science, 周年 an anniversary.
    end = "(?![岁文年])" if pair.target.language == "zh" else r"\b"
    pattern = re.compile(rf"(?<=\d)\s?({'|'.join(others)}){end}")
    return rewrite(pair.target, spots(pair.target, pattern), generator, lambda word: others[word])


def _numbers(pair: GoodPair, *, bracketed: bool = True) -> list[Spot]:
    """Return where the translation has numbers that the original states, labels of lists apart."""
    stated = {_digits(found) for text in texts(pair.source).values() for found in re.findall(r"\d[\d.,]*", text)}
    stated |= {str(small) for small in range(13)}  # which may be written in words
    target = texts(pair.target)
    return [
        spot
        for spot in spots(pair.target, _NUMBER)
        if _digits(target[spot.place][spot.start : spot.end]) in stated
        and not (spot.start == 0 and target[spot.place][spot.end :].startswith((".", ")")))
        and (bracketed or not target[spot.place][: spot.start].rstrip().endswith("("))
    ]


def _digits(number: str) -> str:
    return re.sub(r"[.,]", "", number)
