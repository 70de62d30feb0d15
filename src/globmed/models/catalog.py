"""Models by name: the rows of `catalog.toml`, and `open_client`, which makes a client from what a user writes.

chance                              a row of the catalog
majority:A=812,B=790,C=801          a baseline with the table it needs
local:FOLDER                        weights in this process
api:MODEL@https://host/v1           any endpoint; its key, where it needs one, in GLOBMED_API_KEY
api:MODEL@openrouter                an endpoint preset of the catalog; its key in the variable that its row names
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Callable
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal, TypeVar

import msgspec

from globmed.core.errors import InputError, UsageError, did_you_mean
from globmed.models.baseline import Chance, LongestOption, Majority
from globmed.models.client import Client

KEY_VARIABLE = "GLOBMED_API_KEY"
FORMS = "a catalog id, majority:A=1,B=2, local:FOLDER, api:MODEL@BASE_URL or api:MODEL@PRESET"


class ModelRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One model of the catalog.

    Attributes:
        id: what users write.
        kind: what answers.
        summary: one line for people.
    """

    id: str
    kind: Literal["baseline"]
    summary: str


class PresetRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One endpoint of the catalog that speaks OpenAI-compatible chat completions.

    Attributes:
        id: what users write after the `@`.
        summary: one line for people.
        base_url: what `/chat/completions` is appended to.
        source: page that says so.
        key_variable: environment variable with the API key; empty for an endpoint that needs none, for which
            GLOBMED_API_KEY is used where it is set.
        names: what the endpoint calls the settings, where not as in the reference.
    """

    id: str
    summary: str
    base_url: str
    source: str
    key_variable: str = ""
    names: dict[Literal["max_tokens", "temperature", "top_p", "seed"], str] = {}


Row = TypeVar("Row", ModelRow, PresetRow)


def catalog_rows() -> tuple[ModelRow, ...]:
    """Return the models of the catalog, in the order of the file.

    Raises:
        InputError: a row lacks a field or holds an unknown one.
    """
    return tuple(_rows("model", ModelRow).values())


def preset_rows() -> tuple[PresetRow, ...]:
    """Return the endpoints of the catalog, in the order of the file.

    Raises:
        InputError: a row lacks a field or holds an unknown one.
    """
    return tuple(_rows("preset", PresetRow).values())


def open_client(spec: str) -> Client:
    """Make the client that a user names, in one of the forms at the head of this module. Nothing is sent yet.

    Raises:
        UsageError: an unknown name, an argument too many or missing, or an API key that is not set.
        MissingExtraError: weights in this process without the extra `local`.
        InputError: the folder is not a model's.
    """
    name, colon, argument = spec.partition(":")
    if name in _WITH_ARGUMENT and argument:
        return _WITH_ARGUMENT[name](argument)
    if name in _WITHOUT_ARGUMENT and not colon:
        return _WITHOUT_ARGUMENT[name]()
    if name in _WITH_ARGUMENT or name in _WITHOUT_ARGUMENT:
        raise UsageError(f"model {spec!r} {'takes no' if argument else 'needs an'} argument; expected {FORMS}")
    known = {*_WITH_ARGUMENT, *_WITHOUT_ARGUMENT}
    raise UsageError(f"no model named {name!r}{did_you_mean(name, known)}. Expected {FORMS}")


def _open_local(folder: str) -> Client:
    # Seconds of import that no other client needs.
    from globmed.models.local import LocalModel

    return LocalModel.load(Path(folder))


def _open_majority(table: str) -> Client:
    counts: dict[str, int] = {}
    for entry in table.split(","):
        letter, _, count = (part.strip() for part in entry.partition("="))
        if not count.isdecimal() or letter in counts:
            raise UsageError(f"majority: found {entry!r}; expected each letter once with its count, as A=812,B=790")
        counts[letter] = int(count)
    return Majority(counts)


def _open_endpoint(argument: str) -> Client:
    # aiohttp, which only this client needs.
    from globmed.models.http_api import HttpModel, ParameterNames

    model, _, where = argument.rpartition("@")
    if not model or not where:
        raise UsageError(f"model 'api:{argument}'; expected api:MODEL@BASE_URL or api:MODEL@PRESET")
    if "://" in where:
        return HttpModel(model, where, api_key=os.environ.get(KEY_VARIABLE))
    presets = _rows("preset", PresetRow)
    if where not in presets:
        raise UsageError(f"no endpoint preset named {where!r}{did_you_mean(where, presets)}")
    preset = presets[where]
    key = os.environ.get(preset.key_variable or KEY_VARIABLE)
    if preset.key_variable and not key:
        raise UsageError(f"api:{argument} needs an API key; set the environment variable {preset.key_variable}")
    return HttpModel(model, preset.base_url, api_key=key, names=ParameterNames(**preset.names))


_WITHOUT_ARGUMENT: dict[str, Callable[[], Client]] = {"chance": Chance, "longest": LongestOption}
_WITH_ARGUMENT: dict[str, Callable[[str], Client]] = {
    "majority": _open_majority,
    "local": _open_local,
    "api": _open_endpoint,
}


@cache
def _rows(section: str, row_type: type[Row]) -> dict[str, Row]:
    text = files("globmed.models").joinpath("catalog.toml").read_text(encoding="utf-8")
    rows = {}
    section_rows: dict[str, dict[str, Any]] = tomllib.loads(text)[section]
    for row_id, row in section_rows.items():
        try:
            rows[row_id] = msgspec.convert({"id": row_id, **row}, row_type)
        except msgspec.ValidationError as error:
            raise InputError.at(
                f"catalog.toml: [{section}.{row_id}]", found=str(error), expected=f"the fields of {row_type.__name__}"
            ) from error
    return rows
