"""Plain text: nothing lost, every token but the first carries loss, and none that holds a test question is learnt."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from transformers import AutoTokenizer

from globmed.core.errors import InputError
from globmed.core.item import Item, Provenance
from globmed.core.store import read_manifest, read_records, writing_stage
from globmed.train.mixture import PlanRow, Sampling
from globmed.train.recipe import read_recipe
from globmed.train.sft import plan, train
from globmed.train.texts import HOLDS_TEST, TestQuestions, Text, encode_pieces, read_texts

ASKED = "A woman of forty has had a dry cough for three weeks and loses weight: what is to be done first?"
CHINESE = "一名四十岁女性干咳三周并伴有体重下降，首先应当进行哪一项检查以明确诊断？"


def held_out(*questions: tuple[str, str]) -> TestQuestions:
    return TestQuestions(
        Item(
            family=f"s:{number}",
            language=language,
            kind="mcqa",
            source="s",
            split="test",
            question=question,
            options=("an X-ray of the chest", "nothing at all"),
            answer=(0,),
            provenance=Provenance(native_language="en", licence="none"),
        )
        for number, (language, question) in enumerate(questions)
    )


def test_a_text_that_holds_a_test_question_is_found_whatever_stands_around_it() -> None:
    questions = held_out(("en", ASKED), ("zh", CHINESE), ("en", "What now?"))
    assert questions.held_by(f"Before it. {ASKED.upper()} And behind it.", "en") == "s:0 (en)"
    assert questions.held_by(f"前言。{CHINESE}后文。", "zh") == "s:1 (zh)"
    # Another woman with a cough, and the words of a question that is too short to know again.
    assert questions.held_by("A woman of forty has had a dry cough for three weeks, and no fever.", "en") == ""
    assert questions.held_by("What now? he asked.", "en") == ""


def test_pieces_put_together_are_the_text_between_its_beginning_and_its_end(small_model: Path) -> None:
    tokenizer: Any = AutoTokenizer.from_pretrained(small_model)
    texts = [("t:1", Text(language="sw", text="Homa kali. " * 40)), ("t:2", Text(language="sw", text="Maji <|end|>"))]
    encoded, counts, kept = encode_pieces(tokenizer, texts, held_out(), row_tokens=32)
    first = [place for place, name in enumerate(encoded.names) if name.startswith("t:1")]
    whole = np.concatenate([encoded.of(place) for place in first])
    assert tokenizer.decode(whole, skip_special_tokens=True) == texts[0][1].text
    assert whole[-1] == tokenizer.eos_token_id
    assert (encoded.tokens <= 32).all()
    assert (encoded.answers == encoded.tokens - 1).all()
    assert encoded.names[0] == "t:1, part 1"
    # A special token that a text spells is text.
    assert (encoded.of(len(encoded.names) - 1) == tokenizer.eos_token_id).sum() == 1
    assert [(one.source, one.language, one.read, one.kept) for one in counts] == [("text", "sw", 2, 2)]
    assert len(kept) == 2


RECIPE = """
seed = 0
[data]
folder = "release"
text = "texts.jsonl"
[scratch]
hidden_size = 32
layers = 2
ffn_size = 64
vocabulary = 400
context_tokens = 64
[mixture]
text = {share}
max_epochs = 50.0
[examples]
prompts = ["mcqa_text"]
[optimisation]
tokens = 3000
batch_tokens = 128
row_tokens = 64
learning_rate = 5e-3
threads = 1
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    provenance = Provenance(native_language="en", licence="none")
    items = [
        Item(
            family=f"s:{number}",
            language="en",
            kind="mcqa",
            source="s",
            split="test" if number == 0 else "train",
            question=question,
            options=("even", "odd"),
            answer=(number % 2,),
            provenance=provenance,
        )
        for number, question in [(0, ASKED), *((n, f"Is {n} even?") for n in range(1, 30))]
    ]
    with writing_stage(tmp_path / "release", "release") as writer:
        writer.write("s.en.parquet", items, Item)
    lines = [{"language": "sw", "text": f"Namba {n} ni ndogo kuliko {n + 1}.", "source": "made"} for n in range(60)]
    lines += [{"language": "en", "text": f"Seen on the web: {ASKED} Answer: an X-ray.", "source": "web"}]
    text = "\n".join(json.dumps(line) for line in lines)
    (tmp_path / "texts.jsonl").write_text(text + "\n", encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(("share", "parts"), [("1.0", {"text"}), ("0.5", {"questions", "text"})])
def test_texts_are_learnt_alone_or_beside_questions(folder: Path, share: str, parts: set[str]) -> None:
    (folder / "recipe.toml").write_text(RECIPE.format(share=share))
    out = folder / "model"
    train(read_recipe(folder / "recipe.toml"), out=out)
    rows = list(read_records(out, PlanRow, prefix="mixture"))
    assert {row.part for row in rows} == parts
    assert sum(row.drawn_tokens for row in rows) == pytest.approx(3000, rel=0.05)
    manifest = read_manifest(out)
    (web,) = [count for count in manifest.counts if count.source == "web"]
    assert (web.read, web.kept, web.dropped) == (1, 0, {HOLDS_TEST: 1})
    assert "text" in manifest.inputs
    losses = [json.loads(line)["loss"] for line in (out / "losses.jsonl").read_text().splitlines()]
    assert losses[-1] < losses[0]
    card = (out / "README.md").read_text(encoding="utf-8")
    assert "60 plain texts were learnt as in pre-training" in card


def test_rows_do_not_depend_on_the_process(folder: Path) -> None:
    (folder / "recipe.toml").write_text(RECIPE.format(share="0.5"))
    first, second = (plan(read_recipe(folder / "recipe.toml")) for _ in range(2))
    assert [row.tolist() for row in first.rows] == [row.tolist() for row in second.rows]


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ('{"language": "sw"}', "missing required field `text`"),
        ('{"language": "xx", "text": "a"}', "language 'xx', 1 characters"),
        ('{"language": "sw", "text": "  "}', "language 'sw', 0 characters"),
        ('{"language": "sw", "text": "a", "more": 1}', "unknown field `more`"),
    ],
)
def test_a_broken_line_is_named(tmp_path: Path, line: str, found: str) -> None:
    path = tmp_path / "texts.jsonl"
    path.write_text('{"language": "sw", "text": "Maji."}\n' + line + "\n")
    with pytest.raises(InputError, match=r"texts\.jsonl:2: ") as caught:
        list(read_texts(path))
    assert found in str(caught.value)


def test_a_share_and_a_file_belong_together(folder: Path) -> None:
    (folder / "recipe.toml").write_text(RECIPE.format(share="0.0"))
    with pytest.raises(InputError, match="both or neither"):
        read_recipe(folder / "recipe.toml")
    with pytest.raises(InputError, match="text = 1 alone"):
        Sampling(text=0.5, replay=0.5)
