"""The patterns of one language and of English, from its row of facts and the small words of `words.toml`."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files

import msgspec

from globmed.bench.reading.markup import LATIN, visible
from globmed.bench.reading.phrases import Phrases, Runs, words
from globmed.core.errors import InputError
from globmed.core.language import Language, language
from globmed.models.client import LETTERS

# Runs are bounded so that no reply, whatever it repeats, is read in more than linear time.
_PUNCTUATION = r"[\s:=\-–—>→\"'«»“”„「」『』【】《》〈〉()\[\]{}<,.|_#]"
_MAX_STEPS = 14
TICKS, CROSSES = "✓✔✅☑√○◯⭕🟢◎👍", "✗✘❌×✕✖╳☒🔴🚫⛔👎"
_OPENS = r"[ \"'(«“„「『]"
# Ten places, and then the last.
_LAST_ORDINAL = 10


class SmallWords(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One table of `words.toml`, whose head says what each field holds."""

    beside: tuple[str, ...] = ()
    link: tuple[str, ...] = ()
    lead: tuple[str, ...] = ()
    choose: tuple[str, ...] = ()
    prefix: tuple[str, ...] = ()
    copula: tuple[str, ...] = ()
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    picked: tuple[str, ...] = ()
    tail: tuple[str, ...] = ()
    join: tuple[str, ...] = ()
    but: tuple[str, ...] = ()
    instead: tuple[str, ...] = ()
    deny: tuple[str, ...] = ()
    than: tuple[str, ...] = ()
    negative: str = ""
    named: tuple[str, ...] = ()
    own: tuple[str, ...] = ()
    articles: tuple[str, ...] = ()
    reason: tuple[str, ...] = ()
    both: tuple[str, ...] = ()
    noun_before: tuple[str, ...] = ()
    noun_after: tuple[str, ...] = ()
    ordinal: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    fits: tuple[str, ...] = ()
    hedge: tuple[str, ...] = ()
    turn: tuple[str, ...] = ()
    seeming: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()
    concession: tuple[str, ...] = ()
    refuse: tuple[str, ...] = ()
    follows: tuple[str, ...] = ()
    unfollows: tuple[str, ...] = ()
    against: tuple[str, ...] = ()
    open: tuple[str, ...] = ()
    tells: tuple[str, ...] = ()
    yes: tuple[str, ...] = ()
    no: tuple[str, ...] = ()
    maybe: tuple[str, ...] = ()


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
        negations: words that negate.
        not_filler: what may stand between a negation and the cue or letter that it negates.
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
        copula: prefixes that say "it is".
        known_before: words, or scripts' last characters, behind which a letter is no part of a name.
        filler: what may stand between a word that strikes out and the option struck out.
        joins: the words that join options.
        inflects: whether words take prefixes that change how an option's text begins.
        any_ordinal: any word of `ordinals`.
        options: words for "option".
        announcing: words for "answer", "correct" and of choice.
        prepositions: words that alone announce nothing.
        leads: a whole clause up to a letter that says nothing but that an answer follows.
        tail: what may end a sentence behind the letter it concludes with.
        deny: in the clause of an option, what strikes it out.
        than: what strikes out the option that stands right behind it.
        negative: negated forms of verbs, in languages that negate by prefix or ending.
        reason: what begins a reason.
        both: what accepts several options.
        noun_before: right before a letter, what makes it part of a name.
        noun_after: right behind a letter, likewise.
        fits: what says that an option holds, in its own line of a list.
        hedge: what leaves something open.
        turn: what announces a change of mind.
        seeming: what only seems or seemed so.
        concession: what begins a concession.
        lacks: words of `deny` that strike nothing out before an option.
        named: words behind which a letter is part of a name, "vitamin C".
        articles: behind which words "A" is a preposition.
        row: the beginning of a line up to the letter of the option that it is about.
        ordinals: words for first, second and so on near a word for "option", by place; -1 is the last.
        follows: what says that a hypothesis follows.
        unfollows: verbs that say in one word that it does not.
        negates_behind: whether a negation stands behind what it negates, as in Japanese and Korean.
        against: what says that it contradicts.
        open: what says that it cannot be told.
        tells: verbs that say so where they are negated.
    """

    cue: re.Pattern[str]
    tied: re.Pattern[str]
    approach: re.Pattern[str]
    verdict: re.Pattern[str]
    negations: Phrases
    not_filler: re.Pattern[str]
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
    copula: frozenset[str]
    known_before: frozenset[str]
    filler: re.Pattern[str]
    joins: frozenset[str]
    inflects: bool
    any_ordinal: Phrases
    options: frozenset[str]
    announcing: frozenset[str]
    prepositions: frozenset[str]
    leads: re.Pattern[str]
    tail: re.Pattern[str]
    deny: Phrases
    than: Phrases
    negative: re.Pattern[str] | None
    reason: Phrases
    both: Phrases
    noun_before: tuple[str, ...]
    noun_after: tuple[str, ...]
    fits: Phrases
    hedge: Phrases
    turn: Phrases
    seeming: Phrases
    concession: Phrases
    lacks: frozenset[str]
    row: re.Pattern[str]
    named: frozenset[str]
    articles: frozenset[str]
    ordinals: tuple[tuple[re.Pattern[str], int], ...]
    follows: Phrases
    unfollows: Phrases
    negates_behind: bool
    against: Phrases
    open: Phrases
    tells: Phrases

    @cached_property
    def begins(self) -> frozenset[str]:
        """The words that any phrase begins with."""
        return frozenset(word for held in vars(self).values() if isinstance(held, Phrases) for word in held.latin)

    def cues(self, text: str, lower: str, runs: Runs) -> Iterator[re.Match[str]]:
        """Give every cue of a text, none inside another."""
        end = 0
        for place in self.announces.places(lower, runs):
            start = place - 1 if text[place - 1 : place] == "\\" else place
            cue = self.cue.match(text, start) if start >= end else None
            if cue:
                end = cue.end()
                yield cue


def codes_of(code: str) -> list[str]:
    """Return the languages that are understood in replies asked for in one: itself, those beside it, and English."""
    return list(dict.fromkeys((code, *small_words().get(code, SmallWords()).beside, "en")))


@cache
def patterns(code: str) -> Patterns:
    """Return the patterns of a language, English included.

    Raises:
        UsageError: the language is not in the table.
    """
    rows = [language(one) for one in codes_of(code)]
    small = [small_words().get(row.code, SmallWords()) for row in rows]
    own = set(small[0].own)
    small[1:] = [_without(row, own) for row in small[1:]]
    answer, correct, option, negation = (
        [word for word in _of(rows, field) if word not in own] for field in ("answer", "correct", "option", "not_")
    )
    choose, link = _of(small, "choose"), _of(small, "link")
    any_answer, any_correct, any_option = words(answer), words(correct), words(option)
    any_not, any_choose = words(negation), words(choose)
    any_link, any_lead = _in_gaps(link), _in_gaps([*link, *_of(small, "lead")])
    longer = [word for word in link if len(word) > 1]
    prefix = _prefixes(_of(small, "prefix"))
    step = (
        rf"(?:{_PUNCTUATION}{{1,10}}+|\\[a-z]{{2,9}}|{any_lead}|{any_correct}|{any_option}|{any_answer}|{any_choose})"
    )
    gap = rf"{step}{{0,{_MAX_STEPS}}}+{prefix}"
    close = r"[)\]\"'»”」』}]{0,3}+"
    return Patterns(
        cue=re.compile(rf"(?:\\boxed|{any_answer}|{any_choose}|(?P<correct>{any_correct}))(?P<gap>{gap})"),
        tied=re.compile(rf"[:=]|{any_link}"),
        approach=re.compile(rf"{_PUNCTUATION}{{0,10}}+{gap}"),
        verdict=re.compile(
            rf"{close} ?(?:{any_lead}[ ,\"'«]{{0,3}}+){{1,6}}+(?:{any_option} ?)?"
            rf"(?:{any_correct}|{any_answer}|{words(_of(small, 'picked'))})"
        ),
        negations=Phrases(negation),
        not_filler=re.compile(rf"(?:[ ]{{1,3}}{any_link}){{0,3}}[ ]{{0,3}}"),
        denied_after=re.compile(
            rf"{close} ?(?:(?:{any_link}|{any_correct}|{any_option}|{any_answer}) ?){{0,4}}+{any_not}"
        ),
        introduces=re.compile(rf"(?:{any_option}|{any_answer}|{any_lead}|{any_choose})[ ]?$"),
        praised=re.compile(any_correct),
        denied_then=re.compile(rf"{_PUNCTUATION}{{0,4}}+{any_not}{gap}"),
        but=re.compile(rf"{close}[ ,;]{{0,3}}+{words(_of(small, 'but'))}{gap}"),
        instead=re.compile(rf"{close} ?{words(_of(small, 'instead'))}[ ,、]{{0,3}}+{gap}"),
        join=re.compile(
            rf"{close}(?:[ ]{{0,2}}(?:[,/&+、]|{words(_of(small, 'join'))})){{1,2}}[ ]{{0,2}}[(\[\"'«]?{prefix}"
        ),
        after=re.compile(rf"(?:{words([*_of(small, 'after'), *longer])}|{any_correct}|{any_option}|{any_not})"),
        refuse=Phrases(_of(small, "refuse")),
        announces=Phrases(["boxed", *answer, *choose, *correct]),
        prefixed=re.compile(rf"(?<![{LATIN}'])(?i:{_either(_of(small, 'prefix'))})$"),
        copula=frozenset(_of(small, "copula")),
        known_before=_single([*link, *answer, *correct, *option, *negation, *choose, *_several(small)]),
        filler=re.compile(rf"(?:{_OPENS}{{1,3}}(?:{any_link}|{any_option}|{any_answer})){{0,4}}{_OPENS}{{0,3}}"),
        joins=_single(_of(small, "join")),
        inflects=bool(_of(small, "prefix")),
        any_ordinal=Phrases(word for row in small for column in _columns(row) for word in column),
        options=_single(option),
        announcing=_single([*answer, *correct, *choose]),
        prepositions=_single(_of(small, "before")),
        leads=re.compile(rf"(?:{words(_of(small, 'but'))}[ ,、]{{0,2}})?{_PUNCTUATION}{{0,10}}+{gap}"),
        tail=re.compile(words(_of(small, "tail"))),
        deny=Phrases([*negation, *_of(small, "deny")]),
        than=Phrases(_of(small, "than")),
        negative=next(
            (re.compile(rf"(?<![{LATIN}'])(?:{row.negative})(?![{LATIN}'])") for row in small if row.negative), None
        ),
        reason=Phrases(_of(small, "reason")),
        both=Phrases(_of(small, "both")),
        noun_before=tuple(_of(small, "noun_before")),
        noun_after=tuple(_of(small, "noun_after")),
        fits=Phrases([*correct, *_of(small, "fits")]),
        hedge=Phrases(_of(small, "hedge")),
        turn=Phrases(_of(small, "turn")),
        seeming=Phrases(_of(small, "seeming")),
        concession=Phrases(_of(small, "concession")),
        lacks=frozenset(visible(word).lower() for word in _of(small, "lacks")),
        row=re.compile(
            rf"^[\s|(\[•\-#>\d.]{{0,6}}(?:{any_option}[ ]|[{LATIN}]{{2,8}}[ ](?=[A-J][ ]?:))?"
            rf"(?:([A-J])(?![{LATIN}'])(?=[ ]?(?:[^\w\s]|[○×项]|$)|[ ](?![a-zß-öø-ÿ ]))"
            rf"|([a-j])(?=[).:] |\) ?|[ ]?[{TICKS}{CROSSES}])"
            rf"|[{TICKS}{CROSSES}][ ]{{0,2}}([A-J])(?![{LATIN}']))",
            re.MULTILINE,
        ),
        articles=frozenset(small[0].articles),
        named=_single(_of(small, "named")),
        ordinals=tuple(_ordinals(small, words([*option, *answer, *_of(small, "places")]))),
        follows=Phrases(_of(small, "follows")),
        unfollows=Phrases(_of(small, "unfollows")),
        negates_behind=any(not visible(word)[:1].isascii() for word in _of(small, "instead")),
        against=Phrases(_of(small, "against")),
        open=Phrases(_of(small, "open")),
        tells=Phrases(_of(small, "tells")),
    )


def _without(row: SmallWords, own: set[str]) -> SmallWords:
    """Return a table without the words that another language spells alike."""
    fields = {
        field: tuple(word for word in texts if word not in own)
        for field, texts in msgspec.structs.asdict(row).items()
        if isinstance(texts, tuple)
    }
    return msgspec.structs.replace(row, **fields)


def _in_gaps(link: list[str]) -> str:
    # A capital may be the letter itself: "Resposta: A". So one-letter links are read in lower case only.
    longer = [form for word in link if len(word) > 1 for form in (word.upper(), word.capitalize())]
    capitals = [form for form in longer if not set(form) <= set(LETTERS)]
    return rf"(?:{words(link, any_case=False)}|{words(capitals, any_case=False)})"


def _several(small: Iterable[SmallWords]) -> list[str]:
    return [word for field in ("lead", "before", "join", "but", "deny", "reason", "both") for word in _of(small, field)]


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
                word = rf"(?<!-){words(named)}"
                ahead = (
                    rf"{word}(?P<far>(?:[ ][{LATIN}]{{1,12}}){{0,3}})[ ]?の?[ ]?(?:{any_option}|(?i:one)(?![{LATIN}]))"
                )
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


def _of(rows: Iterable[Language | SmallWords], field: str) -> list[str]:
    return [word for row in rows for word in getattr(row, field)]


def _prefixes(texts: Iterable[str]) -> str:
    forms = sorted(set(texts), key=lambda form: (-len(form), form))
    either = "|".join(re.escape(form) for form in forms)
    # In front of a capital only: Zulu writes "ngu-B", "nguB".
    return rf"(?:(?<![{LATIN}])(?i:{either})(?=[A-J]))?" if forms else ""
