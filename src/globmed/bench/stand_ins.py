"""Texts that are asked in place of an item's own: translated to English, or with the names of drugs in English.

Kept in the run, so that replies are read and scored beside the text that was asked, without any model. Translations
come from a folder that `globmed bench translate` made of the same data (`globmed.workflows.translate_test`), and bring
along what they cost. An item in English stands for itself.

Answering in English what was translated to English is the usual way round a model that does not know a language, and
a strong one: Ahuja et al. (2023), "MEGA: multilingual evaluation of generative AI", EMNLP, arXiv:2303.12528.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal, NamedTuple

import msgspec

from globmed.bench.asked import asked_folder
from globmed.bench.condition import Condition
from globmed.bench.english_drugs import with_english_drugs
from globmed.bench.selection import Plan, Selection, Translations
from globmed.bench.tasks import task
from globmed.core.dataset import item_files, read_items
from globmed.core.errors import InputError, UsageError
from globmed.core.item import Item
from globmed.core.store import MANIFEST, Count, read_manifest, read_records, stage_hash, up_to_date, writing_stage

Word = Literal["translated", "english_drugs"]

TO_ENGLISH = "to_english"
"""Name of the stage of translations: items with the family and language of the original and the text in English."""
COSTS = "costs.parquet"
_FILE = "stand_ins.parquet"


class TranslationCost(msgspec.Struct, frozen=True, kw_only=True):
    """What translating one item took, or one answer to it: one row of `costs.parquet` in the stage of translations.

    Attributes:
        family: the question.
        language: BCP 47 code of the item.
        input_tokens: billed for all replies to what was asked of it, those that could not be read among them; texts
            shared with an earlier one cost it nothing.
        output_tokens: likewise.
        cost_usd: of its replies; None where no price was known.
    """

    family: str
    language: str
    input_tokens: int
    output_tokens: int
    cost_usd: float | None


class TranslationUsage(NamedTuple):
    """What all translations for one reply took: tokens billed, and US dollars; None where a price was not known."""

    input_tokens: int
    output_tokens: int
    cost_usd: float | None


class StandIn(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked in place of an item.

    Attributes:
        word: the word of the condition that asks for it.
        item: of the same family and language, with another text; references and rubric are the item's own.
        cost: of its translation; None of what no model made.
    """

    word: Word
    item: Item
    cost: TranslationCost | None = None


class StandIns:
    """The stand-ins of a run."""

    def __init__(self, run: Path) -> None:
        """Read them; a run without any has none.

        Raises:
            InputError: the file is not as it was written.
        """
        folder = stand_ins_folder(run)
        there = read_records(folder, StandIn) if (folder / MANIFEST).is_file() else iter(())
        self._found = {(one.word, one.item.family, one.item.language): one for one in there}

    def of(self, item: Item, condition: Condition) -> Item:
        """Return what is asked of an item under a condition; the item where nothing stands in for it.

        Raises:
            InputError: its translation is not there.
        """
        found = self.find(item, condition)
        if found is None and condition.translated and item.language != "en":
            raise InputError.at(
                f"{item.family}/{item.language}",
                found="no translation in the run",
                expected="one of each item, as `bench run --translations` puts it there",
            )
        return found.item if found else item

    def find(self, item: Item, condition: Condition) -> StandIn | None:
        """Return what stands in for an item under a condition, and what it cost; None where nothing does."""
        word: Word = "translated" if condition.translated else "english_drugs"
        return self._found.get((word, item.family, item.language)) if condition.stands_in else None


def stand_ins_folder(run: Path) -> Path:
    """Return the folder of the stage that holds what is asked in place of items."""
    return run / "stand_ins"


def keep_stand_ins(plan: Plan, *, data: Path, out: Path, translations: Path | None) -> Plan:
    """Write what a plan asks in place of items into the stage `<out>/stand_ins`, before anything is asked.

    Args:
        plan: what to ask.
        data: a stage of items.
        out: the run's folder.
        translations: folder that `globmed bench translate` made; None where no condition is `translated`.

    Returns:
        The plan, with the translations that it asks.

    Raises:
        UsageError: a condition `translated` without translations, or the other way round; translations of other data,
            or not of every item (the text says how many); a run that was made with others.
        InputError: the folder holds no translations.
    """
    words = _words(plan)
    if ("translated" in words) != (translations is not None):
        raise UsageError(
            "a condition 'translated' and --translations: expected both or neither. Make translations with: "
            f"{_command(plan, data=data, out=Path('FOLDER'))}"
        )
    if translations is not None:
        plan = msgspec.structs.replace(plan, translations=_described(translations, data))
    if not words:
        return plan
    configuration = {"words": words} | {
        name: value for name, value in msgspec.to_builtins(plan).items() if name in _DECIDE
    }
    inputs = {"data": stage_hash(data)}
    if up_to_date(stand_ins_folder(out), configuration=configuration, inputs=inputs):
        return plan
    _refuse_other(out, plan)
    with writing_stage(stand_ins_folder(out), "stand_ins", configuration=configuration, inputs=inputs) as writer:
        chosen = _chosen(plan, data)
        made = _translated(chosen, translations, plan, data) if translations is not None else []
        made += list(_with_english_drugs(chosen, data)) if "english_drugs" in words else []
        writer.write(_FILE, made, StandIn)
        writer.counts.extend(_counts(chosen, made, plan))
    return plan


# What of a plan decides which items there are, and what stands in for them.
_DECIDE = ("task", "languages", "sources", "split", "limit", "seed", "translations")


def _words(plan: Plan) -> list[Word]:
    conditions = [Condition.named(name) for name in plan.answers]
    words: list[tuple[Word, bool]] = [
        ("english_drugs", any(one.english_drugs for one in conditions)),
        ("translated", any(one.translated for one in conditions)),
    ]
    return [word for word, wanted in words if wanted]


def _described(translations: Path, data: Path) -> Translations:
    folder = translations / TO_ENGLISH
    manifest = read_manifest(folder)
    if manifest.inputs.get("data") != stage_hash(data):
        raise UsageError(f"{translations}: translations of other data than {data}; name those made of it")
    configuration = manifest.configuration
    return Translations(stage=stage_hash(folder), models=tuple(configuration["models"]))


def _refuse_other(out: Path, plan: Plan) -> None:
    """Refuse to put other texts into a run that was asked; one that had none is refused by what it was asked."""
    if not (asked_folder(out) / MANIFEST).is_file():
        return
    earlier = read_manifest(asked_folder(out)).configuration
    if list(earlier.get("answers", ())) == list(plan.answers):
        raise UsageError(
            f"{out}: this run was made with other data, questions or translations. Name another folder for a new run"
        )


def _chosen(plan: Plan, data: Path) -> list[Item]:
    chosen = Selection(data, plan, task(plan.task)).items()
    return [item for item in chosen if item.language != "en"]


def _translated(chosen: list[Item], translations: Path, plan: Plan, data: Path) -> list[StandIn]:
    folder = translations / TO_ENGLISH
    costs = {(one.family, one.language): one for one in read_records(folder, TranslationCost, prefix=COSTS)}
    there = {(item.family, item.language): item for item in read_items(folder)}
    if missing := [item for item in chosen if (item.family, item.language) not in there]:
        raise UsageError(
            f"{translations}: {len(missing)} of {len(chosen)} items have no translation, first {missing[0].family}/"
            f"{missing[0].language}. Make them with: {_command(plan, data=data, out=translations)}"
        )
    keys = [(item.family, item.language) for item in chosen]
    return [
        StandIn(word="translated", item=_judged_as(there[key], item), cost=costs.get(key))
        for key, item in zip(keys, chosen, strict=True)
    ]


def _judged_as(translation: Item, item: Item) -> Item:
    """Return a translation with what was not translated: what answers in the item's language are compared with."""
    return msgspec.structs.replace(translation, reference=item.reference, rubric=item.rubric, rationale=item.rationale)


def _command(plan: Plan, *, data: Path, out: Path) -> str:
    """Return the command that translates what a plan asks; what is translated already is not asked for again."""
    named = [("language", code) for code in plan.languages] + [("source", name) for name in plan.sources]
    drawn = [("limit", plan.limit), ("seed", plan.seed)] if plan.limit is not None else []
    options = [("task", plan.task), ("split", plan.split), *named, *drawn, ("model", "MODEL"), ("out", out)]
    return f"globmed bench translate {data} " + " ".join(f"--{name} {value}" for name, value in options)


def _with_english_drugs(chosen: list[Item], data: Path) -> Iterator[StandIn]:
    if not any(file.language == "en" for file in item_files(data)):
        raise UsageError(
            f"{data}: english_drugs takes the names from the English version of each question, and there is none; "
            "name data that holds it, or leave the condition out"
        )
    wanted = {item.family for item in chosen}
    english = {item.family: item for item in read_items(data, languages=["en"]) if item.family in wanted}
    for item in chosen:
        if item.family in english:
            shown = with_english_drugs(item, english[item.family])
            if shown != item:
                yield StandIn(word="english_drugs", item=shown)


def _counts(chosen: list[Item], made: list[StandIn], plan: Plan) -> Iterator[Count]:
    """Count by language how many items another text stands in for, whichever it is."""
    changed = {(one.item.family, one.item.language) for one in made}
    for source, code in sorted({(item.source, item.language) for item in chosen}):
        families = [item.family for item in chosen if (item.source, item.language) == (source, code)]
        kept = sum((family, code) in changed for family in families)
        dropped: dict[str, int] = {"its own text": len(families) - kept} if len(families) > kept else {}
        yield Count(source=source, language=code, split=plan.split, read=len(families), kept=kept, dropped=dropped)


def translation_usage(*costs: TranslationCost | None) -> TranslationUsage:
    """Return what translations cost beside the reply between them.

    Args:
        costs: of the question into English, and of the answer back; None of what was not translated.
    """
    paid = [one for one in costs if one is not None]
    usd = [one.cost_usd for one in paid if one.cost_usd is not None]
    return TranslationUsage(
        input_tokens=sum(one.input_tokens for one in paid),
        output_tokens=sum(one.output_tokens for one in paid),
        cost_usd=sum(usd) if len(usd) == len(paid) else None,
    )
