"""What became of translations, read from the finished stage: accepted, for review, dropped, and what each step cost."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from globmed.core.dataset import read_items
from globmed.core.item import Step
from globmed.core.store import read_manifest, read_records
from globmed.data.translate.translating import DROPPED, NO_ORIGINAL, DroppedTranslation
from globmed.data.translate.verdict import REVIEW


def outcome_rows(folder: Path) -> list[dict[str, Any]]:
    """Return one row a language and translator: accepted, for review, and dropped by reason.

    Args:
        folder: the finished stage `translate`.
    """
    counts: defaultdict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    dropped: defaultdict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    languages = read_manifest(folder).configuration["languages"]
    for item in read_items(folder, languages=languages):
        if item.provenance.steps:
            review = any(one.check == REVIEW for one in item.standing_findings)
            counts[item.language, item.provenance.model]["review" if review else "accepted"] += 1
    for row in read_records(folder, DroppedTranslation, prefix=DROPPED):
        dropped[row.language, row.model][row.reason] += 1
    return [
        {
            "language": language,
            "translator": model,
            "accepted": counts[language, model]["accepted"],
            "review": counts[language, model]["review"],
            "dropped": dict(dropped[language, model].most_common()),
        }
        for language, model in sorted({*counts, *dropped})
    ]


def untranslatable(folder: Path) -> dict[str, int]:
    """Return how many questions had no text to translate from, by language; empty where all had one."""
    found: Counter[str] = Counter()
    for count in read_manifest(folder).counts:
        found[count.language] += count.dropped.get(NO_ORIGINAL, 0)
    return {language: number for language, number in found.items() if number}


def cost_rows(folder: Path) -> list[dict[str, Any]]:
    """Return one row a step and model: how many replies stand behind the translations, and what they cost."""
    replies: Counter[tuple[str, str]] = Counter()
    costs: defaultdict[tuple[str, str], float | None] = defaultdict(float)
    languages = read_manifest(folder).configuration["languages"]

    def add(steps: Iterable[Step]) -> None:
        for step in steps:
            which = (step.name, step.model)
            replies[which] += 1
            before = costs[which]
            costs[which] = None if before is None or step.cost_usd is None else before + step.cost_usd

    for item in read_items(folder, languages=languages):
        add(item.provenance.steps)
    for row in read_records(folder, DroppedTranslation, prefix=DROPPED):
        add(row.steps)
    return [
        {"step": step, "model": model, "texts or replies": number, "US$": costs[step, model]}
        for (step, model), number in sorted(replies.items())
    ]
