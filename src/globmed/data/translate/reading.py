"""What a model wrote into translations or a critique: the JSON that was asked for, or why it is not that."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import msgspec

T = TypeVar("T")

_FENCE = re.compile(r"\s*```[a-zA-Z]*\n(.*)\n\s*```\s*", re.DOTALL)
_SHOWN_MAX = 80


@dataclass(frozen=True)
class Read(Generic[T]):
    """What was read, or None and in a few words what is wrong with the reply."""

    value: T | None
    error: str = ""


class Comment(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a critic wants changed in a field."""

    field: str
    comment: str


class Critique(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A critic's scores, 1 to 5 as on the experts' sheet, and comments."""

    accuracy: int
    fluency: int
    completeness: int
    comments: tuple[Comment, ...] = ()

    @property
    def lowest(self) -> int:
        """The lowest of the three scores."""
        return min(self.accuracy, self.fluency, self.completeness)

    @property
    def summary(self) -> str:
        """The scores in one line."""
        return f"accuracy {self.accuracy}, fluency {self.fluency}, completeness {self.completeness}"


def read_texts(reply: str, wanted: Collection[str]) -> Read[dict[str, str]]:
    """Read translations: one JSON object with exactly the wanted keys, each with a text that is not empty.

    A fence of ``` around the object is let pass; nothing else is. Texts are put into Unicode NFC.
    """
    found = _object(reply)
    if found.value is None:
        return Read(None, found.error)
    if missing := [name for name in wanted if name not in found.value]:
        return Read(None, f"the key {_shown(missing[0])} is missing")
    if extra := [name for name in found.value if name not in wanted]:
        return Read(None, f"the key {_shown(extra[0])} was not asked for")
    texts = {}
    for name in wanted:
        text = found.value[name]
        if not isinstance(text, str) or not text.strip():
            return Read(None, f"the value of {_shown(name)} is not a text, or an empty one")
        texts[name] = unicodedata.normalize("NFC", text.strip())
    return Read(texts)


def read_plain(reply: str, name: str) -> Read[dict[str, str]]:
    """Read what a translation engine gave for the text of one key: all of it, in Unicode NFC."""
    if not reply.strip():
        return Read(None, "it is empty")
    return Read({name: unicodedata.normalize("NFC", reply.strip())})


def read_critique(reply: str, fields: Collection[str]) -> Read[Critique]:
    """Read a critique: three scores of 1 to 5, and comments on fields that there are."""
    found = _object(reply)
    if found.value is None:
        return Read(None, found.error)
    try:
        critique = msgspec.convert(found.value, Critique)
    except msgspec.ValidationError as error:
        return Read(None, str(error))
    if not all(1 <= score <= 5 for score in (critique.accuracy, critique.fluency, critique.completeness)):
        return Read(None, "a score is not 1, 2, 3, 4 or 5")
    if unknown := [one.field for one in critique.comments if one.field not in fields]:
        return Read(None, f"a comment is on {_shown(unknown[0])}, which is no key of the item")
    return Read(critique)


def _object(reply: str) -> Read[dict[str, Any]]:
    fenced = _FENCE.fullmatch(reply)
    try:
        found = json.loads(fenced[1] if fenced else reply, object_pairs_hook=_no_key_twice)
        json.dumps(found, ensure_ascii=False).encode()
    except json.JSONDecodeError as error:
        return Read(None, f"it is not JSON ({error.msg}, line {error.lineno}, column {error.colno})")
    except UnicodeEncodeError:
        return Read(None, "it holds half a surrogate pair")
    except (ValueError, RecursionError) as error:
        return Read(None, f"it is not JSON ({error})")
    return Read(found) if isinstance(found, dict) else Read(None, "it is JSON, but not an object")


def _no_key_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key stands twice in one object")
    return found


def _shown(name: str) -> str:
    return repr(name if len(name) <= _SHOWN_MAX else f"{name[:_SHOWN_MAX]}…")
