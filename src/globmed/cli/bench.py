"""`globmed bench`: ask models, score their replies, report."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from globmed.cli import output
from globmed.cli.output import AsJson
from globmed.core.errors import EnvironmentFailedError

if TYPE_CHECKING:
    from globmed.bench.runner import RunResult

app = typer.Typer(help="Benchmark models: run, score, report.", no_args_is_help=True)

Run = Annotated[Path, typer.Argument(help="A run's folder.", metavar="RUN")]


@app.command("run")
def run_command(
    data: Annotated[Path, typer.Option("--data", help="Folder of a finished stage of items, such as a release.")],
    model: Annotated[
        list[str],
        typer.Option("--model", help="chance, majority, longest, local:FOLDER, api:MODEL@BASE_URL or @PRESET; repeat."),
    ],
    out: Annotated[Path, typer.Option("--out", help="The run's folder; the same command goes on in it.")],
    language: Annotated[list[str] | None, typer.Option("--language", help="BCP 47 code; repeat. Default: all.")] = None,
    source: Annotated[list[str] | None, typer.Option("--source", help="Source; repeat. Default: all.")] = None,
    answer: Annotated[
        list[str] | None,
        typer.Option("--answer", help="generate, score_letters or score_options, with /byte and /closed; repeat."),
    ] = None,
    split: Annotated[Literal["train", "dev", "test"], typer.Option("--split")] = "test",
    limit: Annotated[
        int | None, typer.Option("--limit", help="So many questions a source, the same in each language.")
    ] = None,
    runs: Annotated[int, typer.Option("--runs", help="How often each item is asked.")] = 1,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of the drawing of questions.")] = 0,
    max_tokens: Annotated[int, typer.Option("--max-tokens", help="Limit of a generated reply.")] = 512,
    temperature: Annotated[float, typer.Option("--temperature")] = 0.0,
    score_end: Annotated[bool, typer.Option("--score-end", help="Count the end of the answer in likelihoods.")] = False,
    concurrency: Annotated[int, typer.Option("--concurrency", help="Calls under way at once to a model.")] = 8,
    as_json: AsJson = False,
) -> None:
    """Ask models every chosen item and save their replies; what is saved is never asked again."""
    from globmed.bench.pipeline import bench_run
    from globmed.bench.selection import Plan
    from globmed.models.client import Settings

    plan = Plan(
        answers=tuple(answer or ["generate"]),
        languages=tuple(language or ()),
        sources=tuple(source or ()),
        split=split,
        limit=limit,
        runs=runs,
        seed=seed,
        settings=Settings(max_tokens=max_tokens, temperature=temperature, seed=seed, score_end=score_end),
    )
    with output.stages() as tell:
        result = bench_run(
            model,
            data=data,
            plan=plan,
            out=out,
            concurrency=concurrency,
            on_progress=lambda name, stats: tell(f"asking {name}", sum(stats.replies.values()), None),
        )
    _show_run(result, as_json=as_json)
    for one in result.models:
        if one.failures and sum(one.failures.values()) == sum(one.stats.replies.values()):
            raise EnvironmentFailedError(
                f"every call of {one.model} failed: {next(iter(one.failures))}. Run it again to ask again"
            )


@app.command("score")
def score_command(run: Run, as_json: AsJson = False) -> None:
    """Read and grade the saved replies, and print accuracy by model and language. No model is needed."""
    from globmed.bench.analysis import accuracy_table
    from globmed.bench.pipeline import bench_analyze, bench_score

    bench_score(run)
    bench_analyze(run)
    rows = accuracy_table(run).to_pylist()
    if as_json:
        output.show(rows, as_json=True)
        return
    output.show(
        [accuracy_row(row) for row in rows],
        as_json=False,
        title="Accuracy in percent, with 95 % intervals clustered by question",
    )
    output.say(f"Scores: {run / 'scores'}   next: globmed bench report {run}")


@app.command("report")
def report_command(
    runs: Annotated[list[Path], typer.Argument(help="Folders of scored runs.", metavar="RUN...")],
    out: Annotated[Path | None, typer.Option("--out", help="Default: the folder `report` in the first run.")] = None,
    title: Annotated[str, typer.Option("--title")] = "Accuracy by model and language",
    as_json: AsJson = False,
) -> None:
    """Write one HTML page that opens without network, the same as Markdown and CSV, and PNG and SVG figures."""
    from globmed.bench.report import write_report

    files = write_report(runs, out=out or runs[0] / "report", title=title)
    if as_json:
        output.print_json({"html": str(files.html), "figures": [str(path) for path in files.figures]})
        return
    for path in (files.html, files.markdown, *files.tables, *files.figures):
        output.say(str(path))


def accuracy_row(row: dict[str, Any]) -> dict[str, Any]:
    """Write one row of the table of accuracies for people."""
    bounds = f" ({100 * row['low']:.1f} to {100 * row['high']:.1f})" if row["low"] == row["low"] else ""
    unanswered = {name: row[name] for name in ("unread", "several", "empty", "refused", "truncated", "filtered")}
    return {
        "model": row["model"],
        "answer": row["answer"],
        "languages": f"{row['group']}-resource" if row["by"] == "tier" else row["group"],
        "items": row["items"],
        "clusters": row["clusters"],
        "accuracy %": row["reason"] if row["accuracy"] != row["accuracy"] else f"{100 * row['accuracy']:.1f}{bounds}",
        "chance %": "–" if row["chance"] != row["chance"] else f"{100 * row['chance']:.1f}",
        "no answer read": {name: number for name, number in unanswered.items() if number},
        "errors": row["errors"],
    }


def _show_run(result: RunResult, *, as_json: bool) -> None:
    from globmed.core.store import count_rows

    models = [
        {
            "model": one.model,
            "replies": sum(one.stats.replies.values()),
            "from journal": one.stats.from_journal,
            "asked now": one.stats.asked,
            "in flight when killed": one.in_flight,
            "shared": one.stats.shared,
            "errors": one.stats.replies.get("error", 0),
            **({"failures": one.failures} if as_json else {}),
        }
        for one in result.models
    ]
    items = count_rows(result.asked)
    if as_json:
        output.print_json({"run": str(result.run), "items": items, "models": models})
        return
    output.show(items, as_json=False, title="Items")
    output.show(models, as_json=False, title="Replies")
    for one in result.models:
        for reason, number in list(one.failures.items())[:3]:
            output.say(f"{number} calls of {one.model} failed, such as: {reason}")
    output.say(f"Run: {result.run}   next: globmed bench score {result.run}")
