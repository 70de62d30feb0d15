"""The dataset card `README.md`: what people read first, and by which `datasets.load_dataset` finds the files.

Its words stand in `card.md`; every number in it is counted from the items that the release holds.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from importlib.resources import files as package_files
from string import Template
from typing import Any

from globmed import __version__
from globmed.core.item import Item, Provenance
from globmed.data.release.choice import About
from globmed.data.release.dataset import Dataset, attributes, language_title
from globmed.data.release.licences import OTHER, hub_name
from globmed.data.release.survey import SPLITS

SIZES = ((10**3, "n<1K"), (10**4, "1K<n<10K"), (10**5, "10K<n<100K"), (10**6, "100K<n<1M"), (10**7, "1M<n<10M"))
TASKS = {"mcqa": "multiple-choice", "nli": "text-classification", "lfqa": "question-answering"}
"""Kinds of items by the Hub's categories of tasks."""
ORIGINS = ("native", "machine", "expert")

NO_MAKERS = "No item names a model that translated it."
NO_FINDINGS = "No finding stands. Either no check was run on these items, or none found anything."
NO_REASONS = "Nothing: every item of the stage that this was made from is here."


def card(dataset: Dataset) -> str:
    """Write the card: front matter for machines, then pages for people."""
    return f"---\n{_front_matter(dataset)}---\n\n{_body(dataset)}"


def _front_matter(dataset: Dataset) -> str:
    contents, choice = dataset.contents, dataset.choice
    licence = hub_name({name for _, name in contents.licences})
    creators = {"native": "found", "machine": "machine-generated", "expert": "expert-generated"}
    facts: dict[str, Any] = {
        "pretty_name": dataset.title,
        "language": dataset.codes,
        "license": licence,
        **({"license_name": "mixed", "license_link": "README.md"} if licence == OTHER else {}),
        "task_categories": sorted({TASKS[kind] for _, kind in contents.kinds}),
        "multilinguality": ["translation" if len(dataset.codes) > 1 else "monolingual"],
        "language_creators": [name for origin, name in creators.items() if dataset.origin(origin)],
        "size_categories": [next((name for limit, name in SIZES if contents.items() < limit), "10M<n<100M")],
        "tags": ["medical", f"version {choice.version}"],
        "configs": [_configuration(dataset, code) for code in dataset.codes],
        "dataset_info": [_info(dataset, code) for code in dataset.codes],
    }
    # JSON is YAML, quoted as it must be.
    return "".join(f"{key}: {_yaml(value)}\n" for key, value in facts.items())


def _yaml(value: Any) -> str:
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return "".join(f"\n- {json.dumps(entry, ensure_ascii=False)}" for entry in value)
    return json.dumps(value, ensure_ascii=False)


def _configuration(dataset: Dataset, code: str) -> dict[str, Any]:
    # Named one by one, for a pattern would be searched for anew each time.
    files = [{"split": split, "path": names} for split, names in dataset.splits(code).items()]
    return {"config_name": code, "data_files": files}


def _info(dataset: Dataset, code: str) -> dict[str, Any]:
    splits = [
        {
            "name": split,
            "num_examples": dataset.contents.items(language=code, split=split),
            "num_bytes": sum(dataset.bytes[name] for name in names),
        }
        for split, names in dataset.splits(code).items()
    ]
    size = sum(dataset.bytes[name] for name in dataset.of_language(code))
    return {"config_name": code, "splits": splits, "download_size": size, "dataset_size": size}


def _body(dataset: Dataset) -> str:
    contents = dataset.contents
    example = dataset.codes[0]
    text = package_files("globmed.data.release").joinpath("card.md").read_text(encoding="utf-8")
    return Template(text).substitute(
        title=dataset.title,
        name=dataset.choice.name,
        private=_private(dataset),
        languages=counted(len(dataset.codes), "language"),
        items=counted(contents.items(), "item"),
        questions=counted(contents.families, "question"),
        sources=counted(len(contents.sources), "source"),
        machine=counted(dataset.origin("machine"), "machine translation"),
        reviewed=_reviewed(dataset),
        clusters=counted(contents.clusters, "cluster"),
        example=example,
        splits=", ".join(dataset.splits(example)),
        split=list(dataset.splits(example))[-1],
        code_version=__version__,
        inputs=", ".join(f"from the stage `{stage}`, {digest}" for stage, digest in dataset.inputs.items()),
        **_tables(dataset),
    )


def counted(number: int, what: str) -> str:
    """Return a number with the name of what is counted, such as `1,234 items`."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _private(dataset: Dataset) -> str:
    if not dataset.private:
        return ""
    restricted = counted(dataset.contents.restricted.total(), "item")
    return f"\n> **Private release.** Do not pass it on: it holds {restricted} whose terms forbid publishing them.\n"


def _reviewed(dataset: Dataset) -> str:
    reviewers = dataset.contents.reviewers
    if not reviewers:
        return "no person has given a verdict on any"
    number = dataset.contents.reviewed.total()
    return f"{counted(len(reviewers), 'person').replace('persons', 'people')} gave verdicts on {number:,}"


def _tables(dataset: Dataset) -> dict[str, str]:
    contents = dataset.contents
    makers = [(language_title(code), name, count) for (code, name), count in sorted(contents.makers.items())]
    reasons = sorted(contents.reasons().items())
    return {
        "language_table": _table(("Language", "Code", *SPLITS, *ORIGINS, "reviewed"), _by_code(dataset), words=2),
        "source_table": _table(("Source", *dataset.codes, "together"), _by_source(dataset), words=1),
        "licence_table": _table(("Source", "Licence", "Terms of use", "Home", "To cite"), _licences(dataset), words=5),
        "maker_table": _table(("Language", "Model", "Items"), makers, words=2) if makers else NO_MAKERS,
        "finding_table": _findings(dataset),
        "reason_table": _table(("Reason", "Items"), reasons, words=1) if reasons else NO_REASONS,
        "column_table": _table(("Column", "What it is"), attributes(Item).items(), words=2),
        "provenance_table": _table(("Field", "What it is"), attributes(Provenance).items(), words=2),
    }


def _by_code(dataset: Dataset) -> list[Sequence[Any]]:
    contents = dataset.contents
    numbers = [
        [
            *(contents.items(language=code, split=split) for split in SPLITS),
            *(contents.texts[code, origin] for origin in ORIGINS),
            contents.reviewed[code],
        ]
        for code in dataset.codes
    ]
    rows = [(language_title(code), code, *row) for code, row in zip(dataset.codes, numbers, strict=True)]
    return [*rows, ("**Together**", "", *map(sum, zip(*numbers, strict=True)))]


def _by_source(dataset: Dataset) -> list[Sequence[Any]]:
    def row(title: str, source: str) -> Sequence[Any]:
        counts = (dataset.contents.items(source=source, language=code) for code in dataset.codes)
        return (title, *counts, dataset.contents.items(source=source))

    return [*(row(dataset.source_title(name), name) for name in dataset.contents.sources), row("**Together**", "")]


def _licences(dataset: Dataset) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for name in dataset.contents.sources:
        about = dataset.about.get(name, About(title=name))
        licence = "; ".join(sorted(licence for of, licence in dataset.contents.licences if of == name))
        rows.append((f"{about.title} (`{name}`)", licence, about.terms or "–", about.url or "–", about.citation or "–"))
    return rows


def _findings(dataset: Dataset) -> str:
    findings = dataset.contents.findings
    if not findings:
        return NO_FINDINGS
    named = sorted({(check, severity) for check, severity, _ in findings})
    rows = [(*names, *(findings[*names, code] for code in dataset.codes)) for names in named]
    blocked = "**such items are kept here**" if dataset.choice.keep_blocked else "such items are not in the release"
    return (
        "Items with a finding that no reviewer has overruled. `note` informs, `review` asks for a person, `block` "
        f"keeps an item out of benchmarks and training ({blocked}).\n\n"
        + _table(("Check", "Severity", *dataset.codes), rows, words=2)
    )


def _table(heads: Sequence[str], rows: Iterable[Sequence[Any]], *, words: int) -> str:
    """Return a table, whose first columns, `words` of them, are words and the others numbers."""
    lines = [heads, ["---"] * words + ["---:"] * (len(heads) - words), *([_cell(value) for value in r] for r in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(value: object) -> str:
    text = f"{value:,}" if isinstance(value, int) else " ".join(str(value).split())
    return text.replace("|", "\\|").replace("<", "&lt;")
