"""The import stage: publishers' files in, one Parquet file of items a source and language out.

The folder `<out>/import` holds `<source>.<language>.parquet`, `dropped.jsonl` and the manifest. Nothing in it depends
on where the publishers' files lay: places are relative to the path that was named. Each source is read once a
language, straight into its file, so memory does not grow with the number of languages; of large files the languages are
read side by side, on all cores.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from itertools import chain
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import msgspec

from globmed.core.errors import EnvironmentFailedError, InputError, PluginError, UsageError
from globmed.core.item import Item, Split
from globmed.core.language import language
from globmed.core.store import (
    Count,
    FileEntry,
    Manifest,
    StageWriter,
    file_hash,
    read_manifest,
    relation,
    up_to_date,
    writing_stage,
)
from globmed.data.sources import Dropped, Source, source

if TYPE_CHECKING:
    import pyarrow as pa

STAGE = "import"
DROPPED = "dropped.jsonl"
LARGE = 50_000_000
"""Bytes of the publishers' files from which on several processes read them; of fewer, starting these takes longer."""


@dataclass(frozen=True)
class Wanted:
    """A source to import, and the file or folder where its publisher's files lie; a procedural source needs none."""

    name: str
    path: Path | None = None


class DroppedRow(msgspec.Struct, frozen=True, kw_only=True):
    """One row of `dropped.jsonl`: what gave no item, where it stands, and why."""

    source: str
    language: str
    split: Split
    place: str
    reason: str


def import_sources(wanted: Sequence[Wanted], *, languages: Sequence[str] = (), out: Path, seed: int = 0) -> Manifest:
    """Read publishers' files into `<out>/import`, unless just that was already done.

    Args:
        wanted: the sources, each once, and where their files lie.
        languages: BCP 47 codes; none asks for every language that a source's files hold.
        out: the dataset's folder.
        seed: for procedural sources.

    Returns:
        The stage's manifest, whose counts say what became of every row.

    Raises:
        UsageError: a source or language is unknown, named twice or does not fit the others, or a path is missing.
        InputError: a publisher's file is absent, broken, or holds one question twice.
        EnvironmentFailedError: a file cannot be read or written.
    """
    readings = _plan(wanted, languages)
    folder = out / STAGE
    configuration = {"sources": {reading.source.name: reading.languages for reading in readings}, "seed": seed}
    inputs = {name: digest for reading in readings for name, digest in _input_hashes(reading)}
    finished = up_to_date(folder, configuration=configuration, inputs=inputs)
    if finished:
        _check_present(readings, finished.counts, asked=bool(languages))
        return finished
    _refuse_to_delete(folder, {reading.source.name for reading in readings})
    with writing_stage(folder, STAGE, configuration=configuration, inputs=inputs) as writer:
        dropped: list[DroppedRow] = []
        for taken in _take_all(readings, writer.folder, seed):
            writer.files |= taken.files
            writer.counts += taken.counts
            dropped += taken.dropped
        _check_present(readings, writer.counts, asked=bool(languages))
        writer.write(DROPPED, dropped, DroppedRow)
    return read_manifest(folder)


def _refuse_to_delete(folder: Path, named: set[str]) -> None:
    """Raise a UsageError where an earlier import holds sources that this one does not name."""
    try:
        held = set(read_manifest(folder).configuration.get("sources", ()))
    except InputError:
        return
    if lost := held - named:
        raise UsageError(
            f"{folder}: holds {', '.join(sorted(held))}; this import would delete {', '.join(sorted(lost))}. "
            "Name all sources in one import, or another folder"
        )


def findings_table(folder: Path) -> pa.Table:
    """Count the items that carry a finding, by source, language, split, check and severity.

    Args:
        folder: an import folder.

    Returns:
        A table with the columns source, language, split, check, severity and items, sorted; an item counts once in a
        row, however many findings of that check and severity it has.
    """
    import pyarrow as pa  # a third of a second that `--help` need not pay

    tables = []
    for name in sorted(read_manifest(folder).files.keys() - {DROPPED}):  # file by file: one lies in memory at a time
        found = relation(folder, prefix=name).project(
            "source, language, split, family, unnest(provenance.findings) as finding"
        )
        kinds = 'source, language, split, finding."check", finding.severity'
        tables.append(found.aggregate(f"{kinds}, count(distinct family) as items").order("all").to_arrow_table())
    return pa.concat_tables(tables)


@dataclass(frozen=True, kw_only=True)
class _Reading:
    """A source, where to read it and in which languages."""

    source: Source
    path: Path
    languages: tuple[str, ...]

    @property
    def root(self) -> Path:
        """What places are relative to."""
        return self.path if self.path.is_dir() else self.path.parent

    def relative(self, place: str) -> str:
        """Take the way to the publisher's files off a place, so that it reads the same on every machine."""
        return place.removeprefix(f"{self.root}/")


@dataclass(kw_only=True)
class _Intake:
    """What comes of one source in one language, counted while its items pass through to the file."""

    reading: _Reading
    language: str
    read: Counter[Split] = field(default_factory=Counter)
    kept: Counter[Split] = field(default_factory=Counter)
    dropped: list[DroppedRow] = field(default_factory=list)

    def items(self, rows: Iterable[Item | Dropped]) -> Iterator[Item]:
        """Pass on the items, count them and set the dropped rows aside.

        Raises:
            InputError: one question twice in this language.
            PluginError: an item that its source does not declare.
        """
        place_of: dict[str, str] = {}
        for row in rows:
            self.read[row.split] += 1
            if isinstance(row, Dropped):
                self.dropped.append(self._dropped_row(row))
                continue
            _check_declared(row, self.reading.source, self.language)
            place = row.provenance.place
            if row.family in place_of:
                raise InputError.at(
                    place,
                    found=f"{row.family} in {self.language!r}, which {place_of[row.family]} holds as well",
                    expected="every question once a language",
                    remedy="Remove one of the two rows, or name a folder that holds one copy of the files",
                )
            place_of[row.family] = place
            self.kept[row.split] += 1
            here = msgspec.structs.replace(row.provenance, place=self.reading.relative(place))
            yield msgspec.structs.replace(row, provenance=here)

    def counts(self) -> Iterator[Count]:
        """Give one count a split that had a row."""
        for split in get_args(Split):
            if self.read[split]:
                reasons = Counter(row.reason for row in self.dropped if row.split == split)
                yield Count(
                    source=self.reading.source.name,
                    language=self.language,
                    split=split,
                    read=self.read[split],
                    kept=self.kept[split],
                    dropped=dict(sorted(reasons.items())),
                )

    def _dropped_row(self, row: Dropped) -> DroppedRow:
        place = self.reading.relative(row.place)
        return DroppedRow(
            source=self.reading.source.name, language=row.language, split=row.split, place=place, reason=row.reason
        )


def _plan(wanted: Sequence[Wanted], languages: Sequence[str]) -> list[_Reading]:
    """Check what was asked for and sort it by the sources' names, so that the order of asking changes nothing."""
    if not wanted:
        raise UsageError("no source was named; name at least one, as NAME=PATH")
    for code in languages:
        language(code)
    names = [one.name for one in wanted]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise UsageError(f"source {twice!r} is named twice; put its files below one folder and name it once")
    known = {one.name: source(one.name) for one in wanted}
    given = {code for found in known.values() for code in found.languages}
    if strange := [code for code in languages if code not in given]:
        raise UsageError(f"no source named here has language {strange[0]!r}; they have {', '.join(sorted(given))}")
    return [_reading(known[one.name], one.path, languages) for one in sorted(wanted, key=lambda one: one.name)]


def _reading(found: Source, path: Path | None, languages: Sequence[str]) -> _Reading:
    codes = tuple(code for code in found.languages if not languages or code in languages)
    if not codes:
        raise UsageError(
            f"source {found.name!r} has none of the languages asked for, {', '.join(languages)}; "
            f"it has {', '.join(found.languages)}"
        )
    if path is None and not found.procedural:
        raise UsageError(f"source {found.name!r} needs a path, as {found.name}=PATH. {found.obtain}")
    return _Reading(source=found, path=path or Path(), languages=codes)


def _input_hashes(reading: _Reading) -> Iterator[tuple[str, str]]:
    """Hash every file below the path, not those read alone, for a file that was added must be noticed as well."""
    if reading.source.procedural:
        return
    if not reading.path.exists():
        raise InputError.at(
            str(reading.path),
            found="no such file or folder",
            expected=f"the files of {reading.source.name}",
            remedy=reading.source.obtain,
        )
    beside = [reading.path.with_name(name) for name in reading.source.beside]
    files = [reading.path, *(path for path in beside if path.is_file())]
    for path in sorted(reading.path.rglob("*")) if reading.path.is_dir() else files:
        inside = path.relative_to(reading.root)
        if path.is_file() and not any(part.startswith(".") for part in inside.parts):
            try:
                yield f"{reading.source.name}/{inside.as_posix()}", file_hash(path)
            except OSError as error:
                raise EnvironmentFailedError(f"{path}: could not be read: {error.strerror or error}") from error


@dataclass(frozen=True)
class _Taken:
    """What came of one source in one language: the file written, its counts, and rows dropped."""

    files: dict[str, FileEntry]
    counts: list[Count]
    dropped: list[DroppedRow]


def _take_all(readings: Sequence[_Reading], folder: Path, seed: int) -> Iterator[_Taken]:
    """Write the files of all sources and languages, and give what came of each in their order."""
    tasks = [(reading, code, folder, seed) for reading in readings for code in reading.languages]
    workers = min(len(tasks), len(os.sched_getaffinity(0)))
    if workers < 2 or sum(map(_size, readings)) < LARGE:
        yield from (_take(*task) for task in tasks)
        return
    # Spawned, not forked: a fork of a process with threads (Arrow's, a notebook's) may hang.
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        under_way = [pool.submit(_take, *task) for task in tasks]
        try:
            yield from (one.result() for one in under_way)
        finally:
            # Whoever is writing is waited for: what is written after the stage was given up would lie there for good.
            pool.shutdown(wait=True, cancel_futures=True)


def _size(reading: _Reading) -> int:
    """Return how many bytes lie at a source's path."""
    if reading.source.procedural:
        return 0
    files = reading.path.rglob("*") if reading.path.is_dir() else [reading.path]
    return sum(path.stat().st_size for path in files if path.is_file())


def _take(reading: _Reading, code: str, folder: Path, seed: int) -> _Taken:
    """Write the file of one source in one language, if it has a row."""
    rows = reading.source.read(reading.path, (code,), seed)
    first = next(rows, None)
    if first is None:
        return _Taken({}, [], [])
    intake, writer = _Intake(reading=reading, language=code), StageWriter(folder)
    kept = writer.write(f"{reading.source.name}.{code}.parquet", intake.items(chain([first], rows)), Item)
    assert kept == intake.kept.total()
    return _Taken(writer.files, list(intake.counts()), intake.dropped)


def _check_present(readings: Iterable[_Reading], counts: Iterable[Count], *, asked: bool) -> None:
    """Refuse a source without a row, in any language or, where languages were asked for, in one of them."""
    found = {(count.source, count.language) for count in counts}
    for reading in readings:
        name = reading.source.name
        empty = [code for code in reading.languages if (name, code) not in found]
        if empty and (asked or len(empty) == len(reading.languages)):
            raise InputError.at(
                str(reading.path),
                found=f"no row of {name} in {', '.join(empty)}",
                expected="at least one",
                remedy=f"Get the files ({reading.source.obtain}) or name other languages",
            )


def _check_declared(item: Item, declared: Source, code: str) -> None:
    """Hold a source to what it declares; its terms of use above all, for later stages go by the item's."""
    terms = item.provenance
    wrong = {
        "source": item.source != declared.name,
        "language": item.language != code,
        "kind": item.kind not in declared.kinds,
        "family": not item.family.startswith(f"{declared.name}:"),
        "may_leave_machine": terms.may_leave_machine and not declared.may_leave_machine,
        "may_be_redistributed": terms.may_be_redistributed and not declared.may_be_redistributed,
    }
    if any(wrong.values()):
        fields = ", ".join(name for name, is_wrong in wrong.items() if is_wrong)
        raise PluginError(
            f"source {declared.name!r}: {item.family} in {code!r} differs from what it declares in {fields}"
        )
