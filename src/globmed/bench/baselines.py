"""What a model must beat on the very questions of a run: guessing, and baselines that know nothing of medicine.

They are computed from the items, and no model is asked. `chance` is each item's own share that guessing gets right.
`longest` takes the option with the most characters. `majority` takes the letter most often right in the data's items
outside test, and `hypothesis_only` tells an inference by the words of the hypothesis, as learnt there: these two are
foretold when a run is asked, where the data are at hand, and kept in the stage `<run>/baselines`. All take the options
in the order that the item has.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import numpy as np

from globmed.bench.analysis import ALL, By
from globmed.bench.asked import ITEMS, asked_folder
from globmed.bench.hypothesis_only import foretell
from globmed.bench.selection import Plan, answer_counts
from globmed.bench.tasks import task
from globmed.core.errors import UsageError
from globmed.core.item import Item
from globmed.core.language import language
from globmed.core.store import MANIFEST, read_manifest, read_records, stage_hash, up_to_date, writing_stage
from globmed.models.client import LETTERS
from globmed.stats.intervals import clustered_proportion

FORETOLD = "foretold.parquet"
LEARNT = ("majority", "hypothesis_only")
NOT_KEPT = "not foretold: globmed bench run over the same folder again does it"
_FEWEST_CLUSTERS = 2


class Foretold(msgspec.Struct, frozen=True, kw_only=True):
    """The option, by its index, that a baseline which learnt from other items takes of one item."""

    family: str
    language: str
    baseline: str
    option: int


class BaselineRow(msgspec.Struct, frozen=True, kw_only=True):
    """What a baseline gets right in a language, a tier or all languages.

    Attributes:
        task: name of the task.
        source: name of the source, or `all`.
        baseline: `chance`, `majority`, `longest` or `hypothesis_only`.
        by: what the row sums up.
        group: a language, a tier or `all`.
        tier: the tier of the group; `all` of all.
        n: items it says something of.
        clusters: question clusters that they fall into.
        accuracy: share right; NaN where there is none, with the reason.
        low: lower bound of the 95 % interval clustered by question; NaN likewise.
        high: upper bound.
        reason: why numbers are missing; empty where none is.
    """

    task: str
    source: str
    baseline: str
    by: By
    group: str
    tier: str
    n: int
    clusters: int
    accuracy: float
    low: float
    high: float
    reason: str


def baselines_folder(run: Path) -> Path:
    """Return the stage that holds what was learnt from the data of a run."""
    return run / "baselines"


def keep_baselines(run: Path, *, data: Path, plan: Plan) -> None:
    """Write what the baselines that learn say of the items asked; where they cannot be had, why.

    Args:
        run: a run's folder, whose items were chosen.
        data: the stage of items that they were chosen from.
        plan: of the run.
    """
    inputs = {"asked": stage_hash(asked_folder(run))}
    if task(plan.task).open or _is_kept(run, inputs):
        return
    reasons: dict[str, str] = {}
    told: dict[str, Callable[[Item], int | None]] = {}
    for name, learn in (("majority", _majority), ("hypothesis_only", _hypothesis_only)):
        try:
            told[name] = learn(data, plan)
        except UsageError as error:
            reasons[name] = str(error)
    with writing_stage(baselines_folder(run), "baselines", configuration={"reasons": reasons}, inputs=inputs) as writer:
        writer.write(FORETOLD, _foretold(run, told), Foretold)


def _is_kept(run: Path, inputs: dict[str, str]) -> bool:
    folder = baselines_folder(run)
    if not (folder / MANIFEST).is_file():
        return False
    return up_to_date(folder, configuration=read_manifest(folder).configuration, inputs=inputs) is not None


def _majority(data: Path, plan: Plan) -> Callable[[Item], int | None]:
    counts = answer_counts(data, plan)
    often = [counts.get(letter, 0) for letter in LETTERS]
    return lambda item: often.index(max(often[: len(item.options)]))


def _hypothesis_only(data: Path, plan: Plan) -> Callable[[Item], int | None]:
    chosen = foretell(data, plan)

    def tell(item: Item) -> int | None:
        text = chosen.get(f"{item.family}/{item.language}")
        return None if text is None else item.options.index(text)

    return tell


def _foretold(run: Path, told: dict[str, Callable[[Item], int | None]]) -> Iterator[Foretold]:
    for item in read_records(asked_folder(run), Item, prefix=ITEMS):
        for name, tell in told.items():
            option = tell(item)
            if option is not None:
                yield Foretold(family=item.family, language=item.language, baseline=name, option=option)


def baseline_rows(run: Path) -> Iterator[BaselineRow]:
    """Give what each baseline gets right: by source, and by language, tier and all.

    Raises:
        InputError: the folder is no run.
    """
    plan = read_manifest(asked_folder(run)).configuration
    asked = task(plan["task"])
    if asked.open:
        return
    learnt, reasons = _learnt(run)
    numbers: dict[str, int] = {}
    items = [
        (
            item.source,
            item.language,
            numbers.setdefault(item.cluster or item.family, len(numbers)),
            _right(item, asked.chance(item), learnt),
        )
        for item in read_records(asked_folder(run), Item, prefix=ITEMS)
    ]
    names = ("chance", "longest", *(name for name in LEARNT if name == "majority" or plan["task"] == "nli"))
    sources = sorted({source for source, *_ in items})
    for source in [ALL, *sources] if len(sources) > 1 else sources:
        inside = [item for item in items if source in (ALL, item[0])]
        for by, group, tier, codes in _groups({code for _, code, *_ in inside}):
            of_group = [item for item in inside if item[1] in codes]
            for name in names:
                known = [(cluster, right[name]) for *_, cluster, right in of_group if name in right]
                yield _row(plan["task"], source, name, by, group, tier, known, reasons.get(name, NOT_KEPT))


def _learnt(run: Path) -> tuple[dict[tuple[str, str, str], int], dict[str, str]]:
    folder = baselines_folder(run)
    if not (folder / MANIFEST).is_file():
        return {}, {}
    rows = read_records(folder, Foretold)
    learnt = {(row.baseline, row.family, row.language): row.option for row in rows}
    return learnt, read_manifest(folder).configuration["reasons"]


def _right(item: Item, chance: float, learnt: dict[tuple[str, str, str], int]) -> dict[str, float]:
    lengths = [len(option) for option in item.options]
    right = {"chance": chance, "longest": float(lengths.index(max(lengths)) in item.answer)}
    for name in LEARNT:
        option = learnt.get((name, item.family, item.language))
        if option is not None:
            right[name] = float(option in item.answer)
    return right


def _groups(codes: set[str]) -> Iterator[tuple[By, str, str, set[str]]]:
    tiers = {code: language(code).tier for code in sorted(codes)}
    for code, tier in tiers.items():
        yield "language", code, tier, {code}
    for tier in sorted(set(tiers.values())):
        yield "tier", tier, tier, {code for code, of in tiers.items() if of == tier}
    yield "all", ALL, ALL, codes


def _row(
    of: str,
    source: str,
    name: str,
    by: By,
    group: str,
    tier: str,
    known: list[tuple[int, float]],
    reason: str,
) -> BaselineRow:
    values = np.array([right for _, right in known], dtype=np.float64)
    _, clusters = np.unique([cluster for cluster, _ in known], return_inverse=True)
    count = int(clusters.max()) + 1 if known else 0
    mean, low, high = np.nan, np.nan, np.nan
    if name == "chance" and known:
        # Known, not drawn: it has no interval.
        mean, reason = float(values.mean()), ""
    elif count >= _FEWEST_CLUSTERS:
        found = clustered_proportion(values, clusters)
        mean, low, high, reason = found.mean, found.low, found.high, ""
    elif known:
        reason = "fewer than two question clusters"
    return BaselineRow(
        task=of,
        source=source,
        baseline=name,
        by=by,
        group=group,
        tier=tier,
        n=len(known),
        clusters=count,
        accuracy=mean,
        low=low,
        high=high,
        reason=reason,
    )
