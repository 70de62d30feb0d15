"""Plain text to go on pre-training with: read line by line, cut into rows, and never a test question's own words.

Every token carries loss but the first, which nothing predicts. What is longer than a row is cut where the row ends, so
that nothing of it is lost; a text that holds a test question is left out and counted.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from globmed.core.errors import InputError
from globmed.core.item import Item
from globmed.core.language import languages
from globmed.core.store import Count
from globmed.models.tokens import encode_documents
from globmed.train.encoding import Encoded

HOLDS_TEST = "holds a test question"

# Shared runs of eight words, or of as many characters as some eight words have where words are not set apart, do not
# come about by chance; half of those of a question are most of its text.
_WORDS, _CHARACTERS, _SHARE = 8, 16, 0.5
_RUNS_MAX = 16
_BY_CHARACTER = frozenset({"zh", "ja"})
_TOKEN = re.compile(r"\w+")
_AT_ONCE = 500


class Text(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One line of a file of texts.

    Attributes:
        language: BCP 47 code.
        text: as it is.
        source: where it comes from, for counting.
        licence: of the text, as SPDX or as its publisher says it.
    """

    language: str
    text: str
    source: str = "text"
    licence: str = ""


def read_texts(path: Path) -> Iterator[tuple[str, Text]]:
    """Give each text with its place, such as `texts.jsonl:12`.

    Raises:
        InputError: the file is not there, or a line is no text; it says which.
    """
    if not path.is_file():
        raise InputError.at(str(path), found="no such file", expected="texts as JSON Lines")
    with path.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            place = f"{path.name}:{number}"
            try:
                one = msgspec.json.decode(line, type=Text)
            except msgspec.DecodeError as error:
                expected = '{"language": "sw", "text": ..., "source": ..., "licence": ...}'
                raise InputError.at(f"{path}:{number}", found=str(error), expected=expected) from error
            if one.language not in languages() or not one.text.strip():
                found = f"language {one.language!r}, {len(one.text.strip())} characters"
                raise InputError.at(f"{path}:{number}", found=found, expected="a known language, and a text")
            yield place, one


class TestQuestions:
    """The words of questions held out for test, to find them again in texts."""

    __test__ = False  # no test, whatever its name begins with

    def __init__(self, items: Iterable[Item]) -> None:
        """Take the questions of the split test, with their options where the question alone is short."""
        self._runs: dict[int, list[int]] = {}
        self._needed: list[float] = []
        self.names: list[str] = []
        for item in items:
            if item.split != "test":
                continue
            runs = list(_runs(item.question, item.language))
            if len(runs) < 2:
                runs = list(_runs(" ".join((item.question, *item.options)), item.language))
            if not runs:
                continue
            kept = {runs[place] for place in np.linspace(0, len(runs) - 1, min(len(runs), _RUNS_MAX)).astype(int)}
            for run in kept:
                self._runs.setdefault(run, []).append(len(self.names))
            self._needed.append(_SHARE * len(kept))
            self.names.append(f"{item.family} ({item.language})")

    def held_by(self, text: str, language: str) -> str:
        """Return the name of a test question that a text holds; empty for none."""
        found: Counter[int] = Counter()
        for run in set(_runs(text, language)):
            found.update(self._runs.get(run, ()))
        return next((self.names[place] for place, hits in found.items() if hits >= self._needed[place]), "")


def _runs(text: str, language: str) -> Iterator[int]:
    """Give a number for each run of words, or of characters; the same ones for the same run in this process."""
    found = _TOKEN.findall(unicodedata.normalize("NFC", text).casefold())
    parts, length = ("".join(found), _CHARACTERS) if language in _BY_CHARACTER else (found, _WORDS)
    for place in range(len(parts) - length + 1):
        run = parts[place : place + length]
        yield hash(run if isinstance(run, str) else tuple(run))


def encode_pieces(
    tokenizer: Any, texts: Iterable[tuple[str, Text]], held_out: TestQuestions, *, row_tokens: int
) -> tuple[Encoded, list[Count], list[Text]]:
    """Encode texts as pieces of at most a row.

    Args:
        tokenizer: a transformers tokenizer.
        texts: with their places.
        held_out: questions that no text may hold.
        row_tokens: of a piece at the most.

    Returns:
        The pieces, what became of the texts by source and language, and the texts kept, their words left out.
    """
    ids: list[np.ndarray[Any, Any]] = []
    codes, names, kept = list[str](), list[str](), list[Text]()
    rows: dict[tuple[str, str], Counter[str]] = {}
    stream = iter(texts)
    while chunk := list(islice(stream, _AT_ONCE)):
        chosen = []
        for place, one in chunk:
            reason = HOLDS_TEST if held_out.held_by(one.text, one.language) else ""
            rows.setdefault((one.source, one.language), Counter())[reason] += 1
            if not reason:
                chosen.append((place, one))
        for (place, one), found in zip(
            chosen, encode_documents(tokenizer, [one.text for _, one in chosen]), strict=True
        ):
            kept.append(msgspec.structs.replace(one, text=""))
            # A piece of one token has nothing to predict.
            starts = range(0, max(len(found) - 1, 1), row_tokens)
            for number, start in enumerate(starts, start=1):
                ids.append(np.array(found[start : start + row_tokens], dtype=np.int32))
                codes.append(one.language)
                names.append(place if len(starts) == 1 else f"{place}, part {number}")
    sizes = np.array([one.size for one in ids], dtype=np.int64)
    encoded = Encoded(
        ids=np.concatenate(ids) if ids else np.array([], dtype=np.int32),
        starts=np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64),
        answers=sizes - 1,
        variants=np.arange(sizes.size + 1),
        part=np.array(["text"] * sizes.size, dtype=np.str_),
        language=np.array(codes, dtype=np.str_),
        names=tuple(names),
    )
    return encoded, _counts(rows), kept


def _counts(rows: dict[tuple[str, str], Counter[str]]) -> list[Count]:
    return [
        Count(
            source=source,
            language=language,
            split="train",
            read=row.total(),
            kept=row[""],
            dropped={reason: number for reason, number in row.items() if reason},
        )
        for (source, language), row in sorted(rows.items())
    ]
