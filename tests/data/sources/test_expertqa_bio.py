"""ExpertQA-Bio: what it shares with ExpertQA-Med is tested there."""

from pathlib import Path

import pytest

from globmed.core.errors import InputError
from globmed.core.item import Item
from globmed.data.sources import source

FIXTURES = Path(__file__).parents[1] / "fixtures" / "expertqa_bio"


def test_questions_of_biology_alone() -> None:
    found = [row for row in source("expertqa_bio").read(FIXTURES, ["en"], 0) if isinstance(row, Item)]
    assert {item.split: item.reference[0] for item in found} == {
        "train": "Haemoglobin holds iron.",
        "dev": "Yes, of chitin.",
        "test": "Proteins.",
    }


def test_files_without_the_field_are_refused(tmp_path: Path) -> None:
    for file in FIXTURES.rglob("*.json*"):
        copy = tmp_path / file.relative_to(FIXTURES)
        copy.parent.mkdir(exist_ok=True)
        copy.write_text(file.read_text(encoding="utf-8").replace('"Biology"', '"Law"'), encoding="utf-8")
    with pytest.raises(InputError, match="found no question of Biology"):
        list(source("expertqa_bio").read(tmp_path, ["en"], 0))
