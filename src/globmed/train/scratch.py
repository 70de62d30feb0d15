"""A small model from nothing: a byte-level BPE tokenizer and a Qwen3 network with random weights."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from globmed.train.recipe import Scratch

END, PAD = "<|end|>", "<|pad|>"

CHAT_TEMPLATE = (
    "{% for message in messages %}{{ message['content'] }}"
    "{% if message['role'] == 'assistant' %}{{ eos_token }}{% endif %}"
    "{% if not loop.last %}\n{% endif %}{% endfor %}"
)
"""The turns as they are, each answer closed by the end token: the network is too small to spend tokens on roles."""


def train_tokenizer(texts: Iterable[str], scratch: Scratch) -> Any:
    """Train a byte-level BPE tokenizer in which every digit is a token of its own and a phrase can be one.

    With whole numbers as tokens, or bytes alone, a network of this size stays at chance on questions about numbers.
    Merges may cross spaces but not the end of a clause: questions are then as short in every language, and training
    takes half the time (docs/decisions/0002-demo-tokenizer.md).
    """
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(r"[:：.。?？\n]"), "merged_with_previous"),
            pre_tokenizers.Digits(individual_digits=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=scratch.vocabulary,
        special_tokens=[PAD, END],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=tokenizer,
        eos_token=END,
        pad_token=PAD,
        chat_template=CHAT_TEMPLATE,
        model_max_length=scratch.context_tokens,
        clean_up_tokenization_spaces=False,
    )


def network_config(scratch: Scratch, tokenizer: Any) -> Any:
    """Return the shapes of a Qwen3 network that fits the tokenizer."""
    from transformers import Qwen3Config

    return Qwen3Config(
        vocab_size=len(tokenizer),
        hidden_size=scratch.hidden_size,
        num_hidden_layers=scratch.layers,
        intermediate_size=scratch.ffn_size,
        num_attention_heads=scratch.heads,
        num_key_value_heads=scratch.key_value_heads,
        head_dim=scratch.hidden_size // scratch.heads,
        max_position_embeddings=scratch.context_tokens,
        tie_word_embeddings=True,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        bos_token_id=None,
    )


def new_network(scratch: Scratch, tokenizer: Any, *, seed: int) -> Any:
    """Make a Qwen3 network with random weights that fits the tokenizer."""
    import torch
    from transformers import Qwen3ForCausalLM

    torch.manual_seed(seed)
    # Eager attention takes a third less time than torch's fused kernels at this size on a CPU.
    return Qwen3ForCausalLM._from_config(  # type: ignore[no-untyped-call]  # noqa: SLF001 - chooses the attention
        network_config(scratch, tokenizer), attn_implementation="eager"
    )
