"""Runs that differ in what would be taken for a difference between models are not compared."""

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from globmed.bench.asked import scores_folder
from globmed.bench.comparable import refuse_other, two_sides
from globmed.bench.pipeline import bench_score
from globmed.bench.runner import run_benchmark
from globmed.bench.selection import Plan
from globmed.core.errors import UsageError
from globmed.core.store import MANIFEST, read_manifest
from globmed.models.baseline import Chance, LongestOption, Majority
from globmed.models.client import Client, Settings

MakeData = Callable[..., Path]
MakeRun = Callable[..., Path]
PLAN = Plan(scale_limits=False)


@pytest.fixture
def make_run(make_data: MakeData, tmp_path: Path) -> MakeRun:
    """Ask baselines the items of a folder that is made once, and score them."""
    data = make_data()

    def make(name: str, *models: Client, plan: Plan = PLAN, other_data: Path | None = None) -> Path:
        run_benchmark(models or [Chance()], data=other_data or data, plan=plan, out=tmp_path / name)
        bench_score(tmp_path / name)
        return tmp_path / name

    return make


def test_runs_made_alike_differ_in_nothing(make_run: MakeRun) -> None:
    # A run may ask fewer languages, questions and other conditions: common items are compared.
    fewer = Plan(scale_limits=False, languages=("sw",), limit=12, seed=3, answers=("generate", "score_letters"))
    assert refuse_other(make_run("a"), make_run("b", LongestOption(), plan=fewer), despite=()) == {}


def test_other_data_and_split_are_refused(make_run: MakeRun, make_data: MakeData) -> None:
    changed = make_data("changed", change=lambda item: msgspec.structs.replace(item, question=item.question + "!"))
    runs = make_run("a"), make_run("b", other_data=changed)
    with pytest.raises(UsageError, match=r"cannot be compared: other data \(data: .*… and .*…\). Ask both models the"):
        refuse_other(*runs, despite=("prompts", "settings"))
    train = make_run("c", plan=msgspec.structs.replace(PLAN, split="train"))
    with pytest.raises(UsageError, match=r"other data \(split: test and train\)"):
        refuse_other(runs[0], train, despite=())


def test_other_settings_are_refused_unless_they_are_what_is_compared(make_run: MakeRun) -> None:
    warm = msgspec.structs.replace(PLAN, settings=Settings(temperature=0.7, max_tokens=99))
    runs = make_run("a"), make_run("b", plan=warm)
    found = r"other settings \(max_tokens: 512 and 99 and 1 more\). If that is what you compare, add --despite settings"
    with pytest.raises(UsageError, match=found):
        refuse_other(*runs, despite=("prompts",))
    allowed = refuse_other(*runs, despite=("settings",))
    assert allowed == {"settings": "other settings (max_tokens: 512 and 99 and 1 more)"}
    with pytest.raises(UsageError, match="despite 'setings': only these may differ; did you mean 'settings'"):
        refuse_other(*runs, despite=("setings",))


def test_a_seed_counts_where_it_draws_examples(make_run: MakeRun) -> None:
    plans = [msgspec.structs.replace(PLAN, answers=("generate/2_shot",), seed=seed) for seed in (0, 1)]
    with pytest.raises(UsageError, match=r"other settings \(seed: 0 and 1\)"):
        refuse_other(*(make_run(f"run{plan.seed}", plan=plan) for plan in plans), despite=())


def test_prompts_changed_since_are_refused_unless_they_are_what_is_compared(make_run: MakeRun) -> None:
    runs = make_run("a"), make_run("b")
    path = runs[1] / "asked" / MANIFEST
    manifest = read_manifest(path.parent)
    prompts = {**manifest.configuration["prompts"], "mcqa/sw": "another"}
    configuration = {**manifest.configuration, "prompts": prompts}
    path.write_bytes(msgspec.json.encode(msgspec.structs.replace(manifest, configuration=configuration)))
    with pytest.raises(UsageError, match=r"other prompts \(mcqa/sw: \w+ and another\)\. .* --despite prompts"):
        refuse_other(*runs, despite=())
    assert set(refuse_other(*runs, despite=("prompts", "settings"))) == {"prompts"}


def test_scores_of_two_versions_are_refused(make_run: MakeRun) -> None:
    runs = make_run("a"), make_run("b")
    path = scores_folder(runs[1]) / MANIFEST
    path.write_bytes(msgspec.json.encode(msgspec.structs.replace(read_manifest(path.parent), code_version="0.0.1")))
    with pytest.raises(UsageError, match=r"scored by globmed .* and 0.0.1, .* Run: globmed bench score RUN"):
        refuse_other(*runs, despite=())


def test_models_are_found_by_id_or_revision(make_run: MakeRun) -> None:
    run = make_run("a", Chance(), Majority({"A": 1}), Majority({"B": 1}))
    other = make_run("b", LongestOption())
    one, second = two_sides(run, other, models=("chance", "longest"), conditions=0)
    assert (one.run, one.model, second.run, second.model) == (run, "chance", other, "longest")
    with pytest.raises(UsageError, match=r"several models; name which .* chance, majority@.*, majority@"):
        two_sides(run, other, models=(), conditions=0)
    with pytest.raises(UsageError, match=r"several models; name which"):
        two_sides(run, None, models=("majority", "chance"), conditions=0)
    with pytest.raises(UsageError, match="no model 'chanse'; did you mean 'chance'"):
        two_sides(run, None, models=("chanse", "chance"), conditions=0)
    with pytest.raises(UsageError, match="found 3 models to compare; expected two at most"):
        two_sides(run, None, models=("a", "b", "c"), conditions=0)
    revisions = sorted(model.revision for model in (Majority({"A": 1}), Majority({"B": 1})))
    named = two_sides(run, None, models=[f"majority@{revision}" for revision in revisions], conditions=0)
    assert [side.revision for side in named] == revisions


def test_one_model_of_a_run_is_not_compared_with_itself(make_run: MakeRun) -> None:
    run = make_run("a")
    with pytest.raises(UsageError, match=r"chance would be compared with itself. Name two models"):
        two_sides(run, None, models=(), conditions=0)
    assert len(two_sides(run, None, models=(), conditions=2)) == 2


def test_a_run_asked_again_since_is_not_compared(make_run: MakeRun, tmp_path: Path) -> None:
    run = make_run("a")
    run_benchmark([LongestOption()], data=tmp_path / "data", plan=PLAN, out=run)
    with pytest.raises(UsageError, match=f"compacted since. Run: globmed bench score {run}"):
        two_sides(run, None, models=("chance", "longest"), conditions=0)
