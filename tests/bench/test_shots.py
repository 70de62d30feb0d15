"""Examples come from train, never from the question's cluster, and are the same questions in every language."""

from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from globmed.bench.puts import puts
from globmed.bench.runner import run_benchmark
from globmed.bench.selection import Plan
from globmed.bench.shots import Pools
from globmed.bench.tasks import task
from globmed.core.errors import UsageError
from globmed.models.baseline import Chance
from globmed.models.client import Settings
from globmed.prompts import load

MakeData = Callable[..., Path]


def asked(data: Path, run: Path, *answers: str, **changes: object) -> Plan:
    plan = Plan(answers=answers, scale_limits=False, **changes)  # type: ignore[arg-type]
    run_benchmark([Chance()], data=data, plan=plan, out=run)
    return plan


def test_examples_are_solved_train_questions_of_the_same_source_and_language(
    make_data: MakeData, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    plan = asked(make_data(sources=("made", "other")), run, "generate/3_shot")
    seen = list(puts(run, plan, {}))
    assert {put.item.language for put in seen} == {"en", "es", "sw"}
    for put in seen:
        messages = put.request.messages
        assert [message.role for message in messages] == ["user", "assistant"] * 3 + ["user"]
        assert all(message.content.startswith(load("mcqa", put.item.language).body[:20]) for message in messages[::2])
        # In the made data the third option of every train item is right.
        assert all(message.content.endswith(": C") for message in messages[1::2])
        assert f"({put.item.language})?" in messages[0].content


def test_languages_share_the_examples_and_seeds_do_not(make_data: MakeData, tmp_path: Path) -> None:
    data = make_data()

    def shown(seed: int) -> dict[tuple[str, str], tuple[str, ...]]:
        run = tmp_path / str(seed)
        plan = asked(data, run, "generate/4_shot", seed=seed)
        pools = Pools(run, seed=seed)
        return {
            (put.item.family, put.item.language): tuple(one.family for one in pools.examples(put.item, 4))
            for put in puts(run, plan, {})
        }

    first, second = shown(0), shown(1)
    families = {family for family, _ in first}
    assert all(first[family, "en"] == first[family, "sw"] == first[family, "es"] for family in families)
    assert len({first[family, "en"] for family in families}) > len(families) / 2
    assert first != second


def test_no_question_is_shown_its_own_cluster(make_data: MakeData, tmp_path: Path) -> None:
    # Asked in the train split itself, where every cluster holds two questions.
    run = tmp_path / "run"
    plan = asked(make_data(), run, "generate/5_shot", split="train")
    pools = Pools(run, seed=plan.seed)
    for put in puts(run, plan, {}):
        examples = pools.examples(put.item, 5)
        assert put.item.cluster not in {one.cluster for one in examples}
        assert len({one.cluster for one in examples}) == 5


def test_too_few_examples_are_refused_before_anything_is_asked(make_data: MakeData, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"15 questions of its train split .* expected more than 15") as refused:
        asked(make_data(), tmp_path / "run", "generate/15_shot")
    assert "\n" not in str(refused.value)
    assert not list((tmp_path / "run").glob("models/*"))


def test_an_example_that_may_not_leave_the_machine_holds_the_question_back(make_data: MakeData, tmp_path: Path) -> None:
    run = tmp_path / "run"
    plan = asked(make_data(), run, "generate/1_shot")
    put = next(puts(run, plan, {}))
    (shot,) = Pools(run, seed=plan.seed).examples(put.item, 1)
    bound = replace(shot, provenance=replace(shot.provenance, may_leave_machine=False))
    for shown, may_leave in ((shot, True), (bound, False)):
        request = task("mcqa").request(put.item, condition=put.condition, run=0, settings=Settings(), shots=(shown,))
        assert request.may_leave_machine == may_leave
