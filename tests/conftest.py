"""Fixtures that all tests share."""

import os
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of the publishers' real files; the test is skipped, with the reason, where it is absent."""
    folder = Path(os.environ.get("GLOBMED_REAL_DATA", REPOSITORY.parent / "shared" / "data"))
    if not (folder / "headqa").is_dir():
        pytest.skip(f"the publishers' real files are not at {folder} (set GLOBMED_REAL_DATA)")
    return folder


@pytest.fixture(scope="session")
def small_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a Qwen3-architecture model of random weights, its tokenizer and chat template."""
    from globmed.train import scratch
    from globmed.train.recipe import Scratch

    shapes = Scratch(hidden_size=32, layers=2, ffn_size=64, heads=4, key_value_heads=2, vocabulary=400)
    tokenizer = scratch.train_tokenizer(
        ["Which reading is high? 118 per minute.", "Mapigo ya moyo 72 kwa dakika", "脉搏每分钟118次"] * 5, shapes
    )
    folder = tmp_path_factory.mktemp("models") / "small"
    scratch.new_network(shapes, tokenizer, seed=0).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def vitals_release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The release of the procedural source in English, Swahili and Yoruba."""
    from globmed.data import pipeline

    out = tmp_path_factory.mktemp("vitals")
    imported = pipeline.import_dataset(["vitals"], languages=["en", "sw", "yo"], out=out)
    return pipeline.release_items(pipeline.cluster_items(imported.folder, out=out).folder, out=out).folder


@pytest.fixture(scope="session")
def trained_model(vitals_release: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a small model that a recipe trained for a few steps."""
    from globmed.train.recipe import Data, Examples, Optimisation, Recipe, Scratch
    from globmed.train.sft import train

    recipe = Recipe(
        data=Data(folder=str(vitals_release)),
        scratch=Scratch(hidden_size=32, layers=2, ffn_size=64, vocabulary=600, context_tokens=2048),
        examples=Examples(prompt="mcqa_text", closed_book=True),
        optimisation=Optimisation(steps=30, learning_rate=4e-3, threads=1),
    )
    folder = tmp_path_factory.mktemp("trained") / "few-steps"
    train(recipe, out=folder)
    return folder
