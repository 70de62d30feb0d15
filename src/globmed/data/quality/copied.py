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
    for field in pair.fields:
        if field.source == field.target or not telling.isdisjoint(pair.target_words):
            yield from _copied_words(field, telling)
    yield from _copied_options(pair)


def _copied_words(field: FieldPair, telling: frozenset[str]) -> Iterator[Finding]:
    source, target = _words(field.source), _words(field.target)
    if source == target and _is_running_text(source, telling, is_option=field.name.startswith("options")):
        yield _finding("block", field.name, "the original's text")
        return
    runs = set(zip(*(target[start:] for start in range(RUN)), strict=False))
    copied = set[int]()
    for start, run in enumerate(zip(*(source[start:] for start in range(RUN)), strict=False)):
        if run in runs and not telling.isdisjoint(run):
            copied.update(range(start, start + RUN))
    if copied:
        share = len(copied) / len(source)
        text = " ".join(source[index] for index in sorted(copied)[:8])
        severity: Severity = "block" if share >= SHARE_BLOCKED else "review"
        yield _finding(severity, field.name, f"{share:.0%} of the words are the original's, such as {text!r}")


def _is_running_text(words: list[str], telling: frozenset[str], *, is_option: bool) -> bool:
    """Whether words are no mere name or list of names, which would rightly be the same in both languages."""
    if len(words) >= WORDS_ALIKE and not is_option:
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
