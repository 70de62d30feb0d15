"""Every number follows from the saved replies, and what does not is named."""

from collections.abc import Callable
from pathlib import Path

import msgspec
import pyarrow.parquet as pq
import pytest

from globmed.bench.asked import analysis_folder, asked_folder, journal_path, scores_folder
from globmed.bench.pipeline import bench_analyze, bench_score
from globmed.bench.runner import run_benchmark
from globmed.bench.selection import Plan
from globmed.bench.verify import verify_run
from globmed.core.errors import InputError, UsageError
from globmed.core.store import MANIFEST, FileEntry, file_hash, read_manifest
from globmed.models.baseline import Chance, LongestOption, Majority

MakeData = Callable[..., Path]


@pytest.fixture
def run(make_data: MakeData, tmp_path: Path) -> Path:
    out = tmp_path / "run"
    plan = Plan(scale_limits=False, answers=("generate", "generate/permuted/2_shot"))
    run_benchmark([Chance(), LongestOption()], data=make_data(), plan=plan, out=out)
    bench_score(out)
    bench_analyze(out)
    return out


def broken(run: Path) -> dict[str, str]:
    return {verdict.part: verdict.found for verdict in verify_run(run) if not verdict.holds}


def forge(path: Path, column: str, value: object) -> None:
    """Change the first row of a stage's file, and its manifest with it."""
    table = pq.read_table(path)
    row = {**table.slice(0, 1).to_pylist()[0], column: value}
    pq.write_table(pq.read_table(path).from_pylist([row, *table.slice(1).to_pylist()], schema=table.schema), path)
    manifest = read_manifest(path.parent)
    entry = msgspec.structs.replace(manifest.files[path.name], sha256=file_hash(path))
    changed: dict[str, FileEntry] = {**manifest.files, path.name: entry}
    (path.parent / MANIFEST).write_bytes(msgspec.json.encode(msgspec.structs.replace(manifest, files=changed)))


def test_a_run_left_alone_holds(run: Path) -> None:
    verdicts = verify_run(run)
    assert all(verdict.holds for verdict in verdicts), verdicts
    parts = [verdict.part for verdict in verdicts]
    assert {"files of asked", "files of examples", "prompts", "scores/scores.parquet"} <= set(parts)
    assert "analysis/accuracy.parquet" in parts


def test_a_table_edited_by_hand_is_named(run: Path) -> None:
    path = analysis_folder(run) / "accuracy.parquet"
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    assert set(broken(run)) == {"files of analysis", "analysis/accuracy.parquet"}


@pytest.mark.parametrize(("column", "value"), [("accuracy", 0.99), ("model", "another")])
def test_a_forged_table_is_found_though_its_hash_fits(run: Path, column: str, value: object) -> None:
    forge(analysis_folder(run) / "accuracy.parquet", column, value)
    found = broken(run)
    assert set(found) == {"analysis/accuracy.parquet"}
    assert found["analysis/accuracy.parquet"].startswith(f"row 0: {column} is {value!r} there and ")


def test_a_forged_score_is_found_though_its_hash_fits(run: Path) -> None:
    forge(scores_folder(run) / "scores.parquet", "rule", "made up")
    assert "row 0: rule is 'made up' there" in broken(run)["scores/scores.parquet"]


def test_replies_that_came_after_the_scores_are_told(run: Path) -> None:
    plan = Plan(scale_limits=False, answers=("generate", "generate/permuted/2_shot"))
    run_benchmark([Majority({"A": 1})], data=run.parent / "data", plan=plan, out=run)
    found = broken(run)
    assert "inputs of the scores" in found
    assert "rows" in found["scores/scores.parquet"]


def test_a_lost_journal_is_told(run: Path) -> None:
    for journal in (run / "replies").glob("*.journal"):
        journal.unlink()
    assert "have no reply yet" in broken(run)["scores"]
    assert not list(journal_path(run, "x").parent.glob("*.journal"))


def test_a_prompt_that_changed_since_is_told(run: Path) -> None:
    manifest = read_manifest(asked_folder(run))
    prompts = {**manifest.configuration["prompts"], "mcqa/en": "0" * 16}
    changed = msgspec.structs.replace(manifest, configuration={**manifest.configuration, "prompts": prompts})
    (asked_folder(run) / MANIFEST).write_bytes(msgspec.json.encode(changed, order="deterministic"))
    assert "1 of 3 have changed since, such as mcqa/en" in broken(run)["prompts"]


def test_what_is_no_scored_run_is_refused(tmp_path: Path, make_data: MakeData) -> None:
    with pytest.raises(InputError):
        verify_run(tmp_path)
    run_benchmark([Chance()], data=make_data(), plan=Plan(scale_limits=False), out=tmp_path / "run")
    with pytest.raises(UsageError, match="Run: globmed bench score"):
        verify_run(tmp_path / "run")
