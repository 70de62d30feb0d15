"""Train on a dataset whose train questions are not its test questions, however they are put."""

from __future__ import annotations

from pathlib import Path

from globmed.core.store import Manifest
from globmed.data.pipeline import refuse_near_test_questions
from globmed.train import sft
from globmed.train.recipe import Recipe
from globmed.train.steps import OnStep


def train(
    recipe: Recipe, *, out: Path, tensorboard: Path | None = None, on_step: OnStep | None = None
) -> Manifest | None:
    """Train a model, as `globmed.train.sft.train` does.

    Raises:
        InputError: a train question is nearly a test question.
        GlobmedError: as training does.
    """
    refuse_near_test_questions(Path(recipe.data.folder))
    return sft.train(recipe, out=out, tensorboard=tensorboard, on_step=on_step)


def plan(recipe: Recipe) -> sft.Prepared:
    """Choose and pack what is learnt from, as `globmed.train.sft.plan` does.

    Raises:
        InputError: a train question is nearly a test question.
        GlobmedError: as planning does.
    """
    refuse_near_test_questions(Path(recipe.data.folder))
    return sft.plan(recipe)
