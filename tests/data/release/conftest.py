"""Stages made by hand, for all tests of the release."""

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from globmed.core.item import Criterion, Finding, Item, Provenance, Review, Step, Turn
from globmed.core.store import writing_stage

MakeItem = Callable[..., Item]
MakeStage = Callable[..., Path]


@pytest.fixture
def item() -> MakeItem:
    """Make an item; what is not named of it or of its provenance is filled in."""

    def make(family: str, language: str = "es", split: str = "train", **named: object) -> Item:
        source = family.partition(":")[0]
        about = {"native_language": "es", "licence": "licence of the publisher"}
        origin = {key: named.pop(key) for key in Provenance.__struct_fields__ if key in named}
        fields = {"kind": "mcqa", "source": source, "question": f"¿Qué es {family}?", **named}
        return msgspec.convert(
            {"family": family, "language": language, "split": split, **fields, "provenance": {**about, **origin}}, Item
        )

    return make


@pytest.fixture
def stage() -> MakeStage:
    """Write items as a stage, by default `corpus`."""

    def make(folder: Path, *items: Item, name: str = "corpus", inputs: dict[str, str] | None = None) -> Path:
        by_file: dict[str, list[Item]] = {}
        for one in items:
            by_file.setdefault(f"{one.source}.{one.language}.parquet", []).append(one)
        with writing_stage(folder / name, name, inputs=inputs) as writer:
            for file, rows in by_file.items():
                writer.write(file, rows, Item)
            writer.write("pairs.parquet", [], Item)
            writer.write("dropped.jsonl", [], Item)
        return folder / name

    return make


@pytest.fixture
def rich(item: MakeItem) -> list[Item]:
    """Items in three languages that between them fill every field, nested ones too."""
    made = {
        "text": "machine",
        "model": "some/model",
        "steps": [msgspec.to_builtins(Step(name="candidate", model="some/model", cost_usd=0.25))],
        "findings": [
            msgspec.to_builtins(Finding(check="length", severity="note", field="question", message="long")),
            msgspec.to_builtins(Finding(check="numbers", severity="review", field="options", message="5 | 50")),
        ],
        "review": [
            msgspec.to_builtins(
                Review(reviewer="R1", day="2026-11-22", accuracy=5, fluency=4, completeness=5, overruled=("numbers",))
            )
        ],
    }
    question = {"options": ["sí", "no"], "answer": [1], "rationale": "por eso", "specialty": "cardiology"}
    translated = {**question, "options": ["ndiyo", "hapana"], "question": "Ni nini?"}
    turns = [msgspec.to_builtins(Turn(role="user", text="Hola"))]
    rubric = [msgspec.to_builtins(Criterion(text="dice que sí", points=-2.5, tags=("tono",)))]
    return [
        item("s:1", "es", "test", **question),
        item("s:1", "sw", "test", **translated, **made),
        item("s:2", "es", **question, region="ES"),
        item("s:2", "sw", **translated, **{**made, "review": [], "findings": []}),
        item("t:1", "es", "dev", kind="lfqa", reference=["porque", "ya que"], turns=turns, rubric=rubric, cluster="c"),
        item("t:2", "yo", "dev", kind="lfqa", reference=["nítorí"], native_language="yo", cluster="c"),
    ]
