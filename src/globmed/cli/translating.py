"""`globmed data translate`: a stage of items into further languages."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from globmed.cli import output
from globmed.cli.live import live_view
from globmed.cli.output import AsJson

if TYPE_CHECKING:
    from globmed.data.translate.asking import OnProgress
    from globmed.data.translate.estimate import StepEstimate

MODEL = "as for `bench run` (globmed list models), `apertium`, or `seq2seq:FOLDER` (NLLB, MADLAD)"

Translators = Annotated[
    list[str],
    typer.Option(
        "--translator",
        help=f"A model, {MODEL}; several do a share each, equal or as stated: MODEL=0.5.",
        metavar="MODEL[=SHARE]",
    ),
]
Critic = Annotated[
    str, typer.Option("--critic", help="Judges every translation; default: nobody, and nothing is refined.")
]
Back = Annotated[str, typer.Option("--back", help="Translates back, to compare with the original; default: nobody.")]
Memories = Annotated[
    list[Path] | None,
    typer.Option("--memory", help="An earlier stage, whose translations of equal texts are taken; repeat."),
]
Terms = Annotated[
    list[str] | None,
    typer.Option("--glossary", metavar="[NAME=]PATH", help="Terms: tico19=FOLDER, or a CSV table; repeat."),
]
From = Annotated[
    str, typer.Option("--from", help="Translate from this language only. Default: the native one of each question.")
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be asked and what it costs; send nothing.")]


def translate_command(
    folder: Annotated[Path, typer.Argument(help="Folder of a finished stage of items.", metavar="STAGE")],
    out: Annotated[Path, typer.Option("--out", help="The dataset's folder; the same command goes on in it.")],
    to: Annotated[list[str], typer.Option("--to", help="BCP 47 code to translate into; repeat.")],
    translator: Translators,
    critic: Critic = "",
    back: Back = "",
    from_language: From = "",
    glossary: Terms = None,
    memory: Memories = None,
    same_model: Annotated[
        bool, typer.Option("--same-model", help="Let a translator judge itself or translate back.")
    ] = False,
    repairs: Annotated[int, typer.Option("--repairs", min=0, help="Rounds of mending what the checks find.")] = 2,
    review_below: Annotated[
        int, typer.Option("--review-below", min=1, max=5, help="A critic's score below it sends to review.")
    ] = 4,
    agreement_below: Annotated[
        float, typer.Option("--agreement-below", help="Less agreement after the way back (chrF) sends to review.")
    ] = 40.0,
    dry_run: DryRun = False,
    concurrency: Annotated[int, typer.Option("--concurrency", min=1, help="Calls under way at once, at most.")] = 32,
    max_cost: Annotated[
        float | None, typer.Option("--max-cost", "--budget", help="US dollars in all.", metavar="USD")
    ] = None,
    max_requests: Annotated[int | None, typer.Option("--max-requests", help="Calls in all, retries included.")] = None,
    max_total_tokens: Annotated[
        int | None, typer.Option("--max-total-tokens", help="Tokens in all, read and written.")
    ] = None,
    max_seconds: Annotated[float | None, typer.Option("--max-seconds", help="Send nothing more after so long.")] = None,
    as_json: AsJson = False,
) -> None:
    """Translate items, check, mend and judge the translations; what was answered once is never asked again."""
    from globmed.data.pipeline import translation_job
    from globmed.data.translate.outcomes import cost_rows, outcome_rows, untranslatable
    from globmed.data.translate.plan import Plan, read_shares
    from globmed.data.translate.translating import estimate_translation, translate_dataset
    from globmed.data.translate.work import STAGE
    from globmed.models.attempts import Patience
    from globmed.models.budget import Cap
    from globmed.models.paying import Effort

    plan = Plan(
        translators=read_shares(translator),
        languages=tuple(to),
        from_language=from_language,
        critic=critic,
        back=back,
        same_model=same_model,
        repairs=repairs,
        review_below=review_below,
        agreement_below=agreement_below,
    )
    effort = Effort(
        concurrency=concurrency,
        patience=Patience(seconds=max_seconds),
        cap=Cap(requests=max_requests, tokens=max_total_tokens, cost_usd=max_cost),
    )
    job = translation_job(
        folder, plan=plan, out=out, memory=memory or (), glossaries=glossary or (), to_ask=not dry_run
    )
    if dry_run:
        _show_estimates(estimate_translation(job, effort=effort), as_json=as_json)
        return
    translate_dataset(job, effort=effort, watch=_watch)
    stage = out / STAGE
    rows, missing, costs = outcome_rows(stage), untranslatable(stage), cost_rows(stage)
    if as_json:
        output.print_json({"folder": str(stage), "outcomes": rows, "untranslatable": missing, "costs": costs})
        return
    output.show(rows, as_json=False, title="Translations")
    output.show(costs, as_json=False, title="What stands behind them")
    for language, number in missing.items():
        output.say(f"{number} questions have no text to translate from into {language}")
    output.say(f"Records and manifest: {stage}   replies: globmed journal show {out}")


@contextmanager
def _watch(title: str) -> Iterator[OnProgress]:
    with live_view() as live:
        sys.stderr.write(f"{title}\n")
        yield live.report


def _show_estimates(estimates: Sequence[StepEstimate], *, as_json: bool) -> None:
    import msgspec

    from globmed.data.translate.estimate import REFINE_SHARE, REPAIR_SHARE, total_cost_usd

    total = total_cost_usd(estimates)
    if as_json:
        rows = msgspec.to_builtins(estimates)
        sums = None if total is None else {"expected": total[0], "at_most": total[1]}
        output.print_json({"steps": rows, "cost_usd": sums})
        return
    output.show([_estimate_row(one) for one in estimates], as_json=False, title="What is to be asked")
    cost = "a price is not known" if total is None else f"US$ {total[0]:.2f} expected, {total[1]:.2f} at most"
    output.say(f"In all: {sum(one.requests for one in estimates)} requests expected; {cost}")
    output.say(
        "Nothing was sent. Expected: each request answered once, a token for three bytes, translations as long as "
        f"their originals, and {REPAIR_SHARE:.0%} repaired and {REFINE_SHARE:.0%} refined, which are guesses. At most: "
        "every reply asked for again, every item in every step, a token for each byte."
    )


def _estimate_row(one: StepEstimate) -> dict[str, Any]:
    return {
        "language": one.language,
        "step": one.step,
        "model": one.model,
        "at": one.place,
        "requests": one.requests,
        "at most": one.requests_at_most,
        "input tokens": one.input_tokens,
        "output tokens": one.output_tokens,
        "US$": "price not known" if one.cost_usd is None else f"{one.cost_usd:.2f}",
        "US$ at most": "" if one.cost_usd_at_most is None else f"{one.cost_usd_at_most:.2f}",
    }
