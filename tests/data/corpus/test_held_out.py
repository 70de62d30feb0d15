"""Train questions that are test questions in other words are found, whatever their clusters say."""

from pathlib import Path

import pytest

from globmed.core.errors import InputError
from globmed.core.item import Item, Provenance, Split
from globmed.core.store import writing_stage
from globmed.data.corpus import cluster_dataset, near_test_questions
from globmed.data.pipeline import refuse_near_test_questions

STEM = "Which of these drugs is given first to a patient with chest pain who has no allergy at all?"
OTHER = "Something else about the liver and nothing more than that, whatever the weather?"


def item(family: str, question: str, split: Split, *, language: str = "en", cluster: str = "") -> Item:
    return Item(
        family=family,
        language=language,
        kind="mcqa",
        source=family.partition(":")[0],
        split=split,
        cluster=cluster or family,
        question=question,
        options=("Aspirin", "Heparin", "Warfarin", "Insulin"),
        answer=(0,),
        provenance=Provenance(native_language=language, licence="CC0-1.0"),
    )


def release(folder: Path, *items: Item) -> Path:
    with writing_stage(folder / "release", "release") as writer:
        for name in sorted({f"{one.source}.{one.language}.{one.split}" for one in items}):
            rows = [one for one in items if f"{one.source}.{one.language}.{one.split}" == name]
            writer.write(f"{name}.parquet", rows, Item)
    return folder / "release"


def test_a_train_question_in_other_words_is_named_with_the_test_question(tmp_path: Path) -> None:
    folder = release(
        tmp_path,
        item("a:1", STEM, "test"),
        item("a:2", OTHER, "train"),
        item("b:1", STEM.replace("chest", "severe chest"), "train"),
    )
    (twin,) = near_test_questions(folder)
    assert (twin.train, twin.test) == ("b:1", "a:1")
    with pytest.raises(InputError, match=r"1 in all: b:1 like a:1 \(0\.\d\d in en\); expected none.*data cluster"):
        refuse_near_test_questions(folder)


def test_another_language_tells_too(tmp_path: Path) -> None:
    swahili = "Ni dawa gani hupewa kwanza mgonjwa mwenye maumivu ya kifua asiye na mzio wowote?"
    folder = release(
        tmp_path,
        item("a:1", STEM, "test"),
        item("a:1", swahili, "test", language="sw"),
        item("b:1", OTHER, "train"),
        item("b:1", swahili, "train", language="sw"),
    )
    (twin,) = near_test_questions(folder)
    assert twin.pair is not None
    assert (twin.train, twin.test, twin.pair.language) == ("b:1", "a:1", "sw")


def test_one_that_others_join_is_found_too(tmp_path: Path) -> None:
    # Neither is like the test question; the one between, of train as well, is like both.
    words = [f"word{number}" for number in range(30)]
    texts = [" ".join(words[start : start + 20]) for start in (0, 4, 8)]
    folder = release(
        tmp_path, *(item(f"a:{at}", text, "test" if at == 0 else "train") for at, text in enumerate(texts))
    )
    found = near_test_questions(folder, threshold=0.6)
    assert [(twin.train, twin.test, twin.pair is None) for twin in found] == [
        ("a:1", "a:0", False),
        ("a:2", "a:0", True),
    ]


def test_what_was_clustered_passes(tmp_path: Path) -> None:
    folder = release(tmp_path, item("a:1", STEM, "test"), item("b:1", STEM, "train"), item("b:2", OTHER, "train"))
    assert near_test_questions(folder)
    cluster_dataset(folder, out=tmp_path)
    assert near_test_questions(tmp_path / "corpus") == []


def test_sources_made_by_code_are_not_compared(tmp_path: Path) -> None:
    folder = release(tmp_path, item("vitals:1", STEM, "test"), item("vitals:2", STEM, "train"))
    assert near_test_questions(folder)
    assert near_test_questions(folder, procedural=["vitals"]) == []
    refuse_near_test_questions(folder)
