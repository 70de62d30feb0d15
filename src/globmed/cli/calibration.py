"""`globmed data check --calibrate`: measure the checks of translations on human translations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from globmed.cli import output


@dataclass(frozen=True, kw_only=True)
class Files:
    """What a calibration reads and writes beside the page; None where a file was not asked for.

    Attributes:
        page: the page of results, in Markdown.
        bands: the fitted bands of length, as a `quality_bands.toml`.
        sample: blocked pairs to be read by people, with their texts.
        verdicts: a sample that people have filled in, instead of the verdicts that come with the package.
        kept_verdicts: where to write the verdicts on the sample without the texts.
    """

    page: Path
    bands: Path | None = None
    sample: Path | None = None
    verdicts: Path | None = None
    kept_verdicts: Path | None = None


def calibrate(wanted: Sequence[str], files: Files, *, seed: int = 0, at_most: int | None = None, as_json: bool) -> None:
    """Measure the checks on translations given as `NAME=PATH`, write the page and print false alarms by language."""
    from globmed.data.calibration import calibrating
    from globmed.data.calibration.page_tables import groups, rates_of
    from globmed.data.calibration.quality_page import render

    with output.stages() as tell:
        result = calibrating.calibrate(wanted, seed=seed, at_most=at_most, verdicts=files.verdicts, tell=tell)
    calibrating.write_text(render(result), files.page)
    if files.bands:
        calibrating.write_bands(result, files.bands)
    if files.sample:
        calibrating.write_sample(result, files.sample)
    if files.kept_verdicts:
        calibrating.write_verdicts(result, files.kept_verdicts)
    rows = [
        {
            "language": group.label,
            "pairs": len(group.results),
            "blocked": rates.blocked.mean,
            "from": rates.blocked.low,
            "to": rates.blocked.high,
            "flagged": rates.flagged.mean,
        }
        for group in groups(result.good)
        for rates in [rates_of(group.results)]
    ]
    output.show(rows, as_json=as_json, title="Good translations that are stopped")
    if not as_json:
        output.say(f"All that was measured: {files.page}")
