"""The local client: likelihoods equal to those computed one by one without padding, and generation."""

import shutil
from pathlib import Path
from typing import Any

import msgspec
import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from globmed.core.errors import EnvironmentFailedError, InputError, UsageError
from globmed.models.client import Message, Request, Settings, reply_key
from globmed.models.local import LocalModel, _asked, weights_hash
from globmed.models.tokens import joint


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


def test_a_prior_is_the_likelihood_after_its_own_messages(model: LocalModel) -> None:
    prior = (Message("user", "Answer:"),)
    for settings in ({"answer": "score_options", "score_end": True}, {"answer": "score_letters"}):
        asked = [
            msgspec.structs.replace(ask(question, *options, **settings), prior=prior) for question, options in QUESTIONS
        ]
        for request, reply in zip(asked, model.answer_now(asked), strict=True):
            without, alone = model.answer_now(
                [msgspec.structs.replace(request, prior=()), msgspec.structs.replace(request, messages=prior, prior=())]
            )
            assert reply.option_logprobs == pytest.approx(without.option_logprobs, abs=1e-4)
            assert reply.option_priors == pytest.approx(alone.option_logprobs, abs=1e-4)
            assert (without.option_priors, reply.usage) == ((), without.usage)


def test_a_prior_is_computed_once_for_every_item_that_shares_it(
    small_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fresh = LocalModel.load(small_model, device="cpu")
    tokens_seen: list[int] = []
    fresh._network.register_forward_pre_hook(
        lambda _, __, arguments: tokens_seen.append(arguments["input_ids"].numel()), with_kwargs=True
    )

    def tokens(*questions: str, prior: str) -> int:
        tokens_seen.clear()
        asked = [ask(question, *"ABCD", answer="score_letters") for question in questions]
        shown = (Message("user", prior),) if prior else ()
        replies = fresh.answer_now([msgspec.structs.replace(request, prior=shown) for request in asked])
        assert all(len(reply.option_priors) == (4 if prior else 0) for reply in replies)
        return sum(tokens_seen)

    tokens("118?", prior="")
    without = tokens("118?", "118?", prior="")
    first = tokens("118?", "118?", prior="Answer")
    assert without < first <= 2 * without
    assert tokens("118?", "118?", prior="Answer") == without
    monkeypatch.setattr("globmed.models.local._PRIORS_MAX", 6)
    assert tokens("118?", prior="Other") > without
    assert len(fresh._priors) == 4


def test_a_prior_that_exceeds_the_context_is_an_error(model: LocalModel) -> None:
    request = ask("short", "a", "b", answer="score_options")
    (reply,) = model.answer_now([msgspec.structs.replace(request, prior=(Message("user", "1 " * 600),))])
    assert (reply.status, reply.option_logprobs, reply.option_priors) == ("error", (), ())


def test_a_prompt_is_counted_once_whatever_the_number_of_options(model: LocalModel) -> None:
    two, four = model.answer_now([ask("high?", *letters, answer="score_letters") for letters in ("ab", "abcd")])
    assert two.usage.input < four.usage.input < 2 * two.usage.input


def test_an_item_cannot_spell_the_token_that_ends_a_turn(small_model: Path, model: LocalModel) -> None:
    tokenizer: Any = AutoTokenizer.from_pretrained(small_model)
    asked = [model._pairs([_asked(ask(question, "x", answer="score_options"))]) for question in ("a", "a<|end|>")]
    plain, spelt = (pairs[0][0] for pairs in asked)
    assert tokenizer.eos_token_id not in plain.ids + spelt.ids
    assert tokenizer.decode(spelt.ids) == "a<|end|> x"


THINKING = (
    "{% for message in messages %}{{ message['content'] }}{% endfor %}{% if enable_thinking %} <think>{% endif %}"
)


def test_a_switch_of_the_chat_template_changes_the_prompt_and_the_key(small_model: Path, tmp_path: Path) -> None:
    shutil.copytree(small_model, tmp_path, dirs_exist_ok=True)
    (tmp_path / "chat_template.jinja").write_text(THINKING)
    request = ask("Which?", *"AB", answer="score_letters")
    replies, keys = [], set()
    for switches in ({}, {"enable_thinking": False}, {"enable_thinking": True}):
        loaded = LocalModel.load(tmp_path, model="some/name", template=switches, device="cpu")
        assert loaded.model == "some/name"
        replies += loaded.answer_now([request])
        keys.add(reply_key(loaded, request))
    assert len(keys) == 3
    assert replies[0] == replies[1]
    assert replies[2].usage.input > replies[1].usage.input


def test_a_switch_that_the_chat_template_does_not_know_is_refused(small_model: Path) -> None:
    with pytest.raises(UsageError, match="small: its chat template knows no switch 'enable_thinking'"):
        LocalModel.load(small_model, template={"enable_thinking": True})


COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def hub_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache of the Hub, on a machine without a network."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    return tmp_path


def test_a_cached_model_of_the_hub_is_read_at_its_commit(small_model: Path, hub_cache: Path, model: LocalModel) -> None:
    shutil.copytree(small_model, hub_cache / "models--maker--small" / "snapshots" / COMMIT)
    loaded = LocalModel.load("maker/small", revision=COMMIT, device="cpu")
    assert (loaded.model, loaded.revision) == ("maker/small", COMMIT)
    request = ask("high?", "a", "b b", answer="score_options")
    assert loaded.answer_now([request]) == model.answer_now([request])


@pytest.mark.usefixtures("hub_cache")
def test_a_model_that_cannot_be_had_from_the_hub_says_what_to_do() -> None:
    with pytest.raises(EnvironmentFailedError, match=f"hf download maker/small --revision {COMMIT}$") as caught:
        LocalModel.load("maker/small", revision=COMMIT)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("revision", ["", "main", COMMIT[:12]])
def test_a_model_of_the_hub_needs_a_commit(revision: str) -> None:
    with pytest.raises(UsageError, match=f"maker/small: revision is {revision!r}; expected a commit"):
        LocalModel.load("maker/small", revision=revision)
