"""Numbers and untrusted text as a report writes them: one place, so that page, Markdown and figures say the same.

A share is written in percent with one decimal; its interval follows in square brackets; an empty cell is an en dash
and its reason stands beside it. The minus is the true minus sign; the space before a unit does not break.
"""

from __future__ import annotations

import math
import re

EMPTY = "–"
NO_BREAK = "\N{NO-BREAK SPACE}"

# Characters that are not seen but change what is seen: controls, and the marks that reverse or embed a direction
# (Unicode TR 9 and the "Trojan Source" attack). Joiners stay: Persian and Indic scripts need them.
_INVISIBLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060\u2066-\u2069\ufeff\ufffe\uffff\ud800-\udfff]"
)
_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#|~!])")


def plain(text: str) -> str:
    """Return text from models or data with every invisible or direction-changing character written out as `U+202E`."""
    return _INVISIBLE.sub(lambda found: f"⟨U+{ord(found[0]):04X}⟩", text)


def readable(text: str) -> str:
    """Return text with its lines and tabs, and every other invisible or direction-changing character written out."""
    lines = text.replace("\r\n", "\n").split("\n")
    return "\n".join("\t".join(plain(part) for part in line.split("\t")) for line in lines)


def percent(share: float) -> str:
    """Write a share of 1 in percent with one decimal and no unit, as `94.1`; an en dash where there is none."""
    return EMPTY if math.isnan(share) else _signless(f"{100 * share:.1f}")


def percent_with_unit(share: float) -> str:
    """Write a share of 1 as `94.1 %`."""
    text = percent(share)
    return text if text == EMPTY else f"{text}{NO_BREAK}%"


def interval(low: float, high: float) -> str:
    """Write the bounds of a share as `[92.0, 95.8]`; nothing where there are none."""
    if math.isnan(low) or math.isnan(high):
        return ""
    return f"[{percent(low)}, {percent(high)}]"


def points(value: float) -> str:
    """Write a difference in percentage points with its sign, as `+64.0`."""
    return EMPTY if math.isnan(value) else _signless(f"{value:+.1f}")


def points_interval(low: float, high: float) -> str:
    """Write the bounds of a difference in percentage points as `[+60.1, +67.9]`; nothing where there are none."""
    if math.isnan(low) or math.isnan(high):
        return ""
    return f"[{points(low)}, {points(high)}]"


def ratio(value: float) -> str:
    """Write a ratio as `3.13`."""
    return EMPTY if math.isnan(value) else f"{value:.2f}"


def ratio_interval(low: float, high: float) -> str:
    """Write the bounds of a ratio as `[2.91, 3.40]`; nothing where there are none."""
    if math.isnan(low) or math.isnan(high):
        return ""
    return f"[{low:.2f}, {high:.2f}]"


def significant(value: float) -> str:
    """Write an amount with three significant digits, as `412`, `3.14` or `0.00270`; an en dash where there is none."""
    if math.isnan(value):
        return EMPTY
    if value >= 100:
        return count(round(value))
    return f"{value:#.3g}" if value >= 0.0001 or value == 0 else f"{value:.2e}"


def count(number: int) -> str:
    """Write a whole number with a thin gap between thousands, as `12 000`."""
    return f"{number:,}".replace(",", "\N{NARROW NO-BREAK SPACE}")


def counted(number: int, one: str, many: str = "") -> str:
    """Write a number and its noun, as `1 item` or `3 items`."""
    return f"{count(number)}{NO_BREAK}{one if number == 1 else many or one + 's'}"


def listed(names: list[str]) -> str:
    """Join names as a sentence does: `a`, `a and b`, `a, b and c`."""
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"


def unbroken(text: str) -> str:
    """Keep each number and the percent sign after it on one line."""
    return re.sub(r"(?<=\d) %", f"{NO_BREAK}%", text)


def markdown(text: str) -> str:
    """Return text that Markdown shows as it stands: its marks escaped, `<` and `&` as entities."""
    escaped = plain(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _MARKDOWN.sub(r"\\\1", escaped)


def spreadsheet(text: str) -> str:
    """Return text that a spreadsheet takes for text: a leading `=`, `+`, `-` or `@` would start a formula there."""
    shown = plain(text)
    return f"'{shown}" if shown[:1] in {"=", "+", "-", "@"} else shown


def _signless(text: str) -> str:
    if float(text) == 0:
        return text.lstrip("+-")
    return text.replace("-", "\N{MINUS SIGN}")
