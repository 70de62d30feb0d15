"""Human translations, read from their publishers' files: what the checks of translations are measured on.

A corpus gives pairs of items, original first, and says whether bands of length may be fitted on it. A file in which
sentences do not stand beside their translations is left out whole, and what was left out is said.
"""

from __future__ import annotations

import json
import zipfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple
from xml.etree.ElementTree import Element, ParseError

import msgspec
import numpy as np

from globmed.core.errors import InputError, UsageError, did_you_mean
from globmed.core.item import Item, Provenance, TextOrigin
from globmed.data.sources import source

WINDOW_SENTENCES = 50
ALIGNED_FROM = 0.4
"""Correlation of log lengths in a window: 0.5 to 0.99 in aligned files, -0.2 to 0.33 in TICO-19's misaligned French."""
ORIGINAL_REPEATED = 10
"""Times from which on a text is no original but a heading: one in LAFAND-MT stands 113 times, others 6 at most."""
_LANGUAGES = {"es-LA": "es", "pt-BR": "pt", "zh-CN": "zh", "swa": "sw", "yor": "yo", "zul": "zu", "wol": "wo"}
_XML_LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"

Making = Literal["human", "translated", "machine"]


class GoodPair(NamedTuple):
    """An item and its translation by somebody who is trusted; `source.cluster` names what pairs of one text share."""

    source: Item
    target: Item

    @property
    def id(self) -> str:
        """What the publisher calls it, the same in every language."""
        return self.source.family

    @property
    def direction(self) -> str:
        """The two languages, such as `en-es`."""
        return f"{self.source.language}-{self.target.language}"


@dataclass(frozen=True, kw_only=True)
class Corpus:
    """A publisher's human translations.

    Attributes:
        name: as given on the command line.
        title: for people.
        about: what its texts are, in a few words.
        making: who translated: `human`; `translated` where the publisher's files do not say how; `machine`.
        licence: as the publisher states it.
        medical: whether its texts are.
        fitted: whether bands are fitted on it; False where the licence is not open, or a machine translated it.
        read: gives its pairs, and a line about each file that was left out.
    """

    name: str
    title: str
    about: str
    making: Making
    licence: str
    fitted: bool
    medical: bool = True
    read: Callable[[Corpus, Path], tuple[list[GoodPair], list[str]]]


class Parallel(NamedTuple):
    """A corpus that was read: its pairs, and what was left out of it and why."""

    corpus: Corpus
    pairs: list[GoodPair]
    left_out: list[str]


def read_parallel(text: str) -> Parallel:
    """Read human translations given as `NAME=PATH`.

    Raises:
        UsageError: no path, or a name that is none of `CORPORA`.
        InputError: no file, or one that is not what its publisher releases.
    """
    name, _, path = text.partition("=")
    if name not in CORPORA:
        raise UsageError(f"no human translations named {name!r}{did_you_mean(name, CORPORA)}")
    if not path:
        raise UsageError(f"{text}: expected {name}=PATH, the file or folder of its publisher")
    corpus = CORPORA[name]
    pairs, left_out = corpus.read(corpus, Path(path))
    return Parallel(corpus, pairs, left_out)


def misaligned_windows(pairs: Sequence[GoodPair]) -> list[int]:
    """Return where, in sentences from the start, windows begin whose lengths do not go with their translations'.

    In an aligned file long sentences have long translations. Where the log lengths of a window of `WINDOW_SENTENCES`
    correlate by less than `ALIGNED_FROM`, the translations stand beside the wrong sentences.
    """
    lengths = np.log([[len(pair.source.question), len(pair.target.question)] for pair in pairs])
    starts = range(0, len(pairs) - WINDOW_SENTENCES + 1, WINDOW_SENTENCES)
    windows = ((start, lengths[start : start + WINDOW_SENTENCES]) for start in starts)
    return [start for start, window in windows if np.corrcoef(window.T)[0, 1] < ALIGNED_FROM]


def _sound(read: Iterable[tuple[Path, list[GoodPair]]]) -> tuple[list[GoodPair], list[str]]:
    """Leave out files that are misaligned, and what stands in the place of an original again and again."""
    kept: list[GoodPair] = []
    left_out: list[str] = []
    for file, pairs in read:
        name = f"{file.parent.name}/{file.name}"
        counts = Counter(pair.source.question for pair in pairs)
        sound = [pair for pair in pairs if counts[pair.source.question] < ORIGINAL_REPEATED]
        for text, count in counts.items():
            if count >= ORIGINAL_REPEATED:
                left_out.append(f"{name}: {count} of {len(pairs)} sentences, whose original reads {text!r}")
        wrong = misaligned_windows(sound)
        if wrong:
            left_out.append(
                f"{name}: all {len(pairs)} sentences, for {len(wrong) * WINDOW_SENTENCES} of them, from number "
                f"{wrong[0] + 1} to {wrong[-1] + WINDOW_SENTENCES}, stand beside the translation of another sentence"
            )
        else:
            kept += sound
    return kept, left_out


def _sentence_pair(corpus: Corpus, number: str, texts: dict[str, str], *, cluster: str, place: str) -> GoodPair:
    """Build a pair of two sentences, given by language, the original's first."""
    native = next(iter(texts))

    def item(code: str) -> Item:
        origin: TextOrigin = "native" if code == native else "expert"
        provenance = Provenance(native_language=native, licence=corpus.licence, text=origin, place=place)
        return Item(
            family=number,
            cluster=cluster,
            language=code,
            kind="lfqa",
            source=corpus.name,
            split="test",
            question=texts[code],
            provenance=provenance,
        )

    here, there = map(item, texts)
    return GoodPair(here, there)


def _read_tico19(corpus: Corpus, path: Path) -> tuple[list[GoodPair], list[str]]:
    """Read `all.en-*.tmx` (or `.tmx.zip`), pairs by `tuid`, whose part before the colon is the document."""
    files = _files(path, ".tmx", ".tmx.zip")
    return _sound((file, [_tmx_pair(corpus, unit, file) for unit in _tmx_units(file)]) for file in files)


def _tmx_units(file: Path) -> Iterator[Element]:
    # The publisher's files hold neither entities nor a document type, through which an XML file could do harm.
    from xml.etree.ElementTree import fromstring

    try:
        if file.suffix == ".zip":
            with zipfile.ZipFile(file) as archive:
                data = archive.read(archive.namelist()[0])
        else:
            data = file.read_bytes()
        yield from fromstring(data).iter("tu")  # noqa: S314
    except (ParseError, zipfile.BadZipFile, IndexError) as error:
        raise InputError.at(
            str(file), found=f"no readable TMX ({error})", expected="a TICO-19 translation memory"
        ) from error


def _tmx_pair(corpus: Corpus, unit: Element, file: Path) -> GoodPair:
    number = unit.get("tuid", "")
    texts: dict[str, str] = {}
    for variant in unit.iter("tuv"):
        code = variant.get(_XML_LANGUAGE, "")
        texts[_LANGUAGES.get(code, code)] = "".join(variant.find("seg").itertext()).strip()  # type: ignore[union-attr]
    if not number or len(texts) != 2 or not all(texts.values()):
        raise InputError.at(f"{file}: tuid {number!r}", found=f"texts in {sorted(texts)}", expected="two, none empty")
    return _sentence_pair(corpus, number, texts, cluster=number.rpartition(":")[0], place=f"{file}: {number}")


def _read_lafand(corpus: Corpus, path: Path) -> tuple[list[GoodPair], list[str]]:
    """Read `<pair of languages>/*.json`, JSON Lines; the lines name no document, so each is its own cluster."""
    return _sound((file, list(_lafand_pairs(corpus, file))) for file in _files(path, ".json"))


def _lafand_pairs(corpus: Corpus, file: Path) -> Iterator[GoodPair]:
    for line, text in enumerate(file.read_text(encoding="utf-8").splitlines()):
        number, place = f"{file.parent.name}:{line}", f"{file}:{line + 1}"
        texts = _lafand_texts(text, place)
        if all(texts.values()):
            yield _sentence_pair(corpus, number, texts, cluster=number, place=place)


def _lafand_texts(line: str, place: str) -> dict[str, str]:
    try:
        found = msgspec.convert(json.loads(line)["translation"], dict[str, str])
    except (ValueError, KeyError, TypeError, msgspec.ValidationError) as error:
        expected = 'a line as {"translation": {"en": "...", "yor": "..."}}'
        raise InputError.at(place, found=f"another ({error})", expected=expected) from error
    return {_LANGUAGES.get(code, code): text.strip() for code, text in found.items()}


def _read_source(corpus: Corpus, path: Path) -> tuple[list[GoodPair], list[str]]:
    """Read a source, and pair its native items with those of the other languages, and the English ones too."""
    declared = source(corpus.name)
    items: dict[str, dict[str, Item]] = {
        code: {row.family: row for row in declared.read(path, (code,), 0) if isinstance(row, Item)}
        for code in declared.languages
    }
    native = declared.native_language
    directions = [(native, code) for code in items if code != native]
    if corpus.making != "machine":
        directions += [("en", code) for code in items if code != "en"]
    pairs, left_out = [], []
    for here, there in directions:
        both = [GoodPair(item, items[there][name]) for name, item in items[here].items() if name in items[there]]
        kept = [pair for pair in both if len(pair.source.options) == len(pair.target.options)]
        pairs += kept
        left_out += [
            f"{pair.id} ({pair.direction}): {len(pair.source.options)} options and {len(pair.target.options)}"
            for pair in both
            if len(pair.source.options) != len(pair.target.options)
        ]
    return pairs, left_out


def _files(path: Path, *endings: str) -> list[Path]:
    found = [path] if path.is_file() else sorted(file for file in path.rglob("*") if file.name.endswith(endings))
    if not found:
        raise InputError.at(str(path), found="no such file", expected=f"files that end in {' or '.join(endings)}")
    return found


CORPORA: dict[str, Corpus] = {
    corpus.name: corpus
    for corpus in (
        Corpus(
            name="tico19",
            title="TICO-19",
            about="sentences about COVID-19: papers, encyclopedia, news, phrases of doctors and patients",
            making="human",
            licence="CC0-1.0",
            fitted=True,
            read=_read_tico19,
        ),
        Corpus(
            name="casimedicos",
            title="CasiMedicos",
            about="questions of the Spanish specialist examination, with options and explanations",
            making="translated",
            licence="CC-BY-4.0",
            fitted=True,
            read=_read_source,
        ),
        Corpus(
            name="headqa",
            title="HEAD-QA",
            about="questions of Spanish specialist examinations, with options; the English is machine translation",
            making="machine",
            licence="MIT and terms of the Spanish ministry of health",
            fitted=False,
            read=_read_source,
        ),
        Corpus(
            name="lafand",
            title="LAFAND-MT",
            about="news sentences, not medical",
            making="human",
            licence="CC-BY-NC-4.0",
            fitted=False,
            medical=False,
            read=_read_lafand,
        ),
    )
}
