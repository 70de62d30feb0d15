"""The benchmark as a task of Inspect, with our prompts and our reader; found by it through an entry point.

    inspect eval globmed/medical -T data=dataset/release -T language=sw --model openai/gpt-4o-mini

Inspect alone imports this module. Reference: https://inspect.aisi.org.uk/extensions.html.
"""

from __future__ import annotations

from pathlib import Path

import msgspec
from inspect_ai import Task, task
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.model import GenerateConfig
from inspect_ai.scorer import Score, Scorer, Target, accuracy, scorer, stderr
from inspect_ai.solver import TaskState, generate

from globmed.bench.export import Question, grade, questions, reply_of
from globmed.bench.selection import Plan
from globmed.models.client import Settings

_QUESTION = "question"


@task
def medical(
    data: str,
    language: str = "",
    task: str = "mcqa",
    answer: str = "generate",
    source: str = "",
    limit: int | None = None,
    max_tokens: int = 512,
    temperature: float = 0.0,
) -> Task:
    """Return a task over the items of a stage, such as a release.

    Args:
        data: the stage's folder.
        language: BCP 47 codes with commas between them; empty for all.
        task: mcqa or nli.
        answer: a condition, such as generate/english.
        source: names of sources with commas between them; empty for all.
        limit: so many questions a source, the same in each language.
        max_tokens: of a reply.
        temperature: of sampling.
    """
    plan = Plan(
        task=task,
        answers=(answer,),
        languages=tuple(filter(None, language.split(","))),
        sources=tuple(filter(None, source.split(","))),
        limit=limit,
        settings=Settings(max_tokens=max_tokens, temperature=temperature),
    )
    return Task(
        dataset=MemoryDataset([_sample(question) for question in questions(Path(data), plan)], name=f"globmed {task}"),
        solver=generate(),
        scorer=read_by_globmed(),
        config=GenerateConfig(max_tokens=max_tokens, temperature=temperature),
    )


@scorer(metrics=[accuracy(), stderr()])
def read_by_globmed() -> Scorer:
    """Return a scorer that reads and grades a reply as `globmed bench score` does."""

    async def score(state: TaskState, target: Target) -> Score:
        del target
        question = msgspec.json.decode(state.metadata[_QUESTION], type=Question)
        found = grade(question, reply_of(state.output.completion, stopped=state.output.stop_reason))
        said = found.reading.letter or found.reading.status
        return Score(value=float(found.correct), answer=said, explanation=found.reading.rule)

    return score


def _sample(question: Question) -> Sample:
    return Sample(
        id=question.id,
        input=question.prompt,
        target=[str(index) for index in question.item.answer],
        metadata={_QUESTION: msgspec.json.encode(question).decode()},
    )
