"""How results are shown: a table for people, JSON for machines, progress on standard error."""

from __future__ import annotations

import json
import math
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Annotated, Any, Protocol

import typer

if TYPE_CHECKING:
    from globmed.bench.estimate import Estimate
    from globmed.data.pipeline import StageResult
    from globmed.train.steps import Step

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for machines instead of a table.")]
LINE_SECONDS = 10.0
"""How often a line is printed where there is no terminal to draw a bar on."""


class Tell(Protocol):
    """Is told how much is done, of how much where that is known, and a note on it."""

    def __call__(self, done: int, total: int | None, note: str = "") -> None:
        """Show it."""


def show(rows: Sequence[Mapping[str, Any]], *, as_json: bool, title: str = "") -> None:
    """Print rows that share their keys: as a table, or as a JSON array."""
    if as_json:
        print_json(plain_rows(rows))
        return
    console().print(_table(rows, title=title))


def show_estimates(estimates: Sequence[Estimate], *, stderr: bool = False) -> None:
    """Print what models are to be asked, and what the figures rest on."""
    rows = [
        {
            "model": one.model,
            "at": one.place,
            "requests": one.requests,
            "answered before": one.answered,
            "input tokens, about": one.input_tokens,
            "output tokens, at most": one.output_tokens,
            "US$, at most": "price not known" if one.cost_usd is None else f"{one.cost_usd:.2f}",
        }
        for one in estimates
    ]
    stream = sys.stderr if stderr else sys.stdout
    console(stderr=stderr).print(_table(rows, title="What is to be asked"))
    for one in estimates:
        if one.price is not None:
            stream.write(f"Price of {one.model}: as of {one.price.on}, {one.price.source}\n")
        if one.undecided:
            stream.write(f"Not measured yet: replies of {one.model} may be longer in languages that cost it more\n")
        if len(set(one.limits.values())) > 1:
            limits = ", ".join(f"{language} {limit}" for language, limit in one.limits.items())
            stream.write(f"Tokens that a reply of {one.model} may have: {limits}\n")


def plain_rows(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return rows as JSON has them: a number that is none becomes null."""
    return [{name: plain(value) for name, value in row.items()} for row in rows]


def print_json(value: Any) -> None:
    """Print one JSON document; a number that is none becomes null."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=1) + "\n")


def say(text: str) -> None:
    """Print a line for people."""
    sys.stdout.write(text + "\n")


def stage(result: StageResult, *, title: str, as_json: bool) -> None:
    """Print what became of every row of a stage, and where it lies."""
    if as_json:
        print_json({"folder": str(result.folder), "counts": result.counts, "findings": result.findings})
        return
    show(result.counts, as_json=False, title=title)
    if result.findings:
        show(result.findings, as_json=False, title="Items with a finding (none was dropped for it)")
    say(f"Records and manifest: {result.folder}")


@contextmanager
def stages() -> Iterator[Callable[[str, int, int | None], None]]:
    """Give a function of (what, done, total) for work that goes through several parts, each with its own bar."""
    with ExitStack() as stack:
        current, tell = "", None

        def report(what: str, done: int, total: int | None) -> None:
            nonlocal current, tell
            if what != current or tell is None:
                stack.close()
                current, tell = what, stack.enter_context(progress(what))
                if not sys.stderr.isatty():
                    sys.stderr.write(f"{what}\n")
            tell(done, total)

        yield report


@contextmanager
def progress(title: str) -> Iterator[Tell]:
    """Give a function of (done, total) that draws a bar on a terminal, or prints a line now and then elsewhere."""
    if sys.stderr.isatty():
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[note]}"),
        )
        with Progress(*columns, console=console(stderr=True), transient=True) as bar:
            task = bar.add_task(title, total=None, note="")
            yield lambda done, total, note="": bar.update(task, completed=done, total=total, note=note)
        return
    last = time.monotonic()

    def tell(done: int, total: int | None, note: str = "") -> None:
        nonlocal last
        if time.monotonic() - last >= LINE_SECONDS:
            last = time.monotonic()
            of, more = f" of {total}" if total else "", f" ({note})" if note else ""
            sys.stderr.write(f"{title}: {done}{of}{more}\n")

    yield tell


@contextmanager
def training() -> Iterator[Callable[[Step], None]]:
    """Give a function of steps that draws a bar with tokens a second, or prints a line now and then."""
    began, before = time.monotonic(), -1
    with progress("training step") as tell:

        def report(step: Step) -> None:
            nonlocal began, before
            if before < 0:
                # What an earlier command learnt took none of this one's time.
                began, before = time.monotonic(), step.tokens
            seconds = time.monotonic() - began
            speed = f", {(step.tokens - before) / seconds:,.0f} tokens a second" if step.tokens > before else ""
            tell(step.done, step.steps, f"{step.tokens:,} tokens{speed}")

        yield report


def console(*, stderr: bool = False) -> Any:
    """Return rich's console on one of the two streams."""
    from rich.console import Console

    # Piped into a file there is no width to fit: a table is then as wide as it needs to be.
    stream = sys.stderr if stderr else sys.stdout
    return Console(stderr=stderr, highlight=False, markup=False, emoji=False, width=None if stream.isatty() else 200)


def _table(rows: Sequence[Mapping[str, Any]], *, title: str) -> Any:
    from rich import box
    from rich.table import Table

    table = Table(title=title or None, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
    names = list(rows[0]) if rows else []
    for name in names:
        numeric = all(isinstance(row[name], int | float) or row[name] is None for row in rows)
        table.add_column(name.replace("_", " "), justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        table.add_row(*(_cell(row[name]) for name in names))
    return table


def plain(value: Any) -> Any:
    """Return what JSON can hold: null for a number that is none."""
    return None if isinstance(value, float) and math.isnan(value) else value


def _cell(value: Any) -> str:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "–"
    if isinstance(value, Mapping):
        return "; ".join(f"{number} {reason}" for reason, number in value.items()) or "0"
    return f"{value:.3f}" if isinstance(value, float) else str(value)
