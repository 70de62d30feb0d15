"""Where a reply names an option, and whether it strikes it out."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from itertools import pairwise

from globmed.bench.reading.markup import LATIN
from globmed.bench.reading.phrases import Runs, runs_of
from globmed.bench.reading.rows import Row, heads, rows_of
from globmed.bench.reading.words import Patterns
from globmed.models.client import LETTERS

_BEFORE, _AFTER = 48, 90
_LETTER = re.compile(rf"(?<!['°º\d])([A-J])(?![{LATIN}]|['\-][{LATIN}])")
STOPS = re.compile(r"[.!?;](?=[\s*\"'»”)]|$)|[。！？；…\n]|\.\.")
CLAUSES = re.compile(r"[,、，:：→⇒]|[.!?;](?=[\s*\"'»”)]|$)|[。！？；…\n]|\.\.| [–—] ")
_WORD = re.compile(rf"[{LATIN}']+")
SHARE = re.compile(r"[)\].:|]{0,2}[^\S\n]{0,2}(?:[-–—=:|(][^\S\n]?)?\d+(?:[.,]\d+)?[ ]?%")
_LOWER_WORD = re.compile(rf"[ ](?![0-9A-ZÀ-ÖØ-Þ])([{LATIN}']+)")
# "A 34-year-old".
_NUMBER = re.compile(r"[ ]\d")
# Between a negation and a letter: "I see no reason for E".
_FEW_WORDS = re.compile(rf"(?:[ ][{LATIN}']+){{0,2}}[ ](?:[{LATIN}]{{1,4}}-)?")
# The last word of one of "vitamin A", "vitamin B12" ...
_ENDING = re.compile(rf"[{LATIN}]{{1,4}}")
_GENUS = re.compile(r"\.[ ]?[a-z]{4}")
# Words of many languages: only before a word that may follow an option's letter are they letters.
_WORDS_TOO = frozenset("AEI")
_EDGES = " .。;,:!"
_ARTICLE_MAX = 2
_STEM_MIN = 6
# "A E é a única": the article before a letter.
_ARTICLE = re.compile(rf"A [A-J](?![{LATIN}])")
_JOINT = re.compile(r"[ ]?[)\]]?")
_EDGE = re.compile(rf"[{LATIN}]")
_NEAR = 20
_HYPHENED = re.compile(rf"([{LATIN}]+)-$")
_BY_LETTERS = frozenset({"loose", "groups", "named", "seemed"})
_OPENING = " \"'(«“„「-•>"

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Mention:
    """One place where a reply names an option.

    Attributes:
        option: its index.
        start, end: where the name stands.
        by_text: whether the option's text stands there, not its letter.
        denied: whether the clause strikes the option out.
    """

    option: int
    start: int
    end: int
    by_text: bool
    denied: bool = False


@dataclass(frozen=True)
class Seen:
    """A reply made visible, its options likewise, and the patterns of its language.

    Attributes:
        text: the reply as `visible` gives it.
        lower: the same in lower case.
        options: texts of the options, visible and in lower case.
        words: the patterns of the language.
        loose: whether a letter behind a word that is not known is taken for an option's.
    """

    text: str
    lower: str
    options: tuple[str, ...]
    words: Patterns
    loose: bool = False

    @cached_property
    def runs(self) -> Runs:
        """Where each word stands."""
        return runs_of(self.lower, self.words.begins)

    @cached_property
    def rows(self) -> list[Row]:
        """The lines that are each about one option."""
        return rows_of(self.text, self.words)

    @cached_property
    def listed(self) -> frozenset[int]:
        """Places where a name only says which option a line is about."""
        return heads(self.rows)

    @cached_property
    def endings(self) -> dict[str, int]:
        """The option by its last word, where all begin alike and one ends with a letter: "vitamin A", "vitamin B12"."""
        parts = [option.rpartition(" ") for option in self.options]
        alike = len({part[0] for part in parts}) == 1 and parts[0][0] != ""
        last = {part[2]: index for index, part in enumerate(parts)}
        letters = LETTERS[: len(self.options)]
        return last if alike and any(ending.upper() in tuple(letters) for ending in last) else {}

    @cached_property
    def groups(self) -> list[list[Mention]]:
        """Every place that names an option, those together that are joined; not yet said is which are struck out."""
        return groups_from(self, 0)

    @cached_property
    def named(self) -> list[Mention]:
        """Every place that names an option, in order, and whether it is struck out."""
        found = []
        for at, group in enumerate(self.groups):
            denied = struck_out(self, self.groups, at)
            found += [replace(one, denied=True) for one in group] if denied else group
        return found

    @cached_property
    def loosened(self) -> Seen:
        """The same with letters behind words that are not known, too; what does not depend on that is kept."""
        other = replace(self, loose=True)
        other.__dict__.update({name: held for name, held in vars(self).items() if name not in _BY_LETTERS})
        return other

    @cached_property
    def clause_stops(self) -> list[Span]:
        """Where clauses end."""
        return [stop.span() for stop in CLAUSES.finditer(self.text)]

    @cached_property
    def stops(self) -> list[Span]:
        """Where the marks that end sentences stand."""
        return [stop.span() for stop in STOPS.finditer(self.text)]

    @cached_property
    def sentences(self) -> list[Span]:
        """Where sentences begin and end."""
        bounds = [0, *(end for _, end in self.stops), len(self.text)]
        return [(start, end) for start, end in pairwise(bounds) if start < end]

    def sentence_at(self, place: int) -> Span:
        """Return where the sentence around a place begins and ends."""
        return self.sentences[max(0, bisect_left(self.sentences, (place + 1, 0)) - 1)]

    def opens(self, place: int) -> bool:
        """Whether a line or sentence begins at a place."""
        start = self.sentence_at(place)[0]
        return place - start <= _ARTICLE_MAX and not self.text[start:place].strip(_OPENING)

    @cached_property
    def negations(self) -> list[Span]:
        """Where something is negated."""
        return self.words.negations.spans(self.text, self.lower, self.runs)

    @cached_property
    def hedges(self) -> list[Span]:
        """Where a reply leaves something open: "might be", "cannot be excluded"."""
        return self.words.hedge.spans(self.text, self.lower, self.runs)

    @cached_property
    def denials(self) -> list[Span]:
        """Where something is struck out; in "cannot be excluded" nothing is."""
        found = self.words.deny.spans(self.text, self.lower, self.runs)
        if self.words.inflects:
            # A prefix that is written as an English word: Zulu "no-C" is "and C".
            found = [one for one in found if self.text[one[1] : one[1] + 1] != "-"]
        if self.words.negative:
            found = sorted({*found, *(one.span() for one in self.words.negative.finditer(self.lower))})
        if not found or not self.hedges:
            return found
        return [one for one in found if not any(start <= one[0] and one[1] <= end for start, end in self.hedges)]

    @cached_property
    def denials_before(self) -> list[Span]:
        """Where the option right behind is struck out: "B is better than A"."""
        than = self.words.than.spans(self.text, self.lower, self.runs)
        return sorted({*self.denials, *than}) if than else self.denials

    @cached_property
    def seemed(self) -> frozenset[int]:
        """Places of options that only seemed right, where another follows: "At first I thought B, but it is C"."""
        phrases = self.words.seeming.spans(self.text, self.lower, self.runs)
        if not phrases:
            return frozenset()
        starts = [group[0].start for group in self.groups]
        last = {one.option: one.start for group in self.groups for one in group}
        found = [self.groups[at] for span in phrases for at in self.meant_by(span, starts)]
        return frozenset(
            one.start
            for group in found
            for one in group
            if any(last[option] > one.start for option in last.keys() - {other.option for other in group})
        )

    def meant_by(self, phrase: Span, starts: list[int]) -> range:
        """Return which of some places a phrase in the same sentence is about: the next, or else the last before it."""
        first, last = self.sentence_at(phrase[0])
        at = bisect_left(starts, phrase[1])
        if at < len(starts) and starts[at] < last:
            return range(at, at + 1)
        before = bisect_left(starts, phrase[0]) - 1
        return range(before, before + 1) if before >= 0 and starts[before] >= first else range(0)

    @cached_property
    def fits(self) -> list[Span]:
        """Where something is said to hold."""
        return self.words.fits.spans(self.text, self.lower, self.runs)

    @cached_property
    def concessions(self) -> list[Span]:
        """Where a concession begins."""
        return self.words.concession.spans(self.text, self.lower, self.runs)

    @cached_property
    def reasons(self) -> list[Span]:
        """Where a reason begins."""
        return self.words.reason.spans(self.text, self.lower, self.runs)


def groups_from(seen: Seen, start: int) -> list[list[Mention]]:
    """Return where a visible reply names its options from a place on, in time linear in its length.

    Those that are joined ("A, B and D") come together: they share what is said of the last.
    """
    found = list(_texts(seen, start))
    # Beside "vitamin K", a letter alone is rather a vitamin's than an option's.
    if not (found and seen.endings):
        covered = {place for one in found for place in range(one.start, one.end)}
        found += [one for one in _letters(seen, start) if one.start not in covered]
    found.sort(key=lambda one: one.start)
    return list(_joined_groups(seen, found))


def _texts(seen: Seen, begin: int) -> Iterator[Mention]:
    taken: set[int] = set()
    inflects = seen.words.inflects
    for option, index in _forms_of(seen.options, inflects):
        within = inflects and len(option) >= _STEM_MIN
        start = seen.lower.find(option, begin)
        while start >= 0:
            end = start + len(option)
            if start not in taken and _whole(seen.lower, start, end, within=within):
                taken.update(range(start, end))
                yield Mention(index, start, end, by_text=True)
                yield from _series(seen, end)
            start = seen.lower.find(option, end)


@lru_cache(maxsize=1024)
def _forms_of(options: tuple[str, ...], inflects: bool) -> list[tuple[str, int]]:  # noqa: FBT001 - a key of the cache
    named = [(text, index) for index, option in enumerate(options) for text in _forms(option, inflects=inflects)]
    return sorted(named, key=lambda one: -len(one[0]))


def _forms(option: str, *, inflects: bool) -> Iterator[str]:
    """Give an option's text, and in languages that inflect by prefix also without its first vowel."""
    option = option.strip(_EDGES)
    if len(option) > 1:
        yield option
    if inflects and option[:1] in ("a", "e", "i", "o", "u") and (len(option) > _STEM_MIN or option[1:2] == "-"):
        yield option[1:].removeprefix("-")


def _whole(lower: str, start: int, end: int, *, within: bool) -> bool:
    before, after = lower[start - 1 : start] if start else "", lower[end : end + 1]
    if after == "/" or (not within and _EDGE.match(lower[start]) and _EDGE.match(before)):
        return False
    if lower[start].isdigit() and before in (".", ",") and lower[start - 2 : start - 1].isdigit():
        return False
    return not (_EDGE.match(lower[end - 1]) and _EDGE.match(after))


def _series(seen: Seen, end: int) -> Iterator[Mention]:
    """Give what is joined to one of "vitamin A", "vitamin B12" ...: in "vitamin A and B12" these are vitamins, too."""
    ends = seen.endings
    for _ in ends:
        join = seen.words.join.match(seen.text, end)
        ending = _ENDING.match(seen.lower, join.end()) if join else None
        if ending is None or ending[0] not in ends or seen.text[ending.start()].islower():
            return
        end = ending.end()
        yield Mention(ends[ending[0]], ending.start(), end, by_text=True)


def _letters(seen: Seen, begin: int) -> Iterator[Mention]:
    text, name_ends = seen.text, -1
    for letter in _LETTER.finditer(text, begin):
        start, end = letter.span()
        index = LETTERS.index(letter[1])
        # "Antigens A and B": what is joined to a name is one.
        if name_ends >= 0 and _joined(text, name_ends, start, end, seen.words):
            name_ends = end
            continue
        word = word_before(text[max(0, start - _BEFORE) : start])
        named = word in seen.words.named if seen.loose else word not in seen.words.known_before
        name_ends = end if len(word) > 2 and named else -1
        if _ARTICLE.match(text, start):
            continue
        if index < len(seen.options) and _is_letter(seen, start, end, seen.options[index], word):
            yield Mention(index, start, end, by_text=False)


def word_before(before: str) -> str:
    """Return the word that a space parts from what follows, in lower case; empty where there is none."""
    last = before[:-1].rsplit(None, 1)[-1:] if before.endswith(" ") else []
    found = _WORD.findall(last[0]) if last else []
    word = found[-1].lower() if found and last[0].endswith(found[-1]) else ""
    # "L'option".
    return word[2:] if word[1:2] == "'" else word


def _is_letter(seen: Seen, start: int, end: int, option: str, word: str) -> bool:
    """Whether a capital names an option: not "vitamin C", "T1", "E. coli", "A patient", "38 C" or "B: 60 %"."""
    text, words = seen.text, seen.words
    before = text[max(0, start - _BEFORE) : start]
    if words.inflects and words.prefixed.search(before):
        return True
    # "Option-B".
    joined = _HYPHENED.search(before)
    touched = bool(before) and (_EDGE.match(before[-1]) is not None or before[-1] in "-'")
    touched = touched and not (joined and joined[1].lower() in words.options)
    named = bool(word) and (word in words.named if seen.loose else word not in words.known_before)
    if touched or named or before.rstrip().endswith(words.noun_before):
        return False
    if text.startswith(words.noun_after, end) or SHARE.match(text, end):
        return False
    return not (text[start] in _WORDS_TOO and _is_word(seen, start, end, option)) and not _is_genus(seen, end, option)


def _is_word(seen: Seen, start: int, end: int, option: str) -> bool:
    """Whether a letter is a word before what follows it: "A patient", "A 34-year-old", "A la vista"."""
    follows = _LOWER_WORD.match(seen.text, end)
    if follows is None:
        return _NUMBER.match(seen.text, end) is not None
    if seen.text[start] == "A" and follows[1] in seen.words.articles:
        return True
    # Within a sentence no article is a capital.
    if (seen.loose and start > seen.sentence_at(start)[0] + 1) or seen.words.after.match(seen.text, end + 1):
        return False
    return len(follows[1]) <= _ARTICLE_MAX or not option.startswith(follows[1])


def _is_genus(seen: Seen, end: int, option: str) -> bool:
    """Whether a letter is a genus, "E. coli", and no end of a sentence."""
    genus = _GENUS.match(seen.text, end)
    if genus is None or option.startswith(genus[0].lstrip(". ")):
        return False
    return seen.words.after.match(seen.text, genus.end() - 4) is None


def _joined_groups(seen: Seen, found: list[Mention]) -> Iterator[list[Mention]]:
    group: list[Mention] = []
    for one in found:
        if group and not _joined(seen.text, group[-1].end, one.start, one.end, seen.words):
            yield group
            group = []
        group.append(one)
    if group:
        yield group


def _joined(text: str, end: int, start: int, ends: int, words: Patterns) -> bool:
    if start - end >= _NEAR:
        return False
    close = _JOINT.match(text, end)
    join = words.join.match(text, end if close is None else close.end())
    if join is None or join.end() < start:
        return text[end:start].strip(" -").lower() in words.joins
    # "Du B, A la": a comma joins no clause of its own.
    return text[end:start].strip() != "," or not words.tail.match(text, ends + 1)


def struck_out(seen: Seen, groups: list[list[Mention]], at: int) -> bool:
    """Whether the clause around a group strikes it out."""
    first, last = groups[at][0], groups[at][-1]
    if first.start in seen.seemed:
        return True
    following = groups[at + 1][0] if at + 1 < len(groups) else None
    previous = groups[at - 1][-1].end if at else 0
    turned = at > 0 and seen.words.instead.match(seen.text, previous)
    if not turned and denied_before(seen, first.start, max(0, first.start - _BEFORE, previous)):
        return True
    if seen.words.instead.match(seen.text, last.end):
        return True
    return bool(seen.denials) and _denied_behind(seen, first.start, last.end, following)


def denied_before(seen: Seen, start: int, bound: int) -> bool:
    """Whether what stands right before an option, in its clause and behind a bound, strikes it out."""
    if not seen.denials_before:
        return False
    if seen.words.inflects:
        prefix = seen.words.prefixed.search(seen.text, bound, start)
        start = prefix.start() if prefix else start
    at = bisect_left(seen.clause_stops, (start, start))
    clause = max(bound, seen.clause_stops[at - 1][1]) if at else bound
    last = bisect_left(seen.denials_before, (start, start))
    return any(
        clause <= struck[0]
        and struck[1] <= start
        and seen.lower[struck[0] : struck[1]] not in seen.words.lacks
        and (
            seen.words.filler.fullmatch(seen.text, struck[1], start)
            or (seen.text[start] in LETTERS and _FEW_WORDS.fullmatch(seen.text, struck[1], start))
        )
        for struck in seen.denials_before[max(0, last - 2) : last]
    )


def _denied_behind(seen: Seen, start: int, end: int, following: Mention | None) -> bool:
    limit = min(len(seen.text), end + _AFTER, following.start if following else len(seen.text))
    # "A. Paracetamol is wrong": a stop behind a letter that begins something ends nothing.
    ended = STOPS.match(seen.text, end) is not None and not seen.opens(start)
    stop = first_in(seen.clause_stops, end + (not ended), limit)
    held = stop[0] if stop else limit
    reason = first_in(seen.reasons, end, held)
    held = reason[0] if reason else held
    struck = first_in(seen.denials, end, held)
    if struck is None:
        return stop is not None and not reason and _sentence_struck(seen, end, limit)
    # "B not A": what stands right before the next option denies that one.
    return (
        following is None or stop is not None or reason is not None or bool(seen.text[struck[1] : held].strip(" ,\"'"))
    )


def _sentence_struck(seen: Seen, end: int, limit: int) -> bool:
    """Whether the rest of a sentence that names no other option strikes one out: "A causes falls, so it is wrong"."""
    stop = STOPS.search(seen.text, end, limit)
    if stop is None or any(first_in(spans, end, stop.start()) for spans in (seen.reasons, seen.fits)):
        return False
    return first_in(seen.denials, end, stop.start()) is not None


def first_in(spans: list[Span], start: int, end: int) -> Span | None:
    """Return the first span that begins at a place or behind it and ends before another."""
    at = bisect_left(spans, (start, 0))
    return spans[at] if at < len(spans) and spans[at][0] < end else None
