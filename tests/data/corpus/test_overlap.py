"""What two sources share, and whether their keys agree."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from globmed.core.errors import UsageError
from globmed.core.item import Item, Provenance, Split
from globmed.core.store import writing_stage
from globmed.data.corpus import overlap
from globmed.data.corpus.duplicates import answers_agree
from globmed.data.importing import Wanted, import_sources

OPTIONS = ("Aspirin", "Heparin", "Warfarin", "Insulin")
STEM = "Which of these drugs is given first to a patient with chest pain who has no allergy at all?"


def item(family: str, question: str = STEM, *, language: str = "en", split: Split = "test", answer: int = 0) -> Item:
    return Item(
        family=family,
        language=language,
        kind="mcqa",
        source=family.partition(":")[0],
        split=split,
        question=question,
        options=OPTIONS,
        answer=(answer,),
        provenance=Provenance(native_language="en", licence="CC0-1.0"),
    )


def stage(folder: Path, *items: Item) -> Path:
    with writing_stage(folder / "import", "import") as writer:
        for name in sorted({f"{one.source}.{one.language}" for one in items}):
            writer.write(f"{name}.parquet", [one for one in items if f"{one.source}.{one.language}" == name], Item)
    return folder / "import"


def test_pairs_are_given_from_the_first_source_to_the_second(tmp_path: Path) -> None:
    folder = stage(
        tmp_path,
        item("b:1", split="train"),
        item("b:2", "Something else about the liver and nothing more than that?"),
        item("a:7", STEM.replace("chest", "severe chest"), answer=2),
        item("c:1"),
    )
    (row,) = overlap(folder, "b", "a", threshold=0.5).to_pylist()
    assert (row["first"], row["first_split"], row["second"], row["second_split"]) == ("b:1", "train", "a:7", "test")
    assert (row["match"], row["language"], row["answers"]) == ("near", "en", "differ")
    assert 0.5 <= row["similarity"] < 1
    (back,) = overlap(folder, "a", "b", threshold=0.5).to_pylist()
    assert (back["first"], back["second"], back["similarity"]) == ("a:7", "b:1", row["similarity"])


def test_the_most_alike_language_of_all_that_both_have_counts(tmp_path: Path) -> None:
    folder = stage(
        tmp_path,
        item("a:1", STEM.replace("chest", "severe chest")),
        item("b:1"),
        item("a:1", "Dawa gani hutolewa kwanza kwa mgonjwa?", language="sw"),
        item("b:1", "Dawa gani hutolewa kwanza kwa mgonjwa?", language="sw"),
        item("a:2", "Nur auf Deutsch", language="de"),
    )
    (row,) = overlap(folder, "a", "b", threshold=0.5).to_pylist()
    assert (row["language"], row["similarity"], row["match"], row["answers"]) == ("sw", 1.0, "exact", "same")


def test_a_search_that_cannot_be_is_refused(tmp_path: Path) -> None:
    folder = stage(tmp_path, item("headqa:1"), item("medqa:1", language="de"))
    with pytest.raises(UsageError, match="holds no source 'hedqa'; did you mean 'headqa'"):
        overlap(folder, "hedqa", "medqa", threshold=0.5)
    with pytest.raises(UsageError, match="found headqa in en and medqa in de; expected a language that both have"):
        overlap(folder, "headqa", "medqa", threshold=0.5)
    with pytest.raises(UsageError, match="'medqa' is named twice"):
        overlap(folder, "medqa", "medqa", threshold=0.5)


@pytest.mark.parametrize(
    ("one", "two", "other_options", "expected"),
    [
        ("aspirin", "aspirin", OPTIONS, "same"),
        ("aspirin", "aspirin.", ("aspirin.", "heparin."), "same"),
        ("aspirin", "heparin", OPTIONS, "differ"),
        ("aspirin", "lisinopril", ("lisinopril", "metoprolol"), "unknown"),
    ],
)
def test_answers_are_compared_by_their_texts(one: str, two: str, other_options: tuple[str, ...], expected: str) -> None:
    options = [option.casefold() for option in OPTIONS]
    assert answers_agree([one], [two], options, [option.casefold() for option in other_options]) == expected
    assert answers_agree([two], [one], [option.casefold() for option in other_options], options) == expected


@given(st.lists(st.text(min_size=1, max_size=8), min_size=1, max_size=5, unique=True), st.data())
def test_a_question_agrees_with_itself_in_any_order(options: list[str], data: st.DataObject) -> None:
    right = data.draw(st.sampled_from(options))
    assert answers_agree([right], [right], options, data.draw(st.permutations(options))) == "same"
    assert answers_agree([], [right], options, options) == "unknown"


@pytest.mark.real
def test_the_spanish_exams_that_two_sources_share_are_found(real_data: Path, tmp_path: Path) -> None:
    """Of the pairs that share 15 word 8-grams all are found; docs/decisions/0004-overlap.md has how that was read."""
    paths = {"headqa": real_data / "headqa" / "data", "casimedicos": real_data / "casimedicos"}
    import_sources([Wanted(name, path) for name, path in paths.items()], out=tmp_path)
    rows = overlap(tmp_path / "import", "headqa", "casimedicos", threshold=0.5).to_pylist()
    assert len({row["second"] for row in rows}) >= 195
    assert sum(row["first_split"] != row["second_split"] for row in rows) >= 100
    of_2017 = [row["answers"] for row in rows if ":Cuaderno_2017_1_M:" in row["first"]]
    of_others = [row["answers"] for row in rows if ":Cuaderno_2017_1_M:" not in row["first"]]
    assert of_2017.count("differ") / len(of_2017) > 0.6
    assert of_others.count("differ") / len(of_others) < 0.15
