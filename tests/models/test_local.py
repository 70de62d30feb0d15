"""The local client: likelihoods equal to those computed one by one without padding, and generation."""

import math
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st
from transformers import AutoModelForCausalLM, AutoTokenizer

from globmed.core.errors import InputError, UsageError
from globmed.models.client import Message, Request, Settings, reply_key
from globmed.models.local import LocalModel, token_batches, weights_hash
from globmed.models.tokens import encode_pairs, joint


@pytest.fixture(scope="module")
def model(small_model: Path) -> LocalModel:
    return LocalModel.load(small_model, device="cpu")


def ask(question: str, *options: str, **settings: Any) -> Request:
    return Request(
        messages=(Message("user", question),), options=options, settings=Settings(**settings), label=question
    )


QUESTIONS = [
    ("Which reading is high?\nAnswer:", ("72", "118 per minute", "40", "90")),
    ("脉搏每分钟118次。\n答案：", ("正常", "偏高")),
    ("Mapigo ya moyo\nJibu:", ("juu", "juu sana", "chini")),
]


def by_hand(folder: Path, prompt: str, option: str, *, end: bool) -> float:
    """Score one option alone: no padding, no batch, all logits."""
    network: Any = AutoModelForCausalLM.from_pretrained(folder)
    tokenizer: Any = AutoTokenizer.from_pretrained(folder)
    before = tokenizer(prompt, add_special_tokens=False)["input_ids"]
    ids = tokenizer(prompt + joint(prompt) + option, add_special_tokens=False)["input_ids"]
    ids += [tokenizer.eos_token_id] if end else []
    with torch.inference_mode():
        logprobs = network(torch.tensor([ids])).logits[0].log_softmax(-1)
    return sum(float(logprobs[place - 1, ids[place]]) for place in range(len(before), len(ids)))


@pytest.mark.parametrize("end", [False, True])
def test_likelihoods_are_those_of_each_option_alone(small_model: Path, model: LocalModel, end: bool) -> None:
    replies = model.answer_now([ask(q, *o, answer="score_options", score_end=end) for q, o in QUESTIONS])
    for (question, options), reply in zip(QUESTIONS, replies, strict=True):
        expected = [by_hand(small_model, question, option, end=end) for option in options]
        assert reply.option_logprobs == pytest.approx(expected, abs=1e-4)
        assert reply.status == "ok"


def test_letters_are_scored_as_letters(small_model: Path, model: LocalModel) -> None:
    question, options = QUESTIONS[0]
    (reply,) = model.answer_now([ask(question, *options, answer="score_letters")])
    assert reply.option_logprobs == pytest.approx(
        [by_hand(small_model, question, letter, end=False) for letter in "ABCD"], abs=1e-4
    )


def test_an_option_that_begins_another_can_lose_to_it_only_with_its_end_counted(model: LocalModel) -> None:
    (open_ended,) = model.answer_now([ask("Mapigo\nJibu:", "juu", "juu sana", answer="score_options")])
    assert open_ended.option_logprobs[0] > open_ended.option_logprobs[1]


async def test_the_order_of_requests_is_kept_through_length_sorting_and_mixed_settings(model: LocalModel) -> None:
    batch = [
        ask("a" * 50, "x", "y", answer="score_options"),
        ask("b", max_tokens=3),
        ask("c", "x", "y", answer="score_letters"),
    ]
    replies = await model.answer(batch)
    alone = [model.answer_now([request])[0] for request in batch]
    assert [reply.text for reply in replies] == [reply.text for reply in alone]
    for together, single in zip(replies, alone, strict=True):
        assert together.option_logprobs == pytest.approx(single.option_logprobs, abs=1e-4)


def test_generation_stops_at_its_limit_and_says_so(model: LocalModel) -> None:
    (reply,) = model.answer_now([ask("Which reading is high?", max_tokens=5)])
    assert (reply.status, reply.finish, reply.usage.output) == ("truncated", "length", 5)
    assert reply.usage.input > 0


def test_sampling_is_seeded(model: LocalModel) -> None:
    def text(seed: int) -> str:
        return model.answer_now([ask("Which", max_tokens=20, temperature=1.0, seed=seed)])[0].text

    assert text(1) == text(1)
    assert text(1) != text(2)


@pytest.mark.parametrize("settings", [{"answer": "score_options"}, {"max_tokens": 2}])
def test_what_exceeds_the_context_is_an_error_and_never_a_number(model: LocalModel, settings: dict[str, Any]) -> None:
    short, long = model.answer_now([ask("short", "a", "b", **settings), ask("1 " * 600, "a", "b", **settings)])
    assert short.status != "error"
    assert (long.status, long.option_logprobs) == ("error", ())
    assert "tokens; the model's context is 512" in long.finish


def test_scoring_without_options_is_refused_with_the_items_name(model: LocalModel) -> None:
    with pytest.raises(UsageError, match="no options"):
        model.answer_now([ask("headqa:1/es", answer="score_options")])


def test_a_folder_without_a_model_says_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"found no config\.json; expected a model folder"):
        LocalModel.load(tmp_path)


def test_the_revision_follows_the_weights(small_model: Path, tmp_path: Path, model: LocalModel) -> None:
    for path in small_model.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "manifest.json").write_text("{}")
    assert weights_hash(tmp_path) == model.revision
    weights = (tmp_path / "model.safetensors").read_bytes()
    (tmp_path / "model.safetensors").write_bytes(weights[:-1] + bytes([weights[-1] ^ 1]))
    assert weights_hash(tmp_path) != model.revision


def test_options_are_part_of_the_key_when_they_are_scored_and_only_then(model: LocalModel) -> None:
    def key(*options: str, **settings: Any) -> str:
        return reply_key(model, ask("q", *options, **settings))

    assert key("x", "y") == key("y", "x")
    assert key("x", "y", answer="score_options") != key("y", "x", answer="score_options")


@given(st.text(max_size=40), st.text(min_size=1, max_size=20))
@example("", "<|end|>")
def test_prompt_and_answer_are_encoded_as_one_text(small_model: Path, prompt: str, answer: str) -> None:
    tokenizer: Any = AutoTokenizer.from_pretrained(small_model)
    ((before, ids),) = encode_pairs(tokenizer, [(prompt, answer)])
    assert tokenizer.decode(ids) == prompt + joint(prompt) + answer
    assert 1 <= before <= max(1, len(ids))


@given(st.lists(st.integers(1, 300), min_size=1, max_size=60), st.integers(1, 1000))
def test_batches_hold_every_sequence_once_within_their_size(lengths: list[int], tokens: int) -> None:
    from globmed.models.local import _Sequence

    sequences = [_Sequence(index, 0, tuple(range(length)), 1) for index, length in enumerate(lengths)]
    batches = list(token_batches(sequences, tokens=tokens))
    assert sorted(one.request for batch in batches for one in batch) == list(range(len(lengths)))
    for batch in batches:
        width = max(len(one.ids) for one in batch)
        assert len(batch) == 1 or width * len(batch) <= tokens
    assert math.prod(len(batch) for batch in batches) > 0
