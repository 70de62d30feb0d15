"""Whether two questions are the same text, or nearly: normalisation, shingles, Jaccard similarity, and MinHash search.

Near-duplicates are found as Broder (1997, "On the resemblance and containment of documents") and Leskovec, Rajaraman
and Ullman (Mining of Massive Datasets, ch. 3) do it: sets of word 3-grams, MinHash signatures cut into bands, and the
true Jaccard similarity of every pair that shares a band.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from globmed.core.errors import UsageError
from globmed.core.item import Item
from globmed.core.language import language

WORDS = 3
# As long a stretch of Chinese, Japanese or Korean as three words: a word has 1.5 to 2 characters there.
CHARACTERS = 5
SCRIPTS_BY_CHARACTER = frozenset({"Hans", "Hant", "Hani", "Jpan", "Kore", "Thai", "Laoo", "Khmr", "Mymr"})

PERMUTATIONS = 128
MISSED_AT_MOST = 1e-3
# Four and a half standard errors of a similarity of 0.5 as 128 permutations estimate it: one pair in 300,000 is missed.
SKETCH_SLACK = 0.2
SEED = 0
# The shingles of every text at once would take ten times the memory of the texts.
SHINGLED_AT_ONCE = 1_000


class Text(NamedTuple):
    """One question's text in one language, normalised by `normalised`.

    Attributes:
        stem: context and question.
        options: sorted, so that their order does not count.
    """

    stem: tuple[str, str]
    options: tuple[str, ...]


class Shingles(NamedTuple):
    """The shingles of one text; no shingle reaches across the border of a field or an option."""

    stem: frozenset[str]
    options: frozenset[str]


class Match(NamedTuple):
    """Two texts, by their positions in the sequence searched (`first < second`), and their Jaccard similarity."""

    first: int
    second: int
    similarity: float


class _Punctuation(dict[int, int]):
    r"""For `str.translate`: marks and symbols become spaces; letters, digits and combining marks stay.

    Not the regular expression `\w`, which cuts Yoruba words at their combining tone marks.
    """

    def __missing__(self, code: int) -> int:
        kept = unicodedata.category(chr(code))[0] in "LMN"
        self[code] = code if kept else 0x20
        return self[code]


_PUNCTUATION = _Punctuation()


def normalised(text: str) -> str:
    """Return the text in NFC, without case, with single spaces. Punctuation and marks stay."""
    return unicodedata.normalize("NFC", " ".join(unicodedata.normalize("NFC", text).casefold().split()))


def text_of(item: Item) -> Text:
    """Return what of an item is compared: context, question and options; never the answer."""
    return Text(
        stem=(normalised(item.context), normalised(item.question)),
        options=tuple(sorted(normalised(option) for option in item.options)),
    )


def shingles(text: Text, code: str) -> Shingles:
    """Cut a text into word 3-grams, or character 5-grams in scripts that do not part words by spaces.

    A field shorter than that is one shingle, and a field of punctuation alone its own text, so that only an empty
    text has no shingles.

    Args:
        text: the normalised text.
        code: BCP 47 code of its language.
    """
    by_character = language(code).script in SCRIPTS_BY_CHARACTER
    return Shingles(
        stem=frozenset(shingle for field in text.stem for shingle in _cut(field, by_character=by_character)),
        options=frozenset(shingle for field in text.options for shingle in _cut(field, by_character=by_character)),
    )


def _cut(field: str, *, by_character: bool) -> Iterable[str]:
    words = field.translate(_PUNCTUATION).split()
    if not words:
        return [field] if field else []
    if by_character:
        signs = "".join(words)
        return [signs[start : start + CHARACTERS] for start in range(max(1, len(signs) - CHARACTERS + 1))]
    # Most of the time of a search goes here: zip and join are several times as fast as slices.
    runs = zip(*(words[start:] for start in range(WORDS)), strict=False)
    return map(" ".join, runs) if len(words) >= WORDS else [" ".join(words)]


def jaccard(first: Shingles, second: Shingles) -> float:
    """Return the Jaccard similarity of all shingles of two texts, 0 to 1.

    It is 0 where two multiple-choice questions share nothing of their options ("Which of the following is true?" about
    something else) or nothing of their stems (another question over the same list of drugs), however long the other
    part is. Two empty texts have similarity 0: nothing is known of them.
    """
    for one, other in ((first.stem, second.stem), (first.options, second.options)):
        if one and other and not one & other:
            return 0.0
    left, right = first.stem | first.options, second.stem | second.options
    return len(left & right) / len(left | right) if left | right else 0.0


def near_duplicates(texts: Sequence[Text], code: str, *, threshold: float) -> Iterator[Match]:
    """Give every pair of texts whose Jaccard similarity is at least `threshold`, each once.

    Candidates come from MinHash with locality-sensitive hashing, tuned so that a pair at the threshold is missed less
    often than `MISSED_AT_MOST` (a more similar pair more rarely still); every candidate is then compared truly.
    Two questions that differ in one number (a dose, an age) are near-duplicates once they are long enough: joined on
    purpose, since a model that has seen one has seen the other.

    Args:
        texts: all texts to search, in one language.
        code: BCP 47 code of that language.
        threshold: above 0, at most 1.

    Raises:
        UsageError: the threshold is out of range.
    """
    from rensa import RMinHash, RMinHashLSH

    bands = lsh_bands(threshold)

    @lru_cache(maxsize=SHINGLED_AT_ONCE)
    def cut(position: int) -> Shingles:
        return shingles(texts[position], code)

    sketches = RMinHash.from_token_sets(
        (one.stem | one.options for one in map(cut, range(len(texts)))), num_perm=PERMUTATIONS, seed=SEED
    )
    index = RMinHashLSH(threshold, PERMUTATIONS, bands)
    index.insert_many(sketches)
    for first, sketch in enumerate(sketches):
        for second in sorted(index.query(sketch)):
            # Cutting both texts anew takes most of the time: where the sketches differ widely there is no need to.
            if second > first and sketch.jaccard(sketches[second]) >= threshold - SKETCH_SLACK:
                similarity = jaccard(cut(first), cut(second))
                if similarity >= threshold:
                    yield Match(first, second, similarity)


def lsh_bands(threshold: float) -> int:
    """Return the smallest number of bands, of 128 permutations, that misses few enough pairs at the threshold.

    Of `bands` bands of `rows` rows a pair of similarity s shares none with probability (1 - s^rows)^bands.

    Raises:
        UsageError: the threshold is out of range.
    """
    if not 0 < threshold <= 1:
        raise UsageError(f"threshold {threshold}: expected a Jaccard similarity above 0, at most 1")
    for rows in (64, 32, 16, 8, 4, 2):
        bands = PERMUTATIONS // rows
        if (1 - threshold**rows) ** bands <= MISSED_AT_MOST:
            return bands
    return PERMUTATIONS
