"""Lays out the pages of the view. Every text that is put into one is escaped, and shows what cannot be seen."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from globmed.bench.judging.told import Replied
from globmed.bench.report.measure import answer_name, language_name
from globmed.bench.report.wording import count, readable
from globmed.bench.view.filters import NAMED
from globmed.bench.view.records import ReplyRow
from globmed.bench.view.requests import REASONS, TEXT_CHARACTERS_MAX
from globmed.bench.view.words import FILTER_NAMES, LETTERS, ORIGINS, OUTCOME_NAMES, direction, how_read

if TYPE_CHECKING:
    import jinja2


@dataclass(frozen=True, kw_only=True)
class Pair:
    """What one model replied to a question in two languages, under one condition.

    Attributes:
        model: its id.
        detail: condition, revision and repetition, where they tell replies of one model apart.
        sides: by the code of the language; a language that was not asked is not there.
        verdicts: what judges said of it, by the code of the language.
    """

    model: str
    detail: str
    sides: Mapping[str, ReplyRow]
    verdicts: Mapping[str, Sequence[str]]


def pairs(
    replies: Sequence[ReplyRow], codes: Mapping[int, str], family: str, verdicts: Mapping[Replied, Sequence[str]]
) -> list[Pair]:
    """Put together what belongs side by side.

    Args:
        replies: in the order to be shown.
        codes: language by number of the question in it.
        family: the question.
        verdicts: what judges said of replies to it.
    """
    found: dict[tuple[str, str, str, int], dict[str, ReplyRow]] = {}
    for reply in replies:
        found.setdefault((reply.model, reply.revision, reply.answer, reply.run), {})[codes[reply.item]] = reply
    several_answers = len({answer for _, _, answer, _ in found}) > 1
    several_runs = len({run for *_, run in found}) > 1
    made: dict[str, set[str]] = {}
    for model, revision, *_ in found:
        made.setdefault(model, set()).add(revision)
    return [
        Pair(
            model=model,
            detail="; ".join(
                [answer_name(answer)] * several_answers
                + [revision] * (len(made[model]) > 1)
                + [f"repetition {run + 1}"] * several_runs
            ),
            sides=sides,
            verdicts={code: verdicts.get((model, revision, answer, run, family, code), ()) for code in sides},
        )
        for (model, revision, answer, run), sides in found.items()
    ]


def address(path: str, **values: object) -> str:
    """Return the address of a page; empty values are left out."""
    return f"{path}?{urlencode({name: value for name, value in values.items() if value not in {None, ''}})}"


def environment() -> jinja2.Environment:
    """Return what lays out the templates beside this module."""
    import jinja2
    from markupsafe import Markup

    def shown(value: Any) -> Any:
        return readable(value) if isinstance(value, str) and not isinstance(value, Markup) else value

    folder = files("globmed.bench.view")
    made = jinja2.Environment(
        loader=jinja2.FunctionLoader(lambda name: folder.joinpath(name).read_text(encoding="utf-8")),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {"count": count, "numbered": _numbered}
    made.globals |= {
        "address": address,
        "answer_name": answer_name,
        "answers_named": lambda names: [(name, answer_name(name)) for name in names],
        "direction": direction,
        "how_read": how_read,
        "language_name": language_name,
        "languages_named": lambda codes: [(code, language_name(code).text) for code in codes],
        "letters": LETTERS,
        "named_filters": NAMED,
        "origins": ORIGINS,
        "outcome_filters": FILTER_NAMES,
        "outcomes": OUTCOME_NAMES,
        "outcomes_named": lambda names: [(name, FILTER_NAMES[name]) for name in names],
        "reasons": REASONS,
        "same": lambda values: [(value, value) for value in values],
        "text_characters_max": TEXT_CHARACTERS_MAX,
    }
    return made


def _numbered(names: Iterable[str]) -> list[tuple[int, str]]:
    return list(enumerate(names))
