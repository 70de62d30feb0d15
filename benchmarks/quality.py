"""How many pairs of 650 characters the checks of translations get through in a second of one core.

    python benchmarks/quality.py [--seconds 5] [--rounds 3] [tico19=PATH ...]

Made pairs (English to Spanish, Chinese and Swahili, no two alike, with doses, ranges, abbreviations and options) run
anywhere; real ones are measured as well where human translations are given, their sentences joined to that length.
Prints the pairs a second of CPU time and whether the goal is met.
"""

from __future__ import annotations

import argparse
import os
from statistics import median

from globmed.core.item import Item, Provenance
from globmed.data.calibration.throughput import CHARACTERS, GOAL_PAIRS, joined, measure
from globmed.data.parallel import GoodPair, read_parallel

from measuring import note, show, show_goals

PAIRS = 400
_SENTENCES = {
    "en": (
        "A {age}-year-old woman came to the hospital after {days} days of cough and fever of 38.{tenth} °C.",
        "She takes {dose} mg of amoxicillin every 8 hours and does not smoke, but has diabetes (HbA1c 7.{tenth} %).",
        "Blood pressure was {pressure}/80 mmHg, haemoglobin 11.{tenth} g/dL and CRP {dose} mg/L; the ECG was normal.",
        "Which of the following is not indicated within the next {days} to {more} hours?",
    ),
    "es": (
        "Una mujer de {age} años acudió a urgencias tras {days} días de tos y fiebre de 38,{tenth} °C.",
        "Toma {dose} mg de amoxicilina cada 8 horas y no fuma, pero tiene diabetes (HbA1c 7,{tenth} %).",
        "La presión arterial era de {pressure}/80 mmHg, la hemoglobina de 11,{tenth} g/dl y la PCR de {dose} mg/l.",
        "¿Cuál de las siguientes opciones no está indicada en las próximas {days} a {more} horas?",
    ),
    "zh": (
        "一名{age}岁女性，咳嗽伴发热38.{tenth} °C {days}天，来急诊就诊。",
        "她每8小时服用{dose} mg阿莫西林，不吸烟，但患有糖尿病（HbA1c 7.{tenth}%）。",
        "血压{pressure}/80 mmHg，血红蛋白11.{tenth} g/dL，CRP {dose} mg/L；ECG正常。",
        "在接下来的{days}至{more}小时内，下列哪一项没有指征？",
    ),
    "sw": (
        "Mwanamke wa miaka {age} alifika hospitalini baada ya siku {days} za kikohozi na homa ya 38.{tenth} °C.",
        "Anatumia {dose} mg za amoxicillin kila saa 8 na havuti sigara, lakini ana kisukari (HbA1c 7.{tenth} %).",
        "Shinikizo la damu lilikuwa {pressure}/80 mmHg, himoglobini 11.{tenth} g/dL na CRP {dose} mg/L.",
        "Ni ipi kati ya zifuatazo haishauriwi katika saa {days} hadi {more} zijazo?",
    ),
}
_OPTIONS = {
    "en": ("Blood cultures", "Intravenous fluids, 500 mL", "Chest radiograph", "Surgery"),
    "es": ("Hemocultivos", "Líquidos intravenosos, 500 ml", "Radiografía de tórax", "Cirugía"),
    "zh": ("血培养", "静脉补液500 mL", "胸部X线检查", "手术"),
    "sw": ("Vipimo vya bakteria vya damu", "Maji ya mishipa, 500 mL", "Picha ya eksirei ya kifua", "Upasuaji"),
}


def made_pairs(code: str, count: int) -> list[GoodPair]:
    """Return pairs of English and another language, no two alike, of about `CHARACTERS` characters."""
    return [GoodPair(_made("en", number), _made(code, number)) for number in range(count)]


def _made(code: str, number: int) -> Item:
    facts = {
        "age": 30 + number % 60,
        "days": 2 + number % 7,
        "more": 12 + number % 36,
        "tenth": number % 10,
        "dose": 250 + 5 * (number % 100),
        "pressure": 110 + number % 70,
    }
    story, middle, tests, question = (sentence.format(**facts) for sentence in _SENTENCES[code])
    return Item(
        family=f"made:{number}",
        language=code,
        kind="mcqa",
        source="made",
        split="test",
        question=question,
        context=f"{story} {middle} {tests} {question} {story} {middle}",
        options=_OPTIONS[code],
        answer=(3,),
        provenance=Provenance(native_language="en", licence="made for this benchmark"),
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("real", nargs="*", metavar="NAME=PATH", help="human translations to measure on as well")
    parser.add_argument("--seconds", type=float, default=5.0, help="CPU time a language and round")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    sets = {f"made, en-{code}": made_pairs(code, PAIRS) for code in ("es", "zh", "sw")}
    for parallel in map(read_parallel, options.real):
        for direction in dict.fromkeys(pair.direction for pair in parallel.pairs):
            found = [pair for pair in parallel.pairs if pair.direction == direction and not pair.source.options]
            if sentences := joined(found, characters=CHARACTERS)[:PAIRS]:
                sets[f"{parallel.corpus.title}, {direction}"] = sentences
    if hasattr(os, "getloadavg"):
        note(f"load average before: {os.getloadavg()[0]:.1f}; a core that shares its units with a busy one is slower")
    rounds = [
        {name: measure(pairs, seconds=options.seconds) for name, pairs in sets.items()} for _ in range(options.rounds)
    ]
    rates = {name: median(one[name].pairs_per_second for one in rounds) for name in sets}
    rows = [(name, f"{rounds[0][name].characters:.0f}", f"{rates[name]:,.0f}") for name in sets]
    show(("pairs", "characters of the original", "pairs a second of CPU time"), rows)
    show_goals(
        [(f"{GOAL_PAIRS:,} pairs a second, {name}", f"{rate:,.0f}", rate >= GOAL_PAIRS) for name, rate in rates.items()]
    )


if __name__ == "__main__":
    main()
