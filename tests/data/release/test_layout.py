"""The authors' layout: what is where, what an object holds, and that a folder is whole or says that it is not."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from globmed.core.errors import InputError, TermsError
from globmed.core.item import Item
from globmed.core.store import read_manifest
from globmed.data.release import Choice, layout, release_dataset
from globmed.data.sources import source

MakeItem = Callable[..., Item]
MakeStage = Callable[..., Path]
CHOICE = Choice(formats=("parquet", "globmed"))


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_one_dataset_a_source_a_folder_a_language_a_file_a_split(
    tmp_path: Path, item: MakeItem, stage: MakeStage, rich: list[Item]
) -> None:
    release_dataset(stage(tmp_path, item("headqa:1", "sw", "test"), *rich[:4]), out=tmp_path, choice=CHOICE)
    folder = tmp_path / "release-globmed"
    assert files(folder) == {
        "GlobMed_HeadQA/sw/test.json",
        "GlobMed_s/es/test.json",
        "GlobMed_s/es/train.json",
        "GlobMed_s/sw/test.json",
        "GlobMed_s/sw/train.json",
        "SHA256SUMS",
        "manifest.json",
    }
    for line in (folder / "SHA256SUMS").read_text(encoding="utf-8").splitlines():
        digest, name = line.split("  ")
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest
    assert read_manifest(folder).stage == "release-globmed"


def test_a_public_release_leaves_no_private_layout_beside_it(
    tmp_path: Path, item: MakeItem, stage: MakeStage, rich: list[Item]
) -> None:
    bound = msgspec.structs.replace(rich[0].provenance, may_be_redistributed=False)
    secret = msgspec.structs.replace(item("liveqa:1", "en", "test"), source="liveqa", provenance=bound)
    folder, layouts = stage(tmp_path, secret, *rich), tmp_path / "release-globmed"
    release_dataset(folder, out=tmp_path, private=True, choice=CHOICE)
    before = files(layouts)
    assert "GlobMed_LiveQA/en/test.json" in before
    with pytest.raises(TermsError):
        release_dataset(folder, out=tmp_path)
    assert files(layouts) == before
    release_dataset(folder, out=tmp_path, choice=Choice(leave_out=("liveqa",)))
    assert not layouts.exists()
    release_dataset(folder, out=tmp_path, private=True, choice=CHOICE)
    # As a run that was killed while it moved the new files leaves it.
    (layouts / "manifest.json").unlink()
    release_dataset(folder, out=tmp_path, choice=Choice(leave_out=("liveqa",), formats=("globmed",)))
    assert "GlobMed_LiveQA/en/test.json" not in files(layouts)


def test_the_layout_goes_when_the_same_release_is_made_without_it(
    tmp_path: Path, stage: MakeStage, rich: list[Item]
) -> None:
    folder, layouts = stage(tmp_path, *rich), tmp_path / "release-globmed"
    release_dataset(folder, out=tmp_path, choice=CHOICE)
    (layouts / "notes.txt").write_text("mine", encoding="utf-8")
    release_dataset(folder, out=tmp_path)
    assert files(layouts) == {"notes.txt"}


def test_an_object_holds_the_question_and_leaves_out_what_is_empty(
    tmp_path: Path, stage: MakeStage, rich: list[Item]
) -> None:
    release_dataset(stage(tmp_path, *rich), out=tmp_path, choice=CHOICE)
    folder = tmp_path / "release-globmed"
    assert json.loads((folder / "GlobMed_s/sw/test.json").read_text(encoding="utf-8")) == [
        {
            "id": "s:1",
            "kind": "mcqa",
            "question": "Ni nini?",
            "options": {"A": "ndiyo", "B": "hapana"},
            "answer_idx": "B",
            "answer": "hapana",
            "explanation": "por eso",
            "specialty": "cardiology",
            "model": "some/model",
            "native_language": "es",
            "text": "machine",
            "licence": "licence of the publisher",
        }
    ]
    (open_question,) = json.loads((folder / "GlobMed_t/es/dev.json").read_text(encoding="utf-8"))
    assert open_question["answers"] == ["porque", "ya que"]
    assert open_question["answer"] == "porque"
    assert open_question["cluster"] == "c"
    assert open_question["turns"] == [{"role": "user", "text": "Hola"}]
    assert open_question["rubric"] == [{"text": "dice que sí", "points": -2.5, "tags": ["tono"]}]


def test_the_source_globmed_reads_it_back(tmp_path: Path, item: MakeItem, stage: MakeStage, rich: list[Item]) -> None:
    named = [item("headqa:1", "es", "dev", options=["sí", "no", "tal vez"], answer=[0, 2], rationale="por eso")]
    for one in rich:
        name = one.family.replace("s:", "medexpqa:").replace("t:", "expertqa_med:")
        cluster = name if one.cluster == one.family else one.cluster
        named.append(msgspec.structs.replace(one, family=name, cluster=cluster, source=name.partition(":")[0]))
    release_dataset(stage(tmp_path, *named), out=tmp_path, choice=CHOICE)
    back = list(source("globmed").read(tmp_path / "release-globmed", ["es", "sw", "yo"], 0))
    assert {content(one) for one in back if isinstance(one, Item)} == {content(one) for one in named}
    assert len(back) == len(named)


def content(item: Item) -> tuple[object, ...]:
    """What a person would read, and what it is one question with."""
    made = item.provenance
    said = item.question, item.context, item.turns, item.options, item.answer, item.reference, item.rubric
    return item.language, item.split, item.kind, item.cluster, *said, made.text, made.model, made.native_language


def test_several_right_options_are_all_named(item: MakeItem) -> None:
    found = layout.entry(item("s:1", options=["a", "b", "c"], answer=[0, 2]))
    assert (found["answer_idx"], found["answer"]) == ("A,C", "a\nc")


def test_a_layout_follows_its_release_and_is_mended(tmp_path: Path, item: MakeItem, stage: MakeStage) -> None:
    release_dataset(stage(tmp_path, item("s:1"), item("t:1")), out=tmp_path, choice=CHOICE)
    folder = tmp_path / "release-globmed"
    (folder / "notes.txt").write_text("a person's own")
    release_dataset(stage(tmp_path, item("s:1")), out=tmp_path, choice=CHOICE)
    whole = {"GlobMed_s/es/train.json", "SHA256SUMS", "manifest.json", "notes.txt"}
    assert files(folder) == whole
    before = (folder / "GlobMed_s/es/train.json").read_bytes()
    (folder / "GlobMed_s/es/train.json").write_bytes(b"[]")
    release_dataset(tmp_path / "corpus", out=tmp_path, choice=CHOICE)
    assert (folder / "GlobMed_s/es/train.json").read_bytes() == before


def test_a_layout_that_broke_off_is_no_stage(
    tmp_path: Path, item: MakeItem, stage: MakeStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    release_dataset(stage(tmp_path, item("s:1")), out=tmp_path, choice=CHOICE)

    def broken_off(path: Path, target: Path) -> Path:
        if path.name.startswith("GlobMed_"):
            raise KeyboardInterrupt
        return replace(path, target)

    replace = Path.replace
    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", broken_off)
        with pytest.raises(KeyboardInterrupt):
            release_dataset(stage(tmp_path, item("s:2")), out=tmp_path, choice=CHOICE)
    folder = tmp_path / "release-globmed"
    with pytest.raises(InputError, match=r"found no manifest\.json"):
        read_manifest(folder)
    release_dataset(tmp_path / "corpus", out=tmp_path, choice=CHOICE)
    assert "s:2" in (folder / "GlobMed_s/es/train.json").read_text(encoding="utf-8")
