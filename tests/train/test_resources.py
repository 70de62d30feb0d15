"""What a run needs: sizes as published, arithmetic as torch counts it, memory as it is measured here."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode
from transformers import AutoModelForCausalLM, Gemma3Config, LlamaConfig, Qwen3Config

from globmed.core.errors import EnvironmentFailedError
from globmed.models.catalog import catalog_rows
from globmed.train import fitting, size
from globmed.train.fitting import ways
from globmed.train.network import linear_in_text, within_text
from globmed.train.recipe import Method, packaged_recipes, read_recipe
from globmed.train.resources import GIB, GPUS, Setup, Work, hours, needs, operations
from globmed.train.size import Kept, kept_of, shape_of

QWEN3: dict[str, Any] = {"num_attention_heads": 32, "num_key_value_heads": 8, "head_dim": 128, "vocab_size": 151_936}
QWEN3_4B = Qwen3Config(
    hidden_size=2560, intermediate_size=9728, num_hidden_layers=36, tie_word_embeddings=True, **QWEN3
)
QWEN3_8B = Qwen3Config(
    hidden_size=4096, intermediate_size=12_288, num_hidden_layers=36, tie_word_embeddings=False, **QWEN3
)
FULL = Setup(method=Method(), precision="bf16", checkpointing=False, row_tokens=4096)


def small(**changes: Any) -> Any:
    shapes = {"hidden_size": 64, "intermediate_size": 160, "num_hidden_layers": 3, "num_attention_heads": 4}
    return Qwen3Config(**{**shapes, "num_key_value_heads": 2, "head_dim": 16, "vocab_size": 120, **changes})


def on_meta(config: Any) -> Any:
    with torch.device("meta"):
        return AutoModelForCausalLM.from_config(config)  # type: ignore[no-untyped-call]


@pytest.mark.parametrize(("config", "billions", "without_embedding"), [(QWEN3_4B, 4.0, 3.6), (QWEN3_8B, 8.2, 6.95)])
def test_sizes_are_those_that_the_makers_publish(config: Any, billions: float, without_embedding: float) -> None:
    shape = shape_of(on_meta(config))
    assert shape.parameters / 1e9 == pytest.approx(billions, abs=0.05)
    assert (shape.parameters - shape.embedding) / 1e9 == pytest.approx(without_embedding, abs=0.05)
    assert shape.linear == pytest.approx(shape.parameters - shape.embedding, rel=1e-3)
    assert shape.learnt == shape.parameters


def test_what_reads_images_is_not_learnt() -> None:
    text = small().to_dict() | {"layer_types": None, "sliding_window": 8}
    vision = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 1, "num_attention_heads": 2}
    config = Gemma3Config(
        text_config={
            name: text[name] for name in ("hidden_size", "intermediate_size", "num_hidden_layers", "vocab_size")
        },
        vision_config=vision | {"image_size": 28, "patch_size": 14},
    )
    network = on_meta(config)
    shape = shape_of(network)
    assert 0 < shape.learnt < shape.parameters
    assert not any("vision" in name or "projector" in name for name in within_text(network))
    assert not any("vision" in name or "projector" in name for name in linear_in_text(network))
    assert shape.output == 64 * 120


@pytest.mark.parametrize("precision", ["float32", "bf16_mixed", "bf16"])
def test_what_is_kept_grows_with_layers_and_tokens_as_said(precision: str) -> None:
    kept = kept_of(small(), precision)
    (found,) = size._two_rows(small(), 3, precision, 200)
    assert 3 * (kept.layer + kept.layer_token * 200) + kept.token * 200 == pytest.approx(found, rel=0.01)


def test_arithmetic_is_what_torch_counts() -> None:
    network: Any = AutoModelForCausalLM.from_config(  # type: ignore[no-untyped-call]
        small(), attn_implementation="eager"
    )
    length = 48
    with FlopCounterMode(display=False) as counter:
        network(input_ids=torch.zeros((1, length), dtype=torch.long)).logits.sum().backward()
    shape, work = shape_of(network), Work(tokens=length, attended=length, answers=1.0, answers_most=length)
    setup = Setup(method=Method(), precision="float32", checkpointing=False, row_tokens=length)
    # Torch counts the half of the attention that causal masks leave out, too.
    unseen = 6 * shape.layers * shape.queries * length * length
    assert operations(shape, setup, work) + unseen == pytest.approx(counter.get_total_flops(), rel=0.01)


def test_low_rank_and_frozen_weights_take_less_and_more_gpus_share() -> None:
    shape = shape_of(on_meta(QWEN3_8B))
    kept = Kept(layer=0.0, layer_token=200_000.0, token=20_000.0)
    found = {name: needs(shape, kept, setup, answers_most=500) for name, setup in ways(FULL, 8)}
    weights = 2 * shape.parameters
    whole, sharded = found["all weights, bf16, each GPU holds all"], found["all weights, bf16, in shards (FSDP2)"]
    assert (whole.weights, whole.moments) == (weights, 2 * weights)
    assert (sharded.weights, sharded.gradients, sharded.moments) == (weights / 8, weights / 8, weights / 4)
    lora, qlora = found["LoRA, bf16, each GPU holds all"], found["QLoRA, bf16, each GPU holds all"]
    assert lora.weights == weights + 4 * 16 * shape.sides
    assert qlora.weights < lora.weights / 2
    assert found["all weights, bf16, checkpointing, each GPU holds all"].activations < whole.activations / 5
    assert "QLoRA, bf16, in shards (FSDP2)" not in found
    work = Work(tokens=1_000_000_000, attended=300.0, answers=0.2, answers_most=1000)
    one, eight = (
        hours(shape, FULL, work, GPUS["h200"]),
        hours(shape, Setup(**{**vars(FULL), "gpus": 8}), work, GPUS["h200"]),
    )
    assert one / eight == pytest.approx(8)
    # 6 x 7.6e9 x 1e9 operations at 0.4 x 989e12 a second are some 32 hours.
    assert 29 < one < 34


def test_what_does_not_fit_is_refused_before_anything_is_made(tmp_path: Path, vitals_release: Path) -> None:
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(f"""
[data]
folder = "{vitals_release}"
[scratch]
hidden_size = 16384
layers = 100
ffn_size = 65536
heads = 64
vocabulary = 600
[optimisation]
tokens = 6000
batch_tokens = 512
row_tokens = 512
""")
    out = tmp_path / "model"
    refused = globmed("run", recipe, "--out", out)
    assert refused.returncode == 3
    assert refused.stderr.strip().splitlines()[-1].startswith("error: too little memory: a process needs ")
    assert not (out / "model.safetensors").exists()
    planned = globmed("plan", recipe, "--gpu", "h200", "--count", "2")
    assert planned.returncode == 3
    assert "What fits: nothing here: fewer row_tokens, or more GPUs" in planned.stderr
    assert "in shards (FSDP2), this recipe" in planned.stdout


def test_a_plan_names_the_way_that_fits(tmp_path: Path, vitals_release: Path) -> None:
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(f"""
[data]
folder = "{vitals_release}"
[scratch]
hidden_size = 64
[optimisation]
tokens = 6000
batch_tokens = 512
row_tokens = 512
""")
    planned = globmed("plan", recipe, "--gpu", "24gb")
    assert planned.returncode == 0, planned.stderr
    assert "all weights, float32, this recipe" in planned.stdout
    assert "Estimated, not measured on such a GPU" in planned.stdout


def test_memory_that_is_not_there_is_said_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    from globmed.train.recipe import Data, Optimisation, Recipe, Scratch

    recipe = Recipe(data=Data(folder=""), scratch=Scratch(), optimisation=Optimisation(tokens=1))

    class Tokenizer:
        eos_token_id = pad_token_id = 0

        def __len__(self) -> int:
            return 300

    monkeypatch.setattr(fitting, "_free", lambda _processes: (0.2 * GIB, "machine"))
    work = Work(tokens=1, attended=1.0, answers=1.0, answers_most=1)
    with pytest.raises(EnvironmentFailedError, match=r"needs 0\.4 GiB, and 0\.2 GiB are free on this machine"):
        fitting.refuse_too_little_memory(recipe, Tokenizer(), work)
    monkeypatch.setattr(fitting, "_free", lambda _processes: (1 * GIB, "machine"))
    fitting.refuse_too_little_memory(recipe, Tokenizer(), work)


@pytest.mark.slow
@pytest.mark.parametrize(("precision", "checkpointing"), [("float32", "no"), ("float32", "yes"), ("bf16_mixed", "no")])
def test_memory_is_what_a_real_run_takes(vitals_release: Path, precision: str, checkpointing: str) -> None:
    command = [sys.executable, "-m", "tests.train.measured_memory", str(vitals_release), precision, checkpointing]
    done = subprocess.run(command, capture_output=True, text=True, timeout=110, check=True)
    said, taken = map(float, done.stdout.split())
    assert said == pytest.approx(taken, rel=0.25)


def globmed(*arguments: object) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "globmed", "train", *map(str, arguments)]
    environment = {**os.environ, "COLUMNS": "200"}
    return subprocess.run(command, capture_output=True, text=True, timeout=110, check=False, env=environment)


TEXT_4B = {"hidden_size": 2560, "intermediate_size": 10_240, "num_hidden_layers": 34, "num_attention_heads": 8}
GEMMA_3_4B = Gemma3Config(
    text_config=TEXT_4B | {"num_key_value_heads": 4, "head_dim": 256, "vocab_size": 262_208, "sliding_window": 1024},
    vision_config={"hidden_size": 1152, "intermediate_size": 4304, "num_hidden_layers": 27, "num_attention_heads": 16}
    | {"image_size": 896, "patch_size": 14},
)
PACKAGED = {
    "qwen3_1_7b": (
        Qwen3Config(
            hidden_size=2048,
            intermediate_size=6144,
            num_hidden_layers=28,
            tie_word_embeddings=True,
            **QWEN3 | {"num_attention_heads": 16},
        ),
        "h100-80",
    ),
    "qwen3_4b": (QWEN3_4B, "h100-80"),
    "qwen3_8b": (QWEN3_8B, "a100-40"),
    "llama_3_1_8b": (
        LlamaConfig(
            hidden_size=4096,
            intermediate_size=14_336,
            num_hidden_layers=32,
            num_attention_heads=32,
            num_key_value_heads=8,
            vocab_size=128_256,
        ),
        "a100-40",
    ),
    "gemma_3_4b": (GEMMA_3_4B, "h100-80"),
    "medgemma_4b": (GEMMA_3_4B, "24gb"),
}
"""Configurations of the recipes' models as their makers publish them, and the GPU that each recipe says it fits."""


def test_gemma_is_as_large_as_its_report_says() -> None:
    # Gemma 3 technical report, table 1: vision encoder 417M, embedding 675M, the rest 3,209M.
    shape = shape_of(on_meta(GEMMA_3_4B))
    assert (shape.learnt - shape.embedding) / 1e6 == pytest.approx(3209, abs=2)
    assert shape.embedding / 1e6 == pytest.approx(675, abs=5)
    assert (shape.parameters - shape.learnt) / 1e6 == pytest.approx(417 + 3, abs=20)


def test_every_packaged_recipe_is_here() -> None:
    assert set(packaged_recipes()) == set(PACKAGED)


@pytest.mark.parametrize("name", PACKAGED)
def test_a_packaged_recipe_can_be_read_names_a_known_model_and_fits_where_it_says(name: str, tmp_path: Path) -> None:
    path = tmp_path / "recipe.toml"
    path.write_text(packaged_recipes()[name])
    recipe = read_recipe(path)
    assert recipe.checkpoint.removeprefix("hub:") in {row.hub for row in catalog_rows().values()}
    config, gpu = PACKAGED[name]
    setup = Setup.of(recipe)
    # A quarter of the tokens are answers, half of a row's at the most.
    need = needs(shape_of(on_meta(config)), kept_of(config, setup.precision), setup, answers_most=2048)
    assert need.total <= GPUS[gpu].memory
    # Every setting has its reason behind it, but for what explains itself.
    told = [line for line in packaged_recipes()[name].splitlines() if line.startswith(("learning_rate", "precision"))]
    assert all("# " in line for line in told)


def test_recipes_are_listed_written_and_never_over_another(tmp_path: Path) -> None:
    assert "medgemma_4b" in globmed("recipe").stdout
    out = tmp_path / "my.toml"
    assert globmed("recipe", "qwen3_4b", "--out", out).returncode == 0
    assert out.read_text() == packaged_recipes()["qwen3_4b"]
    again = globmed("recipe", "qwen3_4b", "--out", out)
    assert (again.returncode, again.stderr.count("\n")) == (2, 1)
    assert "did you mean" in globmed("recipe", "qwen3_4").stderr
