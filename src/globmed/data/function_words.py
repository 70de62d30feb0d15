"""Function words: short words without which no running text of a language is written."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files

from globmed.core.language import language


@cache
def function_words(code: str) -> frozenset[str]:
    """Return the function words that `function_words.toml` has for a language, in lower case; none without a row.

    Raises:
        UsageError: the language is not in the table of languages.
    """
    return _table().get(language(code).code, frozenset())


@cache
def _table() -> dict[str, frozenset[str]]:
    text = files("globmed.data").joinpath("function_words.toml").read_text(encoding="utf-8")
    return {code: frozenset(words.split()) for code, words in tomllib.loads(text).items()}
