"""What sources made by code share: their texts, numbers as a language writes them, and where an item comes from."""

from __future__ import annotations

import tomllib
from importlib.resources import files
from typing import TypeVar

import msgspec

from globmed.core.errors import InputError
from globmed.core.item import Provenance
from globmed.core.language import format_number

LICENCE = "Apache-2.0"
NATIVE_LANGUAGE = "en"
TEXTS_WRITTEN_BY = "language model, 2026"

Texts = TypeVar("Texts")


def read_texts(source: str, kind: type[Texts]) -> dict[str, Texts]:
    """Read the texts of a procedural source, `data/sources/<source>.toml`: one table a language.

    Raises:
        InputError: a table lacks a text or holds an unknown one.
    """
    name = f"{source}.toml"
    raw = tomllib.loads(files("globmed.data.sources").joinpath(name).read_text(encoding="utf-8"))
    try:
        return msgspec.convert(raw, dict[str, kind])  # type: ignore[valid-type]
    except msgspec.ValidationError as error:
        raise InputError.at(name, found=str(error), expected=f"the fields of {kind.__name__} in each table") from error


def provenance(code: str, *, family: str) -> Provenance:
    """Return where an item of a family comes from: this code, and a model for languages other than English."""
    native = code == NATIVE_LANGUAGE
    return Provenance(
        native_language=NATIVE_LANGUAGE,
        text="native" if native else "machine",
        model="" if native else TEXTS_WRITTEN_BY,
        licence=LICENCE,
        place=f"{family.partition(':')[0]}.py: {family}",
    )


def quantity(thousandths: int, unit: str, code: str) -> str:
    """Write a number of thousandths with a unit, as `1.5 g` or `0,25 mg`, without zeros that say nothing.

    Args:
        thousandths: the number times 1,000.
        unit: as printed behind it.
        code: of the language whose decimal mark is written.
    """
    whole, rest = divmod(thousandths, 1000)
    digits = f"{whole}.{rest:03d}".rstrip("0").rstrip(".")
    return f"{format_number(digits, code)} {unit}"
