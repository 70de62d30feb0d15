"""What a judge is asked about a run: which replies, in which form, and the row that says which verdict is on what."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import msgspec

from globmed.bench.asked import Asked, asked_folder
from globmed.bench.condition import Condition
from globmed.bench.judging import Form, Phrasing, prompt_name
from globmed.bench.saved import asked_and_saved, asked_models
from globmed.bench.scoring import Items, makers
from globmed.bench.tasks import task
from globmed.core.errors import UsageError
from globmed.core.item import Item
from globmed.core.store import read_manifest
from globmed.models.client import Client, Message, Reply, Request, Settings
from globmed.prompts import load

JUDGED = "judged.parquet"

# Of attempts after the first: a judge without chance would write the same unreadable reply again.
_WARMTH = 0.7


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """One question to a judge.

    Attributes:
        form: how it is asked.
        judge: id of the judge.
        judge_revision: version of its weights.
        model: id of the model whose reply is judged.
        revision: version of its weights.
        other: id of the model whose reply it is compared with; empty but for pairs.
        other_revision: version of its weights.
        answer: name of the condition that the replies were given under.
        source: name of the item's source.
        family: the question.
        cluster: that of the item.
        language: BCP 47 code.
        run: index of the repetition, from 0.
        criterion: index in the item's rubric; None but for rubrics.
        points: of that criterion.
        turned: the other model's reply is shown first.
        phrasing: of the judge's prompt.
        had_a_hand: the judge itself translated, repaired or criticised the item.
        model_had_a_hand: a model judged did, or translated what it was asked or what it answered.
        itself: the judge is the model, or one of the two models, that it judges.
        prompt_hash: of the prompt text it was asked with.
        key: under which the judge's reply is saved; empty where a judged reply holds no text, and nothing is asked.
        again: keys of the replies that are asked for, in this order, while none before can be read.
    """

    form: Form
    judge: str
    judge_revision: str
    model: str
    revision: str
    answer: str
    source: str
    family: str
    cluster: str
    language: str
    run: int
    phrasing: Phrasing = "plain"
    had_a_hand: bool
    model_had_a_hand: bool
    itself: bool
    prompt_hash: str
    other: str = ""
    other_revision: str = ""
    criterion: int | None = None
    points: float | None = None
    turned: bool = False
    key: str = ""
    again: tuple[str, ...] = ()

    @property
    def rated(self) -> tuple[str, str, str, str, int, str, int | None]:
        """What people know the thing judged by."""
        return self.model, self.answer, self.family, self.language, self.run, self.other, self.criterion

    @property
    def keys(self) -> tuple[str, ...]:
        """All keys that the verdict may be under, in the order they are asked for; none where nothing is asked."""
        return (self.key, *self.again) if self.key else ()


@dataclass(frozen=True)
class ToJudge:
    """A question to a judge: its row, still without key, the item, and the request; None where there is no text."""

    row: Judged
    item: Item
    request: Request | None


@dataclass(frozen=True)
class _Replied:
    """One reply of the run that is no error."""

    asked: Asked
    reply: Reply

    @property
    def has_text(self) -> bool:
        return bool(self.reply.text.strip())


def form_of(run: Path, *, pairs: bool) -> Form:
    """Return how the replies of a run are judged.

    Raises:
        UsageError: its task has no open answers, or has a rubric and is to be judged in pairs.
        InputError: the folder is no run.
    """
    name = read_manifest(asked_folder(run)).configuration["task"]
    if not task(name).open:
        raise UsageError(f"{run}: task {name!r} has right answers; a judge is for the tasks lfqa and rubric")
    if name == "rubric" and pairs:
        raise UsageError(f"{run}: task 'rubric' is judged criterion by criterion; leave --form pairs out")
    return "rubric" if name == "rubric" else "pairs" if pairs else "pointwise"


class Questions:
    """What one run puts to judges in one form and phrasing; the replies are read once for all of them."""

    def __init__(self, run: Path, form: Form, settings: Settings, phrasing: Phrasing = "plain") -> None:
        """Read items and replies.

        Raises:
            UsageError: replies are missing, or there are no two models to compare.
            InputError: the folder is no run.
        """
        self._items, self.form, self._settings, self.phrasing = Items(run), form, settings, phrasing
        self._replied = [_replied(run, name) for name in asked_models(run)]
        if form == "pairs" and len(self._replied) < 2:
            raise UsageError(f"{run}: has the replies of one model; pairs need two")

    def put_to(self, judge: Client) -> Iterator[ToJudge]:
        """Give every question to one judge, in the order of the run."""
        if self.form == "pairs":
            for first, second in combinations(self._replied, 2):
                for place, one in first.items():
                    if place in second:
                        yield from self._pair(judge, one, second[place])
            return
        for replied in self._replied:
            for one in replied.values():
                yield from self._alone(judge, one)

    def _alone(self, judge: Client, one: _Replied) -> Iterator[ToJudge]:
        item = self._items.find(one.asked.family, one.asked.language)
        if self.form == "pointwise":
            texts = {"question": _question(item), "reference": "\n\n".join(item.reference), "answer": one.reply.text}
            yield self._to_judge(judge, item, [one], texts)
            return
        for index, criterion in enumerate(item.rubric):
            texts = {"conversation": _conversation(item), "answer": one.reply.text, "criterion": criterion.text}
            yield self._to_judge(judge, item, [one], texts, criterion=index, points=criterion.points)

    def _pair(self, judge: Client, one: _Replied, other: _Replied) -> Iterator[ToJudge]:
        item = self._items.find(one.asked.family, one.asked.language)
        for turned, (first, second) in ((False, (one, other)), (True, (other, one))):
            texts = {
                "question": _question(item),
                "reference": "\n\n".join(item.reference),
                "first": first.reply.text,
                "second": second.reply.text,
            }
            yield self._to_judge(judge, item, [one, other], texts, turned=turned)

    def _to_judge(
        self, judge: Client, item: Item, judged: Sequence[_Replied], texts: dict[str, str], **more: Any
    ) -> ToJudge:
        one, other = judged[0].asked, judged[1].asked if len(judged) > 1 else None
        prompt = load(prompt_name(self.form, self.phrasing), item.language)
        row = Judged(
            form=self.form,
            judge=judge.model,
            judge_revision=judge.revision,
            model=one.model,
            revision=one.revision,
            other=other.model if other else "",
            other_revision=other.revision if other else "",
            answer=one.answer,
            source=one.source,
            family=one.family,
            cluster=one.cluster,
            language=one.language,
            run=one.run,
            phrasing=self.phrasing,
            had_a_hand=judge.model in makers(item),
            model_had_a_hand=any(one.asked.model in self._hands(item, one.asked) for one in judged),
            itself=judge.model in {replied.asked.model for replied in judged},
            prompt_hash=prompt.hash,
            **more,
        )
        if not all(replied.has_text for replied in judged):
            return ToJudge(row, item, None)
        request = Request(
            messages=(Message("user", prompt.render(**texts)),),
            settings=self._settings,
            label=f"{item.family}/{item.language}",
            source=item.source,
            licence=item.provenance.licence,
            may_leave_machine=item.provenance.may_leave_machine,
        )
        return ToJudge(row, item, request)

    def _hands(self, item: Item, asked: Asked) -> set[str]:
        stand_in = self._items.stand_ins.find(item, Condition.named(asked.answer))
        back = self._items.back.models if self._items.back.find(asked) else set()
        return makers(item) | (makers(stand_in.item) if stand_in else set()) | back


def asked_again(request: Request, attempt: int) -> Request:
    """Return what is asked where a verdict could not be read: the same, with chance in it, and so another reply.

    Args:
        request: as it was asked at first.
        attempt: 0 is the first one, and leaves it as it is.
    """
    if not attempt:
        return request
    settings = request.settings
    warm = msgspec.structs.replace(settings, temperature=max(settings.temperature, _WARMTH), seed=attempt)
    return msgspec.structs.replace(request, settings=warm, run=attempt)


def _replied(run: Path, name: str) -> dict[tuple[str, str, str, int], _Replied]:
    rows, replies = asked_and_saved(run, name)
    return {
        (row.answer, row.family, row.language, row.run): _Replied(row, replies[row.key])
        for row in rows
        if replies[row.key].status != "error"
    }


def _question(item: Item) -> str:
    return f"{item.context}\n\n{item.question}" if item.context else item.question


def _conversation(item: Item) -> str:
    """Write a conversation as HealthBench shows it to its grader: who said what, and the question last."""
    said = [f"{turn.role}: {turn.text}" for turn in item.turns]
    return "\n\n".join([*said, f"user: {item.question}"])
