"""Training: the loss is on the answer alone, the result loads, an interrupted run goes on and ends the same."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer, Gemma3Config

from globmed.core.errors import CheckFailedError, InputError, UsageError
from globmed.core.item import Item
from globmed.core.store import read_manifest, read_records, writing_stage
from globmed.models.client import Message, Request, Settings
from globmed.models.local import LocalModel
from globmed.train import attention
from globmed.train.encoding import encode
from globmed.train.examples import Conversation, Example
from globmed.train.recipe import Recipe, read_recipe
from globmed.train.sft import train
from globmed.train.steps import Loss, Step
from globmed.train.trainer import IGNORED, PackedRows, answer_loss
from tests.train.small_data import question


def example(variant: Conversation) -> Example:
    return Example(part="questions", name="s:1 (en)", language="en", variants=(variant,))


def test_a_trained_folder_loads_answers_and_is_not_trained_again(recipe_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "model"
    steps: list[int] = []
    manifest = train(read_recipe(recipe_file), out=out, on_step=lambda step: steps.append(step.done))
    assert steps == list(range(1, len(steps) + 1))
    assert 15 < len(steps) < 25
    losses = [row.loss for row in read_records(out, Loss, prefix="losses")]
    assert losses[-1] < losses[0]
    model = LocalModel.load(out)
    request = Request(messages=(Message("user", "Is 4 even?\nAnswer:"),), options=("even", "odd"))
    request = msgspec.structs.replace(request, settings=Settings(answer="score_options"))
    assert len(model.answer_now([request])[0].option_logprobs) == 2
    tokenizer: Any = AutoTokenizer.from_pretrained(out)
    assert tokenizer.chat_template
    assert [tokenizer.decode(one) for one in tokenizer("Is 4096 even?")["input_ids"]].count("4") == 1
    weights = (out / "model.safetensors").stat().st_mtime_ns
    assert train(read_recipe(recipe_file), out=out) == manifest
    assert (out / "model.safetensors").stat().st_mtime_ns == weights
    assert not (out / "checkpoints").exists()


def test_a_checkpoint_folder_is_trained_on(recipe_file: Path, tmp_path: Path) -> None:
    train(read_recipe(recipe_file), out=tmp_path / "base")
    text = recipe_file.read_text().replace("seed = 0", 'seed = 1\ncheckpoint = "base"')
    before, _, after = text.partition("[scratch]")
    (tmp_path / "tuned.toml").write_text(before + "[examples]" + after.partition("[examples]")[2])
    train(read_recipe(tmp_path / "tuned.toml"), out=tmp_path / "tuned")
    assert read_manifest(tmp_path / "tuned").inputs["checkpoint"]
    base: Any = AutoModelForCausalLM.from_pretrained(tmp_path / "base")
    tuned: Any = AutoModelForCausalLM.from_pretrained(tmp_path / "tuned")
    assert not torch.equal(base.lm_head.weight, tuned.lm_head.weight)


@pytest.mark.parametrize("method", ["full", "lora"])
def test_of_a_model_that_reads_images_only_what_reads_text_is_trained(
    recipe_file: Path, tmp_path: Path, method: str
) -> None:
    train(read_recipe(recipe_file), out=tmp_path / "text")
    tokenizer: Any = AutoTokenizer.from_pretrained(tmp_path / "text")
    text = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4, "head_dim": 8}
    text |= {"num_key_value_heads": 2, "vocab_size": len(tokenizer), "sliding_window": 16}
    vision = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 1, "num_attention_heads": 2}
    config = Gemma3Config(text_config=text, vision_config=vision | {"image_size": 28, "patch_size": 14})
    base: Any = AutoModelForCausalLM.from_config(config)  # type: ignore[no-untyped-call]
    base.save_pretrained(tmp_path / "base")
    tokenizer.save_pretrained(tmp_path / "base")
    before, _, after = recipe_file.read_text().partition("[scratch]")
    settings = f'checkpoint = "base"\n{before}[method]\nkind = "{method}"\n[examples]{after.partition("[examples]")[2]}'
    (tmp_path / "tuned.toml").write_text(settings)
    train(read_recipe(tmp_path / "tuned.toml"), out=tmp_path / "tuned")
    tuned: Any = AutoModelForCausalLM.from_pretrained(tmp_path / "tuned")
    assert type(tuned) is type(base)
    changed = {
        name for (name, old), new in zip(base.named_parameters(), tuned.parameters(), strict=True) if not old.equal(new)
    }
    assert any("language_model" in name for name in changed)
    assert not any("vision" in name or "projector" in name for name in changed)


def test_answer_loss_is_the_plain_cross_entropy_of_each_example_alone(small_model: Path) -> None:
    network: Any = AutoModelForCausalLM.from_pretrained(small_model)
    spoken = [
        Conversation(messages=(Message("user", text),), answer=text[::-1]) for text in ("Is 4 even?", "118", "no")
    ]
    encoded = encode(AutoTokenizer.from_pretrained(small_model), [example(one) for one in spoken])
    expected = 0.0
    for place in range(3):
        ids = torch.from_numpy(encoded.of(place).astype("int64"))
        with torch.inference_mode():
            logprobs = network(ids[None]).logits[0].log_softmax(-1)
        carrying = range(ids.numel() - int(encoded.answers[place]), ids.numel())
        expected -= sum(float(logprobs[at - 1, ids[at]]) for at in carrying)
    attention.register()
    network.set_attn_implementation(attention.NAME)
    rows = PackedRows(encoded, [np.array([2, 0, 1])])
    assert answer_loss(network, rows[0]).detach().item() == pytest.approx(expected, rel=1e-5)
    assert int((rows[0]["labels"] != IGNORED).sum()) == encoded.answers.sum()


def test_an_example_longer_than_a_row_is_left_out_and_counted_never_cut(recipe_file: Path, tmp_path: Path) -> None:
    long = msgspec.structs.replace(question(40), question="Is 4 even? " * 40)
    with writing_stage(tmp_path / "release", "release") as stage:
        stage.write("s.en.train.parquet", [*(question(number) for number in range(20)), long], Item)
    train(read_recipe(recipe_file), out=tmp_path / "model")
    manifest = read_manifest(tmp_path / "model")
    assert [(count.read, count.kept, count.dropped) for count in manifest.counts] == [
        (21, 20, {"longer than a row": 1})
    ]
    recipe_file.write_text(recipe_file.read_text().replace("row_tokens = 64", "row_tokens = 4"))
    with pytest.raises(
        InputError, match=r"the shortest example has \d+ tokens; expected examples of at most row_tokens, 4"
    ):
        train(read_recipe(recipe_file), out=tmp_path / "other")
    assert not (tmp_path / "other" / "manifest.json").exists()


def test_a_row_is_no_longer_than_the_model_takes(recipe_file: Path, tmp_path: Path) -> None:
    recipe_file.write_text(recipe_file.read_text().replace("context_tokens = 64", "context_tokens = 32"))
    with pytest.raises(InputError, match=r"row_tokens: found 64; expected at most the model's context, 32"):
        train(read_recipe(recipe_file), out=tmp_path / "model")


def test_items_that_no_prompt_fits_are_counted(recipe_file: Path, tmp_path: Path) -> None:
    inference = msgspec.structs.replace(question(41), kind="nli", context="4 is even.")
    with writing_stage(tmp_path / "release", "release") as stage:
        stage.write("s.en.train.parquet", [*(question(number) for number in range(20)), inference], Item)
    train(read_recipe(recipe_file), out=tmp_path / "model")
    manifest = read_manifest(tmp_path / "model")
    assert manifest.counts[0].dropped == {"no prompt of the recipe fits it": 1}


CURVE = json.loads(Path(__file__).with_name("curve.json").read_text())


def test_the_loss_follows_the_committed_curve(recipe_file: Path, tmp_path: Path) -> None:
    train(read_recipe(recipe_file), out=tmp_path / "model")
    rows = list(read_records(tmp_path / "model", Loss, prefix="losses"))
    assert [row.loss for row in rows[:20]] == pytest.approx(CURVE, rel=1e-3)
    assert [row.tokens for row in rows] == sorted(row.tokens for row in rows)
    assert rows[-1].tokens == pytest.approx(1200, abs=20)
    assert rows[0].gradient_norm > 0


def test_low_rank_updates_are_merged_and_kept_by_themselves_where_asked_for(recipe_file: Path, tmp_path: Path) -> None:
    train(read_recipe(recipe_file), out=tmp_path / "base")
    before, _, after = recipe_file.read_text().partition("[scratch]")
    text = before.replace("seed = 0", 'seed = 1\ncheckpoint = "base"') + "[examples]" + after.partition("[examples]")[2]
    (tmp_path / "lora.toml").write_text(text + '[method]\nkind = "lora"\nrank = 4\nkeep_adapter = true\n')
    out = tmp_path / "lora"
    train(read_recipe(tmp_path / "lora.toml"), out=out)
    merged: Any = AutoModelForCausalLM.from_pretrained(out)
    base: Any = AutoModelForCausalLM.from_pretrained(tmp_path / "base")
    # Linear layers changed, nothing else did, and base and adapter together say what the merged weights say.
    assert torch.equal(merged.model.embed_tokens.weight, base.model.embed_tokens.weight)
    assert not torch.equal(merged.model.layers[0].mlp.up_proj.weight, base.model.layers[0].mlp.up_proj.weight)
    ids = torch.tensor([[5, 6, 7, 8]])
    with torch.inference_mode():
        adapted = PeftModel.from_pretrained(base, out / "adapter")(ids).logits
        assert torch.allclose(adapted, merged(ids).logits, atol=1e-5)
    assert read_manifest(out / "adapter").stage == "adapter"


def test_a_loss_that_is_no_number_stops_the_run_with_step_and_examples(recipe_file: Path, tmp_path: Path) -> None:
    recipe_file.write_text(recipe_file.read_text().replace("learning_rate = 5e-3", "learning_rate = 1e30"))
    with pytest.raises(CheckFailedError, match=r"step \d+: the loss is (nan|inf)") as caught:
        train(read_recipe(recipe_file), out=tmp_path / "model")
    assert re.search(r"rows \d+ to \d+ with s:\d+ \(en\), .* and \d+ more\. Last good checkpoint", str(caught.value))
    assert not (tmp_path / "model" / "manifest.json").exists()


def test_a_loss_that_rises_above_where_it_began_stops_the_run(recipe_file: Path, tmp_path: Path) -> None:
    text = recipe_file.read_text().replace("tokens = 1200", "tokens = 12000")
    recipe_file.write_text(text.replace("learning_rate = 5e-3", "learning_rate = 3.0\nmax_gradient_norm = 1e9"))
    with pytest.raises(CheckFailedError, match=r"the loss rose from .* above where it began|the loss is"):
        train(read_recipe(recipe_file), out=tmp_path / "model")


def test_the_log_of_a_killed_run_goes_on_with_its_tokens(recipe_file: Path, tmp_path: Path) -> None:
    def stop(step: Step) -> None:
        if step.done == 12:
            raise KeyboardInterrupt

    train(read_recipe(recipe_file), out=tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        train(read_recipe(recipe_file), out=tmp_path / "cut", on_step=stop)
    log = (tmp_path / "cut" / "checkpoints" / "log.jsonl").read_text().splitlines()
    assert json.loads(log[-1])["step"] == 11
    train(read_recipe(recipe_file), out=tmp_path / "cut")
    # The same losses to the last digit, and the same count of tokens.
    both = [(tmp_path / name / "losses.jsonl").read_bytes() for name in ("whole", "cut")]
    assert both[0] == both[1]


def test_tensorboard_is_written_where_asked_for(recipe_file: Path, tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    train(read_recipe(recipe_file), out=tmp_path / "model", tensorboard=tmp_path / "board")
    assert list((tmp_path / "board").glob("events*"))


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        ("stepz = 3", "the unknown key `stepz`"),
        ("[data]\nfolder = 1", "recipe"),
        ("seed = [", "recipe"),
    ],
)
def test_a_broken_recipe_is_one_line_with_its_place(recipe_file: Path, wrong: str, text: str) -> None:
    recipe_file.write_text(recipe_file.read_text() + wrong)
    with pytest.raises(InputError, match=r"recipe\.toml: ") as caught:
        read_recipe(recipe_file)
    assert text in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_recipe_starts_from_one_thing() -> None:
    with pytest.raises(InputError, match="found neither"):
        msgspec.convert({"data": {"folder": "x"}, "optimisation": {"tokens": 1}}, Recipe)


def test_a_dataset_without_train_items_is_refused(tmp_path: Path, recipe_file: Path) -> None:
    with writing_stage(tmp_path / "release", "release") as stage:
        stage.write("s.en.test.parquet", [question(1, "test")], Item)
    with pytest.raises(UsageError, match="no train item"):
        train(read_recipe(recipe_file), out=tmp_path / "model")


def test_a_checkpoint_of_another_recipe_is_not_gone_on_from(recipe_file: Path, tmp_path: Path) -> None:
    def stop(step: Step) -> None:
        if step.done == 12:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(read_recipe(recipe_file), out=tmp_path / "mixed", on_step=stop)
    assert list((tmp_path / "mixed" / "checkpoints").glob("checkpoint-*"))
    recipe_file.write_text(recipe_file.read_text().replace("seed = 0", "seed = 9"))
    train(read_recipe(recipe_file), out=tmp_path / "clean")
    train(read_recipe(recipe_file), out=tmp_path / "mixed")
    weights = [(tmp_path / name / "model.safetensors").read_bytes() for name in ("clean", "mixed")]
    assert weights[0] == weights[1]


def test_a_dataset_is_not_written_over_by_a_model(recipe_file: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="holds the stage 'release'"):
        train(read_recipe(recipe_file), out=tmp_path / "release")
    assert read_manifest(tmp_path / "release").stage == "release"


@pytest.mark.slow
def test_a_killed_run_goes_on_and_ends_with_the_same_weights(recipe_file: Path, tmp_path: Path) -> None:
    recipe_file.write_text(recipe_file.read_text().replace("tokens = 1200", "tokens = 25000"))
    train(read_recipe(recipe_file), out=tmp_path / "whole")
    out = tmp_path / "killed"
    command = [sys.executable, "-m", "globmed", "train", "run", str(recipe_file), "--out", str(out)]
    with subprocess.Popen(command, env={**os.environ, "HF_HUB_OFFLINE": "1"}) as process:
        deadline = time.monotonic() + 90
        while not list(out.glob("checkpoints/checkpoint-*/trainer_state.json")) and time.monotonic() < deadline:
            time.sleep(0.05)
        process.send_signal(signal.SIGKILL)
    assert not (out / "manifest.json").exists()
    steps: list[int] = []
    train(read_recipe(recipe_file), out=out, on_step=lambda step: steps.append(step.done))
    assert steps[0] > 1
    assert (out / "model.safetensors").read_bytes() == (tmp_path / "whole" / "model.safetensors").read_bytes()
