"""The responsible-AI fields of the metadata: https://docs.mlcommons.org/croissant/docs/croissant-rai-spec.html.

What holds for every release of globmed stands here in words; what is said of one release is made from its counts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from globmed.data.release.card import counted
from globmed.data.release.dataset import Dataset, language_title

RIGHT_ANSWERS = (
    "Right answers are those of the sources. provenance.review has the verdicts of reviewers: none on most items."
)
LIMITATIONS = (
    "Examination and research questions do not show how a model does in care: a high score is no evidence of safety.",
    "Machine translation may have changed meaning, numbers, units or drug names where no check or reviewer saw it.",
    "Questions of public sources may stand in the training data of models that are measured with them.",
)
USES = (
    "Measuring how well language models answer medical questions in several languages.",
    "Training language models, with the train split only.",
    "Not for advice to patients, diagnosis or treatment.",
)
SENSITIVE = (
    "The sources publish examination questions, abstracts and questions asked in public. Cases may describe patients, "
    "without naming them. Nothing was collected from patients for this dataset."
)
REVIEWERS = "provenance.review names the reviewers as the review stage recorded them."


def responsible_fields(dataset: Dataset) -> dict[str, Any]:
    """Return the fields by name, with their prefix `rai:`."""
    contents, machine = dataset.contents, dataset.origin("machine")
    clustered = f"Searched for duplicates across sources: {counted(contents.families, 'question')} in "
    clustered += f"{counted(contents.clusters, 'cluster')}, each in one split only, in every language."
    fields: dict[str, Any] = {
        "dataCollection": _collection(dataset),
        "dataCollectionType": ["Secondary Data Analysis"],
        "dataPreprocessingProtocol": [clustered, _dropped(dataset)],
        "dataAnnotationProtocol": [_reviewed(dataset)],
        "annotationsPerItem": RIGHT_ANSWERS,
        "dataBiases": _biases(dataset),
        "dataLimitations": list(LIMITATIONS),
        "dataUseCases": list(USES),
        "personalSensitiveInformation": [SENSITIVE, *([REVIEWERS] if contents.reviewers else [])],
        "dataReleaseMaintenancePlan": f"This is version {dataset.choice.version}; a later one has a higher number. "
        "manifest.json has the hash of every file.",
    }
    if machine:
        models = _summed((name, count) for (_, name), count in contents.makers.items())
        tools = [f"{name}: translated {counted(count, 'item')}" for name, count in sorted(models.items())]
        fields["machineAnnotationTools"] = tools or ["The items do not name what translated them."]
    return {f"rai:{name}": value for name, value in fields.items()}


def _summed(pairs: Iterable[tuple[str, int]]) -> Counter[str]:
    total: Counter[str] = Counter()
    for name, count in pairs:
        total[name] += count
    return total


def _collection(dataset: Dataset) -> str:
    titles = ", ".join(map(dataset.source_title, dataset.contents.sources))
    native, machine, expert = (dataset.origin(origin) for origin in ("native", "machine", "expert"))
    return (
        f"Published questions of {titles}. Items in the language they were written in: {native:,}; machine "
        f"translations: {machine:,}; translations that an expert revised: {expert:,}."
    )


def _dropped(dataset: Dataset) -> str:
    reasons = sorted(dataset.contents.reasons().items())
    if not reasons:
        return "No item of the stage before was left out."
    return f"Items left out: {'; '.join(f'{count:,} ({reason})' for reason, count in reasons)}."


def _reviewed(dataset: Dataset) -> str:
    reviewed = dataset.contents.reviewed
    if not reviewed:
        return "No person has reviewed these items for this dataset."
    by = ", ".join(f"{language_title(code)} {reviewed[code]:,}" for code in dataset.codes if reviewed[code])
    return f"People rated accuracy, fluency and completeness from 1 to 5. Items reviewed: {by}."


def _biases(dataset: Dataset) -> list[str]:
    contents = dataset.contents
    natives = _summed((code, count) for (_, code), count in contents.natives.items())
    written = ", ".join(f"{language_title(code)} ({counted(count, 'item')})" for code, count in natives.most_common())
    known = ", ".join(f"{code} {count:,}" for code, count in sorted(contents.regions.items()) if code)
    practice = f"Written in {written}: the questions reflect medical practice where these are spoken; "
    practice += "translating them adapted nothing to practice elsewhere."
    return [
        practice,
        f"Items by country whose practice they reflect: {known or 'none known'}; not known: {contents.regions['']:,}.",
    ]
