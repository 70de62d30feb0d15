"""The contract between whoever asks and whatever answers: `Request`, `Reply`, `Setback` and the `Client` protocol."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal, Protocol

import msgspec

from globmed.core.errors import UsageError
from globmed.models.pace import Pace

LETTERS = "ABCDEFGHIJ"
# The kind of a setback where nobody was reached.
NO_CONNECTION = "no connection"

Status = Literal["ok", "refused", "truncated", "filtered", "error"]


class Message(msgspec.Struct, frozen=True):
    """One turn of a conversation."""

    role: Literal["system", "user", "assistant"]
    content: str


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """How a reply is made.

    Attributes:
        answer: `generate` free text, `score_options` by the likelihood of each option's own text, or `score_letters`
            by that of each option's letter.
        max_tokens: limit of a generated reply, in the model's tokens.
        temperature: 0 takes the likeliest token.
        top_p: share of probability sampled from.
        seed: passed to whatever can use it.
        score_end: when scoring options, count the end of the answer as part of each, so that an option that begins
            another ("high", "high fever") is not always likelier than it.
        top_logprobs: ask for the log-probability of each generated token, and of so many others in its place; None
            asks for none. Not every endpoint gives them.
    """

    answer: Literal["generate", "score_options", "score_letters"] = "generate"
    max_tokens: int = 512
    temperature: float = 0.0
    top_p: float = 1.0
    seed: int | None = None
    score_end: bool = False
    top_logprobs: int | None = None

    def __post_init__(self) -> None:
        """Refuse what no endpoint could heed.

        Raises:
            UsageError: a limit below 1, a temperature below 0 or none, a share outside 0 to 1, or a number of
                log-probabilities outside 0 to 20, the most that OpenAI gives.
        """
        if self.max_tokens < 1:
            raise UsageError(f"max_tokens is {self.max_tokens}; expected at least 1")
        if not 0 <= self.temperature < math.inf:
            raise UsageError(f"temperature is {self.temperature}; expected 0 or more")
        if not 0 < self.top_p <= 1:
            raise UsageError(f"top_p is {self.top_p}; expected above 0, at most 1")
        if self.top_logprobs is not None and not 0 <= self.top_logprobs <= 20:
            raise UsageError(f"top_logprobs is {self.top_logprobs}; expected 0 to 20")


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """One question to a model.

    Attributes:
        messages: what the model sees.
        options: texts to score or choose among; empty for an open question.
        lettered: whether the options are shown with letters, so that a letter names one.
        settings: how the reply is made.
        prior: the messages without the question, where options' likelihoods are also wanted without it; empty where
            not.
        schema: JSON Schema, as JSON, that a generated reply must follow, where the endpoint can hold a model to one;
            elsewhere it is not sent, so whoever asks says in words what is wanted and reads strictly.
        run: index of the repetition, from 0.
        label: names the item in errors and refusals, as `family/language`; this and what follows are no part of the
            key.
        source: name of the item's source.
        licence: the terms that the item is under, as its publisher states them.
        may_leave_machine: False where those terms forbid sending it to an endpoint off this machine.
    """

    messages: tuple[Message, ...]
    options: tuple[str, ...] = ()
    lettered: bool = True
    settings: Settings = Settings()
    prior: tuple[Message, ...] = ()
    schema: str = ""
    run: int = 0
    label: str = ""
    source: str = ""
    licence: str = ""
    may_leave_machine: bool = True


class Usage(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Tokens billed for one reply.

    Attributes:
        input: of the messages, the cached ones among them.
        cached: of these, read from the endpoint's cache.
        reasoning: of the output, those thought and not answered.
        output: all that was generated.
    """

    input: int = 0
    cached: int = 0
    reasoning: int = 0
    output: int = 0

    def __add__(self, other: Usage) -> Usage:
        """Return what two replies used."""
        return Usage(**{name: getattr(self, name) + getattr(other, name) for name in self.__struct_fields__})


class TokenLogprob(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One generated token: natural logarithm of its probability, and of the likeliest tokens' in its place."""

    token: str
    logprob: float
    top: dict[str, float] = {}


class Reply(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What came back, saved whole.

    Attributes:
        status: `ok`, or why there is no complete answer; an `error` is never scored as knowledge.
        text: the answer without its reasoning.
        reasoning: what the model thought aloud, kept apart.
        finish: the endpoint's own reason for stopping; of an error its text.
        usage: tokens.
        option_logprobs: natural logarithm of each option's probability given the messages, summed over the
            option's tokens; same order as the request's options; empty for generated replies.
        option_priors: the same given the request's `prior` messages; empty where it has none.
        logprobs: of each generated token, where they were asked for and the endpoint gives them.
        served: what the endpoint calls the model that answered, where that is not what was asked for: a snapshot behind
            a moving name, or another model altogether.
    """

    status: Status
    text: str = ""
    reasoning: str = ""
    finish: str = ""
    usage: Usage = Usage()
    option_logprobs: tuple[float, ...] = ()
    option_priors: tuple[float, ...] = ()
    logprobs: tuple[TokenLogprob, ...] = ()
    served: str = ""


class Setback(msgspec.Struct, frozen=True, kw_only=True):
    """A try that failed, and that another one may mend.

    Attributes:
        reason: one line for people.
        kind: what failures are counted by, such as `HTTP 429` or `timeout`.
        wait_seconds: how long the endpoint asks to wait; None where it does not say.
        perhaps_paid: the request had been sent, and whether it was answered and billed is not known.
        closed: nobody will be answered there until somebody does something about it: a wrong key, no credit.
        tries_max: after so many tries in all it is an error; None where only the campaign's patience counts.
        overload: the place may be asked too fast.
    """

    reason: str
    kind: str
    wait_seconds: float | None = None
    perhaps_paid: bool = False
    closed: bool = False
    tries_max: int | None = None
    overload: bool = True


class Client(Protocol):
    """Whatever answers requests."""

    @property
    def model(self) -> str:
        """Id of the model, as the catalog or the endpoint names it."""

    @property
    def revision(self) -> str:
        """Version of the weights, as a commit or a hash; empty where the endpoint does not say."""

    @property
    def on_this_machine(self) -> bool:
        """Whether no text leaves this machine."""

    @property
    def pace(self) -> Pace:
        """How fast the place where it answers may be asked; clients at one place share it."""

    @property
    def batch_size(self) -> int:
        """How many requests `answer` takes best at once; the upper bound a campaign gives it."""

    def sent(self, request: Request) -> Mapping[str, Any]:
        """Return messages and parameters exactly as they are sent, as plain JSON; the key is made from it."""

    async def answer(self, batch: Sequence[Request]) -> Sequence[Reply | Setback]:
        """Try once to answer a batch: one reply or setback for each request, in order.

        A call that failed for good is a reply with status `error`, one that may be tried again a setback; neither is
        an exception. When to try again is for the campaign to say.
        """

    async def close(self) -> None:
        """Free connections and memory."""


def reply_key(client: Client, request: Request) -> str:
    """Return the key under which a reply is saved: 32 hexadecimal digits.

    It is the BLAKE2b hash of model id, revision, messages as sent, parameters as sent and run index. Prices, labels
    and other metadata are not part of it, so two items with one prompt share a reply.
    """
    parts = [client.model, client.revision, client.sent(request), request.run]
    return hashlib.blake2b(msgspec.json.encode(parts, order="sorted"), digest_size=16).hexdigest()
