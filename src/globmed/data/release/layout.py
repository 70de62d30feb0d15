"""A release in the layout that GlobMed's authors publish in: one dataset a source, a folder a language, JSON a split.

    release-globmed/GlobMed_HeadQA/sw/test.json

Each file is one JSON array of objects; a key that has nothing to say is left out. It holds what a question is, and of
its provenance the native language, the origin of the text, the model and the licence; the Parquet files hold the rest.
"""

from __future__ import annotations

import shutil
import string
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from globmed.core.dataset import item_files, read_items
from globmed.core.errors import EnvironmentFailedError
from globmed.core.item import Item
from globmed.core.store import (
    MANIFEST,
    WRITING,
    file_hash,
    read_manifest,
    replacing,
    stage_hash,
    up_to_date,
    write_text,
    writing_stage,
)

STAGE = "release-globmed"
PREFIX = "GlobMed_"
SUMS = "SHA256SUMS"
"""Names every file with its SHA-256; `sha256sum --check SHA256SUMS` reads it."""
NAMES = {
    "medqa": "MedQA",
    "medmcqa": "MedMCQA",
    "headqa": "HeadQA",
    "medexpqa": "MedExpQA",
    "mmlu_pro": "MMLU-Pro",
    "pubmedqa": "PubMedQA",
    "bionli": "BioNLI",
    "liveqa": "LiveQA",
    "expertqa_med": "ExpertQA-Med",
    "expertqa_bio": "ExpertQA-Bio",
}
"""The authors' names of their datasets; any other source keeps its own."""


def write_layout(release: Path, *, out: Path) -> Path:
    """Write a finished release in the authors' layout, unless just that was already done.

    Args:
        release: the stage's folder.
        out: the dataset's folder; the layout is written into `<out>/release-globmed`.

    Returns:
        Its folder. It is whole where it holds a manifest.
    """
    folder, inputs = out / STAGE, {read_manifest(release).stage: stage_hash(release)}
    if up_to_date(folder, configuration={}, inputs=inputs) and not _changed(folder):
        return folder
    earlier = _datasets(folder)
    with writing_stage(folder, STAGE, inputs=inputs) as writer:
        for file in item_files(release):
            path = writer.folder / dataset_name(file.source) / file.language / f"{file.split}.json"
            items = read_items(release, languages=[file.language], sources=[file.source], splits=[file.split])
            with replacing(path) as temporary:
                _write_array(temporary, map(entry, items))
        write_text(writer.folder / SUMS, _sums(writer.folder))
        writer.adopt_all()
        # From here until the new manifest stands, the folder is no finished stage.
        (folder / MANIFEST).unlink(missing_ok=True)
        for old in earlier:
            shutil.rmtree(old)
        for made in sorted(path for path in (folder / WRITING).iterdir() if path.is_dir()):
            shutil.rmtree(folder / made.name, ignore_errors=True)
            made.replace(folder / made.name)
    return folder


def remove_layout(out: Path) -> None:
    """Remove what an earlier release left in `<out>/release-globmed`: it may hold what the new one may not publish.

    Raises:
        EnvironmentFailedError: it cannot be removed.
    """
    folder = out / STAGE
    try:
        (folder / MANIFEST).unlink(missing_ok=True)
        (folder / SUMS).unlink(missing_ok=True)
        for old in [*_datasets(folder), *folder.glob(WRITING)]:
            shutil.rmtree(old)
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()
    except OSError as error:
        raise EnvironmentFailedError(f"{folder}: could not be removed: {error.strerror or error}") from error


def dataset_name(source: str) -> str:
    """Return the name that a source's dataset has in the layout."""
    return f"{PREFIX}{NAMES.get(source, source)}"


def entry(item: Item) -> dict[str, Any]:
    """Return an item as an object of the layout."""
    letters = [string.ascii_uppercase[index] for index in item.answer]
    right = [item.options[index] for index in item.answer]
    made = item.provenance
    optional = {
        "cluster": item.cluster if item.cluster != item.family else "",
        "context": item.context,
        "turns": msgspec.to_builtins(item.turns),
        "options": dict(zip(string.ascii_uppercase, item.options, strict=False)),
        "answer_idx": ",".join(letters),
        "answer": "\n".join(right) or next(iter(item.reference), ""),
        "answers": list(item.reference),
        "rubric": msgspec.to_builtins(item.rubric),
        "explanation": item.rationale,
        "specialty": item.specialty,
        "subset": item.subset,
        "region": item.region,
        "model": made.model,
    }
    return {
        "id": item.family,
        "kind": item.kind,
        "question": item.question,
        **{key: value for key, value in optional.items() if value},
        "native_language": made.native_language,
        "text": made.text,
        "licence": made.licence,
    }


def _write_array(path: Path, entries: Iterable[dict[str, Any]]) -> None:
    with path.open("wb") as file:
        file.write(b"[\n")
        for index, one in enumerate(entries):
            file.write((b",\n" if index else b"") + msgspec.json.encode(one))
        file.write(b"\n]\n")


def _sums(folder: Path) -> str:
    paths = sorted(folder.rglob("*.json"))
    return "".join(f"{file_hash(path)}  {path.relative_to(folder).as_posix()}\n" for path in paths)


def _listed(folder: Path) -> Iterator[tuple[str, str]]:
    for line in (folder / SUMS).read_text(encoding="utf-8").splitlines():
        digest, _, name = line.partition("  ")
        yield digest, name


def _changed(folder: Path) -> bool:
    return any(not (folder / name).is_file() or file_hash(folder / name) != digest for digest, name in _listed(folder))


def _datasets(folder: Path) -> list[Path]:
    """Return the folders of datasets of a layout written earlier, also of one that was cut off in the middle."""
    return [path for path in folder.glob(f"{PREFIX}*") if path.is_dir()]
