"""Saved replies of judges into verdicts, one row for each that was asked for. No model is needed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

import msgspec

from globmed.bench.judging import judge_journal, judges_folder
from globmed.bench.judging.asked import JUDGED, Judged
from globmed.bench.judging.verdicts import VERDICTS, Better, Harm, Met, Pointwise, Preference, Preferred, read_verdict
from globmed.core.errors import UsageError
from globmed.core.store import MANIFEST, file_hash, read_records, stage_hash
from globmed.models.client import Reply
from globmed.models.journal import read_replies

JUDGEMENTS = "judgements.parquet"

VerdictStatus = Literal["read", "unreadable", "no_reply", "error"]


class Judgement(Judged, frozen=True, kw_only=True):
    """A verdict, with what it is about.

    Attributes:
        status: `read`; `unreadable`, which stands for no verdict at all; `no_reply` where there was no text to judge;
            `error` where the call failed, to be asked again.
        attempts: replies of the judge that it took; all but the last, and of an unreadable one the last too, could not
            be read.
        why: of an unreadable one, what is wrong with its last reply; of an error its text.
        reason: what the judge gives as its reason.
        correct: as `Pointwise`; None in other forms and where nothing was read.
        complete: likewise.
        harm: likewise.
        understandable: likewise.
        in_language: likewise.
        acceptable: likewise; False where there was no text to judge.
        met: whether the criterion is met; False where there was no text to judge; None in other forms and where
            nothing was read.
        better: of a pair, `model`, `other` or `tie`, whatever the order they were shown in; None likewise.
    """

    status: VerdictStatus
    attempts: int = 0
    why: str = ""
    reason: str = ""
    correct: bool | None = None
    complete: bool | None = None
    harm: Harm | None = None
    understandable: bool | None = None
    in_language: bool | None = None
    acceptable: bool | None = None
    met: bool | None = None
    better: Preferred | None = None

    @property
    def independent(self) -> bool:
        """Whether neither the judge nor a model judged made the item, and no model judges itself."""
        return not (self.had_a_hand or self.model_had_a_hand or self.itself)


def judged_stages(run: Path) -> list[Path]:
    """Return the folders of the stages that judges left, sorted."""
    return sorted(manifest.parent for manifest in judges_folder(run).glob(f"*/*/{MANIFEST}"))


def judgement_inputs(run: Path) -> dict[str, str]:
    """Return the hashes of what a run's verdicts are made from: what judges were asked, and what they wrote."""
    inputs = {}
    for stage in judged_stages(run):
        inputs[str(stage.relative_to(run))] = stage_hash(stage)
        journal = judge_journal(run, stage.parent.name)
        if journal.is_file():
            inputs[str(journal.relative_to(run))] = file_hash(journal)
    return inputs


def judgements(run: Path) -> Iterator[Judgement]:
    """Give every verdict on the replies of a run, by judge and form.

    Raises:
        UsageError: nobody has judged the run, or replies of a judge are missing.
    """
    stages = judged_stages(run)
    if not stages:
        raise UsageError(f"{run}: no judge has judged it. Run: globmed bench judge {run} --judge MODEL")
    for stage in stages:
        rows = list(read_records(stage, Judged, prefix=JUDGED))
        wanted = {key for row in rows for key in row.keys}
        journal = judge_journal(run, stage.parent.name)
        saved = read_replies(journal) if journal.is_file() else iter(())
        replies = {key: reply for key, reply in saved if key in wanted}
        told = [judgement(row, replies) for row in rows]
        if missing := len({row.key for row, one in zip(rows, told, strict=True) if one is None}):
            wanted_first = len({row.key for row in rows if row.key})
            raise UsageError(
                f"{run}: {missing} of {wanted_first} verdicts of the judge {rows[0].judge} are missing. Run the same "
                f"`globmed bench judge` again; to leave the judge out, remove the folder {stage}"
            )
        yield from (one for one in told if one is not None)


def judgement(row: Judged, replies: Mapping[str, Reply]) -> Judgement | None:
    """Return what a judge's replies say: the first that can be read, or that none can; None where one is missing.

    Args:
        row: what the judge was asked.
        replies: by key; those to later attempts are there only where they were called for.
    """
    if not row.key:
        nothing: dict[str, Any] = {"pointwise": {"acceptable": False}, "rubric": {"met": False}}.get(row.form, {})
        return _made(row, status="no_reply", **nothing)
    found = None
    for number, key in enumerate(row.keys, start=1):
        if key not in replies:
            return None
        found = _made(row, attempts=number, **_read(row, replies[key]))
        if found.status != "unreadable":
            break
    return found


def _read(row: Judged, reply: Reply) -> dict[str, Any]:
    if reply.status == "error":
        return {"status": "error", "why": reply.finish}
    if reply.status != "ok":
        return {"status": "unreadable", "why": f"{reply.status} reply"}
    read = read_verdict(reply.text, VERDICTS[row.form])
    if read.value is None:
        return {"status": "unreadable", "why": read.error}
    return {"status": "read", **_said(read.value, turned=row.turned)}


def _said(verdict: Pointwise | Preference | Met, *, turned: bool) -> dict[str, Any]:
    if isinstance(verdict, Preference):
        return {"reason": verdict.reason, "better": _named(verdict.better, turned=turned)}
    said: dict[str, Any] = msgspec.structs.asdict(verdict)
    return said | {"acceptable": verdict.acceptable} if isinstance(verdict, Pointwise) else said


def _named(better: Better, *, turned: bool) -> Preferred:
    if better == "tie":
        return "tie"
    return "model" if (better == "first") != turned else "other"


def _made(row: Judged, **said: Any) -> Judgement:
    return Judgement(**msgspec.structs.asdict(row), **said)
