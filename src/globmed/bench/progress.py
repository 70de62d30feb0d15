"""How far a run is, from what lies on disk: whether it is over, was killed or goes on at this moment."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from globmed.bench.asked import ASKED, journal_path, models_folder
from globmed.bench.judging import judges_folder
from globmed.bench.judging.asked import JUDGED, Judged
from globmed.bench.judging.judgements import judged_stages
from globmed.core.errors import InputError
from globmed.core.row_groups import RowGroups
from globmed.core.store import MANIFEST, checked_file, read_manifest, read_records
from globmed.models.catalog import price_of
from globmed.models.client import Status
from globmed.models.compaction import Compacted, compact
from globmed.models.journal_survey import Snapshot, Survey, snapshot
from globmed.models.price import Price, cost_usd

State = Status | Literal["missing"]


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far one model's journal is.

    Attributes:
        survey: what the journal tells.
        model: id of the model; empty where only the journal is known.
        as_judge: it judges the replies of the run, rather than being asked its questions.
        languages: of the requests of a run, how many have a reply of which status, by language; `missing` where there
            is none. A judge's are those put to it at first, and those put again because no verdict could be read. Empty
            where only the journal is known.
        price: of the model where it was asked; None where none is known.
    """

    survey: Survey
    model: str = ""
    as_judge: bool = False
    languages: dict[str, dict[State, int]] = field(default_factory=dict)
    price: Price | None = None

    @property
    def requested(self) -> int | None:
        """Number of requests in the run, those that share a reply included; None where it is not known."""
        return sum(sum(states.values()) for states in self.languages.values()) or None

    @property
    def answered(self) -> int | None:
        """Of these, with a reply that is no error."""
        if not self.languages:
            return None
        unanswered = sum(states.get("missing", 0) + states.get("error", 0) for states in self.languages.values())
        return (self.requested or 0) - unanswered

    @property
    def cost_usd(self) -> float | None:
        """What the tokens cost in US dollars, by that price."""
        return None if self.price is None else cost_usd(self.survey.usage, self.price)


def progress(path: Path) -> list[Progress]:
    """Tell how far each model of a run is, then each of its judges, or what one journal tells; takes no lock.

    Args:
        path: a run's folder, or a journal.

    Raises:
        InputError: it is neither, or a journal is damaged.
        HashMismatchError: the list of requests was changed by hand.
    """
    if not path.is_dir():
        return [Progress(survey=snapshot(path).survey)]
    return [
        *(_progress(path, journal) for journal in journals(path)),
        *(_judge_progress(path, journal) for journal in _judges_journals(path)),
    ]


def journals(path: Path) -> list[Path]:
    """Return the journals of a run's folder, or the one that is named.

    Raises:
        InputError: a folder that holds none.
    """
    if not path.is_dir():
        return [path]
    folder = journal_path(path, "").parent
    found = sorted(folder.glob("*.journal"))
    if not found:
        raise InputError.at(str(folder), found="no journal", expected="a run that has asked at least one model")
    return found


def compact_all(paths: Iterable[Path]) -> list[Compacted]:
    """Compact the journals of runs, those of judges too, and those named; see `globmed.models.compaction.compact`.

    Args:
        paths: folders of runs, or journals.

    Raises:
        InputError: one is neither, or is damaged.
        EnvironmentFailedError: another process writes to one, or the disk is full.
    """
    return [compact(journal) for path in paths for journal in (*journals(path), *_judges_journals(path))]


def _judges_journals(path: Path) -> list[Path]:
    return sorted(judges_folder(path).glob("*/replies/*.journal"))


def _progress(run: Path, journal: Path) -> Progress:
    taken = snapshot(journal)
    folder = models_folder(run) / journal.stem
    if not (folder / MANIFEST).is_file():
        return Progress(survey=taken.survey)
    asked: dict[str, Any] = read_manifest(folder).configuration
    return Progress(
        survey=taken.survey,
        model=asked["model"],
        languages=_languages(folder, taken),
        price=price_of(asked["model"], place=asked.get("place", "")),
    )


def _judge_progress(run: Path, journal: Path) -> Progress:
    """Tell how far a judge is, in all forms that it judges the run in."""
    taken = snapshot(journal)
    stages = [one for one in judged_stages(run) if one.parent.name == journal.stem]
    if not stages:
        return Progress(survey=taken.survey, as_judge=True)
    judge: dict[str, Any] = read_manifest(stages[0]).configuration
    counts: dict[str, Counter[State]] = {}
    for stage in stages:
        for row in read_records(stage, Judged, prefix=JUDGED):
            states: list[State] = [taken.status(row.key) or "missing"] if row.key else []
            states += [state for key in row.again if (state := taken.status(key))]
            counts.setdefault(row.language, Counter()).update(states)
    return Progress(
        survey=taken.survey,
        model=judge["judge"],
        as_judge=True,
        languages={language: dict(counts[language]) for language in sorted(counts)},
        price=price_of(judge["judge"], place=judge["place"]),
    )


def _languages(folder: Path, taken: Snapshot) -> dict[str, dict[State, int]]:
    counts: dict[str, Counter[State]] = {}
    rows = RowGroups(checked_file(folder, ASKED))
    for group in range(len(rows)):
        batch = rows.read(group, ["key", "language"])
        for key, language in zip(batch.column("key").to_pylist(), batch.column("language").to_pylist(), strict=True):
            counts.setdefault(language, Counter())[taken.status(key) or "missing"] += 1
    rows.close()
    return {language: dict(counts[language]) for language in sorted(counts)}
