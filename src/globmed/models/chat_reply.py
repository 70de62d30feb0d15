"""What a chat completions endpoint's answer means: from the bytes of its body to a `Reply`, without any network."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any

import msgspec

from globmed.models.client import Reply, Status, Usage

_LINE_LENGTH_MAX = 500
# Beside OpenAI's words, those that gateways pass through from Anthropic and Google.
_FINISH: dict[str, Status] = {
    "length": "truncated",
    "max_tokens": "truncated",
    "MAX_TOKENS": "truncated",
    "content_filter": "filtered",
    "SAFETY": "filtered",
    "refusal": "refused",
    "error": "error",
}
_THINK = re.compile(r"<think>(.*?)(?:</think>|\Z)", re.DOTALL)


class _Message(msgspec.Struct):
    content: str | None = None
    refusal: str | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None


class _Choice(msgspec.Struct):
    message: _Message = msgspec.field(default_factory=_Message)
    finish_reason: str | None = None


class _PromptDetails(msgspec.Struct):
    cached_tokens: int | None = None


class _CompletionDetails(msgspec.Struct):
    reasoning_tokens: int | None = None


class _Usage(msgspec.Struct):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    prompt_tokens_details: _PromptDetails | None = None
    completion_tokens_details: _CompletionDetails | None = None


class _Completion(msgspec.Struct):
    choices: list[_Choice] | None = None
    usage: _Usage | None = None
    error: Any = None


_decode = msgspec.json.Decoder(_Completion).decode


def read_completion(body: bytes) -> Reply:
    """Read the body of an answer with HTTP status 200.

    The status is `truncated` where the token limit cut the reply (also one that has nothing but reasoning), `filtered`
    where the endpoint withheld it, `refused` where the endpoint says that the model declined, and `error` where there
    is no answer to read; the reason is then in `finish`. A refusal in the model's own words is text like any other.
    """
    try:
        completion = _decode_leniently(body)
    except (ValueError, RecursionError) as error:
        return Reply(status="error", finish=one_line(f"not a chat completion: {error}: {_start(body)}"))
    if not completion.choices:
        said = f": {error_message(body)}" if completion.error is not None else ""
        return Reply(status="error", finish=one_line(f"no choices in the reply{said}"), usage=_usage(completion.usage))
    choice = completion.choices[0]
    message, finish = choice.message, choice.finish_reason or ""
    text, thought = split_reasoning(message.content or "")
    status = _FINISH.get(finish, "ok")
    if message.refusal:
        status, text = "refused", text or message.refusal
    elif status == "ok" and message.content is None:
        status, finish = "error", f"the content is null (finish_reason {finish or 'null'})"
    return Reply(
        status=status,
        text=text,
        reasoning=message.reasoning_content or message.reasoning or thought,
        finish=finish,
        usage=_usage(completion.usage),
    )


def split_reasoning(content: str) -> tuple[str, str]:
    """Split a reply into answer and what stands in `<think>` tags.

    An unclosed tag holds all that follows. Where the prompt itself opened the tag, the reply has the closing one only.
    """
    if "</think>" in content and "<think>" not in content.partition("</think>")[0]:
        content = "<think>" + content
    thoughts = _THINK.findall(content)
    if not thoughts:
        return content, ""
    return _THINK.sub("", content).strip(), "\n".join(thought.strip() for thought in thoughts)


def error_message(body: bytes) -> str:
    """Return what an endpoint says went wrong, in one line: its message where it has the usual form, else its words."""
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        return _start(body)
    for name in ("error", "message", "detail"):
        if isinstance(said, dict) and said.get(name):
            said = said[name]
    return one_line(said if isinstance(said, str) else json.dumps(said, ensure_ascii=False))


def retry_after_seconds(headers: Mapping[str, str]) -> float | None:
    """Return how long an endpoint asks to wait (RFC 9110, section 10.2.3), or None where it does not say.

    A date is taken against the endpoint's own clock where it tells it, for ours may be wrong.
    """
    value = headers.get("Retry-After", "").strip()
    try:
        return max(float(value), 0.0) if value[:1].isdigit() else _until(value, headers.get("Date", ""))
    except ValueError:
        return None


def one_line(text: str) -> str:
    """Return a text as one line of bounded length."""
    line = " ".join(text.split())
    return line if len(line) <= _LINE_LENGTH_MAX else line[:_LINE_LENGTH_MAX] + " ..."


def _until(date: str, now: str) -> float:
    start = parsedate_to_datetime(now).timestamp() if now else time.time()
    return max(parsedate_to_datetime(date).timestamp() - start, 0.0)


def _decode_leniently(body: bytes) -> _Completion:
    try:
        return _decode(body)
    except msgspec.ValidationError:
        raise
    except (msgspec.DecodeError, UnicodeDecodeError):
        # A reply cut inside a character can hold half a surrogate pair, which strict JSON has not.
        text = json.dumps(json.loads(body.decode("utf-8", "replace")), ensure_ascii=False)
        return _decode(text.encode("utf-8", "replace"))


def _usage(usage: _Usage | None) -> Usage:
    usage = usage or _Usage()
    prompt = usage.prompt_tokens_details or _PromptDetails()
    completion = usage.completion_tokens_details or _CompletionDetails()
    return Usage(
        input=usage.prompt_tokens or 0,
        cached=prompt.cached_tokens or 0,
        reasoning=completion.reasoning_tokens or 0,
        output=usage.completion_tokens or 0,
    )


def _start(body: bytes) -> str:
    return one_line(body[:2000].decode("utf-8", "replace")) or "an empty body"
