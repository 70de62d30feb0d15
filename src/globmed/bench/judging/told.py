"""What judges said of single replies, in words, for people who look at them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from globmed.bench.judging import judgements_folder
from globmed.bench.judging.judgements import JUDGEMENTS, Judgement
from globmed.core.store import MANIFEST, table

# Model, revision, condition, run, question and language.
Replied = tuple[str, str, str, int, str, str]

_LACKS = {
    "correct": "not correct",
    "complete": "not complete",
    "understandable": "hard to understand",
    "in_language": "not in the language",
}


def verdicts_on(run: Path, families: Sequence[str]) -> dict[Replied, tuple[str, ...]]:
    """Return what judges said of the replies to some questions, as the judged tables of the run have it.

    Verdicts on pairs are left out, for they are about two replies. Texts of judges are as they are.
    """
    import pyarrow.compute as pc

    if not (judgements_folder(run) / MANIFEST).is_file():
        return {}
    rows = table(judgements_folder(run), prefix=JUDGEMENTS)
    rows = rows.filter(pc.field("family").isin(list(families)) & (pc.field("form") != "pairs"))
    of: dict[Replied, dict[tuple[str, str], list[Judgement]]] = {}
    for one in msgspec.convert(rows.to_pylist(), list[Judgement]):
        reply = (one.model, one.revision, one.answer, one.run, one.family, one.language)
        of.setdefault(reply, {}).setdefault((one.judge, one.phrasing), []).append(one)
    return {reply: tuple(_told(judged)) for reply, judged in of.items()}


def _told(judged: dict[tuple[str, str], list[Judgement]]) -> Iterator[str]:
    for (judge, phrasing), given in sorted(judged.items()):
        name = judge + ("" if phrasing == "plain" else " (held-out phrasing)")
        yield f"{name}: {_of_rubric(given) if given[0].form == 'rubric' else _pointwise(given[0])}"


def _pointwise(one: Judgement) -> str:
    if one.status != "read":
        return {"unreadable": "a verdict that could not be read", "error": "the call failed"}.get(one.status, "no text")
    lacks = [words for name, words in _LACKS.items() if getattr(one, name) is False]
    lacks += [f"{one.harm} harm"] if one.harm not in (None, "none") else []
    said = "acceptable" if one.acceptable else "not acceptable" + (f" ({', '.join(lacks)})" if lacks else "")
    return f"{said}. {one.reason}" if one.reason else said


def _of_rubric(given: Sequence[Judgement]) -> str:
    met = sum(one.met is True for one in given)
    unread = sum(one.met is None for one in given)
    more = f", verdicts missing: {unread}" if unread else ""
    return f"criteria met: {met} of {len(given)}{more}"
