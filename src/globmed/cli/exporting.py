"""`globmed bench export` and `import`: the benchmark in other evaluation tools, and their replies back."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Annotated, Literal

import typer

from globmed.cli import output
from globmed.cli.output import AsJson

export = typer.Typer(help="Write the benchmark's questions for other tools.", no_args_is_help=True)


@export.command("lm-eval")
def lm_eval_command(
    data: Annotated[Path, typer.Argument(help="Folder of a finished stage of items, such as a release.")],
    out: Annotated[Path, typer.Option("--out", help="A new folder for the tasks.")],
    language: Annotated[list[str] | None, typer.Option("--language", help="BCP 47 code; repeat. Default: all.")] = None,
    source: Annotated[list[str] | None, typer.Option("--source", help="Source; repeat. Default: all.")] = None,
    task: Annotated[str, typer.Option("--task", help="What is asked (see: globmed list tasks).")] = "mcqa",
    answer: Annotated[
        list[str] | None, typer.Option("--answer", help="Condition, as of bench run; repeat. Default: generate.")
    ] = None,
    split: Annotated[Literal["train", "dev", "test"], typer.Option("--split")] = "test",
    limit: Annotated[int | None, typer.Option("--limit", help="So many questions a source.")] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of the drawing of questions.")] = 0,
    max_tokens: Annotated[int, typer.Option("--max-tokens", help="Limit of a generated reply.")] = 512,
    as_json: AsJson = False,
) -> None:
    """Write tasks for lm-evaluation-harness, one a language and condition, with our prompts and our reader."""
    from globmed.bench.export.lm_eval import export_lm_eval
    from globmed.bench.selection import Plan
    from globmed.models.client import Settings

    plan = Plan(
        task=task,
        answers=tuple(answer or ["generate"]),
        languages=tuple(language or ()),
        sources=tuple(source or ()),
        split=split,
        limit=limit,
        seed=seed,
        settings=Settings(max_tokens=max_tokens, seed=seed),
    )
    written = export_lm_eval(data, plan, out=out)
    rows = [{"task": name, "questions": count} for name, count in written.tasks.items()]
    output.show(rows, as_json=as_json, title="Tasks")
    if not as_json:
        output.say(
            f"Next, where lm_eval and globmed are installed: lm_eval run --include_path {out} --tasks globmed_{task} "
            "--apply_chat_template --log_samples --output_path OUT --model ..."
        )


def import_command(
    run: Annotated[Path, typer.Argument(help="A run's folder, made by bench run --estimate.", metavar="RUN")],
    files: Annotated[
        list[Path], typer.Argument(help="samples_*.jsonl of lm-eval, or logs of Inspect.", metavar="FILE...")
    ],
    tool: Annotated[Literal["lm-eval", "inspect"], typer.Option("--from", help="What wrote the files.")],
    model: Annotated[str, typer.Option("--model", help="That replied, as for bench run; it is not asked.")],
    as_json: AsJson = False,
) -> None:
    """Save replies that lm-evaluation-harness or Inspect got to our questions in a run, to be scored like any other."""
    from globmed.bench.export.coming_back import import_replies, read_saved
    from globmed.models.opening import open_client

    found = import_replies(run, open_client(model, to_ask=False), read_saved(tool, files))
    if as_json:
        output.print_json(dataclasses.asdict(found))
        return
    output.say(
        f"New replies: {found.replies}. Answered before: {found.known}. Failed calls: {found.failed}. "
        f"Without an answer yet: {found.missing}."
    )
    output.say(f"Next: globmed bench score {run}" if not found.missing else "Next: import the rest, or bench run it.")
