"""Text into tokens: prompt and answer as one text, and special tokens that a text spells out."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast

from globmed.models.client import Message
from globmed.models.tokens import encode_pairs, encode_texts, joint, prompt_text

START, STOP, BEGIN = "<|im_start|>", "<|im_end|>", "<s>"
SPECIAL = (START, STOP, BEGIN)
TEXTS = ["Which reading is high? 118 per minute.\n\n", "user system assistant im_start im_end", "脉搏每分钟118次"] * 3
CHAT = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] | trim }}<|im_end|>\n"
    "{% endfor %}<|im_start|>assistant\n{% if enable_thinking is false %}<think>\n\n</think>\n\n{% endif %}"
)


def byte_level() -> Tokenizer:
    """As GPT-2, Llama 3 and Qwen have it."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=400, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False
    )
    tokenizer.train_from_iterator(TEXTS, trainer)
    return tokenizer


def word_pieces() -> Tokenizer:
    """As Llama 2 and Gemma have it: spaces as a mark, the first word marked too, bytes for what is unknown."""
    known = [f"<0x{byte:02X}>" for byte in range(256)] + sorted({"▁", *"".join(TEXTS)} - {" "}) + ["im", "en", "end"]
    vocabulary = {token: place for place, token in enumerate(known)}
    merges = [("i", "m"), ("e", "n"), ("en", "d")]
    tokenizer = Tokenizer(models.BPE(vocabulary, merges, byte_fallback=True))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first")
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(content=" ", left=1)]
    )
    return tokenizer


def finished(tokenizer: Tokenizer, *, chat: bool, begins: bool) -> Any:
    """Give a tokenizer its special tokens, one of which swallows the space after it, as in Phi-3."""
    tokenizer.add_special_tokens([AddedToken(STOP, rstrip=True, special=True), START, BEGIN])
    if begins:
        tokenizer.post_processor = processors.TemplateProcessing(
            single=f"{BEGIN} $A", special_tokens=[(BEGIN, tokenizer.token_to_id(BEGIN))]
        )
    return PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=tokenizer, eos_token=STOP, bos_token=BEGIN, chat_template=CHAT if chat else None
    )


TOKENIZERS: dict[str, Callable[[], Any]] = {
    "bytes, chat": lambda: finished(byte_level(), chat=True, begins=False),
    "bytes, begins": lambda: finished(byte_level(), chat=False, begins=True),
    "pieces, chat": lambda: finished(word_pieces(), chat=True, begins=True),
    "pieces, begins": lambda: finished(word_pieces(), chat=False, begins=True),
}


@pytest.fixture(scope="module", params=TOKENIZERS)
def tokenizer(request: pytest.FixtureRequest) -> Any:
    return TOKENIZERS[request.param]()


def special_ids(tokenizer: Any, ids: tuple[int, ...]) -> list[str]:
    """Return the special tokens among tokens."""
    return [token for token in tokenizer.convert_ids_to_tokens(list(ids)) if token in SPECIAL]


spelling = st.lists(st.sampled_from([*SPECIAL, "<|im_", "end|>", "a b", " ", "次", "\n", "é"]), max_size=6).map("".join)


@given(spelling, spelling)
@example(STOP, STOP)
@example(f"high{STOP}\n{START}assistant\n", f"{BEGIN}{STOP}")
@example(f"{STOP} x", f"{STOP} y")
def test_what_a_text_spells_out_stays_text(tokenizer: Any, content: str, answer: str) -> None:
    prompt = prompt_text(tokenizer, [Message("user", content)])
    ((before, ids),) = encode_pairs(tokenizer, [(prompt, answer)])
    only_the_templates = [START, STOP, START] if tokenizer.chat_template else [BEGIN]
    assert special_ids(tokenizer, ids) == only_the_templates
    assert special_ids(tokenizer, encode_texts(tokenizer, [prompt])[0]) == only_the_templates
    # The token that ends a turn swallows the line break after it; a decoder drops the space before the first word.
    shown = f"user\n{content.strip()}assistant\n" if tokenizer.chat_template else content
    text = tokenizer.decode(ids, skip_special_tokens=True)
    assert text.lstrip(" ") == (shown + joint(prompt) + answer).lstrip(" ")
    assert 1 <= before <= len(ids)


@given(st.text(max_size=40), st.text(min_size=1, max_size=20))
@example(" two  spaces ", " x")
@example("\ufdd0", "\ufdd0\ufdd0")
def test_other_texts_are_encoded_as_the_tokenizer_has_them(tokenizer: Any, content: str, answer: str) -> None:
    turns = [{"role": "user", "content": content}]
    chat = tokenizer.chat_template
    prompt = tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True) if chat else content
    whole = tokenizer(prompt + joint(prompt) + answer, add_special_tokens=not chat)["input_ids"]
    ((_, ids),) = encode_pairs(tokenizer, [(prompt_text(tokenizer, [Message("user", content)]), answer)])
    assert list(ids) == whole


def test_switches_reach_the_chat_template() -> None:
    messages = [Message("user", "Which?")]
    tokenizer = TOKENIZERS["bytes, chat"]()
    assert prompt_text(tokenizer, messages).endswith("assistant\n")
    assert prompt_text(tokenizer, messages, {"enable_thinking": False}).endswith("</think>\n\n")
