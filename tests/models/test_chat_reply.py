"""What an endpoint's body means, without a network."""

import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from globmed.models.chat_reply import error_message, one_line, read_completion, retry_delay_seconds, split_reasoning
from globmed.models.client import Reply, Status, TokenLogprob, Usage

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
        # Mistral, SGLang, DeepSeek, Together, TGI, Ollama, Anthropic and Google through a gateway, and what is new.
        ("half", "model_length", {}, "truncated", "half"),
        ("half", "max_tokens", {}, "truncated", "half"),
        ("half", "MAX_TOKENS", {}, "truncated", "half"),
        ("half", "abort", {}, "error", "half"),
        ("half", "insufficient_system_resource", {}, "error", "half"),
        ("", "SAFETY", {}, "filtered", ""),
        (None, "content_filter: PROHIBITED_CONTENT", {}, "filtered", ""),
        ("", "refusal", {}, "refused", ""),
        ("B", "eos_token", {}, "ok", "B"),
        ("B", "stop_sequence", {}, "ok", "B"),
        ("B", "unload", {}, "ok", "B"),
        ("B", "a-reason-of-next-year", {}, "ok", "B"),
    ],
)
def test_status(
    completion: Completion, content: str | None, finish: str | None, message: dict[str, Any], status: Status, text: str
) -> None:
    reply = read_completion(body(completion(content, finish, **message)))
    assert (reply.status, reply.text) == (status, text)
    assert reply.usage.output == 7
    # The endpoint's own word is kept, but where the error says more.
    assert reply.finish.startswith(finish or "") or status == "error"


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


@pytest.mark.parametrize(
    ("content", "text", "reasoning"),
    [
        ([{"type": "text", "text": "The answer "}, {"type": "text", "text": "is B."}], "The answer is B.", ""),
        # Mistral's reasoning models.
        (
            [
                {"type": "thinking", "thinking": [{"type": "text", "text": "fe"}, {"type": "text", "text": "ver"}]},
                {"type": "thinking", "thinking": "chills"},
                {"type": "text", "text": "B"},
            ],
            "B",
            "fever\nchills",
        ),
        ([{"type": "text", "text": "<think>fever</think>B"}], "B", "fever"),
        ([{"type": "reference", "reference_ids": [1]}, {"type": "text", "text": "B"}], "B", ""),
        ([], "", ""),
    ],
)
def test_content_in_parts(completion: Completion, content: Any, text: str, reasoning: str) -> None:
    reply = read_completion(body(completion(content)))
    assert (reply.status, reply.text, reply.reasoning) == ("ok", text, reasoning)


@pytest.mark.parametrize(
    "value",
    [
        {"choices": [{"message": {"content": "hal"}, "finish_reason": "error", "error": {"message": "lost\nit"}}]},
        {"choices": [{"message": {"content": "hal"}, "finish_reason": "stop", "error": {"message": "lost\nit"}}]},
        {"choices": [{"message": {"content": "hal"}, "finish_reason": "stop"}], "error": {"message": "lost it"}},
        {"choices": [], "error": {"message": "lost it"}},
        {"choices": None, "error": "lost it"},
    ],
)
def test_an_error_with_status_200_is_an_error(value: dict[str, Any]) -> None:
    """As OpenRouter sends them, before and after the model began."""
    reply = read_completion(body(value))
    assert reply.status == "error"
    assert "lost it" in reply.finish
    assert "\n" not in reply.finish


@pytest.mark.parametrize("nothing", [None, "", {}, False])
def test_an_error_that_is_none_is_no_error(completion: Completion, nothing: object) -> None:
    assert read_completion(body({**completion("B"), "error": nothing})).status == "ok"


def with_logprobs(completion: Completion, logprobs: object) -> dict[str, Any]:
    value = completion("B")
    value["choices"][0]["logprobs"] = logprobs
    return value


def test_logprobs_of_each_token_and_of_others_in_its_place(completion: Completion) -> None:
    logprobs = {
        "content": [
            {
                "token": "B",
                "logprob": -0.1,
                "bytes": [66],
                "top_logprobs": [
                    {"token": "B", "logprob": -0.1, "bytes": [66]},
                    {"token": "C", "logprob": -9999.0, "bytes": None},
                    {"token": "D", "logprob": None},
                ],
            },
            {"token": ".", "logprob": 0, "top_logprobs": None},
            {"token": "", "logprob": -2.5},
        ],
        "refusal": None,
    }
    assert read_completion(body(with_logprobs(completion, logprobs))).logprobs == (
        TokenLogprob(token="B", logprob=-0.1, top={"B": -0.1, "C": -9999.0}),
        TokenLogprob(token=".", logprob=0.0),
        TokenLogprob(token="", logprob=-2.5),
    )


@pytest.mark.parametrize(
    "logprobs",
    [
        None,
        {},
        {"content": None},
        {"content": []},
        # Together's form.
        {"tokens": ["B"], "token_logprobs": [-0.1], "top_logprobs": [{"B": -0.1}]},
        {"content": [{"token": "B", "logprob": None}]},
        {"content": [{"token": 5, "logprob": -0.1}]},
        {"content": {"B": -0.1}},
        [-0.1],
        "none",
    ],
)
def test_a_reply_is_worth_having_whatever_comes_for_its_logprobs(completion: Completion, logprobs: object) -> None:
    reply = read_completion(body(with_logprobs(completion, logprobs)))
    assert (reply.status, reply.text, reply.logprobs) == ("ok", "B", ())


def test_numbers_that_are_none_do_not_cost_the_reply(completion: Completion) -> None:
    """Python's servers write minus infinity, which JSON has not."""
    top = [{"token": "C", "logprob": float("-inf")}, {"token": "D", "logprob": float("nan")}]
    received = body(with_logprobs(completion, {"content": [{"token": "B", "logprob": -0.1, "top_logprobs": top}]}))
    assert b"-Infinity" in received
    assert read_completion(received).logprobs == (TokenLogprob(token="B", logprob=-0.1),)


@pytest.mark.parametrize(
    ("given_usage", "usage"),
    [
        # Mistral, Together, Ollama, TGI, transformers.
        ({"prompt_tokens": 12, "completion_tokens": 7, "total_tokens": 19}, Usage(input=12, output=7)),
        # DeepSeek.
        (
            {"prompt_tokens": 12, "completion_tokens": 7, "prompt_cache_hit_tokens": 4, "prompt_cache_miss_tokens": 8},
            Usage(input=12, cached=4, output=7),
        ),
        # Groq, with times.
        ({"prompt_tokens": 12, "completion_tokens": 7, "queue_time": 0.02, "x": 0.5}, Usage(input=12, output=7)),
        # What was thought is in the total only.
        (
            {"prompt_tokens": 12, "completion_tokens": 7, "total_tokens": 59},
            Usage(input=12, reasoning=40, output=47),
        ),
        (
            {
                "prompt_tokens": 12,
                "completion_tokens": 7,
                "total_tokens": 59,
                "completion_tokens_details": {"reasoning_tokens": 40},
            },
            Usage(input=12, reasoning=40, output=47),
        ),
        # Some gateways leave what was cached out of the prompt; less than nothing is never to be paid.
        (
            {"prompt_tokens": 12, "completion_tokens": 7, "prompt_tokens_details": {"cached_tokens": 100}},
            Usage(input=12, cached=12, output=7),
        ),
        ({"prompt_tokens": -1, "completion_tokens": 7}, Usage()),
        ({"prompt_tokens": 10**40, "completion_tokens": 7}, Usage()),
        ({"prompt_tokens": "12", "completion_tokens": 7}, Usage()),
        ({"prompt_tokens": 12.5, "completion_tokens": 7}, Usage()),
        ([12, 7], Usage()),
        ({}, Usage()),
        (None, Usage()),
    ],
)  # fmt: skip
def test_usage(completion: Completion, given_usage: object, usage: Usage) -> None:
    reply = read_completion(body({**completion("B"), "usage": given_usage}))
    assert (reply.status, reply.text, reply.usage) == ("ok", "B", usage)


leaves = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
branches = st.lists(leaves, max_size=3) | st.dictionaries(st.text(max_size=5), leaves, max_size=3)
json_values = leaves | branches | st.lists(branches, max_size=3) | st.dictionaries(st.text(max_size=5), branches)


@given(st.sampled_from(["usage", "logprobs", "error", "finish_reason", "content", "refusal", "reasoning"]), json_values)
def test_whatever_stands_in_one_place_can_be_read_and_saved(place: str, value: object) -> None:
    message: dict[str, Any] = {"content": "B"}
    choice: dict[str, Any] = {"message": message, "finish_reason": "stop"}
    whole: dict[str, Any] = {"choices": [choice]}
    of = {"usage": whole, "error": whole, "logprobs": choice, "finish_reason": choice}.get(place, message)
    of[place] = value
    reply = read_completion(body(whole))
    if place in {"usage", "logprobs"}:
        assert (reply.status, reply.text) == ("ok", "B")
    assert min(reply.usage.input, reply.usage.cached, reply.usage.reasoning, reply.usage.output) >= 0
    assert reply.usage.cached <= reply.usage.input
    assert msgspec.json.decode(msgspec.json.encode(reply), type=Reply) == reply


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
        # Google, Anthropic, OpenRouter.
        ([{"error": {"code": 400, "message": "bad argument", "status": "INVALID_ARGUMENT"}}], "bad argument"),
        ({"type": "error", "error": {"type": "rate_limit_error", "message": "slow down"}}, "slow down"),
        ({"error": {"code": 429, "message": "slow down", "metadata": {"error_type": "x"}}}, "slow down"),
        ([], "[]"),
        ([1, 2], "1"),
        ({"error": {"message": ""}}, '{"message": ""}'),
    ],
)
def test_error_message(received: object, message: str) -> None:
    assert error_message(body(received)) == message


def test_one_line_is_bounded() -> None:
    assert len(one_line("x " * 10_000)) < 600


@pytest.mark.parametrize(
    ("received", "seconds"),
    [
        (b'[{"error": {"code": 429, "details": [{"@type": "x/google.rpc.RetryInfo", "retryDelay": "22s"}]}}]', 22.0),
        (b'{"error": {"details": [{\n  "retryDelay":   "0.5s"\n}]}}', 0.5),
        (b'{"retryDelay": "soon"}', None),
        (b'{"retryDelay": "-3s"}', None),
        (b"slow down", None),
        (b"", None),
    ],
)
def test_how_long_a_body_asks_to_wait(received: bytes, seconds: float | None) -> None:
    assert retry_delay_seconds(received) == seconds
