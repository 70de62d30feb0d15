"""Counts what a stage of items holds, batch by batch: only hashes and lengths stay in memory."""

from __future__ import annotations

from array import array
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from globmed.core.dataset import ItemFile, item_files
from globmed.core.language import languages
from globmed.core.store import checked_file, read_manifest
from globmed.data.describing.description import Balance, Crossing, Description, Found, Length, Origin, Size
from globmed.data.graphemes import count_graphemes
from globmed.data.item_batches import item_batches, standing_findings
from globmed.data.packed_keys import Keys

if TYPE_CHECKING:
    import pyarrow as pa

COLUMNS = ("family", "cluster", "split", "turns", "context", "question", "options", "answer")
ORIGINS = ("provenance.text", "provenance.findings", "provenance.review")
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
FEWEST_TO_A_PLACE = 5
"""Expected number below which the chi-square test is not used: Cochran (1954), "Some methods for strengthening the
common chi-square tests", Biometrics 10."""


def describe(folder: Path) -> Description:
    """Count what a stage of items holds, whatever stage.

    Raises:
        InputError: no finished stage, one without items, or a file that is not as it was written.
    """
    counting = _Counting()
    for file in item_files(folder):
        checked_file(folder, file.name)
        for batch in item_batches(folder, file, [*COLUMNS, *ORIGINS]):
            counting.see(file, batch)
    return counting.description(read_manifest(folder).stage)


class _Counting:
    def __init__(self) -> None:
        self.sizes: Counter[tuple[str, str, str]] = Counter()
        self.texts: Counter[tuple[str, str]] = Counter()
        self.lengths: defaultdict[tuple[str, str], array[int]] = defaultdict(lambda: array("I"))
        self.right: defaultdict[str, Counter[tuple[str, int, int]]] = defaultdict(Counter)
        self.natives: Counter[tuple[str, str]] = Counter()
        self.not_one_right: Counter[str] = Counter()
        self.findings: Counter[tuple[str, str, str]] = Counter()
        self.families, self.clusters = Keys(), Keys()
        self.sources: list[str] = []
        self.source_of = array("H")

    def see(self, file: ItemFile, batch: pa.RecordBatch) -> None:
        """Count a batch."""
        rows = batch.select(COLUMNS).to_pydict()
        made = batch["provenance"]
        source, language = file.source, file.language
        for split, count in Counter(rows["split"]).items():
            self.sizes[source, language, split] += count
        for origin, count in Counter(made.field("text").to_pylist()).items():
            self.texts[language, origin] += count
            self.natives[source, language] += count if origin == "native" else 0
        shown = zip(rows["turns"], rows["context"], rows["question"], rows["options"], strict=True)
        self.lengths[source, language].extend(_length(*texts) for texts in shown)
        for options, answer in zip(rows["options"], rows["answer"], strict=True):
            if len(answer) == 1:
                self.right[source][language, len(options), answer[0]] += 1
            elif options:
                self.not_one_right[source] += 1
        for found in standing_findings(made.field("findings"), made.field("review")).values():
            self.findings.update({(one["check"], one["severity"], language) for one in found})
        self._remember(source, rows)

    def _remember(self, source: str, rows: dict[str, list[Any]]) -> None:
        if source not in self.sources:
            self.sources.append(source)
        self.families.add(rows["family"])
        self.clusters.add(rows["cluster"])
        self.source_of.extend([self.sources.index(source)] * len(rows["cluster"]))

    def description(self, stage: str) -> Description:
        """Return what was counted."""
        place = {code: number for number, code in enumerate(languages())}
        codes = sorted({code for code, _ in self.texts}, key=lambda code: (place.get(code, len(place)), code))
        clusters = self.clusters.hashes()
        return Description(
            stage=stage,
            items=self.sizes.total(),
            families=len(np.unique(self.families.hashes())),
            clusters=len(np.unique(clusters)),
            sizes=tuple(
                Size(source=source, language=language, split=split, items=count)
                for (source, language, split), count in sorted(self.sizes.items())
            ),
            origins=tuple(
                Origin(language=code, **{name: self.texts[code, name] for name in ("native", "machine", "expert")})
                for code in codes
            ),
            lengths=tuple(
                _quantiles(source, code, self.lengths[source, code])
                for source in sorted(self.sources)
                for code in codes
                if self.lengths.get((source, code))
            ),
            balances=tuple(balance for source in sorted(self.right) for balance in self._balances(source)),
            not_one_right=dict(sorted(self.not_one_right.items())),
            findings=tuple(
                Found(check=check, severity=severity, language=language, items=count)
                for (check, severity, language), count in sorted(self.findings.items())
            ),
            crossings=tuple(self._crossings(clusters)),
        )

    def _crossings(self, clusters: np.ndarray[Any, np.dtype[np.uint64]]) -> Iterator[Crossing]:
        # One row for each cluster and source that has it, sorted by cluster.
        held = np.unique(np.stack([clusters, np.array(self.source_of, np.uint64)]), axis=1)
        names, counts = np.unique(held[0], return_counts=True)
        crossing: defaultdict[int, list[str]] = defaultdict(list)
        for cluster, source in held[:, np.isin(held[0], names[counts > 1])].T.tolist():
            crossing[cluster].append(self.sources[source])
        pairs = Counter(pair for group in crossing.values() for pair in combinations(sorted(group), 2))
        for (first, second), count in sorted(pairs.items()):
            yield Crossing(first=first, second=second, clusters=count)

    def _balances(self, source: str) -> Iterator[Balance]:
        from scipy.stats import chisquare

        right = self.right[source]
        questions: Counter[str] = Counter()
        for (code, _, _), count in right.items():
            questions[code] += count
        # Translations have their options in the same places, so one language counts: the native one where it is there.
        language = max(sorted(questions), key=lambda code: (self.natives[source, code], questions[code]))
        for options in sorted({number for code, number, _ in right if code == language and number > 1}):
            counts = tuple(right[language, options, place] for place in range(options))
            enough = sum(counts) >= FEWEST_TO_A_PLACE * options
            p_value = float(chisquare(counts).pvalue) if enough else None
            yield Balance(source=source, language=language, options=options, right=counts, p_value=p_value)


def _length(turns: Sequence[dict[str, str]], context: str, question: str, options: Sequence[str]) -> int:
    return sum(map(count_graphemes, (*(turn["text"] for turn in turns), context, question, *options)))


def _quantiles(source: str, language: str, lengths: array[int]) -> Length:
    # The lengths themselves, not values between two of them: a person can look for an item of this length.
    low, quarter, median, three_quarters, high = np.quantile(lengths, QUANTILES, method="inverted_cdf").tolist()
    return Length(
        source=source,
        language=language,
        items=len(lengths),
        low=low,
        quarter=quarter,
        median=median,
        three_quarters=three_quarters,
        high=high,
    )
