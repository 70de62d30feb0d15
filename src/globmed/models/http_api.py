"""Models behind an OpenAI-compatible chat completions endpoint, spoken to with aiohttp.

OpenAI, Anthropic, Google, DeepSeek, Mistral, Together, OpenRouter and the servers of open weights (vLLM, SGLang,
Ollama, llama.cpp, `transformers serve`) all answer this protocol; what differs are a few parameter names
(`globmed.models.catalog`). What an endpoint's reply means is read in `globmed.models.chat_reply`.

Reference: https://platform.openai.com/docs/api-reference/chat/create
"""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import SplitResult, urlsplit

import aiohttp
import msgspec
import numpy as np
from msgspec.structs import replace
from yarl import URL

import globmed
from globmed.core.errors import UsageError
from globmed.models.chat_reply import error_message, one_line, read_completion, retry_after_seconds
from globmed.models.client import Reply, Request

REPLY_BYTES_MAX = 32 * 2**20
# Statuses that another try may mend; and everything from 500.
_PASSING = {408, 409, 425, 429}
# A shorter key is no secret (`EMPTY`, `ollama`), and its letters may occur in honest replies.
_SECRET_LENGTH_MIN = 16


class ParameterNames(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an endpoint calls the settings; an empty name is a setting that is not sent."""

    max_tokens: str = "max_tokens"
    temperature: str = "temperature"
    top_p: str = "top_p"
    seed: str = "seed"


class Patience(msgspec.Struct, frozen=True, kw_only=True):
    """How long to wait for an endpoint, and how often to try.

    Attributes:
        connect_seconds: for a connection.
        reply_seconds: for one whole reply; reasoning models take minutes.
        retries: tries after the first.
        first_wait_seconds: longest wait before the first retry; twice as long before each further one. Each wait is
            drawn between half of it and the whole, so that requests which failed together do not come back together.
        longest_wait_seconds: bound of every wait. An endpoint that asks for a longer one (Retry-After) gets no retry:
            the reply is an error, to be asked for again by a later run.
    """

    connect_seconds: float = 30.0
    reply_seconds: float = 600.0
    retries: int = 6
    first_wait_seconds: float = 1.0
    longest_wait_seconds: float = 120.0


STANDARD_NAMES = ParameterNames()
PATIENT = Patience()


class _Secret:
    """An API key that shows itself in no repr, and so in no log or traceback."""

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the key itself."""
        return self._value

    def __repr__(self) -> str:
        return "[key]"


class _Failed(msgspec.Struct, frozen=True):
    """A try that another may mend, with the wait that the endpoint asks for."""

    reason: str
    wait_seconds: float | None = None


class HttpModel:
    """A model behind an endpoint; satisfies `globmed.models.client.Client`.

    An endpoint on a loopback address counts as on this machine: what stands there must not pass texts on. Connections
    open at the first request, in the event loop that asks, and `close` ends them; a later request opens new ones.
    """

    batch_size = 1

    def __init__(
        self,
        model: str,
        base_url: str,
        *,
        api_key: str | None = None,
        revision: str = "",
        names: ParameterNames = STANDARD_NAMES,
        extra: Mapping[str, Any] | None = None,
        patience: Patience = PATIENT,
        jitter_seed: int | None = None,
    ) -> None:
        """Describe an endpoint; nothing is sent yet.

        Args:
            model: as the endpoint names it.
            base_url: what `/chat/completions` is appended to, such as `http://127.0.0.1:8000/v1`.
            api_key: sent as a bearer token and shown nowhere; None sends none.
            revision: version of the weights where known.
            names: what the endpoint calls the settings.
            extra: further parameters, sent as they are and part of a reply's key.
            patience: waits and retries.
            jitter_seed: for the waits between retries. By default fresh entropy, so that two processes do not come
                back in step; nothing but time depends on it.

        Raises:
            UsageError: the URL is not http(s) or holds a password, or the key cannot be sent in a header.
        """
        self.model, self.revision = model, revision
        self._names, self._extra, self._patience = names, dict(extra or {}), patience
        endpoint = _endpoint(base_url)
        self._url = URL(endpoint.geturl())
        # Without the query, which could hold a secret.
        self.place = endpoint._replace(query="").geturl()
        self.on_this_machine = _is_loopback(endpoint.hostname or "")
        key = (api_key or "").strip()
        if not (key.isascii() and key.isprintable()):
            raise UsageError(f"the API key for {self.place} holds characters that no HTTP header may; set it again")
        self._key = _Secret(key)
        self._rng = np.random.default_rng(jitter_seed)
        self._session: aiohttp.ClientSession | None = None

    def __repr__(self) -> str:
        return f"HttpModel({self.model!r}, {self.place!r})"

    def sent(self, request: Request) -> Mapping[str, Any]:
        """Return model, messages and parameters as the endpoint gets them.

        Raises:
            UsageError: the request asks for the likelihood of given options.
        """
        settings = request.settings
        if settings.answer != "generate":
            raise UsageError(
                f"{self.model}: {settings.answer} needs the likelihood of given texts, which chat completions do not "
                "give; use settings.answer = 'generate', or the weights in process (local:FOLDER)"
            )
        names = self._names
        values = {
            names.max_tokens: settings.max_tokens,
            names.temperature: settings.temperature,
            names.top_p: settings.top_p,
            names.seed: settings.seed,
        }
        body: dict[str, Any] = {"model": self.model, "messages": list(msgspec.to_builtins(request.messages))}
        body |= {name: value for name, value in values.items() if name and value is not None}
        return body | self._extra

    async def answer(self, batch: Sequence[Request]) -> Sequence[Reply]:
        """Answer each request by one call, all at once.

        Raises:
            UsageError: a request asks for the likelihood of given options.
        """
        bodies = [msgspec.json.encode(self.sent(request)) for request in batch]
        if len(bodies) == 1:
            return [await self._answer_one(bodies[0])]
        return await asyncio.gather(*map(self._answer_one, bodies))

    async def close(self) -> None:
        """End the connections."""
        if self._session is not None:
            session, self._session = self._session, None
            await session.close()

    async def _answer_one(self, body: bytes) -> Reply:
        patience, tries = self._patience, 0
        while True:
            tries += 1
            outcome = await self._try(body)
            if isinstance(outcome, Reply):
                return outcome
            wait_seconds = self._wait_seconds(tries)
            if outcome.wait_seconds is not None:
                wait_seconds = max(outcome.wait_seconds, wait_seconds)
                if outcome.wait_seconds > patience.longest_wait_seconds:
                    return self._error(f"{outcome.reason}; the endpoint asks to wait {outcome.wait_seconds:.0f} s")
            if tries > patience.retries:
                return self._error(f"{outcome.reason}; tried {tries} times")
            await asyncio.sleep(wait_seconds)

    def _wait_seconds(self, tries: int) -> float:
        # The exponent is bounded for the sake of whoever sets a thousand retries.
        longest = min(self._patience.first_wait_seconds * 2 ** min(tries - 1, 30), self._patience.longest_wait_seconds)
        return float(self._rng.uniform(longest / 2, longest))

    async def _try(self, body: bytes) -> Reply | _Failed:
        if self._session is None:
            self._session = self._open_session()
        try:
            # A redirect could lead off this machine, or take the key to a stranger.
            async with self._session.post(self._url, data=body, allow_redirects=False) as response:
                received = await _read_bounded(response)
        except aiohttp.ConnectionTimeoutError:
            return _Failed(f"no connection within {self._patience.connect_seconds:g} s")
        except TimeoutError:
            return _Failed(f"no whole reply within {self._patience.reply_seconds:g} s")
        except aiohttp.ClientConnectorCertificateError as error:
            return self._error(f"its certificate is not trusted: {error.certificate_error}")
        except (aiohttp.ClientError, OSError) as error:
            return _Failed(f"{type(error).__name__}: {error}")
        if received is None:
            return self._error(f"HTTP {response.status}: a body over {REPLY_BYTES_MAX} bytes")
        return self._read(response.status, response.headers, self._without_key(received))

    def _read(self, status: int, headers: Mapping[str, str], received: bytes) -> Reply | _Failed:
        if status == 200:
            reply = read_completion(received)
            return reply if reply.status != "error" else replace(reply, finish=self._hide_key(reply.finish))
        reason = f"HTTP {status}: {error_message(received)}"
        if status in _PASSING or status >= 500:
            return _Failed(reason, retry_after_seconds(headers))
        # Azure refuses a prompt by this code rather than by a finish reason.
        if status == 400 and b'"content_filter"' in received:
            return Reply(status="filtered", finish=one_line(self._hide_key(reason)))
        return self._error(reason)

    def _open_session(self) -> aiohttp.ClientSession:
        headers = {"Content-Type": "application/json", "User-Agent": f"globmed/{globmed.__version__}"}
        if key := self._key.reveal():
            headers["Authorization"] = f"Bearer {key}"
        patience = self._patience
        return aiohttp.ClientSession(
            # The campaign bounds what is under way.
            connector=aiohttp.TCPConnector(limit=0),
            timeout=aiohttp.ClientTimeout(total=patience.reply_seconds, connect=patience.connect_seconds),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers=headers,
            # A proxy from the environment would carry texts for this machine off it.
            trust_env=not self.on_this_machine,
        )

    def _error(self, reason: str) -> Reply:
        return Reply(status="error", finish=one_line(self._hide_key(reason)))

    def _hide_key(self, text: str) -> str:
        key = self._key.reveal()
        return text.replace(key, "[key]") if key else text

    def _without_key(self, received: bytes) -> bytes:
        key = self._key.reveal().encode()
        return received.replace(key, b"[key]") if len(key) >= _SECRET_LENGTH_MIN else received


def _endpoint(base_url: str) -> SplitResult:
    try:
        parts = urlsplit(base_url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        parts, host = urlsplit(""), None
    if parts.scheme not in {"http", "https"} or not host:
        raise UsageError(f"base URL {base_url!r}; expected one like http://127.0.0.1:8000/v1")
    if "@" in parts.netloc:
        raise UsageError(f"the base URL at {host} holds a user or password; give the key in an environment variable")
    # Azure's base URL has a query (api-version), which belongs after the path.
    return parts._replace(path=parts.path.rstrip("/") + "/chat/completions", fragment="")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        # RFC 6761, section 6.3.
        return host == "localhost" or host.endswith(".localhost")


async def _read_bounded(response: aiohttp.ClientResponse) -> bytes | None:
    chunks, size = [], 0
    async for chunk in response.content.iter_any():
        size += len(chunk)
        if size > REPLY_BYTES_MAX:
            return None
        chunks.append(chunk)
    return b"".join(chunks)
