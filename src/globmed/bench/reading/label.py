"""The label that a free reply gives a pair of premise and hypothesis; see `read_label`."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence

from globmed.bench.reading.labels import Labels, form, labels_of
from globmed.bench.reading.markup import visible
from globmed.bench.reading.mentions import Seen, Span, denied_before
from globmed.bench.reading.phrases import Phrases
from globmed.bench.reading.reading import Reading
from globmed.bench.reading.words import patterns
from globmed.models.client import LETTERS

_EDGES = " \n:=*_|.,-\"'«»“”„「」『』()[]{}<>"
_QUOTES = " \"'“”„«»「」‘’*()（）"
_TENTATIVE = ("?", "？", "...", "…")
_ENDS = re.compile(r"[)\"'»”」]{0,2}(?:[.!。！](?=\s|$|[^\x00-\x7f])|\n)")
_STOPPED = re.compile(r"[ \"'“”»」』)）]{0,3}(?:입니다|이다|です|である|だ|。|[.!\n]|$)")
_STOPS = re.compile(r"[.,:;!?。、：；，\n]|$")
_QUOTED = re.compile(r"[ «“„「『\"']*")
_SEEN_BEFORE, _SEEN_AFTER = 40, 14
_OF_TWO = 2


def read_label(reply: str, options: Sequence[str], language: str) -> Reading:
    """Return which label a careful reader would take as a reply's final answer, and nothing where there is none.

    The rules, in order: the label after the last cue ("Answer: entailment"), or at the end of its sentence ("the answer
    to the question is yes"); several where two are joined; the only label that the reply names and does not strike
    out, or the last line does; the one not struck out where all others are; what the reply says instead of a label
    ("the premise does not mention it"). Labels are known in the language of the item and in English.

    Args:
        reply: the model's text as it came.
        options: the labels as the item has them, A first.
        language: BCP 47 code of the language asked in.

    Raises:
        UsageError: a language that is not in the table.
    """
    text = visible(reply).replace("_", " ")
    if not any(character.isalnum() for character in text):
        return Reading(letter=None, status="empty", rule="empty")
    seen = Seen(text=text, lower=text.lower(), options=(), words=patterns(language))
    labels = labels_of(tuple(options), language)
    stated = _stated(seen, labels)
    if stated is not None:
        return Reading(letter=LETTERS[stated], status="read", rule="statement")
    leading = _leading(seen, labels)
    if leading is not None:
        return Reading(letter=LETTERS[leading], status="read", rule="leading label")
    return _from_mentions(seen, _but_seeming(seen, list(_named(seen, labels))), labels, of=len(options))


def _leading(seen: Seen, labels: Labels) -> int | None:
    """Return the label that is a reply's whole first line or sentence, where nothing behind it takes it back."""
    first = labels.pattern.match(seen.text)
    if first is None or not _ENDS.match(seen.text, first.end()):
        return None
    turned = seen.words.turn.spans(seen.text, seen.lower, seen.runs)
    return None if turned else labels.options[form(first[0])]


def _stated(seen: Seen, labels: Labels) -> int | None:
    """Return the label behind the last cue that has one."""
    turns = seen.words.turn.spans(seen.text, seen.lower, seen.runs)
    later = turns and _behind(seen, list(_named(seen, labels)), turns[-1][0])
    for cue in reversed(list(seen.words.cues(seen.text, seen.lower, seen.runs))):
        if turns and cue.start() < turns[-1][0] and later:
            return None
        # A label may begin as a linking word does, as "是", "はい" and "ndiyo" do.
        for start in (cue.end(), cue.start("gap")):
            named = labels.pattern.search(seen.text, start)
            if named and not seen.text[start : named.start()].strip(_EDGES) and _stands(seen, labels, named):
                return labels.options[form(named[0])]
        last = None if cue["correct"] else _last_in(seen, labels, cue.start("gap"), seen.sentence_at(cue.start())[1])
        if last is not None:
            return last
    return None


def _stands(seen: Seen, labels: Labels, named: re.Match[str]) -> bool:
    """Whether a label right behind a cue is the answer: not joined to another, nor a word of the question.

    In "la respuesta a si la dosis basta" the "si" asks.
    """
    if _instead(seen, named) or _joined(seen, labels, named):
        return False
    rest = seen.text[named.end() : named.end() + 2]
    return not (form(named[0]) in labels.short and len(named[0]) <= _OF_TWO and rest[:1] == " " and rest[1:].islower())


def _behind(seen: Seen, found: list[tuple[int, int, bool]], turn: int) -> set[int]:
    """Return the labels behind a change of mind, or the last before it, as "いいえ、いや、はいに直します" has it."""
    left = [(place, option) for place, option, denied in found if not denied]
    start = seen.sentence_at(turn)[0]
    behind = {option for place, option in left if place > turn}
    before = [option for place, option in left if start <= place < turn]
    return behind or set(before[-1:] if seen.words.negates_behind else [])


def _last_in(seen: Seen, labels: Labels, start: int, end: int) -> int | None:
    """Return the label that a sentence with a cue ends with."""
    found = [one for one in labels.pattern.finditer(seen.text, start, end) if not _denied(seen, one, short=True)]
    if len({labels.options[form(one[0])] for one in found}) != 1 or not _STOPPED.match(seen.text, found[-1].end()):
        return None
    return labels.options[form(found[-1][0])]


def _from_mentions(seen: Seen, found: list[tuple[int, int, bool]], labels: Labels, *, of: int) -> Reading:
    left = {option for _, option, denied in found if not denied}
    both = bool(seen.words.both.spans(seen.text, seen.lower, seen.runs))
    several = _two_at_once(seen, labels) or (len(left) > 1 and both)
    if len(left) > 1 and "\n" in seen.text:
        last = {option for place, option, denied in found if not denied and place > seen.text.rfind("\n")}
        left = last if len(last) == 1 else left
    turns = seen.words.turn.spans(seen.text, seen.lower, seen.runs) if len(left) > 1 else []
    if turns:
        left = _behind(seen, found, turns[-1][0]) or left
    rule = "only label" if len(found) == 1 else "label left"
    others = set(range(of)) - {option for _, option, denied in found if denied}
    if not left and len(others) == 1 and (of == _OF_TWO or "neutral" in labels.places):
        left = others
    if not left:
        left, rule = _meant(seen, labels, of=of), "what is said of the pair"
    if several or len(left) > 1:
        return Reading(letter=None, status="several", rule="several labels")
    if left:
        return Reading(letter=LETTERS[left.pop()], status="read", rule=rule)
    if seen.words.refuse.spans(seen.text, seen.lower, seen.runs):
        return Reading(letter=None, status="refused", rule="refusal phrase")
    return Reading(letter=None, status="unread", rule="no rule")


def _meant(seen: Seen, labels: Labels, *, of: int) -> set[int]:
    """Return the label that a reply describes without naming it, as far as it says one thing only and asks none."""
    if seen.text.endswith(("?", "？")):
        return set()
    said = {name for name, phrases in _saying(seen) for _ in _undenied(seen, phrases)}
    tells = seen.words.tells.spans(seen.text, seen.lower, seen.runs)
    declined = seen.words.refuse.spans(seen.text, seen.lower, seen.runs)
    if seen.words.open.spans(seen.text, seen.lower, seen.runs) or (
        not said and not declined and any(_negated(seen, *one, behind=True) for one in tells)
    ):
        said.add("open")
    unsaid = not said and any(
        phrases.spans(seen.text, seen.lower, seen.runs) for phrases in (seen.words.follows, seen.words.unfollows)
    )
    if "open" in said or (unsaid and of == _OF_TWO):
        return {labels.places[name] for name in ("neutral", "maybe", "not_entailment") if name in labels.places}
    names = {"follows": "entailment", "against": "contradiction" if of > _OF_TWO else "not_entailment"}
    return {labels.places[names[one]] for one in said if names[one] in labels.places}


def _saying(seen: Seen) -> tuple[tuple[str, Phrases], ...]:
    return ("follows", seen.words.follows), ("against", seen.words.against)


def _undenied(seen: Seen, phrases: Phrases) -> Iterator[Span]:
    for start, end in phrases.spans(seen.text, seen.lower, seen.runs):
        if not _negated(seen, start, end, behind=True):
            yield start, end


def _negated(seen: Seen, start: int, end: int, *, behind: bool) -> bool:
    """Whether a clause negates what stands in it: before it or, in some languages and for verbs, behind it."""
    clause, stop = _clause(seen, start, end)
    only_behind = seen.words.negates_behind and not seen.text[start].isascii()
    before = start if only_behind else max(clause, start - _SEEN_BEFORE)
    after = min(stop, end + _SEEN_AFTER) if behind or only_behind else end
    return any((before <= one[0] and one[1] <= start) or end <= one[0] < after for one in seen.denials)


def _clause(seen: Seen, start: int, end: int) -> Span:
    before = bisect_left(seen.clause_stops, (start, start))
    behind = bisect_left(seen.clause_stops, (end, end))
    return (
        seen.clause_stops[before - 1][1] if before else 0,
        seen.clause_stops[behind][0] if behind < len(seen.clause_stops) else len(seen.text),
    )


def _named(seen: Seen, labels: Labels) -> Iterator[tuple[int, int, bool]]:
    """Give each label that a reply names: where, which, and whether it is struck out.

    A label that is questioned or trails off ("Neutral? No") is not meant; "yes", "no" and the like mean a label only
    where they stand alone, since negation is written with the same words.
    """
    text, turned, before = seen.text, False, 0
    for named in labels.pattern.finditer(text):
        name, rest = form(named[0]), text[named.end() : named.end() + 12]
        rest = rest if rest.startswith(("(", " (")) else rest.lstrip(_QUOTES)
        # "It would be honest to answer maybe."
        closes = labels.options[name] == labels.places.get("maybe") and not rest.strip(".!。 ")
        if rest.startswith(_TENTATIVE) or (
            name in labels.short and not closes and not _alone(seen, *named.span(), rest)
        ):
            continue
        instead = _instead(seen, named)
        but = seen.words.but.match(text, before) if before else None
        turned = turned or (but is not None and but.end() >= named.start())
        denied = instead or (not turned and _denied(seen, named, short=name in labels.short))
        yield named.start(), labels.options[name], denied
        turned, before = instead, named.end() if denied else 0


def _but_seeming(seen: Seen, found: list[tuple[int, int, bool]]) -> list[tuple[int, int, bool]]:
    """Leave out the labels that only seemed right where another follows: "it looks neutral at first, but ..."."""
    phrases = seen.words.seeming.spans(seen.text, seen.lower, seen.runs) if found else []
    starts = [place for place, _, _ in found]
    seemed = {at for span in phrases for at in seen.meant_by(span, starts)}
    last = {option: place for place, option, _ in found}
    return [
        one
        for at, one in enumerate(found)
        if at not in seemed or not any(place > one[0] for option, place in last.items() if option != one[1])
    ]


def _denied(seen: Seen, named: re.Match[str], *, short: bool) -> bool:
    start, end = named.span()
    if short:
        return denied_before(seen, start, max(0, start - _SEEN_BEFORE))
    return _negated(seen, start, end, behind=False)


def _instead(seen: Seen, named: re.Match[str]) -> bool:
    """Whether what follows a label puts another in its place: "'예'가 아니라 '아니요'"."""
    end = named.end() + 1 if seen.text[named.end() : named.end() + 1] in tuple(_QUOTES) else named.end()
    return seen.words.instead.match(seen.text, end) is not None


def _two_at_once(seen: Seen, labels: Labels) -> bool:
    """Whether a reply begins with two labels that are joined: "Yes and no"."""
    first = labels.pattern.match(seen.text)
    return first is not None and _joined(seen, labels, first)


def _joined(seen: Seen, labels: Labels, named: re.Match[str]) -> bool:
    """Whether another label is joined to one."""
    join = seen.words.join.match(seen.text, named.end() + (seen.text[named.end() : named.end() + 1] == " "))
    second = labels.pattern.match(seen.text, _QUOTED.match(seen.text, join.end()).end()) if join else None  # type: ignore[union-attr]
    return second is not None and labels.options[form(second[0])] != labels.options[form(named[0])]


def _alone(seen: Seen, start: int, end: int, rest: str) -> bool:
    text = seen.text
    clause, _ = _clause(seen, start, start)
    # "The trial does not support it, so no."
    if not rest.strip(".!。 ") and text[clause:start].strip() and seen.words.leads.fullmatch(text, clause, start):
        return True
    before = text[max(0, start - _SEEN_BEFORE) : start].rstrip(_QUOTES)
    opened = text[max(0, start - _OF_TWO) : start].rstrip(" ")[-1:] in tuple("\"'“„«「‘")
    starts = not before or before[-1] in ".,:;!?\n–—-…。、>|" or opened or _led(seen, clause, start)
    return starts and (opened or not rest or rest.startswith("的") or not rest[0].isalnum() or _tailed(seen, end))


def _led(seen: Seen, clause: int, start: int) -> bool:
    """Whether nothing but a negation or a word for "but" stands before a label in its clause."""
    if start - clause > _SEEN_BEFORE:
        return False
    lead = seen.text[clause:start].strip(_QUOTES)
    at = clause + len(seen.text[clause:start]) - len(seen.text[clause:start].lstrip(_QUOTES))
    negated = any(first == at and last == at + len(lead) for first, last in seen.denials)
    but = seen.words.but.match(seen.text, max(0, clause - 1))
    return negated or (but is not None and but.end() >= start)


def _tailed(seen: Seen, end: int) -> bool:
    """Whether a sentence ends behind a label with words that may follow an answer: "déedéet la."."""
    tail = seen.words.tail.match(seen.text, end + 1)
    return tail is not None and _STOPS.match(seen.text, tail.end()) is not None
