"""`globmed bench`: ask models, score their replies, report."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from globmed.cli import beating, comparing, costs, exporting, gap_parts, judging, output, translate_test, viewing
from globmed.cli.live import live_view
from globmed.cli.output import AsJson
from globmed.cli.recipes import Recipe
from globmed.core.errors import CheckFailedError, EnvironmentFailedError

if TYPE_CHECKING:
    from globmed.bench.runner import RunResult
    from globmed.models.client import Status

app = typer.Typer(help="Benchmark models: run, score, report.", no_args_is_help=True)
batch = typer.Typer(help="Ask by batch files, where an endpoint answers them at a lower price.", no_args_is_help=True)
app.add_typer(batch, name="batch")
app.command("judge")(judging.judge_command)
app.command("compare")(comparing.compare_command)
app.command("ranks")(comparing.ranks_command)
app.command("transfer")(comparing.transfer_command)
app.command("costs")(costs.costs_command)
app.command("translate")(translate_test.translate_command)
app.command("translate-back")(translate_test.translate_back_command)
app.add_typer(exporting.export, name="export")
app.command("import")(exporting.import_command)
app.command("view")(viewing.view_command)

_INCOMPLETE: tuple[Status, ...] = ("truncated", "refused", "filtered", "error")

Run = Annotated[Path, typer.Argument(help="A run's folder.", metavar="RUN")]
Models = Annotated[
    list[str],
    typer.Option(
        "--model",
        help="chance, majority, longest, hypothesis_only, a catalog id such as gpt-4o, ID@ENDPOINT, ID@local, "
        "local:FOLDER, api:MODEL@BASE_URL or api:MODEL@ENDPOINT (see: globmed list models, list endpoints); repeat.",
    ),
]
Task = Annotated[str, typer.Option("--task", help="What is asked (see: globmed list tasks).")]
Answers = Annotated[
    list[str] | None,
    typer.Option(
        "--answer",
        help="generate, score_letters or score_options, and behind it any of /byte or /prior (likelihoods of options), "
        "/closed (no context), /english (instructions in English), /held_out (the phrasing no model is trained on), "
        "/steps (reasoning first), /permuted (options in another order each run), /unmarked (Yoruba and Wolof typed "
        "without marks), /own_labels (甲乙, アイ, ①② instead of A, B), /english_drugs (names of drugs in English), "
        "/translated (translated to English, asked in English; see --translations and, for open answers, globmed bench "
        "translate-back), /3_shot (solved examples); as in generate/english/3_shot; repeat.",
    ),
]
Primary = Annotated[
    list[str] | None,
    typer.Option(
        "--primary",
        help="A gap that the study is about, declared before anything is asked: a language (to English), or as in "
        "sw:native; repeat. Default: every language.",
        metavar="GAP",
    ),
]
Translated = Annotated[
    Path | None,
    typer.Option("--translations", help="For /translated: the folder that globmed bench translate made of the data."),
]
Limit = Annotated[int | None, typer.Option("--limit", help="So many questions a source, the same in each language.")]
ScaleLimits = Annotated[bool, typer.Option(help="Raise --max-tokens in languages that take more tokens than English.")]
Concurrency = Annotated[
    int, typer.Option("--concurrency", help="Calls under way at once at an endpoint, at most; found by trial.")
]
MaxCost = Annotated[
    float | None, typer.Option("--max-cost", help="US dollars that this run may cost in all.", metavar="USD")
]
MaxRequests = Annotated[int | None, typer.Option("--max-requests", help="Calls of this run in all, retries included.")]
MaxTokens = Annotated[
    int | None, typer.Option("--max-total-tokens", help="Tokens of this run in all, read and written.")
]
MaxSeconds = Annotated[
    float | None,
    typer.Option("--max-seconds", help="Send nothing more after so long; go on with the same command."),
]
EstimateOnly = Annotated[
    bool, typer.Option("--estimate", help="Say what would be asked and what it costs; send nothing.")
]


@app.command("run")
def run_command(
    data: Annotated[Path, typer.Option("--data", help="Folder of a finished stage of items, such as a release.")],
    model: Models,
    out: Annotated[Path, typer.Option("--out", help="The run's folder; the same command goes on in it.")],
    language: Annotated[list[str] | None, typer.Option("--language", help="BCP 47 code; repeat. Default: all.")] = None,
    source: Annotated[list[str] | None, typer.Option("--source", help="Source; repeat. Default: all.")] = None,
    task: Task = "mcqa",
    answer: Answers = None,
    split: Annotated[Literal["train", "dev", "test"], typer.Option("--split")] = "test",
    limit: Limit = None,
    runs: Annotated[int, typer.Option("--runs", help="How often each item is asked.")] = 1,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of the drawing of questions.")] = 0,
    primary: Primary = None,
    translations: Translated = None,
    max_tokens: Annotated[int, typer.Option("--max-tokens", help="Limit of a generated reply.")] = 512,
    temperature: Annotated[float, typer.Option("--temperature")] = 0.0,
    score_end: Annotated[bool, typer.Option("--score-end", help="Count the end of the answer in likelihoods.")] = False,
    scale_limits: ScaleLimits = True,
    concurrency: Concurrency = 32,
    max_cost: MaxCost = None,
    max_requests: MaxRequests = None,
    max_total_tokens: MaxTokens = None,
    max_seconds: MaxSeconds = None,
    estimate: EstimateOnly = False,
    recipe: Recipe = None,  # noqa: ARG001 - its callback has filled in the others
    as_json: AsJson = False,
) -> None:
    """Ask models every chosen item and save their replies; what is saved is never asked again."""
    from globmed.bench.effort import Effort
    from globmed.bench.pipeline import bench_run
    from globmed.bench.selection import Plan
    from globmed.models.attempts import Patience
    from globmed.models.budget import Cap
    from globmed.models.client import Settings

    plan = Plan(
        task=task,
        answers=tuple(answer or ["generate"]),
        languages=tuple(language or ()),
        sources=tuple(source or ()),
        split=split,
        limit=limit,
        runs=runs,
        seed=seed,
        settings=Settings(max_tokens=max_tokens, temperature=temperature, seed=seed, score_end=score_end),
        scale_limits=scale_limits,
        primary=tuple(primary or ()),
    )
    effort = Effort(
        concurrency=concurrency,
        patience=Patience(seconds=max_seconds),
        cap=Cap(requests=max_requests, tokens=max_total_tokens, cost_usd=max_cost),
        estimate_only=estimate,
    )
    with live_view() as live:
        result = bench_run(
            model,
            data=data,
            plan=plan,
            out=out,
            effort=effort,
            translations=translations,
            on_estimate=None if estimate else live.estimate,
            on_progress=live.report,
        )
    if estimate:
        _show_estimates(result, as_json=as_json)
        return
    _show_run(result, as_json=as_json)
    for one in result.models:
        if one.failures and sum(one.failures.values()) == sum(one.stats.replies.values()):
            raise EnvironmentFailedError(
                f"every call of {one.model} failed: {next(iter(one.failures))}. Run it again to ask again"
            )


@batch.command("export")
def export_command(
    run: Run,
    model: Annotated[str, typer.Option("--model", help="As for `bench run`; at an endpoint that takes batch files.")],
    out: Annotated[Path, typer.Option("--out", help="A new folder for the files.")],
    as_json: AsJson = False,
) -> None:
    """Write what a run has no reply to yet as batch files; `bench run --estimate` makes a run without asking."""
    from globmed.bench.batch import export_batch
    from globmed.models.opening import open_client

    result = export_batch(run, open_client(model), out=out)
    if as_json:
        output.print_json({"files": [str(path) for path in result.files], "requests": result.requests})
        return
    output.show_estimates([result.estimate])
    for path in result.files:
        output.say(str(path))
    output.say(f"{result.requests} requests. Next: globmed bench batch import {run} --model {model} RESULTS...")


@batch.command("import")
def import_command(
    run: Run,
    files: Annotated[list[Path], typer.Argument(help="Results as the endpoint gave them.", metavar="RESULTS...")],
    model: Annotated[str, typer.Option("--model", help="As for the export.")],
    as_json: AsJson = False,
) -> None:
    """Save the replies of batch results in the run; reading a file twice changes nothing."""
    from globmed.bench.batch import import_batch
    from globmed.models.opening import open_client

    result = import_batch(run, open_client(model, to_ask=False), files)
    if as_json:
        output.print_json({"replies": result.replies, "known": result.known, "missing": result.missing})
        return
    replies = ", ".join(f"{count} {status}" for status, count in result.replies.items()) or "none"
    output.say(f"New replies: {replies}. Answered before: {result.known}. Without an answer yet: {result.missing}.")
    left = (
        f"globmed bench batch export {run} --model {model} --out NEW"
        if result.missing
        else f"globmed bench score {run}"
    )
    output.say(f"Next: {left}")


@app.command("score")
def score_command(run: Run, as_json: AsJson = False) -> None:
    """Read and grade the saved replies, and print accuracy by model and language. No model is needed."""
    from globmed.bench.analysis import accuracy_table
    from globmed.bench.pipeline import bench_analyze, bench_score

    bench_score(run)
    bench_analyze(run)
    rows, baselines = accuracy_table(run).to_pylist(), beating.baseline_rows(run)
    if as_json:
        output.print_json({"accuracy": output.plain_rows(rows), "baselines": output.plain_rows(baselines)})
        return
    if not rows:
        output.say(
            "These questions are open: their replies are described by globmed bench analyze, and judged by "
            f"globmed bench judge.\nScores: {run / 'scores'}   next: globmed bench judge {run} --judge MODEL"
        )
        return
    output.show(
        [accuracy_row(row) for row in rows],
        as_json=False,
        title="Accuracy in percent, with 95 % intervals clustered by question",
    )
    beating.show_baselines(baselines)
    output.say(f"Scores: {run / 'scores'}   next: globmed bench report {run}")


@app.command("analyze")
def analyze_command(
    run: Run,
    metric: Annotated[list[str] | None, typer.Option("--metric", help="Only these; repeat. Default: all.")] = None,
    as_json: AsJson = False,
) -> None:
    """Print every metric of a scored run by source, by its parts where it has any, and by language."""
    from globmed.bench.pipeline import metric_table

    rows = metric_table(run, metrics=tuple(metric or ())).to_pylist()
    baselines = beating.baseline_rows(run, by_source=True)
    if as_json:
        output.print_json({"metrics": output.plain_rows(rows), "baselines": output.plain_rows(baselines)})
        return
    output.show(
        [metric_row(row) for row in rows],
        as_json=False,
        title="Metrics in percent, with 95 % intervals clustered by question",
    )
    beating.show_baselines(baselines)


@app.command("gaps")
def gaps_command(run: Run, as_json: AsJson = False) -> None:
    """Print each model's gap between each language and English, and the language that each question was written in."""
    from globmed.bench.pipeline import analysis_table, gap_table

    rows, parts = gap_table(run).to_pylist(), analysis_table(run, "gap_parts").to_pylist()
    if as_json:
        output.print_json(gap_parts.with_parts(rows, parts))
        return
    output.show(
        [gap_row(row) for row in rows],
        as_json=False,
        title="Gaps in percentage points, with 95 % intervals; those of primary gaps hold for all of a source at once",
    )
    output.say(
        "The intervals speak of other questions of the source, given these translations, prompts and runs; of other "
        "runs too from five on. A gap that is not primary is exploratory: it says where to look and shows nothing. "
        "Shows from: the smallest gap that four of five such studies find. "
        "A gap may be the model's, the translation's or the reader's: look at the replies not read as well."
    )
    gap_parts.show_parts(parts)


@app.command("verify")
def verify_command(run: Run, as_json: AsJson = False) -> None:
    """Compute every number of a run again from its saved replies, and exit with 1 where one differs."""
    from globmed.bench.verify import verify_run
    from globmed.workflows.translate_back import verify_back

    verdicts = [*verify_run(run), *verify_back(run)]
    rows = [{"part": one.part, "holds": "yes" if one.holds else "no", "found": one.found} for one in verdicts]
    output.show(rows, as_json=as_json, title="Files as recorded, and numbers computed again from the saved replies")
    if broken := [one for one in verdicts if not one.holds]:
        raise CheckFailedError(f"{run}: {len(broken)} of {len(verdicts)} parts do not hold, first {broken[0].part}")


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
    bounds = f" ({100 * row['low']:.1f} to {100 * row['high']:.1f})"
    unanswered = {name: row[name] for name in ("unread", "several", "empty", "refused", "truncated", "filtered")}
    return {
        "model": row["model"],
        "answer": row["answer"],
        "languages": f"{row['group']}-resource" if row["by"] == "tier" else row["group"],
        "items": row["items"],
        "clusters": row["clusters"],
        "accuracy %": f"– ({row['reason']})"
        if row["accuracy"] != row["accuracy"]
        else f"{100 * row['accuracy']:.1f}{bounds}",
        "chance %": "–" if row["chance"] != row["chance"] else f"{100 * row['chance']:.1f}",
        "no answer read": {name: number for name, number in unanswered.items() if number},
        "errors": row["errors"],
    }


def metric_row(row: dict[str, Any]) -> dict[str, Any]:
    """Write one row of the table of metrics for people."""
    bounds = f"{100 * row['low']:.1f} to {100 * row['high']:.1f}" if row["low"] == row["low"] else row["reason"]
    return {
        "model": row["model"],
        "answer": row["answer"],
        "source": row["source"] if row["subset"] == "all" else f"{row['source']}: {row['subset'] or 'no part'}",
        "metric": row["metric"],
        "languages": f"{row['group']}-resource" if row["by"] == "tier" else row["group"],
        "replies": row["n"],
        "clusters": row["clusters"],
        "value %": f"– ({row['reason']})" if row["value"] != row["value"] else f"{100 * row['value']:.1f} ({bounds})",
    }


def gap_row(row: dict[str, Any]) -> dict[str, Any]:
    """Write one row of the table of gaps for people."""
    bounds = f"{100 * row['low']:+.1f} to {100 * row['high']:+.1f}" if row["low"] == row["low"] else row["reason"]
    return {
        "source": row["source"],
        "model": row["model"],
        "answer": row["answer"],
        "language": f"{row['tier']}-resource" if row["by"] == "tier" else row["language"],
        "text": row["text"],
        "reference": "English" if row["reference"] == "en" else "native",
        "accuracy %": _percent(row["accuracy"]),
        "reference %": _percent(row["at_reference"]),
        "gap": f"{_percent(row['gap'], '+.1f')} ({bounds})",
        "p": "–" if row["p"] != row["p"] else f"{row['p']:.4f}",
        "primary": "yes" if row["primary"] else "no",
        "shows from": _percent(row["smallest_gap"]),
        "not read": _percent(row["unread_gap"], "+.1f"),
        "questions": row["clusters"],
    }


def _percent(share: float, form: str = ".1f") -> str:
    # Adding 0 takes the sign off a zero.
    return "–" if math.isnan(share) else f"{100 * share + 0.0:{form}}"


def _show_estimates(result: RunResult, *, as_json: bool) -> None:
    from globmed.bench.translated_back import asks_in_english

    if as_json:
        import msgspec

        output.print_json({"run": str(result.run), "estimates": msgspec.to_builtins(result.estimates)})
        return
    output.show_estimates(result.estimates)
    output.say(
        "Nothing was sent. Tokens are estimated from the texts' length; replies end before their limit as a rule."
    )
    if asks_in_english(result.run):
        output.say("Answers in English are to be translated back as well: globmed bench translate-back --estimate.")


def _show_run(result: RunResult, *, as_json: bool) -> None:
    from globmed.bench.translated_back import asks_in_english
    from globmed.core.store import count_rows

    models = [
        {
            "model": one.model,
            "replies": sum(one.stats.replies.values()),
            "from journal": one.stats.from_journal,
            "asked now": one.stats.asked,
            "in flight when killed": one.in_flight,
            "shared": one.stats.shared,
            "tried again": sum(one.stats.setbacks.values()),
            "errors": one.stats.replies.get("error", 0),
            "cost US$": one.stats.cost_usd,
            **({"failures": one.failures, "incomplete": one.incomplete, "served": one.served} if as_json else {}),
        }
        for one in result.models
    ]
    items = count_rows(result.asked.counts)
    if as_json:
        output.print_json({"run": str(result.run), "items": items, "models": models})
        return
    output.show(items, as_json=False, title="Items")
    output.show(models, as_json=False, title="Replies")
    incomplete = [
        {"model": one.model, "language": language, **{status: counts.get(status, 0) for status in _INCOMPLETE}}
        for one in result.models
        for language, counts in one.incomplete.items()
    ]
    if incomplete:
        output.show(incomplete, as_json=False, title="Replies that are no complete answer")
    for one in result.models:
        for served, number in one.served.items():
            output.say(f"{number} replies of {one.model} came from what its endpoint calls {served}")
        for reason, number in list(one.failures.items())[:3]:
            output.say(f"{number} calls of {one.model} failed, such as: {reason}")
    after = f"translate-back {result.run} --model MODEL" if asks_in_english(result.run) else f"score {result.run}"
    output.say(f"Run: {result.run}   next: globmed bench {after}")
