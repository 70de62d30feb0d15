"""A small recipe and its data."""

from pathlib import Path

import pytest

from globmed.core.item import Item
from globmed.core.store import writing_stage
from tests.train.small_data import RECIPE, question


@pytest.fixture
def recipe_file(tmp_path: Path) -> Path:
    """Give a recipe beside its release, of English alone and without a split dev."""
    with writing_stage(tmp_path / "release", "release") as stage:
        stage.write("s.en.train.parquet", (question(number) for number in range(20)), Item)
        stage.write("s.en.test.parquet", (question(number, "test") for number in range(20, 24)), Item)
    path = tmp_path / "recipe.toml"
    path.write_text(RECIPE.format(tokens=1200))
    return path


@pytest.fixture
def asking_recipe(recipe_file: Path) -> Path:
    """Give one that asks questions of two languages while it learns."""
    with writing_stage(recipe_file.parent / "release", "release") as stage:
        for code in ("en", "zu"):
            stage.write(f"s.{code}.train.parquet", (question(number, code=code) for number in range(20)), Item)
            dev = (question(number, "dev", code) for number in range(24, 36))
            stage.write(f"s.{code}.dev.parquet", dev, Item)
    text = (
        recipe_file.read_text()
        .replace("tokens = 1200", "tokens = 5000")
        .replace("batch_tokens = 64", "batch_tokens = 128")
    )
    recipe_file.write_text(text + "[evaluation]\nevery_steps = 7\nquestions = 10\n")
    return recipe_file
