"""The stage as a whole: items in, clusters and splits out, and nothing lost on the way."""

import time
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from globmed.core.errors import InputError, UsageError
from globmed.core.item import Item, Provenance, Split
from globmed.core.store import Manifest, read_records, writing_stage
from globmed.data.corpus import cluster_dataset
from globmed.data.corpus.clustering import DroppedItem
from globmed.data.corpus.duplicates import Family, Pair, searched_in
from globmed.data.importing import Wanted, import_sources

OPTIONS = ("Colágeno.", "Elastina.", "Fibronectina.", "Laminina.")
QUESTION = "Forma fibras extracelulares con gran resistencia a la tensión en los tejidos conectivos:"


def item(
    family: str,
    question: str = QUESTION,
    *,
    language: str = "es",
    split: Split = "train",
    native: str = "es",
    options: Sequence[str] = OPTIONS,
) -> Item:
    return Item(
        family=family,
        language=language,
        kind="mcqa",
        source=family.partition(":")[0],
        split=split,
        question=question,
        options=tuple(options),
        provenance=Provenance(native_language=native, licence="CC0"),
    )


def stage(folder: Path, items: Iterable[Item]) -> Path:
    """Write items as the import stage does."""
    by_file: dict[str, list[Item]] = {}
    for one in items:
        by_file.setdefault(f"{one.source}.{one.language}.parquet", []).append(one)
    with writing_stage(folder / "import", "import") as writer:
        for name, rows in by_file.items():
            writer.write(name, rows, Item)
        writer.write("dropped.jsonl", [], DroppedItem)
    return folder / "import"


def corpus_items(out: Path) -> list[Item]:
    names = sorted(path.name for path in (out / "corpus").glob("*.*.parquet"))
    return [one for name in names for one in read_records(out / "corpus", Item, prefix=name)]


def clusters_of(out: Path) -> dict[str, str]:
    return {one.family: one.cluster for one in corpus_items(out)}


def pairs_of(out: Path) -> dict[tuple[str, str], Pair]:
    return {(pair.first, pair.second): pair for pair in read_records(out / "corpus", Pair, prefix="pairs")}


def dropped_from(out: Path) -> list[DroppedItem]:
    return list(read_records(out / "corpus", DroppedItem, prefix="dropped"))


def test_a_duplicate_of_a_test_question_leaves_train_in_every_language(tmp_path: Path) -> None:
    items = [
        item("headqa:1", split="test"),
        item("headqa:1", "Forms extracellular fibres:", language="en", split="test"),
        item("headqa:9", QUESTION.upper(), split="train", options=OPTIONS[::-1]),
        item("headqa:9", "It makes fibres outside of cells:", language="en", split="train", options="abcd"),
        item("headqa:5", "Una pregunta sobre otra cosa:", split="train"),
    ]
    manifest = cluster_dataset(stage(tmp_path, items), out=tmp_path)
    assert pairs_of(tmp_path) == {
        ("headqa:1", "headqa:9"): Pair(
            first="headqa:1", second="headqa:9", similarity=1.0, match="exact", language="es", answers="unknown"
        )
    }
    assert clusters_of(tmp_path) == {"headqa:1": "headqa:1", "headqa:5": "headqa:5"}
    assert [(one.family, one.language, one.split, one.cluster, one.reason) for one in dropped_from(tmp_path)] == [
        ("headqa:9", "en", "train", "headqa:1", "duplicate of a test item"),
        ("headqa:9", "es", "train", "headqa:1", "duplicate of a test item"),
    ]
    counts = {(count.language, count.split): (count.read, count.kept, count.dropped) for count in manifest.counts}
    assert counts == {
        ("en", "test"): (1, 1, {}),
        ("en", "train"): (1, 0, {"duplicate of a test item": 1}),
        ("es", "test"): (1, 1, {}),
        ("es", "train"): (2, 1, {"duplicate of a test item": 1}),
    }


def test_dev_gives_way_to_test_and_holds_against_train(tmp_path: Path) -> None:
    other = "¿Qué fármaco se utiliza en el tratamiento de la intoxicación por opiáceos en urgencias?"
    items = [
        item("s:1", split="dev"),
        item("s:2", split="test"),
        item("s:3", other, split="dev"),
        item("s:4", other, split="train"),
    ]
    cluster_dataset(stage(tmp_path, items), out=tmp_path)
    assert [(one.family, one.reason) for one in dropped_from(tmp_path)] == [
        ("s:1", "duplicate of a test item"),
        ("s:4", "duplicate of a dev item"),
    ]


def test_inside_one_split_duplicates_stay_in_one_cluster(tmp_path: Path) -> None:
    items = [item(f"s:{number}", split="test") for number in (3, 1, 2)]
    cluster_dataset(stage(tmp_path, items), out=tmp_path)
    assert clusters_of(tmp_path) == {"s:1": "s:1", "s:2": "s:1", "s:3": "s:1"}
    assert dropped_from(tmp_path) == []


def test_one_source_is_compared_in_its_native_language_alone(tmp_path: Path) -> None:
    """A translation that makes two questions alike does not join them."""
    items = [
        item("headqa:1"),
        item("headqa:1", "To the girl:", language="en"),
        item("headqa:2", "¿Cuál de los siguientes aminoácidos se repite cada tres residuos?"),
        item("headqa:2", "To the girl:", language="en"),
    ]
    cluster_dataset(stage(tmp_path, items), out=tmp_path)
    assert len(set(clusters_of(tmp_path).values())) == 2


def test_where_the_native_language_is_absent_one_source_is_compared_in_what_there_is(tmp_path: Path) -> None:
    items = [item(f"headqa:{number}", language="en", native="es") for number in (1, 2)]
    cluster_dataset(stage(tmp_path, items), out=tmp_path)
    assert set(clusters_of(tmp_path).values()) == {"headqa:1"}


def test_sources_are_compared_in_every_language_they_share(tmp_path: Path) -> None:
    """CasiMedicos and HEAD-QA: alike in Spanish, unlike in English; and the other way about."""
    items = [
        item("headqa:1", split="test"),
        item("headqa:1", "Forms fibres:", language="en", split="test"),
        item("medexpqa:1", native="en"),
        item("medexpqa:1", "Builds strands outside the cell:", language="en", native="en", options="abcd"),
        item("headqa:2", "El colágeno:", split="test", options="abcd"),
        item("headqa:2", "Collagen, in short:", language="en", split="test", options="efgh"),
        item("medexpqa:2", "Collagen in short", language="en", native="en", options="efgh"),
    ]
    cluster_dataset(stage(tmp_path, items), out=tmp_path)
    found = pairs_of(tmp_path)
    assert {key: pair.language for key, pair in found.items()} == {
        ("headqa:1", "medexpqa:1"): "es",
        ("headqa:2", "medexpqa:2"): "en",
    }
    assert found["headqa:1", "medexpqa:1"].match == "exact"
    assert found["headqa:2", "medexpqa:2"].match == "near"
    assert {one.family for one in dropped_from(tmp_path)} == {"medexpqa:1", "medexpqa:2"}


def test_translations_are_searched_only_where_something_could_be_found() -> None:
    def family(source: str, *languages: str) -> Family:
        return Family(source=source, native_language="en", cluster="", languages=set(languages))

    one_source = {"a:1": family("a", "en", "fr"), "a:2": family("a", "fr", "de"), "a:3": family("a", "en", "de")}
    assert searched_in("en", one_source) == {"a:1", "a:3"}
    assert searched_in("fr", one_source) == {"a:2"}  # there is no English of it
    assert searched_in("de", one_source) == {"a:2"}
    assert searched_in("fr", {**one_source, "b:1": family("b", "en", "fr")}) == {"a:1", "a:2", "b:1"}


def test_translations_equal_within_a_source_are_joined_through_another_source_that_equals_both(
    tmp_path: Path,
) -> None:
    items = [
        item("headqa:1", "Una cosa:"),
        item("headqa:1", QUESTION, language="en"),
        item("headqa:2", "Otra cosa muy distinta:"),
        item("headqa:2", QUESTION, language="en"),
        item("medqa:1", QUESTION, language="en", native="en"),
    ]
    cluster_dataset(stage(tmp_path, items), out=tmp_path)
    assert set(clusters_of(tmp_path).values()) == {"headqa:1"}
    assert set(pairs_of(tmp_path)) == {("headqa:1", "medqa:1"), ("headqa:2", "medqa:1")}


def test_procedural_sources_keep_their_clusters_and_are_never_compared(tmp_path: Path) -> None:
    vitals = [
        msgspec.structs.replace(
            item(f"vitals:{number}", f"{QUESTION} {number}", split="test" if number % 2 else "train"),
            cluster=f"vitals:shape{number % 2}",
        )
        for number in range(6)
    ]
    headqa = [item("headqa:1", f"{QUESTION} 0", split="train")]
    cluster_dataset(stage(tmp_path, [*vitals, *headqa]), out=tmp_path, procedural=["vitals"])
    assert {one.family: one for one in corpus_items(tmp_path)} == {one.family: one for one in [*vitals, *headqa]}
    assert pairs_of(tmp_path) == {}


def test_families_that_their_source_put_in_one_cluster_stay_together(tmp_path: Path) -> None:
    items = [
        msgspec.structs.replace(item("s:1", "Primera pregunta del caso:"), cluster="s:case"),
        msgspec.structs.replace(item("s:2", "Segunda, muy distinta:", split="test"), cluster="s:case"),
        item("s:3", "Primera pregunta del caso:"),
    ]
    cluster_dataset(stage(tmp_path, items), out=tmp_path)
    assert clusters_of(tmp_path) == {"s:2": "s:1"}
    assert {one.family for one in dropped_from(tmp_path)} == {"s:1", "s:3"}


def test_a_source_with_one_split_is_split_anew(tmp_path: Path) -> None:
    questions = [
        item(f"s:{number:03}", f"Pregunta número {number} de {number * 7}", split="dev") for number in range(90)
    ]
    copies = [item(f"s:{number:03}b", f"Pregunta número {number} de {number * 7}", split="dev") for number in range(10)]
    folder = stage(tmp_path, [*questions, *copies])
    shares: dict[str, dict[Split, float]] = {"s": {"train": 0.8, "test": 0.2}}
    manifest = cluster_dataset(folder, out=tmp_path, resplit=shares, seed=3)
    split_of = {one.family: one.split for one in corpus_items(tmp_path)}
    assert len(split_of) == 100
    assert all(split_of[f"s:{number:03}"] == split_of[f"s:{number:03}b"] for number in range(10))
    assert abs(Counter(split_of.values())["test"] - 20) <= 1
    assert {count.split: count.kept for count in manifest.counts} == Counter(split_of.values())
    with pytest.raises(UsageError, match="procedural"):
        cluster_dataset(folder, out=tmp_path, resplit=shares, procedural=["s"])


def test_it_is_done_again_only_when_input_or_configuration_changed(tmp_path: Path) -> None:
    folder = stage(tmp_path, [item("s:1"), item("s:2", "Otra pregunta:")])
    first = cluster_dataset(folder, out=tmp_path)
    written = (tmp_path / "corpus" / "manifest.json").stat().st_mtime_ns
    assert cluster_dataset(folder, out=tmp_path) == first
    assert (tmp_path / "corpus" / "manifest.json").stat().st_mtime_ns == written
    assert cluster_dataset(folder, out=tmp_path, threshold=0.8) != first
    stage(tmp_path, [item("s:1"), item("s:2")])
    assert len(set(clusters_of(tmp_path).values())) == 2
    cluster_dataset(folder, out=tmp_path)
    assert len(set(clusters_of(tmp_path).values())) == 1


def test_a_stage_without_items_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"found dropped.jsonl; expected item files named <source>.<language>.parquet"):
        cluster_dataset(stage(tmp_path, []), out=tmp_path)


def test_a_corpus_is_not_written_over_itself(tmp_path: Path) -> None:
    cluster_dataset(stage(tmp_path, [item("s:1")]), out=tmp_path)
    with pytest.raises(UsageError, match="while it is read"):
        cluster_dataset(tmp_path / "corpus", out=tmp_path)
    assert clusters_of(tmp_path) == {"s:1": "s:1"}


ITEMS = st.lists(
    st.builds(
        item,
        st.builds("{}:{}".format, st.sampled_from(["a", "b", "vitals"]), st.integers(0, 12)),
        st.sampled_from([QUESTION, QUESTION.upper(), f"{QUESTION} ahora", "Otra:", "Una tercera pregunta:", ""]),
        language=st.sampled_from(["es", "en", "yo"]),
        split=st.sampled_from(["train", "dev", "test"]),
        options=st.sampled_from([OPTIONS, OPTIONS[::-1], ("sí", "no"), ()]),
    ),
    min_size=1,
    max_size=30,
    unique_by=lambda one: (one.family, one.language),
)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(items=ITEMS)
def test_no_cluster_crosses_a_split_and_nothing_is_lost(tmp_path: Path, items: list[Item]) -> None:
    manifest = cluster_dataset(stage(tmp_path, items), out=tmp_path, procedural=["vitals"])
    kept, dropped = corpus_items(tmp_path), dropped_from(tmp_path)
    splits: dict[str, set[Split]] = {}
    for one in kept:
        splits.setdefault(one.cluster, set()).add(one.split)
    assert all(len(found) == 1 for found in splits.values())
    everything = [(one.family, one.language) for one in kept] + [(one.family, one.language) for one in dropped]
    assert sorted(everything) == sorted((one.family, one.language) for one in items)
    # Whatever is dropped has a more held-out member of its cluster that stays.
    assert all(one.reason == f"duplicate of a {next(iter(splits[one.cluster]))} item" for one in dropped)
    before = {(one.family, one.language): one for one in items}
    for one in kept:
        assert msgspec.structs.replace(one, cluster=one.family) == before[one.family, one.language]
        assert one.cluster <= one.family
    assert sum(count.read for count in manifest.counts) == len(items)
    assert sum(count.kept for count in manifest.counts) == len(kept)


def test_the_order_of_rows_does_not_matter(tmp_path: Path) -> None:
    items = [item(f"s:{number % 7}{number}", f"{QUESTION} {'ahora ' * (number % 4)}") for number in range(20)]
    cluster_dataset(stage(tmp_path / "a", items), out=tmp_path / "a")
    cluster_dataset(stage(tmp_path / "b", items[::-1]), out=tmp_path / "b")
    assert clusters_of(tmp_path / "a") == clusters_of(tmp_path / "b")
    assert pairs_of(tmp_path / "a") == pairs_of(tmp_path / "b")


@pytest.fixture(scope="module")
def real_corpus(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Manifest]:
    """HEAD-QA, MedMCQA, MMLU-Pro and MedQA as their publishers release them, imported and clustered."""
    out = tmp_path_factory.mktemp("real")
    wanted = [
        Wanted("headqa", real_data / "headqa"),
        Wanted("medmcqa", real_data / "medmcqa"),
        Wanted("mmlu_pro", real_data / "mmlu_pro"),
        Wanted("medqa", real_data / "medqa"),
    ]
    import_sources(wanted, out=out)
    return out, cluster_dataset(out / "import", out=out)


@pytest.mark.real
def test_real_duplicates_are_found(real_corpus: tuple[Path, Manifest]) -> None:
    """Naloxone is asked in 2013 (train, five options) and 2015 (dev, four); collagen in 2013 and 2015 likewise."""
    out, _ = real_corpus
    clusters = clusters_of(out) | {one.family: one.cluster for one in dropped_from(out)}
    for one, other in [("2015_1_F:186", "2013_1_F:183"), ("2015_1_Q:214", "2013_1_Q:155")]:
        assert clusters[f"headqa:Cuaderno_{one}"] == clusters[f"headqa:Cuaderno_{other}"]
    counted = Counter((pair.first.partition(":")[0], pair.match) for pair in pairs_of(out).values())
    assert counted["headqa", "exact"] == 4
    assert 60 <= counted["headqa", "near"] <= 80
    # 95 questions of MMLU-Pro stand in it twice, letter for letter.
    assert 80 <= counted["mmlu_pro", "exact"] <= 110


@pytest.mark.real
def test_real_items_all_stay_but_for_duplicates_of_held_out_ones(real_corpus: tuple[Path, Manifest]) -> None:
    _, manifest = real_corpus
    by_source: Counter[tuple[str, str]] = Counter()
    for count in manifest.counts:
        by_source[count.source, count.language] += count.read
        assert count.kept >= 0.98 * count.read
        assert count.split != "test" or not count.dropped
    assert by_source == {
        ("headqa", "es"): 6765,
        ("headqa", "en"): 6765,
        ("medmcqa", "en"): 4183,
        ("mmlu_pro", "en"): 1142,
        ("medqa", "en"): 1273,
    }


@pytest.mark.slow
def test_twenty_thousand_items_take_seconds(tmp_path: Path) -> None:
    words = [f"palabra{number}" for number in range(5000)]
    items = [
        item(f"s:{number}", " ".join(words[(number * 31 + step * step * 7) % 5000] for step in range(40)))
        for number in range(20_000)
    ]
    folder = stage(tmp_path, items)
    start = time.process_time()
    cluster_dataset(folder, out=tmp_path)
    assert time.process_time() - start < 60
