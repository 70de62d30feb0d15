"""Medication safety and triage by stated rules: a procedural source, in every language.

Made by this code, so no model can have seen the questions, and every gold answer follows from what the item states.
The rule stands in the context; nothing beyond it needs to be known, and medicines have a letter for a name. It tests
whether a stated rule is kept to, and whether missing information is noticed; it is no clinical guideline.

- `limit`: the most that may be taken in 24 hours is stated; what was taken and what is wanted now is asked about.
  Options: within, above, information missing.
- `contraindication`: conditions in which a medicine must not be given are stated; of a person is said which conditions
  are present, absent and not known. Options: must not be given, may be given, information missing.
- `triage`: signs for emergency care and signs for a clinician today are stated; of a person is said which are present,
  absent and not known. Options: emergency care at once, a clinician today, care at home, information missing.

The options of `triage` stand in the order of urgency, so that too little urgency (under-triage) and too much are told
apart; the condition `permuted` shows them in another order. The signs are among those of the WHO/ICRC/MSF Integrated
Interagency Triage Tool (WHO 2020) and of common advice for patients; what they call for is what the item states.

Licence: Apache-2.0, as this code. Citation: this project. The texts (`safety.toml`) were written by a language model;
no native speaker has reviewed them. One row, English:

    context  "Medicine K, adults: at most 4 g in 24 hours."
    question "Adult. Taken in the last 24 hours: 3 × 1 g. Wanted now: 1 g. With it, the amount in 24 hours is:"
    options  within the stated limit | above the stated limit | cannot be told: information is missing      answer 0
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

Shape = Literal["limit", "contraindication", "triage"]
SHAPES: tuple[Shape, ...] = ("limit", "contraindication", "triage")
FAMILIES: dict[Split, dict[Shape, int]] = {
    "train": {"limit": 120, "contraindication": 120, "triage": 160},
    "test": {"limit": 90, "contraindication": 90, "triage": 120},
}
# Letters that name no option.
MEDICINES = "KMRTV"
# The most in 24 hours, and the sizes of doses.
LIMITS_MG = (400, 600, 800, 900, 1000, 1200, 1500, 1800, 2000, 2400, 3000, 3500, 4000, 6000)
DOSES_MG = (50, 75, 100, 150, 200, 250, 300, 400, 500, 600, 750, 800, 1000)
_LISTED = 3
_TRIES_MAX = 10_000


class LimitTexts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Texts of the shape `limit`."""

    context: str
    taken: str
    not_known: str
    question: str
    options: tuple[str, str]


class ContraindicationTexts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Texts of the shape `contraindication`."""

    context: str
    question: str
    options: tuple[str, str]
    conditions: dict[str, str]


class TriageTexts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Texts of the shape `triage`."""

    context: str
    question: str
    options: tuple[str, str, str]
    emergency: dict[str, str]
    today: dict[str, str]
    home: dict[str, str]


class Texts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One language's table of `safety.toml`."""

    missing: str
    separator: str
    present: str
    absent: str
    unknown: str
    limit: LimitTexts
    contraindication: ContraindicationTexts
    triage: TriageTexts


class Case(NamedTuple):
    """One question before it has a language.

    Attributes:
        shape: what is asked.
        answer: index of the right option.
        medicine: its letter; empty for `triage`.
        amounts: of `limit`, in milligrams: the most in 24 hours, times taken, taken each time, wanted now. Zero times
            stands for an amount that is not known.
        rule: what the rule lists, one group after the other.
        present: what the person has.
        absent: what the person has not.
        unknown: what nobody has asked yet.
    """

    shape: Shape
    answer: int
    medicine: str = ""
    amounts: tuple[int, ...] = ()
    rule: tuple[tuple[str, ...], ...] = ()
    present: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()


@cache
def texts() -> dict[str, Texts]:
    """Return the texts of every language."""
    return read_texts("safety", Texts)


def answer_to_limit(limit_mg: int, times: int, dose_mg: int, wanted_mg: int) -> int:
    """Return 0 for an amount within the limit, 1 for one above it, 2 where what was taken is not known."""
    if not times:
        return 2 if wanted_mg <= limit_mg else 1
    return int(times * dose_mg + wanted_mg > limit_mg)


def answer_to_rule(rule: Sequence[Sequence[str]], present: Sequence[str], unknown: Sequence[str]) -> int:
    """Return the index of the first group with something present; the number of groups where nothing listed is.

    One more than that where something not known could decide for a group that comes before.
    """
    for index, group in enumerate(rule):
        if any(one in present for one in group):
            return index
        if any(one in unknown for one in group):
            return len(rule) + 1
    return len(rule)


def draw_limit(rng: np.random.Generator) -> Case:
    """Draw a question about a highest amount; half of the known ones lie at the limit or one dose off it."""
    limit, dose = int(rng.choice(LIMITS_MG)), int(rng.choice(DOSES_MG))
    times, wanted = int(rng.integers(1, 6)), int(rng.choice(DOSES_MG))
    if rng.random() < 0.3:
        times = 0
    elif rng.random() < 0.5 and limit % dose == 0 and limit > dose:
        times, wanted = limit // dose - int(rng.integers(0, 2)), dose
    amounts = (limit, times, dose if times else 0, wanted)
    return Case("limit", answer_to_limit(*amounts), medicine=str(rng.choice(list(MEDICINES))), amounts=amounts)


def draw_contraindication(rng: np.random.Generator) -> Case:
    """Draw a question about conditions in which a medicine must not be given."""
    known = list(texts()[NATIVE_LANGUAGE].contraindication.conditions)
    rule = (_few(rng, known, _LISTED),)
    case = _about_person(rng, "contraindication", rule, others=[one for one in known if one not in rule[0]])
    return case._replace(medicine=str(rng.choice(list(MEDICINES))))


def draw_triage(rng: np.random.Generator) -> Case:
    """Draw a question about signs and where they call for."""
    text = texts()[NATIVE_LANGUAGE].triage
    rule = (_few(rng, list(text.emergency), _LISTED), _few(rng, list(text.today), _LISTED))
    return _about_person(rng, "triage", rule, others=list(text.home))


_DRAW: dict[Shape, Callable[[np.random.Generator], Case]] = {
    "limit": draw_limit,
    "contraindication": draw_contraindication,
    "triage": draw_triage,
}


def _about_person(
    rng: np.random.Generator, shape: Shape, rule: tuple[tuple[str, ...], ...], *, others: Sequence[str]
) -> Case:
    """Say of everything that the rule lists whether a person has it, with one or two more that it does not list."""
    listed = [one for group in rule for one in group]
    state = rng.choice(3, size=len(listed), p=(0.15, 0.7, 0.15))
    present, absent, unknown = (
        [one for one, is_so in zip(listed, state, strict=True) if is_so == number] for number in range(3)
    )
    present += _few(rng, list(others), int(rng.integers(1, 3)))
    shuffled = [tuple(rng.permutation(part).tolist()) for part in (present, absent, unknown)]
    return Case(
        shape,
        answer_to_rule(rule, present, unknown),
        rule=rule,
        present=shuffled[0],
        absent=shuffled[1],
        unknown=shuffled[2],
    )


def _few(rng: np.random.Generator, names: list[str], count: int) -> tuple[str, ...]:
    return tuple(rng.choice(names, size=count, replace=False).tolist())


def render(case: Case, code: str, *, family: str, split: Split) -> Item:
    """Write a case in one language."""
    text = texts()[code]
    context, question, options = _limit(case, text, code) if case.shape == "limit" else _person(case, text)
    return Item(
        family=family,
        language=code,
        kind="mcqa",
        source="safety",
        split=split,
        context=context,
        question=question,
        options=(*options, text.missing),
        answer=(case.answer,),
        specialty="triage" if case.shape == "triage" else "medication safety",
        subset=case.shape,
        provenance=provenance(code, family=family),
    )


def _limit(case: Case, text: Texts, code: str) -> tuple[str, str, tuple[str, ...]]:
    limit_mg, times, dose_mg, wanted_mg = case.amounts
    one, said = text.limit, {"medicine": case.medicine}
    taken = one.taken.format(times=times, dose=_amount(dose_mg, code)) if times else one.not_known
    question = one.question.format(taken=taken, wanted=_amount(wanted_mg, code), **said)
    return one.context.format(limit=_amount(limit_mg, code), **said), question, one.options


def _amount(milligrams: int, code: str) -> str:
    """Write whole and half grams as grams and the rest in milligrams, so that units must be minded."""
    return quantity(milligrams, "g", code) if milligrams % 500 == 0 else quantity(1000 * milligrams, "mg", code)


def _person(case: Case, text: Texts) -> tuple[str, str, tuple[str, ...]]:
    if case.shape == "triage":
        words = {**text.triage.emergency, **text.triage.today, **text.triage.home}
        groups = dict(zip(("emergency", "today"), case.rule, strict=True))
    else:
        words, groups = text.contraindication.conditions, {"conditions": case.rule[0]}
    one = text.triage if case.shape == "triage" else text.contraindication

    def listed(names: Sequence[str]) -> str:
        return text.separator.join(words[name] for name in names)

    parts = ((text.present, case.present), (text.absent, case.absent), (text.unknown, case.unknown))
    said = [label.format(listed=listed(names)) for label, names in parts if names]
    # Chinese and Japanese put no space behind a full stop.
    person = "".join(part if part.endswith("。") else f"{part} " for part in said).rstrip()
    context = one.context.format(medicine=case.medicine, **{name: listed(group) for name, group in groups.items()})
    return context, one.question.format(person=person, medicine=case.medicine), one.options


def cases(seed: int) -> Iterator[tuple[str, Split, Case]]:
    """Give every question of a seed once, with its family and split; each option is right equally often, about."""
    rng = np.random.default_rng(seed)
    seen: set[Case] = set()
    for split, wanted in FAMILIES.items():
        for shape, families in wanted.items():
            answers = 4 if shape == "triage" else 3
            for made in range(families):
                case = _new_case(shape, made % answers, rng, seen)
                seen.add(_without_order(case))
                yield f"safety:{seed}:{split}:{shape}:{made}", split, case


def _new_case(shape: Shape, answer: int, rng: np.random.Generator, seen: set[Case]) -> Case:
    for _ in range(_TRIES_MAX):
        case = _DRAW[shape](rng)
        if case.answer == answer and _without_order(case) not in seen:
            return case
    raise AssertionError(f"{shape} with answer {answer}: no new question in {_TRIES_MAX} draws")


def _without_order(case: Case) -> Case:
    """Return a case with its lists sorted and its medicine left out: neither makes a new question."""
    return case._replace(
        medicine="",
        rule=tuple(tuple(sorted(group)) for group in case.rule),
        present=tuple(sorted(case.present)),
        absent=tuple(sorted(case.absent)),
        unknown=tuple(sorted(case.unknown)),
    )


def read(_path: Path, wanted: Sequence[str], seed: int) -> Iterator[Item | Dropped]:
    """Make the items of a seed: language by language, the same families in each."""
    for code in wanted:
        for family, split, case in cases(seed):
            yield render(case, code, family=family, split=split)


SOURCE = Source(
    name="safety",
    title="Medication safety and triage (procedural)",
    kinds=("mcqa",),
    native_language=NATIVE_LANGUAGE,
    languages=tuple(texts()),
    url="https://arxiv.org/abs/2601.02186",
    revision="1",
    licence=LICENCE,
    citation="globmed",
    obtain="made by globmed itself: `globmed data import safety --out DIR`",
    read=read,
    procedural=True,
)
