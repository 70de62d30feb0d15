"""What a release refuses, and what it writes."""

from pathlib import Path

import msgspec
import pytest

from globmed.core.errors import InputError, TermsError
from globmed.core.item import Item, Provenance, Split
from globmed.core.store import read_manifest, read_records, writing_stage
from globmed.data.corpus import cluster_dataset
from globmed.data.release import release_dataset


def item(family: str, *, language: str = "es", split: Split = "train", cluster: str = "") -> Item:
    return Item(
        family=family,
        language=language,
        kind="mcqa",
        source=family.partition(":")[0],
        split=split,
        question=f"¿Qué es {family}?",
        cluster=cluster,
        provenance=Provenance(native_language="es", licence="licence of the publisher"),
    )


def restricted(one: Item) -> Item:
    provenance = msgspec.structs.replace(one.provenance, may_be_redistributed=False)
    return msgspec.structs.replace(one, provenance=provenance)


def corpus(folder: Path, *items: Item) -> Path:
    by_file: dict[str, list[Item]] = {}
    for one in items:
        by_file.setdefault(f"{one.source}.{one.language}.parquet", []).append(one)
    with writing_stage(folder / "corpus", "corpus") as writer:
        for name, rows in by_file.items():
            writer.write(name, rows, Item)
        writer.write("pairs.parquet", [], Item)
        writer.write("dropped.jsonl", [], Item)
    return folder / "corpus"


def test_a_release_has_one_file_a_source_language_and_split(tmp_path: Path) -> None:
    items = [
        item("s:1", split="test"),
        item("s:1", language="yo", split="test"),
        item("s:2"),
        item("s:3"),
        item("t:1", split="dev"),
    ]
    manifest = release_dataset(corpus(tmp_path, *items), out=tmp_path)
    assert {name: entry.rows for name, entry in manifest.files.items()} == {
        "s.es.test.parquet": 1,
        "s.es.train.parquet": 2,
        "s.yo.test.parquet": 1,
        "t.es.dev.parquet": 1,
    }
    assert sorted(read_records(tmp_path / "release", Item), key=lambda one: (one.family, one.language)) == items
    assert [(count.source, count.language, count.split, count.kept) for count in manifest.counts] == [
        ("s", "es", "test", 1),
        ("s", "es", "train", 2),
        ("s", "yo", "test", 1),
        ("t", "es", "dev", 1),
    ]
    assert read_manifest(tmp_path / "release") == manifest


def test_a_held_out_cluster_in_train_is_refused_in_whatever_language(tmp_path: Path) -> None:
    folder = corpus(
        tmp_path,
        item("s:1", split="test"),
        item("t:9", language="zu", cluster="s:1"),
    )
    with pytest.raises(InputError, match=r"t:9 \(zu, train\): found cluster 's:1', which s:1 \(es, test\) holds"):
        release_dataset(folder, out=tmp_path)
    assert not (tmp_path / "release").exists()


def test_a_family_whose_languages_disagree_on_the_split_is_refused(tmp_path: Path) -> None:
    folder = corpus(tmp_path, item("s:1", split="test"), item("s:1", language="zu", split="dev"))
    with pytest.raises(InputError, match=r"each cluster in one split, in every language"):
        release_dataset(folder, out=tmp_path)


def test_a_family_twice_in_one_language_is_refused(tmp_path: Path) -> None:
    twice = msgspec.structs.replace(item("s:1"), source="another")
    with pytest.raises(InputError, match=r"s:1 \(es, train\): found the same family a second time"):
        release_dataset(corpus(tmp_path, item("s:1"), twice), out=tmp_path)


def test_what_may_not_be_redistributed_is_released_only_privately(tmp_path: Path) -> None:
    folder = corpus(tmp_path, item("s:1"), restricted(item("s:2")))
    with pytest.raises(TermsError, match=r"s:2 \(es, train\): .*licence of the publisher.*private release"):
        release_dataset(folder, out=tmp_path)
    manifest = release_dataset(folder, out=tmp_path, private=True)
    assert manifest.files["s.es.train.parquet"].rows == 2
    assert manifest.configuration == {"private": True}
    with pytest.raises(TermsError):
        release_dataset(folder, out=tmp_path)


def test_a_refused_release_leaves_the_earlier_one_as_it_was(tmp_path: Path) -> None:
    before = release_dataset(corpus(tmp_path, item("s:1")), out=tmp_path)
    with pytest.raises(TermsError):
        release_dataset(corpus(tmp_path, restricted(item("s:1"))), out=tmp_path)
    assert read_manifest(tmp_path / "release") == before


def test_a_release_follows_its_corpus(tmp_path: Path) -> None:
    release_dataset(corpus(tmp_path, item("s:1"), item("s:2", split="dev")), out=tmp_path)
    release_dataset(corpus(tmp_path, item("s:1")), out=tmp_path)
    assert [path.name for path in sorted((tmp_path / "release").iterdir())] == ["manifest.json", "s.es.train.parquet"]


def test_items_that_were_not_clustered_are_refused(tmp_path: Path) -> None:
    with writing_stage(tmp_path / "import", "import") as stage:
        stage.write("s.en.parquet", [], Item)
    with pytest.raises(InputError, match="found the stage 'import'; expected the stage 'corpus'"):
        release_dataset(tmp_path / "import", out=tmp_path)


def test_a_stage_without_items_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"expected item files named <source>.<language>.parquet"):
        release_dataset(corpus(tmp_path), out=tmp_path)


def test_whatever_the_corpus_stage_makes_can_be_released(tmp_path: Path) -> None:
    with writing_stage(tmp_path / "import", "import") as writer:
        rows = [item(f"s:{number}", split="test" if number % 3 else "train") for number in range(30)]
        twins = [msgspec.structs.replace(one, family=f"{one.family}b", split="train") for one in rows[:10]]
        writer.write(
            "s.es.parquet", [*rows, *(msgspec.structs.replace(one, cluster=one.family) for one in twins)], Item
        )
    corpus_manifest = cluster_dataset(tmp_path / "import", out=tmp_path)
    manifest = release_dataset(tmp_path / "corpus", out=tmp_path)
    assert sum(entry.rows for entry in manifest.files.values()) == corpus_manifest.files["s.es.parquet"].rows
    assert corpus_manifest.files["dropped.jsonl"].rows > 0
