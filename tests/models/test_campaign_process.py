"""A campaign in a real process that is killed, interrupted or runs out of disk, against a server that counts."""

import asyncio
import json
import random
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from globmed.models.client import Request, reply_key
from globmed.models.engine import _UNSAVED_MAX
from globmed.models.http_api import HttpModel
from globmed.models.journal import read_replies

CHILD = Path(__file__).with_name("campaign_process.py")
CONCURRENCY = 8
# What may have been sent, and not be in the journal, when the end comes at once.
LOST_MAX = CONCURRENCY + _UNSAVED_MAX
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Ask = Callable[..., Request]


class Server:
    """Counts how often each question was asked, and answers after a moment."""

    def __init__(self, completion: Callable[..., dict[str, Any]], seed: int) -> None:
        self.asked: Counter[str] = Counter()
        self.first = asyncio.Event()
        self._completion, self._random = completion, random.Random(seed)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        content = (await request.json())["messages"][0]["content"]
        self.asked[content] += 1
        self.first.set()
        await asyncio.sleep(self._random.uniform(0, 0.02))
        return web.json_response(self._completion(content))


async def start(url: str, path: Path, number: int, *limits: int) -> Process:
    arguments = [str(CHILD), url, str(path), str(number), str(CONCURRENCY), *map(str, limits)]
    return await asyncio.create_subprocess_exec(sys.executable, *arguments, stdout=PIPE, stderr=PIPE)


async def output(child: Process) -> tuple[list[dict[str, int]], str]:
    out, err = await child.communicate()
    return [json.loads(line) for line in out.splitlines()], err.decode()


async def kill_at_random(
    serve: Callable[[Handler], Awaitable[str]],
    completion: Callable[..., dict[str, Any]],
    ask: Ask,
    path: Path,
    kills: int,
    number: int,
) -> None:
    server, chance = Server(completion, seed=kills), random.Random(kills)
    url = await serve(server.handle)
    client = HttpModel("m", url)
    questions = {reply_key(client, ask(index)): f"question {index}" for index in range(number)}
    before, finished, asked_again = Counter[str](), set[str](), 0
    for kill in range(kills + 1):
        server.first.clear()
        child = await start(url, path, number)
        if kill < kills:
            # Now and then the end comes before anything was asked.
            await asyncio.wait({asyncio.create_task(server.first.wait()), asyncio.create_task(child.wait())},
                               return_when=asyncio.FIRST_COMPLETED)  # fmt: skip
            await asyncio.sleep(chance.uniform(0, 0.15))
            if child.returncode is None:
                child.kill()
        said, err = await output(child)
        assert not err
        again = {text for text, count in server.asked.items() if before[text] and count > before[text]}
        assert not again & finished, "asked again although it is in the journal"
        assert said[0]["finished"] == len(finished)
        # Every request that a server may have seen without our having the reply is said to be under way.
        assert sum(text not in finished for text in before) <= said[0]["in_flight"] <= (kill + 1) * LOST_MAX
        assert len(again) <= said[0]["in_flight"]
        asked_again += len(again)
        before = Counter(server.asked)
        finished = {questions[key] for key, _ in read_replies(path)}
    assert asked_again > 0, "no kill came while a request was under way"
    assert len(said) == 2
    assert said[1]["asked"] + said[1]["from_journal"] == number
    replies = dict(read_replies(path))
    assert {questions[key]: reply.text for key, reply in replies.items()} == {text: text for text in questions.values()}


async def test_killed_at_random_moments(
    serve: Callable[[Handler], Awaitable[str]], completion: Callable[..., dict[str, Any]], ask: Ask, tmp_path: Path
) -> None:
    await kill_at_random(serve, completion, ask, tmp_path / "replies.jsonl", kills=3, number=200)


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_killed_at_fifty_random_moments(
    serve: Callable[[Handler], Awaitable[str]], completion: Callable[..., dict[str, Any]], ask: Ask, tmp_path: Path
) -> None:
    await kill_at_random(serve, completion, ask, tmp_path / "replies.jsonl", kills=50, number=3000)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_an_interrupted_process_exits_130_and_leaves_nothing_under_way(
    serve: Callable[[Handler], Awaitable[str]],
    completion: Callable[..., dict[str, Any]],
    tmp_path: Path,
    number: signal.Signals,
) -> None:
    server, path = Server(completion, seed=0), tmp_path / "replies.jsonl"
    url = await serve(server.handle)
    child = await start(url, path, 100_000)
    await server.first.wait()
    child.send_signal(number)
    _, err = await output(child)
    assert child.returncode == 130
    assert "stopped by a signal" in err
    assert "Traceback" not in err
    done = len(list(read_replies(path)))
    assert done == len(server.asked)
    child = await start(url, path, done)
    said, _ = await output(child)
    assert said[0] == {"finished": done, "in_flight": 0}
    assert said[1] == {"asked": 0, "asked_again": 0, "from_journal": done}


async def test_a_full_disk_exits_3_and_can_be_gone_on_from(
    serve: Callable[[Handler], Awaitable[str]], completion: Callable[..., dict[str, Any]], tmp_path: Path
) -> None:
    server, path = Server(completion, seed=0), tmp_path / "replies.jsonl"
    url = await serve(server.handle)
    child = await start(url, path, 200, 20_000)
    _, err = await output(child)
    assert child.returncode == 3
    assert f"{path}: File too large" in err
    assert "Traceback" not in err
    done, asked = len(list(read_replies(path))), Counter(server.asked)
    assert 0 < done <= len(asked) <= done + LOST_MAX
    child = await start(url, path, 200)
    said, err = await output(child)
    assert child.returncode == 0, err
    assert said[1]["from_journal"] == done
    assert len(list(read_replies(path))) == 200
    assert sum(count > 1 for count in server.asked.values()) == said[1]["asked_again"] <= said[0]["in_flight"]


async def test_a_second_process_on_one_journal_exits_3(
    serve: Callable[[Handler], Awaitable[str]], completion: Callable[..., dict[str, Any]], tmp_path: Path
) -> None:
    server, path = Server(completion, seed=0), tmp_path / "replies.jsonl"
    url = await serve(server.handle)
    first = await start(url, path, 100_000)
    await server.first.wait()
    second = await start(url, path, 10)
    said, err = await output(second)
    assert (second.returncode, said) == (3, [])
    assert f"{path}: another process is writing to this journal" in err
    first.send_signal(signal.SIGINT)
    await output(first)
    assert first.returncode == 130
