"""Errors put into answer options: lost, doubled, exchanged, or given away by the question."""

from __future__ import annotations

from itertools import combinations

import msgspec
import numpy as np

from globmed.core.item import Item
from globmed.data.calibration.places import with_text
from globmed.data.parallel import GoodPair


def drop_option(pair: GoodPair, generator: np.random.Generator) -> Item | None:
    """Leave one option out that is not right; the answer goes on naming the right text."""
    item = pair.target
    wrong = [index for index in range(len(item.options)) if index not in item.answer]
    if not wrong or len(item.options) < 2:
        return None
    gone = int(generator.choice(wrong))
    answer = tuple(index - (index > gone) for index in item.answer)
    return msgspec.structs.replace(item, options=item.options[:gone] + item.options[gone + 1 :], answer=answer)


def swap_options(pair: GoodPair, generator: np.random.Generator) -> Item | None:
    """Exchange two options; the answer's index stays, and may now name the other one."""
    chosen = _two_options(pair, generator)
    if chosen is None:
        return None
    options = list(pair.target.options)
    first, second = chosen
    options[first], options[second] = options[second], options[first]
    return msgspec.structs.replace(pair.target, options=tuple(options))


def duplicate_option(pair: GoodPair, generator: np.random.Generator) -> Item | None:
    """Put one option's text into another's place."""
    chosen = _two_options(pair, generator)
    if chosen is None:
        return None
    return with_text(pair.target, f"options[{chosen[1]}]", pair.target.options[chosen[0]])


def move_answer(pair: GoodPair, generator: np.random.Generator) -> Item | None:
    """Call another option right."""
    item = pair.target
    wrong = [index for index in range(len(item.options)) if index not in item.answer]
    return msgspec.structs.replace(item, answer=(int(generator.choice(wrong)),)) if wrong and item.answer else None


def give_answer_away(pair: GoodPair, _generator: np.random.Generator) -> Item | None:
    """Write the right option's text at the end of the question."""
    item = pair.target
    if not item.answer:
        return None
    right = item.options[item.answer[0]].strip(" .。")
    return msgspec.structs.replace(item, question=f"{item.question} ({right})")


def _two_options(pair: GoodPair, generator: np.random.Generator) -> tuple[int, int] | None:
    """Draw two options that differ in the original and in the translation."""
    here, there = ([text.strip(" .").casefold() for text in item.options] for item in pair)
    differ = [
        (first, second)
        for first, second in combinations(range(min(len(here), len(there))), 2)
        if here[first] != here[second] and there[first] != there[second]
    ]
    return differ[int(generator.integers(len(differ)))] if differ else None
