"""Progress of a run: what was requested, joined with what the journals hold."""

import asyncio
import datetime as dt
from collections.abc import Sequence
from pathlib import Path

import pytest

from globmed.bench import progress as progress_module
from globmed.bench.asked import ASKED, Asked, journal_path, models_folder
from globmed.bench.progress import compact_all, progress
from globmed.core.errors import HashMismatchError, InputError
from globmed.core.store import writing_stage
from globmed.models.client import Reply, Status, Usage
from globmed.models.journal import Journal
from globmed.models.price import Price

PRICE = Price(input=2.0, output=8.0, cached=0.5, on=dt.date(2025, 4, 14), source="https://example.org/prices")
USAGE = Usage(input=1000, cached=400, reasoning=50, output=100)
STATUSES: dict[str, Sequence[Status | None]] = {
    "en": ["ok", "ok", "ok", "error"],
    "sw": ["ok", "truncated", "truncated", None],
    "yo": ["refused", "filtered", None, None],
}


def key(language: str, number: int) -> str:
    return f"{ord(language[0]):016x}{number:016x}"


def asked(language: str, number: int, run: int) -> Asked:
    return Asked(
        task="mcqa",
        model="made/model",
        revision="1",
        answer="generate",
        source="made",
        family=f"made:{number}",
        cluster=f"made:{number}",
        language=language,
        run=run,
        prompt_hash="0",
        key=key(language, number),
    )


def save(path: Path, replies: list[tuple[str, Reply]], in_flight: list[str]) -> None:
    async def run() -> None:
        with Journal.open(path) as journal:
            journal.ask(in_flight)
            await journal.commit(replies)

    asyncio.run(run())


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run of one model in three languages; in Swahili each reply answers two requests."""
    run = tmp_path / "run"
    rows = [
        asked(language, number, repeat)
        for language, statuses in STATUSES.items()
        for number in range(len(statuses))
        for repeat in range(2 if language == "sw" else 1)
    ]
    configuration = {"task": "mcqa", "model": "made/model", "revision": "1", "place": "api.example.org"}
    with writing_stage(models_folder(run) / "made", "model", configuration=configuration) as writer:
        writer.write(ASKED, rows, Asked)
    replies = [
        (key(language, number), Reply(status=status, finish="HTTP 500", usage=USAGE))
        for language, statuses in STATUSES.items()
        for number, status in enumerate(statuses)
        if status is not None
    ]
    save(journal_path(run, "made"), replies, in_flight=[key("yo", 2)])
    return run


@pytest.mark.parametrize("compacted", [False, True])
def test_requests_are_counted_by_language_and_tokens_priced(
    run: Path, monkeypatch: pytest.MonkeyPatch, compacted: bool
) -> None:
    def price_of(model: str, *, place: str) -> Price | None:
        return PRICE if (model, place) == ("made/model", "api.example.org") else None

    monkeypatch.setattr(progress_module, "price_of", price_of)
    if compacted:
        assert [one.replies for one in compact_all([run])] == [9]
    (one,) = progress(run)
    assert one.languages == {
        "en": {"ok": 3, "error": 1},
        "sw": {"ok": 2, "truncated": 4, "missing": 2},
        "yo": {"refused": 1, "filtered": 1, "missing": 2},
    }
    assert (one.model, one.requested, one.answered) == ("made/model", 16, 11)
    assert one.survey.statuses == {"ok": 4, "refused": 1, "truncated": 2, "filtered": 1, "error": 1}
    assert (one.survey.in_flight, one.survey.compacted) == (1, 9 if compacted else 0)
    assert one.price == PRICE
    assert one.cost_usd == pytest.approx(9 * (600 * 2.0 + 400 * 0.5 + 100 * 8.0) / 1e6)


def test_a_journal_alone_and_one_whose_requests_are_being_written_tell_what_they_can(run: Path) -> None:
    journal = journal_path(run, "made")
    (alone,) = progress(journal)
    assert (alone.model, alone.requested, alone.answered, alone.languages, alone.cost_usd) == ("", None, None, {}, None)
    assert alone.survey.replies == 9
    (models_folder(run) / "made" / "manifest.json").unlink()
    assert progress(run) == [alone]
    assert [one.journal for one in compact_all([journal])] == [journal]


def test_what_was_changed_or_is_no_run_is_refused(run: Path, tmp_path: Path) -> None:
    with (models_folder(run) / "made" / ASKED).open("ab") as file:
        file.write(b"x")
    with pytest.raises(HashMismatchError, match=ASKED):
        progress(run)
    with pytest.raises(InputError, match="found no journal; expected a run"):
        progress(tmp_path)
    with pytest.raises(InputError, match="found no file; expected a journal"):
        compact_all([tmp_path / "absent.journal"])
