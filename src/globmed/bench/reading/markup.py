"""What a reader sees of a reply: thinking left out, one form a letter, no typesetting."""

from __future__ import annotations

import re
import unicodedata
from typing import Literal

# Letters, digits and marks of the Latin script: what a letter that names an option must not touch.
LATIN = "0-9A-Za-zÀ-ÖØ-öø-ɏ\u0300-\u036fḀ-ỿ"

_THINK = re.compile(r"<\s{0,3}(/?)\s{0,3}(?:think|thinking|thought|reasoning)\s{0,3}>", re.IGNORECASE)
_BREAKS = re.compile(r"<\s{0,3}/?\s{0,3}(?:br|p|div|li)\s{0,3}/?\s{0,3}>", re.IGNORECASE)
_TAGS = re.compile(r"</?(?:b|strong|i|em|u|span)>", re.IGNORECASE)
_TEX_MATHS = re.compile(r"\\[()\[\]]")
_TEX_SPACES = re.compile(r"\\[ ,;:!]")
_TYPESETTING = "*`$~\u200b\u200e\u200f\ufe0f\ufeff"
_TEX_TEXT = re.compile(
    r"\\(?:text|mathrm|mathbf|mathit|mathsf|textbf|textit|textrm|operatorname|bf)\s?\{([^{}\n]{0,200})\}"
)
_PIECE = 1024
_LONE = re.compile(rf"[À-ÖØ-öø-ɏḀ-ỿ](?<![{LATIN}].)[\u0300-\u036f]*(?![{LATIN}])")
_LONE_PLAIN = re.compile(rf"[A-Za-z](?<![{LATIN}].)[\u0300-\u036f]+(?![{LATIN}])")
_MARKS = re.compile(r"[\u0300-\u036f]+")
_ACCENTED = re.compile(r"[À-ÖØ-öø-ɏ\u0300-\u036fḀ-ỿ]")
# Letters that keep their accents are moved to a private area and back.
_PRIVATE = 0xF0000
_MOVED = re.compile(r"[\U000f0000-\U000f1fff]")
_SPACES = re.compile(r"[ \t\r\f\v\u3000]{2,}|[\t\r\f\v\u3000]")
_APOSTROPHES = "’‘ʼ"


def visible(reply: str) -> str:
    """Return what is left to read of a reply, in time linear in its length.

    Thinking is left out; full-width and circled letters become plain ones (NFKC); bold, code and TeX marks go; and
    Latin words lose their accents, since Yoruba, Wolof or French cues are often typed without some of them. A letter
    that stands alone keeps its accent: French "À" is no "A".
    """
    text = without_thinking(reply)
    if not text.isascii():
        text = _one_form(text)
    if "\\" in text:
        text = _TEX_SPACES.sub(" ", _TEX_MATHS.sub("", _TEX_TEXT.sub(r"\1", text)))
    if "<" in text:
        text = _TAGS.sub("", _BREAKS.sub("\n", text))
    for mark in _TYPESETTING:
        text = text.replace(mark, "")
    return _SPACES.sub(" ", text).strip()


def without_thinking(reply: str) -> str:
    """Return a reply without its `<think>` blocks.

    A block that is never closed takes all that follows it; one that was never opened all that precedes it, as the
    chat templates that open it for the model leave it.
    """
    if "<" not in reply:
        return reply
    kept: list[str] = []
    depth, start = 0, 0
    for tag in _THINK.finditer(reply):
        closes = bool(tag[1])
        if not closes:
            if depth == 0:
                kept.append(reply[start : tag.start()])
            depth += 1
        elif depth == 0:
            kept.clear()
        else:
            depth -= 1
        start = tag.end()
    return "".join(kept) if depth else "".join(kept) + reply[start:]


def _one_form(text: str) -> str:
    text = _normal("NFKC", text)
    for mark in _APOSTROPHES:
        text = text.replace(mark, "'")
    if not _ACCENTED.search(text):
        return text
    text = _LONE.sub(_moved, text)
    if _MARKS.search(text):
        text = _LONE_PLAIN.sub(_moved, text)
    bare = _normal("NFC", _MARKS.sub("", _normal("NFD", text)))
    return _MOVED.sub(_moved_back, bare)


def _normal(form: Literal["NFC", "NFD", "NFKC"], text: str) -> str:
    # In pieces: normalising a run of n combining marks takes n² steps.
    pieces = (unicodedata.normalize(form, text[start : start + _PIECE]) for start in range(0, len(text), _PIECE))
    return "".join(pieces)


def _moved(letter: re.Match[str]) -> str:
    return "".join(one if one.isascii() else chr(_PRIVATE + ord(one)) for one in letter[0])


def _moved_back(letter: re.Match[str]) -> str:
    return chr(ord(letter[0]) - _PRIVATE)
