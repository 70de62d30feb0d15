"""Packed and unpacked give the same logits, so that no example sees another, and the same gradients."""

from typing import Any

import pytest
import torch
import transformers
from hypothesis import given, settings
from hypothesis import strategies as st

from globmed.train import attention

LENGTHS = [5, 40, 17, 3, 16, 33, 1]
SHAPES: dict[str, Any] = {
    "vocab_size": 300,
    "hidden_size": 64,
    "num_hidden_layers": 3,
    "intermediate_size": 96,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 16,
    "max_position_embeddings": 256,
}


def network(family: str) -> Any:
    torch.manual_seed(0)
    if family == "Gemma3":
        layers = ["sliding_attention", "full_attention", "sliding_attention"]
        config: Any = transformers.Gemma3TextConfig(**SHAPES, sliding_window=8, layer_types=layers)
    else:
        config = getattr(transformers, f"{family}Config")(**SHAPES)
    made = getattr(transformers, f"{family}ForCausalLM")(config)
    attention.register()
    return made.eval()


def packed(model: Any, examples: list[torch.Tensor], **how: Any) -> torch.Tensor:
    places = torch.cat([torch.arange(one.numel()) for one in examples])[None]
    logits: torch.Tensor = model(torch.cat(examples)[None], position_ids=places, use_cache=False, **how).logits[0]
    return logits


@pytest.mark.parametrize("family", ["Qwen3", "Llama", "Gemma3", "Mistral"])
def test_packed_logits_are_those_of_each_example_alone(family: str) -> None:
    model = network(family)
    examples = [torch.randint(0, 300, (length,)) for length in LENGTHS]
    with torch.inference_mode():
        model.set_attn_implementation("eager")
        alone = torch.cat([model(one[None]).logits[0] for one in examples])
        model.set_attn_implementation(attention.NAME)
        together = packed(model, examples, packed_rows=attention.layout(LENGTHS))
        model.set_attn_implementation("sdpa")
        leaking = packed(model, examples, attention_mask=torch.ones(1, sum(LENGTHS)))
    assert (together - alone).abs().max() < 5e-6
    # The test would see a leak.
    assert (leaking - alone).abs().max() > 0.1


def test_packed_gradients_are_those_of_each_example_alone() -> None:
    model = network("Qwen3")
    examples = [torch.randint(0, 300, (length,)) for length in LENGTHS]
    gradients = []
    for name in ("eager", attention.NAME):
        model.set_attn_implementation(name)
        model.zero_grad()
        if name == "eager":
            total = sum(model(one[None]).logits.square().sum() for one in examples)
        else:
            total = packed(model, examples, packed_rows=attention.layout(LENGTHS)).square().sum()
        total.backward()
        gradients.append(torch.cat([one.grad.flatten() for one in model.parameters()]))
    one, other = gradients
    assert torch.allclose(one, other, rtol=1e-3, atol=1e-5 * float(one.abs().max()))


@settings(max_examples=50)
@given(st.lists(st.integers(1, 70), min_size=1, max_size=30))
def test_every_token_goes_out_and_comes_back(lengths: list[int]) -> None:
    back, *groups = attention.layout(lengths)
    tokens = torch.arange(sum(lengths))
    assert torch.equal(torch.cat([tokens[one].flatten() for one in groups])[back], tokens)
    # Padding takes less than half of what is computed.
    assert sum(one.numel() for one in groups) < 2 * sum(lengths) + len(groups)
    assert sum(len(one) for one in groups) == len(lengths)
