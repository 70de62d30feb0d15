"""Items to translate, and a team of models on 127.0.0.1 that does what a test tells it."""

import json
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from globmed.core.item import Finding, Item, Provenance
from globmed.core.store import Count, writing_stage
from globmed.data.translate.opening import open_by_name
from globmed.data.translate.plan import Plan, Share
from globmed.data.translate.work import Job

MARKS = {
    "candidate": "Translate parts of the item below",
    "repair": "was checked by a program",
    "critique": "You review medical translations",
    "refine": "A reviewer has read",
    "back": "as literally as the grammar allows",
}
GOOD = {"accuracy": 5, "fluency": 5, "completeness": 5, "comments": []}

Answer = Callable[["Asked"], Any]


class Asked:
    """One request as the server got it."""

    def __init__(self, body: dict[str, Any]) -> None:
        self.body = body
        self.model: str = body["model"]
        self.content: str = body["messages"][0]["content"]
        self.step = next(step for step, mark in MARKS.items() if mark in self.content)
        self.again = "could not be used" in self.content
        self.item = self._json("The item, as JSON:\n") or self._json("The original, as JSON:\n")
        self.translation = self._json("The translation, as JSON:\n") or {}
        keys = re.search(r"as a string:\n(\[.*?\n\])", self.content, re.DOTALL)
        self.keys: list[str] = json.loads(keys[1]) if keys else []

    def _json(self, head: str) -> Any:
        _, found, rest = self.content.partition(head)
        return json.JSONDecoder().raw_decode(rest)[0] if found else None


def well(asked: Asked) -> Any:
    """Answer as a good model would: `Q` becomes `>Q`, and back."""
    if asked.step == "critique":
        return GOOD
    if asked.step == "back":
        return {name: asked.item[name].removeprefix(">") for name in asked.keys}
    return {name: f">{asked.item[name]}" for name in asked.keys}


@dataclass
class Served:
    """What a team of models was asked; `answer` gives a string, an object, a status, or a whole choice.

    Attributes:
        chat: the endpoint.
        asked: of it, in order.
        answer: to each.
        well: as a good model would.
    """

    chat: Any = None
    asked: list[Asked] = field(default_factory=list)
    answer: Answer = well
    well: Answer = well

    @property
    def url(self) -> str:
        return str(self.chat.url)

    def spec(self, model: str) -> str:
        return f"api:{model}@{self.url}"

    def steps(self) -> Counter[tuple[str, str]]:
        """How often each model was asked in each step."""
        return Counter((one.model, one.step) for one in self.asked)

    def reply(self, body: dict[str, Any]) -> dict[str, Any] | int:
        asked = Asked(body)
        self.asked.append(asked)
        reply = self.answer(asked)
        if isinstance(reply, int):
            return reply
        text = reply if isinstance(reply, str) else json.dumps(reply.get("object", reply), ensure_ascii=False)
        finish = "length" if isinstance(reply, dict) and reply.get("cut") else "stop"
        choice = {"message": {"role": "assistant", "content": text}, "finish_reason": finish}
        usage = {"prompt_tokens": len(asked.content) // 4, "completion_tokens": max(len(text) // 4, 1)}
        return {"choices": [choice], "usage": usage, "model": asked.model}


@pytest.fixture
def server(serve_chat: Callable[..., Any]) -> Served:
    served = Served()
    served.chat = serve_chat(served.reply)
    return served


def numbers_kept(source: Item, target: Item) -> list[Finding]:
    """Block a lost number, and ask for a look at a doubled question mark."""
    found = []
    for name, one, other in zip(
        ("question", "context"), (source.question, source.context), (target.question, target.context), strict=True
    ):
        if sorted(re.findall(r"\d+", one)) != sorted(re.findall(r"\d+", other)):
            found.append(Finding(check="numbers", severity="block", field=name, message="a number is lost"))
        if "??" in other:
            found.append(Finding(check="marks", severity="review", field=name, message="two question marks"))
    return found


def make_item(number: int, **fields: Any) -> Item:
    terms = {"native_language": "en", "licence": "MIT", "place": f"made:{number}"} | fields.pop("terms", {})
    given = {
        "family": f"made:{number}",
        "language": "en",
        "kind": "mcqa",
        "source": "made",
        "split": "test",
        "question": f"Which dose of drug {number}?",
        "options": (f"dose {number}", "None of the above", "120/80"),
        "answer": (0,),
    }
    return Item(**(given | fields), provenance=Provenance(**terms))


def write_stage(folder: Path, items: Sequence[Item]) -> Path:
    with writing_stage(folder, "corpus") as writer:
        for source, language in sorted({(item.source, item.language) for item in items}):
            chosen = [item for item in items if (item.source, item.language) == (source, language)]
            writer.write(f"{source}.{language}.parquet", chosen, Item)
            writer.counts.append(
                Count(source=source, language=language, split="test", read=len(chosen), kept=len(chosen))
            )
    return folder


@pytest.fixture
def item() -> Callable[..., Item]:
    """Make the item of a number; fields, and `terms` of its provenance, as named."""
    return make_item


@pytest.fixture
def stage(tmp_path: Path) -> Callable[[Sequence[Item]], Path]:
    return lambda items: write_stage(tmp_path / "corpus", items)


@pytest.fixture
def job(server: Served, tmp_path: Path) -> Callable[..., Job]:
    """Make the job of translating a stage into Spanish by `one`, with other fields of `Plan` and `Job` as named."""

    def make(folder: Path, **fields: Any) -> Job:
        kept: dict[str, Any] = {"out": tmp_path / "data", "check": numbers_kept}
        kept |= {name: fields.pop(name) for name in ("out", "check", "glossaries", "memory") if name in fields}
        plan = {"translators": (Share(server.spec("one"), 1.0),), "languages": ("es",)} | fields
        return Job(folder=folder, plan=Plan(**plan), open_model=open_by_name, **kept)

    return make
