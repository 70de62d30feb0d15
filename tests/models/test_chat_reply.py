"""What an endpoint's body means, without a network."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from globmed.models.chat_reply import error_message, one_line, read_completion, retry_after_seconds, split_reasoning
from globmed.models.client import Status, Usage

Completion = Callable[..., dict[str, Any]]


def body(value: object) -> bytes:
    return json.dumps(value).encode()


def test_an_ordinary_reply_with_its_usage(completion: Completion) -> None:
    reply = read_completion(body(completion("The answer is B.")))
    assert (reply.status, reply.text, reply.reasoning, reply.finish) == ("ok", "The answer is B.", "", "stop")
    assert reply.usage == Usage(input=12, cached=4, reasoning=5, output=7)


@pytest.mark.parametrize(
    ("content", "finish", "message", "status", "text"),
    [
        ("half a", "length", {}, "truncated", "half a"),
        (None, "length", {"reasoning_content": "still thinking"}, "truncated", ""),
        ("<think>still thinking", "length", {}, "truncated", ""),
        (None, "content_filter", {}, "filtered", ""),
        ("par", "content_filter", {}, "filtered", "par"),
        (None, "stop", {"refusal": "I cannot"}, "refused", "I cannot"),
        ("", "stop", {}, "ok", ""),
        ("B", None, {}, "ok", "B"),
        ("B", "eos", {"refusal": None}, "ok", "B"),
        (None, "stop", {}, "error", ""),
        (None, "tool_calls", {"tool_calls": []}, "error", ""),
        ("B", "error", {}, "error", "B"),
    ],
)
def test_status(
    completion: Completion, content: str | None, finish: str | None, message: dict[str, Any], status: Status, text: str
) -> None:
    reply = read_completion(body(completion(content, finish, **message)))
    assert (reply.status, reply.text) == (status, text)
    assert reply.usage.output == 7


@pytest.mark.parametrize(
    ("content", "text", "reasoning"),
    [
        ("<think>\nfever\n</think>\n\nB", "B", "fever"),
        ("<think></think>B", "B", ""),
        ("fever, so B?\n</think>\n\nB", "B", "fever, so B?"),
        ("<think>fever and", "", "fever and"),
        ("Well. <think>fever</think> B", "Well.  B", "fever"),
        ("<think>one</think><think>two</think>B", "B", "one\ntwo"),
        ("  B\n", "  B\n", ""),
        ("I think <b>B</b>", "I think <b>B</b>", ""),
    ],
)
def test_reasoning_in_tags_is_kept_apart(completion: Completion, content: str, text: str, reasoning: str) -> None:
    assert split_reasoning(content) == (text, reasoning)
    reply = read_completion(body(completion(content)))
    assert (reply.text, reply.reasoning) == (text, reasoning)


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning"])
def test_reasoning_in_its_own_field_is_kept_apart(completion: Completion, field: str) -> None:
    reply = read_completion(body(completion("B", **{field: "because"})))
    assert (reply.text, reply.reasoning) == ("B", "because")


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])), st.text(alphabet="ab </think>\n"))
def test_what_was_thought_is_never_in_the_answer(thought: str, answer: str) -> None:
    text, _ = split_reasoning(f"<think>{thought}</think>{answer}")
    assert "<think>" not in text
    if "think>" not in thought + answer:
        assert (text, split_reasoning(text)[1]) == (answer.strip(), "")


@pytest.mark.parametrize(
    ("received", "said"),
    [
        (b"", "an empty body"),
        (b"<html>\n<title>502</title>\n", "<html> <title>502</title>"),
        (b'{"choices": [', "not a chat completion"),
        (b"[]", "not a chat completion"),
        (b"null", "not a chat completion"),
        (b'{"choices": []}', "no choices"),
        (b'{"choices": null}', "no choices"),
        (b"{}", "no choices"),
        (b'{"error": {"message": "upstream is\\n down", "code": 502}}', "no choices in the reply: upstream is down"),
        (b'{"choices": [{"message": {"content": ["B"]}}]}', "content"),
        (b"\xff\xfe", "not a chat completion"),
        (b"[" * 100_000, "not a chat completion"),
    ],
)
def test_what_cannot_be_read_is_an_error_in_one_line(received: bytes, said: str) -> None:
    reply = read_completion(received)
    assert reply.status == "error"
    assert said in reply.finish
    assert "\n" not in reply.finish
    assert len(reply.finish) < 600


def test_half_a_surrogate_pair_does_not_cost_the_reply() -> None:
    reply = read_completion(rb'{"choices": [{"message": {"content": "B \ud83d"}, "finish_reason": "length"}]}')
    assert (reply.status, reply.text) == ("truncated", "B ?")


@given(st.binary(max_size=60))
def test_no_body_raises(received: bytes) -> None:
    assert read_completion(received).status == "error"
    assert "\n" not in error_message(received)


@pytest.mark.parametrize("missing", ["usage", "prompt_tokens", "prompt_tokens_details", "completion_tokens_details"])
def test_usage_may_be_null_in_part(completion: Completion, missing: str) -> None:
    value = completion()
    (value if missing == "usage" else value["usage"])[missing] = None
    assert read_completion(body(value)).status == "ok"


@pytest.mark.parametrize(
    ("received", "message"),
    [
        ({"error": {"message": "no such model", "type": "invalid_request_error"}}, "no such model"),
        ({"error": "out\nof\tmemory"}, "out of memory"),
        ({"message": "Unauthorized"}, "Unauthorized"),
        ({"detail": [{"msg": "field required"}]}, '[{"msg": "field required"}]'),
        ("plain", "plain"),
    ],
)
def test_error_message(received: object, message: str) -> None:
    assert error_message(body(received)) == message


def test_one_line_is_bounded() -> None:
    assert len(one_line("x " * 10_000)) < 600


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "7"}, 7.0),
        ({"Retry-After": "0.25"}, 0.25),
        (
            {"Retry-After": "Fri, 31 Dec 1999 23:59:59 GMT", "Date": "Fri, 31 Dec 1999 23:59:29 GMT"},
            30.0,
        ),
        ({"Retry-After": "Fri, 31 Dec 1999 23:59:59 GMT"}, 0.0),
        ({"Retry-After": "-3"}, None),
        ({"Retry-After": "soon"}, None),
        ({}, None),
    ],
)
def test_retry_after(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after_seconds(headers) == seconds
