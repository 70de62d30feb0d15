r"""How long a text is for a reader: in graphemes, as `regex` finds them by `\X` (Unicode TR29)."""

from __future__ import annotations

import re

import regex

# Where none of these stands, every character is a grapheme by itself (TR29, rules GB6 to GB13); CR is among them.
_JOINING = regex.compile(r"[^\p{GCB=Other}\p{GCB=Control}\p{GCB=LF}\p{GCB=LV}\p{GCB=LVT}]")
# Of these, each is a grapheme beside any other of them: a quick look, which spares most texts the slower pattern.
_MAY_JOIN = re.compile(
    "[^\x00-\x0c\x0e-\u02ff\u1e00-\u1eff\u2010-\u2027\u2030-\u205e\u3000-\u3029\u3041-\u3096\u30a1-\u30ff"
    "\u4e00-\u9fff\uac00-\ud7a3\uff01-\uff9d]"
)
_GRAPHEME = regex.compile(r"\X")
# Marks of Yoruba and of decomposed Latin text, each part of the letter before it: counting without them takes a tenth
# of the time of finding graphemes.
_MARKS_ON_LETTERS = re.compile(r"(?<=[^\W\d_])[\u0300-\u036f]+")


def count_graphemes(text: str) -> int:
    """Return how many graphemes a text has."""
    if text.isascii() and "\r" not in text:
        return len(text)
    if not _MAY_JOIN.search(text) or not _JOINING.search(text):
        return len(text)
    plain = _MARKS_ON_LETTERS.sub("", text)
    return len(_GRAPHEME.findall(text)) if _JOINING.search(plain) else len(plain)
