"""Gaps between languages are of the same questions, to English and to the language that each was written in."""

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from globmed.bench.gaps import GapRow, gap_rows
from globmed.bench.scoring import SCORES, Score
from globmed.core.store import writing_stage


def score(number: int, language: str, *, right: bool, **changes: Any) -> Score:
    row: dict[str, Any] = {
        "task": "mcqa",
        "model": "m",
        "revision": "",
        "answer": "generate",
        "source": "made",
        "family": f"made:{number}",
        "cluster": f"made:{number // 2}",
        "language": language,
        "tier": "low" if language in ("sw", "yo") else "high",
        "native_language": "en",
        "text": "native",
        "run": 0,
        "options": 4,
        "chance": 0.25,
        "reply_status": "ok",
        "reading_status": "read",
        "rule": "test",
        "letter": "A",
        "option": 0,
        "gold": 0,
        "correct": right,
        "outcome": "correct" if right else "wrong",
    }
    return msgspec.convert(row | changes, Score)


def gaps(folder: Path, scores: list[Score]) -> dict[tuple[str, str], GapRow]:
    with writing_stage(folder / "scores", "scores") as writer:
        writer.write(SCORES, scores, Score)
    return {(row.language, row.reference): row for row in gap_rows(folder / "scores")}


def test_a_gap_is_of_the_questions_asked_in_both(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    english, swahili = rng.random(80) < 0.8, rng.random(80) < 0.4
    scores = [score(n, "en", right=bool(english[n])) for n in range(80)]
    # The last twenty were never asked in Swahili, and one call failed.
    scores += [score(n, "sw", right=bool(swahili[n])) for n in range(59)]
    scores += [score(59, "sw", right=False, reply_status="error", outcome="error", reading_status="empty")]
    row = gaps(tmp_path, scores)["sw", "en"]
    assert row.pairs == 59
    assert row.clusters == 30
    assert row.accuracy == pytest.approx(swahili[:59].mean())
    assert row.at_reference == pytest.approx(english[:59].mean())
    assert row.gap == pytest.approx(row.accuracy - row.at_reference)
    assert row.low < row.gap < row.high < 0
    assert row.p < 0.05


def test_the_native_reference_is_each_questions_own(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    scores = []
    for n in range(60):
        native = "es" if n < 30 else "en"
        for code in ("en", "es", "yo"):
            # Each is easier in the language that it was written in.
            share = 0.9 if code == native else 0.6 if code != "yo" else 0.3
            scores.append(score(n, code, right=bool(rng.random() < share), native_language=native))
    found = gaps(tmp_path, scores)
    assert set(found) == {(code, "en") for code in ("es", "yo")} | {(code, "native") for code in ("en", "es", "yo")}
    # English against the native language is about the Spanish questions alone, and Spanish about the English ones.
    assert found["en", "native"].pairs == found["es", "native"].pairs == 30
    assert found["yo", "native"].pairs == 60
    assert found["yo", "native"].gap < -0.3


def test_where_all_was_written_in_english_there_is_one_reference(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    scores = [score(n, code, right=bool(rng.random() < 0.5)) for n in range(40) for code in ("en", "sw")]
    assert set(gaps(tmp_path, scores)) == {("sw", "en")}


def test_replies_not_read_are_told_beside_the_gap(tmp_path: Path) -> None:
    scores = [score(n, "en", right=n % 3 > 0) for n in range(60)]
    for n in range(60):
        unread = n % 2 == 0
        changes = {"reading_status": "unread", "letter": None, "option": None, "outcome": "unread"} if unread else {}
        scores.append(score(n, "yo", right=not unread and n % 3 > 0, **changes))
    assert gaps(tmp_path, scores)["yo", "en"].unread_gap == pytest.approx(0.5)


def test_a_language_alone_has_no_gap_and_few_questions_have_a_reason(tmp_path: Path) -> None:
    assert gaps(tmp_path, [score(n, "sw", right=True) for n in range(30)]) == {}
    few = [score(n, code, right=(n + len(code)) % 2 > 0) for n in range(6) for code in ("en", "sw")]
    row = gaps(tmp_path / "few", few)["sw", "en"]
    assert np.isnan(row.low)
    assert row.reason == "fewer than 10 question clusters"


def test_the_same_scores_give_the_same_gaps(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    scores = [score(n, code, right=bool(rng.random() < 0.5)) for n in range(50) for code in ("en", "sw", "yo")]
    assert gaps(tmp_path / "a", scores) == gaps(tmp_path / "b", scores)
