"""Bands of length: fitted on one side of the split alone, and near the truth of made texts."""

import tomllib
from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np
import pytest

from globmed.data.bands import LengthFacts, length_facts
from globmed.data.calibration.fitting import bands_file, fit_bands, is_fitted_on, is_for_fitting
from globmed.data.parallel import CORPORA, GoodPair, Parallel

Make = Callable[..., GoodPair]


def made(make_pair: Make, *, corpus: str = "tico19", count: int = 3000) -> Parallel:
    """Pairs whose ratio of lengths is exp(0.2) with a spread of 0.08 and 1.2 for shortness."""
    generator = np.random.default_rng(1)
    pairs = []
    for number in range(count):
        length = int(generator.integers(5, 600))
        expected = length * np.exp(0.2)
        strays = generator.normal(0, np.hypot(0.08, 1.2 / np.sqrt(expected)))
        there = max(1, round(expected * np.exp(strays)))
        pairs.append(make_pair("a" * length, "b" * there, number=f"doc:{number}"))
    return Parallel(CORPORA[corpus], pairs, [])


def test_the_truth_of_made_texts_is_found(make_pair: Make) -> None:
    facts = fit_bands([made(make_pair, count=8000)])["es"]
    assert facts.log_ratio == pytest.approx(0.2, abs=0.01)
    assert facts.spread == pytest.approx(0.08, abs=0.02)
    assert facts.spread_short == pytest.approx(1.2, abs=0.2)
    assert facts.fitted_on.startswith("TICO-19, ")


def test_wrong_translations_in_a_hundred_do_not_widen_the_band(make_pair: Make) -> None:
    parallel = made(make_pair)
    wrong = [make_pair("a" * 300, "b", number=f"wrong:{number}") for number in range(len(parallel.pairs) // 100)]
    clean, spoilt = (fit_bands([parallel._replace(pairs=parallel.pairs + more)])["es"] for more in ([], wrong))
    assert spoilt.spread == pytest.approx(clean.spread, abs=0.02)
    assert spoilt.log_ratio == pytest.approx(clean.log_ratio, abs=0.01)


def test_what_is_measured_on_is_not_fitted_on(make_pair: Make) -> None:
    parallel = made(make_pair, count=1000)
    changed = [pair if is_for_fitting(pair) else make_pair("a", "b" * 500, number=pair.id) for pair in parallel.pairs]
    assert fit_bands([parallel]) == fit_bands([parallel._replace(pairs=changed)])
    share = sum(map(is_for_fitting, parallel.pairs)) / len(parallel.pairs)
    assert share == pytest.approx(0.5, abs=0.06)


def test_neither_a_closed_licence_nor_a_native_text_is_fitted_on(make_pair: Make) -> None:
    assert fit_bands([made(make_pair, corpus="lafand")]) == {}
    native = make_pair("a", "b", languages=("es", "en"), number="doc:0")
    assert not is_fitted_on(Parallel(CORPORA["tico19"], [], []), GoodPair(native.target, native.source))


def test_the_file_of_bands_reads_back_with_the_other_rows_as_they_were(tmp_path: Path) -> None:
    fresh = LengthFacts(log_ratio=0.5, spread=0.1, spread_short=1.5, fitted_on="made texts")
    file = tmp_path / "bands.toml"
    file.write_text(bands_file({"es": fresh}), encoding="utf-8")
    rows = msgspec.convert(tomllib.loads(file.read_text(encoding="utf-8")), dict[str, LengthFacts])
    assert rows == {**length_facts(), "es": fresh}
