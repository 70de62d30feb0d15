"""Items into conversations: the phrasings that fit, the answer that each asks for, and the parts across languages."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from globmed import prompts
from globmed.core.errors import InputError
from globmed.core.item import Item, Provenance, Turn
from globmed.train.examples import Example, examples, instructions
from globmed.train.mixture import Sampling
from globmed.train.recipe import Examples

ALL = Examples(prompts=("mcqa", "mcqa_text", "mcqa_steps", "nli", "nli_text", "nli_steps", "lfqa"))


def item(kind: Any = "mcqa", code: str = "en", **changes: Any) -> Item:
    row: dict[str, Any] = {
        "family": "s:1",
        "language": code,
        "kind": kind,
        "source": "s",
        "split": "train",
        "question": f"{code} question?",
        "options": () if kind == "lfqa" else (f"{code} one", f"{code} two"),
        "answer": () if kind == "lfqa" else (1,),
        "provenance": Provenance(native_language="en", licence="none"),
    }
    return Item(**(row | changes))


def made(*items: Item, how: Examples = ALL, **sampling: float) -> list[Example]:
    return list(examples(items, how, Sampling(**sampling)))  # type: ignore[arg-type]


def answers(example: Example) -> list[str]:
    return [one.answer for one in example.variants]


def test_an_item_is_asked_in_every_phrasing_that_fits_it() -> None:
    assert answers(made(item())[0]) == ["Answer: B", "en two"]
    assert answers(made(item(rationale="Since."))[0]) == ["Answer: B", "en two", "Since.\n\nAnswer: B"]
    assert answers(made(item("nli", code="sw"))[0]) == ["Jibu: sw two", "sw two"]
    assert answers(made(item("lfqa", reference=("Rest.", "Sleep.")))[0]) == ["Rest."]


def test_items_that_cannot_be_learnt_from_give_none() -> None:
    assert not made(item(answer=()), item("lfqa"))
    assert not made(item("nli"), how=Examples(prompts=("mcqa",)))


def test_the_texts_are_those_of_the_benchmark() -> None:
    (example,) = made(
        item(context="An abstract.", turns=(Turn(role="user", text="Hi"), Turn(role="assistant", text="?")))
    )
    messages = example.variants[0].messages
    assert [turn.role for turn in messages] == ["user", "assistant", "user"]
    assert messages[-1].content == prompts.render_item(item(context="An abstract."), "mcqa")
    closed = Examples(prompts=("mcqa",), closed_book=True)
    (example,) = made(item(context="An abstract."), how=closed)
    assert "abstract" not in example.variants[0].messages[-1].content


def test_held_out_phrasings_are_never_learnt() -> None:
    with pytest.raises(InputError, match="found mcqa_held_out; expected prompts that are not held out"):
        Examples(prompts=("mcqa", "mcqa_held_out"))
    with pytest.raises(InputError, match="found no prompt"):
        Examples(prompts=())


def test_parts_across_languages_are_made_where_they_have_a_share() -> None:
    both = [item(code="en"), item(code="yo")]
    assert {one.part for one in made(*both)} == {"questions"}
    found = {one.part: one for one in made(*both, cross_lingual=0.1, translation=0.1) if one.language == "yo"}
    assert found.keys() == {"questions", "cross_lingual", "translation"}
    # The Yoruba question to be answered in English, then the English one to be answered in Yoruba.
    crossed = found["cross_lingual"]
    assert "yo question?" in crossed.variants[0].messages[0].content
    assert answers(crossed) == ["Answer: B", "en two", "Ìdáhùn: B", "yo two"]
    assert crossed.variants[2].messages[0].content == prompts.render_item(both[0], "mcqa", language="yo")
    there, back = found["translation"].variants
    assert (there.answer, back.answer) == ("yo question?\nyo one\nyo two", "en question?\nen one\nen two")
    assert "from English into Yoruba" in there.messages[0].content
    assert not {one.part for one in made(both[1], translation=0.1)} - {"questions"}


def test_general_instructions_are_read_and_a_wrong_line_is_named(tmp_path: Path) -> None:
    path = tmp_path / "replay.jsonl"
    good = {
        "language": "en",
        "messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}],
    }
    path.write_bytes(msgspec.json.encode(good) + b"\n")
    (example,) = instructions(path)
    assert (example.part, example.language, answers(example)) == ("replay", "en", ["Hello"])
    wrongs: list[dict[str, Any]] = [
        {"messages": []},
        {**good, "language": "xx"},
        {**good, "messages": good["messages"][:1]},
        {**good, "a": 1},
    ]
    for wrong in wrongs:
        path.write_bytes(msgspec.json.encode(good) + b"\n" + msgspec.json.encode(wrong) + b"\n")
        with pytest.raises(InputError, match=r"replay\.jsonl:2: found"):
            list(instructions(path))
    with pytest.raises(InputError, match="no such file"):
        list(instructions(tmp_path / "none.jsonl"))
