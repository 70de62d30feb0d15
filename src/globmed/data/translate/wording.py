"""What models are asked in each step: the prompt texts `prompts/translate_*`, filled in."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from globmed.core.item import Item
from globmed.core.language import language
from globmed.data.pairs import Glossary
from globmed.data.translate.plan import Plan
from globmed.data.translate.team import Member
from globmed.models.client import Message, Request, Settings
from globmed.prompts import load

StepName = Literal["candidate", "repair", "critique", "refine", "back", "answer"]

_TERMS_MAX = 40
_KNOWN = "These parts are translated already; keep to their words, and leave them out of your reply:"
# A reply may have so many tokens for a byte of the original, and so many besides: Yoruba, the costliest of the
# languages, takes up to three times the tokens of English, which takes one for some four bytes.
_TOKENS_PER_BYTE = 1.5
_TOKENS_BESIDES = 256
_CRITIQUE_TOKENS = 1536
_SCORE = {"type": "integer", "enum": [1, 2, 3, 4, 5]}


class TermFinder:
    """Finds the terms of a glossary in texts, whatever their case; the longer one where two begin alike."""

    def __init__(self, glossary: Glossary) -> None:
        """Take a glossary."""
        self._targets = {term.casefold(): targets for term, targets in glossary.items()}
        longest_first = sorted(self._targets, key=len, reverse=True)
        # Scripts without spaces have no borders between words.
        bordered = (
            rf"(?<!\w){re.escape(term)}(?!\w)" if _is_spaced(term) else re.escape(term) for term in longest_first
        )
        self._pattern = re.compile("|".join(bordered)) if self._targets else None

    def lines(self, texts: Collection[str]) -> str:
        """Return the terms that occur in texts, a line each, with the translations accepted for them."""
        if self._pattern is None:
            return ""
        found = dict.fromkeys(match[0] for text in texts for match in self._pattern.finditer(text.casefold()))
        return "\n".join(f"- {term} = {' / '.join(self._targets[term])}" for term in list(found)[:_TERMS_MAX])


@dataclass(frozen=True, kw_only=True)
class Wording:
    """What a request is about, besides its step.

    Attributes:
        item: the original, whose terms of use and label the request is under.
        source: BCP 47 code of the language of `texts`.
        target: BCP 47 code of the language to translate into, or that of the translation to judge.
        texts: what is to be translated or was, by field id.
        fields: field ids that the reply is to have; of a critique, those that may be commented.
        translation: what stands so far, by field id.
        findings: what was found or commented, a line each.
        terms: the glossary's terms, a line each.
    """

    item: Item
    source: str
    target: str
    texts: Mapping[str, str]
    fields: Sequence[str]
    translation: Mapping[str, str]
    findings: str = ""
    terms: str = ""


def worded_request(step: StepName, about: Wording, member: Member, plan: Plan) -> Request:
    """Return what a model is asked: the step's instruction, or for a translation engine the one text alone."""
    if member.engine:
        (field,) = about.fields
        content, schema = about.texts[field], ""
    else:
        content = _content(step, about)
        schema = _critique_schema(tuple(about.fields)) if step == "critique" else _texts_schema(tuple(about.fields))
    size = sum(len(about.texts[field].encode()) for field in about.fields)
    room = _CRITIQUE_TOKENS if step == "critique" else math.ceil((size * _TOKENS_PER_BYTE + 1) / 256) * 256
    thinking = plan.thinking_tokens if member.thinks else 0
    settings = Settings(max_tokens=room + _TOKENS_BESIDES + thinking, temperature=plan.temperature)
    terms = about.item.provenance
    return Request(
        messages=(Message("user", content),),
        settings=Settings() if member.engine else settings,
        schema=schema,
        label=f"{about.item.family}/{about.target}",
        source=about.item.source,
        licence=terms.licence,
        may_leave_machine=terms.may_leave_machine,
    )


@cache
def prompt_hash(step: StepName, target: str) -> str:
    """Return the hash of a step's instruction with what is said of a language, 16 hexadecimal digits."""
    texts = [load(f"translate_{step}", "any").hash, "" if step == "back" else load("translate_notes", target).hash]
    return hashlib.sha256(" ".join(texts).encode()).hexdigest()[:16]


def _content(step: StepName, about: Wording) -> str:
    known = {name: text for name, text in about.translation.items() if name not in about.fields}
    return load(f"translate_{step}", "any").render(
        source_language=language(about.source).english_name,
        target_language=language(about.target).english_name,
        notes=load("translate_notes", about.target).body if step != "back" else "",
        glossary=f"Translate these terms so:\n{about.terms}" if about.terms else "",
        known=f"{_KNOWN}\n{_json(known)}" if known else "",
        item=_json(about.texts),
        translation=_json(about.translation),
        findings=about.findings,
        keys=_json(list(about.fields)),
    )


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=1)


def _is_spaced(term: str) -> bool:
    return not any("\u3040" <= character <= "\u9fff" for character in term)


@cache
def _texts_schema(fields: tuple[str, ...]) -> str:
    return _object_schema({name: {"type": "string"} for name in fields})


@cache
def _critique_schema(fields: tuple[str, ...]) -> str:
    comment = {"field": {"type": "string", "enum": list(fields)}, "comment": {"type": "string"}}
    comments = {"type": "array", "items": json.loads(_object_schema(comment))}
    return _object_schema({"accuracy": _SCORE, "fluency": _SCORE, "completeness": _SCORE, "comments": comments})


def _object_schema(properties: Mapping[str, Any]) -> str:
    schema = {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}
    return json.dumps(schema, ensure_ascii=False)
