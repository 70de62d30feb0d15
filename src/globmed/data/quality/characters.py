"""Characters that do not belong in a text: broken encodings, invisible characters, lost marks.

Marks are never stripped here or anywhere: 95 of 100 Yoruba sentences still hold combining marks after NFC.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from globmed.core.item import Finding, Severity
from globmed.data.pairs import Pair
from globmed.data.quality import Check

_PATTERNS: tuple[tuple[Severity, str, re.Pattern[str]], ...] = (
    ("block", "the replacement character, so text was lost in decoding", re.compile("\ufffd")),
    (
        "block",
        "UTF-8 read as another encoding",
        re.compile("Ã[\u0080-\u00bf]|Â[\u00a0-\u00bf]{2}|â€[\u0090-\u2122]|ï¿½"),
    ),
    ("review", "control characters", re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")),
    ("review", "private or unassigned characters", re.compile("[\ue000-\uf8ff\ufff0-\ufff8]")),
    ("note", "invisible characters", re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]")),
)
# One of these stands in whatever the patterns find: looked for first, in one pass.
_ANY = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u00adÃÂâï\u200b-\u200f\u202a-\u202e\u2060-\u2064\ue000-\uf8ff\ufeff-\uffff]"
)
_FULL_WIDTH = re.compile("[\uff10-\uff19\uff21-\uff3a\uff41-\uff5a]")
_FULL_WIDTH_USUAL = {"zh", "ja", "ko"}
_LATIN_LETTER = re.compile("[A-Za-z]")
LETTERS_WITHOUT_MARK = 60


def find(pair: Pair) -> Iterator[Finding]:
    """Block what was broken in decoding; ask about control characters, foreign widths and Yoruba without marks."""
    text, code = pair.target_text, pair.target.language
    # Lines are joined by line feeds, which are not printable.
    if text.isascii() and code != "yo" and text.replace("\n", "").isprintable():
        return
    for severity, what, pattern in _PATTERNS if _ANY.search(text) else ():
        found = pattern.search(text)
        if found and not pattern.search(pair.source_text):
            yield _finding(severity, f"{what}: U+{ord(found[0][0]):04X}")
    if not unicodedata.is_normalized("NFC", text):
        yield _finding("note", "not in Unicode NFC")
    if _FULL_WIDTH.search(text):
        severity = "note" if code in _FULL_WIDTH_USUAL else "review"
        yield _finding(severity, "full-width letters or digits")
    if code == "yo" and text.isascii() and len(_LATIN_LETTER.findall(text)) >= LETTERS_WITHOUT_MARK:
        yield _finding("review", "no tone mark or underdot in the whole text")


def _finding(severity: Severity, message: str) -> Finding:
    return Finding(check=CHECK.name, severity=severity, field="", message=message)


CHECK = Check(name="characters", title="Broken, invisible or missing characters", run=find)
