"""What is shown while models are asked, where there is no terminal to draw a table on."""

from typing import Any

import msgspec
import pytest

from globmed.bench.estimate import Estimate
from globmed.cli import live
from globmed.cli.live import live_view
from globmed.models.client import Usage
from globmed.models.engine import CampaignStats

START = CampaignStats(
    from_journal=100,
    shared=0,
    asked=0,
    asked_again=0,
    errors_retried=0,
    replies={"ok": 100},
    setbacks={},
    usage=Usage(),
    cost_usd=None,
    place="api.example.org",
    under_way=8,
    concurrency=8,
    closed_seconds=0.0,
    stopping=False,
    seconds=0.0,
)
ESTIMATE = Estimate(
    model="m",
    place="api.example.org",
    requests=900,
    answered=100,
    input_tokens=9000,
    output_tokens=900,
    cost_usd=1.5,
    price=None,
    limits={"en": 100, "yo": 210},
    undecided=False,
)


def at(seconds: float, **fields: Any) -> CampaignStats:
    return msgspec.structs.replace(START, seconds=seconds, **fields)


def test_lines_say_how_far_how_fast_and_how_long(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("globmed.cli.output.LINE_SECONDS", 0.0)
    with live_view() as view:
        view.estimate([ESTIMATE])
        view.report("m", at(0.0))
        view.report("m", at(10.0, replies={"ok": 298, "error": 2}, cost_usd=0.25, setbacks={"HTTP 429": 3}))
        view.report("m", at(11.0, replies={"ok": 300, "error": 2}, stopping=True, closed_seconds=4.0))
        view.report("m", at(12.0, replies={"ok": 300, "error": 2}, stopping=True))
    shown = capsys.readouterr().err
    assert "yo 210" in shown
    assert "1.50" in shown
    lines = [line for line in shown.splitlines() if line.startswith("m: ")]
    # 200 replies in 10 seconds, those from the journal apart; 700 are left.
    for said in ("300 of 1,000", "20.0", "8 of 8", "US$ 0.25", "errors 2", "3 HTTP 429", "35 s"):
        assert said in lines[1]
    assert "paused 4 s" in lines[2]
    assert shown.count("Stopping") == 1


def test_nothing_to_ask_is_not_estimated_aloud(capsys: pytest.CaptureFixture[str]) -> None:
    with live_view() as view:
        view.estimate([msgspec.structs.replace(ESTIMATE, place="this process")])
        view.estimate([msgspec.structs.replace(ESTIMATE, requests=0)])
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(("seconds", "text"), [(5, "5 s"), (65, "1 min 05 s"), (3700, "1 h 01 min")])
def test_time_left_is_in_words(seconds: int, text: str) -> None:
    model = live._Model(expected=seconds)
    model.update(at(0.0, from_journal=0, replies={}))
    model.update(at(1.0, from_journal=0, replies={"ok": 1}))
    assert live._time_left(model, 0) == text
