"""What a run holds of each model: what it was asked, and every reply. Whoever scores or judges begins here."""

from __future__ import annotations

from pathlib import Path

from globmed.bench.asked import ASKED, Asked, journal_path, models_folder
from globmed.bench.translated_back import put_back
from globmed.core.errors import InputError, UsageError
from globmed.core.store import MANIFEST, read_records
from globmed.models.client import Reply
from globmed.models.journal import read_replies

_GO_ON = "Run the same `globmed bench run` again; nothing that is in the journal is asked twice"


def asked_and_saved(run: Path, name: str) -> tuple[list[Asked], dict[str, Reply]]:
    """Return what a model of a run was asked, and by the rows' keys what is to be graded, judged or rated.

    That is its replies, and of open answers in English their translations back (`globmed.bench.translated_back`).

    Args:
        run: a run's folder.
        name: of the model's folder.

    Raises:
        UsageError: replies or translations are missing; the text says how many.
    """
    return put_back(run, *as_answered(run, name))


def as_answered(run: Path, name: str) -> tuple[list[Asked], dict[str, Reply]]:
    """Return what a model of a run was asked, and its own replies by their keys.

    Args:
        run: a run's folder.
        name: of the model's folder.

    Raises:
        UsageError: replies are missing; the text says how many.
    """
    rows = list(read_records(models_folder(run) / name, Asked, prefix=ASKED))
    wanted = {row.key for row in rows}
    journal = journal_path(run, name)
    saved = read_replies(journal) if journal.is_file() else iter(())
    replies = {key: reply for key, reply in saved if key in wanted}
    if missing := len(wanted) - len(replies):
        raise UsageError(
            f"{run}: {missing} of {len(wanted)} requests to {rows[0].model} have no reply yet. {_GO_ON}. "
            f"To leave the model out, remove the folder {models_folder(run) / name}"
        )
    return rows, replies


def asked_models(run: Path) -> list[str]:
    """Return the names of the folders of the models that a run has asked.

    Raises:
        InputError: there is none.
        UsageError: asking one was stopped before it began.
    """
    names = sorted(folder.name for folder in models_folder(run).glob("*") if folder.is_dir())
    if not names:
        raise InputError.at(str(models_folder(run)), found="no model", expected="a run that has asked at least one")
    if begun := [name for name in names if not (models_folder(run) / name / MANIFEST).is_file()]:
        raise UsageError(f"{run}: asking {begun[0]} was stopped before it began. {_GO_ON}")
    return names
