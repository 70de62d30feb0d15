"""Looks at every item of a stage once, by columns: what stays, in which split and cluster it is, and what it holds."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import numpy as np
from numpy.typing import NDArray

from globmed.core.dataset import ItemFile, item_files
from globmed.core.errors import InputError, TermsError
from globmed.core.item import Split
from globmed.core.store import checked_file
from globmed.data.item_batches import filled, item_batches, standing_findings
from globmed.data.packed_keys import Keys, key_hash
from globmed.data.release.choice import Choice
from globmed.data.release.contents import Contents

if TYPE_CHECKING:
    import pyarrow as pa

SPLITS: tuple[Split, ...] = get_args(Split)
DROPPED = len(SPLITS)
"""Stands where the number of a split would, for an item that does not stay."""
COLUMNS = ("family", "cluster", "split", "kind", "region")
TERMS = ("native_language", "licence", "text", "model", "findings", "review", "may_be_redistributed")


class Survey:
    """What was seen of a stage's items.

    Attributes:
        contents: the counts.
        places: for each file and each of its rows the number of its split in `SPLITS`, or `DROPPED`.
    """

    def __init__(self, folder: Path, choice: Choice) -> None:
        """Look at every item.

        Raises:
            InputError: a file that is not whole, not of items, or holds a family twice in a language or a cluster in
                two splits.
        """
        self.contents = Contents()
        self.places: dict[ItemFile, NDArray[np.uint8]] = {}
        self._folder, self._choice = folder, choice
        self._families, self._variants, self._clusters = Keys(), Keys(), Keys()
        self._splits = array("B")
        for file in item_files(folder):
            checked_file(folder, file.name)
            seen = [
                self._see(file, batch)
                for batch in item_batches(folder, file, [*COLUMNS, *(f"provenance.{name}" for name in TERMS)])
            ]
            self.places[file] = np.concatenate(seen) if seen else np.zeros(0, np.uint8)
        self.contents.families = len(np.unique(self._families.hashes()))
        self.contents.clusters = len(np.unique(self._clusters.hashes()))
        self._refuse_doubles()

    def refuse_nothing(self) -> None:
        """Refuse to release nothing.

        Raises:
            InputError: no item stays; the text says what became of them.
        """
        if not self.contents.items():
            reasons = sorted(self.contents.reasons().items())
            found = ", ".join(f"{count:,} {reason}" for reason, count in reasons) or "files without items"
            raise InputError.at(
                str(self._folder),
                found=f"no item to release ({found})",
                expected="at least one",
                remedy="Leave out less, or keep what is blocked (--keep-blocked)",
            )

    def refuse_restricted(self) -> None:
        """Refuse to publish what may not be.

        Raises:
            TermsError: items whose terms of use forbid it; the text names every source that has some.
        """
        if not self.contents.restricted:
            return
        found = [
            f"{source} ({count:,} items: {licence})"
            for (source, licence), count in sorted(self.contents.restricted.items())
        ]
        options = " ".join(f"--leave-out {source}" for source in sorted({of for of, _ in self.contents.restricted}))
        raise TermsError(
            f"{self._folder}: terms of use forbid publishing {'; '.join(found)}. Leave out by name ({options}), or "
            "make a private release (--private)"
        )

    def _see(self, file: ItemFile, batch: pa.RecordBatch) -> NDArray[np.uint8]:
        """Count a batch and return the place of each row."""
        rows = batch.select(COLUMNS).to_pydict()
        places = np.array([SPLITS.index(split) for split in rows["split"]], np.uint8)
        terms = {name: batch["provenance"].field(name) for name in TERMS}
        standing = standing_findings(terms["findings"], terms["review"])
        for row, reason in self._reasons(file, len(batch), standing):
            self.contents.dropped[file.source, file.language, rows["split"][row]][reason] += 1
            places[row] = DROPPED
        for split, count in Counter(rows["split"]).items():
            self.contents.read[file.source, file.language, split] += count
        stays = np.flatnonzero(places != DROPPED)
        self._remember(file, rows, stays)
        self._count(file, rows, terms, stays)
        for row, found in standing.items():
            if places[row] != DROPPED:
                self.contents.findings.update({(one["check"], one["severity"], file.language): 1 for one in found})
        return places

    def _reasons(
        self, file: ItemFile, rows: int, standing: dict[int, list[dict[str, str]]]
    ) -> Iterator[tuple[int, str]]:
        if file.source in self._choice.leave_out:
            yield from ((row, f"left out: {file.source}") for row in range(rows))
        elif not self._choice.keep_blocked:
            for row, found in standing.items():
                if check := next((one["check"] for one in found if one["severity"] == "block"), ""):
                    yield row, f"blocked: {check}"

    def _remember(self, file: ItemFile, rows: dict[str, list[Any]], stays: NDArray[np.intp]) -> None:
        self._families.add(rows["family"][row] for row in stays)
        self._variants.add(f"{file.language} {rows['family'][row]}" for row in stays)
        self._clusters.add(rows["cluster"][row] for row in stays)
        self._splits.extend(SPLITS.index(rows["split"][row]) for row in stays)

    def _count(
        self, file: ItemFile, rows: dict[str, list[Any]], terms: dict[str, pa.Array], stays: NDArray[np.intp]
    ) -> None:
        contents, source, language = self.contents, file.source, file.language

        def tally(values: list[Any]) -> Counter[Any]:
            return Counter(values[row] for row in stays)

        for into, first, values in (
            (contents.texts, language, terms["text"].to_pylist()),
            (contents.natives, source, terms["native_language"].to_pylist()),
            (contents.kinds, source, rows["kind"]),
            (contents.licences, source, terms["licence"].to_pylist()),
            (contents.makers, language, [name or None for name in terms["model"].to_pylist()]),
        ):
            into.update({(first, value): count for value, count in tally(values).items() if value is not None})
        for split, count in tally(rows["split"]).items():
            contents.kept[source, language, split] += count
        contents.regions.update(tally(rows["region"]))
        kept = set(stays.tolist())
        licences, may = terms["licence"].to_pylist(), terms["may_be_redistributed"].to_pylist()
        contents.restricted.update((source, licences[row]) for row in kept if not may[row])
        for row, verdicts in filled(terms["review"]).items():
            if row in kept:
                contents.reviewed[language] += 1
                contents.reviewers.update(verdict["reviewer"] for verdict in verdicts)

    def _refuse_doubles(self) -> None:
        variants, counts = np.unique(self._variants.hashes(), return_counts=True)
        clusters, splits = self._clusters.hashes(), np.array(self._splits, np.uint8)
        pairs = np.unique(np.stack([clusters, splits.astype(np.uint64)]), axis=1)
        several, in_splits = np.unique(pairs[0], return_counts=True)
        suspects = set(variants[counts > 1].tolist()), set(several[in_splits > 1].tolist())
        if any(suspects):
            self._name_doubles(*suspects)

    def _name_doubles(self, variants: set[int], clusters: set[int]) -> None:
        """Compare the names behind hashes that occur twice, and raise at the first that are alike."""
        seen: set[tuple[str, str]] = set()
        first_of: dict[str, tuple[str, str]] = {}
        for family, cluster, language, split in self._kept_names():
            place = f"{family} ({language}, {split})"
            if key_hash(f"{language} {family}") in variants:
                if (family, language) in seen:
                    raise InputError.at(
                        place,
                        found="the same family a second time in this language",
                        expected="each once",
                        remedy="Import one variant of a source per release",
                    )
                seen.add((family, language))
            if key_hash(cluster) in clusters:
                other, first = first_of.setdefault(cluster, (split, place))
                if split != other:
                    raise InputError.at(
                        place,
                        found=f"cluster {cluster!r}, which {first} holds in another split",
                        expected="each cluster in one split, in every language",
                        remedy="Run the stage corpus again over all sources together",
                    )

    def _kept_names(self) -> Iterator[tuple[str, str, str, str]]:
        for file, places in self.places.items():
            start = 0
            for batch in item_batches(self._folder, file, COLUMNS):
                names = zip(*(batch[name].to_pylist() for name in ("family", "cluster", "split")), strict=True)
                for place, (family, cluster, split) in zip(places[start:], names, strict=False):
                    if place != DROPPED:
                        yield family, cluster, file.language, split
                start += len(batch)
