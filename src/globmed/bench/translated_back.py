"""Answers in English to translated questions, as they were translated back: what the one who asked gets to read.

    <run>/translated_back/           stage: each answer in English and what became of it, `answers.parquet`
    <run>/translated_back/replies/   what the translator wrote, whole: one journal a model

`globmed bench translate-back` makes them (`globmed.workflows.translate_back`). Open answers are described and judged by
the text in the item's language alone: an answer in English shares no words with its references, and one that is not
translated back has not been given to anybody.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

import msgspec

from globmed.bench.asked import Asked, asked_folder
from globmed.bench.condition import Condition
from globmed.bench.stand_ins import TranslationCost
from globmed.bench.tasks import task
from globmed.core.errors import UsageError
from globmed.core.store import MANIFEST, read_manifest, read_records
from globmed.models.client import Reply

ANSWERS = "answers.parquet"


class BackTranslation(msgspec.Struct, frozen=True, kw_only=True):
    """One answer in English, and its translation into the language of the item: one row of `answers.parquet`.

    Attributes:
        key: of the reply in English.
        language: BCP 47 code of the item.
        english: the answer as it was given.
        text: its translation; empty where none could be had.
        failure: why not, in a few words; empty where there is one.
        reply_key: of the translator's reply.
        cost: of that reply; a text shared with an earlier answer costs nothing.
    """

    key: str
    language: str
    english: str
    text: str
    failure: str
    reply_key: str
    cost: TranslationCost


class TranslatedBack:
    """The back-translations of a run.

    Attributes:
        models: ids of who made them.
    """

    def __init__(self, run: Path) -> None:
        """Read them; a run without any has none.

        Raises:
            InputError: the file is not as it was written.
            HashMismatchError: it was changed since.
        """
        folder = back_folder(run)
        self.models: set[str] = set()
        self._found: dict[str, BackTranslation] = {}
        if (folder / MANIFEST).is_file():
            self.models = {model for model, _ in read_manifest(folder).configuration["models"]}
            rows = read_records(folder, BackTranslation, prefix=ANSWERS)
            self._found = {_place(one.key, one.language): one for one in rows}

    def find(self, row: Asked) -> BackTranslation | None:
        """Return the translation of the answer to a row as `put_back` gives it; None where there is none."""
        return self._found.get(row.key)


def back_folder(run: Path) -> Path:
    """Return the folder of the stage that holds answers as they were translated back."""
    return run / "translated_back"


def answered_in_english(row: Asked) -> bool:
    """Whether an answer to an item in another language was given in English, as text that somebody has to read."""
    return row.language != "en" and _open_and_translated(row.task, row.answer)


def asks_in_english(run: Path) -> bool:
    """Whether a run's open questions are translated to English, so that their answers have to be translated back.

    Raises:
        InputError: the folder is no run.
    """
    made = read_manifest(asked_folder(run)).configuration
    found = any(_open_and_translated(made["task"], name) for name in made.get("answers", ()))
    return found and set(made["languages"]) != {"en"}


def to_translate(row: Asked, reply: Reply) -> bool:
    """Whether a reply holds an answer in English that is to be translated back."""
    return reply.status != "error" and bool(reply.text.strip()) and answered_in_english(row)


def put_back(run: Path, rows: Iterable[Asked], replies: Mapping[str, Reply]) -> tuple[list[Asked], dict[str, Reply]]:
    """Put each answer's translation in the place of the answer in English.

    A translation that could not be had is an error: neither the English text nor an empty one is what the translated
    model has to say in that language.

    Args:
        run: a run's folder.
        rows: what a model was asked.
        replies: its replies by their keys.

    Returns:
        The rows, with keys that tell languages apart where a reply was translated into several; and what they got.

    Raises:
        UsageError: answers that are not translated back yet; the text says how many.
    """
    if not asks_in_english(run):
        return list(rows), dict(replies)
    there, asked, got, missing, wanted = TranslatedBack(run), list[Asked](), dict[str, Reply](), 0, 0
    for row in rows:
        reply = replies[row.key]
        if to_translate(row, reply):
            row = msgspec.structs.replace(row, key=_place(row.key, row.language))  # noqa: PLW2901 - the row as it stands
            found = there.find(row)
            wanted += 1
            missing += found is None or found.english != reply.text
            reply = reply if found is None else _translated(reply, found)
        asked.append(row)
        got[row.key] = reply
    if missing:
        raise UsageError(
            f"{run}: {missing} of {wanted} answers of {asked[0].model} are in English and not translated back yet. "
            f"Run: globmed bench translate-back {run} --model MODEL"
        )
    return asked, got


@cache
def _open_and_translated(name: str, answer: str) -> bool:
    return task(name).open and Condition.named(answer).translated


def _translated(reply: Reply, found: BackTranslation) -> Reply:
    if found.failure:
        return msgspec.structs.replace(reply, status="error", text="", finish=f"not translated back: {found.failure}")
    return msgspec.structs.replace(reply, text=found.text)


def _place(key: str, language: str) -> str:
    return f"{key}/{language}"
