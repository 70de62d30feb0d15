"""Where the data stages meet: each is handed what it needs of the others, and its manifest comes back as rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from globmed.core.errors import UsageError
from globmed.core.store import count_rows, read_manifest
from globmed.data.corpus import DEFAULT_THRESHOLD, cluster_dataset
from globmed.data.importing import STAGE, Wanted, findings_table, import_sources
from globmed.data.release import release_dataset
from globmed.data.sources import source, sources


@dataclass(frozen=True, kw_only=True)
class StageResult:
    """A finished stage.

    Attributes:
        folder: where it lies.
        counts: one row a source, language and split: in, kept, dropped by reason.
        findings: one row a source, language, check and severity, with the number of items; of an import only.
    """

    folder: Path
    counts: list[dict[str, Any]]
    findings: list[dict[str, Any]]

    @classmethod
    def of(cls, folder: Path) -> StageResult:
        """Read a finished stage's manifest."""
        return cls(folder=folder, counts=count_rows(read_manifest(folder)), findings=[])


def import_dataset(wanted: Sequence[str], *, languages: Sequence[str] = (), out: Path, seed: int = 0) -> StageResult:
    """Import sources given as `NAME=PATH`, or `NAME` alone where the source is procedural.

    Raises:
        UsageError: an unknown source or language, or a path too many or too few.
        InputError: a broken file; the text names file and line or key.
    """
    import_sources([_wanted(text) for text in wanted], languages=languages, out=out, seed=seed)
    folder = out / STAGE
    found = findings_table(folder).to_pylist()
    return StageResult(folder=folder, counts=count_rows(read_manifest(folder)), findings=found)


def cluster_items(folder: Path, *, out: Path, threshold: float | None = None, seed: int = 0) -> StageResult:
    """Cluster imported items; procedural sources are clusters by construction."""
    procedural = [name for name, one in sources().items() if one.procedural]
    threshold = DEFAULT_THRESHOLD if threshold is None else threshold
    cluster_dataset(folder, out=out, threshold=threshold, procedural=procedural, seed=seed)
    return StageResult.of(out / "corpus")


def release_items(folder: Path, *, out: Path, private: bool = False) -> StageResult:
    """Release clustered items."""
    release_dataset(folder, out=out, private=private)
    return StageResult.of(out / "release")


def _wanted(text: str) -> Wanted:
    name, equals, path = text.partition("=")
    if source(name).procedural:
        if equals:
            raise UsageError(f"{text}: {name} is made by globmed itself; expected the name alone")
        return Wanted(name)
    if not path:
        raise UsageError(f"{text}: expected {name}=PATH, the file or folder of its publisher. {source(name).obtain}")
    return Wanted(name, Path(path))
