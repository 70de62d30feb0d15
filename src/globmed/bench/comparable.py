"""What may be compared: two models of one scored run or of two, and what two runs must share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, get_args

from globmed.bench.asked import asked_folder, scores_folder
from globmed.bench.condition import Condition
from globmed.bench.questions import CONTENDER, named, numbered_by
from globmed.bench.scoring import SCORES, check_scored
from globmed.core.errors import UsageError, did_you_mean
from globmed.core.store import Manifest, read_manifest, table

if TYPE_CHECKING:
    import pyarrow as pa

Despite = Literal["prompts", "settings", "translations"]


class Side(NamedTuple):
    """One of the two that are compared.

    Attributes:
        run: the run's folder.
        model: id of the model.
        revision: version of its weights; empty where it has none.
    """

    run: Path
    model: str
    revision: str


def two_sides(first: Path, second: Path | None, *, models: Sequence[str], conditions: int) -> tuple[Side, Side]:
    """Find the two models to compare.

    Args:
        first: a scored run.
        second: another; None where both models are of the first.
        models: ids, or `ID@REVISION` where a run has several revisions of one; of two runs none where each has a
            single model, one where both have it, or two in the order of the runs.
        conditions: how many are named; of one run with one model, two are what is compared.

    Raises:
        UsageError: a run that was not scored since it last asked a model, a model that is not there, or none or too
            many named.
        HashMismatchError: a file of scores was changed by hand.
    """
    runs = (first, second or first)
    for run in dict.fromkeys(runs):
        check_scored(run)
    wanted: Sequence[str | None] = (*models, *models) if len(models) == 1 else models or (None, None)
    if len(wanted) != 2:
        raise UsageError(f"found {len(models)} models to compare; expected two at most")
    one, other = (_side(run, name) for run, name in zip(runs, wanted, strict=True))
    if one == other and conditions != 2:
        raise UsageError(
            f"{first}: {one.model} would be compared with itself. Name two models (--model X --model Y), "
            "two conditions (--answer X --answer Y), or another run"
        )
    return one, other


def condition_pairs(first: pa.Table, second: pa.Table, *, wanted: Sequence[str]) -> list[tuple[str, str]]:
    """Return which condition of the first side is set against which of the second.

    Args:
        first: the scores of one side.
        second: of the other.
        wanted: names of conditions: none for each that both have, one, or two in the order of the sides.

    Raises:
        UsageError: a condition that was not asked, none in common, or more than two named.
    """
    asked = [sorted(set(rows["answer"].unique().to_pylist())) for rows in (first, second)]
    names = [Condition.named(name).name for name in wanted]
    if len(names) > 2:
        raise UsageError(f"found {len(names)} conditions to compare; expected two at most")
    for name, known in zip(names[:1] + names[-1:], asked, strict=False):
        if name not in known:
            raise UsageError(f"no replies under {name!r}{did_you_mean(name, known)}")
    if names:
        return [(names[0], names[-1])]
    if common := [name for name in asked[0] if name in asked[1]]:
        return [(name, name) for name in common]
    raise UsageError(
        f"no condition in common: first {', '.join(asked[0])}; second {', '.join(asked[1])}. "
        "Name one of each: --answer X --answer Y"
    )


def refuse_other(first: Path, second: Path, *, despite: Sequence[str], translated: bool = False) -> dict[str, str]:
    """Refuse two runs that differ in what would be taken for a difference between models.

    Args:
        first: a scored run.
        second: another, or the same.
        despite: what is to be compared and may differ: `prompts`, `settings`, `translations`.
        translated: whether both sides were asked translations to English, which must be the same then.

    Returns:
        What differs and was allowed, with what stands in either run.

    Raises:
        UsageError: the text says what differs, or that something else was named.
    """
    for name in despite:
        if name not in get_args(Despite):
            raise UsageError(f"despite {name!r}: only these may differ{did_you_mean(name, get_args(Despite))}")
    made = [read_manifest(asked_folder(run)) for run in (first, second)]
    differ = {what: text for what, text in _differences(*made).items() if text}
    if translated and (other := _unlike("translations", *(_translations(one) for one in made))):
        differ["translations"] = other
    if refused := {what: text for what, text in differ.items() if what not in despite}:
        raise UsageError(f"{first} and {second} cannot be compared: {'; '.join(refused.values())}. {_remedy(refused)}")
    by = [read_manifest(scores_folder(run)).code_version for run in (first, second)]
    if by[0] != by[1]:
        raise UsageError(
            f"{first} and {second}: scored by globmed {by[0]} and {by[1]}, which may read replies differently. "
            f"Run: globmed bench score RUN, for each"
        )
    return differ


def _side(run: Path, wanted: str | None) -> Side:
    rows = table(scores_folder(run), prefix=SCORES, columns=CONTENDER)
    contenders = numbered_by(rows, CONTENDER)
    known = [Side(run, *pair) for pair in zip(*(named(rows, contenders, name) for name in CONTENDER), strict=True)]
    fit = [side for side in known if wanted is None or wanted in (side.model, f"{side.model}@{side.revision}")]
    if len(fit) == 1:
        return fit[0]
    ids = [side.model for side in known]
    names = [side.model if ids.count(side.model) == 1 else f"{side.model}@{side.revision}" for side in known]
    if not fit:
        raise UsageError(f"{run}: no model {wanted!r}{did_you_mean(str(wanted), names)}")
    raise UsageError(f"{run}: has several models; name which to compare by --model: {', '.join(names)}")


def _differences(first: Manifest, second: Manifest) -> dict[str, str]:
    """Return, for each thing that must not differ, how it does; empty where it does not."""
    one, other = first.configuration, second.configuration
    shots = any(Condition.named(name).shots for made in (one, other) for name in made.get("answers", ()))
    # The seed also draws which questions are asked, but only common ones are compared; it draws examples too.
    also = ("scale_limits", "seed") if shots else ("scale_limits",)
    prompts = [made.get("prompts", {}) for made in (one, other)]
    common = prompts[0].keys() & prompts[1].keys()
    settings = [made.get("settings", {}) | {name: made.get(name) for name in also} for made in (one, other)]
    data = [made.inputs | {"split": made.configuration.get("split")} for made in (first, second)]
    return {
        "data": _unlike("data", *data),
        "task": _unlike("task", {"task": one.get("task")}, {"task": other.get("task")}),
        "prompts": _unlike("prompts", *({name: made[name] for name in common} for made in prompts)),
        "settings": _unlike("settings", *settings),
    }


def _translations(made: Manifest) -> dict[str, Any]:
    found = made.configuration.get("translations") or {}
    # Who translated says more than a hash; the hash tells two goes of one model apart.
    return {"by": ", ".join(model for model, _ in found.get("models", ())), "hash": found.get("stage")}


def _unlike(what: str, first: Mapping[str, Any], second: Mapping[str, Any]) -> str:
    differ = [name for name in sorted(first.keys() | second.keys()) if first.get(name) != second.get(name)]
    if not differ:
        return ""
    name = differ[0]
    more = f" and {len(differ) - 1} more" if len(differ) > 1 else ""
    return f"other {what} ({name}: {_short(first.get(name))} and {_short(second.get(name))}{more})"


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= 16 else f"{text[:12]}…"


def _remedy(refused: Mapping[str, str]) -> str:
    if set(refused) <= set(get_args(Despite)):
        return f"If that is what you compare, add {' '.join(f'--despite {what}' for what in refused)}"
    return "Ask both models the same"
