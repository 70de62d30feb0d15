"""Scores from saved replies alone."""

import asyncio
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from globmed.bench.asked import ASKED, Asked, journal_path, models_folder, scores_folder
from globmed.bench.runner import run_benchmark
from globmed.bench.scoring import SCORES, Score, metrics, score_run
from globmed.bench.selection import Plan
from globmed.core.errors import InputError, UsageError
from globmed.core.item import Finding, Item, Review, Step
from globmed.core.store import read_records, table
from globmed.models.baseline import LongestOption
from globmed.models.client import Reply, Request, Usage
from globmed.models.journal import Journal
from globmed.models.pace import THIS_PROCESS
from globmed.models.paying import journal_name

MakeData = Callable[..., Path]
LANGUAGES, TEST = ("en", "es", "sw"), 24


REPLIES = {
    "right": Reply(status="ok", text="Answer: {right}"),
    "wrong": Reply(status="ok", text="Answer: {wrong}"),
    "unread": Reply(status="ok", text="Hard to say, hepatitis B perhaps."),
    "several": Reply(status="ok", text="A and C"),
    "empty": Reply(status="ok"),
    "refused": Reply(status="refused", text="No."),
    "declines": Reply(status="ok", text="I'm sorry, I cannot answer."),
    "truncated": Reply(status="truncated", text="Let me think about"),
    "truncated behind its answer": Reply(status="truncated", text="Answer: {right}. This is bec"),
    "filtered": Reply(status="filtered"),
    "error": Reply(status="error", finish="503"),
}
FATES = (
    "correct",
    "wrong",
    "unread",
    "several",
    "empty",
    "refused",
    "refused",
    "truncated",
    "correct",
    "filtered",
    "error",
)


class Scripted:
    """Answers question `n` with the `n`-th kind of reply, in turn."""

    model, revision, on_this_machine, batch_size, pace = "scripted", "", True, 8, THIS_PROCESS

    def sent(self, request: Request) -> Mapping[str, Any]:
        return {"messages": msgspec.to_builtins(request.messages)}

    async def answer(self, batch: Sequence[Request]) -> Sequence[Reply]:
        return [self.reply(int(request.label.split(":")[1].split("/")[0])) for request in batch]

    def reply(self, number: int) -> Reply:
        reply = list(REPLIES.values())[number % len(REPLIES)]
        letters = {"right": "ABCD"[number % 4], "wrong": "ABCD"[(number + 1) % 4]}
        return msgspec.structs.replace(reply, text=reply.text.format(**letters))

    async def close(self) -> None:
        pass


def scores(run: Path) -> list[Score]:
    return list(read_records(scores_folder(run), Score))


@pytest.fixture
def run(make_data: MakeData, tmp_path: Path) -> Path:
    run_benchmark([Scripted()], data=make_data(), plan=Plan(scale_limits=False), out=tmp_path / "run")
    score_run(tmp_path / "run")
    return tmp_path / "run"


def test_every_reply_has_its_fate(run: Path) -> None:
    found = scores(run)
    assert len(found) == len(LANGUAGES) * TEST
    for score in found:
        number = int(score.family.split(":")[1])
        assert score.outcome == FATES[number % len(FATES)], (score, number)
        assert score.correct == (score.outcome == "correct")
        assert (score.letter is not None) == (score.reading_status == "read")
        assert (score.options, score.chance, score.native_language) == (4, 0.25, "en")
        assert (score.tier, score.text) == (
            "low" if score.language == "sw" else "high",
            "native" if score.language == "en" else "machine",
        )


def test_errors_are_in_no_accuracy(run: Path) -> None:
    found = scores(run)
    estimate = metrics()["accuracy"].of(table(scores_folder(run)))
    assert estimate is not None
    interval = estimate.interval
    told = [score for score in found if score.outcome != "error"]
    assert interval.n == len(told) < len(found)
    assert interval.mean == pytest.approx(sum(score.correct for score in told) / len(told))
    assert interval.clusters == len({score.cluster for score in told})


def test_scoring_again_gives_the_same_bytes(run: Path) -> None:
    before = {path.name: path.read_bytes() for path in scores_folder(run).iterdir()}
    score_run(run)
    assert {path.name: path.read_bytes() for path in scores_folder(run).iterdir()} == before
    assert SCORES in before


def test_missing_replies_are_told_and_not_scored_as_wrong(run: Path) -> None:
    journal = journal_path(run, journal_name(Scripted()))
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join(lines[: len(lines) // 2]))
    with pytest.raises(UsageError, match=r"\d+ of 72 requests to scripted have no reply yet"):
        score_run(run)


def test_a_model_whose_asking_never_began_is_told(run: Path) -> None:
    (models_folder(run) / "later-00000000").mkdir()
    with pytest.raises(UsageError, match="later-00000000 was stopped before it began"):
        score_run(run)


def test_an_error_asked_again_with_success_is_scored_by_its_success(run: Path) -> None:
    errors = {score.family: score for score in scores(run) if score.outcome == "error" and score.language == "en"}
    path = journal_path(run, journal_name(Scripted()))
    rows = read_records(models_folder(run) / journal_name(Scripted()), Asked, prefix=ASKED)
    keys = [row.key for row in rows if row.family in errors and row.language == "en"]

    async def mend() -> None:
        with Journal.open(path) as journal:
            await journal.commit([(key, Reply(status="ok", text="Answer: A")) for key in keys])

    asyncio.run(mend())
    score_run(run)
    mended = [score for score in scores(run) if score.family in errors and score.language == "en"]
    assert len(mended) == len(errors) > 0
    assert all(score.letter == "A" for score in mended)


def test_likelihoods_can_be_read_the_other_way_later(make_data: MakeData, tmp_path: Path) -> None:
    class ByLength(LongestOption):
        """Finds every option equally likely by the byte, but for the third one; so the shortest is likeliest in all."""

        def _reply(self, request: Request) -> Reply:
            spread = [
                len(option.encode()) * (0.9 if index == 2 else 1.0) for index, option in enumerate(request.options)
            ]
            return Reply(status="ok", option_logprobs=tuple(-value for value in spread))

    data, out = make_data(), tmp_path / "run"
    short = make_data(
        "short", change=lambda item: msgspec.structs.replace(item, options=("p", "qqqq", "rrrrrrrr", "s" * 12))
    )
    run_benchmark([ByLength()], data=short, plan=Plan(answers=("score_options",)), out=out)
    score_run(out)
    assert {(score.answer, score.letter, score.rule) for score in scores(out)} == {("score_options", "A", "likelihood")}
    score_run(out, per_byte=True)
    assert {(score.answer, score.letter, score.rule) for score in scores(out)} == {
        ("score_options/byte", "C", "likelihood per byte")
    }
    both = tmp_path / "both"
    run_benchmark([ByLength()], data=data, plan=Plan(answers=("score_options", "score_options/byte")), out=both)
    score_run(both)
    assert {score.answer for score in scores(both)} == {"score_options", "score_options/byte"}
    with pytest.raises(UsageError, match="both ways already"):
        score_run(both, per_byte=True)


def test_a_folder_that_is_no_run_is_refused(make_data: MakeData, tmp_path: Path) -> None:
    with pytest.raises(InputError):
        score_run(tmp_path)
    with pytest.raises(InputError):
        score_run(make_data())


def test_scoring_loads_no_model_and_no_network_client(run: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from globmed.bench.pipeline import bench_score, bench_analyze\n"
        "bench_score(Path(sys.argv[1])); bench_analyze(Path(sys.argv[1]))\n"
        "print(sorted({'torch', 'transformers', 'aiohttp'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code, str(run)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_score_says_what_its_item_was_and_what_the_reply_took(make_data: MakeData, tmp_path: Path) -> None:
    noted = Finding(check="region", severity="note", field="region", message="US: 911")
    overruled = Review(reviewer="R", day="2026-11-23", accuracy=5, fluency=5, completeness=5, overruled=("region",))
    hands: dict[str, dict[str, Any]] = {
        "en": {"findings": (noted,)},
        "es": {"findings": (noted,), "review": (overruled,), "model": "scripted"},
        "sw": {"steps": (Step(name="candidate", model="other"), Step(name="critique", model="scripted"))},
    }

    def change(item: Item) -> Item:
        provenance = msgspec.structs.replace(item.provenance, **hands[item.language])
        return msgspec.structs.replace(item, provenance=provenance, subset="negToPos")

    class Billed(Scripted):
        def reply(self, number: int) -> Reply:  # noqa: ARG002 - every question alike
            return Reply(status="ok", text="Answer: A", usage=Usage(input=90, cached=40, output=9, reasoning=5))

    run = tmp_path / "run"
    plan = Plan(scale_limits=False, answers=("generate/permuted",), runs=2)
    run_benchmark([Billed()], data=make_data(change=change), plan=plan, out=run)
    score_run(run)
    found = scores(run)
    assert {(one.language, one.region_bound, one.had_a_hand) for one in found} == {
        ("en", True, False),
        ("es", False, True),
        ("sw", False, True),
    }
    for one in found:
        assert one.subset == "negToPos"
        assert (one.input_tokens, one.cached_tokens, one.output_tokens, one.reasoning_tokens) == (90, 40, 9, 5)
        assert one.gold == int(one.family.split(":")[1]) % 4
        assert one.correct == (one.option == one.gold)
    # Always the first option shown is no favour to any of the item's own.
    assert {one.letter for one in found} == {"A"}
    assert {one.option for one in found} == {0, 1, 2, 3}
    assert len({one.option for one in found if one.language == "en" and one.run == 0}) > 1
