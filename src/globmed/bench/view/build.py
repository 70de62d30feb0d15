"""Makes the view of a scored run: texts and scores joined, sorted, and an index that is mapped into memory."""

from __future__ import annotations

from collections.abc import Iterator
from glob import escape
from pathlib import Path
from typing import TYPE_CHECKING

from globmed.bench.asked import asked_folder, scores_folder
from globmed.bench.scoring import SCORES, check_scored
from globmed.bench.view.filters import FACETS, FOLDED
from globmed.bench.view.marks import MARKED_SCORES
from globmed.bench.view.records import Question, ReplyRow
from globmed.bench.view.texts import write_texts
from globmed.core.errors import InputError
from globmed.core.item import Item
from globmed.core.store import StageWriter, checked_file, read_records, stage_hash, up_to_date, writing_stage

if TYPE_CHECKING:
    import duckdb

QUESTIONS, REPLIES, INDEX = "questions.parquet", "replies.parquet", "index.arrow"
CONFIGURATION = {"format": 1}
"""To be raised with what the files hold: views made before are then made anew."""

_TEXTS = "texts.parquet"
# The replies of a page may lie in as many groups, and each is unpacked whole; DuckDB writes none that are smaller.
_ROWS_PER_GROUP = 2_048
_ROWS_PER_BATCH = 100_000


def view_folder(run: Path) -> Path:
    """Return the folder of the stage that holds a run's view."""
    return run / "view"


def build_view(run: Path) -> Path:
    """Make the view of a run, unless it is there and of the scores that are, and return its folder.

    Raises:
        UsageError: the run was not scored since it last asked a model, or replies are missing.
        InputError: the folder is no run, or its scores are not of its replies.
    """
    check_scored(run)
    folder, inputs = view_folder(run), {"scores": stage_hash(scores_folder(run))}
    if up_to_date(folder, configuration=CONFIGURATION, inputs=inputs) is None:
        with writing_stage(folder, "view", configuration=CONFIGURATION, inputs=inputs) as writer:
            writer.write(QUESTIONS, run_questions(run), Question)
            texts = writer.folder / _TEXTS
            write_texts(run, texts)
            write_view(writer, scores=checked_file(scores_folder(run), SCORES), texts=texts)
            texts.unlink()
            writer.adopt_all()
    return folder


def run_questions(run: Path) -> Iterator[Question]:
    """Yield the questions of a run, numbered from 0 by source, family and language."""
    items = sorted(read_records(asked_folder(run), Item), key=lambda item: (item.source, item.family, item.language))
    return (Question.of(item, number=number) for number, item in enumerate(items))


def write_view(writer: StageWriter, *, scores: Path, texts: Path) -> None:
    """Write the replies and the index of a stage that holds its questions already.

    Args:
        writer: of the stage.
        scores: file of `globmed.bench.scoring.Score`.
        texts: file of texts in the order of the scores (`globmed.bench.view.texts`), empty where none were kept.

    Raises:
        InputError: the texts are not those of the scores.
    """
    import duckdb

    with duckdb.connect() as connection:
        # What does not fit is sorted on disk.
        connection.execute("SET memory_limit = '1GB'")
        connection.execute("SET temp_directory = $folder", {"folder": str(writer.folder)})
        view_of(connection, "scores", scores, numbered=True)
        view_of(connection, "texts", texts, numbered=True)
        view_of(connection, "questions", writer.folder / QUESTIONS)
        _check_texts(connection, texts)
        _write_replies(connection, writer.folder / REPLIES)
        view_of(connection, "replies", writer.folder / REPLIES)
        _write_index(connection, writer.folder / INDEX)


def view_of(connection: duckdb.DuckDBPyConnection, name: str, path: Path, *, numbered: bool = False) -> None:
    """Give a Parquet file a name in SQL, with its rows' numbers in `file_row_number` where they are wanted."""
    # A path that holds what a pattern would is still the path of one file.
    connection.read_parquet(escape(str(path)), file_row_number=numbered).create_view(name)


def _check_texts(connection: duckdb.DuckDBPyConnection, texts: Path) -> None:
    [(kept, apart)] = connection.execute("""
        SELECT count(texts.family), count_if(scores.family IS DISTINCT FROM texts.family
            OR scores.language IS DISTINCT FROM texts.language)
        FROM scores FULL JOIN texts USING (file_row_number)
    """).fetchall()
    if kept and apart:
        raise InputError.at(
            str(texts.parent.parent.parent),
            found=f"{apart} scores that are not of the replies saved",
            expected="one score for each reply, in their order",
            remedy="Run: globmed bench score RUN",
        )


def _write_replies(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    columns = ", ".join(ReplyRow.__struct_fields__)
    query = f"""
        SELECT {columns}, scored.source, scored.family, scored.language
        FROM ({MARKED_SCORES}) AS scored
        JOIN (SELECT item, family, language FROM questions) AS asked USING (family, language)
        LEFT JOIN (SELECT file_row_number, finish, reply FROM texts) AS said USING (file_row_number)
        ORDER BY item, model, revision, answer, run
    """  # noqa: S608 - names of ours
    connection.sql(query).write_parquet(str(path), compression="zstd", row_group_size=_ROWS_PER_GROUP)


def _write_index(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    import numpy as np
    import pyarrow as pa

    # As numbers with a dictionary they take a byte or two a row, and are compared once for each value.
    for name in (*FACETS, "outcome"):
        connection.execute(f"CREATE TYPE {name}_values AS ENUM (SELECT DISTINCT {name} FROM replies ORDER BY 1)")  # noqa: S608
    columns = ", ".join(f"{name}::{name}_values AS {name}" for name in (*FACETS, "outcome"))
    folded = FOLDED.format("coalesce(reply, '')")
    query = f"SELECT item::INTEGER AS item, {columns}, lost, all_wrong, region_bound, {folded} AS folded FROM replies"  # noqa: S608
    batches, last = connection.sql(query).to_arrow_reader(_ROWS_PER_BATCH), -1
    with pa.ipc.new_file(str(path), batches.schema) as file:
        for batch in batches:
            file.write_batch(batch)
            items = batch["item"].to_numpy()
            assert (np.diff(items, prepend=last) >= 0).all(), "in another order than the replies"
            last = items[-1]
