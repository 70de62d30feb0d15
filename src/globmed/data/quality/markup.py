"""Placeholders, blanks, markup and formulas that were lost, added or changed."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from globmed.core.item import Finding, Severity
from globmed.data.pairs import FieldPair, Pair
from globmed.data.quality import Check

# What a text needs in order to be read or filled in: placeholders, blanks, tags, formulas, addresses.
_HOLES = re.compile(r"\{[A-Za-z_][\w.]{0,30}\}|\{\{[^{}\n]{1,40}\}\}|%\([a-z_]+\)s|\[(?:BLANK|MASK|IMAGE|FIGURE)\]")
_BLANKS = re.compile(r"_{3,}|\.{6,}|…{3,}")
_TAGS = re.compile(
    r"</?(?:b|i|u|em|strong|sub|sup|br|p|ul|ol|li|table|tr|td|th|span|div|img|h[1-6])\b[^<>]{0,80}>", re.IGNORECASE
)
_LATEX = re.compile(r"\\[a-zA-Z]{2,12}|\$\$")
_ADDRESS = re.compile(r"https?://[^\s<>()\"'。，）]+")
_ROW = re.compile(r"^\s*\|.*\|\s*$", re.MULTILINE)
_COMPARED: tuple[tuple[str, Severity, re.Pattern[str], tuple[str, ...]], ...] = (
    ("placeholders", "block", _HOLES, ("{", "[", "%(")),
    ("tags", "review", _TAGS, ("<",)),
    ("LaTeX", "review", _LATEX, ("\\", "$$")),
    ("addresses", "review", _ADDRESS, ("://",)),
)
_COUNTED = (("blanks to fill in", _BLANKS, ("___", "......", "………")), ("table rows", _ROW, ("|",)))
"""What is looked for, with marks of which it holds one: those are looked for first, for patterns take far longer."""


def find(pair: Pair) -> Iterator[Finding]:
    """Block lost placeholders and blanks; ask about tags, formulas, addresses and table rows."""
    both = pair.source_text + pair.target_text
    for what, severity, pattern, marks in _COMPARED:
        if any(mark in both for mark in marks):
            for field in pair.fields:
                yield from _compare(field, what, severity, pattern)
    for what, pattern, marks in _COUNTED:
        if any(mark in both for mark in marks):
            for field in pair.fields:
                yield from _count(field, what, pattern)


def _compare(field: FieldPair, what: str, severity: Severity, pattern: re.Pattern[str]) -> Iterator[Finding]:
    here, there = (Counter(pattern.findall(text)) for text in (field.source, field.target))
    if lost := here - there:
        yield _finding(severity, field, f"{what} lost: {', '.join(lost)[:80]}")
    if added := there - here:
        yield _finding(severity, field, f"{what} added: {', '.join(added)[:80]}")


def _count(field: FieldPair, what: str, pattern: re.Pattern[str]) -> Iterator[Finding]:
    here, there = (len(pattern.findall(text)) for text in (field.source, field.target))
    if here != there:
        severity: Severity = "block" if here and not there else "review"
        yield _finding(severity, field, f"{there} {what}; the original has {here}")


def _finding(severity: Severity, field: FieldPair, message: str) -> Finding:
    return Finding(check=CHECK.name, severity=severity, field=field.name, message=message)


CHECK = Check(name="markup", title="Placeholders, blanks and markup", run=find)
