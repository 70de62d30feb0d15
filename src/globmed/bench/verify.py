"""Whether every number of a run follows from its saved replies: files as recorded, scores and tables computed again."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from globmed.bench.asked import analysis_folder, asked_folder, examples_folder, models_folder, scores_folder
from globmed.bench.baselines import baselines_folder
from globmed.bench.judging import judgements_folder, ratings_folder
from globmed.bench.judging.judgements import judged_stages
from globmed.bench.judging.results import results_inputs, write_judgements
from globmed.bench.pipeline import write_analysis
from globmed.bench.scoring import score_inputs, score_run
from globmed.bench.stand_ins import stand_ins_folder
from globmed.bench.translated_back import back_folder
from globmed.core.errors import HashMismatchError, InputError, UsageError
from globmed.core.store import MANIFEST, checked_file, read_manifest, table
from globmed.prompts import load

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What one part of a run was found to be.

    Attributes:
        part: what was looked at, such as `scores`.
        holds: whether it is as it should be.
        found: one line for people.
    """

    part: str
    holds: bool
    found: str


def verify_run(run: Path) -> list[Verdict]:
    """Check a scored run from its replies up.

    Files must be those that their manifests recorded, the scores must be of the replies that are there, and scoring and
    analysing them again must give the same numbers. Prompts that have changed since are told, for the replies are to
    the earlier ones; scores do not depend on them.

    Raises:
        InputError: the folder is no run.
        UsageError: it has no scores.
    """
    read_manifest(asked_folder(run))
    if not (scores_folder(run) / MANIFEST).is_file():
        raise UsageError(f"{run}: has no scores. Run: globmed bench score {run}")
    verdicts = [_files(folder, run) for folder in _stages(run)]
    verdicts.append(_prompts(run))
    current = read_manifest(scores_folder(run)).inputs == score_inputs(run)
    found = "of the replies that are there" if current else "of other files of items or replies than are there now"
    verdicts.append(Verdict(part="inputs of the scores", holds=current, found=found))
    return [*verdicts, *_recomputed(run), *_judged(run)]


def _stages(run: Path) -> Iterator[Path]:
    asked = (asked_folder(run), examples_folder(run), stand_ins_folder(run), *sorted(models_folder(run).glob("*")))
    judged = (*judged_stages(run), ratings_folder(run), judgements_folder(run))
    known = (*asked, baselines_folder(run), back_folder(run), scores_folder(run), analysis_folder(run), *judged)
    yield from (folder for folder in known if folder.is_dir())


def _files(folder: Path, run: Path) -> Verdict:
    part = f"files of {folder.relative_to(run)}"
    try:
        names = sorted(read_manifest(folder).files)
        for name in names:
            checked_file(folder, name)
    except (HashMismatchError, InputError) as error:
        return Verdict(part=part, holds=False, found=str(error))
    return Verdict(part=part, holds=True, found=f"{len(names)} as recorded")


def _prompts(run: Path) -> Verdict:
    stages = [one for one in (asked_folder(run), back_folder(run), *judged_stages(run)) if (one / MANIFEST).is_file()]
    used = {name: digest for one in stages for name, digest in read_manifest(one).configuration["prompts"].items()}
    changed = [name for name, digest in sorted(used.items()) if load(*name.rsplit("/", 1)).hash != digest]
    found = f"{len(used)} as they were asked"
    if changed:
        found = (
            f"{len(changed)} of {len(used)} have changed since, such as {changed[0]}: the replies are to the old ones"
        )
    return Verdict(part="prompts", holds=not changed, found=found)


def _recomputed(run: Path) -> Iterator[Verdict]:
    """Score and analyse in a folder of its own, and compare row by row."""
    with tempfile.TemporaryDirectory() as folder:
        scores, analysis = Path(folder) / "scores", Path(folder) / "analysis"
        try:
            score_run(run, out=scores, per_byte=read_manifest(scores_folder(run)).configuration.get("per_byte"))
        except (InputError, UsageError) as error:
            yield Verdict(part="scores", holds=False, found=f"cannot be computed again: {error}")
            return
        write_analysis(run, scores=scores, out=analysis)
        yield from _compared("scores", scores_folder(run), scores)
        if analysis_folder(run).is_dir():
            yield from _compared("analysis", analysis_folder(run), analysis)


def _judged(run: Path) -> Iterator[Verdict]:
    """Read the judges' verdicts again, where there are any, and compare the tables row by row."""
    folder = judgements_folder(run)
    if not folder.is_dir():
        return
    current = read_manifest(folder).inputs == results_inputs(run)
    found = "of the verdicts and ratings that are there" if current else "of other files than are there now"
    yield Verdict(part="inputs of the judgements", holds=current, found=found)
    with tempfile.TemporaryDirectory() as again:
        try:
            write_judgements(run, out=Path(again) / "judgements")
        except (InputError, UsageError) as error:
            yield Verdict(part="judgements", holds=False, found=f"cannot be computed again: {error}")
            return
        yield from _compared("judgements", folder, Path(again) / "judgements")


def _compared(part: str, kept: Path, again: Path) -> Iterator[Verdict]:
    for name in sorted(read_manifest(again).files):
        label = f"{part}/{name}"
        try:
            there = table(kept, prefix=name)
        except (HashMismatchError, InputError) as error:
            yield Verdict(part=label, holds=False, found=str(error))
            continue
        new = table(again, prefix=name)
        difference = _first_difference(there, new)
        found = difference or f"{new.num_rows} rows, the same computed again"
        yield Verdict(part=label, holds=not difference, found=found)


def _first_difference(there: pa.Table, new: pa.Table) -> str:
    if there.schema.names != new.schema.names or there.num_rows != new.num_rows:
        return (
            f"{there.num_rows} rows of {len(there.schema.names)} columns there, "
            f"{new.num_rows} of {len(new.schema.names)} computed again"
        )
    for name in new.schema.names:
        for row, (old, now) in enumerate(zip(there[name].to_pylist(), new[name].to_pylist(), strict=True)):
            # NaN, which is unlike itself, stands for what cannot be estimated.
            if old != now and not (old != old and now != now):  # noqa: PLR0124
                return f"row {row}: {name} is {old!r} there and {now!r} computed again"
    return ""
