"""`globmed bench compare`, `ranks` and `transfer`: models set against one another, and a model's languages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from globmed.cli import output
from globmed.cli.output import AsJson

if TYPE_CHECKING:
    from globmed.bench.compare import Comparison

Run = Annotated[Path, typer.Argument(help="A scored run's folder.", metavar="RUN")]
BySource = Annotated[bool, typer.Option("--by-source", help="Each source too, beside all of them together.")]
_SMALLEST_P = 1e-4
_REFERENCE = {"en": "English", "native": "native"}

_NOTHING = "No question has options of which one is right"

_ABOUT_COMPARISON = """\
questions: those that are nearly alike count as one; replies counts each.
difference: second less first, in percentage points, with the 95 % interval of the row by itself, clustered by question.
p: how often chance alone makes one as large; corrected for the number of languages, or of tiers, that were looked at.
McNemar p: where several replies share a question (c), the form of the test that knows it.
could show: the smallest difference, in points, that so many questions show four times in five, after that correction.
for 5 points: the questions that a difference of 5 points needs for that."""

_ABOUT_RANKS = """\
rank: 1 is the best. With 95 % confidence the true places of all models lie in their brackets, all at once; these
questions do not tell which of them it is.
own items: those that any model of the table translated, repaired, criticised or judged; left out for all models alike.
region-bound: items that a check found to hold in one country only."""

_ABOUT_WORST = """\
The lowest of several accuracies looks worse than it is, for having been looked for. The corrected one, with its 95 %
interval, says what to expect of the worst language on other questions."""

_ABOUT_TRANSFER = """\
alike: right in both languages or wrong in both; by accuracy: what the two accuracies alone would give.
known: right, with lucky guesses taken out; there is the language set against, here the row's own.
carried over: of what is known there, the share that is known here too.
transfer: 0 where knowing an answer there says nothing of knowing it here, 1 where they go together as far as they can.
same mistake: of the questions wrong in both; by guessing: what luck would give for the same wrong option."""


def compare_command(
    first: Annotated[Path, typer.Argument(help="A scored run's folder.", metavar="RUN")],
    second: Annotated[
        Path | None, typer.Argument(help="Another; without it, both models are of the first.", metavar="OTHER")
    ] = None,
    model: Annotated[
        list[str] | None,
        typer.Option("--model", help="Id, or ID@REVISION; twice for two models, the first one's run first."),
    ] = None,
    answer: Annotated[
        list[str] | None,
        typer.Option("--answer", help="Condition; twice to set one against another. Default: all in common."),
    ] = None,
    despite: Annotated[
        list[str] | None,
        typer.Option(
            "--despite", help="What the two runs differ in and you compare: prompts, settings or translations; repeat."
        ),
    ] = None,
    independent: Annotated[
        bool, typer.Option("--independent", help="Without items that one of the two models helped to make.")
    ] = False,
    by_source: BySource = False,
    as_json: AsJson = False,
) -> None:
    """Compare two models on the questions that both answered: by language, by tier and in all."""
    from globmed.bench.compare import compare

    found = compare(
        first,
        second,
        models=model or (),
        answers=answer or (),
        despite=despite or (),
        independent=independent,
        by_source=by_source,
    )
    if as_json:
        output.print_json(_as_json(found))
        return
    rows = [compare_row(row) for row in _as_json(found)["rows"]]
    output.say(_who(found))
    _show(rows, title="Share right, in percent, of what both answered", alike=("conditions", "source"))
    _explain_comparison(found)


def ranks_command(run: Run, by_source: BySource = False, as_json: AsJson = False) -> None:
    """Rank the models of a run, with the places that chance leaves open, and name each one's worst language."""
    from globmed.bench.pipeline import analysis_table

    standings = _of_all_sources(analysis_table(run, "standings").to_pylist(), by_source=by_source)
    worst = _of_all_sources(analysis_table(run, "lowest").to_pylist(), by_source=by_source)
    if as_json:
        output.print_json({"standings": output.plain_rows(standings), "lowest": output.plain_rows(worst)})
        return
    if not standings:
        output.say(f"{_NOTHING}.")
        return
    title = "Ranks by accuracy, in brackets the best and the worst place that chance leaves open (95 %, all at once)"
    _show(rank_rows(standings), title=title, alike=("source",))
    output.say(_ABOUT_RANKS)
    if worst:
        title = "The worst language of each model, on the questions answered in all its languages"
        _show([lowest_row(row) for row in worst], title=title, alike=("source",))
        output.say(_ABOUT_WORST)


def transfer_command(run: Run, as_json: AsJson = False) -> None:
    """Say whether what a model knows in English, or in a question's own language, it also knows in another."""
    from globmed.bench.pipeline import analysis_table

    rows = analysis_table(run, "transfer").to_pylist()
    if as_json:
        output.show(rows, as_json=True)
        return
    if not rows:
        output.say(f"{_NOTHING}, or nothing was asked in two languages.")
        return
    title = "Consistency and transfer, with 95 % intervals clustered by question"
    _show(transfer_rows(rows), title=title)
    output.say(_ABOUT_TRANSFER)


def compare_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """Write one row of a comparison for people."""
    needed = row["clusters_for_gap"]
    return {
        "conditions": " and ".join(dict.fromkeys((row["answer"], row["other_answer"]))),
        "source": row["source"],
        "languages": _group(row),
        "questions": row["clusters"],
        "replies": row["pairs"],
        "first %": _percent(row["first"]),
        "second %": _percent(row["second"]),
        "difference": _with_bounds(row["difference"], row["low"], row["high"], signed=True),
        "p": _p(row["p"]),
        "p corrected": _p(row["p_family"]),
        "McNemar p": _p(row["mcnemar"]) + (" c" if row["mcnemar_kind"] == "clustered" else ""),
        "could show": _percent(row["smallest_gap"]),
        "for 5 points": "–" if needed is None else f"{needed:,}".replace(",", " "),
        "note": row["reason"],
    }


def rank_rows(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Write standings for people: a model's three ranks in one row."""
    shown: dict[tuple[Any, ...], dict[str, Any]] = {}
    columns = {"all": "rank", "independent": "without own items", "region_free": "without region-bound"}
    for row in rows:
        key = tuple(row[name] for name in ("answer", "source", "by", "group", "model", "revision"))
        if row["items"] == "all":
            shown[key] = {
                "answer": row["answer"],
                "source": row["source"],
                "languages": _group(row),
                "model": _name(row),
                "right %": _with_bounds(row["accuracy"], row["low"], row["high"]),
                "questions": row["clusters"],
                "rank": _rank(row) + (f" of {row['ranked']}" if row["ranked"] else ""),
                "without own items": "",
                "without region-bound": "",
                "note": row["reason"],
            }
        else:
            left_out = f"{_rank(row)}; {row['left_out']} left out" if row["left_out"] else "the same"
            shown[key][columns[row["items"]]] = left_out
    return list(shown.values())


def lowest_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """Write one model's worst language for people."""
    return {
        "answer": row["answer"],
        "source": row["source"],
        "model": _name(row),
        "worst of": row["languages"],
        "language": row["language"] or "–",
        "right %": _percent(row["accuracy"]),
        "corrected %": _with_bounds(row["corrected"], row["low"], row["high"]),
        "may be the worst": ", ".join(row["may_be"]) or "–",
        "questions": row["clusters"],
        "note": row["reason"],
    }


def transfer_rows(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Write consistency and transfer for people: a model, language and reference in one row."""
    measured: dict[tuple[str, ...], dict[str, Mapping[str, Any]]] = {}
    names = ("answer", "source", "model", "revision", "language", "reference")
    for row in rows:
        measured.setdefault(tuple(row[name] for name in names), {})[row["measure"]] = row
    return [_transfer_row(found) for found in measured.values()]


def _transfer_row(found: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    alike, carried, link = found["consistent"], found["carried"], found["transfer"]
    wrong = found["same_wrong_option"]
    reasons = [row["reason"] for row in (alike, carried, link) if row["reason"]]
    return {
        "answer": alike["answer"],
        "source": alike["source"],
        "model": _name(alike),
        "language": alike["language"],
        "against": _REFERENCE[alike["reference"]],
        "questions": alike["clusters"],
        "alike %": _percent(alike["value"]),
        "by accuracy": _percent(alike["by_luck"]),
        "known there %": _percent(found["known_at_reference"]["value"]),
        "here %": _percent(found["known"]["value"]),
        "carried over %": _with_bounds(carried["value"], carried["low"], carried["high"]),
        "transfer": _with_bounds(link["value"], link["low"], link["high"], times=1, digits=2),
        "same mistake %": _percent(wrong["value"]),
        "by guessing": _percent(wrong["by_luck"]),
        "note": "; ".join(dict.fromkeys(reasons)),
    }


def _as_json(found: Comparison) -> dict[str, Any]:
    import msgspec

    sides = {
        name: {"run": str(side.run), "model": side.model, "revision": side.revision}
        for name, side in (("first", found.first), ("second", found.second))
    }
    rows = output.plain_rows([msgspec.to_builtins(row) for row in found.rows])
    about = {"allowed": found.allowed, "unpaired": found.unpaired, "conflicts": found.conflicts}
    return {**sides, **about, "independent": found.independent, "rows": rows}


def _who(found: Comparison) -> str:
    """Say who is first and who second, with whatever tells them apart."""
    lines = []
    names = {(row.answer, row.other_answer) for row in found.rows}
    answers = names.pop() if len(names) == 1 else ("", "")
    for which, side, answer in zip(("first", "second"), (found.first, found.second), answers, strict=True):
        name = _name({"model": side.model, "revision": side.revision})
        lines.append(f"{which}: {name} of {side.run}" + (f" under {answer}" if answer else ""))
    return "\n".join(lines)


def _explain_comparison(found: Comparison) -> None:
    output.say(_ABOUT_COMPARISON)
    for what, how in found.allowed.items():
        output.say(f"The runs differ in {what}, as you allowed: {how}.")
    if found.unpaired:
        output.say(f"Not compared: {found.unpaired} replies to what the other model has no reply to, or a failed call.")
    if found.conflicts:
        done = "left out" if found.independent else "compared all the same; leave them out with --independent"
        output.say(f"Items that one of the two models helped to make: {found.conflicts}, {done}.")


def _of_all_sources(rows: list[dict[str, Any]], *, by_source: bool) -> list[dict[str, Any]]:
    return rows if by_source else [row for row in rows if row["source"] == "all"]


def _show(rows: Sequence[dict[str, Any]], *, title: str, alike: Sequence[str] = ()) -> None:
    """Print a table without columns that say the same in every row, and its notes below by their number."""
    dropped = {column for column in alike if len({row[column] for row in rows}) == 1}
    notes = {text: number for number, text in enumerate(dict.fromkeys(row["note"] for row in rows if row["note"]), 1)}
    if not notes:
        dropped.add("note")
    numbered = [{**row, "note": notes.get(row["note"], "")} for row in rows]
    kept = [{name: value for name, value in row.items() if name not in dropped} for row in numbered]
    output.show(kept, as_json=False, title=title)
    for text, number in notes.items():
        output.say(f"note {number}: {text}")


def _group(row: Mapping[str, Any]) -> str:
    return f"{row['group']}-resource" if row["by"] == "tier" else str(row["group"])


def _name(row: Mapping[str, Any]) -> str:
    return f"{row['model']}@{row['revision']}" if row["revision"] else str(row["model"])


def _rank(row: Mapping[str, Any]) -> str:
    return "–" if row["rank"] is None else f"{row['rank']} ({row['best']} to {row['worst']})"


def _percent(value: float | None) -> str:
    return _with_bounds(value, None, None)


def _with_bounds(
    value: float | None,
    low: float | None,
    high: float | None,
    *,
    times: int = 100,
    digits: int = 1,
    signed: bool = False,
) -> str:
    """Write a number with its bounds; those that are none are left out."""
    mark = "+" if signed else ""
    numbers = [output.plain(number) for number in (value, low, high)]
    written = ["" if number is None else f"{times * number:{mark}.{digits}f}" for number in numbers]
    return (written[0] or "–") + (f" ({written[1]} to {written[2]})" if written[1] else "")


def _p(value: float | None) -> str:
    known = output.plain(value)
    return "–" if known is None else "<0.0001" if known < _SMALLEST_P else f"{known:.4f}"
