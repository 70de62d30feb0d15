"""The final answer of a free reply, by rules in a fixed order; see `read_choice`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

from globmed.bench.reading.deductions import concluded, eliminated, named_both, only_left, place_named, ticked
from globmed.bench.reading.markup import LATIN, visible
from globmed.bench.reading.mentions import SHARE, Mention, mentions
from globmed.bench.reading.reading import Reading
from globmed.bench.reading.words import Patterns, patterns
from globmed.core.errors import UsageError
from globmed.models.client import LETTERS

_SEEN_BEFORE, _SEEN_AFTER = 40, 60

# Looked for where a cue ends; after a prefix ("nguB") it may touch what stands before it.
_LETTER = re.compile(rf"([A-J])(?![{LATIN}]|['\-][{LATIN}])")
_LOWER_LETTER = re.compile(r"([a-j])(?=[ ]?(?:[)\]\"'»”」』}.,;\n]|$))")
_MENTION = re.compile(rf"(?<![{LATIN}'\-])([A-J])(?![{LATIN}]|['\-][{LATIN}])")
_BARE = re.compile(r"[^\w\n]{0,12}_{0,2}([A-Ja-j])_{0,2}[^\w\n]{0,12}")
_ENDING = re.compile(r"([A-J])[^\w\n]{0,12}")
_LEAD = re.compile(r"[(\[\"']?([A-J]|[a-j](?=\)))(?:[).:\]][\"']?(?=\s|[^\x00-\x7f])|(?=\n)|(?= [-–—] ))")
_LISTED = re.compile(r"^[ ]?[(\[\-•]?[ ]?([A-J])(?:[).:\]](?=\s)|(?= ?[-–—|→]))", re.MULTILINE)
_WORD_CHARACTER = re.compile(r"\w")
_EDGES = " \"'«»“”„「」『』()[]{}<>.,;:!。、_|-"
# Letters written together, "BE".
_JSON = re.compile(r"\"[^\"\n]{1,40}\"\s?:\s?\"([A-J])[\".)]")
# Options such as yes, no and maybe are not struck out by the negation that follows them.
_LABELS_MAX = 3
_RUN = re.compile(r"([A-J]{2,6})(?=[.。]?[ ]?(?:\n|$))")
_SENTENCE_ENDS = re.compile(r"\w[.] ")
_GOES_ON = re.compile(rf"[{LATIN}]|[.,]\d")
# A word in lower case right after a letter, be it behind a full stop, may make the letter something else.
_STOP = re.compile(r"\.?[ ]|\.")
_WORD = re.compile(rf"(?![0-9A-ZÀ-ÖØ-Þ])[{LATIN}]+")


@dataclass(frozen=True)
class _Reply:
    """A reply made visible, its options likewise, and the patterns of its language."""

    text: str
    lower: str
    options: tuple[str, ...]
    patterns: Patterns

    @cached_property
    def named(self) -> list[Mention]:
        """Every place that names an option."""
        return mentions(self.text, self.lower, self.options, self.patterns)


@dataclass(frozen=True)
class _Stated:
    """One place that states an answer: the options it names and the rule that found it."""

    options: tuple[int, ...]
    rule: str


def read_choice(reply: str, options: Sequence[str], language: str) -> Reading:
    """Return what a careful reader would take as the final answer of a reply, and nothing where there is none.

    The rules, in order; the first that finds something decides: a bare letter; the one line that is ticked, where each
    begins with a letter; the last of all statements after a cue ("Answer: B", "la réponse est donc B", TeX's boxed
    letter, `{"answer": "B"}`), verdicts ("B is correct"), conclusions (a clause that says nothing else, "Also B.") and
    sentences that accept several; a bare letter on the last line; a letter at the beginning ("B. Paracetamol ...");
    several letters; the option's text instead of its letter. Then, unless the reply declines: the place of an option
    ("the second option"); the one option left where all others are struck out; the one option that a reply names and
    does not strike out. Without any, the reply is unread.

    Args:
        reply: the model's text as it came.
        options: texts of the options, A first; at most ten.
        language: BCP 47 code of the language asked in; English is understood inside any.

    Raises:
        UsageError: more options than letters, or a language that is not in the table.
    """
    if len(options) > len(LETTERS):
        raise UsageError(f"{len(options)} options; expected at most {len(LETTERS)}, {LETTERS[0]} to {LETTERS[-1]}")
    text = visible(reply)
    if not any(character.isalnum() for character in text):
        return Reading(letter=None, status="empty", rule="empty")
    seen = _Reply(text=text, lower=text.lower(), options=_shown(tuple(options)), patterns=patterns(language))
    for rule in (_bare, _ticked, _last_stated, _last_line, _lead, _listed_letters, _whole_text):
        stated = rule(seen)
        if stated is not None:
            return _as_reading(stated, len(options))
    if seen.patterns.refuse.search(seen.text):
        return Reading(letter=None, status="refused", rule="refusal phrase")
    stated = _deduced(seen)
    return _as_reading(stated, len(options)) if stated else Reading(letter=None, status="unread", rule="no rule")


@lru_cache(maxsize=1024)
def _shown(options: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(" ".join(visible(option).lower().split()) for option in options)


def _as_reading(stated: _Stated, options: int) -> Reading:
    named = dict.fromkeys(stated.options)
    if len(named) > 1:
        return Reading(letter=None, status="several", rule=stated.rule)
    (option,) = named
    if option >= options:
        return Reading(letter=None, status="unread", rule=f"{stated.rule}, letter beyond the options")
    return Reading(letter=LETTERS[option], status="read", rule=stated.rule)


def _last_stated(seen: _Reply) -> _Stated | None:
    """Return the last of all statements, verdicts and conclusions: a reply that changes its mind means the later."""
    found = [*_values(seen), *_statements(seen), *_verdicts(seen)]
    last = max((place for place, _ in found), default=0)
    found += _conclusions(seen, last)
    return max(found, key=lambda one: one[0])[1] if found else None


def _statements(seen: _Reply) -> Iterator[tuple[int, _Stated]]:
    for cue in seen.patterns.cues(seen.text, seen.lower):
        if _SENTENCE_ENDS.search(cue["gap"]) or (cue["correct"] and not seen.patterns.tied.search(cue["gap"])):
            continue
        if seen.patterns.denied_before.search(seen.text[max(0, cue.start() - _SEEN_BEFORE) : cue.start()]):
            continue
        lower = any(mark in cue["gap"] for mark in ":{(")
        stated = _named_at(seen, cue.end(), lower=lower) or _label(seen, cue)
        if stated:
            yield cue.end(), stated


def _values(seen: _Reply) -> Iterator[tuple[int, _Stated]]:
    for value in _JSON.finditer(seen.text):
        yield value.start(1), _Stated((LETTERS.index(value[1]),), "value of a key")


def _conclusions(seen: _Reply, start: int) -> Iterator[tuple[int, _Stated]]:
    named = seen.named
    if start:
        # What stands before the last statement cannot change it.
        named = mentions(seen.text, seen.lower, seen.options, seen.patterns, start=start)
    for first, options in concluded(seen.text, named, seen.patterns):
        yield first.start, _Stated(options, "conclusion")
    for first, options in named_both(seen.text, named, seen.patterns):
        yield first.start, _Stated(options, "several accepted")


def _ticked(seen: _Reply) -> _Stated | None:
    option = ticked(seen.text, seen.patterns)
    return None if option is None else _Stated((option,), "the one line ticked")


def _deduced(seen: _Reply) -> _Stated | None:
    """Return what follows where nothing is stated: by place, by elimination, by the only option left."""
    found = {
        "place among the options": place_named(seen.text, seen.named, seen.patterns, len(seen.options)),
        "elimination": eliminated(seen.named, len(seen.options)),
        "only option named": only_left(seen.text, seen.named),
    }
    for name, options in found.items():
        if options:
            return _Stated(options, name)
    return None


def _named_at(seen: _Reply, place: int, *, lower: bool) -> _Stated | None:
    by_text = _text_at(seen, place)
    if by_text is not None:
        return _Stated((by_text,), "statement of the option's text")
    letter = _LETTER.match(seen.text, place) or (_LOWER_LETTER.match(seen.text, place) if lower else None)
    if letter is not None:
        return _letter_stated(seen, letter)
    run = _RUN.match(seen.text, place)
    if run is not None and list(run[1]) == sorted(set(run[1])):
        return _Stated(tuple(LETTERS.index(one) for one in run[1]), "statement")
    denied = seen.patterns.denied_then.match(seen.text, place)
    first = _LETTER.match(seen.text, denied.end()) if denied else None
    meant = seen.patterns.but.match(seen.text, first.end()) if first else None
    second = _LETTER.match(seen.text, meant.end()) if meant else None
    return _letter_stated(seen, second) if second else None


def _label(seen: _Reply, cue: re.Match[str]) -> _Stated | None:
    """Find a label that begins as a linking word does, as "是", "はい" and "ndiyo" do: "答案：是"."""
    start = cue.start("gap") + len(cue["gap"]) - len(cue["gap"].lstrip(_EDGES))
    index = _text_at(seen, start)
    whole = index is not None and not _next_to(seen, start + len(seen.options[index])).isalnum()
    return _Stated((index,), "statement of the option's text") if index is not None and whole else None


def _letter_stated(seen: _Reply, letter: re.Match[str]) -> _Stated | None:
    instead = seen.patterns.instead.match(seen.text, letter.end())
    letter = (_LETTER.match(seen.text, instead.end()) if instead else None) or letter
    index = LETTERS.index(letter[1].upper())
    if seen.text[letter.end() : letter.end() + 2].lstrip(")]\"'").startswith(("?", "？")):
        return None
    if _denied_after(seen, letter.end()) or not _stands_alone(seen, letter.end(), index):
        return None
    return _Stated((index, *(LETTERS.index(other[1]) for other in _joined(seen, letter.end()))), "statement")


def _denied_after(seen: _Reply, end: int) -> bool:
    denied = seen.patterns.denied_after.match(seen.text, end)
    if denied is None:
        return False
    # "B not A" denies the letter that follows.
    approach = seen.patterns.approach.match(seen.text, denied.end())
    return approach is None or _LETTER.match(seen.text, approach.end()) is None


def _stands_alone(seen: _Reply, end: int, index: int) -> bool:
    """Whether what follows leaves a letter a letter: no word it is part of ("A patient"), no genus ("E. coli")."""
    rest = seen.text[end : end + _SEEN_AFTER].lstrip(")]\"'»”」』}|_")
    if rest[:1].isalpha():
        return seen.patterns.after.match(rest) is not None
    stop = _STOP.match(rest)
    word = rest[stop.end() :] if stop else ""
    first = _WORD.match(word)
    if first is None:
        return True
    own = index < len(seen.options) and seen.options[index].startswith(first[0])
    return own or seen.patterns.after.match(word) is not None


def _joined(seen: _Reply, end: int) -> Iterator[re.Match[str]]:
    """Give the letters that are joined to one that ends here: "A and C", "A, B"."""
    for _ in LETTERS:
        join = seen.patterns.join.match(seen.text, end)
        letter = _LETTER.match(seen.text, join.end()) if join else None
        if letter is None:
            return
        rest = seen.text[letter.end() : letter.end() + _SEEN_AFTER].lstrip(" ")
        if rest and rest[0].isalpha() and not seen.patterns.join.match(seen.text, letter.end()):
            return
        yield letter
        end = letter.end()


def _bare(seen: _Reply) -> _Stated | None:
    return _bare_line(seen, seen.text, "bare letter")


def _last_line(seen: _Reply) -> _Stated | None:
    return _bare_line(seen, seen.text.rsplit("\n", 1)[-1].strip(), "last line")


def _bare_line(seen: _Reply, line: str, rule: str) -> _Stated | None:
    bare = _BARE.fullmatch(line)
    if bare is None and len(line) <= _SEEN_AFTER:
        approach = seen.patterns.approach.match(line)
        bare = _ENDING.fullmatch(line, approach.end()) if approach else None
    return _Stated((LETTERS.index(bare[1].upper()),), rule) if bare else None


def _lead(seen: _Reply) -> _Stated | None:
    lead = _LEAD.match(seen.text)
    if lead is None or len({listed[1] for listed in _LISTED.finditer(seen.text)} | {lead[1]}) > 1:
        return None
    index = LETTERS.index(lead[1].upper())
    end = lead.end(1)
    if _denied_after(seen, end) or not _stands_alone(seen, end, index) or SHARE.match(seen.text, end):
        return None
    return _Stated((index,), "leading letter")


def _verdicts(seen: _Reply) -> Iterator[tuple[int, _Stated]]:
    found = [
        mention
        for mention in _MENTION.finditer(seen.text)
        if (
            seen.patterns.verdict.match(seen.text, mention.end())
            or seen.patterns.praised.match(seen.text, mention.end())
        )
        and not _denied_after(seen, mention.end())
        and _names_an_option(seen, mention.start())
    ]
    if found:
        options = tuple(LETTERS.index(mention[1]) for mention in found)
        yield found[-1].start(), _Stated(options, "verdict")


def _names_an_option(seen: _Reply, start: int) -> bool:
    before = seen.text[max(0, start - _SEEN_BEFORE) : start]
    if seen.patterns.denied_before.search(before):
        return False
    return not before.rstrip(" ")[-1:].isalnum() or seen.patterns.introduces.search(before) is not None


def _listed_letters(seen: _Reply) -> _Stated | None:
    first = _LETTER.match(seen.text)
    letters = [first, *_joined(seen, first.end())] if first else []
    if len(letters) < 2 or _WORD_CHARACTER.search(seen.text, letters[-1].end()):
        return None
    return _Stated(tuple(LETTERS.index(letter[1]) for letter in letters), "several letters")


def _whole_text(seen: _Reply) -> _Stated | None:
    lines = seen.lower.split("\n")
    for line in (" ".join(lines[:3]) if len(lines) <= 3 else lines[0], lines[0], lines[-1]):
        bare = line.strip(_EDGES)
        equal = tuple(index for index, option in enumerate(seen.options) if option.strip(_EDGES) == bare)
        if equal and bare:
            return _Stated(equal, "option's text")
    index = _text_at(seen, 0)
    if index is None or _next_to(seen, len(seen.options[index])) not in ".,;:!。、,\n":
        return None
    struck = len(seen.options) > _LABELS_MAX and any(one.denied for one in seen.named[:1])
    if not struck:
        return _Stated((index,), "leading option's text")
    return None


def _text_at(seen: _Reply, place: int) -> int | None:
    """Return the option whose text stands at a place of the reply, the longest where one begins like another."""
    best = None
    for index, option in enumerate(seen.options):
        longer = best is None or len(option) > len(seen.options[best])
        # An option such as blood group "A" is read as the letter that was asked for.
        named = option and option.upper() not in tuple(LETTERS)
        if named and longer and seen.lower.startswith(option, place) and _ends(seen, place + len(option)):
            best = index
    return best


def _next_to(seen: _Reply, end: int) -> str:
    return seen.lower[end : end + 1]


def _ends(seen: _Reply, end: int) -> bool:
    return _GOES_ON.match(seen.lower, end) is None
