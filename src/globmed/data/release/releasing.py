"""The stage `release`: items as Parquet files `<source>.<language>.<split>.parquet` with a card, or a refusal.

Items are read by columns and written as they stand, batch by batch: no row becomes a Python object on its way.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import numpy as np
from numpy.typing import NDArray

from globmed.core.dataset import ItemFile, item_files
from globmed.core.errors import InputError
from globmed.core.item import Item
from globmed.core.row_groups import write_row_groups
from globmed.core.store import (
    FileEntry,
    Manifest,
    StageWriter,
    arrow_schema,
    file_hash,
    read_manifest,
    replacing,
    stage_hash,
    up_to_date,
    write_text,
    writing_stage,
)
from globmed.data.item_batches import item_batches
from globmed.data.release.card import card
from globmed.data.release.choice import About, Choice
from globmed.data.release.croissant import croissant
from globmed.data.release.dataset import Dataset
from globmed.data.release.layout import remove_layout, write_layout
from globmed.data.release.survey import SPLITS, Survey

if TYPE_CHECKING:
    import pyarrow as pa

STAGE = "release"
CLUSTERED = ("corpus", "translate", "quality", "review")
"""Stages in which no cluster crosses a split."""
ROWS_PER_GROUP = 10_000


def release_dataset(
    folder: Path,
    *,
    out: Path,
    private: bool = False,
    choice: Choice | None = None,
    about: Mapping[str, About] | None = None,
) -> Manifest:
    """Check a dataset as a whole and write it as a release into `<out>/release`, unless just that was already done.

    Beside the Parquet files lie `README.md`, a dataset card by which `datasets.load_dataset(folder, "sw")` opens one
    language, and `croissant.json`. The authors' layout, where chosen, is written into `<out>/release-globmed`; one
    that an earlier release left there is removed.

    Args:
        folder: a stage of clustered items in files `<source>.<language>.parquet`.
        out: the dataset's folder.
        private: True where the release stays with those who made it, and so may hold items that may not be
            redistributed.
        choice: what stays out, formats, name and version; None takes the defaults.
        about: what the card says of each source beyond its items.

    Returns:
        The stage's manifest, whose counts say what became of every item of each source, language and split.

    Raises:
        InputError: no item files, no item that stays, a family twice in one language, or a cluster in two splits, in
            whatever languages.
        TermsError: items that may not be redistributed, in a release that is not private.
        UsageError: a source to leave out that is not there, or nothing left to release.
        EnvironmentFailedError: the disk is full or cannot be written.
    """
    choice = choice or Choice()
    _refuse_unclustered(folder)
    choice.check_sources({file.source for file in item_files(folder)})
    # Built-ins only, as the manifest holds them.
    described = {name: msgspec.to_builtins(one) for name, one in sorted((about or {}).items())}
    configuration = {"private": private, **msgspec.to_builtins(choice), "about": described}
    inputs = {read_manifest(folder).stage: stage_hash(folder)}
    finished = up_to_date(out / STAGE, configuration=configuration, inputs=inputs)
    if not finished:
        survey = Survey(folder, choice)
        survey.refuse_nothing()
        if not private:
            survey.refuse_restricted()
        with writing_stage(out / STAGE, STAGE, configuration=configuration, inputs=inputs) as writer:
            _write_items(writer, folder, survey, jsonl="jsonl" in choice.formats)
            _write_descriptions(writer, survey, choice, about or {}, inputs=inputs, private=private)
            writer.counts.extend(survey.contents.counts())
            # Before the new release stands: a private layout must never lie beside a public release.
            remove_layout(out)
    if "globmed" in choice.formats:
        write_layout(out / STAGE, out=out)
    else:
        remove_layout(out)
    return finished or read_manifest(out / STAGE)


def _refuse_unclustered(folder: Path) -> None:
    manifest = read_manifest(folder)
    if manifest.stage == "corpus" or (manifest.stage in CLUSTERED and "import" not in manifest.inputs):
        return
    raise InputError.at(
        str(folder),
        found=f"the stage {manifest.stage!r}" + (" made from an import" if manifest.stage in CLUSTERED else ""),
        expected=f"one of {', '.join(CLUSTERED)}, in which no cluster crosses a split: a translation or a near copy "
        "of a test question would leak into training",
        remedy="Run `globmed data cluster` on the imported items first",
    )


def _write_items(writer: StageWriter, folder: Path, survey: Survey, *, jsonl: bool) -> None:
    schema = arrow_schema(Item)
    for file, places in survey.places.items():
        for number, split in enumerate(SPLITS):
            rows = int(np.count_nonzero(places == number))
            if not rows:
                continue
            name = f"{file.source}.{file.language}.{split}"
            with replacing(writer.folder / f"{name}.parquet") as path:
                write_row_groups(path, _regrouped(_of_split(folder, file, places == number)), schema, {})
            _enter(writer, f"{name}.parquet", rows)
            if jsonl:
                with replacing(writer.folder / f"{name}.jsonl") as path, path.open("wb") as lines:
                    for batch in _of_split(folder, file, places == number):
                        lines.writelines(msgspec.json.encode(row) + b"\n" for row in batch.to_pylist())
                _enter(writer, f"{name}.jsonl", rows)


def _write_descriptions(
    writer: StageWriter,
    survey: Survey,
    choice: Choice,
    about: Mapping[str, About],
    *,
    inputs: Mapping[str, str],
    private: bool,
) -> None:
    dataset = Dataset(
        choice=choice,
        contents=survey.contents,
        about=about,
        files={name: entry for name, entry in writer.files.items() if name.endswith(".parquet")},
        bytes={name: (writer.folder / name).stat().st_size for name in writer.files},
        inputs=inputs,
        private=private,
    )
    for name, text in (("README.md", card(dataset)), ("croissant.json", croissant(dataset))):
        write_text(writer.folder / name, text)
        _enter(writer, name, 0)


def _enter(writer: StageWriter, name: str, rows: int) -> None:
    writer.files[name] = FileEntry(sha256=file_hash(writer.folder / name), rows=rows)


def _of_split(folder: Path, file: ItemFile, wanted: NDArray[np.bool_]) -> Iterator[pa.RecordBatch]:
    import pyarrow as pa

    start = 0
    for batch in item_batches(folder, file):
        mask = wanted[start : start + len(batch)]
        start += len(batch)
        if mask.any():
            yield batch.filter(pa.array(mask))


def _regrouped(parts: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Join small batches: a row group for every few rows of a rare split would read slowly."""
    import pyarrow as pa

    held: list[pa.RecordBatch] = []
    for part in parts:
        held.append(part)
        if sum(map(len, held)) >= ROWS_PER_GROUP:
            yield pa.concat_batches(held)
            held = []
    if held:
        yield pa.concat_batches(held)
