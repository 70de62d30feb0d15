"""Text that was left in the original's language, word for word.

Names, drugs and abbreviations are rightly copied. What tells that running text was left standing are the original
language's function words in the midst of what was copied. Between languages that share most of those, such as Spanish
and Portuguese, less is seen; where the original is Chinese, Japanese or Korean, runs of its characters are compared.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from globmed.core.item import Finding, Severity
from globmed.data.function_words import function_words
from globmed.data.pairs import FieldPair, Pair
from globmed.data.quality import Check

RUN = 4
"""Words in a row that count as copied: shorter runs stand in names."""
SHARE_BLOCKED = 0.5
WORDS_ALIKE = 6
"""Words from which a question or passage that reads the same was not translated, whatever its words."""
LETTERS_ASKED = 4
"""Letters of a word for which a question or passage that reads the same is asked about; a number or symbol is not."""
_NAMES = ("options", "reference")
"""Fields that may rightly hold a name and nothing else."""
_PUNCTUATION = ".,;:!?()[]\"'“”‘’«»…"
_EAST_ASIAN = {"zh", "ja", "ko"}
_LETTERS = re.compile(r"[^\W\d_]+")
_LONG_WORD = re.compile(r"[a-zà-ÿ]{4,}")
_EAST_ASIAN_RUN = re.compile(r"[\u3041-\u30ff\u3400-\u9fff\uac00-\ud7a3，、]{4,}")
CHARACTERS_REPORTED = 12


def find(pair: Pair) -> Iterator[Finding]:
    """Block a field of which half or more was copied, send less to review."""
    source, target = pair.source.language, pair.target.language
    if source == target:
        return
    if source in _EAST_ASIAN:
        yield from _copied_characters(pair)
    telling = function_words(source) - function_words(target)
    own = function_words(target) - function_words(source)
    for field in pair.fields:
        if field.source == field.target or not telling.isdisjoint(pair.target_words):
            yield from _copied_words(field, telling, own)
    yield from _copied_options(pair)


def _copied_words(field: FieldPair, telling: frozenset[str], own: frozenset[str]) -> Iterator[Finding]:
    source, target = _words(field.source), _words(field.target)
    if source == target:
        if not _is_of(own, source, rather_than=telling):
            yield from _copied_whole(field, source, telling)
        return
    runs = set(zip(*(target[start:] for start in range(RUN)), strict=False))
    copied = set[int]()
    for start, run in enumerate(zip(*(source[start:] for start in range(RUN)), strict=False)):
        if run in runs and not telling.isdisjoint(run):
            copied.update(range(start, start + RUN))
    words = [source[index] for index in sorted(copied)]
    if words and not _is_of(own, words, rather_than=telling):
        share = len(words) / len(source)
        text = " ".join(words[:8])
        severity: Severity = "block" if share >= SHARE_BLOCKED else "review"
        yield _finding(severity, field.name, f"{share:.0%} of the words are the original's, such as {text!r}")


def _copied_whole(field: FieldPair, words: list[str], telling: frozenset[str]) -> Iterator[Finding]:
    may_be_name = field.name.startswith(_NAMES)
    if _is_running_text(words, telling, may_be_name=may_be_name):
        yield _finding("block", field.name, "the original's text")
    elif not may_be_name and any(len(word) >= LETTERS_ASKED and word.isalpha() for word in _spaced(field.source)):
        yield _finding("review", field.name, "the original's text")


def _is_of(language: frozenset[str], words: list[str], *, rather_than: frozenset[str]) -> bool:
    """Whether words are of the language asked for after all: an original may quote it, or be in it by mistake."""
    return sum(map(language.__contains__, words)) > sum(map(rather_than.__contains__, words))


def _spaced(text: str) -> list[str]:
    """Return what stands between spaces: an address or a name of an account is no word."""
    return [word.strip(_PUNCTUATION) for word in text.split()]


def _is_running_text(words: list[str], telling: frozenset[str], *, may_be_name: bool) -> bool:
    """Whether words are no mere name or list of names, which would rightly be the same in both languages."""
    if len(words) >= WORDS_ALIKE and not may_be_name:
        return True
    return len(telling.intersection(words)) >= (1 if len(words) < RUN else 2)


def _copied_options(pair: Pair) -> Iterator[Finding]:
    """Ask about options that all stand as in the original though they hold common words."""
    source, target = pair.source.options, pair.target.options
    if len(source) > 1 and source == target:
        words = sum(len(_LONG_WORD.findall(option)) for option in source)
        if words >= 2 * len(source):
            yield _finding("review", "options", "all options read as in the original")


def _copied_characters(pair: Pair) -> Iterator[Finding]:
    for field in pair.fields:
        left = [run for run in _EAST_ASIAN_RUN.findall(field.target) if run in field.source]
        share = sum(map(len, left)) / max(len(field.source), 1)
        # Chinese and Japanese share many words of two to six characters.
        if share >= SHARE_BLOCKED or sum(map(len, left)) >= CHARACTERS_REPORTED:
            severity: Severity = "block" if share >= SHARE_BLOCKED else "review"
            yield _finding(severity, field.name, f"{share:.0%} of the text is the original's, such as {left[0][:20]!r}")


def _words(text: str) -> list[str]:
    return _LETTERS.findall(text.lower())


def _finding(severity: Severity, field: str, message: str) -> Finding:
    return Finding(check=CHECK.name, severity=severity, field=field, message=message)


CHECK = Check(name="copied", title="Text left untranslated", run=find)
