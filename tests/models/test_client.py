"""The key of a reply: everything that is sent decides it, and nothing else."""

import dataclasses
from collections.abc import Callable

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from globmed.models.baseline import Chance
from globmed.models.client import Client, Message, Request, Settings, reply_key
from globmed.models.http_api import Dialect, HttpModel, ParameterNames

messages = st.lists(
    st.builds(Message, role=st.sampled_from(["system", "user", "assistant"]), content=st.text(max_size=20)),
    min_size=1,
    max_size=3,
).map(tuple)
settings = st.builds(
    Settings,
    max_tokens=st.integers(1, 4096),
    temperature=st.sampled_from([0.0, 0.7, 1.0]),
    top_p=st.sampled_from([0.9, 1.0]),
    seed=st.none() | st.integers(0, 9),
    top_logprobs=st.none() | st.integers(0, 20),
)
requests = st.builds(
    Request,
    messages=messages,
    options=st.lists(st.text(max_size=5), max_size=3).map(tuple),
    settings=settings,
    run=st.integers(0, 3),
    label=st.text(max_size=5),
    source=st.text(max_size=5),
    licence=st.text(max_size=5),
    may_leave_machine=st.booleans(),
)


@dataclasses.dataclass(frozen=True)
class Endpoint:
    """What of a client besides the request decides a key."""

    model: str = "m"
    revision: str = ""

    def client(self) -> Client:
        return HttpModel(self.model, "http://127.0.0.1/v1", revision=self.revision)


@given(requests, requests)
def test_key_ignores_label_and_terms(request: Request, terms: Request) -> None:
    named = ("label", "source", "licence", "may_leave_machine")
    other = msgspec.structs.replace(request, **{name: getattr(terms, name) for name in named})
    for client in (Endpoint().client(), Chance()):
        assert reply_key(client, request) == reply_key(client, other)


@given(requests, requests)
def test_keys_are_equal_exactly_where_what_is_sent_is(first: Request, second: Request) -> None:
    for client in (Endpoint().client(), Chance()):
        same = (client.sent(first), first.run) == (client.sent(second), second.run)
        assert (reply_key(client, first) == reply_key(client, second)) == same


@pytest.mark.parametrize(
    "changed",
    [
        {"messages": (Message(role="user", content="another"),)},
        {"messages": (Message(role="system", content="question 0"),)},
        {"settings": Settings(max_tokens=9)},
        {"settings": Settings(temperature=0.5)},
        {"settings": Settings(top_p=0.5)},
        {"settings": Settings(seed=0)},
        {"settings": Settings(top_logprobs=0)},
        {"run": 1},
    ],
)
def test_key_changes_with_each_thing_sent(ask: Callable[..., Request], changed: dict[str, object]) -> None:
    client, request = Endpoint().client(), ask()
    assert reply_key(client, request) != reply_key(client, msgspec.structs.replace(request, **changed))


def test_key_changes_with_model_and_revision_and_not_with_the_address(ask: Callable[..., Request]) -> None:
    keys = {reply_key(end.client(), ask()) for end in (Endpoint(), Endpoint("n"), Endpoint("m", "r1"))}
    assert len(keys) == 3
    elsewhere = HttpModel("m", "https://example.org/v1", api_key="a-key-that-is-long")
    assert reply_key(elsewhere, ask()) in keys
    dialect = Dialect(names=ParameterNames(max_tokens="max_completion_tokens"))
    for told in ({"dialect": dialect}, {"extra": {"reasoning_effort": "low"}}, {"asked_as": "org/m"}):
        assert reply_key(HttpModel("m", "http://127.0.0.1/v1", **told), ask()) not in keys


def test_key_of_a_known_request(ask: Callable[..., Request]) -> None:
    """Keys are on disk for years: a change of the hash would ask everything again."""
    assert reply_key(Endpoint().client(), ask()) == "86870496241e5eb8c88e2c2b1f12167b"
