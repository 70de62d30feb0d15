"""What is shown while models are asked: a table that is drawn anew on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from globmed.cli import output

if TYPE_CHECKING:
    from rich.live import Live

    from globmed.bench.estimate import Estimate
    from globmed.models.campaign import CampaignStats

_WINDOW_SECONDS = 30.0
_DOLLARS = "US$ "


@dataclass
class _Model:
    """One model's row: what it was to be asked, how far it is, and when it was how far."""

    expected: int | None = None
    stats: CampaignStats | None = None
    past: deque[tuple[float, int]] = field(default_factory=deque)

    def update(self, stats: CampaignStats) -> None:
        self.stats = stats
        self.past.append((stats.seconds, _answered_now(stats)))
        while self.past[-1][0] - self.past[0][0] > _WINDOW_SECONDS and len(self.past) > 2:
            self.past.popleft()

    @property
    def per_second(self) -> float:
        (began, before), (ends, after) = self.past[0], self.past[-1]
        if len(self.past) == 1:
            began, before = 0.0, 0
        return (after - before) / (ends - began) if ends > began else 0.0


class LiveView:
    """Shows estimates, and then how far each campaign is, on standard error; made by `live_view`."""

    def __init__(self, live: Live | None) -> None:
        self._live = live
        self._models: dict[str, _Model] = {}
        self._said = time.monotonic()
        self._stopping = False

    def estimate(self, estimates: list[Estimate]) -> None:
        """Show what each model is to be asked."""
        for one in estimates:
            self._models[one.model] = _Model(expected=one.requests + one.answered)
        if any(one.requests and one.place != "this process" for one in estimates):
            output.show_estimates(estimates, stderr=True)

    def report(self, model: str, stats: CampaignStats) -> None:
        """Show how far a campaign is."""
        self._models.setdefault(model, _Model()).update(stats)
        if stats.stopping and not self._stopping:
            self._stopping = True
            self._say("Stopping: nothing more is sent; what is under way is waited for. Once more not to wait for it.")
        if self._live is not None:
            self._live.update(self._table())
        elif time.monotonic() - self._said >= output.LINE_SECONDS:
            self._said = time.monotonic()
            self._say(f"{model}: " + ", ".join(f"{name} {text}" for name, text in self._cells(model).items() if text))

    def _say(self, line: str) -> None:
        (self._live.console.print if self._live is not None else _to_stderr)(line)

    def _table(self) -> Any:
        from rich import box
        from rich.table import Table

        table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        table.add_column("model", overflow="fold")
        asked = [name for name, model in self._models.items() if model.stats is not None]
        for name in self._cells(asked[0]):
            table.add_column(name, justify="right")
        for name in asked:
            table.add_row(name, *self._cells(name).values())
        return table

    def _cells(self, name: str) -> dict[str, str]:
        model = self._models[name]
        stats = model.stats
        assert stats is not None, "only what has been reported is shown"
        done = sum(stats.replies.values())
        errors, setbacks = stats.replies.get("error", 0), sum(stats.setbacks.values())
        return {
            "replies": f"{done:,}" + (f" of {model.expected:,}" if model.expected else ""),
            "a second": f"{model.per_second:.1f}",
            "under way": f"{stats.under_way} of {stats.concurrency}"
            + (f", paused {stats.closed_seconds:.0f} s" if stats.closed_seconds else ""),
            "tokens in": f"{stats.usage.input:,}",
            "out": f"{stats.usage.output:,}",
            "cost": "" if stats.cost_usd is None else f"{_DOLLARS}{stats.cost_usd:.2f}",
            "errors": str(errors) if errors else "",
            "tried again": "; ".join(f"{count} {kind}" for kind, count in stats.setbacks.items()) if setbacks else "",
            "time left": _time_left(model, done),
        }


@contextmanager
def live_view() -> Iterator[LiveView]:
    """Give a view for as long as models are asked."""
    if not sys.stderr.isatty():
        yield LiveView(None)
        return
    from rich.live import Live

    with Live(console=output.console(stderr=True), refresh_per_second=5, transient=True) as live:
        yield LiveView(live)


def _answered_now(stats: CampaignStats) -> int:
    return sum(stats.replies.values()) - stats.from_journal


def _time_left(model: _Model, done: int) -> str:
    if not model.expected or not model.per_second:
        return ""
    minutes, seconds = divmod(round((model.expected - done) / model.per_second), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {seconds:02} s" if minutes else f"{seconds} s"


def _to_stderr(line: str) -> None:
    sys.stderr.write(line + "\n")
