"""The labelled replies for development: valid files, and results that do not fall behind."""

import unicodedata
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from globmed.bench.reading import Reading, read_choice, read_label
from globmed.core.language import languages

CORPUS = Path(__file__).parent / "corpus"
REPLIES_MIN, LABELS = 40, 16
WHY = {"refused", "several", "empty", "undecided"}

# What was reached in November 2026; a change may only do better.
RIGHT_MIN = {
    ("dev", "choice"): 596,
    ("dev", "label"): 192,
    ("dev2", "choice"): 789,
    ("dev2", "label"): 286,
    ("dev3", "choice"): 573,
    ("dev3", "label"): 186,
    ("dev4", "choice"): 581,
    ("dev4", "label"): 192,
}
WRONG_MAX = {
    ("dev", "choice"): 0,
    ("dev", "label"): 0,
    ("dev2", "choice"): 5,
    ("dev2", "label"): 1,
    ("dev3", "choice"): 4,
    ("dev3", "label"): 2,
    ("dev4", "choice"): 0,
    ("dev4", "label"): 0,
}


def cases(half: str, name: str) -> list[dict[str, object]]:
    lines = (CORPUS / half / name).read_text(encoding="utf-8").splitlines()
    return [msgspec.json.decode(line) for line in lines]


@pytest.mark.parametrize("code", languages())
@pytest.mark.parametrize("half", ["dev", "dev2", "dev3", "dev4", "held_out"])
@pytest.mark.parametrize(("suffix", "least"), [(".jsonl", REPLIES_MIN), (".labels.jsonl", LABELS)])
def test_the_files_are_valid(half: str, code: str, suffix: str, least: int) -> None:
    found = cases(half, code + suffix)
    assert len(found) >= least
    assert len({case["id"] for case in found}) == len(found)
    for case in found:
        options = case["options"]
        assert isinstance(options, list)
        assert case["first"] == "none" or "ABCDEFGHIJ".index(str(case["first"])) < len(options)
        assert (case["first"] == "none") == (case.get("why") in WHY)
    text = (CORPUS / half / (code + suffix)).read_text(encoding="utf-8")
    replies = "".join(str(case["reply"]) for case in found if case["kind"] not in ("fullwidth", "bracket"))
    assert unicodedata.is_normalized("NFC", text)
    assert unicodedata.is_normalized("NFC", replies)


@pytest.mark.parametrize("half", ["dev", "dev2", "dev3", "dev4"])
@pytest.mark.parametrize(
    ("name", "suffix", "read"), [("choice", ".jsonl", read_choice), ("label", ".labels.jsonl", read_label)]
)
def test_results_do_not_fall_behind(half: str, name: str, suffix: str, read: Callable[..., Reading]) -> None:
    counts: Counter[str] = Counter()
    for code in languages():
        for case in cases(half, code + suffix):
            letter = read(case["reply"], case["options"], code).letter
            right = letter == (None if case["first"] == "none" else case["first"])
            counts["right" if right else "unread" if letter is None else "wrong"] += 1
    assert counts["right"] >= RIGHT_MIN[half, name], counts
    assert counts["wrong"] <= WRONG_MAX[half, name], counts
