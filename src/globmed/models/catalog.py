"""Models and endpoints by name: the rows of `catalog.toml`, and those of a file of one's own.

A row says what is known of a model and which page says so; what no page was found for is left out. The file that the
environment variable GLOBMED_CATALOG names has rows of the same form, for models, prices and endpoints of one's own;
they stand beside the package's, and replace those of the same id.
"""

from __future__ import annotations

import datetime as dt
import os
import tomllib
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal, TypeVar
from urllib.parse import urlsplit

import msgspec

from globmed.core.errors import InputError, UsageError, did_you_mean
from globmed.models.pace import NO_CAPS, Caps
from globmed.models.price import Price

CATALOG_VARIABLE = "GLOBMED_CATALOG"
Kind = Literal["baseline", "proprietary", "open"]
Setting = Literal["max_tokens", "temperature", "top_p", "seed", "logprobs", "top_logprobs", "schema"]
# What a source need not be named for: what we call a model, and how we ask it.
_OWN_WORDS = {"id", "family", "kind", "summary", "endpoint", "price", "sources"}


class ModelRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One model of the catalog. What is not known is None or empty.

    Attributes:
        id: what users write, and what replies are saved under.
        kind: `proprietary` answers at its maker's endpoint only, `open` has weights that can be downloaded.
        summary: one line for people.
        family: of models, as its maker names it.
        maker: who made it.
        endpoint: preset of the endpoint that its maker, or whoever `price` is of, sells it at.
        name: what it is called there.
        hub: its id on the Hugging Face Hub.
        parameters_billion: parameters in all.
        active_billion: parameters that each token passes, of a mixture of experts.
        context_tokens: longest text it was made for.
        licence: SPDX identifier in lower case, or what its page calls it.
        reasoning: it thinks aloud before it answers.
        thinking: of a model with a switch for that, the setting of this row.
        medical: it was trained for medicine.
        released: the day on which it could first be had.
        omit: settings that it does not take.
        price: at `endpoint`.
        sources: address of a page to the fields that it shows.
    """

    id: str
    kind: Kind
    summary: str
    family: str = ""
    maker: str = ""
    endpoint: str = ""
    name: str = ""
    hub: str = ""
    parameters_billion: float | None = None
    active_billion: float | None = None
    context_tokens: int | None = None
    licence: str = ""
    reasoning: bool = False
    thinking: bool | None = None
    medical: bool = False
    released: dt.date | None = None
    omit: tuple[Setting, ...] = ()
    price: Price | None = None
    sources: dict[str, tuple[str, ...]] = {}

    def facts(self) -> dict[str, Any]:
        """Return what the row states and a source is needed for, by field."""
        fields = [name for name in self.__struct_fields__ if name not in _OWN_WORDS]
        return {name: value for name in fields if (value := getattr(self, name)) not in (None, "", (), False)} | (
            {} if self.thinking is None else {"thinking": self.thinking}
        )

    def source_of(self, fact: str) -> str:
        """Return the address of the page that shows a fact; empty where none is named."""
        return next((url for url, shown in self.sources.items() if fact in shown), "")


class PresetRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One endpoint of the catalog that speaks OpenAI-compatible chat completions.

    Attributes:
        id: what users write after the `@`.
        summary: one line for people; of a server of one's own with the line that starts it.
        base_url: what `/chat/completions` is appended to; `{VARIABLE}` stands for what that environment variable holds,
            where everybody has an address of their own.
        source: page that says so.
        key_variable: environment variable with the API key; empty for an endpoint that needs none, for which
            GLOBMED_API_KEY is used where it is set.
        key_header: the header that takes the key, where it is not sent as a bearer token.
        on_this_machine: servers of this kind answer on the machine that they run on, and pass nothing on.
        elsewhere: patterns of the names of models for which that is not so.
        thinking: the parameter that switches thinking on and off, with dots between its levels.
        names: what the endpoint calls the settings, where not as in OpenAI's reference; empty for one it does not take.
        caps: what it may be asked at most.
    """

    id: str
    summary: str
    base_url: str
    source: str
    key_variable: str = ""
    key_header: str = ""
    on_this_machine: bool = False
    elsewhere: tuple[str, ...] = ()
    thinking: str = ""
    names: dict[Setting, str] = {}
    caps: Caps = NO_CAPS


Row = TypeVar("Row", ModelRow, PresetRow)


def catalog_rows() -> dict[str, ModelRow]:
    """Return the models of the catalog by id, in the order of the file.

    Raises:
        InputError: a row lacks a field or holds an unknown one.
    """
    return _rows("model", ModelRow, os.environ.get(CATALOG_VARIABLE, ""))


def preset_rows() -> dict[str, PresetRow]:
    """Return the endpoints of the catalog by id, in the order of the file.

    Raises:
        InputError: a row lacks a field or holds an unknown one.
    """
    return _rows("preset", PresetRow, os.environ.get(CATALOG_VARIABLE, ""))


def model_row(name: str) -> ModelRow:
    """Return one model.

    Raises:
        UsageError: there is none of that id; the text says which is nearest.
    """
    rows = catalog_rows()
    if name not in rows:
        raise UsageError(f"no model {name!r} in the catalog{did_you_mean(name, rows)}")
    return rows[name]


def preset_row(name: str) -> PresetRow:
    """Return one endpoint.

    Raises:
        UsageError: there is none of that id; the text says which is nearest.
    """
    rows = preset_rows()
    if name not in rows:
        raise UsageError(f"no endpoint preset named {name!r}{did_you_mean(name, rows)}")
    return rows[name]


def price_of(model: str, *, place: str) -> Price | None:
    """Return what a model costs at a place, or None where that is not known.

    Args:
        model: id, as replies are saved under.
        place: that of its client's pace; a price holds at the endpoint that it was stated for only.
    """
    row = catalog_rows().get(model)
    if row is None or row.price is None or row.endpoint not in preset_rows():
        return None
    return row.price if urlsplit(preset_rows()[row.endpoint].base_url).netloc == place else None


@cache
def _rows(section: str, row_type: type[Row], own: str) -> dict[str, Row]:
    packaged = files("globmed.models").joinpath("catalog.toml").read_text(encoding="utf-8")
    texts = {"catalog.toml": packaged}
    if own:
        try:
            texts[own] = Path(own).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise InputError.at(own, found=str(error), expected=f"a catalog, as {CATALOG_VARIABLE} names it") from error
    rows: dict[str, Row] = {}
    for place, text in texts.items():
        for row_id, row in _section(place, text, section).items():
            try:
                rows[row_id] = msgspec.convert({"id": row_id, **row}, row_type)
            except msgspec.ValidationError as error:
                expected = f"the fields of {row_type.__name__} (globmed.models.catalog)"
                raise InputError.at(f"{place}: [{section}.{row_id}]", found=str(error), expected=expected) from error
    return rows


def _section(place: str, text: str, section: str) -> dict[str, dict[str, Any]]:
    try:
        found = tomllib.loads(text).get(section, {})
    except tomllib.TOMLDecodeError as error:
        raise InputError.at(place, found=str(error), expected="TOML") from error
    if not isinstance(found, dict) or not all(isinstance(row, dict) for row in found.values()):
        raise InputError.at(f"{place}: {section}", found="no tables", expected=f"tables [{section}.ID]")
    return found
