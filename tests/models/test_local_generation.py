"""Generated replies: the log-probabilities of their tokens, and reasoning kept apart."""

from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from globmed.models.client import Message, Reply, Request, Settings
from globmed.models.local import LocalModel
from globmed.models.local_generation import Generated, generate

PROMPTS = ("Which reading is high?", "脉搏", "Mapigo ya moyo 72 kwa dakika")


@pytest.fixture(scope="module")
def model(small_model: Path) -> LocalModel:
    return LocalModel.load(small_model, device="cpu")


def answer(model: LocalModel, **settings: Any) -> list[Reply]:
    return model.answer_now(
        [Request(messages=(Message("user", prompt),), settings=Settings(**settings)) for prompt in PROMPTS]
    )


def next_logprobs(folder: Path, ids: list[int]) -> torch.Tensor:
    """Return the log-probabilities at every place of one sequence."""
    network: Any = AutoModelForCausalLM.from_pretrained(folder)
    with torch.inference_mode():
        logprobs: torch.Tensor = network(torch.tensor([ids])).logits[0].log_softmax(-1)
    return logprobs


@pytest.mark.parametrize("temperature", [0.0, 0.7])
def test_the_log_probabilities_are_the_networks_own(small_model: Path, model: LocalModel, temperature: float) -> None:
    tokenizer: Any = AutoTokenizer.from_pretrained(small_model)
    prompts = [tokenizer(prompt)["input_ids"] for prompt in PROMPTS]
    settings = Settings(max_tokens=6, temperature=temperature, seed=1, top_logprobs=3)
    for prompt, made in zip(prompts, generate(model._network, prompts, settings, pad=0), strict=True):
        logprobs = next_logprobs(small_model, prompt + made.ids)
        for place, (token, likelihood) in enumerate(zip(made.ids, made.likelihoods, strict=True), len(prompt) - 1):
            assert likelihood.logprob == pytest.approx(float(logprobs[place, token]), abs=1e-4)
            values, tokens = logprobs[place].topk(3)
            assert [other for other, _ in likelihood.top] == tokens.tolist()
            assert [value for _, value in likelihood.top] == pytest.approx(values.tolist(), abs=1e-4)


def test_a_reply_has_them_only_when_they_are_asked_for(model: LocalModel) -> None:
    without, bare, two = (
        answer(model, max_tokens=5, **more) for more in ({}, {"top_logprobs": 0}, {"top_logprobs": 2})
    )
    assert [reply.text for reply in without] == [reply.text for reply in bare] == [reply.text for reply in two]
    for plain, none, some in zip(without, bare, two, strict=True):
        assert plain.logprobs == ()
        assert len(none.logprobs) == len(some.logprobs) == some.usage.output == 5
        assert all(not token.top for token in none.logprobs)
        # Greedy: the likeliest is what was taken.
        assert all(token.top[token.token] == max(token.top.values()) == token.logprob for token in some.logprobs)
        assert "".join(token.token for token in some.logprobs if "\ufffd" not in token.token).strip() in some.text


def test_what_follows_the_end_is_no_part_of_the_reply(small_model: Path, model: LocalModel) -> None:
    tokenizer: Any = AutoTokenizer.from_pretrained(small_model)
    ids = tokenizer("high<|end|>")["input_ids"] + [tokenizer.pad_token_id] * 3
    assert ids[-4] == tokenizer.eos_token_id
    reply = model._generated(7, Generated(ids))
    assert (reply.status, reply.text, reply.finish) == ("ok", "high", "stop")
    assert (reply.usage.input, reply.usage.output) == (7, len(ids) - 3)


@pytest.mark.parametrize(
    ("text", "reasoning", "reply"),
    [
        ("<think>fast</think>\n118", "fast", "118"),
        ("fast</think> 118", "fast", "118"),
        ("<think>fast and", "fast and", ""),
        ("118", "", "118"),
    ],
)
def test_reasoning_is_kept_apart(small_model: Path, model: LocalModel, text: str, reasoning: str, reply: str) -> None:
    tokenizer: Any = AutoTokenizer.from_pretrained(small_model)
    made = model._generated(1, Generated(tokenizer(text)["input_ids"]))
    assert (made.reasoning, made.text, made.status) == (reasoning, reply, "truncated")
