"""Tables from scores, against numbers worked out otherwise."""

import math
from pathlib import Path
from typing import Any

import msgspec
import pytest

from globmed.bench.analysis import accuracy_table
from globmed.bench.asked import scores_folder
from globmed.bench.scoring import SCORES, Score
from globmed.core.errors import HashMismatchError
from globmed.core.store import writing_stage

FATES = ("correct", "wrong", "unread", "several", "empty", "refused", "truncated", "filtered", "error")


def score(number: int, language: str, outcome: str, *, model: str = "m", source: str = "s", options: int = 4) -> Score:
    row: dict[str, Any] = {
        "task": "mcqa",
        "model": model,
        "revision": "",
        "answer": "generate",
        "source": source,
        "family": f"{source}:{number}",
        "cluster": f"{source}:{number}",
        "language": language,
        "tier": "low" if language in ("sw", "yo") else "high",
        "native_language": "en",
        "text": "native",
        "run": 0,
        "options": options,
        "chance": 1 / options,
        "reply_status": "error" if outcome == "error" else "ok",
        "reading_status": "read" if outcome in ("correct", "wrong") else "unread",
        "rule": "test",
        "letter": "A" if outcome in ("correct", "wrong") else None,
        "option": 0 if outcome in ("correct", "wrong") else None,
        "correct": outcome == "correct",
        "outcome": outcome,
    }
    return msgspec.convert(row, Score)


def table_of(run: Path, scores: list[Score], *, by_source: bool = False) -> dict[tuple[str, str, str], dict[str, Any]]:
    with writing_stage(scores_folder(run), "scores") as writer:
        writer.write(SCORES, scores, Score)
    rows = accuracy_table(run, by_source=by_source).to_pylist()
    return {(row["model"], row["source"], row["group"]): row for row in rows}


def test_cells_hold_their_own_replies(tmp_path: Path) -> None:
    scores = [score(n, "en", "correct" if n < 6 else "wrong") for n in range(8)]
    scores += [score(n, "sw", "correct" if n < 2 else "wrong") for n in range(8)]
    scores += [score(n, "yo", "correct" if n < 4 else "wrong") for n in range(8)]
    scores += [score(n, "sw", "correct", model="other", options=10) for n in range(3)]
    found = table_of(tmp_path, scores)
    assert {key[2] for key in found if key[0] == "m"} == {"en", "sw", "yo", "high", "low", "all"}
    expected = {"en": 6 / 8, "sw": 2 / 8, "yo": 4 / 8, "high": 6 / 8, "low": 6 / 16, "all": 12 / 24}
    for group, accuracy in expected.items():
        row = found["m", "all", group]
        assert row["accuracy"] == pytest.approx(accuracy)
        assert row["low"] < accuracy < row["high"]
        assert (row["clusters"], row["chance"], row["reason"]) == (8, 0.25, "")
    assert found["m", "all", "low"]["items"] == 16
    assert (found["m", "all", "low"]["by"], found["m", "all", "sw"]["tier"]) == ("tier", "low")
    assert found["other", "all", "sw"]["chance"] == pytest.approx(0.1)


def test_each_reply_is_counted_once(tmp_path: Path) -> None:
    scores = [score(n, "en", fate) for n, fate in enumerate(FATES)]
    row = table_of(tmp_path, scores)["m", "all", "en"]
    counts = {fate: row["errors" if fate == "error" else fate] for fate in FATES}
    assert counts == dict.fromkeys(FATES, 1)
    assert row["asked"] == sum(counts.values())
    assert row["accuracy"] == pytest.approx(1 / (len(FATES) - 1))


def test_an_empty_cell_is_nan_with_its_reason_and_never_zero(tmp_path: Path) -> None:
    scores = [score(n, "en", "error") for n in range(3)] + [score(0, "sw", "correct")]
    found = table_of(tmp_path, scores)
    empty, single = found["m", "all", "en"], found["m", "all", "sw"]
    assert math.isnan(empty["accuracy"])
    assert math.isnan(empty["chance"])
    assert (empty["errors"], empty["reason"]) == (3, "every call failed")
    # One question says nothing of others, however it was answered; what became of it stays in the counts.
    assert math.isnan(single["accuracy"])
    assert math.isnan(single["low"])
    assert (single["correct"], single["reason"]) == (1, "fewer than two question clusters")


def test_sources_apart_when_asked(tmp_path: Path) -> None:
    scores = [score(n, "en", "correct", source="a") for n in range(4)] + [
        score(n, "en", "wrong", source="b") for n in range(4)
    ]
    assert {key[1] for key in table_of(tmp_path / "together", scores)} == {"all"}
    found = table_of(tmp_path / "apart", scores, by_source=True)
    assert [found["m", source, "en"]["accuracy"] for source in ("a", "b", "all")] == [1.0, 0.0, 0.5]


def test_scores_changed_by_hand_are_refused(tmp_path: Path) -> None:
    table_of(tmp_path, [score(n, "en", "correct") for n in range(4)])
    file = scores_folder(tmp_path) / SCORES
    file.write_bytes(file.read_bytes().replace(b"correct", b"CORRECT"))
    with pytest.raises(HashMismatchError):
        accuracy_table(tmp_path)
