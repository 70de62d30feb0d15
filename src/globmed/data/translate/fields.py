"""The texts of an item by their field ids, and which of them need no model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from globmed.core.item import Item
from globmed.core.language import language


def item_texts(item: Item) -> dict[str, str]:
    """Return the texts of an item that are not empty, by field id: `question`, `options[2]`, `turns[0]`."""
    return {name: text for name, text in _texts(item) if text.strip()}


def field_kind(name: str) -> str:
    """Return a field id without its index: `options` for `options[2]`."""
    return name.partition("[")[0]


def with_texts(item: Item, texts: Mapping[str, str]) -> dict[str, Any]:
    """Return the fields of an item that hold text, with other texts in them; those not given stay as they are."""

    def new(name: str, old: str) -> str:
        return texts.get(name, old)

    return {
        "question": new("question", item.question),
        "context": new("context", item.context),
        "rationale": new("rationale", item.rationale),
        "options": tuple(new(f"options[{index}]", old) for index, old in enumerate(item.options)),
        "reference": tuple(new(f"reference[{index}]", old) for index, old in enumerate(item.reference)),
        "turns": tuple(
            msgspec.structs.replace(turn, text=new(f"turns[{index}]", turn.text))
            for index, turn in enumerate(item.turns)
        ),
        "rubric": tuple(
            msgspec.structs.replace(line, text=new(f"rubric[{index}]", line.text))
            for index, line in enumerate(item.rubric)
        ),
    }


def given_texts(item: Item, target: str) -> dict[str, str]:
    """Return the texts that no model is asked for: labels of the table of languages, and what is no language.

    Labels are the words for yes, no and maybe, and those of inference, where an item's options hold nothing else. A
    text without any letter or decimal or thousands mark, such as `120/80`, reads the same in every language.

    Args:
        item: the original.
        target: BCP 47 code of the language to translate into.
    """
    found = {name: text for name, text in item_texts(item).items() if not any(map(_needs_language, text))}
    labels = dict(zip(_labels(item.language), _labels(target), strict=True))
    if item.options and all(option in labels for option in item.options):
        found |= {f"options[{index}]": labels[option] for index, option in enumerate(item.options)}
    return found


def _labels(code: str) -> tuple[str, ...]:
    """Return the words of the table of languages that stand for a whole option, in one order for all languages."""
    words = language(code)
    inference = words.entailment, words.not_entailment, words.neutral, words.contradiction
    return words.yes, words.no, words.maybe, *inference


def _needs_language(character: str) -> bool:
    return character.isalpha() or character in ".,"


def _texts(item: Item) -> Iterator[tuple[str, str]]:
    yield from ((f"turns[{index}]", turn.text) for index, turn in enumerate(item.turns))
    yield "context", item.context
    yield "question", item.question
    yield from ((f"options[{index}]", text) for index, text in enumerate(item.options))
    yield from ((f"reference[{index}]", text) for index, text in enumerate(item.reference))
    yield from ((f"rubric[{index}]", line.text) for index, line in enumerate(item.rubric))
    yield "rationale", item.rationale
