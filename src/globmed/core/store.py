"""Record files with a manifest. Nothing outside `globmed.core` opens a record file.

A stage writes one folder: record files (Parquet or JSON Lines, by their ending) and `manifest.json`, which names each
file's hash, the configuration, the code version, the input hashes and the counts. A file is written to a temporary
name and renamed, the manifest last of all, so that a folder with a manifest is whole and one without is no stage.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import types
import typing
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar, Union

import msgspec

from globmed import __version__
from globmed.core.errors import EnvironmentFailedError, HashMismatchError, InputError, UsageError

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

MANIFEST = "manifest.json"
WRITING = ".writing"
# Rows held as Python objects at once; 10,000 took 100 MB more, and no less time.
ROWS_PER_BATCH = 2_000

Record = TypeVar("Record", bound=msgspec.Struct)


class FileEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One record file of a stage: its SHA-256 and how many rows it holds."""

    sha256: str
    rows: int


class Count(msgspec.Struct, frozen=True, kw_only=True, rename={"read": "in"}):
    """What became of one source's rows in one language and split: read = kept + the sum of dropped."""

    source: str
    language: str
    split: str
    read: int
    kept: int
    dropped: dict[str, int] = {}

    def __post_init__(self) -> None:
        """Hold every stage to its books: nothing may vanish between what was read and what was kept.

        Raises:
            InputError: the numbers do not add up.
        """
        if self.read != self.kept + sum(self.dropped.values()):
            place = f"counts of {self.source}, {self.language}, {self.split}"
            found = f"{self.read} in, {self.kept} kept and {sum(self.dropped.values())} dropped"
            raise InputError.at(place, found=found, expected="in = kept + dropped")


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a stage folder holds and what it was made from.

    Attributes:
        stage: name of the stage.
        configuration: everything that decided what was written, as plain JSON.
        inputs: path or name of each input to its SHA-256.
        files: record files by name.
        counts: what became of the rows.
        code_version: version of globmed that wrote it.
    """

    stage: str
    configuration: dict[str, Any] = {}
    inputs: dict[str, str] = {}
    files: dict[str, FileEntry] = {}
    counts: tuple[Count, ...] = ()
    code_version: str = __version__


def file_hash(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def input_hashes(paths: Iterable[Path]) -> dict[str, str]:
    """Return path to SHA-256 for files, and for every file below folders."""
    found: dict[str, str] = {}
    for path in paths:
        inside = sorted(file for file in path.rglob("*") if file.is_file()) if path.is_dir() else [path]
        found.update({str(file): file_hash(file) for file in inside})
    return found


def stage_hash(folder: Path) -> str:
    """Return one hash for all records of a stage: that of its files' names and hashes, in order.

    Raises:
        InputError: the folder holds no manifest.
    """
    files = sorted((name, entry.sha256) for name, entry in read_manifest(folder).files.items())
    return hashlib.sha256(msgspec.json.encode(files)).hexdigest()


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a temporary path beside `path`; rename it to `path` when the block ends well, remove it when not.

    Raises:
        EnvironmentFailedError: the disk is full or the folder cannot be written.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with _written(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            yield temporary
            with temporary.open("rb") as file:
                os.fsync(file.fileno())
            temporary.replace(path)
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


@contextmanager
def _written(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        # What is written beside a stage is named as it will be in it.
        place = path.parent.parent / path.name if path.parent.name == WRITING else path
        raise EnvironmentFailedError(f"{place}: could not be written: {error.strerror or error}") from error


def write_text(path: Path, text: str) -> None:
    """Write a text file under a temporary name and rename it."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


class StageWriter:
    """Collects the files and counts of one stage in a folder of their own; made by `writing_stage`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.files: dict[str, FileEntry] = {}
        self.counts: list[Count] = []

    def write(self, name: str, records: Iterable[Record], record_type: type[Record]) -> int:
        """Write records to `name` in the stage's folder and return how many there were.

        Args:
            name: file name ending in `.parquet` or `.jsonl`.
            records: instances of `record_type`; need not fit in memory.
            record_type: decides the columns, also of an empty file.
        """
        path = self.folder / name
        with replacing(path) as temporary:
            write = _write_parquet if path.suffix == ".parquet" else _write_jsonl
            rows = write(temporary, records, record_type)
            digest = file_hash(temporary)
        self.files[name] = FileEntry(sha256=digest, rows=rows)
        return rows

    def adopt_all(self) -> None:
        """Record the files that something else wrote into `folder`, such as a model's weights."""
        for path in sorted(self.folder.iterdir()):
            if path.is_file() and path.name not in self.files:
                self.files[path.name] = FileEntry(sha256=file_hash(path), rows=0)


@contextmanager
def writing_stage(
    folder: Path,
    stage: str,
    *,
    configuration: Mapping[str, Any] | None = None,
    inputs: Mapping[str, str] | None = None,
) -> Iterator[StageWriter]:
    """Write one stage: its files through the writer given, its manifest when the block ends well.

    Files are written beside the stage and moved into it at the end, so that a stage made earlier stands until the new
    one is whole. Its manifest goes first and comes last: killed while the files are moved, it counts as unfinished.

    Raises:
        UsageError: the folder holds another stage.
        EnvironmentFailedError: the disk is full or the folder cannot be written.
    """
    earlier = _own_files(folder, stage)
    beside = folder / WRITING
    try:
        with _written(folder):
            shutil.rmtree(beside, ignore_errors=True)
            beside.mkdir(parents=True)
        writer = StageWriter(beside)
        yield writer
        with _written(folder):
            (folder / MANIFEST).unlink(missing_ok=True)
            for name in earlier - writer.files.keys():
                (folder / name).unlink(missing_ok=True)
            for name in writer.files:
                (beside / name).replace(folder / name)
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    record = Manifest(
        stage=stage,
        configuration=dict(configuration or {}),
        inputs=dict(inputs or {}),
        files=writer.files,
        counts=tuple(writer.counts),
    )
    write_text(folder / MANIFEST, msgspec.json.format(msgspec.json.encode(record), indent=2).decode() + "\n")


def _own_files(folder: Path, stage: str) -> set[str]:
    """Return the files of the same stage made earlier; a manifest that cannot be read names none."""
    try:
        manifest = read_manifest(folder)
    except InputError:
        return set()
    if manifest.stage != stage:
        raise UsageError(
            f"{folder}: holds the stage {manifest.stage!r}, which {stage!r} would replace. Name another folder"
        )
    return set(manifest.files)


def read_manifest(folder: Path) -> Manifest:
    """Read a stage's manifest.

    Raises:
        InputError: there is none, or it is not one; the text names the stages that lie below the folder.
    """
    path = folder / MANIFEST
    if not path.is_file():
        below = sorted(str(found.parent) for found in folder.glob(f"*/{MANIFEST}"))
        remedy = f"Stages below it: {', '.join(below)}" if below else ""
        raise InputError.at(
            str(folder), found=f"no {MANIFEST}", expected="the folder of a finished stage", remedy=remedy
        )
    try:
        manifest = msgspec.json.decode(path.read_bytes(), type=Manifest)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InputError.at(str(path), found=str(error), expected="a manifest written by globmed") from error
    for name in manifest.files:
        if Path(name).name != name:
            raise InputError.at(str(path), found=f"the file name {name!r}", expected="names of files in its own folder")
    return manifest


def count_rows(counts: Iterable[Count]) -> list[dict[str, Any]]:
    """Return counts as rows: source, language, split, in, kept, and dropped (number by reason)."""
    return [
        {
            "source": count.source,
            "language": count.language,
            "split": count.split,
            "in": count.read,
            "kept": count.kept,
            "dropped": dict(count.dropped),
        }
        for count in counts
    ]


def up_to_date(folder: Path, *, configuration: Mapping[str, Any], inputs: Mapping[str, str]) -> Manifest | None:
    """Return the manifest of a stage already made from the same configuration, inputs and code, else None.

    A stage whose manifest cannot be read, or of which a file changed, is not up to date: running it again mends it.
    """
    try:
        manifest = read_manifest(folder)
    except InputError:
        return None
    asked = msgspec.json.decode(msgspec.json.encode(configuration))
    same = manifest.configuration == asked and manifest.inputs == dict(inputs) and manifest.code_version == __version__
    whole = same and all(
        (folder / name).is_file() and file_hash(folder / name) == entry.sha256 for name, entry in manifest.files.items()
    )
    return manifest if whole else None


def checked_file(folder: Path, name: str) -> Path:
    """Return the path of a stage's file after comparing its content with the manifest.

    Raises:
        HashMismatchError: the file changed since the stage was written.
        InputError: the manifest names no such file, or the file is gone.
    """
    files = read_manifest(folder).files
    path = folder / name
    if name not in files or not path.is_file():
        raise InputError.at(str(path), found="no such file", expected=f"one of {', '.join(sorted(files)) or 'none'}")
    found = file_hash(path)
    if found != files[name].sha256:
        raise HashMismatchError(
            f"{path}: found SHA-256 {found[:12]}…; expected {files[name].sha256[:12]}…, which {folder / MANIFEST} "
            "recorded. The file changed after it was written: restore it, or run the stage again"
        )
    return path


def read_records(folder: Path, record_type: type[Record], *, prefix: str = "") -> Iterator[Record]:
    """Read all records of a stage, file by file in the order of their names.

    Args:
        folder: a stage's folder.
        record_type: what the rows are.
        prefix: only files whose name starts so.

    Raises:
        HashMismatchError: a file changed since the stage was written.
        InputError: a row is not a `record_type`; the text names file and row.
    """
    for name in sorted(read_manifest(folder).files):
        if name.startswith(prefix):
            path = checked_file(folder, name)
            yield from (_read_parquet if path.suffix == ".parquet" else read_jsonl)(path, record_type)


def table(folder: Path, *, prefix: str = "", columns: Sequence[str] | None = None) -> pa.Table:
    """Return all Parquet records of a stage as one Arrow table; of these columns alone, where some are named."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    names = [n for n in sorted(read_manifest(folder).files) if n.startswith(prefix) and n.endswith(".parquet")]
    if not names:
        raise UsageError(f"{folder}: no Parquet file whose name starts with {prefix!r}")
    chosen = None if columns is None else list(columns)
    return pa.concat_tables([pq.ParquetFile(checked_file(folder, name)).read(columns=chosen) for name in names])


def columns_of(folder: Path, name: str) -> list[str]:
    """Return the names of the columns of one Parquet file of a stage.

    Raises:
        HashMismatchError: the file was changed by hand.
    """
    import pyarrow.parquet as pq

    return list(pq.read_schema(checked_file(folder, name)).names)


def relation(folder: Path, *, prefix: str = "") -> duckdb.DuckDBPyRelation:
    """Return all Parquet records of a stage as a DuckDB relation."""
    import duckdb

    return duckdb.connect().from_arrow(table(folder, prefix=prefix))


def records_to_table(records: Iterable[Record], record_type: type[Record]) -> pa.Table:
    """Turn records into an Arrow table."""
    import pyarrow as pa

    rows = [msgspec.to_builtins(record, builtin_types=(bytes,)) for record in records]
    return pa.Table.from_pylist(rows, schema=arrow_schema(record_type))


def arrow_schema(record_type: type[msgspec.Struct]) -> pa.Schema:
    """Derive Arrow columns from a record's annotations."""
    import pyarrow as pa

    return pa.schema([pa.field(name, _arrow_type(kind)) for name, kind in _fields(record_type)])


def read_jsonl(path: Path, record_type: type[Record]) -> Iterator[Record]:
    """Read JSON Lines; a broken line stops with file and line number.

    Raises:
        InputError: a line is not a `record_type`.
    """
    decoder = msgspec.json.Decoder(record_type)
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            try:
                yield decoder.decode(line)
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                raise InputError.at(f"{path}:{number}", found=str(error), expected=record_type.__name__) from error


def _fields(record_type: type[msgspec.Struct]) -> list[tuple[str, Any]]:
    hints = typing.get_type_hints(record_type)
    return [(field.encode_name, hints[field.name]) for field in msgspec.structs.fields(record_type)]


def _arrow_type(kind: Any) -> pa.DataType:
    import pyarrow as pa

    plain: dict[Any, pa.DataType] = {str: pa.string(), int: pa.int64(), float: pa.float64(), bool: pa.bool_()}
    if kind in plain:
        return plain[kind]
    if kind is bytes:
        return pa.binary()
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is Literal:
        return pa.string()
    if origin in (Union, types.UnionType):
        (present,) = [argument for argument in arguments if argument is not type(None)]
        return _arrow_type(present)
    if origin in (tuple, list):
        return pa.list_(_arrow_type(arguments[0]))
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return pa.struct([pa.field(name, _arrow_type(inner)) for name, inner in _fields(kind)])
    raise TypeError(f"no Arrow type for {kind!r}")


def _write_parquet(path: Path, records: Iterable[Record], record_type: type[Record]) -> int:
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema, rows = arrow_schema(record_type), 0
    # The system allocator peaks 25 % lower than Arrow's default over 500,000 items.
    pool = pa.system_memory_pool()
    with pq.ParquetWriter(path, schema, compression="zstd", memory_pool=pool) as writer:
        iterator = iter(records)
        for first in iterator:
            batch = records_to_table(chain([first], islice(iterator, ROWS_PER_BATCH - 1)), record_type)
            writer.write_table(batch)
            rows += len(batch)
    return rows


def _write_jsonl(path: Path, records: Iterable[Record], record_type: type[Record]) -> int:
    encoder, rows = msgspec.json.Encoder(), 0
    with path.open("wb") as file:
        for record in records:
            assert isinstance(record, record_type)
            file.write(encoder.encode(record) + b"\n")
            rows += 1
    return rows


def _read_parquet(path: Path, record_type: type[Record]) -> Iterator[Record]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(path, memory_map=True)
    except (pa.ArrowInvalid, OSError) as error:
        raise InputError.at(str(path), found=str(error), expected="a Parquet file") from error
    row = 0
    for batch in file.iter_batches(batch_size=ROWS_PER_BATCH):
        for values in batch.to_pylist():
            try:
                yield msgspec.convert(values, record_type)
            except msgspec.ValidationError as error:
                raise InputError.at(f"{path}: row {row}", found=str(error), expected=record_type.__name__) from error
            row += 1
