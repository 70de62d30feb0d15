"""The stage `release`: the corpus as Parquet files `<source>.<language>.<split>.parquet`, or a refusal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from globmed.core.dataset import item_files
from globmed.core.errors import InputError, TermsError
from globmed.core.item import Item, Split
from globmed.core.store import Count, Manifest, read_manifest, read_records, stage_hash, up_to_date, writing_stage

STAGE = "release"


def release_dataset(folder: Path, *, out: Path, private: bool = False) -> Manifest:
    """Check a corpus as a whole and write it as a release into `<out>/release`, unless just that was already done.

    Args:
        folder: the stage `corpus`: items in files `<source>.<language>.parquet`.
        out: the dataset's folder.
        private: True where the release stays with those who made it, and so may hold items that may not be
            redistributed.

    Returns:
        The stage's manifest, whose counts say how many items each source, language and split has.

    Raises:
        InputError: no item files, a family twice in one language, or a cluster in two splits, in whatever languages.
        TermsError: an item that may not be redistributed, in a release that is not private.
    """
    if (found := read_manifest(folder).stage) != "corpus":
        raise InputError.at(
            str(folder),
            found=f"the stage {found!r}",
            expected="the stage 'corpus', in which no cluster crosses a split",
            remedy="Run `globmed data cluster` on the imported items and release its output",
        )
    parts = item_files(folder)
    configuration = {"private": private}
    inputs = {read_manifest(folder).stage: stage_hash(folder)}
    if finished := up_to_date(out / STAGE, configuration=configuration, inputs=inputs):
        return finished
    checking = _Checking(private=private)
    rows = {part: checking.check(read_records(folder, Item, prefix=part.name)) for part in parts}
    with writing_stage(out / STAGE, STAGE, configuration=configuration, inputs=inputs) as writer:
        for part, splits in rows.items():
            for split in sorted(splits):
                items = (item for item in read_records(folder, Item, prefix=part.name) if item.split == split)
                kept = writer.write(f"{part.source}.{part.language}.{split}.parquet", items, Item)
                writer.counts.append(
                    Count(source=part.source, language=part.language, split=split, read=splits[split], kept=kept)
                )
    return read_manifest(out / STAGE)


class _Checking:
    """Sees every item of a release once and raises at the first that may not stand beside those before it."""

    def __init__(self, *, private: bool) -> None:
        self.private = private
        self.seen: set[tuple[str, str]] = set()
        self.first_of: dict[str, tuple[Split, str]] = {}

    def check(self, items: Iterable[Item]) -> Counter[Split]:
        """Check the items of one file and return how many are in each split."""
        rows: Counter[Split] = Counter()
        for item in items:
            place = f"{item.family} ({item.language}, {item.split})"
            if (item.family, item.language) in self.seen:
                raise InputError.at(
                    place,
                    found="the same family a second time in this language",
                    expected="each once",
                    remedy="Import one variant of a source per release",
                )
            self.seen.add((item.family, item.language))
            split, first = self.first_of.setdefault(item.cluster, (item.split, place))
            if split != item.split:
                raise InputError.at(
                    place,
                    found=f"cluster {item.cluster!r}, which {first} holds in another split",
                    expected="each cluster in one split, in every language",
                    remedy="Run the stage corpus again over all sources together",
                )
            if not (self.private or item.provenance.may_be_redistributed):
                raise TermsError(
                    f"{place}: its terms of use ({item.provenance.licence}) forbid publishing it. "
                    "Leave out the source, or make a private release"
                )
            rows[item.split] += 1
        return rows
