"""The patterns of one language and of English, from its row of facts and the small words of `words.toml`."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import msgspec

from globmed.bench.reading.markup import LATIN, visible
from globmed.core.errors import InputError
from globmed.core.language import Language, language

# Runs are bounded so that no reply, whatever it repeats, is read in more than linear time.
_PUNCTUATION = r"[\s:=\-–—>→\"'«»“”„「」『』()\[\]{}<,.|_]"
_MAX_STEPS = 14


class SmallWords(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One table of `words.toml`, whose head says what each field holds."""

    link: tuple[str, ...] = ()
    choose: tuple[str, ...] = ()
    prefix: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    join: tuple[str, ...] = ()
    but: tuple[str, ...] = ()
    instead: tuple[str, ...] = ()
    refuse: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Patterns:
    """What `read_choice` looks for in one language and in English.

    Attributes:
        cue: words that announce an answer and all that may stand between them and a letter; the group `correct` is
            set where the cue is a word for "correct", the group `gap` holds what follows the cue.
        tied: in a gap, what ties a word for "correct" to a letter: a linking word or a colon.
        approach: the gap alone.
        verdict: after a letter, a linking word and then a word for "correct" or "answer".
        praised: a word for "correct" right after a letter, as scripts without spaces have it.
        denied_before: at the end of the text before a cue or letter, a word that negates it.
        denied_after: after a letter, a word that negates it.
        introduces: at the end of the text before a letter, a word that names the letter an option.
        denied_then: after a cue, a negation that stands before a letter.
        but: between the letter denied and the one meant.
        instead: the same, where the negation follows the letter.
        join: between two letters.
        after: a word that may follow a letter.
        refuse: a phrase of replies that decline.
    """

    cue: re.Pattern[str]
    tied: re.Pattern[str]
    approach: re.Pattern[str]
    verdict: re.Pattern[str]
    denied_before: re.Pattern[str]
    denied_after: re.Pattern[str]
    praised: re.Pattern[str]
    introduces: re.Pattern[str]
    denied_then: re.Pattern[str]
    but: re.Pattern[str]
    instead: re.Pattern[str]
    join: re.Pattern[str]
    after: re.Pattern[str]
    refuse: re.Pattern[str]


@cache
def patterns(code: str) -> Patterns:
    """Return the patterns of a language, English included.

    Raises:
        UsageError: the language is not in the table.
    """
    rows = [language(code), language("en")]
    small = [small_words().get(row.code, SmallWords()) for row in rows]
    answer, correct, option, negation = (_of(rows, field) for field in ("answer", "correct", "option", "not_"))
    choose, link = _of(small, "choose"), _of(small, "link")
    any_answer, any_correct, any_option = words(answer), words(correct), words(option)
    any_not, any_choose = words(negation), words(choose)
    # A capital may be the letter itself: "Resposta: A". So one-letter links are read in lower case only.
    any_link = rf"(?:{words(link, any_case=False)}|{words([w.upper() for w in link if len(w) > 1], any_case=False)})"
    prefix = _prefixes(_of(small, "prefix"))
    step = (
        rf"(?:{_PUNCTUATION}{{1,10}}+|\\[a-z]{{2,9}}|{any_link}|{any_correct}|{any_option}|{any_answer}|{any_choose})"
    )
    gap = rf"{step}{{0,{_MAX_STEPS}}}+{prefix}"
    close = r"[)\]\"'»”」』}]{0,3}+"
    return Patterns(
        cue=re.compile(rf"(?:\\boxed|{any_answer}|{any_choose}|(?P<correct>{any_correct}))(?P<gap>{gap})"),
        tied=re.compile(rf"[:=]|{any_link}"),
        approach=re.compile(rf"{_PUNCTUATION}{{0,10}}+{gap}"),
        verdict=re.compile(
            rf"{close} ?(?:{any_link}[ ,\"'«]{{0,3}}+){{1,6}}+(?:{any_option} ?)?(?:{any_correct}|{any_answer})"
        ),
        denied_before=re.compile(rf"{any_not}(?:[ ]{{1,3}}{any_link}){{0,3}}[ ]{{0,3}}$"),
        denied_after=re.compile(
            rf"{close} ?(?:(?:{any_link}|{any_correct}|{any_option}|{any_answer}) ?){{0,4}}+{any_not}"
        ),
        introduces=re.compile(rf"(?:{any_option}|{any_answer}|{any_link})[ ]?$"),
        praised=re.compile(any_correct),
        denied_then=re.compile(rf"{_PUNCTUATION}{{0,4}}+{any_not}{gap}"),
        but=re.compile(rf"{close}[ ,;]{{0,3}}+{words(_of(small, 'but'))}{gap}"),
        instead=re.compile(rf"{close} ?{words(_of(small, 'instead'))}[ ,、]{{0,3}}+{gap}"),
        join=re.compile(
            rf"{close}(?:[ ]{{0,2}}(?:[,/&+、]|{words(_of(small, 'join'))})){{1,2}}[ ]{{0,2}}[(\[\"'«]?{prefix}"
        ),
        after=re.compile(rf"(?:{words(_of(small, 'after'))}|{any_link}|{any_correct}|{any_option}|{any_not})"),
        refuse=re.compile(words(_of(small, "refuse"))),
    )


@cache
def small_words() -> dict[str, SmallWords]:
    """Return the tables of `words.toml` by language code.

    Raises:
        InputError: a table holds an unknown field.
    """
    text = files("globmed.bench.reading").joinpath("words.toml").read_text(encoding="utf-8")
    try:
        return msgspec.convert(tomllib.loads(text), dict[str, SmallWords])
    except msgspec.ValidationError as error:
        raise InputError.at("words.toml", found=str(error), expected="the fields of SmallWords") from error


def words(texts: Iterable[str], *, any_case: bool = True) -> str:
    """Return a pattern for any of some words, the longest first, Latin ones as whole words and others wherever.

    Args:
        texts: the words as written; they are brought to the form that `visible` gives replies.
        any_case: whether capitals match as well.
    """
    forms = sorted({visible(text) for text in texts} - {""}, key=lambda form: (-len(form), form))
    latin = [_spaced(form) for form in forms if re.search(rf"[{LATIN}]", form)]
    other = [_spaced(form) for form in forms if not re.search(rf"[{LATIN}]", form)]
    either = [rf"(?<![{LATIN}])(?:{'|'.join(latin)})(?![{LATIN}])"] if latin else []
    either += ["|".join(other)] if other else []
    pattern = "|".join(either) or r"(?!)"
    return f"(?i:{pattern})" if any_case else f"(?:{pattern})"


def _spaced(form: str) -> str:
    return re.escape(form).replace(r"\ ", r"[ ]")


def _of(rows: Iterable[Language | SmallWords], field: str) -> list[str]:
    return [word for row in rows for word in getattr(row, field)]


def _prefixes(texts: Iterable[str]) -> str:
    forms = sorted(set(texts), key=lambda form: (-len(form), form))
    either = "|".join(re.escape(form) for form in forms)
    # In front of a capital only: Zulu writes "ngu-B", "nguB".
    return rf"(?:(?<![{LATIN}])(?i:{either})(?=[A-J]))?" if forms else ""
