"""`globmed train`: a recipe into a model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from globmed.cli import output
from globmed.cli.demo import gain_row
from globmed.cli.live import live_view
from globmed.cli.output import AsJson

if TYPE_CHECKING:
    from globmed.train.mixture import PlanRow

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
    # Of several processes the first speaks for all.
    if manifest:
        output.stage(StageResult.of(out), title="Train items", as_json=as_json)


@app.command("plan")
def plan_command(recipe: RecipeFile, as_json: AsJson = False) -> None:
    """Print what a recipe would learn from, by kind of example, tier and language, without training."""
    import msgspec

    from globmed.train.recipe import read_recipe
    from globmed.workflows.training import plan

    found = plan(read_recipe(recipe))
    if as_json:
        output.print_json(
            {
                "mixture": msgspec.to_builtins(found.plan),
                "items": msgspec.to_builtins(found.counts),
                "steps": found.steps,
                "filled": found.filled,
            }
        )
        return
    output.show(mixture_rows(found.plan), as_json=False, title="What is learnt from")
    from globmed.core.store import count_rows

    output.show(count_rows(found.counts), as_json=False, title="Train items")
    output.say(
        f"{found.steps:,} steps of {found.batch_tokens:,} tokens; rows are {100 * found.filled:.1f} % full, and "
        f"{100 * found.answers:.1f} % of the tokens carry the loss.\nNext: globmed train run {recipe} --out FOLDER"
    )


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
