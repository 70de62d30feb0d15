"""`globmed data translate`: what it takes, what it says, and how it ends."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from globmed.cli.translating import translate_command
from globmed.core.errors import LimitReachedError, UsageError
from globmed.core.item import Item, Provenance
from globmed.core.store import writing_stage

app = typer.Typer()
app.command()(translate_command)

SPANISH = {
    "Which of these is the usual adult dose?": "¿Cuál de estas es la dosis habitual en adultos?",
    "500 mg by mouth": "500 mg por vía oral",
    "5 g by mouth": "5 g por vía oral",
    "No dose is right": "Ninguna dosis es correcta",
}


@dataclass
class Served:
    """A chat endpoint that knows four sentences, and counts."""

    url: str = ""
    asked: int = 0

    def answer(self, body: dict[str, Any]) -> str:
        self.asked += 1
        content = body["messages"][0]["content"]
        item = json.JSONDecoder().raw_decode(content.partition("The item, as JSON:\n")[2])[0]
        return json.dumps({name: SPANISH[text] for name, text in item.items()})


@pytest.fixture
def server(serve_chat: Callable[..., Any]) -> Served:
    served = Served()
    served.url = serve_chat(served.answer).url
    return served


@pytest.fixture
def stage(tmp_path: Path) -> Path:
    question, *options = SPANISH
    item = Item(
        family="made:1", language="en", kind="mcqa", source="made", split="test", question=question,
        options=tuple(options), answer=(0,), provenance=Provenance(native_language="en", licence="MIT"),
    )  # fmt: skip
    with writing_stage(tmp_path / "corpus", "corpus") as writer:
        writer.write("made.en.parquet", [item], Item)
    return tmp_path / "corpus"


def call(*arguments: str | Path) -> str:
    result = CliRunner().invoke(app, [str(one) for one in arguments])
    if result.exception is not None:
        raise result.exception
    return result.stdout


def arguments(stage: Path, server: Served, *more: str) -> Sequence[str | Path]:
    return [stage, "--out", stage.parent, "--to", "es", "--translator", f"api:one@{server.url}", *more]


def test_items_are_translated_and_the_outcome_is_a_table(server: Served, stage: Path) -> None:
    shown = call(*arguments(stage, server))
    assert "Translations" in shown
    assert "accepted" in shown
    assert str(stage.parent / "translate") in shown
    found = json.loads(call(*arguments(stage, server, "--json")))
    assert found["outcomes"] == [{"language": "es", "translator": "one", "accepted": 1, "review": 0, "dropped": {}}]
    assert found["costs"] == [{"step": "candidate", "model": "one", "texts or replies": 1, "US$": None}]
    assert server.asked == 1, "the second command found it done"


def test_a_dry_run_says_what_it_takes_and_sends_nothing(server: Served, stage: Path) -> None:
    shown = call(*arguments(stage, server, "--critic", f"api:two@{server.url}", "--dry-run"))
    assert "Nothing was sent" in shown
    assert "price is not known" in shown
    found = json.loads(call(*arguments(stage, server, "--dry-run", "--json")))
    assert [(row["step"], row["requests"]) for row in found["steps"]] == [("candidate", 1), ("repair", 1)]
    assert found["cost_usd"] is None
    assert server.asked == 0
    assert not (stage.parent / "translate").exists()


def test_limits_reach_the_engine(server: Served, stage: Path) -> None:
    with pytest.raises(LimitReachedError, match="limit of 0 requests"):
        call(*arguments(stage, server, "--max-requests", "0"))
    with pytest.raises(UsageError, match="no price is known of one"):
        call(*arguments(stage, server, "--max-cost", "1"))
    assert server.asked == 0
    with pytest.raises(LimitReachedError, match="0 s are over"):
        call(*arguments(stage, server, "--max-seconds", "0"))


def test_wrong_use_exits_with_2(server: Served, stage: Path) -> None:
    for more in (["--to", "xx"], ["--translator", "b=0.5"], ["--critic", f"api:one@{server.url}"]):
        with pytest.raises(UsageError) as raised:
            call(*arguments(stage, server, *more))
        assert raised.value.exit_code == 2


def test_a_dry_run_needs_no_key_and_knows_prices(stage: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    command: list[str | Path] = [stage, "--out", stage.parent, "--to", "es", "--to", "yo", "--translator", "gpt-4o"]
    found = json.loads(call(*command, "--dry-run", "--json"))
    assert 0 < found["cost_usd"]["expected"] < found["cost_usd"]["at_most"]
    assert "US$" in call(*command, "--dry-run")
    with pytest.raises(UsageError, match="OPENAI_API_KEY"):
        call(*command)
