"""A small dataset in several languages, made here: what is right is known by construction."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from globmed.core.item import Finding, Item, Provenance, Split
from globmed.core.store import Count, writing_stage

LANGUAGES = ("en", "es", "sw")
TRAIN, TEST = 30, 24

MakeData = Callable[..., Path]


def made_item(number: int, language: str, *, source: str = "made", blocked: bool = False) -> Item:
    """Question `number` in one language: `number % 4` is right (in train the third), `number // 4 % 4` the longest."""
    split: Split = "train" if number < TRAIN else "test"
    options = tuple(f"{name} {'x' * (3 if index == number // 4 % 4 else 0)}" for index, name in enumerate("pqrs"))
    finding = Finding(check="options", severity="block", field="options", message="two are alike")
    return Item(
        family=f"{source}:{number}",
        cluster=f"{source}:{number // 2}",
        language=language,
        kind="mcqa",
        source=source,
        split=split,
        question=f"Question {number} ({language})?",
        options=options,
        answer=(number % 4 if split == "test" else 2,),
        provenance=Provenance(
            native_language="en",
            licence="CC0-1.0",
            text="native" if language == "en" else "machine",
            findings=(finding,) if blocked else (),
        ),
    )


@pytest.fixture
def make_data(tmp_path: Path) -> MakeData:
    """Write a data folder; `blocked` names (number, language) pairs that get a blocking finding."""

    def make(
        name: str = "data",
        *,
        languages: tuple[str, ...] = LANGUAGES,
        sources: tuple[str, ...] = ("made",),
        blocked: frozenset[tuple[int, str]] = frozenset(),
        change: Callable[[Item], Item] = lambda item: item,
    ) -> Path:
        folder = tmp_path / name

        def items(source: str, language: str) -> Iterator[Item]:
            for number in range(TRAIN + TEST):
                yield change(made_item(number, language, source=source, blocked=(number, language) in blocked))

        with writing_stage(folder, "corpus") as writer:
            for source in sources:
                for language in languages:
                    kept = writer.write(f"{source}.{language}.parquet", items(source, language), Item)
                    writer.counts.append(Count(source=source, language=language, split="all", read=kept, kept=kept))
        return folder

    return make
