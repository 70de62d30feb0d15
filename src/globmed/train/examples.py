"""Items into what a model learns from: a conversation up to the answer, and the answer.

Rendered by `globmed.prompts`, in the same texts as the benchmark's, but for those phrasings that it holds back.
Whatever an item is asked with, its options stand in its own order and its answer is the first right one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from globmed import prompts
from globmed.core.errors import InputError
from globmed.core.item import Item
from globmed.core.language import language, languages
from globmed.models.client import Message
from globmed.train.mixture import Part, Sampling
from globmed.train.recipe import Examples

ENGLISH = "en"
_TRANSLATE = "translate_text"
_TEXT, _STEPS = "_text", "_steps"


class Conversation(msgspec.Struct, frozen=True, kw_only=True):
    """One phrasing of one example.

    Attributes:
        messages: what comes before the answer.
        answer: what the model is to say.
    """

    messages: tuple[Message, ...]
    answer: str


class Example(msgspec.Struct, frozen=True, kw_only=True):
    """What is drawn as one.

    Attributes:
        part: kind of example.
        name: for people, such as `family (language)`.
        language: as in `globmed.train.mixture.Candidates`.
        variants: phrasings, taken in turn.
    """

    part: Part
    name: str
    language: str
    variants: tuple[Conversation, ...]


class Instruction(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One line of a file of general instructions."""

    language: str
    messages: tuple[Message, ...]


def examples(items: Sequence[Item], how: Examples, sampling: Sampling) -> Iterator[Example]:
    """Make the examples of items: questions, and the parts that the mixture gives a share, but for replay.

    Items that no prompt fits give none.
    """
    families: defaultdict[str, dict[str, Item]] = defaultdict(dict)
    for item in items:
        families[item.family][item.language] = item
    for item in items:
        if variants := tuple(_asked(item, item, how)):
            yield _example("questions", item, variants)
        others = families[item.family]
        english = others.get(ENGLISH)
        if english is None or item.language == ENGLISH:
            continue
        if sampling.cross_lingual and (variants := tuple(_crossed(item, english, how))):
            yield _example("cross_lingual", item, variants)
        if sampling.translation:
            yield _example("translation", item, (_translated(english, item), _translated(item, english)))


def choices(item: Item, how: Examples) -> Iterator[tuple[tuple[Message, ...], tuple[str, ...]]]:
    """Give what comes before an item's answer, and the answer taught for each of its options, in the first prompt.

    Nothing of open questions, and none of prompts that ask for a rationale first.
    """
    for name in how.prompts:
        if _fits(name, item) and not name.endswith(_STEPS) and item.options:
            before = [Message(turn.role, turn.text) for turn in item.turns]
            text = prompts.render_item(item, name, closed_book=how.closed_book)
            taught = (msgspec.structs.replace(item, answer=(place,)) for place in range(len(item.options)))
            yield (*before, Message("user", text)), tuple(_answer(one, name) for one in taught)
            return


def _example(part: Part, item: Item, variants: tuple[Conversation, ...]) -> Example:
    return Example(part=part, name=name_of(item), language=item.language, variants=variants)


def name_of(item: Item) -> str:
    """Return what an item is called before people."""
    return f"{item.family} ({item.language})"


def _asked(item: Item, answered: Item, how: Examples) -> Iterator[Conversation]:
    """Ask an item, to be answered as another of its family is: in that one's language."""
    for name in how.prompts:
        if _fits(name, item) and (answer := _answer(answered, name)):
            before = [Message(turn.role, turn.text) for turn in item.turns]
            text = prompts.render_item(item, name, language=answered.language, closed_book=how.closed_book)
            yield Conversation(messages=(*before, Message("user", text)), answer=answer)


def _crossed(item: Item, english: Item, how: Examples) -> Iterator[Conversation]:
    """Ask in a language and answer in English, and the other way round."""
    yield from _asked(item, english, how)
    yield from _asked(english, item, how)


def _fits(name: str, item: Item) -> bool:
    if name.partition("_")[0] != item.kind:
        return False
    answered = bool(item.reference) if item.kind == "lfqa" else bool(item.answer)
    return answered and (not name.endswith(_STEPS) or bool(item.rationale))


def _answer(item: Item, name: str) -> str:
    if item.kind == "lfqa":
        return item.reference[0] if item.reference else ""
    chosen = item.answer[0]
    if name.endswith(_TEXT):
        return item.options[chosen]
    line = prompts.load(f"{item.kind}_reply", item.language).render(
        letter=prompts.LETTERS[chosen] if item.kind == "mcqa" else "", label=item.options[chosen]
    )
    return f"{item.rationale}\n\n{line}" if name.endswith(_STEPS) and item.rationale else line


def _translated(source: Item, target: Item) -> Conversation:
    text = prompts.load(_TRANSLATE, target.language).render(
        source_language=language(source.language).english_name,
        target_language=language(target.language).english_name,
        text=_text(source),
    )
    return Conversation(messages=(Message("user", text),), answer=_text(target))


def _text(item: Item) -> str:
    return "\n".join(part for part in (item.context, item.question, *item.options) if part)


def instructions(path: Path) -> Iterator[Example]:
    """Read general instructions for replay.

    Raises:
        InputError: the file is not there, a line is no instruction (the text says which), or its last message is not
            the assistant's.
    """
    if not path.is_file():
        raise InputError.at(str(path), found="no such file", expected="general instructions as JSON Lines")
    with path.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            place = f"{path}:{number}"
            try:
                one = msgspec.json.decode(line, type=Instruction)
            except msgspec.DecodeError as error:
                raise InputError.at(
                    place, found=str(error), expected='{"language": "en", "messages": [{"role": ..., "content": ...}]}'
                ) from error
            if len(one.messages) < 2 or one.messages[-1].role != "assistant" or one.language not in languages():
                found = f"language {one.language!r}, roles {', '.join(turn.role for turn in one.messages)}"
                raise InputError.at(place, found=found, expected="a known language, and an assistant's message last")
            variant = Conversation(messages=one.messages[:-1], answer=one.messages[-1].content)
            yield Example(part="replay", name=place, language=one.language, variants=(variant,))
