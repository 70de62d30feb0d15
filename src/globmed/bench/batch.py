"""A run by batch files, for endpoints that answer them within a day at a lower price.

    bench run --estimate  ->  export: what has no reply yet  ->  the endpoint's batch service  ->  import: journal

The files are OpenAI's, which others read too: a request a line, named by its reply's key, and at most 50,000 requests
and 200 MB a file. What was imported is scored like anything else, and importing a file twice changes nothing.

Reference: https://platform.openai.com/docs/guides/batch
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from globmed.bench.asked import ASKED, Asked, asked_folder, journal_path, models_folder
from globmed.bench.effort import Effort
from globmed.bench.estimate import Estimate
from globmed.bench.part import Part, prepare_all, refuse_forbidden
from globmed.bench.puts import puts
from globmed.bench.selection import Plan
from globmed.core.errors import InputError, UsageError
from globmed.core.store import MANIFEST, read_manifest, read_records, write_text
from globmed.models.budget import Budget, Cap, Purse
from globmed.models.chat_reply import error_message, read_completion
from globmed.models.client import Client, Reply, Status, reply_key
from globmed.models.journal import Journal
from globmed.models.paying import journal_name, price_to_pay

REQUESTS_PER_FILE = 50_000
BYTES_PER_FILE = 200 * 10**6
_COMMIT_REPLIES = 1000


@dataclass(frozen=True, kw_only=True)
class BatchExport:
    """What was written: the files, the number of requests in them, and what they will take at the usual price."""

    files: tuple[Path, ...]
    requests: int
    estimate: Estimate


@dataclass(frozen=True, kw_only=True)
class BatchImport:
    """What was read.

    Attributes:
        replies: lines that are now in the journal, by status.
        known: lines whose request had a reply already.
        missing: requests of the run that have no reply yet, or an error.
    """

    replies: dict[Status, int]
    known: int
    missing: int


class _Response(msgspec.Struct):
    status_code: int
    body: msgspec.Raw = msgspec.Raw(b"{}")


class _Line(msgspec.Struct):
    """A line of a results file; of a request that was not answered `response` is null, and `error` says why."""

    custom_id: str
    response: _Response | None = None
    error: dict[str, object] | None = None


def export_batch(
    run: Path,
    client: Client,
    *,
    out: Path,
    requests_per_file: int = REQUESTS_PER_FILE,
    bytes_per_file: int = BYTES_PER_FILE,
) -> BatchExport:
    """Write what a run would ask a model, and has no reply to yet, as batch files.

    Args:
        run: a run's folder, as `bench run` makes it, also with `--estimate`.
        client: the model, at an endpoint.
        out: folder for the files; must be new or empty.
        requests_per_file: where the endpoint takes fewer than OpenAI.
        bytes_per_file: where the endpoint takes smaller files than OpenAI.

    Raises:
        UsageError: the model answers at no endpoint, or `out` holds something.
        TermsError: an item may not leave this machine.
        InputError: the folder is no run.
        GlobmedError: as a campaign does, where the model's tokens a character are measured first.
    """
    plan = plan_of(run)
    if out.is_dir() and any(out.iterdir()):
        raise UsageError(f"{out}: holds files already; name a new folder")
    refuse_forbidden(run, [client])
    with Journal.open(journal_path(run, journal_name(client))) as journal:
        price = price_to_pay(client, Cap())
        part = Part(run, client, journal, price, plan, Effort(), Purse(Budget(Cap()), price))
        (estimate,) = prepare_all([part])
        written = []
        for number, lines in enumerate(_files(_lines(part), requests_per_file, bytes_per_file), start=1):
            path = out / f"{journal_name(client)}-{number:03}.jsonl"
            write_text(path, "".join(lines))
            written.append((path, len(lines)))
    return BatchExport(
        files=tuple(path for path, _ in written), requests=sum(count for _, count in written), estimate=estimate
    )


def import_batch(run: Path, client: Client, files: Iterable[Path]) -> BatchImport:
    """Save the replies of results files in the model's journal; what has a reply already keeps it.

    Args:
        run: the run's folder.
        client: the model, as for the export.
        files: results and errors as the endpoint gives them back, in any order.

    Raises:
        InputError: a line is not what it should be, or answers what this run did not ask this model.
        UsageError: the run did not ask this model.
        EnvironmentFailedError: the disk is full or fails, or another process asks into the folder.
    """
    name = journal_name(client)
    folder = models_folder(run) / name
    if not (folder / MANIFEST).is_file():
        raise UsageError(f"{run}: has not asked {client.model}. Run: globmed bench batch export {run}")
    wanted = {row.key for row in read_records(folder, Asked, prefix=ASKED)}
    counts: Counter[Status] = Counter()
    known = 0
    with Journal.open(journal_path(run, name)) as journal:
        batch: dict[str, Reply] = {}
        for path in files:
            for place, line in _read(path):
                if line.custom_id not in wanted:
                    found, expected = f"custom_id {line.custom_id!r}", f"a key that {run} asks {client.model} under"
                    raise InputError.at(place, found=found, expected=expected)
                held = batch.get(line.custom_id)
                if (held is not None and held.status != "error") or _answered(journal, line.custom_id):
                    known += 1
                    continue
                if held is not None:
                    counts["error"] -= 1
                batch[line.custom_id] = reply = _reply(line, client.model)
                counts[reply.status] += 1
                if len(batch) == _COMMIT_REPLIES:
                    _save(journal, batch)
                    batch = {}
        _save(journal, batch)
        missing = sum(not _answered(journal, key) for key in wanted)
    return BatchImport(
        replies={status: count for status, count in counts.items() if count}, known=known, missing=missing
    )


def plan_of(run: Path) -> Plan:
    """Return the plan that a run was made with.

    Raises:
        InputError: the folder is no run.
    """
    configuration = read_manifest(asked_folder(run)).configuration
    return msgspec.convert(
        {name: configuration[name] for name in Plan.__struct_fields__ if name in configuration}, Plan
    )


def _lines(part: Part) -> Iterator[str]:
    seen: set[str] = set()
    for put in puts(part.out, part.plan, part.rates or {}):
        body = part.client.sent(put.request)
        if "model" not in body:
            raise UsageError(f"{part.client.model} at {part.client.pace.place} is no endpoint that takes batch files")
        key = reply_key(part.client, put.request)
        if key in seen or _answered(part.journal, key):
            continue
        seen.add(key)
        line = {"custom_id": key, "method": "POST", "url": "/v1/chat/completions", "body": body}
        yield msgspec.json.encode(line).decode() + "\n"


def _files(lines: Iterable[str], requests_max: int, bytes_max: int) -> Iterator[list[str]]:
    held: list[str] = []
    size = 0
    for line in lines:
        length = len(line.encode())
        if held and (len(held) == requests_max or size + length > bytes_max):
            yield held
            held, size = [], 0
        held.append(line)
        size += length
    if held:
        yield held


def _read(path: Path) -> Iterator[tuple[str, _Line]]:
    if not path.is_file():
        raise InputError.at(str(path), found="no file", expected="results of a batch, a line of JSON a request")
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            try:
                yield f"{path}:{number}", msgspec.json.decode(line, type=_Line)
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                raise InputError.at(f"{path}:{number}", found=str(error), expected="a line of batch results") from error


def _reply(line: _Line, model: str) -> Reply:
    if line.response is None:
        return Reply(status="error", finish=error_message(msgspec.json.encode(line.error)))
    body = bytes(line.response.body)
    if line.response.status_code == 200:
        reply = read_completion(body)
        return msgspec.structs.replace(reply, served="") if reply.served == model else reply
    return Reply(status="error", finish=f"HTTP {line.response.status_code}: {error_message(body)}")


def _answered(journal: Journal, key: str) -> bool:
    saved = journal.saved(key)
    return saved is not None and saved.reply.status != "error"


def _save(journal: Journal, replies: dict[str, Reply]) -> None:
    if replies:
        asyncio.run(journal.commit(list(replies.items())))
