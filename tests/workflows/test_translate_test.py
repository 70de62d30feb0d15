"""Translate-test: what a benchmark asks is translated by one model, once, and what it cost is told by item."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from globmed.bench.selection import Plan
from globmed.bench.stand_ins import COSTS, TO_ENGLISH, TranslationCost
from globmed.core.dataset import read_items
from globmed.core.errors import TermsError, UsageError
from globmed.core.item import Item, Provenance, TextOrigin
from globmed.core.store import Count, read_manifest, read_records, stage_hash, writing_stage
from globmed.workflows.translate_test import TranslateTest, estimate_for_test, translate_for_test

QUESTIONS = 6


@dataclass
class Asked:
    """What a server was asked, and where it is: `mt` puts texts in brackets, other models answer "Answer: B"."""

    url: str = ""
    contents: list[tuple[str, str]] = field(default_factory=list)
    broken: str = ""
    mends: bool = False

    def translated(self) -> list[str]:
        return [content for model, content in self.contents if model == "mt"]

    def answer(self, body: dict[str, Any]) -> str:
        content = body["messages"][0]["content"]
        self.contents.append((body["model"], content))
        return self._translation(content) if body["model"] == "mt" else "Answer: B"

    def _translation(self, content: str) -> str:
        if self.broken and self.broken in content and not (self.mends and "could not be used" in content):
            return "I would rather not."
        item = json.JSONDecoder().raw_decode(content.partition("The item, as JSON:\n")[2])[0]
        keys = re.search(r"as a string:\n(\[.*?\n\])", content, re.DOTALL)
        assert keys is not None
        return json.dumps({name: f"[{item[name]}]" for name in json.loads(keys[1])})


@pytest.fixture
def server(serve_chat: Callable[..., Any]) -> Asked:
    asked = Asked()
    asked.url = serve_chat(asked.answer).url
    return asked


def made(number: int, code: str, *, bound: bool = False) -> Item:
    text: TextOrigin = "native" if code == "en" else "machine"
    return Item(
        family=f"made:{number}",
        language=code,
        kind="mcqa",
        source="made",
        split="test",
        question=f"{code} question {number}?",
        options=(f"{code} p{number}", f"{code} q{number}", "120/80"),
        answer=(1,),
        rationale=f"SECRET {number}",
        provenance=Provenance(native_language="en", licence="MIT", text=text, may_leave_machine=not bound),
    )


def write_data(folder: Path, *, bound: bool = False) -> Path:
    with writing_stage(folder, "release") as writer:
        for code in ("en", "sw", "yo"):
            items = [made(number, code, bound=bound) for number in range(QUESTIONS)]
            kept = writer.write(f"made.{code}.parquet", items, Item)
            writer.counts.append(Count(source="made", language=code, split="test", read=kept, kept=kept))
    return folder


@pytest.fixture
def job(server: Asked, tmp_path: Path) -> TranslateTest:
    model = f"api:mt@{server.url}"
    return TranslateTest(data=write_data(tmp_path / "data"), plan=Plan(), model=model, out=tmp_path / "translations")


def test_every_language_but_english_is_translated_and_keeps_its_own_name(job: TranslateTest, server: Asked) -> None:
    manifest = translate_for_test(job)
    items = list(read_items(job.out / TO_ENGLISH))
    assert {(item.family, item.language) for item in items} == {
        (f"made:{number}", code) for number in range(QUESTIONS) for code in ("sw", "yo")
    }
    one = next(item for item in items if (item.family, item.language) == ("made:3", "yo"))
    assert (one.question, one.options) == ("[yo question 3?]", ("[yo p3]", "[yo q3]", "120/80"))
    assert (one.answer, one.cluster, one.provenance.native_language) == ((1,), "made:3", "en")
    assert (one.provenance.model, one.provenance.translated_from) == ("mt", "yo")
    assert manifest.configuration["models"][0][0] == "mt"
    assert manifest.inputs["data"] == stage_hash(job.data)
    assert {(count.language, count.read, count.kept) for count in manifest.counts} == {("sw", 6, 6), ("yo", 6, 6)}
    assert len(server.translated()) == 2 * QUESTIONS


def test_what_tells_the_answer_is_not_sent_along(job: TranslateTest, server: Asked) -> None:
    translate_for_test(job)
    assert server.translated()
    assert not any("SECRET" in content for content in server.translated())


def test_tokens_are_kept_by_item(job: TranslateTest) -> None:
    translate_for_test(job)
    costs = list(read_records(job.out / TO_ENGLISH, TranslationCost, prefix=COSTS))
    assert len(costs) == 2 * QUESTIONS
    assert {(one.input_tokens, one.output_tokens) for one in costs} == {(100, 10)}


def test_every_attempt_counts_that_was_billed(job: TranslateTest, server: Asked) -> None:
    server.broken, server.mends = "sw question 4?", True
    for _ in range(2):
        translate_for_test(job)
        costs = list(read_records(job.out / TO_ENGLISH, TranslationCost, prefix=COSTS))
        twice = {one.family for one in costs if (one.input_tokens, one.output_tokens) == (200, 20)}
        assert twice == {"made:4"}
        assert sum(one.input_tokens for one in costs) == 100 * len(server.translated()) == 100 * (2 * QUESTIONS + 1)
        # Made anew from the replies, the attempts that failed are still known.
        (job.out / TO_ENGLISH / "manifest.json").unlink()


def test_nothing_is_expected_that_is_not_asked(job: TranslateTest, server: Asked) -> None:
    (expected,) = estimate_for_test(job)
    assert (expected.step, expected.requests) == ("candidate", 2 * QUESTIONS), "no repairs, so none are counted"
    translate_for_test(job)
    assert len(server.translated()) == expected.requests


def test_what_was_translated_is_not_asked_again_and_a_language_may_join(job: TranslateTest, server: Asked) -> None:
    swahili = TranslateTest(data=job.data, plan=Plan(languages=("en", "sw")), model=job.model, out=job.out)
    translate_for_test(swahili)
    assert len(server.translated()) == QUESTIONS
    before = stage_hash(job.out / TO_ENGLISH)
    translate_for_test(swahili)
    assert stage_hash(job.out / TO_ENGLISH) == before
    assert sum(one.requests for one in estimate_for_test(job)) == QUESTIONS
    translate_for_test(job)
    assert len(server.translated()) == 2 * QUESTIONS
    assert len(list(read_items(job.out / TO_ENGLISH))) == 2 * QUESTIONS


def test_what_cannot_be_translated_is_counted_by_its_reason(job: TranslateTest, server: Asked) -> None:
    server.broken = "sw question 4?"
    manifest = translate_for_test(job)
    counts = {count.language: (count.read, count.kept, count.dropped) for count in manifest.counts}
    assert counts == {"sw": (6, 5, {"unreadable reply": 1}), "yo": (6, 6, {})}


def test_english_alone_is_nothing_to_translate(job: TranslateTest) -> None:
    english = TranslateTest(data=job.data, plan=Plan(languages=("en",)), model=job.model, out=job.out)
    with pytest.raises(UsageError, match="nothing to translate to English"):
        translate_for_test(english)


def test_items_that_may_not_leave_are_sent_nowhere(server: Asked, tmp_path: Path) -> None:
    data = write_data(tmp_path / "bound", bound=True)
    away = TranslateTest(
        data=data, plan=Plan(), model="api:mt@https://translator.example.org/v1", out=tmp_path / "translations"
    )
    with pytest.raises(TermsError):
        translate_for_test(away)
    assert server.contents == []


def globmed(*arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "globmed", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)


def test_the_road_from_data_to_replies(server: Asked, tmp_path: Path) -> None:
    data, out, run = write_data(tmp_path / "data"), tmp_path / "translations", tmp_path / "run"
    conditions = ("--answer", "generate", "--answer", "generate/translated", "--no-scale-limits")
    ask = ("bench", "run", "--data", data, "--model", f"api:lm@{server.url}", "--out", run, *conditions)
    refused = globmed(*ask)
    assert refused.returncode == 2
    assert "expected both or neither" in refused.stderr
    translated = globmed("bench", "translate", data, "--model", f"api:mt@{server.url}", "--out", out, "--json")
    assert translated.returncode == 0, translated.stderr
    assert {row["language"]: row["kept"] for row in json.loads(translated.stdout)} == {"sw": 6, "yo": 6}
    asked = globmed(*ask, "--translations", out)
    assert asked.returncode == 0, asked.stderr
    put = [content for model, content in server.contents if model == "lm"]
    assert len(put) == 3 * QUESTIONS + 2 * QUESTIONS
    assert sum("[sw question" in content for content in put) == QUESTIONS
    configuration = read_manifest(run / "asked").configuration
    assert configuration["translations"]["stage"] == stage_hash(out / TO_ENGLISH)
