"""The HTTP client and the engine against a real server of real weights: `transformers serve`, on this machine."""

import asyncio
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from globmed.models.campaign import Answered, run_campaign
from globmed.models.client import Reply, Request, Settings
from globmed.models.journal import Journal
from globmed.models.opening import open_client

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def base_url(trained_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A running server of the model."""
    command = shutil.which("transformers", path=str(Path(sys.executable).parent)) or pytest.skip(
        "no transformers command"
    )
    cache = tmp_path_factory.mktemp("cache")
    # The server lists its cache when it starts and fails where there is none.
    (cache / "hub").mkdir()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = cache / "server.log"
    environment = os.environ | {"HF_HUB_OFFLINE": "1", "HF_HOME": str(cache), "CUDA_VISIBLE_DEVICES": ""}
    arguments = ["serve", str(trained_model), "--host", "127.0.0.1", "--port", str(port), "--device", "cpu"]
    with log.open("wb") as file:
        server = subprocess.Popen([command, *arguments], env=environment, stdout=file, stderr=subprocess.STDOUT)
    try:
        deadline = time.monotonic() + 120
        while True:
            assert server.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=1):
                    break
            except OSError:
                time.sleep(0.3)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        server.terminate()
        server.wait(timeout=30)


def test_a_campaign_against_a_real_server(
    base_url: str, trained_model: Path, tmp_path: Path, ask: Callable[..., Request]
) -> None:
    spec = f"api:{trained_model}@{base_url}"
    requests = [ask(number, settings=Settings(max_tokens=1 + number % 8)) for number in range(20)]
    answers: list[Answered] = []
    with Journal.open(tmp_path / "replies.jsonl") as journal:
        stats = run_campaign(requests, open_client(spec), journal, concurrency=4, on_answer=answers.append)
    assert (stats.asked, len(answers)) == (20, 20)
    assert not stats.replies.get("error"), [each.reply.finish for each in answers]
    for answered in answers:
        usage, allowed = answered.reply.usage, answered.request.settings.max_tokens
        assert usage.input > 5
        assert 1 <= usage.output <= allowed
        # A model trained on a few hundred sentences hardly ever stops by itself.
        assert answered.reply.status == ("truncated" if usage.output == allowed else "ok")
    assert any(each.reply.text for each in answers)
    with Journal.open(tmp_path / "replies.jsonl") as journal:
        again = run_campaign(requests, open_client(spec), journal, concurrency=4)
    assert (again.asked, again.from_journal, again.replies) == (0, 20, stats.replies)


def test_a_model_that_it_does_not_serve_is_an_error_reply(base_url: str, ask: Callable[..., Request]) -> None:
    async def run() -> None:
        client = open_client(f"api:another/model@{base_url}")
        # It has answered before, so this is about the request; else the campaign would stop.
        client.pace.answered = True
        (reply,) = await client.answer([ask()])
        await client.close()
        assert isinstance(reply, Reply)
        assert reply.status == "error"
        assert reply.finish.startswith("HTTP 4")
        assert "another/model" in reply.finish

    asyncio.run(run())
