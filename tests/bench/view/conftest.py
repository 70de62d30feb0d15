"""A scored run of two models that do not exist and a baseline: who is right about what is known by construction.

Option `number % 4` is right. `good` is right but for Swahili questions 1, 4, 7 and 10; `poor` is right in English only,
and says nothing that can be read about question 2 in Yoruba. So neither is right about those Swahili questions. Number
3 is bound to a country. `longest` takes B, and in Chinese A.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from globmed.bench.pipeline import bench_score
from globmed.bench.runner import run_benchmark
from globmed.bench.selection import Plan
from globmed.core.item import Finding, Item, Provenance
from globmed.core.store import Count, writing_stage
from globmed.models.baseline import LongestOption
from globmed.models.client import Reply, Request, Usage
from globmed.models.pace import Pace

LANGUAGES = ("en", "sw", "yo", "zh")
QUESTIONS = 12
FIRST = {"zh": "first, longest"}

Says = Callable[[int, str], Reply]
MakeRun = Callable[..., Path]


class Scripted:
    """A client that answers by a function of a question's number and language."""

    revision, on_this_machine, batch_size = "1", False, 4

    def __init__(self, model: str, says: Says) -> None:
        self.model, self.pace, self._says = model, Pace(f"{len(model)}.example.org"), says

    def sent(self, request: Request) -> Mapping[str, Any]:
        return {"messages": msgspec.to_builtins(request.messages), "label": request.label}

    async def answer(self, batch: Sequence[Request]) -> Sequence[Reply]:
        return [self._answer(request) for request in batch]

    async def close(self) -> None:
        pass

    def _answer(self, request: Request) -> Reply:
        if ":" not in request.label:  # how many tokens a language takes, no question
            return Reply(status="ok", usage=Usage(input=10, output=1))
        family, _, code = request.label.rpartition("/")
        return self._says(int(family.rpartition(":")[2]), code)


def good(number: int, code: str) -> Reply:
    wrong = code == "sw" and number % 3 == 1
    return Reply(status="ok", text=f"Question {number} in {code}.\nAnswer: {'ABCD'[(number + wrong) % 4]}")


def poor(number: int, code: str) -> Reply:
    if (number, code) == (2, "yo"):
        return Reply(status="ok", text="Ìwòsàn kò sí níbí.")
    return Reply(status="ok", text=f"Answer: {'ABCD'[(number + (code != 'en')) % 4]}")


def made_question(number: int, code: str) -> Item:
    bound = Finding(check="region", severity="review", field="question", message="names a national scheme")
    text = {"yo": "Èwo ni ó tọ́", "zh": "下列哪一项正确"}.get(code, "Which is right")
    return Item(
        family=f"made:{number}",
        language=code,
        kind="mcqa",
        source="made",
        split="test",
        question=f"{text}, {number}?",
        context="A long case." if number == 5 else "",
        options=tuple(f"{name} of {code}" for name in (FIRST.get(code, "first"), "second", "third", "fourth")),
        answer=(number % 4,),
        provenance=Provenance(
            native_language="en",
            licence="CC0-1.0",
            text="native" if code == "en" else "machine",
            findings=(bound,) if number == 3 else (),
        ),
    )


@pytest.fixture(scope="session")
def make_view_run(tmp_path_factory: pytest.TempPathFactory) -> MakeRun:
    """Ask the models, score, and return the run's folder; `change` changes the items, `models` who is asked."""

    def make(
        *,
        name: str = "run",
        models: Mapping[str, Says] | None = None,
        change: Callable[[Item], Item] = lambda item: item,
        questions: int = QUESTIONS,
    ) -> Path:
        folder = tmp_path_factory.mktemp("view")
        with writing_stage(folder / "data", "corpus") as writer:
            for code in LANGUAGES:
                items = [change(made_question(number, code)) for number in range(questions)]
                kept = writer.write(f"made.{code}.parquet", items, Item)
                writer.counts.append(Count(source="made", language=code, split="test", read=kept, kept=kept))
        clients = [Scripted(model, says) for model, says in (models or {"good": good, "poor": poor}).items()]
        run = folder / name
        run_benchmark([*clients, LongestOption()], data=folder / "data", plan=Plan(), out=run)
        bench_score(run)
        return run

    return make


@pytest.fixture(scope="session")
def view_run(make_view_run: MakeRun) -> Path:
    """The run of the two models."""
    return make_view_run()
