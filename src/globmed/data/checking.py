"""The stage `quality`: every translation checked against its original, its findings beside it.

Reads a stage in which originals and translations lie side by side (one family, several languages). The original is the
item in the language that the translation was made from or, where that is not known, in its native language or, where
the stage lacks that one, in English. A worker checks the same row group of a source in all its languages, family by
family, so that what was found in an original is still known when its next translation comes. It reads those row groups
and the originals' rows that they need, so memory grows neither with the files nor with what they hold.

The folder `<out>/quality` holds the item files under their own names; `findings.parquet`, the findings that no expert
overruled; `unpaired.jsonl`, the translations without an original, which could not be checked; and the manifest.
"""

from __future__ import annotations

import csv
import hashlib
import os
from collections import Counter, deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from importlib.resources import files
from itertools import groupby, zip_longest
from multiprocessing import get_context
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from globmed.core.dataset import ItemFile, item_files
from globmed.core.errors import EnvironmentFailedError, InputError, UsageError
from globmed.core.item import Item, Review, Severity
from globmed.core.language import language
from globmed.core.row_groups import RowGroups, RowGroupWriter, write_row_groups
from globmed.core.store import (
    Count,
    FileEntry,
    Manifest,
    StageWriter,
    arrow_schema,
    checked_file,
    file_hash,
    read_manifest,
    relation,
    replacing,
    stage_hash,
    up_to_date,
    writing_stage,
)
from globmed.data.checking_rows import Checked, FindingRow, GroupToCheck, Unpaired, check_block
from globmed.data.pairs import Glossary
from globmed.data.quality import checks

if TYPE_CHECKING:
    import pyarrow as pa

STAGE = "quality"
FINDINGS = "findings.parquet"
UNPAIRED = "unpaired.jsonl"
FEW_ROWS = 4_000
"""Fewer rows are checked at once in this process: starting others takes longer."""

Glossaries = Mapping[tuple[str, str], Glossary]
"""Glossaries by original's and translation's language."""

Overrule = Mapping[tuple[str, str], tuple[Review, ...]]
"""Reviews that overrule checks, by family and language."""


def check_dataset(
    folder: Path,
    *,
    out: Path,
    glossaries: Glossaries | None = None,
    overrule: Path | None = None,
    processes: int | None = None,
    tell: Callable[[int, int | None], None] | None = None,
) -> Manifest:
    """Check every translation of a stage against its original and write `<out>/quality`, unless just that was done.

    Earlier findings of the same checks are replaced, those of other stages stay.

    Args:
        folder: a stage of items in files `<source>.<language>.parquet`, such as `<out>/translate`.
        out: the dataset's folder.
        glossaries: terms that translations must keep to.
        overrule: a CSV file of an expert's rulings, see `read_overrule`.
        processes: how many to run; default: one a core.
        tell: called with rows done and rows in all.

    Returns:
        The stage's manifest, whose counts say how many items there were.

    Raises:
        UsageError: `folder` is the one to write, or a language is not in the table.
        InputError: no item files, one that cannot be read, or a ruling on an item that is not there.
        EnvironmentFailedError: the disk is full or the folder cannot be written.
    """
    if (out / STAGE).resolve() == folder.resolve():
        raise UsageError(f"{folder}: would be written over while it is read; name another dataset's folder")
    rulings = read_overrule(overrule) if overrule else {}
    configuration = _configuration(glossaries or {})
    inputs = {read_manifest(folder).stage: stage_hash(folder)} | ({"overrule": file_hash(overrule)} if overrule else {})
    if finished := up_to_date(out / STAGE, configuration=configuration, inputs=inputs):
        return finished
    here = item_files(folder)
    _refuse_rulings_on_nothing(rulings, here, overrule)
    plan = _Plan(folder, here, glossaries or {}, rulings)
    with writing_stage(out / STAGE, STAGE, configuration=configuration, inputs=inputs) as writer:
        ruled = _check_all(plan, writer, processes=processes, tell=tell or (lambda _done, _total: None))
        _refuse_unused(rulings, ruled, overrule)
    return read_manifest(out / STAGE)


def findings_by_check(folder: Path) -> list[dict[str, Any]]:
    """Count the findings of a quality stage by language, check and severity.

    Returns:
        Rows with language, check, severity, items (that have such a finding) and findings, sorted.
    """
    kinds = 'language, "check", severity'
    counted = relation(folder, prefix=FINDINGS).aggregate(
        f"{kinds}, count(distinct (source, family)) as items, count(*) as findings", kinds
    )
    found: list[dict[str, Any]] = counted.order('language, "check", severity').to_arrow_table().to_pylist()
    return found


def count_items(folder: Path, severities: Collection[Severity]) -> int:
    """Return how many items of a quality stage have a finding of one of the severities that no expert overruled."""
    found = relation(folder, prefix=FINDINGS).project("source, family, language, severity").to_arrow_table()
    columns = (found.column(name).to_pylist() for name in ("severity", "source", "family", "language"))
    return len({item[1:] for item in zip(*columns, strict=True) if item[0] in severities})


def read_overrule(path: Path) -> dict[tuple[str, str], tuple[Review, ...]]:
    """Read an expert's rulings: a CSV file with the columns family, language, check, reviewer, day and comment.

    The reviews have no marks for accuracy, fluency and completeness: 0 stands for "not judged".

    Raises:
        InputError: a column is missing, or a row names no check, no reviewer or no known language.
        EnvironmentFailedError: the file cannot be read.
    """
    found: dict[tuple[str, str], list[Review]] = {}
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            for number, row in enumerate(csv.DictReader(file), start=2):
                review = _ruling(row, f"{path}:{number}")
                found.setdefault((row["family"], row["language"]), []).append(review)
    except OSError as error:
        raise EnvironmentFailedError(f"{path}: could not be read: {error.strerror or error}") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError.at(str(path), found=str(error), expected="a CSV file in UTF-8") from error
    return {key: tuple(reviews) for key, reviews in found.items()}


def _ruling(row: Mapping[str, str | None], place: str) -> Review:
    needed = ("family", "language", "check", "reviewer", "day")
    if empty := [name for name in needed if not (row.get(name) or "").strip()]:
        raise InputError.at(place, found=f"no {', '.join(empty)}", expected=f"the columns {', '.join(needed)}, comment")
    if row["check"] not in checks():
        raise InputError.at(place, found=f"the check {row['check']!r}", expected=f"one of {', '.join(checks())}")
    language(str(row["language"]))
    return Review(
        reviewer=str(row["reviewer"]),
        day=str(row["day"]),
        accuracy=0,
        fluency=0,
        completeness=0,
        comment=row.get("comment") or "",
        overruled=(str(row["check"]),),
    )


def _configuration(glossaries: Glossaries) -> dict[str, Any]:
    bands = files("globmed.data").joinpath("quality_bands.toml").read_bytes()
    terms = [(pair, sorted(terms.items())) for pair, terms in sorted(glossaries.items())]
    return {
        "checks": list(checks()),
        "bands": hashlib.sha256(bands).hexdigest(),
        "glossaries": hashlib.sha256(msgspec.json.encode(terms)).hexdigest() if terms else "",
    }


def _check_all(
    plan: _Plan, writer: StageWriter, *, processes: int | None, tell: Callable[[int, int | None], None]
) -> set[tuple[str, str]]:
    """Write every file of the stage, and return what rulings were used: family and language."""
    with ExitStack() as stack:
        alone = processes == 1 or plan.rows < FEW_ROWS
        pool = None if alone else stack.enter_context(_workers(plan.rows, processes))
        writing = _Writing(writer, pool, tell, plan.rows)
        for files_together in plan.together():
            writing.write_files(files_together, plan.blocks(files_together))
        writing.finish()
        return writing.ruled


def _workers(rows: int, processes: int | None) -> Executor:
    # Spawned, not forked: a fork of a process with threads (Arrow's, a notebook's) may hang.
    wanted = processes or len(os.sched_getaffinity(0))
    return ProcessPoolExecutor(min(wanted, 1 + rows // FEW_ROWS), mp_context=get_context("spawn"))


@dataclass(frozen=True)
class _Plan:
    """What is to be checked: the stage's item files, and what goes along with them."""

    folder: Path
    here: list[ItemFile]
    glossaries: Glossaries
    rulings: Overrule

    @property
    def rows(self) -> int:
        """Number of items."""
        entries = read_manifest(self.folder).files
        return sum(entries[file.name].rows for file in self.here)

    def together(self) -> list[list[ItemFile]]:
        """Return the files of each source and split, which hold the same families in several languages."""
        key = attrgetter("source", "split")
        return [list(group) for _, group in groupby(sorted(self.here, key=key), key=key)]

    def blocks(self, files_together: Sequence[ItemFile]) -> Iterator[list[GroupToCheck | None]]:
        """Give the first row group of each file, then the second, and so on; None where a file has no more."""
        return map(list, zip_longest(*(self._groups(file) for file in files_together)))

    def _groups(self, file: ItemFile) -> list[GroupToCheck]:
        """Return the row groups of a file, each with where its originals are.

        Raises:
            HashMismatchError: the file changed since the stage was written.
            InputError: it does not hold items of this version of globmed.
        """
        path = checked_file(self.folder, file.name)
        opened = RowGroups(path)
        schema, groups = opened.schema, len(opened)
        opened.close()
        if not schema.equals(arrow_schema(Item)):
            raise InputError.at(
                str(path), found="other columns", expected="those of an item", remedy="Run the earlier stage again"
            )
        beside = {
            other.language: self.folder / other.name
            for other in self.here
            if (other.source, other.split) == (file.source, file.split)
        }
        glossaries = {source: terms for (source, target), terms in self.glossaries.items() if target == file.language}
        rulings = {family: reviews for (family, code), reviews in self.rulings.items() if code == file.language}
        return [
            GroupToCheck(path=path, group=group, originals=beside, glossaries=glossaries, rulings=rulings)
            for group in range(groups)
        ]


class _Writing:
    """Writes the stage's files from what workers hand back, and keeps its books."""

    def __init__(
        self, writer: StageWriter, pool: Executor | None, tell: Callable[[int, int | None], None], rows: int
    ) -> None:
        self.writer = writer
        self.pool = pool
        self.tell = tell
        self.rows = rows
        self.done = 0
        self.findings: list[pa.RecordBatch] = []
        self.unpaired: list[Unpaired] = []
        self.ruled: set[tuple[str, str]] = set()
        self.counts: Counter[tuple[str, str, str]] = Counter()

    def write_files(self, files_together: Sequence[ItemFile], blocks: Iterable[Sequence[GroupToCheck | None]]) -> None:
        """Check files side by side, block by block, and write each one's row groups in their order."""
        paths = [self.writer.folder / file.name for file in files_together]
        with ExitStack() as stack:
            temporary = [stack.enter_context(replacing(path)) for path in paths]
            with ExitStack() as open_files:
                writers = [open_files.enter_context(RowGroupWriter(path, arrow_schema(Item), {})) for path in temporary]
                for block in _in_order(blocks, self.pool):
                    for writer, checked in zip(writers, block, strict=True):
                        if checked is not None:
                            writer.write(checked.items)
                            self._note(checked)
        for path, writer in zip(paths, writers, strict=True):
            self.writer.files[path.name] = FileEntry(sha256=file_hash(path), rows=writer.rows)

    def finish(self) -> None:
        """Write the findings, what had no original, and the counts."""
        path = self.writer.folder / FINDINGS
        with replacing(path) as temporary:
            rows = write_row_groups(temporary, self.findings, arrow_schema(FindingRow), {})
        self.writer.files[FINDINGS] = FileEntry(sha256=file_hash(path), rows=rows)
        self.writer.write(UNPAIRED, self.unpaired, Unpaired)
        for (source, code, split), count in sorted(self.counts.items()):
            self.writer.counts.append(Count(source=source, language=code, split=split, read=count, kept=count))

    def _note(self, checked: Checked) -> None:
        self.counts.update(checked.counts)
        self.unpaired += checked.unpaired
        self.ruled |= checked.ruled
        if len(checked.findings):
            self.findings.append(checked.findings)
        self.done += len(checked.items)
        self.tell(self.done, self.rows)


def _in_order(
    blocks: Iterable[Sequence[GroupToCheck | None]], pool: Executor | None
) -> Iterator[Sequence[Checked | None]]:
    """Give results in the order of the blocks, with a few under way at once so that results do not pile up."""
    if pool is None:
        yield from map(check_block, blocks)
        return
    ahead = len(os.sched_getaffinity(0)) + 1
    under_way: deque[Future[list[Checked | None]]] = deque()
    for block in blocks:
        under_way.append(pool.submit(check_block, block))
        if len(under_way) >= ahead:
            yield under_way.popleft().result()
    while under_way:
        yield under_way.popleft().result()


def _refuse_rulings_on_nothing(rulings: Overrule, here: Iterable[ItemFile], path: Path | None) -> None:
    held = {file.language for file in here}
    for family, code in rulings:
        if code not in held:
            raise InputError.at(
                str(path), found=f"{family} in {code!r}", expected=f"a language of the stage: {', '.join(sorted(held))}"
            )


def _refuse_unused(rulings: Overrule, ruled: set[tuple[str, str]], path: Path | None) -> None:
    for family, code in sorted(rulings.keys() - ruled):
        raise InputError.at(str(path), found=f"{family} in {code!r}", expected="an item of the stage")
