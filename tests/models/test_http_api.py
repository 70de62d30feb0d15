"""The HTTP client against servers that do what servers do."""

import asyncio
import datetime as dt
import itertools
import json
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from email.utils import format_datetime
from typing import Any, Literal

import pytest
from aiohttp import web

from globmed.core.errors import UsageError
from globmed.models.client import Reply, Request, Settings
from globmed.models.http_api import REPLY_BYTES_MAX, HttpModel, ParameterNames, Patience

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Serve = Callable[[Handler], Awaitable[str]]
Ask = Callable[..., Request]
Completion = Callable[..., dict[str, Any]]
QUICK = Patience(connect_seconds=2, reply_seconds=5, retries=3, first_wait_seconds=0.02, longest_wait_seconds=2)
KEY = "sk-live-0123456789abcdef"


async def one(base_url: str, request: Request, *, patience: Patience = QUICK, api_key: str | None = None) -> Reply:
    model = HttpModel("some-model", base_url, patience=patience, api_key=api_key, jitter_seed=0)
    try:
        (reply,) = await model.answer([request])
        return reply
    finally:
        await model.close()


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


async def test_the_endpoint_gets_what_sent_says(serve: Serve, ask: Ask, completion: Completion) -> None:
    got: list[tuple[Any, str | None, str]] = []

    async def handle(request: web.Request) -> web.StreamResponse:
        got.append((await request.json(), request.headers.get("Authorization"), request.query_string))
        return web.json_response(completion())

    url = await serve(handle)
    names = ParameterNames(max_tokens="max_completion_tokens", top_p="", seed="random_seed")
    model = HttpModel(
        "some-model", url + "/?api-version=1", api_key=f" {KEY}\n", names=names, extra={"reasoning_effort": "low"}
    )
    request = ask(3, settings=Settings(max_tokens=9, temperature=0.5, top_p=0.9, seed=4), options=("a",), label="l")
    (reply,) = await model.answer([request])
    await model.close()
    assert reply.text == "B"
    expected = {
        "model": "some-model",
        "messages": [{"role": "user", "content": "question 3"}],
        "max_completion_tokens": 9,
        "temperature": 0.5,
        "random_seed": 4,
        "reasoning_effort": "low",
    }
    assert got == [(expected, f"Bearer {KEY}", "api-version=1")]
    assert model.sent(request) == expected


@pytest.mark.parametrize(
    "faults",
    [[status(429)], [status(500), status(502)], [status(408), status(409)], [reset], [half_sent], [reset, half_sent]],
)
async def test_passing_faults_are_tried_again(serve: Serve, ask: Ask, fine: Handler, faults: list[Handler]) -> None:
    handle, times = script([*faults, fine])
    reply = await one(await serve(handle), ask())
    assert (reply.status, reply.text) == ("ok", "B")
    assert len(times) == len(faults) + 1


async def test_waits_grow_and_are_not_all_the_same(serve: Serve, ask: Ask, fine: Handler) -> None:
    handle, times = script([status(500)] * 4 + [fine])
    patience = Patience(retries=4, first_wait_seconds=0.1, longest_wait_seconds=0.4)
    assert (await one(await serve(handle), ask(), patience=patience)).status == "ok"
    waits = [after - before for before, after in itertools.pairwise(times)]
    for wait, longest in zip(waits, (0.1, 0.2, 0.4, 0.4), strict=True):
        assert longest / 2 <= wait < longest + 0.3
    model = HttpModel("m", "http://127.0.0.1/v1")
    assert len({model._wait_seconds(1) for _ in range(10)}) == 10


@pytest.mark.parametrize("form", ["seconds", "date"])
async def test_retry_after_is_honoured(serve: Serve, ask: Ask, fine: Handler, form: str) -> None:
    # The server's clock is years off ours.
    now = dt.datetime(2001, 1, 1, tzinfo=dt.UTC)
    until = format_datetime(now + dt.timedelta(seconds=1), usegmt=True)
    headers = (
        {"Retry_After": "1"} if form == "seconds" else {"Retry_After": until, "Date": format_datetime(now, usegmt=True)}
    )
    handle, times = script([status(429, **headers), fine])
    assert (await one(await serve(handle), ask())).status == "ok"
    assert 0.99 < times[1] - times[0] < 2


async def test_retry_after_beyond_our_patience_is_an_error_at_once(serve: Serve, ask: Ask, fine: Handler) -> None:
    handle, times = script([status(429, '{"error": {"message": "daily quota"}}', Retry_After="86400"), fine])
    reply = await one(await serve(handle), ask())
    assert reply.status == "error"
    assert reply.finish == "HTTP 429: daily quota; the endpoint asks to wait 86400 s"
    assert len(times) == 1


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (status(429, "slow down"), "HTTP 429: slow down; tried 4 times"),
        (status(500), "HTTP 500: an empty body; tried 4 times"),
        (reset, "ServerDisconnectedError"),
        (half_sent, "ClientPayloadError"),
    ],
)
async def test_there_is_an_end_to_trying(serve: Serve, ask: Ask, fault: Handler, said: str) -> None:
    handle, times = script([fault])
    reply = await one(await serve(handle), ask())
    assert reply.status == "error"
    assert said in reply.finish
    assert reply.finish.endswith("tried 4 times")
    assert len(times) == 4


@pytest.mark.parametrize("code", [400, 401, 402, 403, 404, 413, 422])
async def test_our_own_fault_is_not_tried_again(serve: Serve, ask: Ask, code: int) -> None:
    handle, times = script([status(code, '{"error": {"message": "the model\\n`x` does not exist"}}')])
    reply = await one(await serve(handle), ask())
    assert (reply.status, reply.finish) == ("error", f"HTTP {code}: the model `x` does not exist")
    assert len(times) == 1


async def test_azure_filters_by_a_code(serve: Serve, ask: Ask) -> None:
    handle, _ = script([status(400, '{"error": {"code": "content_filter", "message": "policy"}}')])
    assert (await one(await serve(handle), ask())).status == "filtered"


async def test_a_redirect_is_not_followed(serve: Serve, ask: Ask, fine: Handler) -> None:
    elsewhere, reached = script([fine])
    away = await serve(elsewhere)
    handle, _ = script([status(307, Location=away + "/chat/completions")])
    reply = await one(await serve(handle), ask(), api_key=KEY)
    assert reply.status == "error"
    assert "HTTP 307" in reply.finish
    assert not reached


async def test_a_hanging_socket_ends_in_time(serve: Serve, ask: Ask, fine: Handler) -> None:
    patience = Patience(reply_seconds=0.3, retries=1, first_wait_seconds=0.01)
    handle, times = script([hang, fine])
    assert (await one(await serve(handle), ask(), patience=patience)).status == "ok"
    handle, times = script([hang])
    reply = await one(await serve(handle), ask(), patience=patience)
    assert reply.finish == "no whole reply within 0.3 s; tried 2 times"
    assert len(times) == 2


async def test_nobody_listens(unused_tcp_port: int, ask: Ask) -> None:
    reply = await one(f"http://127.0.0.1:{unused_tcp_port}/v1", ask())
    assert reply.status == "error"
    assert "ClientConnectorError" in reply.finish


async def test_a_reply_of_10_mb_is_kept_whole(serve: Serve, ask: Ask, completion: Completion) -> None:
    text = "ñ" * 5_000_000

    async def handle(request: web.Request) -> web.StreamResponse:  # noqa: ARG001 - as aiohttp calls it
        return web.json_response(completion(text))

    assert (await one(await serve(handle), ask())).text == text


@pytest.mark.parametrize("compressed", [False, True])
async def test_a_body_without_bounds_is_an_error(serve: Serve, ask: Ask, compressed: bool) -> None:
    async def handle(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        if compressed:
            response.enable_compression(web.ContentCoding.gzip)
        await response.prepare(request)
        for _ in range(REPLY_BYTES_MAX // 2**20 + 2):
            await response.write(bytes(2**20))
        return response

    reply = await one(await serve(handle), ask())
    assert reply.status == "error"
    assert f"over {REPLY_BYTES_MAX} bytes" in reply.finish


async def test_replies_in_any_order_go_to_their_requests(serve: Serve, ask: Ask, completion: Completion) -> None:
    async def handle(request: web.Request) -> web.StreamResponse:
        content = (await request.json())["messages"][0]["content"]
        await asyncio.sleep(0.2 - 0.01 * int(content.split()[1]))
        return web.json_response(completion(content))

    model = HttpModel("m", await serve(handle))
    replies = await model.answer([ask(number) for number in range(20)])
    await model.close()
    assert [reply.text for reply in replies] == [f"question {number}" for number in range(20)]


async def test_the_key_is_shown_nowhere(
    serve: Serve, ask: Ask, completion: Completion, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)

    async def echo(request: web.Request) -> web.StreamResponse:
        said = request.headers["Authorization"]
        kind = int((await request.json())["messages"][0]["content"].split()[1])
        answers = [
            web.json_response(completion(said)),
            web.json_response({"error": {"message": said}}),
            web.json_response({"error": {"message": f"wrong key {said}"}}, status=401),
            web.Response(text=said),
            web.Response(text=said, status=500),
            web.json_response({"error": {"code": "content_filter", "message": said}}, status=400),
        ]
        return answers[kind]

    url = await serve(echo)
    for key in (KEY, "hospital-2024"):
        replies = [await one(url, ask(kind), api_key=key) for kind in range(6)]
        assert [reply.status for reply in replies] == ["ok", "error", "error", "error", "error", "filtered"]
        # What is too short to be a secret is not cut out of a model's own words.
        for reply in replies[0 if key == KEY else 1 :]:
            assert key not in str(reply)
            assert "[key]" in str(reply)
        model = HttpModel("m", url, api_key=key)
        assert key not in repr(model) + str(vars(model))
        assert key not in caplog.text


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
    ],
)
def test_only_a_loopback_address_is_this_machine(url: str, here: bool) -> None:
    assert HttpModel("m", url).on_this_machine is here


async def test_a_proxy_gets_nothing_that_is_for_this_machine(
    serve: Serve, ask: Ask, fine: Handler, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy, reached = script([fine])
    monkeypatch.setenv("http_proxy", (await serve(proxy)).removesuffix("/v1"))
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    handle, times = script([fine])
    assert (await one(await serve(handle), ask())).status == "ok"
    assert (len(reached), len(times)) == (0, 1)


@pytest.mark.parametrize("how", ["score_options", "score_letters"])
def test_likelihoods_cannot_be_had_over_chat(ask: Ask, how: Literal["score_options", "score_letters"]) -> None:
    with pytest.raises(UsageError, match=f"{how}.*local:FOLDER"):
        HttpModel("m", "http://127.0.0.1/v1").sent(ask(settings=Settings(answer=how)))


async def test_a_client_works_after_it_was_closed(serve: Serve, ask: Ask, fine: Handler) -> None:
    model = HttpModel("m", await serve(fine))
    for _ in range(2):
        (reply,) = await model.answer([ask()])
        assert reply.text == "B"
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
