"""`globmed train`: a recipe into a model."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from globmed.cli import output
from globmed.cli.demo import gain_row
from globmed.cli.live import live_view
from globmed.cli.output import AsJson
from globmed.core.errors import EnvironmentFailedError

if TYPE_CHECKING:
    from globmed.train.fitting import Way
    from globmed.train.mixture import PlanRow
    from globmed.train.recipe import Recipe
    from globmed.train.sft import Prepared

app = typer.Typer(help="Train a model on a dataset.", no_args_is_help=True)

RecipeFile = Annotated[Path, typer.Argument(help="The run's recipe, a TOML file (docs/training.md).", metavar="RECIPE")]


@app.command("run")
def run_command(
    recipe: RecipeFile,
    out: Annotated[Path, typer.Option("--out", help="Folder that becomes the model.")],
    tensorboard: Annotated[
        Path | None, typer.Option("--tensorboard", help="Folder for TensorBoard's files; default: none.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Train a model from scratch or from a checkpoint folder; started again, an interrupted run goes on."""
    from globmed.data.pipeline import StageResult
    from globmed.train.recipe import read_recipe
    from globmed.workflows.training import train

    with output.training() as tell:
        manifest = train(read_recipe(recipe), out=out, tensorboard=tensorboard, on_step=tell)
    if manifest is None:
        # Of several processes the first speaks for all. The others have nothing left to write, and go at once: a thread
        # of gloo that frees a tensor while Python winds up aborts its process (pytorch/pytorch#190489).
        os._exit(0)
    output.stage(StageResult.of(out), title="Train items", as_json=as_json)


@app.command("recipe")
def recipe_command(
    name: Annotated[str | None, typer.Argument(help="Which; without one, say what there is.", metavar="NAME")] = None,
    out: Annotated[Path | None, typer.Option("--out", help="A new file for it. Default: print it.")] = None,
    as_json: AsJson = False,
) -> None:
    """Write a recipe that comes with the program, to be run as it is or changed; each setting has its reason."""
    from globmed.core.errors import UsageError, did_you_mean
    from globmed.core.store import write_text
    from globmed.train.recipe import packaged_recipes

    found = packaged_recipes()
    if name is None:
        rows = [{"recipe": one, "what": text.partition("\n")[0].removeprefix("# ")} for one, text in found.items()]
        output.show(rows, as_json=as_json, title="Recipes")
        return
    if name not in found:
        raise UsageError(f"no recipe named {name!r}{did_you_mean(name, found)}. There are: {', '.join(found)}")
    if out is None:
        output.say(found[name].rstrip())
        return
    if out.exists():
        raise UsageError(f"{out} is there already; name a new file, or remove it")
    write_text(out, found[name])
    output.say(f"{out}: set [data] folder, relative to it. Next: globmed train plan {out} --gpu h100-80")


@app.command("plan")
def plan_command(
    recipe: RecipeFile,
    gpu: Annotated[
        Literal["h200", "h100-80", "a100-40", "24gb"] | None,
        typer.Option("--gpu", help="Say what fits these GPUs, and the hours it takes."),
    ] = None,
    count: Annotated[int, typer.Option("--count", min=1, help="So many of them.")] = 1,
    mfu: Annotated[
        float, typer.Option("--mfu", min=0.01, max=1.0, help="Share of the GPUs' peak assumed for the hours.")
    ] = 0.4,
    as_json: AsJson = False,
) -> None:
    """Print what a recipe would learn from, and with --gpu what memory and time it takes there, without training."""
    import msgspec

    from globmed.core.store import count_rows
    from globmed.train.recipe import read_recipe
    from globmed.workflows.training import plan

    read = read_recipe(recipe)
    found = plan(read)
    ways = _ways(read, found, gpu=gpu, count=count, mfu=mfu) if gpu else []
    if as_json:
        output.print_json(
            {
                "mixture": msgspec.to_builtins(found.plan),
                "items": msgspec.to_builtins(found.counts),
                "steps": found.steps,
                "filled": found.filled,
                "gpu": [way._asdict() | {"needs": way.needs._asdict() | {"total": way.needs.total}} for way in ways],
            }
        )
    else:
        output.show(mixture_rows(found.plan), as_json=False, title="What is learnt from")
        output.show(count_rows(found.counts), as_json=False, title="Train items")
        output.say(
            f"{found.steps:,} steps of {found.batch_tokens:,} tokens; rows are {100 * found.filled:.1f} % full, and "
            f"{100 * found.answers:.1f} % of the tokens carry the loss."
        )
    if gpu:
        _show_ways(ways, gpu=gpu, count=count, mfu=mfu, as_json=as_json)
    if not as_json:
        output.say(f"Next: globmed train run {recipe} --out FOLDER")


def _ways(recipe: Recipe, prepared: Prepared, *, gpu: str, count: int, mfu: float) -> list[Way]:
    from globmed.train.fitting import plan_gpus
    from globmed.train.network import local_copy
    from globmed.train.resources import GPUS

    recipe = local_copy(recipe, weights=False)
    return plan_gpus(recipe, prepared.tokenizer, prepared.work, gpu=GPUS[gpu], count=count, mfu=mfu)


def _show_ways(ways: Sequence[Way], *, gpu: str, count: int, mfu: float, as_json: bool) -> None:
    """Print what fits.

    Raises:
        EnvironmentFailedError: the recipe does not, in shards or whole.
    """
    from globmed.train.resources import GIB, GPUS

    kind = GPUS[gpu]
    if not as_json:
        output.show(
            [way_row(way) for way in ways],
            as_json=False,
            title=f"{count} x {kind.name}: GiB of each, of {kind.memory / GIB:.0f}",
        )
        output.say(
            "Estimated, not measured on such a GPU (docs/training.md); hours at an assumed"
            f" {100 * mfu:.0f} % of its peak, without loading, checkpoints and questions asked on the way."
        )
    if not any(way.fits for way in ways if way.own):
        need = min(way.needs.total for way in ways if way.own)
        fitting = "; ".join(way.name for way in ways if way.fits) or "nothing here: fewer row_tokens, or more GPUs"
        raise EnvironmentFailedError(
            f"too little memory: this recipe needs {need / GIB:.1f} GiB of each GPU, and {kind.name} has"
            f" {kind.memory / GIB:.0f}. What fits: {fitting}"
        )


def way_row(way: Way) -> dict[str, str]:
    """Write one way to run for people."""
    from globmed.train.resources import GIB

    return {
        "way": f"{way.name}, this recipe" if way.own else way.name,
        **{name: f"{size / GIB:.1f}" for name, size in way.needs._asdict().items()},
        "in all": f"{way.needs.total / GIB:.1f}",
        "fits": "yes" if way.fits else "no",
        "hours": f"{way.hours:.2f}" if way.hours >= 0.01 else "< 0.01",
    }


@app.command("evaluate")
def evaluate_command(
    base: Annotated[
        str, typer.Argument(help="Before training: a folder, or a name as for `bench run`.", metavar="BASE")
    ],
    tuned: Annotated[str, typer.Argument(help="After it: a folder that `train run` made.", metavar="TUNED")],
    data: Annotated[Path, typer.Option("--data", help="Folder of a finished stage of items, such as a release.")],
    out: Annotated[Path, typer.Option("--out", help="The run's folder; the same command goes on in it.")],
    task: Annotated[str, typer.Option("--task", help="What is asked (see: globmed list tasks).")] = "mcqa",
    answer: Annotated[
        list[str] | None,
        typer.Option(
            "--answer", help="As for `bench run`; repeat. Default: generate and generate/held_out, both phrasings."
        ),
    ] = None,
    language: Annotated[list[str] | None, typer.Option("--language", help="BCP 47 code; repeat. Default: all.")] = None,
    source: Annotated[list[str] | None, typer.Option("--source", help="Source; repeat. Default: all.")] = None,
    split: Annotated[Literal["dev", "test"], typer.Option("--split")] = "test",
    limit: Annotated[
        int | None, typer.Option("--limit", help="So many questions a source, the same in each language.")
    ] = None,
    max_tokens: Annotated[int, typer.Option("--max-tokens", help="Limit of a generated reply.")] = 512,
    score_end: Annotated[bool, typer.Option("--score-end", help="Count the end of the answer in likelihoods.")] = False,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of the drawing of questions.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Ask base and tuned model the same questions, say what training gained and lost, and write report and card."""
    from globmed.bench.selection import Plan
    from globmed.models.client import Settings
    from globmed.workflows.evaluate import evaluate_training

    plan = Plan(
        task=task,
        answers=tuple(answer or ("generate", "generate/held_out")),
        languages=tuple(language or ()),
        sources=tuple(source or ()),
        split=split,
        limit=limit,
        seed=seed,
        settings=Settings(max_tokens=max_tokens, seed=seed, score_end=score_end),
    )
    before, after = (Path(name) if Path(name).is_dir() else name for name in (base, tuned))
    with live_view() as live:
        done = evaluate_training(before, after, data=data, plan=plan, out=out, on_progress=live.report)
    rows = [row for row in done.gains if row["sources"] == "all"]
    if as_json:
        card = str(done.card) if done.card else None
        output.print_json(
            {
                "gains": output.plain_rows(done.gains),
                "report": str(done.report.html),
                "card": card,
                "run": str(done.run),
            }
        )
        return
    sums, worse = [row for row in rows if row["by"] != "language"], [row for row in done.gains if row["worse"]]
    output.show([gain_row(row) for row in sums], as_json=False, title="Gain")
    if worse:
        output.show([gain_row(row) for row in worse], as_json=False, title="Worse than before")
    output.say("A gain by fewer unread replies is of the answer format; the report gives the parts.")
    output.say(f"report  {done.report.html}")
    if done.card:
        output.say(f"card    {done.card}   to publish with the weights")
    output.say(f"replies {done.run}")


def mixture_rows(plan: Sequence[PlanRow]) -> list[dict[str, str]]:
    """Write the mixture for people: each language under its part, then the tiers' sums."""
    total = sum(row.drawn_tokens for row in plan)
    rows = []
    for part in dict.fromkeys(row.part for row in plan):
        own = [row for row in plan if row.part == part]
        for tier in ("high", "low"):
            of_tier = [row for row in own if row.tier == tier]
            rows += [_mixture_row(part, row.language, [row], total) for row in of_tier]
            if of_tier:
                rows.append(_mixture_row(part, f"{tier}-resource", of_tier, total))
    return rows


def _mixture_row(part: str, name: str, of: Sequence[PlanRow], total: int) -> dict[str, str]:
    tokens, drawn = sum(row.tokens for row in of), sum(row.drawn_tokens for row in of)
    return {
        "part": part.replace("_", "-"),
        "languages": name,
        "examples": f"{sum(row.examples for row in of):,}",
        "tokens": f"{tokens:,}",
        "longest": f"{max(row.longest_tokens for row in of):,}",
        "drawn": f"{sum(row.drawn for row in of):,}",
        "tokens drawn": f"{drawn:,}",
        "share %": f"{100 * drawn / total:.1f}" if total else "–",
        "epochs": f"{drawn / tokens:.2f}",
    }
