"""A section of the report."""

from __future__ import annotations

from dataclasses import dataclass

from globmed.bench.report.drawing import Figure
from globmed.bench.report.grid import Grid


@dataclass(frozen=True, kw_only=True)
class Section:
    """What is said of one thing: its sentences, then tables and figures in the order shown."""

    id: str
    heading: str
    summary: tuple[str, ...]
    blocks: tuple[Grid | Figure, ...]
