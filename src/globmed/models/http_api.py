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
from fnmatch import fnmatchcase
from typing import Any
from urllib.parse import SplitResult, urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp
import msgspec
from msgspec.structs import replace
from yarl import URL

import globmed
from globmed.core.errors import UsageError
from globmed.models.chat_reply import error_message, one_line, read_completion, retry_delay_seconds
from globmed.models.client import NO_CONNECTION, Reply, Request, Setback
from globmed.models.pace import NO_CAPS, Caps, pace_of
from globmed.models.rate_headers import retry_after_seconds, used_up_seconds

REPLY_BYTES_MAX = 32 * 2**20
# Statuses that another try may mend; and everything from 500.
_PASSING = {408, 409, 425, 429}
# Wrong key; no credit (DeepSeek, OpenRouter).
_CLOSED = {401, 402}
# No such model or address, until anything was answered there. 403 can be about the request: OpenRouter's moderation.
_CLOSED_AT_FIRST = {404}
# OpenAI answers 429 for want of credit, Google 400 for a wrong key, by these codes.
_CLOSED_CODES = (b'"insufficient_quota"', b'"API_KEY_INVALID"')
# What may have been paid for, an answer that cannot be read or comes too late, is worth fewer tries than a refusal.
_PAID_TRIES = 3
_PAUSE_SECONDS_MAX = 120.0
# A shorter key is no secret (`EMPTY`, `ollama`), and its letters may occur in honest replies.
_SECRET_LENGTH_MIN = 16


class ParameterNames(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an endpoint calls the settings; an empty name is a setting that is not sent.

    A schema is sent only where a preset says that the endpoint knows it: others refuse the request, or ignore it.
    """

    max_tokens: str = "max_tokens"
    temperature: str = "temperature"
    top_p: str = "top_p"
    seed: str = "seed"
    logprobs: str = "logprobs"
    top_logprobs: str = "top_logprobs"
    schema: str = ""


class Dialect(msgspec.Struct, frozen=True, kw_only=True):
    """What one kind of endpoint does in its own way.

    Attributes:
        names: what it calls the settings.
        key_header: where it wants the key, if not as a bearer token.
        on_this_machine: servers of this kind answer on the machine that they run on, and pass nothing on.
        elsewhere: patterns of the names of models, in lower case, for which that is not so, as in `fnmatch`.
        caps: what it may be asked at most.
    """

    names: ParameterNames = ParameterNames()
    key_header: str = ""
    on_this_machine: bool = False
    elsewhere: tuple[str, ...] = ()
    caps: Caps = NO_CAPS


class Timeouts(msgspec.Struct, frozen=True, kw_only=True):
    """How long to wait for an endpoint, in seconds.

    Attributes:
        connect_seconds: for a connection.
        reply_seconds: for one whole reply; reasoning models take minutes.
    """

    connect_seconds: float = 30.0
    reply_seconds: float = 600.0


STANDARD = Dialect()
USUAL = Timeouts()


class _Secret:
    """An API key that shows itself in no repr, and so in no log or traceback."""

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the key itself."""
        return self._value

    def __repr__(self) -> str:
        return "[key]"


class HttpModel:
    """A model behind an endpoint; satisfies `globmed.models.client.Client`.

    Connections open at the first request, in the event loop that asks, and `close` ends them; a later request opens new
    ones.
    """

    batch_size = 1

    def __init__(
        self,
        model: str,
        base_url: str,
        *,
        api_key: str | None = None,
        dialect: Dialect = STANDARD,
        timeouts: Timeouts = USUAL,
        asked_as: str = "",
        revision: str = "",
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        """Describe an endpoint; nothing is sent yet.

        Args:
            model: id that replies are saved under.
            base_url: what `/chat/completions` is appended to, such as `http://127.0.0.1:8000/v1`.
            api_key: sent in a header and shown nowhere; None sends none.
            dialect: what the endpoint does in its own way.
            timeouts: for connections and replies.
            asked_as: the model's name at the endpoint, where not `model`.
            revision: version of the weights where known.
            extra: further parameters, sent as they are and part of a reply's key.

        Raises:
            UsageError: the URL is not http(s) or holds a password, or the key cannot be sent in a header.
        """
        self.model, self.revision = model, revision
        self._asked_as, self._dialect = asked_as or model, dialect
        self._extra, self._timeouts = dict(extra or {}), timeouts
        endpoint = _endpoint(base_url)
        self._url = URL(endpoint.geturl())
        # Without the query, which could hold a secret.
        self.place = endpoint._replace(query="").geturl()
        self._loopback = _is_loopback(endpoint.hostname or "")
        # Ollama trims what it is asked for before it looks for the mark of its cloud.
        name = "".join(self._asked_as.split()).lower()
        elsewhere = any(fnmatchcase(name, pattern) for pattern in dialect.elsewhere)
        self.on_this_machine = self._loopback and dialect.on_this_machine and not elsewhere
        self.pace = pace_of(endpoint.netloc, dialect.caps)
        key = (api_key or "").strip()
        if not (key.isascii() and key.isprintable()):
            raise UsageError(f"the API key for {self.place} holds characters that no HTTP header may; set it again")
        self._key = _Secret(key)
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
        names = self._dialect.names
        values = {
            names.max_tokens: settings.max_tokens,
            names.temperature: settings.temperature,
            names.top_p: settings.top_p,
            names.seed: settings.seed,
            names.logprobs: None if settings.top_logprobs is None else True,
            names.top_logprobs: settings.top_logprobs,
            names.schema: _response_format(request.schema) if request.schema else None,
        }
        messages = [{"role": message.role, "content": message.content} for message in request.messages]
        body: dict[str, Any] = {"model": self._asked_as, "messages": messages}
        body |= {name: value for name, value in values.items() if name and value is not None}
        return body | self._extra

    async def answer(self, batch: Sequence[Request]) -> Sequence[Reply | Setback]:
        """Try once to answer each request by one call, all at once.

        Raises:
            UsageError: a request asks for the likelihood of given options.
        """
        bodies = [msgspec.json.encode(self.sent(request)) for request in batch]
        if len(bodies) == 1:
            return [await self._try(bodies[0])]
        return await asyncio.gather(*map(self._try, bodies))

    async def close(self) -> None:
        """End the connections."""
        if self._session is not None:
            session, self._session = self._session, None
            await session.close()

    async def _try(self, body: bytes) -> Reply | Setback:
        if self._session is None:
            self._session = self._open_session()
        try:
            # A redirect could lead off this machine, or take the key to a stranger.
            async with self._session.post(self._url, data=body, allow_redirects=False) as response:
                received = await _read_bounded(response)
        except aiohttp.ClientConnectorCertificateError as error:
            return self._error(f"its certificate is not trusted: {error.certificate_error}")
        except (aiohttp.ClientError, OSError) as error:
            return self._broken(error)
        if received is None:
            reason = f"HTTP {response.status}: a body over {REPLY_BYTES_MAX} bytes"
            return Setback(reason=reason, kind="reply too long", perhaps_paid=True, tries_max=1, overload=False)
        return self._read(response.status, response.headers, self._without_key(received))

    def _broken(self, error: aiohttp.ClientError | OSError) -> Setback:
        """Tell a connection that never was, and cost nothing, from one that broke after the request was sent."""
        if isinstance(error, aiohttp.ConnectionTimeoutError):
            return Setback(reason=f"no connection within {self._timeouts.connect_seconds:g} s", kind=NO_CONNECTION)
        if isinstance(error, TimeoutError):
            reason = f"no whole reply within {self._timeouts.reply_seconds:g} s"
            return Setback(reason=reason, kind="timeout", perhaps_paid=True, tries_max=_PAID_TRIES)
        # aiohttp writes the whole URL into this one, and a query can hold a secret.
        said = error.message if isinstance(error, aiohttp.ClientResponseError) else str(error)
        reason = one_line(self._hide_key(f"{type(error).__name__}: {said}"))
        if isinstance(error, aiohttp.ClientConnectorError):
            return Setback(reason=reason, kind=NO_CONNECTION)
        return Setback(reason=reason, kind="connection broken", perhaps_paid=True)

    def _read(self, status: int, headers: Mapping[str, str], received: bytes) -> Reply | Setback:
        # A longer pause than anybody waits for is for the endpoint to demand, by refusing a request.
        if (used_up := used_up_seconds(headers)) <= _PAUSE_SECONDS_MAX:
            self.pace.close_for(used_up)
        if status == 200:
            reply = read_completion(received)
            if reply.status != "error":
                return replace(reply, served="") if reply.served == self._asked_as else reply
            reason = self._hide_key(reply.finish)
            return Setback(
                reason=reason, kind="unreadable reply", perhaps_paid=True, tries_max=_PAID_TRIES, overload=False
            )
        reason = one_line(self._hide_key(f"HTTP {status}: {error_message(received)}"))
        closed = status in _CLOSED or (status in _CLOSED_AT_FIRST and not self.pace.answered)
        if closed or any(code in received for code in _CLOSED_CODES):
            return Setback(reason=reason, kind=f"HTTP {status}", closed=True)
        if status in _PASSING or status >= 500:
            wait_seconds = retry_after_seconds(headers)
            if wait_seconds is None:
                wait_seconds = retry_delay_seconds(received)
            if wait_seconds is None and status == 429:
                wait_seconds = used_up or None
            return Setback(reason=reason, kind=f"HTTP {status}", wait_seconds=wait_seconds)
        # Azure refuses a prompt by this code rather than by a finish reason.
        if status == 400 and b'"content_filter"' in received:
            return Reply(status="filtered", finish=reason)
        return self._error(reason)

    def _open_session(self) -> aiohttp.ClientSession:
        headers = {"Content-Type": "application/json", "User-Agent": f"globmed/{globmed.__version__}"}
        if key := self._key.reveal():
            own = self._dialect.key_header
            headers[own or "Authorization"] = key if own else f"Bearer {key}"
        timeouts = self._timeouts
        return aiohttp.ClientSession(
            # The campaign bounds what is under way.
            connector=aiohttp.TCPConnector(limit=0),
            timeout=aiohttp.ClientTimeout(total=timeouts.reply_seconds, connect=timeouts.connect_seconds),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers=headers,
            proxy=self._proxy(),
        )

    def _proxy(self) -> str | None:
        """Return the environment's proxy; never for this machine, whose texts it would carry off it.

        aiohttp's `trust_env` would also send what `~/.netrc` holds for the host.
        """
        host = self._url.host or ""
        return None if self._loopback or proxy_bypass(host) else getproxies().get(self._url.scheme)

    def _error(self, reason: str) -> Reply:
        return Reply(status="error", finish=one_line(self._hide_key(reason)))

    def _hide_key(self, text: str) -> str:
        key = self._key.reveal()
        return text.replace(key, "[key]") if key else text

    def _without_key(self, received: bytes) -> bytes:
        key = self._key.reveal().encode()
        if len(key) < _SECRET_LENGTH_MIN:
            return received
        # JSON may write a slash as \/.
        return received.replace(key, b"[key]").replace(key.replace(b"/", rb"\/"), b"[key]")


def _response_format(schema: str) -> dict[str, Any]:
    """Ask for JSON of a schema, as OpenAI's reference has it: `strict` holds the model to it while it writes."""
    return {
        "type": "json_schema",
        "json_schema": {"name": "reply", "strict": True, "schema": msgspec.json.decode(schema)},
    }


def _endpoint(base_url: str) -> SplitResult:
    try:
        parts = urlsplit(base_url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        parts, host = urlsplit(""), None
    if parts.scheme not in {"http", "https"} or not host:
        shown = base_url.partition("?")[0]
        raise UsageError(f"base URL {shown!r}; expected one like http://127.0.0.1:8000/v1")
    if "@" in parts.netloc:
        raise UsageError(f"the base URL at {host} holds a user or password; give the key in an environment variable")
    # Azure's base URL has a query (api-version), which belongs after the path.
    return parts._replace(path=parts.path.rstrip("/") + "/chat/completions", fragment="")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        # RFC 6761, section 6.3; names below it are not always resolved on this machine.
        return host == "localhost"


async def _read_bounded(response: aiohttp.ClientResponse) -> bytes | None:
    chunks, size = [], 0
    async for chunk in response.content.iter_any():
        size += len(chunk)
        if size > REPLY_BYTES_MAX:
            return None
        chunks.append(chunk)
    return b"".join(chunks)
