"""`globmed bench judge`: models, and people, say what the replies to open questions are worth."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from globmed.cli import output
from globmed.cli.live import live_view
from globmed.cli.output import AsJson
from globmed.core.errors import EnvironmentFailedError, UsageError

if TYPE_CHECKING:
    from globmed.bench.judging.judge import JudgingResult

# What has a line of its own, the measure that may count before what describes.
_SHOWN = ("acceptable", "as_wanted", "rubric", "wins", "losses", "preferred")
_DETAILED = ("acceptable", "preferred")
_CORRECTED = ("acceptable", "as_wanted", "wins", "losses")
_DETAILS = ("correct", "complete", "understandable", "in_language")
_OF = {"pointwise": "acceptable", "rubric": "criterion as wanted", "pairs": "preferred by people"}
_HARMS = ("mild", "moderate", "severe")

Judges = Annotated[
    list[str] | None, typer.Option("--judge", help="A model, as for `bench run`; repeat. Default: who judged before.")
]
Ratings = Annotated[
    Path | None,
    typer.Option(
        "--ratings",
        help="CSV of what people say: family, language, model, rater, acceptable, and where given answer, run, "
        "correct, complete, harm, understandable, in_language; of a rubric criterion and met, of pairs other and "
        "better. Kept in the run, in the place of earlier ones.",
    ),
]


def judge_command(
    run: Annotated[Path, typer.Argument(help="Folder of a run of lfqa or rubric.", metavar="RUN")],
    judge: Judges = None,
    form: Annotated[
        Literal["pointwise", "pairs"], typer.Option("--form", help="Each reply by itself, or two in both orders.")
    ] = "pointwise",
    held_out: Annotated[
        bool, typer.Option("--held-out", help="Ask with the second phrasing of the prompt, as a judge of its own.")
    ] = False,
    ask_again: Annotated[
        int, typer.Option("--ask-again", help="Times a verdict that cannot be read is asked for again, at most.")
    ] = 1,
    ratings: Ratings = None,
    max_tokens: Annotated[int, typer.Option("--max-tokens", help="Limit of a judge's reply.")] = 1024,
    concurrency: Annotated[int, typer.Option("--concurrency", help="Calls under way at once, at most.")] = 32,
    max_cost: Annotated[
        float | None, typer.Option("--max-cost", help="US dollars that judging may cost in all.", metavar="USD")
    ] = None,
    max_requests: Annotated[int | None, typer.Option("--max-requests", help="Calls in all, retries included.")] = None,
    max_total_tokens: Annotated[
        int | None, typer.Option("--max-total-tokens", help="Tokens in all, read and written.")
    ] = None,
    max_seconds: Annotated[
        float | None,
        typer.Option("--max-seconds", help="Send nothing more after so long; go on by the same command."),
    ] = None,
    estimate: Annotated[
        bool, typer.Option("--estimate", help="Say what would be asked and what it costs; send nothing.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Let models judge the saved replies to open questions, and print what they say; what is saved is not asked again.

    A judge's shares count only in languages where people's ratings calibrate it; elsewhere they are uncalibrated.
    """
    import msgspec

    from globmed.bench.effort import Effort
    from globmed.bench.judging.asked import form_of
    from globmed.bench.judging.judge import SETTINGS, JudgingResult, Manner, judge_run
    from globmed.bench.judging.ratings import keep_ratings
    from globmed.bench.judging.results import write_judgements
    from globmed.models.attempts import Patience
    from globmed.models.budget import Cap
    from globmed.models.opening import open_client

    asked = form_of(run, pairs=form == "pairs")
    manner = Manner(
        phrasing="held_out" if held_out else "plain",
        settings=msgspec.structs.replace(SETTINGS, max_tokens=max_tokens),
        more=ask_again,
    )
    if estimate and not judge:
        raise UsageError("--estimate without a judge; name one with --judge MODEL")
    if ratings is not None:
        keep_ratings(run, ratings)
    result = JudgingResult(estimates=(), judges=())
    if judge:
        effort = Effort(
            concurrency=concurrency,
            patience=Patience(seconds=max_seconds),
            cap=Cap(requests=max_requests, tokens=max_total_tokens, cost_usd=max_cost),
            estimate_only=estimate,
        )
        with live_view() as live:
            result = judge_run(
                run,
                [open_client(name) for name in judge],
                form=asked,
                manner=manner,
                effort=effort,
                on_estimate=None if estimate else live.estimate,
                on_progress=live.report,
            )
    if estimate:
        _show_estimates(result, as_json=as_json)
        return
    write_judgements(run)
    _show(run, result, as_json=as_json)
    for one in result.judges:
        if one.failures and sum(one.failures.values()) == sum(one.stats.replies.values()):
            raise EnvironmentFailedError(
                f"every call of {one.judge} failed: {next(iter(one.failures))}. Run it again to ask again"
            )


def _show_estimates(result: JudgingResult, *, as_json: bool) -> None:
    if as_json:
        import msgspec

        output.print_json({"estimates": msgspec.to_builtins(result.estimates)})
        return
    output.show_estimates(result.estimates)
    output.say("Nothing was sent. Tokens are estimated from the texts' length; verdicts end before their limit.")


def _show(run: Path, result: JudgingResult, *, as_json: bool) -> None:
    from globmed.bench.judging import judgements_folder
    from globmed.bench.judging.results import AGREEMENT, RANKS, SHARES
    from globmed.core.store import table

    folder = judgements_folder(run)
    shares, ranks, agreement = (table(folder, prefix=name).to_pylist() for name in (SHARES, RANKS, AGREEMENT))
    judges = [
        {
            "judge": one.judge,
            "replies": sum(one.stats.replies.values()),
            "from journal": one.stats.from_journal,
            "asked now": one.stats.asked,
            "asked again": sum(again.asked for again in one.again),
            "in flight when killed": one.in_flight,
            "errors": one.stats.replies.get("error", 0),
            "cost US$": one.cost_usd,
        }
        for one in result.judges
    ]
    if as_json:
        plain = {
            "judged": output.plain_rows(shares),
            "ranks": output.plain_rows(ranks),
            "agreement": output.plain_rows(agreement),
        }
        output.print_json({"folder": str(folder), "judges": judges, **plain})
        return
    if judges:
        output.show(judges, as_json=False, title="Judges")
    output.show(
        judged_table(shares), as_json=False, title="Judged, in percent, with 95 % intervals clustered by question"
    )
    if errors := error_rows(shares):
        output.show(errors, as_json=False, title="Judges' errors by people's ratings, in percent, with 95 % intervals")
    if ranks:
        output.show([rank_row(row) for row in ranks], as_json=False, title="Ranked by corrected shares, in percent")
    if any(row["reason"] for row in ranks) or any(row["left_out"] for row in ranks):
        output.say(
            "Not ranked: who is uncalibrated. Of independent questions: without models that judge themselves, and for "
            "all models without questions that the judge or a model of the table translated, repaired or criticised."
        )
    if agreement:
        output.show(
            [agreement_row(row) for row in agreement if row["measure"] in ("acceptable", "harm", "met", "better")],
            as_json=False,
            title="Agreement, with 95 % intervals clustered by question",
        )
    if not all(row["calibrated"] for row in shares if row["measure"] in _CORRECTED):
        output.say(
            "Uncalibrated: nobody knows how often the judge errs in that language. Such a share says nothing of how a "
            "model does there, and is in no ranking. Ratings by people (--ratings) calibrate it."
        )
    output.say(f"Verdicts and tables: {folder}")


def judged_table(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Write the rows of `JudgedRow` for people: a line for each judge, model, language and measure to look at."""
    cells: dict[tuple[Any, ...], dict[str, dict[str, Any]]] = {}
    for row in rows:
        names = (
            "judge",
            "judge_revision",
            "phrasing",
            "model",
            "revision",
            "other",
            "other_revision",
            "answer",
            "language",
        )
        cells.setdefault((row["form"], *(row[name] for name in names)), {})[row["measure"]] = row
    return [_judged_line(measures, name) for measures in cells.values() for name in _SHOWN if name in measures]


def _judged_line(measures: dict[str, dict[str, Any]], shown: str) -> dict[str, Any]:
    main = measures[shown]
    marks = {
        "judges itself": int(main["itself"]),
        "is a judge too": int(main["also_judges"] and not main["itself"]),
        "judge made items": main["had_a_hand"],
        "model made items": main["model_had_a_hand"],
    }
    left = {name: main[name] for name in ("unreadable", "errors", "no_reply")}
    return {
        "judge": _judge(main),
        "model": f"{main['model']} or {main['other']}" if main["other"] else main["model"],
        "answer": main["answer"],
        "language": main["language"],
        "measure": main["measure"].replace("_", " "),
        "corrected": _bounds(main, "corrected", "corrected_low", "corrected_high", main["not_calibrated"])
        if main["calibrated"]
        else _why_not(main)
        if shown in _CORRECTED
        else "–",
        "as judged": _bounds(main, "value", "low", "high", main["reason"]),
        "details": "; ".join(_details(measures) if shown in _DETAILED else ()) or "–",
        "replies": main["n"],
        "not counted": {name.replace("_", " "): number for name, number in left.items() if number},
        "marked": ", ".join(name for name, number in marks.items() if number) or "–",
    }


def _details(measures: dict[str, dict[str, Any]]) -> list[str]:
    """Return the criteria, and how many replies would harm how badly, in percent."""
    told = [(name, name) for name in _DETAILS] + [(f"harm_{harm}", f"{harm} harm") for harm in _HARMS]
    told.append(("order_decides", "decided by the order"))
    said = []
    for measure, word in told:
        value = measures[measure]["value"] if measure in measures else float("nan")
        if not math.isnan(value):
            said.append(f"{word.replace('_', ' ')} {100 * value:.0f}")
    return said


def _judge(row: dict[str, Any]) -> str:
    return str(row["judge"]) if row["phrasing"] == "plain" else f"{row['judge']}, held-out phrasing"


def _why_not(row: dict[str, Any]) -> str:
    return f"uncalibrated: {row['not_calibrated']}" if row["labelled"] else "uncalibrated"


def error_rows(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Write what people tell of judges' errors: one line a judge, form and language in which they rated anything."""
    names = ("form", "judge", "judge_revision", "phrasing", "language")
    told = {tuple(row[name] for name in names): row for row in rows if row["labelled"]}
    return [
        {
            "judge": _judge(row),
            "language": row["language"],
            "of": _OF[row["form"]],
            **{name: _bounds(row, name, f"{name}_low", f"{name}_high", "") for name in ("sensitivity", "specificity")},
            "verdicts beside people's": row["labelled"],
        }
        for row in told.values()
    ]


def rank_row(row: dict[str, Any]) -> dict[str, Any]:
    """Write one row of `JudgedRank` for people."""
    ranked = row["rank"] is not None
    return {
        "judge": _judge(row),
        "answer": row["answer"],
        "language": row["language"],
        "questions": row["items"] if not row["left_out"] else f"{row['items']}, {row['left_out']} left out",
        "model": f"{row['model']}, the judge itself" if row["itself"] else row["model"],
        "place": f"{row['rank']} of {row['ranked']}" if ranked else f"– ({row['reason']})",
        "may be": f"{row['best']} to {row['worst']}" if ranked else "–",
        row["measure"].replace("_", " "): _bounds(row, "corrected", "low", "high", "") if ranked else "–",
        "verdicts": row["n"],
    }


def agreement_row(row: dict[str, Any]) -> dict[str, Any]:
    """Write one row of `AgreementRow` for people."""
    bounds = row["reason"] if math.isnan(row["low"]) else f"{row['low']:.2f} to {row['high']:.2f}"
    return {
        "language": row["language"],
        "measure": row["measure"],
        "raters": row["raters"],
        "coefficient": row["coefficient"],
        "value": f"– ({row['reason']})" if math.isnan(row["value"]) else f"{row['value']:.2f} ({bounds})",
        "replies": row["n"],
    }


def _bounds(row: dict[str, Any], value: str, low: str, high: str, reason: str) -> str:
    if math.isnan(row[value]):
        return f"– ({reason})"
    bounds = f"{100 * row[low]:.1f} to {100 * row[high]:.1f}" if not math.isnan(row[low]) else reason
    return f"{100 * row[value]:.1f} ({bounds})"
