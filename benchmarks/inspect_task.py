"""The made questions as a task of Inspect (inspect_ai), with its own multiple-choice solver and scorer."""

from __future__ import annotations

from inspect_ai import Task, task
from inspect_ai.dataset import FieldSpec, json_dataset
from inspect_ai.scorer import choice
from inspect_ai.solver import multiple_choice


@task
def made(lines: str) -> Task:
    """Return the task over a file of `made_questions.write_lines`."""
    fields = FieldSpec(id="id", input="question", choices="choices", target="target")
    return Task(dataset=json_dataset(lines, fields), solver=multiple_choice(), scorer=choice())
