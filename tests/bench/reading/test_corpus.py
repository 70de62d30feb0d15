"""The development half of the labelled replies: valid files, and results that do not fall behind."""

import unicodedata
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from globmed.bench.reading import Reading, read_choice, read_label
from globmed.core.language import languages

DEV = Path(__file__).parent / "corpus" / "dev"
REPLIES, LABELS = 50, 16
WHY = {"refused", "several", "empty", "undecided"}

# What was reached in November 2026; a change may only do better.
RIGHT_MIN = {"choice": 587, "label": 142}
WRONG_MAX = {"choice": 1, "label": 0}


def cases(name: str) -> list[dict[str, object]]:
    lines = (DEV / name).read_text(encoding="utf-8").splitlines()
    return [msgspec.json.decode(line) for line in lines]


@pytest.mark.parametrize("code", languages())
@pytest.mark.parametrize(("suffix", "count"), [(".jsonl", REPLIES), (".labels.jsonl", LABELS)])
def test_the_files_are_valid(code: str, suffix: str, count: int) -> None:
    found = cases(code + suffix)
    assert len(found) == count
    assert len({case["id"] for case in found}) == count
    for case in found:
        options = case["options"]
        assert isinstance(options, list)
        assert case["first"] == "none" or "ABCDEFGHIJ".index(str(case["first"])) < len(options)
        assert (case["first"] == "none") == (case.get("why") in WHY)
    text = (DEV / (code + suffix)).read_text(encoding="utf-8")
    replies = "".join(str(case["reply"]) for case in found if case["kind"] != "fullwidth")
    assert unicodedata.is_normalized("NFC", text)
    assert unicodedata.is_normalized("NFC", replies)


@pytest.mark.parametrize(
    ("name", "suffix", "read"), [("choice", ".jsonl", read_choice), ("label", ".labels.jsonl", read_label)]
)
def test_results_do_not_fall_behind(name: str, suffix: str, read: Callable[..., Reading]) -> None:
    counts: Counter[str] = Counter()
    for code in languages():
        for case in cases(code + suffix):
            letter = read(case["reply"], case["options"], code).letter
            right = letter == (None if case["first"] == "none" else case["first"])
            counts["right" if right else "unread" if letter is None else "wrong"] += 1
    assert counts["right"] >= RIGHT_MIN[name], counts
    assert counts["wrong"] <= WRONG_MAX[name], counts
