"""The patterns of one language and of English, from its row of facts and the small words of `words.toml`."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import msgspec

from globmed.bench.reading.markup import LATIN, visible
from globmed.core.errors import InputError
from globmed.core.language import Language, language
from globmed.models.client import LETTERS

# Runs are bounded so that no reply, whatever it repeats, is read in more than linear time.
_PUNCTUATION = r"[\s:=\-–—>→\"'«»“”„「」『』【】《》〈〉()\[\]{}<,.|_#]"
_MAX_STEPS = 14
_RUN = re.compile(rf"[{LATIN}]+")
_OPENS = r"[ \"'(«“„「『]"
# Ten places, and then the last.
_LAST_ORDINAL = 10


class SmallWords(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One table of `words.toml`, whose head says what each field holds."""

    link: tuple[str, ...] = ()
    choose: tuple[str, ...] = ()
    prefix: tuple[str, ...] = ()
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    tail: tuple[str, ...] = ()
    join: tuple[str, ...] = ()
    but: tuple[str, ...] = ()
    instead: tuple[str, ...] = ()
    deny: tuple[str, ...] = ()
    reason: tuple[str, ...] = ()
    both: tuple[str, ...] = ()
    noun_before: tuple[str, ...] = ()
    noun_after: tuple[str, ...] = ()
    ordinal: tuple[str, ...] = ()
    refuse: tuple[str, ...] = ()


class Phrases:
    """Words and phrases to look for in a text, quickly where there are none of them."""

    def __init__(self, texts: Iterable[str]) -> None:
        """Prepare the phrases as `words` does."""
        forms = {visible(text).lower() for text in texts} - {""}
        self.pattern = re.compile(words(forms))
        self.latin = frozenset(first[0] for form in forms if (first := _RUN.search(form)))
        self.other = tuple(form for form in forms if not _RUN.search(form))

    def search(self, text: str) -> re.Match[str] | None:
        """Return the first place, as a pattern would."""
        lower = text.lower()
        if self.latin.isdisjoint(_RUN.findall(lower)) and not any(form in lower for form in self.other):
            return None
        return self.pattern.search(text)

    def places(self, lower: str) -> list[int]:
        """Return where a phrase may begin in a text in lower case, in order."""
        found = [run.start() for run in _RUN.finditer(lower) if run[0] in self.latin]
        for form in self.other:
            start = lower.find(form)
            while start >= 0:
                found.append(start)
                start = lower.find(form, start + 1)
        return sorted(found)


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
        announces: what a cue begins with.
        refuse: a phrase of replies that decline.
        prefixed: at the end of the text before a letter, what is written onto it.
        known_before: words, or scripts' last characters, behind which a letter is no part of a name.
        struck_before: at the end of the text before an option, what strikes it out.
        joins: the words that join options.
        inflects: whether words take prefixes that change how an option's text begins.
        any_ordinal: any word of `ordinals`.
        options: words for "option".
        announcing: words for "answer", "correct" and of choice.
        prepositions: words that alone announce nothing.
        leads: a whole clause up to a letter that says nothing but that an answer follows.
        tail: what may end a sentence behind the letter it concludes with.
        deny: in the clause of an option, what strikes it out.
        reason: what begins a reason.
        both: what accepts several options.
        noun_before: at the end of the text before a letter, what makes it part of a name.
        noun_after: behind a letter, likewise.
        ordinals: words for first, second and so on near a word for "option", by place; -1 is the last.
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
    refuse: Phrases
    announces: Phrases
    prefixed: re.Pattern[str]
    known_before: frozenset[str]
    struck_before: re.Pattern[str]
    joins: frozenset[str]
    inflects: bool
    any_ordinal: Phrases
    options: frozenset[str]
    announcing: frozenset[str]
    prepositions: frozenset[str]
    leads: re.Pattern[str]
    tail: re.Pattern[str]
    deny: Phrases
    reason: Phrases
    both: Phrases
    noun_before: re.Pattern[str]
    noun_after: re.Pattern[str]
    ordinals: tuple[tuple[re.Pattern[str], int], ...]

    def cues(self, text: str, lower: str) -> Iterator[re.Match[str]]:
        """Give every cue of a text, none inside another."""
        end = 0
        for place in self.announces.places(lower):
            start = place - 1 if text[place - 1 : place] == "\\" else place
            cue = self.cue.match(text, start) if start >= end else None
            if cue:
                end = cue.end()
                yield cue


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
    longer = [form for word in link if len(word) > 1 for form in (word.upper(), word.capitalize())]
    capitals = [form for form in longer if not set(form) <= set(LETTERS)]
    any_link = rf"(?:{words(link, any_case=False)}|{words(capitals, any_case=False)})"
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
        refuse=Phrases(_of(small, "refuse")),
        announces=Phrases(["boxed", *answer, *choose, *correct]),
        prefixed=re.compile(rf"(?<![{LATIN}'])(?i:{_either(_of(small, 'prefix'))})$"),
        known_before=_single([*link, *answer, *correct, *option, *negation, *choose, *_several(small)]),
        struck_before=re.compile(
            rf"{words([*negation, *_of(small, 'deny')])}"
            rf"(?:{_OPENS}{{1,3}}(?:{any_link}|{any_option}|{any_answer})){{0,4}}{_OPENS}{{0,3}}$"
        ),
        joins=_single(_of(small, "join")),
        inflects=bool(_of(small, "prefix")),
        any_ordinal=Phrases(word for row in small for column in _columns(row) for word in column),
        options=_single(option),
        announcing=_single([*answer, *correct, *choose]),
        prepositions=_single(_of(small, "before")),
        leads=re.compile(rf"{_PUNCTUATION}{{0,10}}+{gap}"),
        tail=re.compile(words(_of(small, "tail"))),
        deny=Phrases([*negation, *_of(small, "deny")]),
        reason=Phrases(_of(small, "reason")),
        both=Phrases(_of(small, "both")),
        noun_before=re.compile(rf"(?:{_either(_of(small, 'noun_before'))})$"),
        noun_after=re.compile(_either(_of(small, "noun_after"))),
        ordinals=tuple(_ordinals(small, any_option)),
    )


def _several(small: Iterable[SmallWords]) -> list[str]:
    return [word for field in ("before", "join", "but", "deny", "reason", "both") for word in _of(small, field)]


def _single(texts: Iterable[str]) -> frozenset[str]:
    return frozenset(word for text in texts for word in re.findall(rf"[{LATIN}']+", visible(text).lower()))


def _either(texts: Iterable[str]) -> str:
    return "|".join(re.escape(text) for text in sorted(set(texts), key=lambda one: (-len(one), one))) or r"(?!)"


def _ordinals(small: Iterable[SmallWords], any_option: str) -> Iterable[tuple[re.Pattern[str], int]]:
    """Give a pattern for each place: "the second option", "chaguo la pili"; scripts without spaces need no option."""
    for row in small:
        for place in range(_LAST_ORDINAL + 1):
            named = [column[place] for column in _columns(row) if place < len(column) and column[place]]
            if named:
                word = words(named)
                ahead = rf"{word}(?:[ ][{LATIN}]{{1,12}}){{0,2}}[ ]?の?[ ]?{any_option}"
                behind = rf"{any_option}(?:[ ][{LATIN}]{{1,4}})?[ ]{word}"
                yield re.compile(rf"{ahead}|{behind}"), -1 if place == _LAST_ORDINAL else place


def _columns(row: SmallWords) -> list[list[str]]:
    return [[word.strip() for word in line.split("|")] for line in row.ordinal]


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
