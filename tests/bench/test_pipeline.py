"""The road from data to table, with the baselines, over made and over real items."""

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from globmed.bench.analysis import accuracy_table
from globmed.bench.pipeline import bench_analyze, bench_run, bench_score, metric_table
from globmed.bench.selection import Plan
from globmed.core.errors import UsageError
from globmed.core.item import Item
from globmed.core.store import read_manifest, table
from globmed.data.importing import Wanted, import_sources

MakeData = Callable[..., Path]


BASELINES = ("chance", "majority", "longest")


def accuracies(run: Path) -> dict[tuple[str, str, str], float]:
    rows = accuracy_table(run).to_pylist()
    return {(row["model"], row["answer"], row["group"]): row["accuracy"] for row in rows}


def test_baselines_score_what_construction_says(make_data: MakeData, tmp_path: Path) -> None:
    plan = Plan(answers=("generate", "score_letters", "score_options", "score_options/byte"))
    bench_run(BASELINES, data=make_data(), plan=plan, out=tmp_path / "run")
    bench_score(tmp_path / "run")
    bench_analyze(tmp_path / "run")
    found = accuracies(tmp_path / "run")
    # Test items are 30 to 53: number % 4 is right, C in train, number // 4 % 4 the longest.
    longest = sum(n % 4 == n // 4 % 4 for n in range(30, 54)) / 24
    for answer in plan.answers:
        for group in ("en", "es", "sw", "high", "low", "all"):
            assert found["majority", answer, group] == pytest.approx(0.25)
            assert found["longest", answer, group] == pytest.approx(longest)
            assert 0 <= found["chance", answer, group] <= 0.7
    stored = table(tmp_path / "run" / "analysis", prefix="accuracy").to_pylist()
    assert {row["source"] for row in stored} == {"all", "made"}
    assert read_manifest(tmp_path / "run" / "analysis").inputs


def test_an_unknown_model_stops_before_anything_is_written(make_data: MakeData, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="did you mean 'chance'"):
        bench_run(["chanse"], data=make_data(), plan=Plan(), out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.real
@pytest.mark.slow
def test_baselines_over_the_real_headqa(real_data: Path, tmp_path: Path) -> None:
    import_sources([Wanted(name="headqa", path=real_data / "headqa")], languages=("es", "en"), out=tmp_path)
    plan = Plan(languages=("es", "en"), answers=("score_options",))
    result = bench_run(BASELINES, data=tmp_path / "import", plan=plan, out=tmp_path / "run")
    assert {count.language: count.read for count in result.asked.counts} == {"en": 2742, "es": 2742}
    # 67 rows with an image are left out in both languages, and those with two identical options.
    assert all(count.dropped.get("blocked: image") == 67 for count in result.asked.counts)
    bench_score(tmp_path / "run")
    rows = {(row["model"], row["group"]): row for row in accuracy_table(tmp_path / "run").to_pylist()}
    for language in ("es", "en"):
        assert rows["chance", language]["chance"] == pytest.approx(0.25, abs=0.001)
        assert rows["chance", language]["low"] < 0.25 < rows["chance", language]["high"]
        assert 0.27 < rows["longest", language]["accuracy"] < 0.34
        assert 0.2 < rows["majority", language]["accuracy"] < 0.3


def test_metrics_are_given_by_source_and_by_its_parts(make_data: MakeData, tmp_path: Path) -> None:
    def change(item: Item) -> Item:
        number = int(item.family.split(":")[1])
        return msgspec.structs.replace(item, subset="negToPos" if number % 2 else "pos")

    run = tmp_path / "run"
    bench_run(["longest"], data=make_data(change=change), plan=Plan(), out=run)
    bench_score(run)
    rows = metric_table(run, metrics=("accuracy",)).to_pylist()
    found = {row["subset"]: row for row in rows if row["group"] == "sw"}
    assert set(found) == {"all", "negToPos", "pos"}
    assert found["all"]["n"] == 24 == found["pos"]["n"] + found["negToPos"]["n"]
    said = {row["metric"] for row in metric_table(run).to_pylist()}
    assert said == {"accuracy", "above_chance", "unread", "refused", "truncated"}
    with pytest.raises(UsageError, match="did you mean 'accuracy'"):
        metric_table(run, metrics=("acuracy",))


def test_a_run_asked_since_it_was_scored_has_no_metrics(make_data: MakeData, tmp_path: Path) -> None:
    run = tmp_path / "run"
    bench_run(["longest"], data=make_data(), plan=Plan(), out=run)
    with pytest.raises(UsageError, match="Run: globmed bench score"):
        metric_table(run)
