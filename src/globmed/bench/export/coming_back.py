"""Replies that another tool saved, back into a run: scored, compared and verified like any other."""

from __future__ import annotations

import asyncio
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeVar

import msgspec

from globmed.bench.asked import ASKED, Asked, journal_path, models_folder
from globmed.bench.batch import plan_of
from globmed.bench.effort import Effort
from globmed.bench.export import reply_of
from globmed.bench.part import Part, prepare_all
from globmed.core.errors import InputError
from globmed.core.store import read_records
from globmed.models.budget import Budget, Cap, Purse
from globmed.models.client import Client, Reply, Usage
from globmed.models.journal import Journal
from globmed.models.paying import journal_name, price_to_pay

Tool = Literal["lm-eval", "inspect"]
T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class CameBack:
    """What was read.

    Attributes:
        replies: to questions that had none; those with the same texts share one in the journal.
        known: replies to questions that had one already.
        failed: calls that the tool gave up; they say nothing of what a model knows and are not saved.
        missing: requests of the run that have none yet.
    """

    replies: int
    known: int
    failed: int
    missing: int


class Saved(msgspec.Struct, frozen=True):
    """A reply and the id of its question (`globmed.bench.export.Question`), and where they stand."""

    place: str
    id: str
    reply: Reply


class _Doc(msgspec.Struct):
    id: str


class _LmEval(msgspec.Struct):
    doc: _Doc
    resps: list[list[str]]


class _Choice(msgspec.Struct):
    stop_reason: str = ""


class _Usage(msgspec.Struct):
    input_tokens: int = 0
    input_tokens_cache_read: int | None = None
    input_tokens_cache_write: int | None = None
    output_tokens: int = 0
    reasoning_tokens: int | None = None


class _Output(msgspec.Struct):
    completion: str = ""
    choices: list[_Choice] = []
    usage: _Usage | None = None


class _Error(msgspec.Struct):
    message: str


class _Sample(msgspec.Struct):
    id: str
    output: _Output
    error: _Error | None = None


class _Log(msgspec.Struct):
    samples: list[_Sample]


def import_replies(run: Path, client: Client, saved: Iterable[Saved]) -> CameBack:
    """Save replies in a model's journal of a run; what has a reply already keeps it.

    Args:
        run: the run's folder, as `bench run` makes it, also with `--estimate`: it says what was asked.
        client: the model that replied; it is not asked.
        saved: the replies.

    Raises:
        InputError: a reply to what the run does not ask, two replies to one question, or the folder is no run.
        EnvironmentFailedError: the disk is full or fails, or another process asks into the folder.
    """
    name = journal_name(client)
    with Journal.open(journal_path(run, name)) as journal:
        price = price_to_pay(client, Cap())
        part = Part(run, client, journal, price, plan_of(run), Effort(estimate_only=True), Purse(Budget(Cap()), price))
        prepare_all([part])
        asked = read_records(models_folder(run) / name, Asked, prefix=ASKED)
        keys = {f"{row.family}/{row.language}/{row.answer}/{row.run}": row.key for row in asked}
        given: dict[str, Saved] = {}
        for one in saved:
            if one.id not in keys:
                raise InputError.at(one.place, found=f"a reply to {one.id!r}", expected=f"a question that {run} asks")
            if one.id in given:
                raise InputError.at(
                    one.place, found=f"a second reply to {one.id}", expected=f"one, which {given[one.id].place} holds"
                )
            given[one.id] = one
        known = {one.id for one in given.values() if _answered(journal, keys[one.id])}
        new = [one for one in given.values() if one.id not in known and one.reply.status != "error"]
        if new:
            # Questions with the same texts share a reply, as they do where we ask.
            asyncio.run(journal.commit(list({keys[one.id]: one.reply for one in new}.items())))
        missing = sum(not _answered(journal, key) for key in set(keys.values()))
    failed = len(given) - len(known) - len(new)
    return CameBack(replies=len(new), known=len(known), failed=failed, missing=missing)


def read_saved(tool: Tool, files: Sequence[Path]) -> Iterator[Saved]:
    """Read what a tool saved: `samples_*.jsonl` of lm-evaluation-harness, or logs of Inspect (`.eval` or `.json`).

    Raises:
        InputError: a file that is not there or not what the tool writes.
    """
    for path in files:
        if not path.is_file():
            raise InputError.at(str(path), found="no file", expected=f"what {tool} saved")
        yield from _lm_eval(path) if tool == "lm-eval" else _inspect(path)


def _lm_eval(path: Path) -> Iterator[Saved]:
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            place = f"{path}:{number}"
            row = _decode(line, _LmEval, place, "a sample as --log_samples writes it")
            if len(row.resps) != 1 or len(row.resps[0]) != 1:
                raise InputError.at(place, found=f"{len(row.resps)} lists of replies", expected="one reply")
            yield Saved(place, row.doc.id, reply_of(row.resps[0][0]))


def _inspect(path: Path) -> Iterator[Saved]:
    expected = "a log of Inspect, with its samples"
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            for name in sorted(one for one in archive.namelist() if one.startswith("samples/")):
                place = f"{path}: {name}"
                try:
                    content = archive.read(name)
                except (zipfile.BadZipFile, NotImplementedError) as error:
                    remedy = "Convert it: inspect log convert LOG --to json --output-dir FOLDER"
                    raise InputError.at(place, found=str(error), expected=expected, remedy=remedy) from error
                sample = _decode(content, _Sample, place, expected)
                yield Saved(place, sample.id, _inspect_reply(sample))
        return
    for sample in _decode(path.read_bytes(), _Log, str(path), expected).samples:
        yield Saved(str(path), sample.id, _inspect_reply(sample))


def _inspect_reply(sample: _Sample) -> Reply:
    if sample.error is not None:
        return Reply(status="error", finish=sample.error.message)
    output, used = sample.output, sample.output.usage or _Usage()
    cached = used.input_tokens_cache_read or 0
    # Inspect counts cached tokens apart from the rest of the input.
    usage = Usage(
        input=used.input_tokens + cached + (used.input_tokens_cache_write or 0),
        cached=cached,
        reasoning=used.reasoning_tokens or 0,
        output=used.output_tokens,
    )
    return reply_of(output.completion, stopped=output.choices[0].stop_reason if output.choices else "", usage=usage)


def _decode(content: bytes, kind: type[T], place: str, expected: str) -> T:
    try:
        return msgspec.json.decode(content, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InputError.at(place, found=str(error), expected=expected) from error


def _answered(journal: Journal, key: str) -> bool:
    saved = journal.saved(key)
    return saved is not None and saved.reply.status != "error"
