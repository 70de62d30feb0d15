"""Saved replies of open questions, judged by models: asked like any other, saved like any other, calibrated by people.

    <run>/judges/<judge>/<form>/                     stage: which judge's reply judges which reply of the run; of the
                                                     second phrasing of the prompt `<form>_held_out`
    <run>/judges/<judge>/replies/<judge>.journal     what the judge wrote, whole
    <run>/ratings/                                   stage: what people said of replies
    <run>/judgements/                                stage: verdicts, and the tables made of them

A judge gives its reason before its verdict, on one reply (`pointwise`), on two in both orders (`pairs`), or on one
criterion of a rubric (`rubric`). A verdict that cannot be read is asked for again, as often as was said beforehand; if
none can be read it is counted and never taken for one. A judge's shares in a language count only where people rated
replies there: elsewhere they are uncalibrated, and in no ranking.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

Form = Literal["pointwise", "pairs", "rubric"]

Phrasing = Literal["plain", "held_out"]
"""Which of its two prompts a judge is asked with; no model is trained on the one held out."""

_PROMPTS: dict[Form, str] = {"pointwise": "judge", "pairs": "judge_pair", "rubric": "judge_rubric"}


def prompt_name(form: Form, phrasing: Phrasing) -> str:
    """Return the name of the prompt that a form is asked with."""
    return _worded(_PROMPTS[form], phrasing)


def judges_folder(run: Path) -> Path:
    """Return the folder that holds one folder a judge."""
    return run / "judges"


def judge_folder(run: Path, name: str, form: Form, phrasing: Phrasing = "plain") -> Path:
    """Return the folder of the stage of one judge, form and phrasing."""
    return judges_folder(run) / name / _worded(form, phrasing)


def judge_journal(run: Path, name: str) -> Path:
    """Return the journal of a judge."""
    return judges_folder(run) / name / "replies" / f"{name}.journal"


def ratings_folder(run: Path) -> Path:
    """Return the folder of the stage that holds what people said."""
    return run / "ratings"


def judgements_folder(run: Path) -> Path:
    """Return the folder of the stage that holds verdicts and the tables made of them."""
    return run / "judgements"


def _worded(name: str, phrasing: Phrasing) -> str:
    return name if phrasing == "plain" else f"{name}_{phrasing}"
