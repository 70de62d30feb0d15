"""Verdicts of a judged run into the stage `<run>/judgements`; the same replies and ratings give the same bytes.

`judgements.parquet` has a `Judgement` for each verdict, `judged.parquet` a `JudgedRow` for each measure of a judge,
model and language, `ranks.parquet` a `JudgedRank` for each model of two or more judged alike, `agreement.parquet` an
`AgreementRow` for each two or more raters.
"""

from __future__ import annotations

from pathlib import Path

from globmed.bench.judging import judgements_folder, ratings_folder
from globmed.bench.judging.concord import AgreementRow, agreement_rows
from globmed.bench.judging.judgements import JUDGEMENTS, Judgement, judgement_inputs, judgements
from globmed.bench.judging.ranks import JudgedRank, judged_ranks
from globmed.bench.judging.ratings import RATINGS, Rating
from globmed.bench.judging.shares import JudgedRow, judged_rows
from globmed.core.store import MANIFEST, Manifest, read_manifest, read_records, stage_hash, writing_stage

SHARES = "judged.parquet"
RANKS = "ranks.parquet"
AGREEMENT = "agreement.parquet"


def write_judgements(run: Path, *, out: Path | None = None) -> Manifest:
    """Read every saved verdict of a run and write the tables made of them.

    Args:
        run: a judged run's folder.
        out: the stage; default: `<run>/judgements`.

    Raises:
        UsageError: nobody has judged the run, or replies of a judge are missing.
        InputError: a folder is no stage.
        HashMismatchError: a file was changed by hand.
    """
    folder = out or judgements_folder(run)
    given = list(judgements(run))
    ratings = _ratings(run)
    with writing_stage(folder, "judgements", inputs=results_inputs(run)) as writer:
        writer.write(JUDGEMENTS, given, Judgement)
        writer.write(SHARES, judged_rows(given, ratings), JudgedRow)
        writer.write(RANKS, judged_ranks(given, ratings), JudgedRank)
        writer.write(AGREEMENT, agreement_rows(given, ratings), AgreementRow)
    return read_manifest(folder)


def results_inputs(run: Path) -> dict[str, str]:
    """Return the hashes of all that the tables are made from: verdicts and ratings."""
    has_ratings = (ratings_folder(run) / MANIFEST).is_file()
    return judgement_inputs(run) | ({"ratings": stage_hash(ratings_folder(run))} if has_ratings else {})


def _ratings(run: Path) -> list[Rating]:
    folder = ratings_folder(run)
    return list(read_records(folder, Rating, prefix=RATINGS)) if (folder / MANIFEST).is_file() else []
