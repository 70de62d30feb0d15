"""Asks one step's questions of whoever they are for, again where a reply cannot be read; or only counts them."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import partial
from typing import Generic, TypeVar

import msgspec

from globmed.core.errors import EnvironmentFailedError
from globmed.data.translate.estimate import Estimates
from globmed.data.translate.reading import Read
from globmed.data.translate.team import Member
from globmed.models.attempts import Patience
from globmed.models.campaign import Answered, Campaign, CampaignStats, run_campaigns
from globmed.models.client import Message, Reply, Request, Usage, reply_key
from globmed.models.paying import Effort
from globmed.prompts import load

T = TypeVar("T")

OnProgress = Callable[[str, CampaignStats], None]
Watch = Callable[[str], AbstractContextManager[OnProgress | None]]
"""Gives, for the title of a step, what is told a model's id and how far it is."""

NO_ANSWER = "no answer"
"""Why nothing was made of a request whose calls all failed: the next run asks it again."""

_ERROR_MAX = 300


def unwatched(_title: str) -> AbstractContextManager[None]:
    """Watch nothing."""
    return nullcontext()


@dataclass(frozen=True)
class Question(Generic[T]):
    """One request, to whom, how its reply is read, and of how many bytes of text that will be."""

    member: Member
    request: Request
    read: Callable[[str], Read[T]]
    reply_bytes: int


@dataclass(frozen=True, kw_only=True)
class Outcome(Generic[T]):
    """What became of a question.

    Attributes:
        value: what was read; None where nothing was.
        key: of the last reply.
        usage: tokens of all its replies.
        cost_usd: of all its replies; None where not known.
        attempts: how many replies there were.
        failure: why nothing was read, in a few words.
    """

    value: T | None
    key: str
    usage: Usage
    cost_usd: float | None
    attempts: int
    failure: str = ""


class Asker:
    """Asks questions in waves, each a campaign a model; what a journal holds is not asked again."""

    def __init__(
        self, effort: Effort, *, attempts: int, estimates: Estimates | None = None, watch: Watch = unwatched
    ) -> None:
        """Get ready.

        Args:
            effort: how hard to ask.
            attempts: how often a reply that cannot be read is asked for, at most.
            estimates: given, nothing is sent: what journals do not hold is counted there.
            watch: gives what is told how far each step is.
        """
        self.estimates = estimates
        self._effort, self._attempts, self._watch = effort, attempts, watch
        self._ends = None if effort.patience.seconds is None else time.monotonic() + effort.patience.seconds

    def ask(self, language: str, step: str, questions: Sequence[Question[T]]) -> list[Outcome[T] | None]:
        """Ask, and return what became of each question; None for one that was only counted.

        Args:
            language: BCP 47 code of the translations that it is about.
            step: name of the step.
            questions: in any order.

        Raises:
            GlobmedError: as a campaign does.
            EnvironmentFailedError: every call of a model failed.
        """
        outcomes: list[Outcome[T] | None] = [None] * len(questions)
        requests = {index: question.request for index, question in enumerate(questions)}
        for attempt in range(1, self._attempts + 1):
            asked = [(questions[index], request) for index, request in requests.items()]
            replies = self._replies(language, step if attempt == 1 else f"{step}, attempt {attempt}", asked)
            retries = {}
            for index, (key, reply) in zip(requests, replies, strict=True):
                question, before = questions[index], outcomes[index]
                if reply is None:
                    # Counted, all its attempts included: what is known of it so far counts for nothing.
                    outcomes[index] = None
                    continue
                outcome, error = _judge(question, key, reply, before)
                outcomes[index] = outcome
                if error:
                    retries[index] = _again(question.request, attempt, reply, error)
            requests = retries
        return outcomes

    def count(self, language: str, step: str, questions: Sequence[Question[T]], *, share: float, rounds: int) -> None:
        """Count questions that depend on replies which are not there yet.

        Args:
            language: BCP 47 code of the translations that it is about.
            step: name of the step.
            questions: one for each translation that may need it.
            share: how many of them are expected to come.
            rounds: how often each may come at most.
        """
        assert self.estimates is not None, "only where nothing is sent"
        for one in questions:
            self._count(self.estimates, language, step, one, one.request, share=share, rounds=rounds)

    def _count(
        self,
        estimates: Estimates,
        language: str,
        step: str,
        question: Question[T],
        request: Request,
        *,
        share: float = 1.0,
        rounds: int = 1,
    ) -> None:
        attempts = 1 if question.member.engine else self._attempts
        estimates.add(
            language,
            step,
            question.member,
            request,
            question.reply_bytes,
            attempts=attempts,
            share=share,
            rounds=rounds,
        )

    def _replies(
        self, language: str, step: str, asked: Sequence[tuple[Question[T], Request]]
    ) -> list[tuple[str, Reply | None]]:
        """Return the key and reply of each request; None where it was only counted."""
        keys = [reply_key(question.member.client, request) for question, request in asked]
        # Whatever a journal holds needs no campaign: this is how a step that is done is gone through quickly.
        replies = {key: _saved(question.member, key) for (question, _), key in zip(asked, keys, strict=True)}
        new = {key: one for one, key in zip(asked, keys, strict=True) if replies[key] is None}
        if self.estimates is not None:
            for question, request in new.values():
                self._count(self.estimates, language, step, question, request)
        elif new:
            replies |= self._run(f"{language}: {step}, {len(new)} requests", new)
        return [(key, replies[key]) for key in keys]

    def _run(self, title: str, new: Mapping[str, tuple[Question[T], Request]]) -> dict[str, Reply]:
        of_member: defaultdict[Member, dict[str, Request]] = defaultdict(dict)
        for key, (question, request) in new.items():
            of_member[question.member][key] = request
        replies: dict[str, Reply] = {}

        def take(answered: Answered) -> None:
            replies[answered.key] = answered.reply

        with self._watch(title) as on_progress:
            campaigns = []
            for member, requests in of_member.items():
                member.settle(requests)
                campaigns.append(
                    Campaign(
                        requests=requests.values(),
                        client=member.client,
                        journal=member.journal,
                        purse=member.purse,
                        on_answer=take,
                        on_progress=None if on_progress is None else partial(on_progress, member.name),
                    )
                )
            run_campaigns(campaigns, concurrency=self._effort.concurrency, patience=self._patience())
        for member, requests in of_member.items():
            _refuse_silence(member, [replies[key] for key in requests])
        return replies

    def _patience(self) -> Patience:
        patience = self._effort.patience
        if self._ends is None:
            return patience
        return msgspec.structs.replace(patience, seconds=max(self._ends - time.monotonic(), 0.0))


def _saved(member: Member, key: str) -> Reply | None:
    """Return a reply that the journal holds; an error is none, for it is asked again."""
    saved = member.journal.saved(key)
    return None if saved is None or saved.reply.status == "error" else saved.reply


def _judge(question: Question[T], key: str, reply: Reply, before: Outcome[T] | None) -> tuple[Outcome[T], str]:
    """Return what a reply comes to, and what to say when it is asked for again; nothing where it is not."""
    usage, attempts = reply.usage, 1
    if before is not None:
        usage, attempts = usage + before.usage, attempts + before.attempts
    value, failure, error = None, "", ""
    if reply.status == "ok":
        read = question.read(reply.text)
        value, error = read.value, read.error
        failure = "unreadable reply" if error else ""
    elif reply.status == "error":
        failure = NO_ANSWER
    else:
        failure = f"{reply.status} reply"
        error = "it was cut off before its end" if reply.status == "truncated" else ""
    if question.member.engine:
        error = ""
    cost = question.member.cost_usd(usage)
    return Outcome(value=value, key=key, usage=usage, cost_usd=cost, attempts=attempts, failure=failure), error


def _again(request: Request, attempt: int, reply: Reply, error: str) -> Request:
    """Ask once more, saying what was wrong; with room for twice as much where the reply was cut off."""
    said = load("translate_retry", "any").render(error=error[:_ERROR_MAX])
    message = Message("user", f"{request.messages[0].content}\n\n{said}")
    limit = request.settings.max_tokens * (2**attempt if reply.status == "truncated" else 1)
    settings = msgspec.structs.replace(request.settings, max_tokens=limit)
    return msgspec.structs.replace(request, messages=(message,), settings=settings, run=attempt)


def _refuse_silence(member: Member, replies: Sequence[Reply]) -> None:
    if replies and all(reply.status == "error" for reply in replies):
        raise EnvironmentFailedError(
            f"every call of {member.name} failed: {replies[0].finish}. Run the same command again to ask again"
        )
