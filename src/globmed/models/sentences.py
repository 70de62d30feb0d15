"""Texts cut into sentences and what stands between them, for engines that translate one sentence at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import regex

# Words whose full stop ends no sentence, in the languages that the engines translate from.
_ABBREVIATIONS = (
    "approx|art|cap|cf|Dr|Dra|ed|etc|Fig|fig|ca|Mr|Mrs|Ms|No|núm|Nr|Prof|resp|Sr|Sra|St|vol|vs|z\\.B|p\\.ej"
)
_BETWEEN = regex.compile(
    r"^\s+"
    r"|\s+$"
    r"|\s*[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]\s*"
    rf"|(?<=[.!?…][\"'”’»)\]]?)(?<!\b(?:\p{{L}}|{_ABBREVIATIONS})\.)[^\S\n]+(?=[\"'“‘«(\[¿¡]*[\p{{Lu}}\p{{Lo}}\p{{N}}])"
    r"|(?<=[\u3002\uff01\uff1f])(?![\u300d\u300f\u3011\uff09\u201d\u2019])\s*"
)
_WORD = regex.compile(r"\p{L}")


def cut(text: str) -> list[str]:
    """Return sentences at even places and what stands between them at odd ones; joined they are the text.

    Lines end sentences, so a sentence holds no line break. A full stop after a single letter or a known abbreviation
    does not; a sentence may be empty, at both ends.
    """
    parts = [""]
    end = 0
    for match in _BETWEEN.finditer(text):
        parts[-1] = text[end : match.start()]
        parts += [match[0], ""]
        end = match.end()
    parts[-1] = text[end:]
    return parts


def has_words(sentence: str) -> bool:
    """Whether there is anything to translate: a letter of any script."""
    return _WORD.search(sentence) is not None


def to_translate(texts: Sequence[Sequence[str]]) -> list[str]:
    """Return the different sentences of cut texts that have words, in order."""
    return list(dict.fromkeys(part for parts in texts for part in parts[::2] if has_words(part)))


def put_together(parts: Sequence[str], translated: Mapping[str, str]) -> str:
    """Return a cut text with its sentences exchanged for their translations; those without stay as they are."""
    return "".join(part if place % 2 else translated.get(part, part) for place, part in enumerate(parts))
