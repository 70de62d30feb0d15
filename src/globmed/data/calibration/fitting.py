"""Bands of length fitted on one part of human translations; the other part is for measuring."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from globmed.data.bands import LengthFacts, length_facts
from globmed.data.graphemes import count_graphemes
from globmed.data.pairs import Pair
from globmed.data.parallel import GoodPair, Parallel

LONG_GRAPHEMES = 50
"""From here on a text's ratio of lengths is steady enough to tell the usual one."""
BINS = 8
SPREAD_MIN = 0.05
"""Of texts longer than any that was fitted on, which fitting would take to stray by nothing."""
TEXTS_NEEDED = 300
_HEADER = """\
# How long translations are, a row a language: see globmed.data.bands. English is the measure, so its log_ratio is 0.
# Rows with `fitted_on` come from `globmed data check --calibrate`; a row without is an estimate by comparison with the
# others, and wide.
"""


def is_for_fitting(pair: GoodPair) -> bool:
    """Whether a pair is for fitting; translations of one original into several languages are on the same side."""
    return hashlib.md5(pair.id.encode(), usedforsecurity=False).digest()[0] % 2 == 0


def is_fitted_on(parallel: Parallel, pair: GoodPair) -> bool:
    """Whether bands are fitted on a pair of a corpus: a translation, beside English, on the side for fitting."""
    translated = pair.source.language == "en" and pair.target.provenance.text != "native"
    return parallel.corpus.fitted and translated and is_for_fitting(pair)


def fit_bands(read: Sequence[Parallel]) -> dict[str, LengthFacts]:
    """Fit a row for every language that has translations in the fitting parts whose English is at hand.

    Native texts are left out, for a text is not as long beside its translation as a translation is beside its original.

    The spread of the logarithm of the ratio is `spread² + spread_short² / size`. In bins of size, its square is taken
    from the middle 95 % of the texts, so that a few wrong translations do not widen the band, and the two terms are
    fitted to it by non-negative least squares.
    """
    lengths: dict[str, list[tuple[int, int]]] = defaultdict(list)
    corpora: dict[str, set[str]] = defaultdict(set)
    for parallel in read:
        for pair in parallel.pairs:
            if is_fitted_on(parallel, pair):
                lengths[pair.target.language] += _lengths(pair)
                corpora[pair.target.language].add(parallel.corpus.title)
    return {
        code: _fit(np.array(found, dtype=np.float64), fitted_on=" and ".join(sorted(corpora[code])))
        for code, found in lengths.items()
        if len(found) >= TEXTS_NEEDED
    }


def bands_file(fitted: Mapping[str, LengthFacts]) -> str:
    """Return the text of a `quality_bands.toml` with the rows that were fitted, and the others as they stand."""
    rows = {**length_facts(), **fitted}
    return "\n".join([_HEADER, *(_row(code, facts) for code, facts in rows.items())])


def _lengths(pair: GoodPair) -> Iterator[tuple[int, int]]:
    """Give the lengths of each text and of all options together, as the check of lengths takes them."""
    fields = Pair(*pair).fields
    options = [field for field in fields if field.name.startswith("options")]
    texts = [(field.source, field.target) for field in fields if field not in options]
    texts.append((" ".join(field.source for field in options), " ".join(field.target for field in options)))
    yield from ((count_graphemes(here), count_graphemes(there)) for here, there in texts if here and there)


def _fit(lengths: NDArray[np.float64], *, fitted_on: str) -> LengthFacts:
    from scipy.optimize import nnls

    source, target = lengths.T
    log_ratio = float(np.median(np.log(target / source)[source >= LONG_GRAPHEMES]))
    expected = source * np.exp(log_ratio)
    strays, size = np.log(target / expected), np.maximum(source, expected)
    bins = np.array_split(np.argsort(size), BINS)
    # The middle 95 % of a normal distribution is 2 * 1.96 standard deviations wide.
    spread = np.array([np.diff(np.quantile(strays[one], (0.025, 0.975)))[0] / 3.92 for one in bins])
    terms = np.array([(1.0, float(np.mean(1 / size[one]))) for one in bins])
    # Divided by the square, so that every bin's spread is met with the same relative error.
    squares, _ = nnls(terms / spread[:, None] ** 2, np.ones(BINS))
    long, short = (round(float(square) ** 0.5, 3) for square in squares)
    return LengthFacts(
        log_ratio=round(log_ratio, 3),
        spread=max(long, SPREAD_MIN),
        spread_short=short,
        fitted_on=f"{fitted_on}, {len(source)} texts",
    )


def _row(code: str, facts: LengthFacts) -> str:
    lines = [f"[{code}]", *(f"{name} = {getattr(facts, name)}" for name in ("log_ratio", "spread", "spread_short"))]
    return "\n".join([*lines, f'fitted_on = "{facts.fitted_on}"' if facts.fitted_on else ""]).rstrip() + "\n"
