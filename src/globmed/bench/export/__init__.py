"""The benchmark's questions for other evaluation tools, with our prompts and our reader.

    data -> questions -> lm-evaluation-harness or Inspect -> replies, read and graded as ours -> back into a run

A question is an item under a condition, with the message that `bench run` would send. Only conditions that are asked in
one message and answered in free text can be exported: other tools build conversations and likelihoods in their own way.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec

from globmed.bench.condition import Condition
from globmed.bench.puts import prompt
from globmed.bench.selection import Plan, Selection
from globmed.bench.tasks import Grade, task
from globmed.core.errors import TermsError, UsageError
from globmed.core.item import Item
from globmed.models.chat_reply import split_reasoning
from globmed.models.client import Reply, Status, Usage

# As Inspect names why a reply ended: https://inspect.aisi.org.uk/reference/inspect_ai.model.html#modeloutput.
_STOPPED: dict[str, Status] = {"max_tokens": "truncated", "model_length": "truncated", "content_filter": "filtered"}


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """An item as another tool asks it.

    Attributes:
        id: `family/language`, then the condition and the repetition: `medqa:7/sw/generate/english/0`.
        prompt: the message to send.
        task: name of the task.
        answer: name of the condition.
        run: index of the repetition, from 0.
        item: the item, which the reply is graded against.
    """

    id: str
    prompt: str
    task: str
    answer: str
    run: int
    item: Item


def questions(data: Path, plan: Plan) -> Iterator[Question]:
    """Give what a plan asks, by source, language and item.

    Raises:
        UsageError: a condition with examples or likelihoods, a task without options, or as `Selection` does.
        TermsError: an item that may not leave this machine.
        InputError: a file of the data is not as it was written.
    """
    asking = task(plan.task)
    conditions = [Condition.named(name) for name in plan.answers]
    for condition in conditions:
        _refuse(plan.task, condition)
        prompt(asking, condition, "en")
    if asking.open:
        raise UsageError(f"task {plan.task!r}: its replies are judged, not read; expected one with options")
    for item in Selection(data, plan, asking).items():
        if not item.provenance.may_leave_machine:
            raise TermsError(f"{item.family}: the terms of {item.source} forbid to hand it on; leave the source out")
        for condition in conditions:
            for run in range(plan.runs):
                request = asking.request(item, condition=condition, run=run, settings=plan.settings)
                yield Question(
                    id=f"{item.family}/{item.language}/{condition.name}/{run}",
                    prompt=request.messages[0].content,
                    task=plan.task,
                    answer=condition.name,
                    run=run,
                    item=item,
                )


def grade(question: Question, reply: Reply) -> Grade:
    """Read and grade a reply as `bench score` does."""
    condition = Condition.named(question.answer)
    return task(question.task).grade(question.item, reply, condition=condition, run=question.run)


def reply_of(text: str, *, stopped: str = "", usage: Usage | None = None) -> Reply:
    """Return what a model said as we save it, its reasoning apart.

    Args:
        text: the reply as the other tool has it.
        stopped: why it ended, as Inspect names it; empty where the tool does not say.
        usage: tokens billed, where the tool says.
    """
    answer, thought = split_reasoning(text)
    status = _STOPPED.get(stopped, "ok")
    return Reply(status=status, text=answer, reasoning=thought, finish=stopped, usage=usage or Usage())


def _refuse(name: str, condition: Condition) -> None:
    if condition.answer != "generate" or condition.shots or condition.stands_in:
        raise UsageError(
            f"task {name!r} under {condition.name!r}: cannot be exported; expected `generate`, the item's own text and "
            "no solved examples"
        )
