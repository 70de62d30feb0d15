"""Where the data stages meet: each is handed what it needs of the others, and its manifest comes back as rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from globmed.core.dataset import item_files
from globmed.core.errors import InputError, UsageError
from globmed.core.language import languages
from globmed.core.store import Manifest, count_rows, read_manifest
from globmed.data.checking import check_dataset
from globmed.data.corpus import DEFAULT_THRESHOLD, cluster_dataset, near_test_questions
from globmed.data.glossaries import accepted_translations, read_glossary
from globmed.data.importing import STAGE, Wanted, findings_table, import_sources
from globmed.data.quality import check_translation
from globmed.data.release import About, Choice, release_dataset
from globmed.data.sources import source, sources
from globmed.data.translate.opening import open_by_name
from globmed.data.translate.plan import Plan
from globmed.data.translate.work import Job


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
        return cls(folder=folder, counts=count_rows(read_manifest(folder).counts), findings=[])


def import_dataset(wanted: Sequence[str], *, languages: Sequence[str] = (), out: Path, seed: int = 0) -> StageResult:
    """Import sources given as `NAME=PATH`, or `NAME` alone where the source is procedural.

    Raises:
        UsageError: an unknown source or language, or a path too many or too few.
        InputError: a broken file; the text names file and line or key.
    """
    import_sources([_wanted(text) for text in wanted], languages=languages, out=out, seed=seed)
    folder = out / STAGE
    found = findings_table(folder).to_pylist()
    return StageResult(folder=folder, counts=count_rows(read_manifest(folder).counts), findings=found)


def cluster_items(folder: Path, *, out: Path, threshold: float | None = None, seed: int = 0) -> StageResult:
    """Cluster imported items; procedural sources are clusters by construction."""
    threshold = DEFAULT_THRESHOLD if threshold is None else threshold
    cluster_dataset(folder, out=out, threshold=threshold, procedural=_procedural(), seed=seed)
    return StageResult.of(out / "corpus")


def refuse_near_test_questions(folder: Path) -> None:
    """Refuse a dataset to train on whose train questions are nearly test questions, whatever their clusters say.

    Raises:
        InputError: some are; the text names the first and how many there are.
    """
    found = near_test_questions(folder, procedural=_procedural())
    if not found:
        return
    named = "; ".join(
        f"{one.train} like {one.test}" + (f" ({one.pair.similarity:.2f} in {one.pair.language})" if one.pair else "")
        for one in found[:5]
    )
    more = f"; and {len(found) - 5} more" if len(found) > 5 else ""
    raise InputError.at(
        str(folder),
        found=f"train questions that nearly are test questions, {len(found)} in all: {named}{more}",
        expected="none",
        remedy="Run `globmed data cluster` on it and train on its output",
    )


def _procedural() -> list[str]:
    """Return the sources made by code, whose items differ in numbers alone."""
    return [name for name, one in sources().items() if one.procedural]


def release_items(folder: Path, *, out: Path, private: bool = False, choice: Choice | None = None) -> StageResult:
    """Release a stage of items, as `globmed.data.release.release_dataset` does, with what is known of its sources."""
    about = {
        name: About(title=one.title, url=one.url, citation=one.citation, terms=one.terms)
        for name, one in sources().items()
    }
    release_dataset(folder, out=out, private=private, choice=choice, about=about)
    return StageResult.of(out / "release")


def translation_job(
    folder: Path,
    *,
    plan: Plan,
    out: Path,
    memory: Sequence[Path] = (),
    glossaries: Sequence[str] = (),
    to_ask: bool = True,
) -> Job:
    """Hand the stage `translate` what it needs of others: checks, models by name, terms.

    Args:
        folder: a stage of items.
        plan: what to translate, and how.
        out: the dataset's folder.
        memory: earlier stages whose translations of equal texts are taken.
        glossaries: as `read_glossaries` takes them.
        to_ask: whether the models will be asked anything; if not, an API key that is not set is no error.
    """
    return Job(
        folder=folder,
        plan=plan,
        out=out,
        check=check_translation,
        open_model=partial(open_by_name, to_ask=to_ask),
        glossaries=read_glossaries(glossaries, languages(), plan.languages),
        memory=tuple(memory),
    )


def check_items(
    folder: Path,
    *,
    out: Path,
    glossaries: Sequence[str] = (),
    overrule: Path | None = None,
    processes: int | None = None,
    tell: Callable[[int, int | None], None] | None = None,
) -> Manifest:
    """Check every translation of a stage, as `globmed.data.checking.check_dataset` does, with terms from files."""
    codes = {file.language for file in item_files(folder)}
    terms = read_glossaries(glossaries, sorted(codes), sorted(codes))
    return check_dataset(folder, out=out, glossaries=terms, overrule=overrule, processes=processes, tell=tell)


def read_glossaries(
    wanted: Sequence[str], sources: Iterable[str], targets: Iterable[str]
) -> dict[tuple[str, str], Mapping[str, Sequence[str]]]:
    """Read glossaries for pairs of languages: terms in lower case, with the translations accepted for each.

    Args:
        wanted: `NAME=PATH`, or the path of a CSV table; where several know a term, all their translations are accepted.
        sources: BCP 47 codes of the languages translated from.
        targets: those translated into.

    Raises:
        UsageError: an unknown glossary or language, or a glossary without a term for any of these pairs.
        InputError: a file that is absent or broken.
    """
    found: dict[tuple[str, str], Mapping[str, Sequence[str]]] = {}
    pairs = [(source, target) for source in sources for target in targets if source != target]
    terms = {one: {pair: read_glossary(one, *pair) for pair in pairs} for one in wanted}
    for one, by_pair in terms.items():
        if not any(by_pair.values()):
            raise UsageError(f"glossary {one}: holds no term from and into the languages asked for")
    for pair in pairs if wanted else ():
        if of_pair := [term for by_pair in terms.values() for term in by_pair[pair]]:
            found[pair] = accepted_translations(of_pair)
    return found


def _wanted(text: str) -> Wanted:
    name, equals, path = text.partition("=")
    if source(name).procedural:
        if equals:
            raise UsageError(f"{text}: {name} is made by globmed itself; expected the name alone")
        return Wanted(name)
    if not path:
        raise UsageError(f"{text}: expected {name}=PATH, the file or folder of its publisher. {source(name).obtain}")
    return Wanted(name, Path(path))
