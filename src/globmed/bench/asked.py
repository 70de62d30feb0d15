"""What a run folder holds, shared by whoever fills it and whoever scores it.

    <run>/asked/              stage: the items asked, and under which configuration
    <run>/examples/           stage: solved examples to show before the questions, where a condition wants any
    <run>/stand_ins/          stage: what is asked in place of items: translations, English names of drugs
    <run>/baselines/          stage: what baselines that learn from other items say of the items
    <run>/models/<model>/     stage: for one model, which reply answers which item
    <run>/replies/<model>.journal
    <run>/translated_back/    stage: open answers in English, as they were translated back into the items' languages
    <run>/scores/             stage: what `bench score` made of them
    <run>/analysis/           stage: the tables made of the scores
    <run>/judges/<judge>/     stages: what a judge was asked about the replies; its own replies in `replies`
    <run>/ratings/            stage: what people said of replies
    <run>/judgements/         stage: the verdicts, and the tables made of them

A model's folder is named after its id, with a hash of id and revision behind.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

ITEMS = "items.parquet"
ASKED = "asked.parquet"
EXAMPLES = "examples.parquet"


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """One item put to one model.

    Attributes:
        task: name of the task.
        model: id of the model.
        revision: version of its weights.
        answer: name of the condition, such as `score_options/byte`.
        source: name of the item's source.
        family: the question.
        cluster: that of the item.
        language: BCP 47 code.
        run: index of the repetition, from 0.
        prompt_hash: of the prompt text it was put in.
        key: under which the reply is saved; several rows may share one.
    """

    task: str
    model: str
    revision: str
    answer: str
    source: str
    family: str
    cluster: str
    language: str
    run: int
    prompt_hash: str
    key: str


def asked_folder(run: Path) -> Path:
    """Return the folder of the stage that holds the items."""
    return run / "asked"


def examples_folder(run: Path) -> Path:
    """Return the folder of the stage that holds solved examples."""
    return run / "examples"


def scores_folder(run: Path) -> Path:
    """Return the folder of the stage that holds the scores."""
    return run / "scores"


def analysis_folder(run: Path) -> Path:
    """Return the folder of the stage that holds the tables."""
    return run / "analysis"


def models_folder(run: Path) -> Path:
    """Return the folder that holds one stage a model."""
    return run / "models"


def journal_path(run: Path, name: str) -> Path:
    """Return the journal of a model, by the name of its folder."""
    return run / "replies" / f"{name}.journal"
