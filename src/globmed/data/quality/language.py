"""The translation, or a field of it, is in another language or script.

Chinese, Japanese and Korean tell themselves by their script; between languages in Latin letters pycld2 decides, the one
detector found that knows Wolof, and the languages' words and letters second it (`language.toml` has those that tell
Spanish from Portuguese). All texts are judged together, for of one to four words no detector can tell.
"""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import NamedTuple

import pycld2

from globmed.core.item import Finding, Severity
from globmed.core.language import language, languages
from globmed.data.function_words import function_words
from globmed.data.pairs import Pair
from globmed.data.quality import Check

LETTERS_READ = 450
"""More text makes pycld2 slower, not surer."""
LETTERS_NEEDED = 30
FEW_LETTERS = 8
"""Letters of a text in which a language, and in which a script, can be told."""
LETTERS_A_CHARACTER = 4
"""Latin letters that say about as much as a Chinese character or a Korean syllable."""
LATIN_WORDS_NEEDED = 2
"""Words in small Latin letters that are running text where another script is due, however short it is."""
SHARE_SEEN = 70
"""Per cent of the text that pycld2 must give to a language to be believed."""
WORDS_MORE = 3
"""How many more telling words another language must have where pycld2 is not sure."""
WORDS_ALONE = 2
"""As many will do where the language that is due has none."""

_EAST_ASIAN = re.compile(r"[\u3041-\u30ff\u3400-\u9fff\uac00-\ud7a3]")
_HAN = re.compile(r"[\u3400-\u9fff]")
_KANA = re.compile(r"[\u3041-\u30ff]")
_HANGUL = re.compile(r"[\uac00-\ud7a3]")
_LATIN = re.compile(r"[A-Za-z\u00c0-\u024f\u1e00-\u1eff]")
_LATIN_WORD = re.compile(r"(?<![\w-])[a-z\u00df-\u00ff]{3,}(?![\w-])")
# With the opening marks of Spanish, marks that combine, and hyphens, behind which a Zulu prefix would be a short word.
_WORD = re.compile(r"[¿¡]?[^\W\d_][^\W\d_\u0300-\u036f\u2010\u2011-]*(?:[\u0300-\u036f\u2010\u2011-]+[^\W\d_]*)*")
# Letters of scripts in which none of the languages is written, and those that are not Latin; Greek is for formulas.
_STRANGE = re.compile(r"[\u0400-\u1cff\u2d00-\u2dff\ua640-\uab2f]{2,}")
_NOT_LATIN = re.compile(r"[\u0400-\u1cff\u3041-\u30ff\u3400-\u9fff\uac00-\ud7a3]{2,}")
# Common characters that simplified Chinese writes otherwise.
_TRADITIONAL = re.compile(r"[這個們國時說對會來還學應過種體發經開關為無與從後當點實現]")


def find(pair: Pair) -> Iterator[Finding]:
    """Block another language or script; send stray letters of a foreign script to review."""
    text, code = pair.target_text, pair.target.language
    script = language(code).script
    # Nearly all texts in Latin letters hold no others: then only the language is to be told.
    mixed = script != "Latn" or (not text.isascii() and bool(_NOT_LATIN.search(text)))
    wrong = _wrong_script(text[:LETTERS_READ], script) if mixed else ""
    if not wrong and script == "Latn":
        wrong = _wrong_language(text[:LETTERS_READ], code)
    if wrong:
        yield _finding("block", "", wrong)
        return
    if mixed:
        for field in pair.fields:
            # Options may rightly be drug names or genes in Latin letters.
            if not field.name.startswith("options") and (wrong := _wrong_script(field.target, script)):
                yield _finding("block", field.name, wrong)
                return
        yield from _stray(pair, script)


def _wrong_script(text: str, script: str) -> str:
    """Say what a text is written in where it is not in a script; empty where it is, or too short to tell."""
    if not _EAST_ASIAN.search(text):
        if script == "Latn":
            return ""
        running = len(_LATIN_WORD.findall(text)) >= LATIN_WORDS_NEEDED or len(_LATIN.findall(text)) >= LETTERS_NEEDED
        return "Latin letters alone" if running else ""
    latin, han, kana, hangul = (len(found.findall(text)) for found in (_LATIN, _HAN, _KANA, _HANGUL))
    own = {"Latn": latin, "Hans": han, "Jpan": han + kana, "Kore": hangul}[script]
    others = latin + han + kana + hangul - own
    foreign_own, foreign = (
        (own, LETTERS_A_CHARACTER * others) if script == "Latn" else (LETTERS_A_CHARACTER * own, others)
    )
    if own + others >= FEW_LETTERS and foreign_own < foreign:
        return f"{own} letters of its script, {others} of others"
    if script == "Hans" and kana > 0.1 * (han + kana):
        return f"{kana} kana among {han + kana} characters: Japanese"
    if script == "Jpan" and han >= 2 * FEW_LETTERS and not kana:
        return f"no kana among {han} characters: Chinese"
    return ""


def _wrong_language(text: str, code: str) -> str:
    """Say what language a text in Latin letters is in where it is not `code`."""
    found, sure = _detected(text) if len(text) >= LETTERS_NEEDED else ("", False)
    if found == code and sure:
        return ""
    # pycld2 errs on short texts full of names; running text of a language holds its short words.
    # A single capital is a unit ("0,4 L"), a label or an initial.
    words = Counter(word for word in _WORD.findall(text) if len(word) > 1 or word.islower())
    # Those of two letters are units, too.
    running = sum(times for word, times in words.items() if len(word) > 2)
    rivals = [found] if sure else _rivals(code, {word.lower() for word in words}, set(text))
    for rival in rivals:
        theirs, own = _telling(rival, code)
        for_them, for_own = _count(words, theirs), _count(words, own)
        enough = 1 if sure else WORDS_MORE if for_own else WORDS_ALONE
        if for_them >= for_own + enough or (sure and not for_own and running >= FEW_LETTERS):
            return f"reads as {language(rival).english_name}: {for_them} of its telling words, {for_own} of {code!r}"
    return ""


def _rivals(code: str, forms: set[str], letters: set[str]) -> list[str]:
    """Return the other languages of which a telling word or letter stands in a text."""
    words, signs = _telling_of(code)
    if forms.isdisjoint(words) and letters.isdisjoint(signs):
        return []
    others = sorted(_latin_languages() - {code})
    telling = {rival: _telling(rival, code)[0] for rival in others}
    return [
        rival
        for rival in others
        if not (forms.isdisjoint(telling[rival].words) and letters.isdisjoint(telling[rival].letters))
    ]


def _count(words: Counter[str], telling: _Telling) -> int:
    # Letters tell nothing in capitalised words: names keep theirs in every language.
    return sum(
        times
        for word, times in words.items()
        if word.lower() in telling.words or not (word[0].isupper() or telling.letters.isdisjoint(word))
    )


def _detected(text: str) -> tuple[str, bool]:
    """Return the language that most of a text is in, and whether pycld2 is sure of it."""
    try:
        sure, _, found = pycld2.detect(text.encode("utf-8", "ignore"), isPlainText=True)
    except pycld2.error:  # it refuses control characters
        readable = "".join(letter for letter in text if letter.isprintable() or letter == "\n")
        sure, _, found = pycld2.detect(readable.encode("utf-8", "ignore"), isPlainText=True)
    code = found[0][1].split("-")[0]
    return code, bool(sure and found[0][2] >= SHARE_SEEN and code in languages())


class _Telling(NamedTuple):
    words: frozenset[str]
    letters: frozenset[str]


@cache
def _telling(one: str, other: str) -> tuple[_Telling, _Telling]:
    """Return what the one language has and the other has not, and the other way round."""
    ours, theirs = _marks(one), _marks(other)
    return (
        _Telling(ours.words - theirs.words, ours.letters - theirs.letters),
        _Telling(theirs.words - ours.words, theirs.letters - ours.letters),
    )


@cache
def _telling_of(code: str) -> _Telling:
    """Return what any other language has and this one has not."""
    others = [_telling(rival, code)[0] for rival in _latin_languages() - {code}]
    return _Telling(
        frozenset().union(*(one.words for one in others)), frozenset().union(*(one.letters for one in others))
    )


@cache
def _marks(code: str) -> _Telling:
    row = _table().get(code, {})
    return _Telling(function_words(code) | frozenset(row.get("words", "").split()), frozenset(row.get("letters", "")))


@cache
def _table() -> dict[str, dict[str, str]]:
    return tomllib.loads(files("globmed.data.quality").joinpath("language.toml").read_text(encoding="utf-8"))


@cache
def _latin_languages() -> frozenset[str]:
    return frozenset(code for code, row in languages().items() if row.script == "Latn")


def _stray(pair: Pair, script: str) -> Iterator[Finding]:
    text = pair.target_text
    for stray in (_NOT_LATIN if script == "Latn" else _STRANGE).findall(text):
        if stray not in pair.source_text:
            yield _finding("review", "", f"letters of a foreign script: {stray[:20]!r}")
            return
    if script == "Hans" and len(found := set(_TRADITIONAL.findall(text))) >= 3:
        yield _finding("review", "", f"traditional characters: {''.join(sorted(found))}")


def _finding(severity: Severity, field: str, message: str) -> Finding:
    return Finding(check=CHECK.name, severity=severity, field=field, message=message)


CHECK = Check(name="language", title="Another language or script", run=find)
