"""Vital signs: a procedural source of numeracy questions in a medical setting, in every language.

Made by this code, so no model can have seen the questions and every gold answer is right by construction. Each item is
about an adult at rest and names the site of measurement and the unit; its context states the ranges and their source:

| sign | site | low | normal | high | very high | cut points from |
|---|---|---|---|---|---|---|
| pulse per minute | wrist | up to 50 | 51-90 | 91-130 | from 131 | NEWS2 |
| breaths per minute | chest | up to 11 | 12-20 | 21-24 | from 25 | NEWS2 |
| temperature, °C | mouth | up to 36.0 | 36.1-38.0 | 38.1-39.0 | from 39.1 | NEWS2 |
| systolic pressure, mmHg | upper arm | up to 90 | 91-139 | 140-179 | from 180 | NEWS2; ESC/ESH |

NEWS2: Royal College of Physicians, National Early Warning Score 2, London 2017, chart 1: "normal" is the range of
0 points, "low" and "high" what lies below and above it, "very high" the range of the most points. ESC/ESH: 2018
guidelines for the management of arterial hypertension (European Heart Journal 39:3021-3104): hypertension from 140,
grade 3 from 180 mmHg. The four words are ours. They test reading numbers against stated ranges, not clinical judgement.

Shapes: `classify` (which range is this reading in), `pick` (which reading is in this range) and `identify` (a normal
reading with its unit: of which sign). A fifth of the numbers of every range stands in test items only.

Licence: Apache-2.0, as this code. Citation: this project. The texts (`vitals.toml`) were written by a language model;
no native speaker has reviewed them. One row, English, seed 0:

    context  "Ranges (NEWS2 2017): low ≤ 50 < normal ≤ 90 < high ≤ 130 < very high."
    question "Adult at rest. Pulse at the wrist (per minute). Measured: 118. The reading is:"
    options  low | high | very high | normal      answer 1
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Literal, NamedTuple

import msgspec
import numpy as np

from globmed.core.item import Item, Split
from globmed.core.language import format_number
from globmed.data.procedural import LICENCE, NATIVE_LANGUAGE, provenance, read_texts
from globmed.data.sources import Dropped, Source

Shape = Literal["classify", "pick", "identify"]
SHAPES: tuple[Shape, ...] = ("classify", "pick", "identify")
BANDS = ("low", "normal", "high", "very_high")
NORMAL = 1
HELD_OUT_SHARE = 0.2
FAMILIES: dict[Split, dict[Shape, int]] = {
    "train": {"classify": 320, "pick": 320, "identify": 80},
    "test": {"classify": 60, "pick": 60, "identify": 20},
}


class Sign(NamedTuple):
    """A vital sign: numbers are whole, in steps of 1 / `per_unit` of the unit.

    `lowest` and `highest` bound what is asked about; `cuts` are the highest numbers of the first three ranges.
    """

    name: str
    lowest: int
    highest: int
    cuts: tuple[int, int, int]
    per_unit: int
    sources: tuple[str, ...]

    def write(self, number: int, code: str) -> str:
        """Write a number in the unit, with the language's decimal mark."""
        plain = f"{number / self.per_unit:.1f}" if self.per_unit > 1 else str(number)
        return format_number(plain, code)


SIGNS: tuple[Sign, ...] = (
    Sign("pulse", 30, 180, (50, 90, 130), 1, ("NEWS2 2017",)),
    Sign("breathing", 5, 40, (11, 20, 24), 1, ("NEWS2 2017",)),
    Sign("temperature", 340, 415, (360, 380, 390), 10, ("NEWS2 2017",)),
    Sign("systolic", 60, 229, (90, 139, 179), 1, ("NEWS2 2017", "ESC/ESH 2018")),
)


class Texts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One language's table of `vitals.toml`."""

    low: str
    normal: str
    high: str
    very_high: str
    ranges: str
    separator: str
    sign: str
    classify: str
    pick: str
    identify: str
    sites: dict[str, str]
    units: dict[str, str]

    @property
    def bands(self) -> tuple[str, str, str, str]:
        """Words for the four ranges, in order."""
        return self.low, self.normal, self.high, self.very_high


class Case(NamedTuple):
    """One question before it has a language.

    Attributes:
        shape: what is asked.
        sign: about what.
        asked: the reading to classify or identify, or the range that readings are picked for.
        options: for every option its range (`classify`), number (`pick`) or sign (`identify`).
        answer: index of the right option.
    """

    shape: Shape
    sign: Sign
    asked: int
    options: tuple[int, ...]
    answer: int


def band_of(sign: Sign, number: int) -> int:
    """Return the index of the range a number lies in."""
    return sum(number > cut for cut in sign.cuts)


@cache
def texts() -> dict[str, Texts]:
    """Return the texts of every language."""
    return read_texts("vitals", Texts)


def held_out_numbers(sign: Sign, rng: np.random.Generator) -> dict[Split, list[list[int]]]:
    """Divide a sign's numbers, range by range, into those of training and those of test items."""
    parts: dict[Split, list[list[int]]] = {"train": [], "test": []}
    for band in range(len(BANDS)):
        numbers = [n for n in range(sign.lowest, sign.highest + 1) if band_of(sign, n) == band]
        shuffled = rng.permutation(numbers).tolist()
        held = max(1, round(len(numbers) * HELD_OUT_SHARE))
        parts["test"].append(sorted(shuffled[:held]))
        parts["train"].append(sorted(shuffled[held:]))
    return parts


def draw_case(shape: Shape, index: int, numbers: list[list[int]], rng: np.random.Generator) -> Case:
    """Draw one question about the sign of that index, from numbers given range by range."""
    band = int(rng.integers(len(BANDS)))
    if shape == "identify":
        asked, right, wrong = int(rng.choice(numbers[NORMAL])), index, _others(index, len(SIGNS))
    elif shape == "classify":
        asked, right, wrong = int(rng.choice(numbers[band])), band, _others(band, len(BANDS))
    else:
        asked, right = band, int(rng.choice(numbers[band]))
        wrong = [int(rng.choice(numbers[other])) for other in _others(band, len(BANDS))]
    options = rng.permutation([right, *wrong]).tolist()
    return Case(shape, SIGNS[index], asked, tuple(options), options.index(right))


def _others(index: int, count: int) -> list[int]:
    return [other for other in range(count) if other != index]


def render(case: Case, code: str, *, family: str, split: Split) -> Item:
    """Write a case in one language."""
    text, sign = texts()[code], case.sign
    fields = {
        "sign": text.sign.format(site=text.sites[sign.name], unit=text.units[sign.name]),
        "unit": text.units[sign.name],
    }
    if case.shape == "pick":
        fields["band"] = text.bands[case.asked]
        options = tuple(sign.write(number, code) for number in case.options)
    else:
        fields["reading"] = sign.write(case.asked, code)
        sites = [text.sites[other.name] for other in SIGNS]
        options = tuple((sites if case.shape == "identify" else text.bands)[option] for option in case.options)
    return Item(
        family=family,
        language=code,
        kind="mcqa",
        source="vitals",
        split=split,
        context=stated_ranges(case, code),
        question=getattr(text, case.shape).format(**fields),
        options=options,
        answer=(case.answer,),
        specialty="vital signs",
        provenance=provenance(code, family=family),
    )


def stated_ranges(case: Case, code: str) -> str:
    """State with their source the ranges a question is about: those of its sign, or the normal ones of all signs."""
    text = texts()[code]
    if case.shape == "identify":
        signs, parts = SIGNS, []
        for sign in signs:
            low, high = (sign.write(cut, code) for cut in sign.cuts[:2])
            parts.append(f"{text.sites[sign.name]} {low} < {text.normal} ≤ {high} {text.units[sign.name]}")
        ranges = text.separator.join(parts)
    else:
        signs = (case.sign,)
        cuts = (case.sign.write(cut, code) for cut in case.sign.cuts)
        ranges = "".join(f"{band} ≤ {cut} < " for band, cut in zip(text.bands, cuts, strict=False)) + text.bands[-1]
    sources = dict.fromkeys(source for sign in signs for source in sign.sources)
    return text.ranges.format(source=", ".join(sources), ranges=ranges)


def cases(seed: int) -> Iterator[tuple[str, Split, Case]]:
    """Give every question of a seed once, with its family and split; no two are alike."""
    rng = np.random.default_rng(seed)
    numbers = {sign.name: held_out_numbers(sign, rng) for sign in SIGNS}
    seen: set[tuple[Shape, str, int, tuple[int, ...]]] = set()
    for split, wanted in FAMILIES.items():
        for shape, families in wanted.items():
            made = 0
            while made < families:
                index = int(rng.integers(len(SIGNS)))
                case = draw_case(shape, index, numbers[SIGNS[index].name][split], rng)
                # The order of the options makes no new question.
                same = shape, case.sign.name, case.asked, tuple(sorted(case.options))
                if same not in seen:
                    seen.add(same)
                    yield f"vitals:{seed}:{split}:{shape}:{made}", split, case
                    made += 1


def read(_path: Path, wanted: Sequence[str], seed: int) -> Iterator[Item | Dropped]:
    """Make the items of a seed: language by language, the same families in each."""
    for code in wanted:
        for family, split, case in cases(seed):
            yield render(case, code, family=family, split=split)


SOURCE = Source(
    name="vitals",
    title="Vital signs (procedural)",
    kinds=("mcqa",),
    native_language=NATIVE_LANGUAGE,
    languages=tuple(texts()),
    url="https://arxiv.org/abs/2601.02186",
    revision="1",
    licence=LICENCE,
    citation="globmed",
    obtain="made by globmed itself: `globmed data import vitals --out DIR`",
    read=read,
    procedural=True,
)
