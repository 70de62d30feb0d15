"""A made-up run: five models that do not exist and two baselines, in all languages. Every number in it is invented."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from globmed.bench.asked import ASKED, ITEMS, Asked, asked_folder, models_folder, scores_folder
from globmed.bench.scoring import SCORES, Outcome, Score, score_inputs
from globmed.bench.selection import Plan
from globmed.core.item import Item, Provenance
from globmed.core.language import languages
from globmed.core.store import Count, table, writing_stage
from globmed.prompts import load
from globmed.train.gains import gains

QUESTIONS = 160


@dataclass(frozen=True, kw_only=True)
class MadeUp:
    """A model that does not exist.

    Attributes:
        high: its share of right answers in the high-resource languages.
        low: likewise in the low-resource ones.
        unread: share of its replies that cannot be read.
        failed: languages in which every call failed.
    """

    high: float
    low: float
    unread: float = 0.0
    failed: tuple[str, ...] = ()


MODELS: Mapping[str, MadeUp] = {
    "made-up/large": MadeUp(high=0.89, low=0.78, unread=0.004),
    "made-up/medical-8b": MadeUp(high=0.78, low=0.61, unread=0.03),
    "made-up/chat-4b": MadeUp(high=0.71, low=0.44, unread=0.08, failed=("wo",)),
    "made-up/base-1.7b": MadeUp(high=0.62, low=0.28, unread=0.05),
    "made-up/tuned-1.7b": MadeUp(high=0.66, low=0.6, unread=0.01),
    "longest": MadeUp(high=0.3, low=0.3),
    "majority": MadeUp(high=0.27, low=0.27),
}

MakeRun = Callable[..., Path]


def made_up_scores(
    models: Mapping[str, MadeUp],
    *,
    codes: tuple[str, ...],
    questions: int,
    task: str = "mcqa",
    answer: str = "generate",
) -> Iterator[Score]:
    """Draw scores: a question is as hard for every model in every language, and two questions share a cluster.

    Through English a model does as well everywhere as in the high-resource languages, less five points.
    """
    hard = np.random.default_rng(7).normal(0, 0.12, questions)
    for number, (model, made) in enumerate(models.items()):
        rng = np.random.default_rng([7, number])
        for code in codes:
            tier = languages()[code].tier
            share = made.high if tier == "high" else made.low
            if answer.endswith("translated") and code != "en":
                share = made.high - 0.05
            right = rng.random(questions) < share + rng.normal(0, 0.02) - hard
            unread = rng.random(questions) < made.unread
            for index in range(questions):
                outcome: Outcome = "correct" if right[index] else "wrong"
                if unread[index]:
                    outcome = ("unread", "refused", "truncated")[index % 3]
                if code in made.failed:
                    outcome = "error"
                yield _score(model, code, index, outcome, task, answer)


def _score(model: str, code: str, index: int, outcome: Outcome, task: str, answer: str) -> Score:
    tokens = 250 if languages()[code].tier == "low" else 100
    translation = 400 if answer.endswith("translated") and code != "en" else 0
    # Of baselines and of what stands on a machine of one's own no price is known.
    priced = model in ("made-up/large", "made-up/medical-8b")
    read = outcome in ("correct", "wrong")
    option = 0 if outcome == "correct" else 1 + index % 3
    return Score(
        task=task,
        model=model,
        revision="made-up",
        answer=answer,
        source="made_up",
        family=f"made_up:{index}",
        cluster=f"made_up:{index // 2}",
        language=code,
        tier=languages()[code].tier,
        native_language="en",
        text="native" if code == "en" else "machine",
        run=0,
        options=4,
        chance=0.25,
        reply_status="error" if outcome == "error" else "truncated" if outcome == "truncated" else "ok",
        reading_status="read" if read else "refused" if outcome == "refused" else "unread",
        rule="made up",
        letter="ABCD"[option] if read else None,
        option=option if read else None,
        gold=0,
        correct=outcome == "correct",
        outcome=outcome,
        input_tokens=tokens + translation,
        output_tokens=10,
        translation_tokens=translation,
        cost_usd=(tokens + translation + 10) * 1e-6 if priced else None,
        translation_usd=translation * 1e-6 if priced else None,
    )


def _item(code: str, index: int) -> Item:
    return Item(
        family=f"made_up:{index}",
        language=code,
        kind="mcqa",
        source="made_up",
        split="test",
        question="made up",
        options=("A", "B", "C", "D"),
        answer=(0,),
        provenance=Provenance(native_language="en", licence="CC0-1.0", text="native" if code == "en" else "machine"),
    )


@pytest.fixture(scope="session")
def make_run(tmp_path_factory: pytest.TempPathFactory) -> MakeRun:
    """Write the folder of a scored run of models that do not exist: the ones `named`, else `MODELS`."""

    def make(
        *,
        named: tuple[str, ...] = (),
        name: str = "made-up-run",
        codes: tuple[str, ...] = tuple(languages()),
        questions: int = QUESTIONS,
        source: str = "made_up",
        reason: str = "blocked: options",
        answers: tuple[str, ...] = ("generate",),
    ) -> Path:
        models = {model: MadeUp(high=0.6, low=0.5, unread=0.1, failed=("wo",)) for model in named} or MODELS
        run = tmp_path_factory.mktemp("runs") / name
        plan = msgspec.to_builtins(Plan()) | {"prompts": {f"mcqa/{code}": load("mcqa", code).hash for code in codes}}
        with writing_stage(asked_folder(run), "asked", configuration=plan, inputs={"data": "0" * 64}) as writer:
            writer.write(ITEMS, (_item(code, index) for code in codes for index in range(questions)), Item)
            for code in codes:
                dropped = {reason: 3} if code in ("yo", "zu") else {}
                read = questions + sum(dropped.values())
                writer.counts.append(
                    Count(source=source, language=code, split="test", read=read, kept=questions, dropped=dropped)
                )
        for number, model in enumerate(models):
            configuration = {"task": "mcqa", "model": model, "revision": "made-up"}
            with writing_stage(models_folder(run) / f"m{number}", "model", configuration=configuration) as writer:
                writer.write(ASKED, [], Asked)
        with writing_stage(scores_folder(run), "scores", inputs=score_inputs(run)) as writer:
            drawn = (made_up_scores(models, codes=codes, questions=questions, answer=answer) for answer in answers)
            writer.write(SCORES, chain.from_iterable(drawn), Score)
        return run

    return make


@pytest.fixture(scope="session")
def made_up_run(make_run: MakeRun) -> Path:
    """The made-up run of five models, two baselines and twelve languages."""
    return make_run()


@pytest.fixture(scope="session")
def translated_run(make_run: MakeRun) -> Path:
    """The same, asked directly and through English."""
    return make_run(name="translated", answers=("generate", "generate/translated"))


@pytest.fixture(scope="session")
def made_up_gains(made_up_run: Path) -> pa.Table:
    """What the made-up training gained."""
    scores = table(scores_folder(made_up_run))
    base, tuned = (scores.filter(pc.equal(scores["model"], f"made-up/{name}")) for name in ("base-1.7b", "tuned-1.7b"))
    return gains(base, tuned)


@pytest.fixture(scope="session")
def payloads() -> tuple[str, ...]:
    """What an ill-meant model name might hold."""
    return (
        "<script>globalThis.owned = 1</script>",
        '"><img src=x onerror="globalThis.owned = 1">',
        "</style></title></svg><svg onload=globalThis.owned=1>",
        "[read](javascript:globalThis.owned=1)",
        "javascript:globalThis.owned=1",
        "{{ 7 * 7 }}{% raw %}",
        "model\u202egpj.exe\u2066",
        '=HYPERLINK("http://127.0.0.1/x")',
        "a|b\n\n# heading\x00",
        "&lt;script&gt;<!--",
    )


@pytest.fixture(scope="session")
def hostile_run(make_run: MakeRun, payloads: tuple[str, ...]) -> Path:
    """A run in which every text that comes from models or data is a payload."""
    name = payloads[1].replace("/", "")
    return make_run(named=payloads, name=name, codes=("en", "wo"), questions=12, source=payloads[2], reason=payloads[0])
