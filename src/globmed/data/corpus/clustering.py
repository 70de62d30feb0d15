"""The stage `corpus`: imported items in, the same items with cluster and split out.

Official splits are kept. Where a cluster reaches into several, the most held-out one keeps it (test, then dev) and its
members elsewhere are dropped, in every language and with the reason. Inside one split duplicates stay, in one cluster:
official test sets keep all their rows, and statistics go by cluster. Items with a blocking finding count as any other.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from globmed.core.dataset import ItemFile, item_files
from globmed.core.errors import UsageError
from globmed.core.item import Item, Split
from globmed.core.row_groups import write_row_groups
from globmed.core.store import (
    Count,
    FileEntry,
    Manifest,
    StageWriter,
    arrow_schema,
    file_hash,
    read_manifest,
    read_records,
    replacing,
    stage_hash,
    up_to_date,
    writing_stage,
)
from globmed.data.corpus.duplicates import Family, Pair, find_pairs, gather_families, join_clusters, searched_in
from globmed.data.corpus.splits import Shares, draw_splits, held_out_as, more_held_out
from globmed.data.item_batches import item_batches

if TYPE_CHECKING:
    import pyarrow as pa

STAGE = "corpus"
DEFAULT_THRESHOLD = 0.5
"""Jaccard similarity of word 3-grams; docs/decisions/0001-near-duplicates.md has the pairs it was chosen on."""


class DroppedItem(msgspec.Struct, frozen=True, kw_only=True):
    """An item left out because its cluster is held out; a row of `dropped.jsonl`.

    Attributes:
        family: its family.
        language: BCP 47 code.
        source: name of its source.
        split: the one it was in.
        cluster: that of the item it duplicates, too.
        reason: `duplicate of a test item` or `duplicate of a dev item`.
    """

    family: str
    language: str
    source: str
    split: Split
    cluster: str
    reason: str


def cluster_dataset(
    folder: Path,
    *,
    out: Path,
    threshold: float = DEFAULT_THRESHOLD,
    procedural: Collection[str] = (),
    resplit: Mapping[str, Shares] | None = None,
    seed: int = 0,
) -> Manifest:
    """Find duplicates among imported items, join them into clusters and let no cluster cross a split.

    Writes into `<out>/corpus` every item file under its own name, `pairs.parquet` (what was found) and `dropped.jsonl`,
    unless just that was already done.

    Args:
        folder: a stage of items in files `<source>.<language>.parquet`, such as `<out>/import`.
        out: the dataset's folder.
        threshold: Jaccard similarity of word 3-grams from which two questions are one, above 0, at most 1.
        procedural: sources made by code, whose items differ in numbers alone by design: never compared, with the
            clusters and splits that they come with.
        resplit: source to shares of new splits, for sources published with one split only.
        seed: of the new splits.

    Returns:
        The stage's manifest, whose counts say what became of every item.

    Raises:
        InputError: no item files, or one that cannot be read.
        UsageError: a threshold out of range, new splits that cannot be had, or `folder` the one to write.
    """
    if (out / STAGE).resolve() == folder.resolve():
        raise UsageError(f"{folder}: would be written over while it is read; name another dataset's folder")
    shares = dict(resplit or {})
    _refuse_procedural(shares, procedural)
    configuration = {"threshold": threshold, "procedural": sorted(procedural), "resplit": shares, "seed": seed}
    inputs = {read_manifest(folder).stage: stage_hash(folder)}
    if finished := up_to_date(out / STAGE, configuration=configuration, inputs=inputs):
        return finished
    files = item_files(folder)
    families = gather_families(folder, files)
    compared = {name: family for name, family in families.items() if family.source not in procedural}
    pairs = all_pairs(folder, files, families=compared, threshold=threshold)
    clusters = {name: family.cluster for name, family in families.items()} | join_clusters(compared, pairs)
    drawn = draw_splits(families, clusters, shares=shares, rng=np.random.default_rng(seed))
    with writing_stage(out / STAGE, STAGE, configuration=configuration, inputs=inputs) as writer:
        placing = _Placing(families, clusters, drawn)
        for file in files:
            with replacing(writer.folder / file.name) as path:
                kept = (placing.kept(batch, file) for batch in item_batches(folder, file))
                rows = write_row_groups(path, kept, arrow_schema(Item), {})
            writer.files[file.name] = FileEntry(sha256=file_hash(writer.folder / file.name), rows=rows)
        writer.write("pairs.parquet", pairs, Pair)
        writer.write("dropped.jsonl", placing.dropped, DroppedItem)
        placing.count(writer)
    return read_manifest(out / STAGE)


def all_pairs(
    folder: Path, files: Iterable[ItemFile], *, families: Mapping[str, Family], threshold: float
) -> list[Pair]:
    """Return the duplicate pairs of families among item files, each with the language in which it is most alike."""
    by_language: defaultdict[str, list[str]] = defaultdict(list)
    for file in files:
        by_language[file.language].append(file.name)
    best: dict[tuple[str, str], Pair] = {}
    for code, names in sorted(by_language.items()):
        wanted = searched_in(code, families)
        # Without any, the files are not even read.
        items = (item for name in names if wanted for item in read_records(folder, Item, prefix=name))
        searched = (item for item in items if item.family in wanted)
        for pair in find_pairs(searched, code, families=families, threshold=threshold):
            key = (pair.first, pair.second)
            if key not in best or pair.similarity > best[key].similarity:
                best[key] = pair
    return [best[key] for key in sorted(best)]


def _refuse_procedural(shares: Collection[str], procedural: Collection[str]) -> None:
    for source in shares:
        if source in procedural:
            raise UsageError(f"source {source!r} is procedural and draws its own splits; it cannot be split anew")


class _Placing:
    """Gives items their cluster and split, and keeps the books of what it drops."""

    def __init__(self, families: Mapping[str, Family], clusters: Mapping[str, str], drawn: Mapping[str, Split]) -> None:
        self.clusters = clusters
        self.drawn = drawn
        moved = {name: replace(families[name], splits={split}) for name, split in drawn.items()}
        self.held_out = held_out_as({**families, **moved}, clusters)
        self.dropped: list[DroppedItem] = []
        self.rows: Counter[tuple[str, str, Split]] = Counter()

    def kept(self, batch: pa.RecordBatch, file: ItemFile) -> pa.RecordBatch:
        """Return the rows that stay, with cluster and split; the other columns are never turned into objects."""
        import pyarrow as pa

        families, given = batch.column("family").to_pylist(), batch.column("split").to_pylist()
        clusters = [self.clusters[family] for family in families]
        splits = [self.drawn.get(family, split) for family, split in zip(families, given, strict=True)]
        stays = [self._stays(*row, file) for row in zip(families, clusters, splits, strict=True)]
        for name, values in (("cluster", clusters), ("split", splits)):
            place = batch.schema.get_field_index(name)
            batch = batch.set_column(place, batch.schema.field(place), pa.array(values, batch.schema.field(place).type))
        return batch.filter(pa.array(stays, pa.bool_()))

    def _stays(self, family: str, cluster: str, split: Split, file: ItemFile) -> bool:
        """Whether an item stays; one that does not is noted with the reason."""
        self.rows[file.source, file.language, split] += 1
        held_out = self.held_out[cluster]
        if not more_held_out(held_out, split):
            return True
        self.dropped.append(
            DroppedItem(
                family=family,
                language=file.language,
                source=file.source,
                split=split,
                cluster=cluster,
                reason=f"duplicate of a {held_out} item",
            )
        )
        return False

    def count(self, writer: StageWriter) -> None:
        """Enter what became of the rows, by source, language and split (a new split, where one was drawn)."""
        reasons: defaultdict[tuple[str, str, Split], Counter[str]] = defaultdict(Counter)
        for item in self.dropped:
            reasons[item.source, item.language, item.split][item.reason] += 1
        for key, read in sorted(self.rows.items()):
            source, language, split = key
            kept = read - reasons[key].total()
            dropped = dict(reasons[key])
            writer.counts.append(
                Count(source=source, language=language, split=split, read=read, kept=kept, dropped=dropped)
            )
