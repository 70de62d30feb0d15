"""One try at a request, against servers that do what servers do."""

import asyncio
import datetime as dt
import json
import logging
import socket
import time
from collections.abc import Awaitable, Callable, Sequence
from email.utils import format_datetime
from pathlib import Path
from typing import Any, Literal

import pytest
from aiohttp import web

from globmed.core.errors import UsageError
from globmed.models.client import Reply, Request, Setback, Settings
from globmed.models.http_api import REPLY_BYTES_MAX, Dialect, HttpModel, ParameterNames, Timeouts
from globmed.models.pace import Caps

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Serve = Callable[[Handler], Awaitable[str]]
Ask = Callable[..., Request]
Completion = Callable[..., dict[str, Any]]
QUICK = Timeouts(connect_seconds=2, reply_seconds=5)
KEY = "sk-live-0123456789abcdef"


async def try_once(
    base_url: str, request: Request, *, timeouts: Timeouts = QUICK, api_key: str | None = None
) -> Reply | Setback:
    model = HttpModel("some-model", base_url, timeouts=timeouts, api_key=api_key)
    try:
        (outcome,) = await model.answer([request])
        return outcome
    finally:
        await model.close()


async def reply_of(base_url: str, request: Request, *, api_key: str | None = None) -> Reply:
    outcome = await try_once(base_url, request, api_key=api_key)
    assert isinstance(outcome, Reply), outcome
    return outcome


async def setback_of(base_url: str, request: Request, *, timeouts: Timeouts = QUICK) -> Setback:
    outcome = await try_once(base_url, request, timeouts=timeouts)
    assert isinstance(outcome, Setback), outcome
    return outcome


def script(steps: Sequence[Handler]) -> tuple[Handler, list[float]]:
    """Answer the first call by the first step and so on; the last step answers the rest. Also gives the times."""
    times: list[float] = []

    async def handle(request: web.Request) -> web.StreamResponse:
        times.append(time.monotonic())
        return await steps[min(len(times), len(steps)) - 1](request)

    return handle, times


def status(code: int, text: str = "", **headers: str) -> Handler:
    async def handle(request: web.Request) -> web.StreamResponse:  # noqa: ARG001 - as aiohttp calls it
        return web.Response(status=code, text=text, headers={k.replace("_", "-"): v for k, v in headers.items()})

    return handle


@pytest.fixture
def fine(completion: Completion) -> Handler:
    """Answer as OpenAI does."""

    async def handle(request: web.Request) -> web.StreamResponse:  # noqa: ARG001 - as aiohttp calls it
        return web.json_response(completion("B"))

    return handle


async def reset(request: web.Request) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


async def half_sent(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Length": "1000"})
    await response.prepare(request)
    await response.write(b'{"choices": [{"mess')
    assert request.transport is not None
    request.transport.close()
    return response


async def hang(request: web.Request) -> web.StreamResponse:  # noqa: ARG001 - as aiohttp calls it
    await asyncio.sleep(60)
    return web.Response()


async def broken_gzip(request: web.Request) -> web.StreamResponse:  # noqa: ARG001 - as aiohttp calls it
    return web.Response(body=b"not gzip at all", headers={"Content-Encoding": "gzip"})


async def not_http(request: web.Request) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.write(b"SSH-2.0-OpenSSH_9.9\r\n\r\n")
    await asyncio.sleep(0.05)
    request.transport.close()
    return web.Response()


async def test_the_endpoint_gets_what_sent_says(serve: Serve, ask: Ask, completion: Completion) -> None:
    got: list[tuple[Any, str | None, str]] = []

    async def handle(request: web.Request) -> web.StreamResponse:
        got.append((await request.json(), request.headers.get("Authorization"), request.query_string))
        return web.json_response(completion())

    url = await serve(handle)
    names = ParameterNames(max_tokens="max_completion_tokens", top_p="", seed="random_seed")
    model = HttpModel(
        "some-model",
        url + "/?api-version=1",
        api_key=f" {KEY}\n",
        dialect=Dialect(names=names),
        asked_as="org/some-model",
        extra={"reasoning_effort": "low"},
    )
    request = ask(3, settings=Settings(max_tokens=9, temperature=0.5, top_p=0.9, seed=4), options=("a",), label="l")
    (reply,) = await model.answer([request])
    await model.close()
    assert isinstance(reply, Reply)
    assert reply.text == "B"
    expected = {
        "model": "org/some-model",
        "messages": [{"role": "user", "content": "question 3"}],
        "max_completion_tokens": 9,
        "temperature": 0.5,
        "random_seed": 4,
        "reasoning_effort": "low",
    }
    assert got == [(expected, f"Bearer {KEY}", "api-version=1")]
    assert model.sent(request) == expected
    wants_logprobs = model.sent(ask(settings=Settings(top_logprobs=0)))
    assert (wants_logprobs["logprobs"], wants_logprobs["top_logprobs"]) == (True, 0)


async def test_a_key_goes_where_the_endpoint_wants_it(serve: Serve, ask: Ask, completion: Completion) -> None:
    got: list[dict[str, str]] = []

    async def handle(request: web.Request) -> web.StreamResponse:
        got.append(dict(request.headers))
        return web.json_response(completion())

    model = HttpModel("m", await serve(handle), api_key=KEY, dialect=Dialect(key_header="api-key"))
    await model.answer([ask()])
    await model.close()
    assert got[0]["api-key"] == KEY
    assert "Authorization" not in got[0]


@pytest.mark.parametrize(
    ("fault", "kind", "perhaps_paid"),
    [
        (status(408), "HTTP 408", False),
        (status(409), "HTTP 409", False),
        (status(425), "HTTP 425", False),
        (status(429, "slow down"), "HTTP 429", False),
        (status(500), "HTTP 500", False),
        (status(503), "HTTP 503", False),
        (status(529), "HTTP 529", False),
        (reset, "connection broken", True),
        (half_sent, "connection broken", True),
        (broken_gzip, "connection broken", True),
        (not_http, "connection broken", True),
    ],
)
async def test_a_passing_fault_is_a_setback(
    serve: Serve, ask: Ask, fault: Handler, kind: str, perhaps_paid: bool
) -> None:
    handle, times = script([fault])
    setback = await setback_of(await serve(handle), ask())
    assert (setback.kind, setback.perhaps_paid, setback.closed) == (kind, perhaps_paid, False)
    assert (setback.wait_seconds, setback.tries_max, setback.overload) == (None, None, True)
    assert "\n" not in setback.reason
    assert len(times) == 1


@pytest.mark.parametrize(
    "body", ["", "<html>", '{"choices": [{"mess', '{"choices": []}', '{"error": {"message": "overloaded"}}']
)
async def test_what_cannot_be_read_is_worth_few_tries_for_it_may_be_paid_for(serve: Serve, ask: Ask, body: str) -> None:
    setback = await setback_of(await serve(status(200, body)), ask())
    assert (setback.kind, setback.perhaps_paid, setback.tries_max) == ("unreadable reply", True, 3)
    # It says nothing of how fast the endpoint can be asked.
    assert not setback.overload


@pytest.mark.parametrize(
    ("headers", "body", "seconds"),
    [
        ({"Retry-After": "7"}, "", 7.0),
        ({"Retry-After-Ms": "250", "Retry-After": "1"}, "", 0.25),
        # The endpoint's clock is years off ours.
        (
            {"Retry-After": "Mon, 01 Jan 2001 00:00:09 GMT", "Date": "Mon, 01 Jan 2001 00:00:00 GMT"},
            "",
            9.0,
        ),
        ({}, '[{"error": {"details": [{"@type": "types/google.rpc.RetryInfo", "retryDelay": "22s"}]}}]', 22.0),
        ({"x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "6m0s"}, "", 360.0),
        ({"x-ratelimit-remaining-tokens": "5", "x-ratelimit-reset-tokens": "6m0s"}, "", None),
    ],
)  # fmt: skip
async def test_how_long_an_endpoint_asks_to_wait(
    serve: Serve, ask: Ask, headers: dict[str, str], body: str, seconds: float | None
) -> None:
    setback = await setback_of(await serve(status(429, body, **headers)), ask())
    assert setback.wait_seconds == seconds


async def test_a_date_to_wait_until_is_taken_against_the_clock_of_the_server(serve: Serve, ask: Ask) -> None:
    """aiohttp's server tells its own time in the header `Date`."""
    until = format_datetime(dt.datetime.now(dt.UTC) + dt.timedelta(seconds=30), usegmt=True)
    setback = await setback_of(await serve(status(503, Retry_After=until)), ask())
    assert setback.wait_seconds == pytest.approx(30, abs=2)


@pytest.mark.parametrize(("reset_after", "closed_seconds"), [("30s", 30.0), ("24", 24.0), ("1h0m0s", 0.0)])
async def test_a_limit_that_is_used_up_closes_the_place(
    serve: Serve, ask: Ask, completion: Completion, reset_after: str, closed_seconds: float
) -> None:
    """For no longer than anybody waits: a limit of a day is for the endpoint to enforce."""
    headers = {"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": reset_after}
    model = HttpModel("m", await serve(status(200, json.dumps(completion()), **headers)))
    (reply,) = await model.answer([ask()])
    await model.close()
    assert isinstance(reply, Reply)
    assert model.pace.closed_seconds == pytest.approx(closed_seconds, abs=1)


def test_models_at_one_place_share_its_pace_and_its_caps() -> None:
    caps = Dialect(caps=Caps(concurrency=3))
    first, second = (HttpModel(name, "http://127.0.0.1:9/v1", dialect=caps) for name in "ab")
    assert first.pace is second.pace
    assert (first.pace.place, first.pace.caps.concurrency) == ("127.0.0.1:9", 3)
    assert HttpModel("c", "http://127.0.0.1:10/v1", dialect=caps).pace is not first.pace


@pytest.mark.parametrize("code", [400, 403, 404, 413, 422])
async def test_our_own_fault_is_an_error(serve: Serve, ask: Ask, code: int) -> None:
    handle, _ = script([status(code, '{"error": {"message": "the model\\n`x` does not exist"}}')])
    url = await serve(handle)
    # Where others were answered it is this request that is wrong.
    HttpModel("m", url).pace.answered = True
    reply = await reply_of(url, ask())
    assert (reply.status, reply.finish) == ("error", f"HTTP {code}: the model `x` does not exist")


@pytest.mark.parametrize(
    ("code", "body"),
    [
        (401, '{"error": {"message": "wrong key"}}'),
        (402, '{"error": {"message": "no credit"}}'),
        (404, '{"error": {"message": "no such model"}}'),
        (400, '[{"error": {"message": "API key not valid", "details": [{"reason": "API_KEY_INVALID"}]}}]'),
        (429, '{"error": {"message": "you exceeded your quota", "code": "insufficient_quota"}}'),
    ],
)
async def test_where_nobody_will_be_answered_the_place_is_closed(serve: Serve, ask: Ask, code: int, body: str) -> None:
    setback = await setback_of(await serve(status(code, body)), ask())
    assert (setback.closed, setback.kind, setback.perhaps_paid) == (True, f"HTTP {code}", False)


async def test_azure_filters_by_a_code(serve: Serve, ask: Ask) -> None:
    handle, _ = script([status(400, '{"error": {"code": "content_filter", "message": "policy"}}')])
    assert (await reply_of(await serve(handle), ask())).status == "filtered"


async def test_a_redirect_is_not_followed(serve: Serve, ask: Ask, fine: Handler) -> None:
    elsewhere, reached = script([fine])
    away = await serve(elsewhere)
    handle, _ = script([status(307, Location=away + "/chat/completions")])
    reply = await reply_of(await serve(handle), ask(), api_key=KEY)
    assert reply.status == "error"
    assert "HTTP 307" in reply.finish
    assert not reached


async def test_a_hanging_socket_ends_in_time(serve: Serve, ask: Ask) -> None:
    began = time.monotonic()
    setback = await setback_of(await serve(hang), ask(), timeouts=Timeouts(reply_seconds=0.3))
    assert (setback.kind, setback.reason) == ("timeout", "no whole reply within 0.3 s")
    assert (setback.perhaps_paid, setback.tries_max) == (True, 3)
    assert 0.3 <= time.monotonic() - began < 3


async def test_a_reply_that_trickles_ends_in_time(serve: Serve, ask: Ask) -> None:
    async def trickle(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(100):
            await response.write(b" ")
            await asyncio.sleep(0.05)
        return response

    setback = await setback_of(await serve(trickle), ask(), timeouts=Timeouts(reply_seconds=0.3))
    assert (setback.kind, setback.perhaps_paid) == ("timeout", True)


async def test_nobody_listens(unused_tcp_port: int, ask: Ask) -> None:
    setback = await setback_of(f"http://127.0.0.1:{unused_tcp_port}/v1", ask())
    assert (setback.kind, setback.perhaps_paid) == ("no connection", False)
    assert "ClientConnectorError" in setback.reason


async def test_nobody_takes_the_connection(ask: Ask) -> None:
    """The queue of connections is full, and nobody takes any from it."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listening:
        port = listening.getsockname()[1]
        waiting = [socket.socket() for _ in range(4)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(("127.0.0.1", port))
        timeouts = Timeouts(connect_seconds=0.3, reply_seconds=5)
        setback = await setback_of(f"http://127.0.0.1:{port}/v1", ask(), timeouts=timeouts)
        for one in waiting:
            one.close()
    assert (setback.kind, setback.perhaps_paid) == ("no connection", False)
    assert setback.reason == "no connection within 0.3 s"


async def test_a_reply_of_10_mb_is_kept_whole(serve: Serve, ask: Ask, completion: Completion) -> None:
    text = "ñ" * 5_000_000

    async def handle(request: web.Request) -> web.StreamResponse:  # noqa: ARG001 - as aiohttp calls it
        return web.json_response(completion(text))

    assert (await reply_of(await serve(handle), ask())).text == text


@pytest.mark.parametrize("compressed", [False, True])
async def test_a_body_without_bounds_is_not_asked_for_again(serve: Serve, ask: Ask, compressed: bool) -> None:
    async def handle(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        if compressed:
            response.enable_compression(web.ContentCoding.gzip)
        await response.prepare(request)
        for _ in range(REPLY_BYTES_MAX // 2**20 + 2):
            await response.write(bytes(2**20))
        return response

    setback = await setback_of(await serve(handle), ask())
    assert f"over {REPLY_BYTES_MAX} bytes" in setback.reason
    assert (setback.tries_max, setback.perhaps_paid) == (1, True)


async def test_replies_in_any_order_go_to_their_requests(serve: Serve, ask: Ask, completion: Completion) -> None:
    async def handle(request: web.Request) -> web.StreamResponse:
        content = (await request.json())["messages"][0]["content"]
        await asyncio.sleep(0.2 - 0.01 * int(content.split()[1]))
        return web.json_response(completion(content))

    model = HttpModel("m", await serve(handle))
    replies = await model.answer([ask(number) for number in range(20)])
    await model.close()
    assert [reply.text for reply in replies if isinstance(reply, Reply)] == [
        f"question {number}" for number in range(20)
    ]


@pytest.mark.parametrize("key", [KEY, "with/slashes+and==/more", "hospital-2024"])
async def test_the_key_is_shown_nowhere(
    serve: Serve, ask: Ask, completion: Completion, caplog: pytest.LogCaptureFixture, key: str
) -> None:
    caplog.set_level(logging.DEBUG)

    async def echo(request: web.Request) -> web.StreamResponse:
        said = request.headers["Authorization"]
        kind = int((await request.json())["messages"][0]["content"].split()[1])
        if kind == 0:
            assert request.transport is not None
            request.transport.write(f"HTTP/1.1 200 OK\r\nno header {said}\r\n\r\n".encode())
            return web.Response()
        answers = [
            web.json_response({"error": {"message": said}}),
            web.json_response({"error": {"message": f"wrong key {said}"}}, status=401),
            web.Response(text=said),
            web.Response(text=said, status=500, headers={"X-Echo": said}),
            web.json_response({"error": {"code": "content_filter", "message": said}}, status=400),
            web.Response(text=said, status=307, headers={"Location": f"http://127.0.0.1/{said}"}),
            # As PHP writes it.
            web.Response(text=json.dumps(completion(said, reasoning=said)).replace("/", "\\/")),
            web.json_response(completion(said, reasoning=said)),
        ]
        return answers[kind - 1]

    url = await serve(echo)
    outcomes = [await try_once(url, ask(kind), api_key=key) for kind in range(9)]
    # What is too short to be a secret is not cut out of a model's own words.
    for outcome in outcomes if len(key) >= 16 else outcomes[:-2]:
        assert key not in str(outcome)
        assert "[key]" in str(outcome)
    for outcome in outcomes[-2:]:
        assert isinstance(outcome, Reply)
        shown = "[key]" if len(key) >= 16 else key
        assert (outcome.text, outcome.reasoning) == (f"Bearer {shown}", f"Bearer {shown}")
    model = HttpModel("m", url, api_key=key)
    assert key not in repr(model) + str(vars(model))
    assert key not in caplog.text


async def test_a_secret_in_the_query_is_in_no_error(serve: Serve, ask: Ask) -> None:
    for fault in (not_http, half_sent, hang, status(500), status(404)):
        outcome = await try_once(await serve(fault) + "?code=secret", ask(), timeouts=Timeouts(reply_seconds=0.3))
        assert "secret" not in str(outcome)


async def test_a_key_of_the_users_for_other_programs_is_not_sent(
    serve: Serve, ask: Ask, fine: Handler, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Curl's and git's, which are kept in ~/.netrc by the host's name."""
    netrc, got = tmp_path / "netrc", list[str | None]()
    netrc.write_text("machine example.org login user password secret")
    monkeypatch.setenv("NETRC", str(netrc))

    async def proxy(request: web.Request) -> web.StreamResponse:
        got.append(request.headers.get("Authorization"))
        return await fine(request)

    # The proxy of the environment stands for the host: what it gets, the host would.
    address = (await serve(proxy)).removesuffix("/v1")
    monkeypatch.setenv("http_proxy", address)
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    outcome = await try_once("http://example.org/v1", ask())
    assert isinstance(outcome, Reply), outcome
    assert got == [None]


def test_keys_and_urls_that_cannot_be_are_refused_without_being_shown() -> None:
    for key in ("new\nline-secret", "kurz\x00", "schlüssel"):
        with pytest.raises(UsageError) as caught:
            HttpModel("m", "https://example.org/v1", api_key=key)
        assert key not in str(caught.value)
    with pytest.raises(UsageError, match="environment variable") as caught:
        HttpModel("m", "https://user:secret@example.org/v1")
    assert "secret" not in str(caught.value)
    assert "secret" not in HttpModel("m", "https://example.org/v1?key=secret").place


@pytest.mark.parametrize(
    ("url", "here"),
    [
        ("http://127.0.0.1:8000/v1", True),
        ("http://127.8.8.8/v1", True),
        ("http://[::1]:8000/v1", True),
        ("http://localhost:8000/v1", True),
        ("http://LOCALHOST/v1", True),
        ("http://10.0.0.1/v1", False),
        ("http://0.0.0.0/v1", False),
        ("https://api.openai.com/v1", False),
        ("http://127.0.0.1.example.org/v1", False),
        ("http://localhost.example.org/v1", False),
        ("http://server.localhost/v1", False),
    ],
)
def test_only_a_server_that_passes_nothing_on_at_a_loopback_address_is_this_machine(url: str, here: bool) -> None:
    ollama = Dialect(on_this_machine=True, elsewhere=("*:cloud", "*-cloud"))
    assert HttpModel("m", url, dialect=ollama).on_this_machine is here
    # Who listens there may be a gateway to anywhere.
    assert not HttpModel("m", url).on_this_machine
    for name in ("gpt-oss:120b-cloud", "Qwen3:Cloud", " qwen3:cloud\n"):
        assert not HttpModel("m", url, dialect=ollama, asked_as=name).on_this_machine


async def test_a_proxy_gets_nothing_that_is_for_this_machine(
    serve: Serve, ask: Ask, fine: Handler, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy, reached = script([fine])
    monkeypatch.setenv("http_proxy", (await serve(proxy)).removesuffix("/v1"))
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    handle, times = script([fine])
    assert (await reply_of(await serve(handle), ask())).status == "ok"
    assert (len(reached), len(times)) == (0, 1)


@pytest.mark.parametrize("how", ["score_options", "score_letters"])
def test_likelihoods_cannot_be_had_over_chat(ask: Ask, how: Literal["score_options", "score_letters"]) -> None:
    with pytest.raises(UsageError, match=f"{how}.*local:FOLDER"):
        HttpModel("m", "http://127.0.0.1/v1").sent(ask(settings=Settings(answer=how)))


async def test_a_client_works_after_it_was_closed(serve: Serve, ask: Ask, fine: Handler) -> None:
    model = HttpModel("m", await serve(fine))
    for _ in range(2):
        (reply,) = await model.answer([ask()])
        assert isinstance(reply, Reply)
        await model.close()
    await model.close()


async def test_connections_are_used_again(serve: Serve, ask: Ask, completion: Completion) -> None:
    peers: set[object] = set()

    async def handle(request: web.Request) -> web.StreamResponse:
        peers.add(request.transport.get_extra_info("peername") if request.transport else None)
        return web.Response(text=json.dumps(completion()))

    model = HttpModel("m", await serve(handle))
    for number in range(10):
        await model.answer([ask(number)])
    await model.close()
    assert len(peers) == 1
