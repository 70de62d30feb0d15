"""Likelihoods with shared prompts equal those of each sequence alone, whatever a network keeps of what it has read."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch
import transformers
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import AutoModelForCausalLM

from globmed.models.local_scoring import Scorer, token_batches, tokens_read
from globmed.models.tokens import Pair

PAD, VOCABULARY, WINDOW = 0, 60, 5


def network(name: str, **more: Any) -> Any:
    """Make a network with random weights, large enough that no two tokens are about as likely."""
    config = getattr(transformers, name)(
        vocab_size=VOCABULARY, hidden_size=16, num_hidden_layers=2, pad_token_id=PAD, bos_token_id=1, **more
    )
    torch.manual_seed(0)
    made: Any = AutoModelForCausalLM.from_config(config)  # type: ignore[no-untyped-call]
    made.eval()
    for parameter in made.parameters():
        if parameter.dim() > 1:
            parameter.data.normal_(0, 0.3)
    return made


ATTENTION = {"num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 4, "intermediate_size": 32}
SLIDING = {"sliding_window": WINDOW, "layer_types": ["sliding_attention", "full_attention"]}
GPT2 = {"n_head": 4, "n_positions": 40}
NETWORKS: dict[str, Callable[[], Any]] = {
    "qwen3": lambda: network("Qwen3Config", **ATTENTION),
    "llama": lambda: network("LlamaConfig", **ATTENTION),
    "gemma3": lambda: network("Gemma3TextConfig", **ATTENTION, **SLIDING),
    # Places that it has no embedding for are an index error.
    "gpt2": lambda: network("GPT2Config", **GPT2),
    # A state beside keys and values, and instead of them.
    "lfm2": lambda: network("Lfm2Config", **ATTENTION, layer_types=["conv", "full_attention"]),
    "mamba": lambda: network("MambaConfig"),
}
SHARING = ("qwen3", "llama", "gemma3", "gpt2")


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """More than one makes networks of this size slower."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module", params=NETWORKS)
def scorer(request: pytest.FixtureRequest) -> Scorer:
    return Scorer(NETWORKS[request.param](), pad=PAD)


def alone(scorer: Scorer, pair: Pair) -> float:
    """Score one pair without padding, batch or cache."""
    if pair.before >= len(pair.ids):
        return 0.0
    with torch.inference_mode():
        ids = torch.tensor([pair.ids])
        logits = scorer._network(input_ids=ids, attention_mask=torch.ones_like(ids)).logits[0]
    logprobs = logits.log_softmax(-1)
    return sum(float(logprobs[place - 1, pair.ids[place]]) for place in range(pair.before, len(pair.ids)))


@st.composite
def groups(draw: st.DrawFn) -> list[Pair]:
    """A prompt with texts after it, a token of which may reach into the prompt."""
    tokens = st.integers(2, VOCABULARY - 1)
    prompt = tuple(draw(st.lists(tokens, min_size=1, max_size=25)))
    pairs = []
    for rest in draw(st.lists(st.lists(tokens, max_size=8), min_size=1, max_size=5)):
        before = max(len(prompt) - draw(st.sampled_from([0, 0, 1, 3])), 1)
        pairs.append(Pair(before, (*prompt[:before], *rest)))
    return pairs


@settings(max_examples=10)
@given(st.lists(groups(), max_size=5), st.integers(1, 500))
def test_likelihoods_are_those_of_each_sequence_alone(scorer: Scorer, asked: list[list[Pair]], tokens: int) -> None:
    scores = scorer.likelihoods(asked, tokens=tokens)
    assert [len(row) for row in scores] == [len(pairs) for pairs in asked]
    for pairs, row in zip(asked, scores, strict=True):
        assert row == pytest.approx([alone(scorer, pair) for pair in pairs], abs=1e-4)


def test_only_keys_and_values_are_shared() -> None:
    assert {name for name, make in NETWORKS.items() if Scorer(make(), pad=PAD).shares_prompts} == set(SHARING)


def test_padding_stands_at_no_place_that_the_network_does_not_know(scorer: Scorer) -> None:
    long, short = tuple(range(2, 40)), tuple(range(2, 32))
    asked = [[Pair(len(long), (*long, 5, 6))], [Pair(len(short), (*short, *range(40, 50)))]]
    expected = [[alone(scorer, pair) for pair in pairs] for pairs in asked]
    assert scorer.likelihoods(asked) == [pytest.approx(row, abs=1e-4) for row in expected]


def test_pairs_that_begin_differently_are_scored_each_from_its_first_token(scorer: Scorer) -> None:
    pairs = [Pair(1, (5, 6, 7)), Pair(1, (8, 9)), Pair(1, ())]
    assert scorer.likelihoods([pairs]) == [pytest.approx([alone(scorer, pair) for pair in pairs], abs=1e-4)]


@contextmanager
def watched(network: Any) -> Iterator[list[dict[str, Any]]]:
    """Note the arguments of every pass."""
    passes: list[dict[str, Any]] = []
    hook = network.register_forward_pre_hook(lambda _, __, arguments: passes.append(arguments), with_kwargs=True)
    try:
        yield passes
    finally:
        hook.remove()


PROMPTS = [tuple(range(2, 2 + length)) for length in (30, 12, 29, 20)]


@pytest.mark.parametrize("name", SHARING)
def test_a_prompt_is_passed_over_once_and_letters_need_nothing_more(name: str) -> None:
    scorer = Scorer(NETWORKS[name](), pad=PAD)
    assert scorer.shares_prompts
    letters = [[Pair(len(prompt), (*prompt, letter)) for letter in (40, 41, 42)] for prompt in PROMPTS]
    texts = [[Pair(len(prompt), (*prompt, *range(40, 40 + more))) for more in (1, 3, 6)] for prompt in PROMPTS]
    with watched(scorer._network) as passes:
        scorer.likelihoods(letters)
    assert [each["input_ids"].shape for each in passes] == [(4, 30)]
    assert int(passes[0]["attention_mask"].sum()) == sum(map(len, PROMPTS))
    assert passes[0]["logits_to_keep"] == 1
    with watched(scorer._network) as passes:
        scorer.likelihoods(texts)
    # The last token of a text is predicted and never read: 2 and 5 are left.
    assert [each["input_ids"].shape for each in passes] == [(4, 30), (8, 5)]
    reaching = [Pair(29, (*PROMPTS[0][:29], 40, 41)), *letters[0]]
    with watched(scorer._network) as passes:
        scorer.likelihoods([reaching])
    assert [each["input_ids"].shape for each in passes] == [(1, 29), (4, 1)]


def test_repeated_prompts_stay_within_the_budget() -> None:
    scorer = Scorer(NETWORKS["llama"](), pad=PAD)
    asked = [[Pair(len(prompt), (*prompt, 40, 41, 42, option)) for option in range(7)] for prompt in PROMPTS]
    assert scorer.shares_prompts
    for tokens in (50, 100, 400):
        with watched(scorer._network) as passes:
            scorer.likelihoods(asked, tokens=tokens)
        for each in passes:
            rows, held = each["attention_mask"].shape
            assert rows == 1 or rows * held <= tokens
    # 28 rows of at most 33 tokens, of which 12 fit at once.
    assert len(passes) == 1 + 3


def test_tokens_in_common_are_counted_once() -> None:
    assert tokens_read([Pair(3, (1, 2, 3, 4)), Pair(3, (1, 2, 3, 5, 6)), Pair(2, (1, 2, 9))]) == 2 + 2 + 3 + 1
    assert tokens_read([Pair(1, (1, 2)), Pair(1, (3, 4, 5))]) == 5


@given(st.lists(st.integers(1, 300), max_size=60), st.integers(1, 1000))
def test_batches_hold_every_row_once_within_their_size(lengths: list[int], tokens: int) -> None:
    rows = list(enumerate(lengths))
    batches = list(token_batches(rows, width=lambda row: row[1], tokens=tokens))
    assert sorted(row for batch in batches for row in batch) == rows
    for batch in batches:
        assert len(batch) == 1 or max(length for _, length in batch) * len(batch) <= tokens
    longest = [max(length for _, length in batch) for batch in batches]
    assert longest == sorted(longest, reverse=True)
