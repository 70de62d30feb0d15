"""`globmed bench translate` and `translate-back`: questions into English, and answers in English back.

Both are for the condition `translated`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from globmed.cli import output, translating
from globmed.cli.live import live_view
from globmed.cli.output import AsJson

if TYPE_CHECKING:
    from globmed.data.translate.asking import OnProgress
    from globmed.data.translate.estimate import StepEstimate
    from globmed.models.paying import Effort


Model = Annotated[str, typer.Option("--model", help=f"Who translates: {translating.MODEL}.")]
Estimate = Annotated[bool, typer.Option("--estimate", help="Say what would be asked; send nothing.")]
Concurrency = Annotated[int, typer.Option("--concurrency", min=1, help="Calls under way at once, at most.")]
MaxCost = Annotated[float | None, typer.Option("--max-cost", help="US dollars in all.", metavar="USD")]
MaxRequests = Annotated[int | None, typer.Option("--max-requests", help="Calls in all, retries included.")]
MaxSeconds = Annotated[float | None, typer.Option("--max-seconds", help="Send nothing more after so long.")]


def translate_command(
    data: Annotated[Path, typer.Argument(help="Folder of a finished stage of items, such as a release.")],
    model: Model,
    out: Annotated[Path, typer.Option("--out", help="Folder of the translations; the same command goes on in it.")],
    language: Annotated[
        list[str] | None,
        typer.Option("--language", help="BCP 47 code, the same ones as the run has; repeat. Default: all."),
    ] = None,
    source: Annotated[list[str] | None, typer.Option("--source", help="Source; repeat. Default: all.")] = None,
    task: Annotated[str, typer.Option("--task", help="As the run has it.")] = "mcqa",
    split: Annotated[Literal["train", "dev", "test"], typer.Option("--split")] = "test",
    limit: Annotated[int | None, typer.Option("--limit", help="As the run has it.")] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="As the run has it.")] = 0,
    estimate: Estimate = False,
    concurrency: Concurrency = 32,
    max_cost: MaxCost = None,
    max_requests: MaxRequests = None,
    max_seconds: MaxSeconds = None,
    as_json: AsJson = False,
) -> None:
    """Translate what a benchmark asks into English, once and unchecked, for `bench run --translations`."""
    from globmed.bench.selection import Plan
    from globmed.bench.stand_ins import TO_ENGLISH
    from globmed.core.store import count_rows
    from globmed.workflows.translate_test import TranslateTest, estimate_for_test, translate_for_test

    plan = Plan(
        task=task, languages=tuple(language or ()), sources=tuple(source or ()), split=split, limit=limit, seed=seed
    )
    test = TranslateTest(data=data, plan=plan, model=model, out=out)
    effort = _effort(concurrency, max_cost, max_requests, max_seconds)
    if estimate:
        _show_estimates(estimate_for_test(test, effort=effort), as_json=as_json)
        return
    rows = count_rows(translate_for_test(test, effort=effort, watch=_watch).counts)
    output.show(rows, as_json=as_json, title="Translations into English")
    if not as_json:
        output.say(f"Translations: {out / TO_ENGLISH}   next: globmed bench run --data {data} --translations {out} ...")


def translate_back_command(
    run: Annotated[Path, typer.Argument(help="Folder of a run that asked open questions in English.", metavar="RUN")],
    model: Model,
    estimate: Estimate = False,
    concurrency: Concurrency = 32,
    max_cost: MaxCost = None,
    max_requests: MaxRequests = None,
    max_seconds: MaxSeconds = None,
    as_json: AsJson = False,
) -> None:
    """Translate open answers to translated questions back, once and unchecked, for `bench score` and `bench judge`."""
    from globmed.core.store import count_rows
    from globmed.workflows.translate_back import estimate_back, translate_back

    effort = _effort(concurrency, max_cost, max_requests, max_seconds)
    if estimate:
        _show_estimates(estimate_back(run, model, effort=effort), as_json=as_json)
        return
    rows = count_rows(translate_back(run, model, effort=effort, watch=_watch).counts)
    output.show(rows, as_json=as_json, title="Answers translated back")
    if not as_json:
        output.say(f"Translations: {run / 'translated_back'}   next: globmed bench score {run}")


def _effort(concurrency: int, cost_usd: float | None, requests: int | None, seconds: float | None) -> Effort:
    from globmed.models.attempts import Patience
    from globmed.models.budget import Cap
    from globmed.models.paying import Effort

    cap = Cap(requests=requests, cost_usd=cost_usd)
    return Effort(concurrency=concurrency, patience=Patience(seconds=seconds), cap=cap)


def _show_estimates(steps: Sequence[StepEstimate], *, as_json: bool) -> None:
    import msgspec

    rows = [msgspec.to_builtins(one) for one in steps]
    output.show(rows, as_json=as_json, title="What is to be asked; nothing was sent")


@contextmanager
def _watch(title: str) -> Iterator[OnProgress]:
    with live_view() as live:
        sys.stderr.write(f"{title}\n")
        yield live.report
