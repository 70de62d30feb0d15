"""Errors put into running text: left untranslated, cut off, turned round, spoilt in its characters or markup."""

from __future__ import annotations

import re
import unicodedata

import numpy as np

from globmed.core.item import Item
from globmed.data.calibration.places import rewrite, spots, texts, with_all_texts, with_text
from globmed.data.parallel import GoodPair

_NEGATION = {
    "en": re.compile(r"\bnot "),
    "es": re.compile(r"\bno (?=\w)"),
    "fr": re.compile(r"\b(?:ne |n['’])(?:\w+['’])?\w+ pas\b"),
    "pt": re.compile(r"\bnão "),
    "zh": re.compile(r"没(?=有)|不(?=能|会|应|是|得|可)"),
}
_FRENCH_AROUND = re.compile(r"^(?:ne |n['’])| pas$")
_ABBREVIATION = re.compile(r"(?<![A-Za-z0-9-])[A-Z]{2,6}(?![A-Za-z0-9-])")
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
TRUNCATED_FROM = 40
"""Characters that a text needs to be cut off visibly."""


def leave_untranslated(pair: GoodPair, _generator: np.random.Generator) -> Item | None:
    """Put the original's texts into the translation's place."""
    return with_all_texts(pair.target, pair.source) if texts(pair.source) != texts(pair.target) else None


def cut_off(pair: GoodPair, generator: np.random.Generator) -> Item | None:
    """Cut the longest text off after 30 to 80 of its 100 parts, between words where there are spaces."""
    place, text = max(texts(pair.target).items(), key=lambda one: len(one[1]))
    if len(text) < TRUNCATED_FROM:
        return None
    kept = text[: int(len(text) * generator.uniform(0.3, 0.8))]
    return with_text(pair.target, place, kept[: kept.rindex(" ")] if " " in kept else kept)


def remove_negation(pair: GoodPair, generator: np.random.Generator) -> Item | None:
    """Take a negation out; in languages that no pattern is written for, nothing."""
    code = pair.target.language
    if code not in _NEGATION:
        return None
    found = spots(pair.target, _NEGATION[code])
    return rewrite(pair.target, found, generator, lambda text: _FRENCH_AROUND.sub("", text) if code == "fr" else "")


def change_abbreviation(pair: GoodPair, generator: np.random.Generator) -> Item | None:
    """Change a letter of an abbreviation that stands in the original too."""
    known = {found for text in texts(pair.source).values() for found in _ABBREVIATION.findall(text)}

    def change(word: str) -> str:
        at = int(generator.integers(len(word)))
        return f"{word[:at]}{generator.choice([one for one in _LETTERS if one != word[at]])}{word[at + 1 :]}"

    return rewrite(pair.target, spots(pair.target, _ABBREVIATION, among=known), generator, change)


def insert_zero_width(pair: GoodPair, generator: np.random.Generator) -> Item | None:
    """Put a zero-width space inside the question."""
    text = pair.target.question
    at = int(generator.integers(1, max(len(text), 2)))
    return with_text(pair.target, "question", f"{text[:at]}\u200b{text[at:]}")


def strip_marks(pair: GoodPair, _generator: np.random.Generator) -> Item | None:
    """Take every mark off a Yoruba text."""
    if pair.target.language != "yo":
        return None
    item = pair.target
    for place, text in texts(item).items():
        item = with_text(
            item, place, "".join(sign for sign in unicodedata.normalize("NFD", text) if not _is_mark(sign))
        )
    return item if texts(item) != texts(pair.target) else None


def break_markup(pair: GoodPair, generator: np.random.Generator) -> GoodPair:
    """Put a tag, placeholder, blank or link into both questions, and lose or change the translation's."""
    here, there = pair.source.question, pair.target.question
    source, target = (
        (f"<b>{here}</b>", f"<b>{there}"),
        (f"{here} {{value}}", there),
        (f"{here} ______", there),
        (f"{here} https://example.org/a1", f"{there} https://example.org/b1"),
    )[int(generator.integers(4))]
    return GoodPair(with_text(pair.source, "question", source), with_text(pair.target, "question", target))


def _is_mark(sign: str) -> bool:
    return unicodedata.category(sign) == "Mn"
