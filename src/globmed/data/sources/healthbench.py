"""HealthBench: conversations on health whose last reply is to be judged by a rubric that physicians wrote.

Three files, of which a release holds one: all (5,000 conversations), `hard` (1,000 of them) and `consensus` (3,671,
with the criteria alone that several physicians agree on). The last message is the question, those before it are
`turns`. Criteria carry points, which may be negative; a reply's score is the points met over the sum of the positive
ones, clipped to 0..1. Where physicians wrote an ideal reply it is the reference. `subset` is the theme.

The conversations are in 49 languages, most of them in English, and rows do not say in which: all are read as English,
and the check of language finds those that are not. They were written to test with: keep them out of training.

Home: https://github.com/openai/simple-evals. Revision: 2025-05-07-06-14-12_oss_eval.jsonl.
Licence: MIT.
Citation: Arora et al., "HealthBench: Evaluating Large Language Models Towards Improved Human Health",
arXiv 2505.08775, 2025.

One line of the file, an invented conversation:

    {"prompt_id": "00000000-0000-4000-8000-000000000001", "example_tags": ["theme:context_seeking"],
     "prompt": [{"role": "user", "content": "My toddler drank bleach."}],
     "rubrics": [{"criterion": "Says to call poison control", "points": 9, "tags": ["level:example", "axis:accuracy"]},
                 {"criterion": "Says to make the child vomit", "points": -8, "tags": ["level:example"]}],
     "ideal_completions_data": {"ideal_completion": "Call poison control now.", "ideal_completions_group": "Group 1"}}
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

import msgspec

from globmed.core.errors import InputError
from globmed.core.item import Criterion, Item, Provenance, Turn
from globmed.data.intake import Placed, find_files, read_rows
from globmed.data.sources import Dropped, Source, WebFile

FILE = "2025-05-07-06-14-12_oss_eval.jsonl"
THEME = "theme:"


class Message(msgspec.Struct, frozen=True):
    """One message of a conversation."""

    role: Literal["system", "user", "assistant"]
    content: str


class RubricRow(msgspec.Struct, frozen=True):
    """One criterion as the file has it."""

    criterion: str
    points: float
    tags: tuple[str, ...] = ()


class Ideal(msgspec.Struct, frozen=True):
    """What physicians wrote as an ideal reply."""

    ideal_completion: str | None = None


class Row(msgspec.Struct, frozen=True):
    """The fields used of one line."""

    prompt_id: str
    prompt: list[Message]
    rubrics: list[RubricRow]
    example_tags: list[str]
    ideal_completions_data: Ideal | None = None


def read(path: Path, languages: Sequence[str], _seed: int) -> Iterator[Item | Dropped]:
    """Give every conversation of the file at or below `path`."""
    file, *more = find_files(
        path,
        r".*oss_eval\.jsonl|(hard|consensus).*\.jsonl",
        expected=f"{FILE}, hard_*.jsonl or consensus_*.jsonl",
        obtain=SOURCE.obtain,
    )
    if more:
        raise InputError.at(
            str(path), found=f"{file} and {more[0]}", expected="one of them, for they hold the same conversations"
        )
    for code in languages:
        for placed in read_rows(file, Row):
            yield _item(placed, code)


def _item(placed: Placed[Row], code: str) -> Item:
    row, place = placed.row, placed.place
    if not row.prompt_id.strip():
        raise InputError.at(place, found="an empty prompt_id", expected="the row's own", remedy=SOURCE.obtain)
    if not row.prompt or row.prompt[-1].role != "user" or not row.prompt[-1].content.strip():
        last = f"a last message by {row.prompt[-1].role}" if row.prompt else "no message"
        raise InputError.at(place, found=f"{last} or without a text", expected="one by the user", remedy=SOURCE.obtain)
    _check_rubric(row.rubrics, place)
    ideal = row.ideal_completions_data.ideal_completion if row.ideal_completions_data else None
    themes = [tag.removeprefix(THEME) for tag in row.example_tags if tag.startswith(THEME)]
    return Item(
        family=f"healthbench:{row.prompt_id}",
        language=code,
        kind="lfqa",
        source=SOURCE.name,
        split="test",
        question=row.prompt[-1].content,
        turns=tuple(Turn(role=message.role, text=message.content) for message in row.prompt[:-1]),
        rubric=tuple(Criterion(text=one.criterion, points=one.points, tags=one.tags) for one in row.rubrics),
        reference=(ideal.strip(),) if ideal and ideal.strip() else (),
        subset="+".join(themes),
        provenance=Provenance(native_language=SOURCE.native_language, place=place, licence=SOURCE.licence),
    )


def _check_rubric(rubric: Sequence[RubricRow], place: str) -> None:
    """Refuse a rubric that no score can be reckoned from."""
    if not any(one.points > 0 for one in rubric):
        raise InputError.at(place, found="no criterion with positive points", expected="one", remedy=SOURCE.obtain)
    if empty := [number for number, one in enumerate(rubric, start=1) if not one.criterion.strip()]:
        raise InputError.at(place, found=f"criterion {empty[0]} without a text", expected="one", remedy=SOURCE.obtain)


SOURCE = Source(
    name="healthbench",
    title="HealthBench",
    kinds=("lfqa",),
    native_language="en",
    languages=("en",),
    url="https://github.com/openai/simple-evals",
    revision="2025-05-07",
    licence="MIT",
    citation='Arora et al. "HealthBench: Evaluating Large Language Models Towards Improved Human Health". '
    "arXiv 2505.08775, 2025.",
    rows="5,000 conversations with a rubric each (1,000 in hard, 3,671 in consensus); in 49 languages, most in English",
    obtain="Run `globmed data fetch healthbench` for all, or download one of the three files from "
    "https://huggingface.co/datasets/openai/healthbench and name it",
    downloads=(
        # The host has no revisions; the file's name is its date.
        WebFile(url=f"https://openaipublic.blob.core.windows.net/simple-evals/healthbench/{FILE}", name=FILE),
    ),
    read=read,
)
