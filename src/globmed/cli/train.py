"""`globmed train`: a recipe into a model."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from globmed.cli import output
from globmed.cli.output import AsJson


def train_command(
    recipe: Annotated[Path, typer.Argument(help="The run's recipe, a TOML file (docs/training.md).")],
    out: Annotated[Path, typer.Option("--out", help="Folder that becomes the model.")],
    as_json: AsJson = False,
) -> None:
    """Train a model from scratch or from a checkpoint folder; started again, an interrupted run goes on."""
    from globmed.train.recipe import read_recipe
    from globmed.train.sft import train

    with output.progress("training step") as tell:
        train(read_recipe(recipe), out=out, on_step=tell)
    from globmed.data.pipeline import StageResult

    output.stage(StageResult.of(out), title="Train items", as_json=as_json)
