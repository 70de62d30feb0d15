"""What replies cost, by language: tokens as billed, and dollars, for each question and for each right answer.

Most tokenizers cut a text in Yoruba into several times the tokens of its English original, so that the same answer
costs its speakers more: Petrov et al. (2023), "Language model tokenizers introduce unfairness between languages",
NeurIPS, arXiv:2305.15425. Tokens are what the endpoint billed for the saved replies: cached ones within those read,
reasoning within those written. What was translated to English, and back, counts with its translations, each attempt
that was billed, and they stand apart too: what translate-test costs beside the direct answer. Calls that failed and
were tried again are in the run's books (`globmed journal show`), not here.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from globmed.bench.scoring import SCORES
from globmed.core.store import table

if TYPE_CHECKING:
    import pyarrow as pa

_TOKENS = ("input_tokens", "cached_tokens", "output_tokens", "reasoning_tokens", "translation_tokens")
_DOLLARS = ("cost_usd", "translation_usd")
_BY = ("task", "model", "revision", "answer", "source", "language", "tier")


class CostRow(msgspec.Struct, frozen=True, kw_only=True):
    """What one model's replies cost under a condition, on one source in one language.

    Attributes:
        task: name of the task.
        model: id of the model.
        revision: version of its weights.
        answer: name of the condition.
        source: name of the source.
        language: BCP 47 code.
        tier: its resource tier.
        replies: saved ones, failed calls too.
        right: right answers among them.
        input_tokens: read, cached ones included.
        cached_tokens: of those, read from the endpoint's cache.
        output_tokens: written, reasoning included.
        reasoning_tokens: of those, spent on reasoning.
        tokens_per_reply: read and written; NaN where the endpoint told none.
        tokens_per_right: as many for each right answer; NaN where there is none.
        usd: at the price that stood when the run was asked; NaN where none was known, as on a machine of one's own.
        usd_per_1000: for a thousand questions asked once.
        usd_per_right: for each right answer; NaN where there is none.
        times_english: tokens a reply over those in English, of this model, condition and source; NaN without English.
        translation_tokens: of those read and written, the translations' to English and back.
        translation_usd: what these cost; 0 where nothing was translated, NaN where their price was not known.
    """

    task: str
    model: str
    revision: str
    answer: str
    source: str
    language: str
    tier: str
    replies: int
    right: int
    input_tokens: int
    cached_tokens: int
    output_tokens: int
    reasoning_tokens: int
    tokens_per_reply: float
    tokens_per_right: float
    usd: float
    usd_per_1000: float
    usd_per_right: float
    times_english: float
    translation_tokens: int
    translation_usd: float


def cost_rows(scores: Path) -> Iterator[CostRow]:
    """Give what a stage of scores cost, by model, condition, source and language.

    Raises:
        InputError: the folder holds no scores.
        HashMismatchError: the file of scores was changed by hand.
    """
    columns = [*_BY, "correct", *_DOLLARS, *_TOKENS]
    summed = _summed(table(scores, prefix=SCORES, columns=columns)).to_pylist()
    tokens = {_key(row, row["language"]): _per(_written_and_read(row), row["replies"]) for row in summed}
    for row in summed:
        replies, right, both = row["replies"], row["right"], _written_and_read(row)
        usd, translation_usd = (_dollars(row, name) for name in _DOLLARS)
        a_reply, in_english = tokens[_key(row, row["language"])], tokens.get(_key(row, "en"), math.nan)
        yield CostRow(
            **{name: row[name] for name in (*_BY, *_TOKENS)},
            replies=replies,
            right=right,
            tokens_per_reply=a_reply,
            tokens_per_right=_per(both, right),
            usd=usd,
            usd_per_1000=1000 * usd / replies,
            usd_per_right=usd / right if right else math.nan,
            times_english=a_reply / in_english if in_english else math.nan,
            translation_usd=translation_usd,
        )


def _summed(scores: pa.Table) -> pa.Table:
    """Return sums by model, condition, source and language, sorted."""
    import pyarrow.compute as pc

    scores = scores.append_column("right", pc.cast(scores["correct"], "int64"))
    counts = [(name, "count") for name in ("right", *_DOLLARS)]
    sums = [(name, "sum") for name in ("right", *_DOLLARS, *_TOKENS)]
    grouped = scores.group_by(list(_BY), use_threads=False).aggregate([*sums, *counts])
    names = {"right_count": "replies"}
    renamed = [names.get(name, name.removesuffix("_sum")) for name in grouped.column_names]
    return grouped.rename_columns(renamed).sort_by([(name, "ascending") for name in _BY])


def _dollars(row: dict[str, float], name: str) -> float:
    """Return a sum of dollars; NaN where one reply has no price, for the sum over the others would be too low."""
    return row[name] if row[f"{name}_count"] == row["replies"] else math.nan


def _key(row: dict[str, object], code: object) -> tuple[object, ...]:
    return (*(row[name] for name in ("model", "revision", "answer", "source")), code)


def _written_and_read(row: dict[str, int]) -> int:
    return row["input_tokens"] + row["output_tokens"]


def _per(tokens: int, number: int) -> float:
    """Return tokens for each of a number; endpoints that tell none have 0 in all, which is no number."""
    return tokens / number if tokens and number else math.nan
