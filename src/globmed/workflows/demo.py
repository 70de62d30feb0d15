"""The whole road in two minutes, on what this program makes itself: dataset, two models, benchmark, report.

Every stage is the one that real data goes through, and is skipped where it was already done. It shows the road; the
models know a few numbers about vital signs and nothing of medicine.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib.resources import files
from pathlib import Path

import msgspec

from globmed.bench.selection import Plan
from globmed.core import store
from globmed.core.errors import UsageError
from globmed.core.language import languages
from globmed.data import pipeline
from globmed.models.client import Settings
from globmed.train.recipe import Recipe, read_recipe
from globmed.train.steps import Step
from globmed.workflows.evaluate import Evaluation, evaluate_training
from globmed.workflows.training import train

NOTE = (
    "This is the demo. It shows the road from data to report on questions about vital signs that the program made "
    "itself, with networks of 0.4 million parameters. It is no medical model, and its numbers say nothing about one. "
    "The questions were asked closed-book, without the ranges that each states."
)
SMALL_NOTE = " It was run in small (--small): the networks were hardly trained, and their numbers mean nothing at all."
SMALL_TOKENS = 8_000
SMALL_LIMIT = 12

OnProgress = Callable[[str, int, int | None], None]


@dataclass(frozen=True, kw_only=True)
class Demo:
    """What the demo left: the dataset's release, the two model folders, and their evaluation."""

    release: Path
    base: Path
    tuned: Path
    evaluation: Evaluation


def run_demo(*, out: Path, seed: int = 0, small: bool = False, on_progress: OnProgress | None = None) -> Demo:
    """Run the demo, or go on with it from where it was interrupted.

    Args:
        out: folder for everything it makes.
        seed: of the questions.
        small: train and ask next to nothing, to see that the road is whole.
        on_progress: called with what is being done, how much of it is done, and how much there is.

    Raises:
        MissingExtraError: the extras `train` and `report` are not installed.
        GlobmedError: as the stages do.
    """
    tell = on_progress or (lambda _what, _done, _total: None)
    _keep_to(out, {"seed": seed, "small": small})
    tell("making questions in 12 languages", 0, None)
    data = out / "data"
    imported = pipeline.import_dataset(["vitals"], languages=list(languages()), out=data, seed=seed)
    clustered = pipeline.cluster_items(imported.folder, out=data)
    release = pipeline.release_items(clustered.folder, out=data).folder
    folders = {}
    for name, what in (("base", "eight languages"), ("tuned", "all twelve languages")):
        folders[name] = out / "models" / name
        train(
            _recipe(out, name, small=small),
            out=folders[name],
            on_step=partial(_tell_step, tell, f"training on {what}"),
        )
    tell("asking the models", 0, None)
    evaluation = evaluate_training(
        folders["base"],
        folders["tuned"],
        data=release,
        plan=Plan(
            # The second phrasing, which the training has not seen, tells what is learnt of the first.
            answers=("score_options/closed", "score_options/closed/held_out"),
            limit=SMALL_LIMIT if small else None,
            settings=Settings(score_end=True),
        ),
        out=out / "bench",
        title="globmed demo: the whole road in small",
        note=NOTE + (SMALL_NOTE if small else ""),
        on_progress=lambda model, stats: tell(f"asking {model}", sum(stats.replies.values()), None),
    )
    return Demo(release=release, base=folders["base"], tuned=folders["tuned"], evaluation=evaluation)


def _tell_step(tell: OnProgress, what: str, step: Step) -> None:
    tell(what, step.done, step.steps)


def _keep_to(out: Path, options: dict[str, int]) -> None:
    """Refuse to mix two demos in one folder.

    Raises:
        UsageError: the folder was made with other options.
    """
    path = out / "demo.json"
    text = msgspec.json.encode(options).decode()
    if path.is_file() and path.read_text(encoding="utf-8") != text:
        made = path.read_text(encoding="utf-8")
        raise UsageError(f"{out}: was made with {made}, now asked with {text}. Name another folder with --out")
    store.write_text(path, text)


def _recipe(out: Path, name: str, *, small: bool) -> Recipe:
    """Put the recipe where `globmed train` can run it again, and read it from there."""
    path = out / "recipes" / f"{name}.toml"
    store.write_text(path, files("globmed.recipes").joinpath(f"demo_{name}.toml").read_text(encoding="utf-8"))
    recipe = read_recipe(path)
    if small:
        optimisation = msgspec.structs.replace(recipe.optimisation, tokens=SMALL_TOKENS)
        recipe = msgspec.structs.replace(recipe, optimisation=optimisation)
    return recipe
