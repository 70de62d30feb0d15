"""What a chat completions endpoint's answer means: from the bytes of its body to a `Reply`, without any network."""

from __future__ import annotations

import json
import re
from typing import Annotated, Any

import msgspec

from globmed.models.client import Reply, Status, TokenLogprob, Usage

_LINE_LENGTH_MAX = 500
# Beside OpenAI's words, Mistral's, DeepSeek's and SGLang's, and Anthropic's and Google's, which gateways pass through.
_FINISH: dict[str, Status] = {
    "length": "truncated",
    "max_tokens": "truncated",
    "MAX_TOKENS": "truncated",
    "model_length": "truncated",
    "content_filter": "filtered",
    "SAFETY": "filtered",
    "RECITATION": "filtered",
    "BLOCKLIST": "filtered",
    "PROHIBITED_CONTENT": "filtered",
    "SPII": "filtered",
    "refusal": "refused",
    "error": "error",
    "abort": "error",
    "insufficient_system_resource": "error",
}
_Count = Annotated[int, msgspec.Meta(ge=0, lt=2**53)]
_NOTHING = msgspec.Raw(b"null")
_THINK = re.compile(r"<think>(.*?)(?:</think>|\Z)", re.DOTALL)


class _Thought(msgspec.Struct):
    text: str = ""


class _Part(msgspec.Struct):
    """Mistral's reasoning models answer in parts of type `text` and `thinking`."""

    type: str = ""
    text: str = ""
    thinking: list[_Thought] | str = ""


class _Message(msgspec.Struct):
    content: str | list[_Part] | None = None
    refusal: str | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None


class _TopLogprob(msgspec.Struct):
    token: str
    # null for a token that cannot come.
    logprob: float | None


class _Logprob(msgspec.Struct):
    token: str
    logprob: float
    top_logprobs: list[_TopLogprob] | None = None


class _Logprobs(msgspec.Struct):
    content: list[_Logprob] | None = None


class _Choice(msgspec.Struct):
    message: _Message = msgspec.field(default_factory=_Message)
    finish_reason: str | None = None
    # OpenRouter: what befell a reply after it had begun.
    error: Any = None
    # What goes with a reply is read apart: a reply is worth having where that has a form of its own.
    logprobs: msgspec.Raw = _NOTHING


class _PromptDetails(msgspec.Struct):
    cached_tokens: _Count | None = None


class _CompletionDetails(msgspec.Struct):
    reasoning_tokens: _Count | None = None


class _Usage(msgspec.Struct):
    prompt_tokens: _Count | None = None
    completion_tokens: _Count | None = None
    total_tokens: _Count | None = None
    # DeepSeek's name for what others put into the details.
    prompt_cache_hit_tokens: _Count | None = None
    prompt_tokens_details: _PromptDetails | None = None
    completion_tokens_details: _CompletionDetails | None = None


class _Completion(msgspec.Struct):
    model: str | None = None
    choices: list[_Choice] | None = None
    usage: msgspec.Raw = _NOTHING
    error: Any = None


_decode = msgspec.json.Decoder(_Completion).decode
_decode_usage = msgspec.json.Decoder(_Usage | None).decode
_decode_logprobs = msgspec.json.Decoder(_Logprobs | None).decode


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
    text, thought = _text_and_thought(message.content)
    # Google: `content_filter: PROHIBITED_CONTENT`.
    status = _FINISH.get(finish.partition(":")[0], "ok")
    if befell := choice.error or completion.error:
        status, finish = "error", one_line(f"{finish}: {error_message(msgspec.json.encode(befell))}")
    elif message.refusal:
        status, text = "refused", text or message.refusal
    elif status == "ok" and message.content is None:
        status, finish = "error", f"the content is null (finish_reason {finish or 'null'})"
    return Reply(
        status=status,
        text=text,
        reasoning=message.reasoning_content or message.reasoning or thought,
        finish=finish,
        usage=_usage(completion.usage),
        logprobs=_logprobs(choice.logprobs),
        served=completion.model or "",
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
    # Google's is a list of one.
    said = said[0] if isinstance(said, list) and said else said
    for name in ("error", "message", "detail"):
        if isinstance(said, dict) and said.get(name):
            said = said[name]
    return one_line(said if isinstance(said, str) else json.dumps(said, ensure_ascii=False))


def retry_delay_seconds(body: bytes) -> float | None:
    """Return how long an error's body asks to wait, as Google's does (google.rpc.RetryInfo); None where it does not."""
    match = re.search(rb'"retryDelay":\s*"(\d{1,9}(?:\.\d{1,9})?)s"', body)
    return float(match[1]) if match else None


def one_line(text: str) -> str:
    """Return a text as one line of bounded length."""
    line = " ".join(text.split())
    return line if len(line) <= _LINE_LENGTH_MAX else line[:_LINE_LENGTH_MAX] + " ..."


def _decode_leniently(body: bytes) -> _Completion:
    try:
        return _decode(body)
    except msgspec.ValidationError:
        raise
    except (msgspec.DecodeError, UnicodeDecodeError):
        # A reply cut inside a character can hold half a surrogate pair, which strict JSON has not.
        # Python servers write numbers that are none, such as -Infinity.
        said = json.loads(body.decode("utf-8", "replace"), parse_constant=lambda _: None)
        text = json.dumps(said, ensure_ascii=False)
        return _decode(text.encode("utf-8", "replace"))


def _text_and_thought(content: str | list[_Part] | None) -> tuple[str, str]:
    if not isinstance(content, list):
        return split_reasoning(content or "")
    text, thought = split_reasoning("".join(part.text for part in content if part.type == "text"))
    thoughts = [part.thinking for part in content if part.type == "thinking"]
    return text, "\n".join(_joined(one) for one in thoughts) or thought


def _joined(thinking: list[_Thought] | str) -> str:
    return thinking if isinstance(thinking, str) else "".join(thought.text for thought in thinking)


def _logprobs(given: msgspec.Raw) -> tuple[TokenLogprob, ...]:
    try:
        logprobs = _decode_logprobs(given) or _Logprobs()
    except msgspec.ValidationError:
        return ()
    return tuple(
        TokenLogprob(
            token=one.token,
            logprob=one.logprob,
            top={other.token: other.logprob for other in one.top_logprobs or () if other.logprob is not None},
        )
        for one in logprobs.content or ()
    )


def _usage(given: msgspec.Raw) -> Usage:
    try:
        usage = _decode_usage(given) or _Usage()
    except msgspec.ValidationError:
        return Usage()
    prompt = usage.prompt_tokens_details or _PromptDetails()
    completion = usage.completion_tokens_details or _CompletionDetails()
    read, written = usage.prompt_tokens or 0, usage.completion_tokens or 0
    # Google and xAI leave what was thought out of `completion_tokens`; the total has it.
    unnamed = max((usage.total_tokens or 0) - read - written, 0)
    return Usage(
        input=read,
        cached=min(prompt.cached_tokens or usage.prompt_cache_hit_tokens or 0, read),
        reasoning=completion.reasoning_tokens or unnamed,
        output=written + unnamed,
    )


def _start(body: bytes) -> str:
    return one_line(body[:2000].decode("utf-8", "replace")) or "an empty body"
