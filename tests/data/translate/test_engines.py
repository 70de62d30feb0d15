"""Translation engines, which take plain texts: field by field, with checks and a way back, and nothing else."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from globmed.core.dataset import read_items
from globmed.core.errors import UsageError
from globmed.core.item import Finding, Item
from globmed.data.translate.plan import Share
from globmed.data.translate.translating import estimate_translation, translate_dataset
from globmed.data.translate.work import Job
from globmed.models.client import Client, Reply, Request
from globmed.models.opening import open_client
from globmed.models.pace import THIS_PROCESS


class Engine:
    """Puts a mark before each line, or takes it away; satisfies `Client`."""

    revision = "1"
    on_this_machine = True
    pace = THIS_PROCESS
    batch_size = 8

    def __init__(self, source: str, target: str) -> None:
        self.model, self.target = f"engine:{source}-{target}", target
        self.texts: list[str] = []

    def sent(self, request: Request) -> Mapping[str, Any]:
        return {"text": request.messages[0].content}

    async def answer(self, batch: Sequence[Request]) -> Sequence[Reply]:
        return [self._reply(request.messages[0].content) for request in batch]

    async def close(self) -> None:
        pass

    def _reply(self, text: str) -> Reply:
        self.texts.append(text)
        if "drug 3" in text:
            return Reply(status="error", finish="too long")
        if "drug 4" in text:
            return Reply(status="ok", text=" ")
        return Reply(status="ok", text=f">{text}" if self.target == "es" else text.removeprefix(">"))


@pytest.fixture
def engines() -> dict[tuple[str, str], Engine]:
    return {}


@pytest.fixture
def engine_job(job: Callable[..., Job], engines: dict[tuple[str, str], Engine]) -> Callable[..., Job]:
    """Make a job whose models named `engine` are translation engines."""

    def open_engine(spec: str, *, source: str, target: str) -> tuple[Client, bool]:
        if spec != "engine":
            return open_client(spec), False
        return engines.setdefault((source, target), Engine(source, target)), True

    def make(folder: Path, **fields: Any) -> Job:
        made = job(folder, **({"translators": (Share("engine", 1.0),)} | fields))
        return Job(folder=folder, plan=made.plan, out=made.out, check=made.check, open_model=open_engine)

    return make


def test_each_text_goes_alone_and_once(
    engine_job: Callable[..., Job],
    engines: dict[tuple[str, str], Engine],
    item: Callable[..., Item],
    stage: Callable[[Sequence[Item]], Path],
) -> None:
    whole = engine_job(stage([item(1), item(2, question="First line?\nSecond line 2?")]), back="engine")
    counts = {(one.step, one.model): one.requests for one in estimate_translation(whole)}
    assert counts == {("candidate", "engine:en-es"): 5, ("back", "engine:es-en"): 5}
    translate_dataset(whole)
    made = list(read_items(whole.out / "translate", languages=["es"]))
    assert made[0].options == (">dose 1", ">None of the above", "120/80")
    assert made[1].question == ">First line?\nSecond line 2?"
    assert sorted(engines["en", "es"].texts) == sorted({*engines["en", "es"].texts})
    assert len(engines["es", "en"].texts) == 5
    assert [one.provenance.findings for one in made] == [(), ()]
    terms = made[0].provenance
    assert (terms.model, terms.prompt_hash) == ("engine:en-es", "")
    assert {step.cost_usd for step in terms.steps} == {0.0}
    assert [step.name for step in terms.steps] == ["given", *["candidate"] * 3, *["back"] * 3, "agreement"]
    assert terms.steps[-1].summary == "chrF 100.0 of 100"


def test_what_an_engine_gets_wrong_is_dropped_and_not_repaired(
    engine_job: Callable[..., Job],
    engines: dict[tuple[str, str], Engine],
    item: Callable[..., Item],
    stage: Callable[[Sequence[Item]], Path],
) -> None:
    def never(_source: Item, _target: Item) -> list[Finding]:
        return [Finding(check="never", severity="block", field="question", message="no")]

    whole = engine_job(stage([item(1), item(3), item(4)]), check=never)
    manifest = translate_dataset(whole)
    (count,) = (count for count in manifest.counts if count.language == "es")
    assert count.dropped == {"blocked by never": 1, "no answer": 1, "unreadable reply": 1}
    # It would give the same again.
    assert sum("drug 4" in text for text in engines["en", "es"].texts) == 1


def test_an_engine_is_no_critic(
    engine_job: Callable[..., Job], server: Any, item: Callable[..., Item], stage: Callable[[Sequence[Item]], Path]
) -> None:
    with pytest.raises(UsageError, match="engine translates and judges nothing"):
        translate_dataset(engine_job(stage([item(1)]), translators=(Share(server.spec("one"), 1.0),), critic="engine"))
