"""The model card `README.md`: what a model is, what it learnt from, how, and what came of it.

Its words stand in `card.md`; every number in it is of the run's own files, or of the table of gains.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from importlib.resources import files as package_files
from pathlib import Path
from string import Template
from typing import Any, NamedTuple

import msgspec

from globmed.core.item import Item
from globmed.core.language import language, languages
from globmed.core.store import Count, Manifest, read_manifest, read_records
from globmed.train.gains import Gain
from globmed.train.mixture import PlanRow
from globmed.train.recipe import HUB
from globmed.train.steps import Evaluated, Loss
from globmed.train.texts import Text

SOURCES = "sources.jsonl"
LOSSES = "losses.jsonl"
EVALUATIONS = "evaluations.jsonl"
PLAN = "mixture.parquet"

NOT_MEASURED = (
    "Not measured. `globmed train evaluate` asks this model and its base the same questions, and writes this."
)


class SourceRow(msgspec.Struct, frozen=True, kw_only=True):
    """Items of one source in one language that a model learnt from.

    Attributes:
        source: its name.
        language: BCP 47 code.
        licence: of the texts, as SPDX or as the publisher says it.
        items: kept for training.
        native: written in the language.
        machine: translated by a machine.
        expert: translated or revised by a person.
        reviewed: looked at by a person, whatever the verdict.
    """

    source: str
    language: str
    licence: str
    items: int
    native: int
    machine: int
    expert: int
    reviewed: int


class Results(NamedTuple):
    """What a model did beside its base.

    Attributes:
        data: hash of the stage of items asked.
        split: of the items asked.
        gains: rows of the table of gains.
    """

    data: str
    split: str
    gains: Sequence[Gain]


class Facts(NamedTuple):
    """What a card is written from.

    Attributes:
        name: of the model.
        manifest: of its folder; before the folder is whole, its configuration, inputs and counts.
        plan: of the mixture.
        losses: as logged.
        evaluations: on questions of the split dev while it learnt.
        sources: what was learnt from.
    """

    name: str
    manifest: Manifest
    plan: Sequence[PlanRow]
    losses: Sequence[Loss]
    evaluations: Sequence[Evaluated]
    sources: Sequence[SourceRow]

    @classmethod
    def of(cls, model: Path) -> Facts:
        """Read the facts of a folder that `globmed train run` made.

        Raises:
            InputError: it is none, or one of an earlier version.
            HashMismatchError: a file was changed by hand.
        """
        manifest = read_manifest(model)
        asked = EVALUATIONS in manifest.files
        return cls(
            name=model.resolve().name,
            manifest=manifest,
            plan=list(read_records(model, PlanRow, prefix=PLAN)),
            losses=list(read_records(model, Loss, prefix=LOSSES)),
            evaluations=list(read_records(model, Evaluated, prefix=EVALUATIONS)) if asked else [],
            sources=list(read_records(model, SourceRow, prefix=SOURCES)),
        )


def source_rows(items: Iterable[Item]) -> list[SourceRow]:
    """Count items by source, language and licence."""
    rows: dict[tuple[str, str, str], Counter[str]] = {}
    for item in items:
        made = item.provenance
        counts = rows.setdefault((item.source, item.language, made.licence), Counter())
        counts.update(["items", made.text, *(["reviewed"] if made.review else [])])
    kinds = ("items", "native", "machine", "expert", "reviewed")
    return [
        SourceRow(source=source, language=code, licence=licence, **{kind: counts[kind] for kind in kinds})
        for (source, code, licence), counts in sorted(rows.items())
    ]


def text_rows(texts: Iterable[Text]) -> list[SourceRow]:
    """Count plain texts by source, language and licence; how they came about is not known."""
    found = Counter((text.source, text.language, text.licence) for text in texts)
    return [
        SourceRow(
            source=source, language=code, licence=licence, items=number, native=0, machine=0, expert=0, reviewed=0
        )
        for (source, code, licence), number in sorted(found.items())
    ]


def model_card(facts: Facts, results: Results | None = None) -> str:
    """Write the card: front matter for machines, then words for people."""
    text = package_files("globmed.train").joinpath("card.md").read_text(encoding="utf-8")
    configuration = facts.manifest.configuration
    codes = _codes(row.language for row in facts.plan)
    return f"---\n{_front_matter(facts, codes)}---\n\n" + Template(text).substitute(
        name=facts.name,
        what=_what(configuration),
        languages=_listed([f"{language(code).english_name} ({code})" for code in codes]),
        learnt=_learnt(facts.plan),
        data=facts.manifest.inputs["data"],
        mixture=_mixture(facts.plan),
        terms=_listed(sorted({row.licence or "not stated" for row in facts.sources})),
        sources=_sources(facts.sources),
        left_out=_left_out(facts.manifest.counts),
        origins=_origins(facts.sources),
        how=_how(configuration),
        settings="\n".join(f"| {name} | {value} |" for name, value in _settings(configuration)),
        course=_course(facts),
        results=_results(results, facts.name) if results else NOT_MEASURED,
        reviewed=_reviewed(facts.sources),
        code_version=facts.manifest.code_version,
    )


def _front_matter(facts: Facts, codes: list[str]) -> str:
    base = facts.manifest.configuration["checkpoint"]
    told: dict[str, Any] = {
        "language": codes,
        "library_name": "transformers",
        "pipeline_tag": "text-generation",
        **({"base_model": base.removeprefix(HUB)} if base.startswith(HUB) else {}),
        "tags": ["medical", "globmed"],
    }
    # JSON is YAML, quoted as it must be. The licence is for whoever publishes the weights to name.
    return "".join(f"{key}: {json.dumps(value, ensure_ascii=False)}\n" for key, value in told.items())


def _codes(found: Iterable[str]) -> list[str]:
    order = list(languages())
    return sorted(set(found), key=order.index)


def _what(configuration: dict[str, Any]) -> str:
    base = configuration["checkpoint"]
    if configuration["scratch"]:
        return "A language model trained from random weights on medical questions."
    kind = {"full": "all weights", "lora": "low-rank updates (LoRA)", "qlora": "low-rank updates on 4 bits (QLoRA)"}
    of = f"[{base.removeprefix(HUB)}](https://huggingface.co/{base.removeprefix(HUB)})" if base else "a base model"
    return f"A language model: {of}, fine-tuned on medical questions ({kind[configuration['method']['kind']]})."


def _learnt(plan: Sequence[PlanRow]) -> str:
    examples, tokens = sum(row.drawn for row in plan), sum(row.drawn_tokens for row in plan)
    return f"{examples:,} examples of {tokens:,} tokens, repetitions and prompts counted"


def _mixture(plan: Sequence[PlanRow]) -> str:
    lines = [
        "| kind | language | tier | examples | tokens | learnt from, tokens | epochs |",
        "|---|---|---|--:|--:|--:|--:|",
    ]
    lines += [
        f"| {row.part.replace('_', '-')} | {row.language} | {row.tier} | {row.examples:,} | {row.tokens:,} |"
        f" {row.drawn_tokens:,} | {row.epochs:.2f} |"
        for row in plan
    ]
    return "\n".join(lines)


def _sources(rows: Sequence[SourceRow]) -> str:
    lines = ["| source | licence | languages | items |", "|---|---|---|--:|"]
    found: dict[tuple[str, str], list[SourceRow]] = {}
    for row in rows:
        found.setdefault((row.source, row.licence), []).append(row)
    lines += [
        f"| {source} | {licence or 'not stated'} | {' '.join(_codes(row.language for row in those))} |"
        f" {sum(row.items for row in those):,} |"
        for (source, licence), those in found.items()
    ]
    return "\n".join(lines)


def _left_out(counts: Sequence[Count]) -> str:
    dropped: Counter[str] = Counter()
    for count in counts:
        dropped.update(count.dropped)
    if not dropped:
        return "No train item was left out."
    return f"Left out: {_listed([f'{number:,} items ({reason})' for reason, number in sorted(dropped.items())])}."


def _origins(rows: Sequence[SourceRow]) -> str:
    items = sum(row.native + row.machine + row.expert for row in rows)
    texts = sum(row.items for row in rows) - items
    said = {
        "written in their language": sum(row.native for row in rows),
        "translated by a machine": sum(row.machine for row in rows),
        "translated or revised by people": sum(row.expert for row in rows),
    }
    parts = [f"{number:,} were {words}" for words, number in said.items() if number]
    told = [f"Of {items:,} items {_listed(parts)}."] if items else []
    told += (
        [f"{texts:,} plain texts were learnt as in pre-training; how they came about is not known."] if texts else []
    )
    return " ".join(told)


def _reviewed(rows: Sequence[SourceRow]) -> str:
    reviewed, machine = sum(row.reviewed for row in rows), sum(row.machine for row in rows)
    people = f"People looked at {reviewed:,} of the items" if reviewed else "No person has looked at any of the items"
    return (
        f"{people}; {machine:,} of them a machine translated. A language model wrote the prompts, and no native speaker"
        " has reviewed any."
    )


def _how(configuration: dict[str, Any]) -> str:
    asked = _listed([f"`{name}`" for name in configuration["examples"]["prompts"]])
    held = "The loss is on the answers and their ends alone; examples are packed into rows and do not see one another."
    plain = " Of plain text every token carries it." if configuration["mixture"]["text"] else ""
    return f"Prompts: {asked}, as the benchmark's but for those it holds back. {held}{plain}"


def _settings(configuration: dict[str, Any]) -> list[tuple[str, Any]]:
    optimisation, method = configuration["optimisation"], configuration["method"]
    warm, betas = optimisation["warmup_share"], f"{optimisation['beta1']:g} and {optimisation['beta2']:g}"
    low_rank = [("rank, alpha", f"{method['rank']}, {method['alpha']}")] if method["kind"] != "full" else []
    return [
        ("method", method["kind"]),
        *low_rank,
        ("learning rate", f"{optimisation['learning_rate']:g}, linear warm-up over {warm:.0%}, cosine"),
        ("tokens of a step", f"{optimisation['batch_tokens']:,}"),
        ("tokens of a row", f"{optimisation['row_tokens']:,}"),
        ("AdamW", f"betas {betas}, weight decay {optimisation['weight_decay']:g}"),
        ("longest gradient", f"{optimisation['max_gradient_norm']:g}"),
        ("precision", optimisation["precision"]),
        ("languages by", configuration["mixture"]["method"]),
        ("seed", configuration["seed"]),
    ]


def _course(facts: Facts) -> str:
    told = []
    if facts.losses:
        first, last = facts.losses[0], facts.losses[-1]
        told.append(
            f"As last logged {last.step:,} steps, {last.tokens:,} tokens; loss {first.loss:.3f} over the first"
            f" {first.step:,} steps and {last.loss:.3f} over the last, in nats a token of an answer (`losses.jsonl`)."
        )
    if facts.evaluations:
        steps = sorted({row.step for row in facts.evaluations})
        lines = ["| step | tier | questions | right, % |", "|--:|---|--:|--:|"]
        for step in (steps[0], steps[-1]):
            for tier in ("high", "low"):
                rows = [row for row in facts.evaluations if (row.step, row.tier) == (step, tier)]
                asked = sum(row.questions for row in rows)
                if asked:
                    right = sum(row.accuracy * row.questions for row in rows) / asked
                    lines.append(f"| {step:,} | {tier} | {asked:,} | {100 * right:.1f} |")
        told.append(
            "Asked while it learnt, questions of the split dev, by likelihood (`evaluations.jsonl`):\n\n"
            + "\n".join(lines)
        )
    return "\n\n".join(told) or "No step was logged."


def _results(results: Results, name: str) -> str:
    every = [row for row in results.gains if row.sources == "all"]
    worse = [f"{_group(row)} ({row.task}, {row.answer})" for row in every if row.by == "language" and row.worse]
    base = every[0].base_model if every else "its base"
    lines = [
        "| task | asked | languages | questions x languages | before, % | after, % | gain, points | by fewer unread |",
        "|---|---|---|--:|--:|--:|--:|--:|",
        *(_result(row) for row in every),
    ]
    asked = (
        f"{base} before and {name} after, the same questions of the split {results.split} (stage hash"
        f" `{results.data}`), with 95 % intervals paired and clustered by question. A gain by fewer unread replies is"
        " of the format, and says nothing of medicine; what remains with a phrasing held out from training stands in"
        " the rows of `/held_out`, if it was asked."
    )
    lost = f"Worse, the whole interval below 0: {_listed(worse)}." if worse else "In no language is it surely worse."
    told = [asked, "\n".join(lines), lost]
    return "\n\n".join(told)


def _result(row: Gain) -> str:
    gain = "–" if math.isnan(row.gain_points) else f"{row.gain_points:+.1f}{_bounds(row.gain_low, row.gain_high)}"
    return (
        f"| {row.task} | {row.answer} | {_group(row)} | {row.items:,} | {_percent(row.base)} | {_percent(row.tuned)} |"
        f" {gain} | {'–' if math.isnan(row.unread_points) else f'{row.unread_points:+.1f}'} |"
    )


def _group(row: Gain) -> str:
    if row.by == "language":
        return language(row.group).english_name
    return "all" if row.by == "all" else f"{row.group}-resource"


def _percent(share: float) -> str:
    return "–" if math.isnan(share) else f"{100 * share:.1f}"


def _bounds(low: float, high: float) -> str:
    return "" if math.isnan(low) else f" [{low:+.1f}, {high:+.1f}]"


def _listed(parts: Sequence[str]) -> str:
    return "".join(parts) if len(parts) < 2 else f"{', '.join(parts[:-1])} and {parts[-1]}"
