"""Against endpoints that fail: each request is in the journal once, and the answers are those of a quiet day."""

import asyncio
import json
import os
import random
import shutil
import ssl
import subprocess
import sys
import time
from asyncio.subprocess import PIPE
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Self

import pytest
from aiohttp import web
from hypothesis import given, settings
from hypothesis import strategies as st

from globmed.core.errors import EnvironmentFailedError
from globmed.models.campaign import Campaign, CampaignStats, Patience, campaign, run_campaigns
from globmed.models.client import Message, Reply, Request, reply_key
from globmed.models.http_api import HttpModel, Timeouts
from globmed.models.journal import Journal, read_replies

# What an endpoint does with a request instead of answering it; it is given the honest answer.
Fault = Callable[[web.Request, bytes], Awaitable[web.StreamResponse]]
# Which fault, if any, befalls the nth try at a question.
Plan = Callable[[int, int], Fault | None]

CHILD = Path(__file__).with_name("campaign_process.py")
NUMBER = 24
CONCURRENCY = 8
QUICK = Timeouts(connect_seconds=5, reply_seconds=10)
PATIENT = Patience(retries=4, first_wait_seconds=0.004, longest_wait_seconds=1.5)


def says(status: int, body: bytes = b"", **headers: str) -> Fault:
    async def fault(_request: web.Request, _honest: bytes) -> web.StreamResponse:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return web.Response(status=status, body=body, headers=named)

    return fault


def sends(*parts: bytes, then_hang: bool = False) -> Fault:
    """Write raw bytes to the connection and close it, or never anything more."""

    async def fault(request: web.Request, honest: bytes) -> web.StreamResponse:
        assert request.transport is not None
        for part in parts:
            request.transport.write(part.replace(b"HALF", honest[: len(honest) // 2]))
            await asyncio.sleep(0.002)
        if then_hang:
            await asyncio.sleep(60)
        # By now the client may have had enough of it.
        if request.transport is not None:
            request.transport.close()
        return web.Response()

    return fault


async def reset(request: web.Request, _honest: bytes) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


async def trickle(request: web.Request, honest: bytes) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    for byte in honest:
        await response.write(bytes([byte]))
        await asyncio.sleep(0.05)
    return response


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
FAULTS: dict[str, Fault] = {
    "429": says(429),
    "429 with Retry-After": says(429, b'{"error": {"message": "slow down"}}', Retry_After="0.05"),
    "429 with Retry-After in milliseconds": says(429, Retry_After_Ms="30"),
    "429 with a limit used up": says(429, x_ratelimit_remaining_tokens="0", x_ratelimit_reset_tokens="40ms"),
    "429 with RetryInfo": says(429, b'[{"error": {"details": [{"retryDelay": "0.05s"}]}}]'),
    "500": says(500, b'{"error": {"message": "internal"}}'),
    "502 in HTML": says(502, b"<html>\n<title>Bad Gateway</title>"),
    "503 with Retry-After": says(503, Retry_After="0.05"),
    "529 with a long body": says(529, b"overloaded " * 2**16),
    "connection reset": reset,
    "connection closed": sends(),
    "half a head": sends(b"HTTP/1.1 200 OK\r\nContent-Le"),
    "half a body": sends(HEAD + b"Content-Length: 900\r\n\r\nHALF"),
    "half a body in chunks": sends(HEAD + b"Transfer-Encoding: chunked\r\n\r\n10\r\nHALF"),
    "not HTTP": sends(b"SSH-2.0-OpenSSH_9.9\r\n\r\n"),
    "a header without end": sends(HEAD + b"X-Long: " + b"a" * 2**17),
    "broken gzip": says(200, b"no gzip", Content_Encoding="gzip"),
    "invalid JSON": says(200, b'{"choices": [{"message": {"content": "A'),
    "HTML": says(200, b"<html>Please log in to the hotel's network</html>"),
    "empty body": says(200),
    "empty choices": says(200, b'{"choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": 0}}'),
    "no content": says(200, b'{"choices": [{"message": {"content": null}, "finish_reason": "stop"}]}'),
    "an error with status 200": says(200, b'{"error": {"message": "upstream", "code": 502}}'),
    "hanging before the head": sends(then_hang=True),
    "hanging within the body": sends(HEAD + b"Content-Length: 900\r\n\r\nHALF", then_hang=True),
    "trickling": trickle,
}
# Those that only a time limit ends, which on a busy machine may end an honest answer too.
SLOW = {"hanging before the head", "hanging within the body", "trickling"}
SHORT = Timeouts(connect_seconds=5, reply_seconds=0.5)


class Endpoint:
    """A server on 127.0.0.1 that has one answer to each question, and may be stopped and started again."""

    def __init__(self, plan: Plan | None = None, *, tls: ssl.SSLContext | None = None) -> None:
        self.plan, self.asked, self._tls = plan, Counter[int](), tls
        self._port, self._runner = 0, web.AppRunner(web.Application())

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self._port}/v1"

    async def start(self) -> None:
        app = web.Application()
        app.router.add_post("/v1/chat/completions", self._handle)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.01)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port, ssl_context=self._tls).start()
        self._port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        await self._runner.cleanup()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        number = int((await request.json())["messages"][0]["content"].split()[-1])
        fault = self.plan(number, self.asked[number]) if self.plan else None
        self.asked[number] += 1
        message = {"role": "assistant", "content": f"Answer: {'ABCD'[number % 4]}", "reasoning": f"{number} mod 4"}
        usage = {"prompt_tokens": 10 + number, "completion_tokens": 5}
        honest = json.dumps({"choices": [{"message": message, "finish_reason": "stop"}], "usage": usage}).encode()
        return await fault(request, honest) if fault else web.Response(body=honest)


def questions(number: int = NUMBER) -> list[Request]:
    return [Request(messages=(Message("user", f"question {index}"),)) for index in range(number)]


async def run(
    url: str,
    path: Path,
    *,
    number: int = NUMBER,
    patience: Patience = PATIENT,
    concurrency: int = CONCURRENCY,
    timeouts: Timeouts = QUICK,
) -> CampaignStats:
    """Run a campaign to its end; check that the journal holds each request once, and what was reported of it."""
    client, seen, told = HttpModel("m", url, timeouts=timeouts), list[CampaignStats](), dict[str, Reply]()
    requests = questions(number)
    try:
        with Journal.open(path) as journal:
            answers = campaign(
                requests, client, journal, concurrency=concurrency, patience=patience, on_progress=seen.append
            )
            async for answered in answers:
                assert answered.key not in told
                told[answered.key] = answered.reply
    finally:
        await client.close()
    saved = list(read_replies(path))
    assert len(saved) == number
    assert dict(saved) == told
    assert {key for key, _ in saved} == {reply_key(client, request) for request in requests}
    with Journal.open(path) as journal:
        assert not journal.opened.in_flight
    return seen[-1]


@pytest.fixture(scope="module")
def quiet(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Reply]:
    """What a campaign without faults leaves in its journal."""
    path = tmp_path_factory.mktemp("quiet") / "replies.jsonl"

    async def work() -> None:
        async with Endpoint() as endpoint:
            stats = await run(endpoint.url, path)
            assert (stats.replies, stats.setbacks) == ({"ok": NUMBER}, {})

    asyncio.run(work())
    return dict(read_replies(path))


@pytest.mark.parametrize("name", FAULTS)
async def test_after_faults_the_answers_are_those_of_a_quiet_day(
    tmp_path: Path, quiet: dict[str, Reply], name: str
) -> None:
    """Some questions fail once or twice, and the first one until the endpoint is mended."""
    path, often = tmp_path / "replies.jsonl", {0: 1000, 1: 1, 2: 2, 3: 1, 4: 2, 20: 1}
    async with Endpoint(lambda number, before: FAULTS[name] if before < often.get(number, 0) else None) as endpoint:
        stats = await run(endpoint.url, path, timeouts=SHORT if name in SLOW else QUICK)
        assert stats.replies == {"ok": NUMBER - 1, "error": 1}
        setbacks = sum(stats.setbacks.values())
        assert setbacks == 7 + endpoint.asked[0] or (name in SLOW and setbacks > 7 + endpoint.asked[0])
        # What may have been paid for is worth fewer tries.
        perhaps_paid = stats.setbacks.keys() & {"unreadable reply", "timeout"}
        assert endpoint.asked[0] == (3 if perhaps_paid else PATIENT.retries + 1)
        replies = dict(read_replies(path))
        (failed,) = (key for key, reply in replies.items() if reply.status == "error")
        assert replies[failed].finish.endswith(f"; tried {endpoint.asked[0]} times")
        assert {key: reply for key, reply in replies.items() if key != failed} == {
            key: reply for key, reply in quiet.items() if key != failed
        }
        endpoint.plan = None
        stats = await run(endpoint.url, path)
        assert (stats.asked, stats.errors_retried, stats.from_journal) == (1, 1, NUMBER - 1)
    assert dict(read_replies(path)) == quiet


quick_faults = st.lists(st.sampled_from(sorted(FAULTS.keys() - SLOW)) | st.none(), max_size=80)


def survive(tmp_path: Path, quiet: dict[str, Reply], storm: Sequence[str | None], concurrency: int) -> None:
    """Meet tries with faults as they come; ask again for what failed for good, until nothing has."""

    async def work() -> None:
        script = iter(storm)

        def plan(_number: int, _before: int) -> Fault | None:
            name = next(script, None)
            return FAULTS[name] if name else None

        async with Endpoint(plan) as endpoint:
            for _ in range(len(storm) + 10):
                stats = await run(endpoint.url, tmp_path / "replies.jsonl", concurrency=concurrency, timeouts=SHORT)
                if not stats.replies.get("error"):
                    break
        assert dict(read_replies(tmp_path / "replies.jsonl")) == quiet

    asyncio.run(work())


@settings(max_examples=8)
@given(quick_faults, st.integers(1, 12))
def test_a_storm_of_all_of_them(
    tmp_path_factory: pytest.TempPathFactory, quiet: dict[str, Reply], storm: list[str | None], concurrency: int
) -> None:
    survive(tmp_path_factory.mktemp("storm"), quiet, storm, concurrency)


@pytest.mark.slow
@pytest.mark.timeout(600)
@settings(max_examples=150)
@given(st.lists(st.sampled_from(sorted(FAULTS)) | st.none(), max_size=150), st.integers(1, 20))
def test_many_storms(
    tmp_path_factory: pytest.TempPathFactory, quiet: dict[str, Reply], storm: list[str | None], concurrency: int
) -> None:
    survive(tmp_path_factory.mktemp("storm"), quiet, storm, concurrency)


async def test_replies_out_of_order_go_to_their_requests(tmp_path: Path, quiet: dict[str, Reply]) -> None:
    chance = random.Random(0)

    async def late(_request: web.Request, honest: bytes) -> web.StreamResponse:
        await asyncio.sleep(chance.uniform(0, 0.1))
        return web.Response(body=honest)

    async with Endpoint(lambda *_: late) as endpoint:
        stats = await run(endpoint.url, tmp_path / "replies.jsonl", concurrency=NUMBER)
        assert stats.setbacks == {}
    assert dict(read_replies(tmp_path / "replies.jsonl")) == quiet
    assert list(dict(read_replies(tmp_path / "replies.jsonl"))) != list(quiet)


async def test_a_reply_of_10_mb_is_saved_whole(tmp_path: Path, quiet: dict[str, Reply]) -> None:
    text = "ñ" * 5_000_000

    async def long(_request: web.Request, honest: bytes) -> web.StreamResponse:
        value = json.loads(honest)
        value["choices"][0]["message"]["reasoning"] = text
        return web.json_response(value)

    async with Endpoint(lambda number, _: long if number == 3 else None) as endpoint:
        await run(endpoint.url, tmp_path / "replies.jsonl")
    replies = dict(read_replies(tmp_path / "replies.jsonl"))
    assert {key: reply.text for key, reply in replies.items()} == {key: reply.text for key, reply in quiet.items()}
    assert sorted(len(reply.reasoning) for reply in replies.values())[-2:] == [8, len(text)]


async def test_an_endpoint_that_bears_less_than_is_asked_of_it(tmp_path: Path) -> None:
    """It refuses whatever is more than five at once; that settles near five rather than in a storm of refusals."""
    now = 0

    async def bear(_request: web.Request, honest: bytes) -> web.StreamResponse:
        nonlocal now
        if now >= 5:
            return web.Response(status=429)
        now += 1
        await asyncio.sleep(0.005)
        now -= 1
        return web.Response(body=honest)

    async with Endpoint(lambda *_: bear) as endpoint:
        patience = Patience(retries=8, first_wait_seconds=0.01, longest_wait_seconds=1)
        stats = await run(endpoint.url, tmp_path / "r.jsonl", number=400, patience=patience, concurrency=64)
    assert stats.replies == {"ok": 400}
    assert stats.setbacks["HTTP 429"] < 120


async def test_an_endpoint_that_dies_for_a_minute(tmp_path: Path) -> None:
    """At a fiftieth of the time, with a fiftieth of the patience that a campaign has by default."""
    usual, path = Patience(), tmp_path / "replies.jsonl"
    patience = Patience(
        retries=usual.retries,
        first_wait_seconds=usual.first_wait_seconds / 50,
        longest_wait_seconds=usual.longest_wait_seconds / 50,
    )

    under_way = asyncio.Event()

    async def late(_request: web.Request, honest: bytes) -> web.StreamResponse:
        if endpoint.asked.total() >= 60:
            under_way.set()
        await asyncio.sleep(0.02)
        return web.Response(body=honest)

    async with Endpoint(lambda *_: late) as endpoint:
        running = asyncio.create_task(run(endpoint.url, path, number=200, patience=patience))
        await under_way.wait()
        await endpoint.stop()
        before = endpoint.asked.total()
        await asyncio.sleep(60 / 50)
        assert endpoint.asked.total() == before
        await endpoint.start()
        stats = await running
    assert stats.replies == {"ok": 200}
    assert stats.setbacks["no connection"] > 0
    assert {reply.text for _, reply in read_replies(path)} == {f"Answer: {letter}" for letter in "ABCD"}


async def test_an_endpoint_that_is_not_there(tmp_path: Path, unused_tcp_port: int, quiet: dict[str, Reply]) -> None:
    """Nothing is said of the requests, and the same command goes on once it is."""
    path = tmp_path / "replies.jsonl"
    with pytest.raises(EnvironmentFailedError, match=r"m at 127.0.0.1:\d+ answers nobody: .*; 0 replies are in"):
        await run(f"http://127.0.0.1:{unused_tcp_port}/v1", path)
    assert list(read_replies(path)) == []
    async with Endpoint() as endpoint:
        assert 0 < (await run(endpoint.url, path)).asked_again <= CONCURRENCY
    assert dict(read_replies(path)) == quiet


async def test_a_clock_that_jumps(tmp_path: Path, quiet: dict[str, Reply], monkeypatch: pytest.MonkeyPatch) -> None:
    """Ours, by hours and by years, while the endpoint's own tells until when it wants to be left alone."""
    real, chance = time.time, random.Random(0)
    monkeypatch.setattr(time, "time", lambda: max(real() + chance.choice([-9e8, -7200, 0, 10_800, 9e8]), 0))
    date = says(503, Date="Thu, 21 Aug 2025 12:40:00 GMT", Retry_After="Thu, 21 Aug 2025 12:40:01 GMT")
    timeless = says(429, Date="", Retry_After="Thu, 21 Aug 2025 12:40:00 GMT")
    faults = {1: date, 2: timeless, 9: timeless}
    async with Endpoint(lambda number, before: None if before else faults.get(number)) as endpoint:
        began = time.monotonic()
        stats = await run(endpoint.url, tmp_path / "replies.jsonl")
        assert 1 <= time.monotonic() - began < 5
        assert stats.setbacks == {"HTTP 503": 1, "HTTP 429": 2}
    assert dict(read_replies(tmp_path / "replies.jsonl")) == quiet


async def test_faults_at_one_endpoint_are_none_at_another(tmp_path: Path, quiet: dict[str, Reply]) -> None:
    """Two models in one run, one of them at an endpoint that fails for good."""
    async with Endpoint(lambda *_: FAULTS["500"]) as failing, Endpoint() as fine:
        with Journal.open(tmp_path / "failing") as first, Journal.open(tmp_path / "fine") as second:
            told = [
                Campaign(requests=questions(), client=HttpModel("m", endpoint.url, timeouts=QUICK), journal=journal)
                for endpoint, journal in ((failing, first), (fine, second))
            ]
            stats = await asyncio.to_thread(run_campaigns, told, concurrency=CONCURRENCY, patience=PATIENT)
    assert [one.replies for one in stats] == [{"error": NUMBER}, {"ok": NUMBER}]
    assert dict(read_replies(tmp_path / "fine")) == quiet
    assert {key: reply.status for key, reply in read_replies(tmp_path / "failing")} == dict.fromkeys(quiet, "error")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate of 127.0.0.1, signed by itself, and its key; made with the `openssl` command."""
    command = shutil.which("openssl") or pytest.skip("no openssl command")
    folder = tmp_path_factory.mktemp("tls")
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    asked = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 -subj /CN=127.0.0.1"
    arguments = [*asked.split(), "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out"]
    subprocess.run([command, *arguments, str(certificate)], check=True, capture_output=True, timeout=60)
    return certificate, key


async def test_a_certificate_error(certificate: tuple[Path, Path], tmp_path: Path, quiet: dict[str, Reply]) -> None:
    """Each request is an error and is not tried again; none is where the certificate is trusted."""
    trusted = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    trusted.load_cert_chain(*certificate)
    path = tmp_path / "replies.jsonl"

    async def ask(url: str, **environment: str) -> dict[str, Reply]:
        command = [str(CHILD), url, str(path), str(NUMBER), str(CONCURRENCY)]
        child = await asyncio.create_subprocess_exec(
            sys.executable, *command, env=os.environ | environment, stderr=PIPE
        )
        _, err = await child.communicate()
        assert (child.returncode, err) == (0, b"")
        return dict(read_replies(path))

    async with Endpoint(tls=trusted) as endpoint:
        replies = await ask(endpoint.url)
        assert replies.keys() == quiet.keys()
        for reply in replies.values():
            assert reply.status == "error"
            assert reply.finish.startswith("its certificate is not trusted: [SSL: CERTIFICATE_VERIFY_FAILED]")
        assert not endpoint.asked
        # Python's own way to trust an authority; read when the process starts.
        assert await ask(endpoint.url, SSL_CERT_FILE=str(certificate[0])) == quiet
