"""Exports: what is written, what is refused, and that what they read and grade is what a run does."""

import json
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from globmed.bench.effort import Effort
from globmed.bench.export import Question, grade, questions, reply_of
from globmed.bench.export.coming_back import Saved, import_replies, read_saved
from globmed.bench.export.lm_eval import export_lm_eval, read, result
from globmed.bench.pipeline import bench_score
from globmed.bench.runner import run_benchmark
from globmed.bench.scoring import SCORES, Score
from globmed.bench.selection import Plan
from globmed.core.errors import InputError, TermsError, UsageError
from globmed.core.item import Item
from globmed.core.store import read_records
from globmed.models.baseline import LongestOption
from globmed.models.client import Reply, Usage

MakeData = Callable[..., Path]
PLAN = Plan(languages=("en", "sw"), answers=("generate", "generate/english", "generate/permuted"))


def test_a_task_a_language_and_condition_with_the_prompts_of_a_run(make_data: MakeData, tmp_path: Path) -> None:
    data = make_data()
    written = export_lm_eval(data, PLAN, out=tmp_path / "tasks")
    assert written.tasks == {
        f"globmed_mcqa_{code}{condition}": 24 for code in ("en", "sw") for condition in ("", "_english", "_permuted")
    }
    named = {path.name for path in (tmp_path / "tasks").iterdir()}
    assert named == {f"{name}.{ending}" for name in written.tasks for ending in ("yaml", "jsonl")} | {
        "globmed_tasks.py"
    }
    asked = {question.id: question for question in questions(data, PLAN)}
    for name in written.tasks:
        for line in (tmp_path / "tasks" / f"{name}.jsonl").read_text().splitlines():
            doc = json.loads(line)
            question = asked.pop(doc["id"])
            assert doc["prompt"] == question.prompt
            assert msgspec.json.decode(doc["question"], type=Question) == question
            (letter,) = doc["target"]
            assert grade(question, reply_of(f"Answer: {letter}")).correct
            assert read([[f"Answer: {letter}"], ["I do not know."]], [doc, doc]) == [[letter], ["unread"]]
            assert result(doc, [letter]) == {"acc": 1.0, "unread": 0.0}
            assert result(doc, ["unread"]) == {"acc": 0.0, "unread": 1.0}
    assert not asked


@pytest.mark.parametrize("answer", ["score_letters", "generate/2_shot", "generate/translated"])
def test_what_other_tools_would_ask_otherwise_is_refused(make_data: MakeData, tmp_path: Path, answer: str) -> None:
    with pytest.raises(UsageError, match="cannot be exported; expected `generate`"):
        export_lm_eval(make_data(), Plan(answers=(answer,)), out=tmp_path / "tasks")


def test_a_folder_with_files_and_items_that_may_not_leave_are_refused(make_data: MakeData, tmp_path: Path) -> None:
    (tmp_path / "tasks").mkdir()
    (tmp_path / "tasks" / "mine").touch()
    with pytest.raises(UsageError, match="tasks: is a file or holds files already"):
        export_lm_eval(make_data(), PLAN, out=tmp_path / "tasks")

    def kept(item: Item) -> Item:
        return replace(item, provenance=replace(item.provenance, may_leave_machine=False))

    with pytest.raises(TermsError, match="forbid"):
        export_lm_eval(make_data("secret", change=kept), PLAN, out=tmp_path / "other")


def test_an_export_refused_half_way_leaves_nothing(make_data: MakeData, tmp_path: Path) -> None:
    def kept(item: Item) -> Item:
        return replace(item, provenance=replace(item.provenance, may_leave_machine=item.language != "sw"))

    data, secret = make_data(), make_data("secret", change=kept)
    before = set(tmp_path.iterdir())
    with pytest.raises(TermsError, match="forbid"):
        export_lm_eval(secret, PLAN, out=tmp_path / "tasks")
    assert set(tmp_path.iterdir()) == before
    assert export_lm_eval(data, PLAN, out=tmp_path / "tasks").tasks


def prepared(data: Path, run: Path) -> LongestOption:
    client = LongestOption()
    run_benchmark([client], data=data, plan=PLAN, out=run, effort=Effort(estimate_only=True))
    return client


def test_replies_come_back_once_and_are_scored(make_data: MakeData, tmp_path: Path) -> None:
    data, run = make_data(), tmp_path / "run"
    client = prepared(data, run)
    replies = [Saved("x:1", question.id, reply_of("Answer: B")) for question in questions(data, PLAN)]
    assert import_replies(run, client, replies[:100]).missing == len(replies) - 100
    again = import_replies(run, client, replies)
    assert (again.replies, again.known, again.missing) == (len(replies) - 100, 100, 0)
    bench_score(run)
    asked = {question.id: question for question in questions(data, PLAN)}
    scores = list(read_records(run / "scores", Score, prefix=SCORES))
    assert len(scores) == len(replies)
    for score in scores:
        question = asked[f"{score.family}/{score.language}/{score.answer}/{score.run}"]
        assert (score.letter, score.correct) == ("B", grade(question, reply_of("Answer: B")).correct)


def test_replies_to_what_was_not_asked_and_second_ones_are_refused(make_data: MakeData, tmp_path: Path) -> None:
    data, run = make_data(), tmp_path / "run"
    client = prepared(data, run)
    with pytest.raises(InputError, match="a reply to 'made:1/xx/generate/0'; expected a question that"):
        import_replies(run, client, [Saved("x:1", "made:1/xx/generate/0", reply_of("A"))])
    with pytest.raises(InputError, match="x:2: found a second reply to made:40/en/generate/0; expected one, which x:1"):
        import_replies(run, client, [Saved(f"x:{n}", "made:40/en/generate/0", reply_of("A")) for n in (1, 2)])


def test_calls_that_a_tool_gave_up_stay_without_an_answer(make_data: MakeData, tmp_path: Path) -> None:
    data, run = make_data(), tmp_path / "run"
    client = prepared(data, run)
    failed = Reply(status="error", finish="timeout")
    asked = list(questions(data, PLAN))
    found = import_replies(run, client, [Saved("x:1", question.id, failed) for question in asked])
    assert (found.replies, found.known, found.failed) == (0, 0, len(asked))
    assert found.missing == len({question.prompt for question in asked})


def test_inspect_says_how_a_reply_ended_and_what_it_used(tmp_path: Path) -> None:
    used = {"input_tokens": 5, "output_tokens": 3, "input_tokens_cache_read": 4, "reasoning_tokens": 2}
    said = {"choices": [{"stop_reason": "max_tokens"}], "completion": "<think>C</think>B", "usage": used}
    withheld = {"choices": [{"stop_reason": "content_filter"}], "completion": "Answer: B"}
    samples = [
        {"id": "a", "output": said},
        {"id": "b", "output": withheld},
        {"id": "c", "output": {"completion": "", "choices": []}, "error": {"message": "timeout"}},
    ]
    path = tmp_path / "log.json"
    path.write_text(json.dumps({"samples": samples}))
    first, second, third = (one.reply for one in read_saved("inspect", [path]))
    assert (first.status, first.text, first.reasoning) == ("truncated", "B", "C")
    assert first.usage == Usage(input=9, cached=4, reasoning=2, output=3)
    assert second.status == "filtered"
    assert (third.status, third.finish) == ("error", "timeout")


def test_files_that_no_tool_wrote_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "samples.jsonl"
    path.write_text('{"doc": {"id": "a"}, "resps": [["A"]]}\n{"doc": {}}\n')
    with pytest.raises(InputError, match=r"samples\.jsonl:2"):
        list(read_saved("lm-eval", [path]))
    with pytest.raises(InputError, match="a log of Inspect"):
        list(read_saved("inspect", [path]))
    with pytest.raises(InputError, match="no file"):
        list(read_saved("inspect", [tmp_path / "none.eval"]))
