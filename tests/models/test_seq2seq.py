"""Encoder-decoder checkpoints: tiny ones of the real architectures, trained here to know a few words."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from globmed.core.errors import EnvironmentFailedError, InputError, UsageError
from globmed.models.client import Message, Request
from globmed.models.opening import open_translator
from globmed.models.seq2seq import Seq2SeqModel

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

pytestmark = pytest.mark.slow

WORDS = {
    "es": {"heart": "corazón", "pain": "dolor", "liver": "hígado"},
    "sw": {"heart": "moyo", "pain": "maumivu", "liver": "ini"},
}
FLORES = {"en": "eng_Latn", "es": "spa_Latn", "sw": "swh_Latn"}


def teach(network: Any, tokenizer: Any, examples: list[tuple[list[int], list[int]]]) -> None:
    """Train until every example is known by heart."""
    torch.manual_seed(0)
    inputs = tokenizer.pad({"input_ids": [ids for ids, _ in examples]}, return_tensors="pt")
    width = max(len(ids) for _, ids in examples)
    labels = torch.tensor([ids + [-100] * (width - len(ids)) for _, ids in examples])
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-2)
    network.train()
    for _ in range(250):
        loss = network(**inputs, labels=labels).loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.1
    network.eval()


def letters() -> list[str]:
    words = [word for table in WORDS.values() for pair in table.items() for word in pair]
    return sorted({letter for word in words for letter in word} | {"▁", "."})


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """So small a network is a hundred times as fast on one."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def nllb(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint as NLLB's, of one layer."""
    from transformers import M2M100Config, M2M100ForConditionalGeneration, NllbTokenizer

    special = ["<s>", "<pad>", "</s>", "<unk>"]
    vocabulary = {token: index for index, token in enumerate([*special, *letters()])}
    tokenizer = NllbTokenizer(vocab=vocabulary, merges=[], extra_special_tokens=list(FLORES.values()))
    torch.manual_seed(0)
    network = M2M100ForConditionalGeneration(
        M2M100Config(
            vocab_size=len(tokenizer),
            d_model=32,
            encoder_layers=1,
            decoder_layers=1,
            encoder_ffn_dim=64,
            decoder_ffn_dim=64,
            encoder_attention_heads=2,
            decoder_attention_heads=2,
            max_position_embeddings=64,
            dropout=0.0,
            attention_dropout=0.0,
            activation_dropout=0.0,
            encoder_layerdrop=0.0,
            decoder_layerdrop=0.0,
        )
    )
    examples = []
    for code, table in WORDS.items():
        for source, target in table.items():
            tokenizer.src_lang = FLORES["en"]
            read = tokenizer(source).input_ids
            tokenizer.src_lang = FLORES[code]
            examples.append((read, tokenizer(target).input_ids))
    teach(network, tokenizer, examples)
    folder = tmp_path_factory.mktemp("nllb")
    network.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def madlad(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint as MADLAD-400's: T5, told the target before the text."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast, T5Config, T5ForConditionalGeneration

    tokens = ["<pad>", "</s>", "<unk>", "<2es>", "<2sw>", *letters()]
    raw = Tokenizer(models.BPE(vocab={token: i for i, token in enumerate(tokens)}, merges=[], unk_token="<unk>"))
    raw.pre_tokenizer = pre_tokenizers.Metaspace()
    raw.decoder = decoders.Metaspace()
    raw.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 1)])
    raw.add_special_tokens(["<2es>", "<2sw>"])
    fast: Any = PreTrainedTokenizerFast
    tokenizer = fast(tokenizer_object=raw, pad_token="<pad>", eos_token="</s>", unk_token="<unk>")
    torch.manual_seed(0)
    shape: dict[str, Any] = {"d_model": 32, "d_kv": 16, "d_ff": 64, "num_layers": 1, "num_heads": 2}
    network = T5ForConditionalGeneration(
        T5Config(vocab_size=len(tokenizer), dropout_rate=0.0, **shape, decoder_start_token_id=0)  # type: ignore[call-arg]
    )
    examples = [
        (tokenizer(f"<2{code}> {source}").input_ids, tokenizer(target).input_ids)
        for code, table in WORDS.items()
        for source, target in table.items()
    ]
    teach(network, tokenizer, examples)
    folder = tmp_path_factory.mktemp("madlad")
    network.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(params=["nllb", "madlad"])
def checkpoint(request: pytest.FixtureRequest) -> Path:
    folder: Path = request.getfixturevalue(request.param)
    return folder


def ask(*texts: str) -> list[Request]:
    return [Request(messages=(Message("user", text),)) for text in texts]


@pytest.mark.parametrize("target", ["es", "sw"])
async def test_each_word_into_the_language_that_was_asked_for(checkpoint: Path, target: str) -> None:
    model = open_translator(f"seq2seq:{checkpoint}", source="en", target=target)
    assert model is not None
    replies = await model.answer(ask(*WORDS[target]))
    assert [reply.text for reply in replies if not hasattr(reply, "kind")] == list(WORDS[target].values())
    assert {getattr(reply, "status", "") for reply in replies} == {"ok"}


async def test_two_directions_of_one_checkpoint_do_not_disturb_each_other(nllb: Path) -> None:
    spanish, swahili = (Seq2SeqModel.load(str(nllb), source="en", target=code) for code in ("es", "sw"))
    for _ in range(2):
        assert (await spanish.answer(ask("heart")))[0].text == "corazón"
        assert (await swahili.answer(ask("heart")))[0].text == "moyo"
    assert spanish.model != swahili.model
    assert len(spanish.revision) == 16


async def test_lines_and_numbers_stay(nllb: Path) -> None:
    model = Seq2SeqModel.load(str(nllb), source="en", target="es")
    (reply,) = await model.answer(ask("heart\n\n120/80\n pain"))
    assert reply.text == "corazón\n\n120/80\n dolor"
    assert reply.usage.input > 0
    assert reply.usage.output > 0


async def test_a_sentence_longer_than_the_model_is_no_whole_translation(nllb: Path) -> None:
    model = Seq2SeqModel.load(str(nllb), source="en", target="es")
    long, short = await model.answer(ask("heart" * 40, "pain"))
    assert (long.status, long.finish) == ("truncated", "length")
    assert (short.status, short.text) == ("ok", "dolor")


def test_what_it_cannot_do_is_said(nllb: Path, madlad: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no token for en and yo \(eng_Latn, yor_Latn; __en__, __yo__; or <2yo>\)"):
        Seq2SeqModel.load(str(nllb), source="en", target="yo")
    with pytest.raises(UsageError, match="no token for en and zu"):
        Seq2SeqModel.load(str(madlad), source="en", target="zu")
    with pytest.raises(InputError, match=r"found nothing; expected a checkpoint with config\.json and safetensors"):
        Seq2SeqModel.load(str(tmp_path), source="en", target="es")
    with pytest.raises(UsageError, match="expected seq2seq:FOLDER"):
        open_translator("seq2seq", source="en", target="es")
    assert open_translator("gpt-4o", source="en", target="es") is None


def test_an_unreachable_hub_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(EnvironmentFailedError, match="nobody/nothing"):
        Seq2SeqModel.load("nobody/nothing", source="en", target="es")
