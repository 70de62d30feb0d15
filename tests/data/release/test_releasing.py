"""What a release refuses, what it leaves out, and what it writes."""

import errno
import hashlib
from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from globmed.core.dataset import read_items
from globmed.core.errors import EnvironmentFailedError, InputError, TermsError, UsageError
from globmed.core.item import Finding, Item, Review
from globmed.core.store import read_jsonl, read_manifest, writing_stage
from globmed.data.corpus import cluster_dataset
from globmed.data.release import Choice, release_dataset, releasing, survey

MakeItem = Callable[..., Item]
MakeStage = Callable[..., Path]

BLOCK = [msgspec.to_builtins(Finding(check="option_count", severity="block", field="options", message="4 and 3"))]
DESCRIPTIONS = {"README.md", "croissant.json"}


def rows(folder: Path) -> dict[str, int]:
    files = read_manifest(folder).files
    return {name: entry.rows for name, entry in files.items() if name not in DESCRIPTIONS}


def hashes(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_a_release_has_one_file_a_source_language_and_split(tmp_path: Path, stage: MakeStage, rich: list[Item]) -> None:
    manifest = release_dataset(stage(tmp_path, *rich), out=tmp_path)
    assert rows(tmp_path / "release") == {
        "s.es.test.parquet": 1,
        "s.es.train.parquet": 1,
        "s.sw.test.parquet": 1,
        "s.sw.train.parquet": 1,
        "t.es.dev.parquet": 1,
        "t.yo.dev.parquet": 1,
    }
    assert sorted(read_items(tmp_path / "release"), key=lambda one: (one.family, one.language)) == rich
    counts = {(count.source, count.language, count.split): (count.read, count.kept) for count in manifest.counts}
    assert counts["s", "sw", "test"] == (1, 1)
    assert len(counts) == 6
    assert read_manifest(tmp_path / "release") == manifest
    assert {path.name for path in (tmp_path / "release").iterdir()} == {*manifest.files, "manifest.json"}


def test_two_releases_of_one_stage_are_the_same_bytes(tmp_path: Path, stage: MakeStage, rich: list[Item]) -> None:
    folder = stage(tmp_path, *rich)
    choice = Choice(formats=("jsonl", "globmed"))
    for out in ("a", "b"):
        release_dataset(folder, out=tmp_path / out, choice=choice)
    assert hashes(tmp_path / "a") == hashes(tmp_path / "b")
    again = (tmp_path / "a/release/README.md").stat().st_mtime_ns
    release_dataset(folder, out=tmp_path / "a", choice=choice)
    assert (tmp_path / "a/release/README.md").stat().st_mtime_ns == again


def test_json_lines_hold_the_same_items(tmp_path: Path, stage: MakeStage, rich: list[Item]) -> None:
    release_dataset(stage(tmp_path, *rich), out=tmp_path, choice=Choice(formats=("parquet", "jsonl")))
    lines = [one for path in sorted((tmp_path / "release").glob("*.jsonl")) for one in read_jsonl(path, Item)]
    assert lines == list(read_items(tmp_path / "release"))


def test_a_held_out_cluster_in_train_is_refused_in_whatever_language(
    tmp_path: Path, item: MakeItem, stage: MakeStage
) -> None:
    folder = stage(tmp_path, item("s:1", split="test"), item("t:9", "zu", cluster="s:1"))
    with pytest.raises(InputError, match=r"t:9 \(zu, train\): found cluster 's:1', which s:1 \(es, test\) holds"):
        release_dataset(folder, out=tmp_path)
    assert not (tmp_path / "release").exists()
    assert rows_after_leaving_out(folder, tmp_path, "t") == {"s.es.test.parquet": 1}


def rows_after_leaving_out(folder: Path, out: Path, source: str) -> dict[str, int]:
    release_dataset(folder, out=out, choice=Choice(leave_out=(source,)))
    return rows(out / "release")


def test_a_family_whose_languages_disagree_on_the_split_is_refused(
    tmp_path: Path, item: MakeItem, stage: MakeStage
) -> None:
    folder = stage(tmp_path, item("s:1", split="test"), item("s:1", "zu", "dev"))
    with pytest.raises(InputError, match=r"each cluster in one split, in every language"):
        release_dataset(folder, out=tmp_path)


def test_a_family_twice_in_one_language_is_refused(tmp_path: Path, item: MakeItem, stage: MakeStage) -> None:
    folder = stage(tmp_path, item("s:1"), item("s:1", source="another"))
    with pytest.raises(InputError, match=r"s:1 \(es, train\): found the same family a second time"):
        release_dataset(folder, out=tmp_path)


def test_names_that_share_a_hash_are_not_taken_for_one(
    tmp_path: Path, item: MakeItem, stage: MakeStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("globmed.data.packed_keys.key_hash", lambda _name: 7)
    monkeypatch.setattr(survey, "key_hash", lambda _name: 7)
    release_dataset(stage(tmp_path, item("s:1", split="test"), item("s:2")), out=tmp_path)
    assert sum(rows(tmp_path / "release").values()) == 2


def test_what_may_not_be_redistributed_is_released_only_privately_or_without_it(
    tmp_path: Path, item: MakeItem, stage: MakeStage
) -> None:
    folder = stage(
        tmp_path,
        item("s:1"),
        item("s:2", may_be_redistributed=False, licence="credentialed"),
        item("t:1", "yo", "test"),
        item("u:1", "yo", may_be_redistributed=False),
    )
    with pytest.raises(
        TermsError, match=r"s \(1 items: credentialed\); u \(.*\(--leave-out s --leave-out u\).*private"
    ):
        release_dataset(folder, out=tmp_path)
    assert not (tmp_path / "release").exists()
    manifest = release_dataset(folder, out=tmp_path, private=True)
    assert manifest.files["s.es.train.parquet"].rows == 2
    assert manifest.configuration["private"] is True
    assert "Do not pass it on: it holds 2 items whose" in (tmp_path / "release/README.md").read_text(encoding="utf-8")
    manifest = release_dataset(folder, out=tmp_path, choice=Choice(leave_out=("s", "u")))
    assert rows(tmp_path / "release") == {"t.yo.test.parquet": 1}
    by = {(count.source, count.language): count for count in manifest.counts}
    assert (by["s", "es"].read, by["s", "es"].kept, by["s", "es"].dropped) == (2, 0, {"left out: s": 2})
    card = (tmp_path / "release/README.md").read_text(encoding="utf-8")
    assert "| left out: s | 2 |" in card
    assert "credentialed" not in card


def test_blocked_items_are_dropped_unless_kept_or_overruled(tmp_path: Path, item: MakeItem, stage: MakeStage) -> None:
    review = Review(reviewer="R", day="2026-11-22", accuracy=5, fluency=5, completeness=5, overruled=("option_count",))
    folder = stage(
        tmp_path,
        item("s:1", findings=BLOCK),
        item("s:2", findings=BLOCK, review=[msgspec.to_builtins(review)]),
        item("s:3"),
    )
    manifest = release_dataset(folder, out=tmp_path)
    assert manifest.counts[0].dropped == {"blocked: option_count": 1}
    assert [one.family for one in read_items(tmp_path / "release")] == ["s:2", "s:3"]
    release_dataset(folder, out=tmp_path, choice=Choice(keep_blocked=True))
    assert [one.family for one in read_items(tmp_path / "release")] == ["s:1", "s:2", "s:3"]
    card = (tmp_path / "release/README.md").read_text(encoding="utf-8")
    assert "| option_count | block | 1 |" in card
    assert "such items are kept here" in card


def test_a_refused_release_leaves_the_earlier_one_as_it_was(tmp_path: Path, item: MakeItem, stage: MakeStage) -> None:
    before = release_dataset(stage(tmp_path, item("s:1")), out=tmp_path)
    with pytest.raises(TermsError):
        release_dataset(stage(tmp_path, item("s:1", may_be_redistributed=False)), out=tmp_path)
    assert read_manifest(tmp_path / "release") == before


def test_a_full_disk_leaves_the_earlier_release_and_nothing_half_written(
    tmp_path: Path, item: MakeItem, stage: MakeStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    release_dataset(stage(tmp_path, item("s:1")), out=tmp_path)
    before = hashes(tmp_path / "release")

    def full(*_arguments: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(releasing, "write_row_groups", full)
        with pytest.raises(EnvironmentFailedError, match="No space left on device"):
            release_dataset(stage(tmp_path, item("s:2")), out=tmp_path)
    assert hashes(tmp_path / "release") == before


def test_a_release_follows_its_corpus(tmp_path: Path, item: MakeItem, stage: MakeStage) -> None:
    release_dataset(stage(tmp_path, item("s:1"), item("s:2", split="dev")), out=tmp_path)
    release_dataset(stage(tmp_path, item("s:1")), out=tmp_path)
    names = {path.name for path in (tmp_path / "release").iterdir()}
    assert names == {*DESCRIPTIONS, "manifest.json", "s.es.train.parquet"}


@pytest.mark.parametrize("name", ["corpus", "translate", "quality", "review"])
def test_every_stage_that_keeps_clusters_in_splits_can_be_released(
    tmp_path: Path, item: MakeItem, stage: MakeStage, name: str
) -> None:
    release_dataset(stage(tmp_path, item("s:1"), name=name, inputs={"corpus": "0" * 64}), out=tmp_path)
    assert rows(tmp_path / "release") == {"s.es.train.parquet": 1}


@pytest.mark.parametrize(("name", "found"), [("import", "'import'"), ("translate", "'translate' made from an import")])
def test_items_that_were_not_clustered_are_refused(
    tmp_path: Path, item: MakeItem, stage: MakeStage, name: str, found: str
) -> None:
    folder = stage(tmp_path, item("s:1"), name=name, inputs={"import": "0" * 64})
    with pytest.raises(InputError, match=rf"found the stage {found}; expected .*leak into training.*globmed data clus"):
        release_dataset(folder, out=tmp_path)


def test_a_stage_without_items_or_half_written_is_refused(tmp_path: Path, item: MakeItem, stage: MakeStage) -> None:
    with pytest.raises(InputError, match=r"expected item files named <source>.<language>.parquet"):
        release_dataset(stage(tmp_path), out=tmp_path)
    folder = stage(tmp_path, item("s:1"))
    (folder / "manifest.json").unlink()
    with pytest.raises(InputError, match=r"found no manifest.json"):
        release_dataset(folder, out=tmp_path)


def test_a_release_of_nothing_is_refused(tmp_path: Path, item: MakeItem, stage: MakeStage) -> None:
    with pytest.raises(InputError, match=r"no item to release \(1 blocked: option_count, 1 left out: t\)"):
        release_dataset(
            stage(tmp_path, item("s:1", findings=BLOCK), item("t:1")), out=tmp_path, choice=Choice(leave_out=("t",))
        )
    with writing_stage(tmp_path / "corpus", "corpus") as writer:
        writer.write("s.es.parquet", [], Item)
    with pytest.raises(InputError, match=r"no item to release \(files without items\)"):
        release_dataset(tmp_path / "corpus", out=tmp_path)


def test_a_stage_of_another_version_is_refused(tmp_path: Path) -> None:
    class OldItem(msgspec.Struct, frozen=True, kw_only=True):
        family: str
        language: str

    with writing_stage(tmp_path / "corpus", "corpus") as writer:
        writer.write("s.es.parquet", [OldItem(family="s:1", language="es")], OldItem)
    with pytest.raises(InputError, match=r"found the columns family, language; expected .*this version.*import on"):
        release_dataset(tmp_path / "corpus", out=tmp_path)


def test_wrong_choices_are_refused(tmp_path: Path, item: MakeItem, stage: MakeStage) -> None:
    folder = stage(tmp_path, item("headqa:1"), item("medqa:1"))
    with pytest.raises(UsageError, match=r"--leave-out headqaa: .*did you mean 'headqa'\?"):
        release_dataset(folder, out=tmp_path, choice=Choice(leave_out=("headqaa",)))
    with pytest.raises(UsageError, match="leaves nothing to release"):
        release_dataset(folder, out=tmp_path, choice=Choice(leave_out=("headqa", "medqa")))


@pytest.mark.parametrize("version", ["1.2", "v1.2.0", "1.2.0.0", "01.2.0", "1.2.0-rc1", "", "1.2.x"])
def test_a_malformed_version_is_refused(version: str) -> None:
    with pytest.raises(UsageError, match=r"expected three numbers, such as 1\.2\.0"):
        Choice(version=version)


def test_malformed_names_and_days_are_refused() -> None:
    with pytest.raises(UsageError, match=r"name '\.\./x': expected letters"):
        Choice(name="../x")
    with pytest.raises(UsageError, match="day '22 Nov': expected a date such as"):
        Choice(day="22 Nov")


def test_whatever_the_corpus_stage_makes_can_be_released(tmp_path: Path, item: MakeItem) -> None:
    with writing_stage(tmp_path / "import", "import") as writer:
        official = [item(f"s:{number}", split="test" if number % 3 else "train") for number in range(30)]
        twins = [msgspec.structs.replace(one, family=f"{one.family}b", split="train") for one in official[:10]]
        own = [msgspec.structs.replace(one, cluster=one.family) for one in twins]
        writer.write("s.es.parquet", [*official, *own], Item)
    corpus_manifest = cluster_dataset(tmp_path / "import", out=tmp_path)
    release_dataset(tmp_path / "corpus", out=tmp_path)
    assert sum(rows(tmp_path / "release").values()) == corpus_manifest.files["s.es.parquet"].rows
    assert corpus_manifest.files["dropped.jsonl"].rows > 0


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 4), st.sampled_from(["es", "sw"]), st.sampled_from(["train", "test"]))))
def test_a_release_is_refused_just_where_sets_would_refuse_it(
    tmp_path_factory: pytest.TempPathFactory,
    item: MakeItem,
    stage: MakeStage,
    drawn: list[tuple[int, str, str]],
) -> None:
    items = [item(f"s:{n}", code, split, cluster=f"c{n // 2}") for n, code, split in drawn]
    splits: dict[str, set[str]] = {}
    for one in items:
        splits.setdefault(one.cluster, set()).add(one.split)
    twice = len({(one.family, one.language) for one in items}) < len(items)
    out = tmp_path_factory.mktemp("release")
    try:
        release_dataset(stage(out, *items), out=out)
    except InputError:
        assert twice or not items or any(len(of) > 1 for of in splits.values())
    else:
        assert not twice
        assert all(len(of) == 1 for of in splits.values())
        assert sorted(one.family for one in read_items(out / "release")) == sorted(one.family for one in items)


def test_small_batches_are_joined_and_none_is_lost(
    tmp_path: Path, item: MakeItem, stage: MakeStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(releasing, "ROWS_PER_GROUP", 1_500)
    splits = np.random.default_rng(0).choice(["train", "test"], 5_000, p=[0.9, 0.1]).tolist()
    items = [item(f"s:{number}", split=split) for number, split in enumerate(splits)]
    release_dataset(stage(tmp_path, *items), out=tmp_path)
    assert list(read_items(tmp_path / "release", splits=["train"])) == [one for one in items if one.split == "train"]
    assert list(read_items(tmp_path / "release", splits=["test"])) == [one for one in items if one.split == "test"]
