"""Batch files: what is written is what would be sent, and what comes back is scored like anything else."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from globmed.bench.asked import journal_path
from globmed.bench.batch import export_batch, import_batch, plan_of
from globmed.bench.effort import Effort
from globmed.bench.pipeline import bench_score
from globmed.bench.runner import run_benchmark
from globmed.bench.selection import Plan
from globmed.core.errors import InputError, TermsError, UsageError
from globmed.core.item import Item
from globmed.models.baseline import Chance
from globmed.models.http_api import HttpModel
from globmed.models.journal import read_replies
from globmed.models.paying import journal_name

MakeData = Callable[..., Path]
PLAN = Plan(scale_limits=False, runs=2)
REQUESTS = 3 * 24 * 2


@pytest.fixture
def model() -> HttpModel:
    return HttpModel("some-model", "https://api.example.org/v1", api_key="sk-0123456789abcdef")


@pytest.fixture
def run(make_data: MakeData, tmp_path: Path, model: HttpModel) -> Path:
    """A run that was planned and has asked nobody."""
    out = tmp_path / "run"
    run_benchmark([model], data=make_data(), plan=PLAN, out=out, effort=Effort(estimate_only=True))
    return out


def lines(path: Path) -> list[dict[str, Any]]:
    return [msgspec.json.decode(line) for line in path.read_bytes().splitlines()]


def result(custom_id: str, *, status: int = 200, text: str = "B") -> bytes:
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
    body: dict[str, Any] = {"choices": [choice], "usage": {"prompt_tokens": 5, "completion_tokens": 2}}
    if status != 200:
        body = {"error": {"message": "too long"}}
    line = {
        "id": "batch_req_1",
        "custom_id": custom_id,
        "response": {"status_code": status, "body": body},
        "error": None,
    }
    return msgspec.json.encode(line) + b"\n"


def test_a_batch_holds_every_request_once_as_it_would_be_sent(run: Path, model: HttpModel, tmp_path: Path) -> None:
    assert plan_of(run) == msgspec.structs.replace(PLAN, languages=("en", "es", "sw"), sources=("made",))
    export = export_batch(run, model, out=tmp_path / "out", requests_per_file=100)
    assert [len(lines(path)) for path in export.files] == [100, REQUESTS - 100]
    written = [line for path in export.files for line in lines(path)]
    assert export.requests == len({line["custom_id"] for line in written}) == REQUESTS
    assert {(line["method"], line["url"], line["body"]["model"]) for line in written} == {
        ("POST", "/v1/chat/completions", "some-model")
    }
    assert b"sk-0123456789abcdef" not in b"".join(path.read_bytes() for path in export.files)
    sizes = export_batch(run, model, out=tmp_path / "small", bytes_per_file=20_000)
    assert len(sizes.files) > 2
    assert all(path.stat().st_size <= 20_000 for path in sizes.files)


def test_what_comes_back_is_in_the_journal_once_and_is_scored(run: Path, model: HttpModel, tmp_path: Path) -> None:
    (path,) = export_batch(run, model, out=tmp_path / "out").files
    keys = [line["custom_id"] for line in lines(path)]
    results = tmp_path / "results.jsonl"
    expired = {"custom_id": keys[1], "response": None, "error": {"code": "batch_expired", "message": "out of time"}}
    results.write_bytes(
        result(keys[0], status=400) + msgspec.json.encode(expired) + b"\n\n" + b"".join(map(result, keys[2:])),
    )
    first = import_batch(run, model, [results])
    assert (first.replies, first.known, first.missing) == ({"error": 2, "ok": REQUESTS - 2}, 0, 2)
    replies = dict(read_replies(journal_path(run, journal_name(model))))
    assert replies[keys[0]].finish == "HTTP 400: too long"
    assert replies[keys[1]].finish == "out of time"
    assert (replies[keys[2]].text, replies[keys[2]].usage.output) == ("B", 2)

    (rest,) = export_batch(run, model, out=tmp_path / "rest").files
    assert {line["custom_id"] for line in lines(rest)} == set(keys[:2])
    results.write_bytes(b"".join(map(result, keys)))
    second = import_batch(run, model, [results, results])
    assert (second.replies, second.known, second.missing) == ({"ok": 2}, 2 * REQUESTS - 2, 0)
    assert len(dict(read_replies(journal_path(run, journal_name(model))))) == REQUESTS
    bench_score(run)
    nothing = export_batch(run, model, out=tmp_path / "nothing")
    assert (nothing.files, nothing.requests) == ((), 0)


def test_a_request_that_failed_and_was_answered_is_answered_in_any_order(
    run: Path, model: HttpModel, tmp_path: Path
) -> None:
    (path,) = export_batch(run, model, out=tmp_path / "out").files
    keys = [line["custom_id"] for line in lines(path)]
    errors, found = tmp_path / "errors.jsonl", tmp_path / "found.jsonl"
    errors.write_bytes(b"".join(result(key, status=500) for key in keys))
    found.write_bytes(b"".join(map(result, keys)))
    both = import_batch(run, model, [errors, found])
    assert (both.replies, both.known, both.missing) == ({"ok": REQUESTS}, 0, 0)
    assert import_batch(run, model, [errors]).known == REQUESTS


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b'{"custom_id":"00"}\n', "custom_id '00'"),
        (b"{}\n", "custom_id"),
        (b"not json\n", "expected a line of batch results"),
        (b"\xff\n", "expected a line of batch results"),
    ],
)
def test_a_wrong_line_is_named_and_nothing_after_it_is_read(
    run: Path, model: HttpModel, tmp_path: Path, text: bytes, said: str
) -> None:
    results = tmp_path / "results.jsonl"
    results.write_bytes(b"\n" + text)
    with pytest.raises(InputError, match=said) as caught:
        import_batch(run, model, [results])
    assert str(caught.value).startswith(f"{results}:2: ")
    with pytest.raises(InputError, match="found no file"):
        import_batch(run, model, [tmp_path / "none"])


def test_batches_are_for_endpoints_that_the_run_asks(
    run: Path, model: HttpModel, make_data: MakeData, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match="takes batch files"):
        export_batch(run, Chance(), out=tmp_path / "out")
    with pytest.raises(UsageError, match="has not asked another"):
        import_batch(run, HttpModel("another", "https://api.example.org/v1"), [])
    with pytest.raises(UsageError, match="holds files already"):
        export_batch(run, model, out=run)

    def bound(item: Item) -> Item:
        terms = msgspec.structs.replace(item.provenance, may_leave_machine=False)
        return msgspec.structs.replace(item, provenance=terms)

    out = tmp_path / "bound"
    data = make_data("bound-data", change=bound)
    run_benchmark([Chance()], data=data, plan=PLAN, out=out, effort=Effort(estimate_only=True))
    with pytest.raises(TermsError, match="source made"):
        export_batch(out, model, out=tmp_path / "never")
    assert not (tmp_path / "never").exists()
