"""Dose calculations and units: a procedural source of numeracy questions in medication, in every language.

Made by this code, so no model can have seen the questions, and every gold answer follows from the numbers stated. Wrong
options are the errors that harm: ten times too much or too little, the wrong unit, a factor left out.

| shape | example | wrong options |
|---|---|---|
| `weight` | 15 mg per kg of body weight, weight 12 kg: one dose | tenfold, a tenth, the dose for one kg |
| `volume` | syrup with 125 mg in 5 mL, dose 250 mg: its volume | tenfold, a tenth, the volume stated |
| `day` | 500 mg every 8 hours: the amount in 24 hours | tenfold, one dose too few, dose times hours |
| `rate` | 1,000 mL over 8 hours: mL in one hour | tenfold, a tenth, volume times hours |
| `convert` | 0.25 mg in µg | tenfold, a tenth, a hundredfold |

Licence: Apache-2.0, as this code. Citation: this project. The texts (`doses.toml`) were written by a language model;
no native speaker has reviewed them. One row, English:

    question "Dose: 15 mg per kg of body weight. Body weight: 12 kg. One dose is:"
    options  1800 mg | 180 mg | 18 mg | 15 mg      answer 1
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Literal, NamedTuple

import msgspec
import numpy as np

from globmed.core.item import Item, Split
from globmed.data.procedural import LICENCE, NATIVE_LANGUAGE, provenance, quantity, read_texts
from globmed.data.sources import Dropped, Source

Shape = Literal["weight", "volume", "day", "rate", "convert"]
SHAPES: tuple[Shape, ...] = ("weight", "volume", "day", "rate", "convert")
FAMILIES: dict[Split, int] = {"train": 80, "test": 50}
"""Questions of each shape."""

_TRIES_MAX = 10_000
# A unit a thousand times as large as the one behind it.
_THOUSANDFOLD = (("g", "mg"), ("mg", "µg"), ("L", "mL"))


class Texts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One language's table of `doses.toml`: one question a shape."""

    weight: str
    volume: str
    day: str
    rate: str
    convert: str


class Case(NamedTuple):
    """One question before it has a language; numbers are thousandths of their unit.

    Attributes:
        shape: what is asked.
        stated: amounts that the question states, by their placeholder, each with its unit.
        unit: of the options.
        options: their amounts.
        answer: index of the right one.
    """

    shape: Shape
    stated: tuple[tuple[str, int, str], ...]
    unit: str
    options: tuple[int, ...]
    answer: int


@cache
def texts() -> dict[str, Texts]:
    """Return the texts of every language."""
    return read_texts("doses", Texts)


class _Sum(NamedTuple):
    """A calculation: what is stated, the unit of its result, the result and three wrong ones, in thousandths."""

    stated: tuple[tuple[str, int, str], ...]
    unit: str
    results: tuple[int, int, int, int]


def _weight(rng: np.random.Generator) -> _Sum:
    rate, weight = int(rng.choice([2, 4, 5, 8, 10, 12, 15, 20, 25, 30, 40, 50])), int(rng.integers(3, 90))
    dose = 1000 * rate * weight
    stated = (("rate", 1000 * rate, "mg"), ("weight", 1000 * weight, "kg"))
    return _Sum(stated, "mg", (dose, 10 * dose, dose // 10, 1000 * rate))


def _volume(rng: np.random.Generator) -> _Sum:
    strength, volume = int(rng.choice([25, 40, 50, 80, 100, 120, 125, 160, 200, 250])), int(rng.choice([1, 2, 5, 10]))
    # In quarters of the volume stated, so that what is to be measured out can be.
    quarters = int(rng.choice([1, 2, 3, 6, 8, 10, 12, 16, 20]))
    dose, answer = 250 * strength * quarters, 250 * volume * quarters
    stated = (("strength", 1000 * strength, "mg"), ("volume", 1000 * volume, "mL"), ("dose", dose, "mg"))
    return _Sum(stated, "mL", (answer, 10 * answer, answer // 10, 1000 * volume))


def _day(rng: np.random.Generator) -> _Sum:
    dose, hours = 25 * int(rng.integers(2, 41)), int(rng.choice([3, 4, 6, 8, 12]))
    answer = 1000 * dose * 24 // hours
    stated = (("dose", 1000 * dose, "mg"), ("hours", 1000 * hours, ""))
    return _Sum(stated, "mg", (answer, 10 * answer, answer - 1000 * dose, 1000 * dose * hours))


def _rate(rng: np.random.Generator) -> _Sum:
    hourly, hours = 5 * int(rng.integers(2, 51)), int(rng.choice([2, 3, 4, 5, 6, 8, 10, 12]))
    stated = (("volume", 1000 * hourly * hours, "mL"), ("hours", 1000 * hours, ""))
    return _Sum(stated, "mL", (1000 * hourly, 10_000 * hourly, 100 * hourly, 1000 * hourly * hours**2))


def _convert(rng: np.random.Generator) -> _Sum:
    larger, smaller = _THOUSANDFOLD[int(rng.integers(len(_THOUSANDFOLD)))]
    # From 0.01 of the larger unit, so that a tenth of the answer has at most three decimals.
    amount = int(rng.integers(1, 100)) * int(rng.choice([10, 50, 100]))
    down = rng.random() < 0.5
    stated = ("amount", amount, larger) if down else ("amount", 1000 * amount, smaller)
    answer = 1000 * amount if down else amount
    return _Sum((stated,), smaller if down else larger, (answer, 10 * answer, answer // 10, 100 * answer))


_CALCULATE: dict[Shape, Callable[[np.random.Generator], _Sum]] = {
    "weight": _weight,
    "volume": _volume,
    "day": _day,
    "rate": _rate,
    "convert": _convert,
}


def render(case: Case, code: str, *, family: str, split: Split) -> Item:
    """Write a case in one language."""
    fields = {name: quantity(amount, unit, code).strip() for name, amount, unit in case.stated}
    return Item(
        family=family,
        language=code,
        kind="mcqa",
        source="doses",
        split=split,
        question=getattr(texts()[code], case.shape).format(unit=case.unit, **fields),
        options=tuple(quantity(amount, case.unit, code) for amount in case.options),
        answer=(case.answer,),
        specialty="medication dosing",
        subset=case.shape,
        provenance=provenance(code, family=family),
    )


def cases(seed: int) -> Iterator[tuple[str, Split, Case]]:
    """Give every question of a seed once, with its family and split; each place is right equally often, about."""
    rng = np.random.default_rng(seed)
    seen: set[tuple[Shape, tuple[tuple[str, int, str], ...]]] = set()
    for split, families in FAMILIES.items():
        for shape in SHAPES:
            for made in range(families):
                one = _new_sum(shape, rng, seen)
                seen.add((shape, one.stated))
                order = rng.permutation(len(one.results)).tolist()
                options = tuple(one.results[index] for index in order)
                case = Case(shape, one.stated, one.unit, options, order.index(0))
                yield f"doses:{seed}:{split}:{shape}:{made}", split, case


def _new_sum(shape: Shape, rng: np.random.Generator, seen: set[tuple[Shape, tuple[tuple[str, int, str], ...]]]) -> _Sum:
    for _ in range(_TRIES_MAX):
        one = _CALCULATE[shape](rng)
        # Wrong ways may lead to the same number, even to the right one.
        if (shape, one.stated) not in seen and len(set(one.results)) == len(one.results) and min(one.results) > 0:
            return one
    raise AssertionError(f"{shape}: no new question in {_TRIES_MAX} draws")


def read(_path: Path, wanted: Sequence[str], seed: int) -> Iterator[Item | Dropped]:
    """Make the items of a seed: language by language, the same families in each."""
    for code in wanted:
        for family, split, case in cases(seed):
            yield render(case, code, family=family, split=split)


SOURCE = Source(
    name="doses",
    title="Dose calculations and units (procedural)",
    kinds=("mcqa",),
    native_language=NATIVE_LANGUAGE,
    languages=tuple(texts()),
    url="https://arxiv.org/abs/2601.02186",
    revision="1",
    licence=LICENCE,
    citation="globmed",
    obtain="made by globmed itself: `globmed data import doses --out DIR`",
    read=read,
    procedural=True,
)
