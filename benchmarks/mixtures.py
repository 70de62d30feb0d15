"""What the mixture does to each tier, in small: the demo's networks on an unbalanced training set.

    nice -n 19 python benchmarks/mixtures.py [--seeds 3] [--keep 0.125] [--tokens 150000] [--folder FOLDER]

The demo's dataset, but of the train questions in Swahili, Wolof, Yoruba and Zulu an eighth is kept. The demo's base
model is trained on the eight other languages; from it one model is trained with each mixture, on as many tokens; all
are asked the demo's test questions. Every seed makes other questions, weights and draws. It shows the machinery: a
network of 0.4 million parameters on questions made by code is no evidence about large models.
"""

from __future__ import annotations

import argparse
import tempfile
from importlib.resources import files
from pathlib import Path
from statistics import mean

import msgspec
from globmed.bench.analysis import accuracy_table
from globmed.bench.pipeline import bench_run, bench_score
from globmed.bench.selection import Plan
from globmed.core.dataset import read_items
from globmed.core.item import Item
from globmed.core.language import language, languages
from globmed.core.store import read_records, write_text, writing_stage
from globmed.data import pipeline
from globmed.models.client import Settings
from globmed.train.mixture import PlanRow, Sampling
from globmed.train.recipe import Recipe, read_recipe
from globmed.train.sft import train

from measuring import show

MAX_EPOCHS = 16.0
MIXTURES = {
    "proportional": Sampling(method="proportional", max_epochs=MAX_EPOCHS),
    "temperature 3": Sampling(method="temperature", temperature=3.0, max_epochs=MAX_EPOCHS),
    "UniMax": Sampling(method="unimax", max_epochs=MAX_EPOCHS),
}
TIERS = ("high", "low")


def unbalanced(release: Path, out: Path, *, keep: float) -> None:
    """Write the dataset with a part of the train questions in low-resource languages, the same ones in each."""
    items = list(read_items(release))
    families = sorted({item.family for item in items if item.split == "train"})
    kept = set(families[: round(keep * len(families))])
    left = [
        item for item in items if item.split != "train" or language(item.language).tier == "high" or item.family in kept
    ]
    with writing_stage(out, "release") as writer:
        for code in languages():
            writer.write(f"vitals.{code}.parquet", [item for item in left if item.language == code], Item)


def recipe(folder: Path, name: str, *, seed: int, **changes: object) -> Recipe:
    """Return one of the demo's recipes, with changes."""
    path = folder / "recipes" / f"{name}.toml"
    write_text(path, files("globmed.recipes").joinpath(f"demo_{name}.toml").read_text(encoding="utf-8"))
    return msgspec.structs.replace(read_recipe(path), seed=seed, **changes)


def one_seed(folder: Path, *, seed: int, keep: float, tokens: int) -> dict[str, dict[str, float]]:
    """Train and ask all models of a seed; give accuracy, tokens and epochs of each by tier."""
    data = folder / "made"
    imported = pipeline.import_dataset(["vitals"], languages=list(languages()), out=data, seed=seed)
    clustered = pipeline.cluster_items(imported.folder, out=data)
    release = pipeline.release_items(clustered.folder, out=data).folder
    unbalanced(release, folder / "data" / "release", keep=keep)
    models = {"base": folder / "models" / "base"}
    train(recipe(folder, "base", seed=seed), out=models["base"])
    for name, mixture in MIXTURES.items():
        models[name] = folder / "models" / name.replace(" ", "-")
        tuned = recipe(folder, "tuned", seed=seed, mixture=mixture)
        optimisation = msgspec.structs.replace(tuned.optimisation, tokens=tokens)
        train(msgspec.structs.replace(tuned, optimisation=optimisation), out=models[name])
    run = folder / "run"
    plan = Plan(answers=("score_options/closed",), settings=Settings(score_end=True))
    bench_run([f"local:{model}" for model in models.values()], data=folder / "data" / "release", plan=plan, out=run)
    bench_score(run)
    rows = [row for row in accuracy_table(run).to_pylist() if row["by"] == "tier"]
    found = {}
    for name, model in models.items():
        drawn = list(read_records(model, PlanRow, prefix="mixture"))
        found[name] = {row["group"]: row["accuracy"] for row in rows if row["model"] == model.name}
        for tier in TIERS:
            own = [row for row in drawn if row.tier == tier]
            found[name][f"epochs {tier}"] = mean(row.epochs for row in own) if own else 0.0
    return found


def main() -> None:
    """Train and ask everything, and show it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--keep", type=float, default=0.125)
    parser.add_argument("--tokens", type=int, default=150_000)
    parser.add_argument("--folder", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        folder = options.folder or Path(made)
        seeds = [
            one_seed(folder / str(seed), seed=seed, keep=options.keep, tokens=options.tokens)
            for seed in range(options.seeds)
        ]
    show(
        ("mixture", "epochs high", "epochs low", "high, % right", "low, % right"),
        [
            (
                name,
                *(f"{mean(seed[name][f'epochs {tier}'] for seed in seeds):.1f}" for tier in TIERS),
                *(_share([100 * seed[name][tier] for seed in seeds]) for tier in TIERS),
            )
            for name in seeds[0]
        ],
    )


def _share(values: list[float]) -> str:
    return f"{mean(values):.1f} ({', '.join(f'{value:.1f}' for value in values)})"


if __name__ == "__main__":
    main()
