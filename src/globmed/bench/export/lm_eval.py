"""Tasks for lm-evaluation-harness: a YAML file and the questions for each language and condition.

    globmed bench export lm-eval dataset/release --out tasks
    lm_eval run --include_path tasks --tasks globmed_mcqa --apply_chat_template --log_samples --output_path out ...

`filter` is our reader and `result` our grading; the files in the folder name them, so globmed must be installed where
lm_eval runs. Reference: https://github.com/EleutherAI/lm-evaluation-harness, docs/new_task_guide.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Any

import msgspec

from globmed.bench.condition import Condition
from globmed.bench.export import Question, grade, questions, reply_of
from globmed.bench.selection import Plan
from globmed.bench.shown import shown_item
from globmed.core.errors import UsageError
from globmed.models.client import LETTERS

FUNCTIONS = "globmed_tasks.py"
UNREAD = "unread"
_CODE = '''"""Reads and grades replies with globmed, which must be installed here."""

from pathlib import Path

from globmed.bench.export.lm_eval import read, result  # noqa: F401


def load(file, **_others):
    """Return the questions of a file beside this one."""
    from datasets import load_dataset

    return load_dataset("json", data_files={"test": str(Path(__file__).with_name(file))})
'''
_TASK = """\
task: {name}
tag: {group}
custom_dataset: !function globmed_tasks.load
dataset_kwargs:
  file: {name}.jsonl
test_split: test
output_type: generate_until
doc_to_text: "{{{{prompt}}}}"
doc_to_target: "{{{{target}}}}"
generation_kwargs:
  until: []
  do_sample: {sample}
  temperature: {temperature}
  max_gen_toks: {max_tokens}
filter_list:
  - name: globmed
    filter:
      - function: custom
        filter_fn: !function globmed_tasks.read
      - function: take_first
process_results: !function globmed_tasks.result
metric_list:
  - metric: acc
    aggregation: mean
    higher_is_better: true
  - metric: unread
    aggregation: mean
    higher_is_better: false
metadata:
  version: 1.0
"""


class Doc(msgspec.Struct, frozen=True, kw_only=True):
    """A line of a task's file. The question is kept whole as JSON, so that files of many sources have one schema.

    Attributes:
        id: as of the question.
        prompt: the message to send.
        target: letters of the right options, as they are shown.
        question: the `Question` as JSON.
    """

    id: str
    prompt: str
    target: str
    question: str


@dataclass(frozen=True)
class Exported:
    """What was written: the tasks' names and how many questions each has."""

    tasks: Mapping[str, int]


def export_lm_eval(data: Path, plan: Plan, *, out: Path) -> Exported:
    """Write tasks for lm-evaluation-harness into a new folder.

    Args:
        data: a stage of items, such as a release.
        plan: what to ask; a task a language and condition.
        out: must be new or empty.

    Raises:
        UsageError: `out` holds something, or as `questions` does.
        TermsError: an item that may not leave this machine.
        InputError: a file of the data is not as it was written.
    """
    if out.exists() and not (out.is_dir() and not any(out.iterdir())):
        raise UsageError(f"{out}: is a file or holds files already; name a new folder")
    out.parent.mkdir(parents=True, exist_ok=True)
    # Refused half way, an export leaves nothing that the next one would stumble over.
    with TemporaryDirectory(dir=out.parent, prefix=f".{out.name}.") as beside:
        made = Path(beside) / "tasks"
        made.mkdir()
        counts = _write_questions(made, questions(data, plan))
        for name in counts:
            (made / f"{name}.yaml").write_text(_yaml(name, plan), encoding="utf-8")
        (made / FUNCTIONS).write_text(_CODE, encoding="utf-8")
        made.replace(out)
    return Exported(counts)


def task_name(question: Question) -> str:
    """Return the name of the task that a question belongs to: `globmed_mcqa_sw`, `globmed_mcqa_sw_english`."""
    condition = question.answer.removeprefix("generate")
    return f"globmed_{question.task}_{question.item.language}" + re.sub(r"\W", "_", condition)


def read(replies: Iterable[Sequence[str]], docs: Iterable[Mapping[str, Any]]) -> list[list[str]]:
    """Return the letter read from each reply, as the options are shown, or `unread`; the tasks' filter."""
    return [
        [grade(_question(doc), reply_of(reply)).reading.letter or UNREAD for reply in of_doc]
        for of_doc, doc in zip(replies, docs, strict=True)
    ]


def result(doc: Mapping[str, Any], results: Sequence[str]) -> dict[str, float]:
    """Return whether the letter read is right, and whether none was; the tasks' grading."""
    (letter,) = results
    return {"acc": float(letter != UNREAD and letter in doc["target"]), "unread": float(letter == UNREAD)}


def _write_questions(folder: Path, asked: Iterable[Question]) -> dict[str, int]:
    counts: dict[str, int] = {}
    with ExitStack() as stack:
        files: dict[str, IO[bytes]] = {}
        for question in asked:
            name = task_name(question)
            if name not in files:
                files[name] = stack.enter_context((folder / f"{name}.jsonl").open("wb"))
                counts[name] = 0
            files[name].write(msgspec.json.encode(_doc(question)) + b"\n")
            counts[name] += 1
    return counts


def _doc(question: Question) -> Doc:
    shown = shown_item(question.item, Condition.named(question.answer), run=question.run)
    return Doc(
        id=question.id,
        prompt=question.prompt,
        target="".join(LETTERS[index] for index in shown.answer),
        question=msgspec.json.encode(question).decode(),
    )


def _question(doc: Mapping[str, Any]) -> Question:
    return msgspec.json.decode(doc["question"], type=Question)


def _yaml(name: str, plan: Plan) -> str:
    sampled = plan.settings.temperature > 0
    return _TASK.format(
        name=name,
        group=f"globmed_{plan.task}",
        sample=str(sampled).lower(),
        temperature=plan.settings.temperature,
        max_tokens=plan.settings.max_tokens,
    )
