"""The errors that are put into good translations, each with the rate at which it has to be found.

Every draw is seeded by the pair and the error, so that a pair is spoilt in the same way whatever else is measured.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from globmed.core.item import Item
from globmed.data.calibration import errors_in_numbers as numbers
from globmed.data.calibration import errors_in_options as options
from globmed.data.calibration import errors_in_text as text
from globmed.data.calibration.places import with_all_texts
from globmed.data.parallel import GoodPair

Spoil = Callable[[GoodPair, np.random.Generator], Item | GoodPair | None]


@dataclass(frozen=True, kw_only=True)
class Injection:
    """An error that is put into good translations.

    Attributes:
        name: short, as in tables for machines.
        title: for people.
        spoil: gives the spoilt translation (or pair), None where the pair has nothing to spoil.
        goal: share that has to be found; None where no goal was set.
    """

    name: str
    title: str
    spoil: Spoil
    goal: float | None = None

    def into(self, pair: GoodPair, *, seed: int) -> GoodPair | None:
        """Return the pair with the error put in, None where there is nothing to put it into."""
        spoilt = self.spoil(pair, generator(seed, self.name, pair.id, pair.direction))
        return GoodPair(pair.source, spoilt) if isinstance(spoilt, Item) else spoilt


def generator(seed: int, *names: str) -> np.random.Generator:
    """Return a generator that depends on nothing but the seed and the names."""
    digest = hashlib.sha256("\n".join((str(seed), *names)).encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:8]))


def injections(pairs: Sequence[GoodPair]) -> list[Injection]:
    """Return every error; texts in a wrong language are taken from the translations in `pairs`."""
    return [
        Injection(name="number_changed", title="number changed", spoil=numbers.change_number, goal=0.97),
        Injection(name="number_dropped", title="number dropped", spoil=numbers.drop_number, goal=0.97),
        Injection(name="number_tenfold", title="number made tenfold", spoil=numbers.multiply_number, goal=0.97),
        Injection(name="unit_changed", title="unit changed", spoil=numbers.change_unit, goal=0.95),
        Injection(name="time_unit_changed", title="unit of time changed", spoil=numbers.change_time_unit, goal=0.95),
        Injection(name="option_dropped", title="option dropped", spoil=options.drop_option, goal=0.99),
        Injection(name="options_swapped", title="two options swapped", spoil=options.swap_options, goal=0.99),
        Injection(name="option_duplicated", title="option duplicated", spoil=options.duplicate_option, goal=0.99),
        Injection(name="answer_moved", title="another option called right", spoil=options.move_answer),
        Injection(name="answer_given_away", title="answer given away", spoil=options.give_answer_away),
        Injection(name="untranslated", title="text left untranslated", spoil=text.leave_untranslated, goal=0.99),
        Injection(name="wrong_language", title="wrong language", spoil=WrongLanguage(pairs), goal=0.99),
        Injection(name="truncated", title="longest text cut off", spoil=text.cut_off),
        Injection(name="negation_removed", title="negation removed", spoil=text.remove_negation),
        Injection(name="abbreviation_changed", title="abbreviation changed", spoil=text.change_abbreviation),
        Injection(name="markup_broken", title="markup or placeholder broken", spoil=text.break_markup),
        Injection(name="zero_width_inserted", title="zero-width space inserted", spoil=text.insert_zero_width),
        Injection(name="marks_stripped", title="Yoruba marks stripped", spoil=text.strip_marks),
    ]


class WrongLanguage:
    """Texts in a language that was not asked for.

    A pair gets the translation of the same original into another language; where nobody made one, the sentence of
    another original and language that comes nearest to it in length.
    """

    def __init__(self, pairs: Sequence[GoodPair]) -> None:
        self._same: dict[str, dict[str, Item]] = {}
        for pair in pairs:
            self._same.setdefault(pair.id, {})[pair.target.language] = pair.target
        sentences = [pair.target for pair in pairs if not pair.target.options]
        self._by_length = sorted(sentences, key=lambda item: len(item.question))
        self._lengths = [len(item.question) for item in self._by_length]

    def __call__(self, pair: GoodPair, generator: np.random.Generator) -> Item | None:
        """Return the translation with texts of another language, neither the original's nor its own."""
        languages = {pair.source.language, pair.target.language}
        others = [item for code, item in self._same.get(pair.id, {}).items() if code not in languages]
        if others:
            return with_all_texts(pair.target, others[int(generator.integers(len(others)))])
        if pair.target.options:
            return None
        at = bisect_left(self._lengths, len(pair.target.question))
        near = self._by_length[max(at - 50, 0) : at + 50]
        strange = [item for item in near if item.language not in languages]
        return with_all_texts(pair.target, strange[int(generator.integers(len(strange)))]) if strange else None
