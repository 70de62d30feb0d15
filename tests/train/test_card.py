"""The card of a trained model: its numbers are those of the files beside it, and what was not measured says so."""

import re
import shutil
from pathlib import Path
from typing import Any

import msgspec
import pyarrow.parquet as pq
import pytest
from huggingface_hub import ModelCard

from globmed.core.store import read_manifest, read_records
from globmed.train.card import NOT_MEASURED, Facts, Results, SourceRow, model_card
from globmed.train.gains import Gain
from globmed.train.mixture import PlanRow
from globmed.train.sft import CARD, plan, train
from globmed.train.steps import Loss


def gain(**changes: object) -> Gain:
    number = {name: 0.0 for name, kind in Gain.__annotations__.items() if kind == "float"}
    counted = {name: 0 for name, kind in Gain.__annotations__.items() if kind == "int"}
    told = {"task": "mcqa", "answer": "generate", "held_out": False, "sources": "all", "by": "language", "group": "wo"}
    told |= {"tier": "low", "language_trained": True, "base_model": "before", "tuned_model": "after", "worse": False}
    return msgspec.convert({**number, **counted, **told, **changes}, Gain)


def test_a_card_tells_what_the_files_hold(trained_model: Path) -> None:
    text = (trained_model / CARD).read_text(encoding="utf-8")
    card: Any = ModelCard(text)
    told, body = card.data, card.text
    plan = list(read_records(trained_model, PlanRow, prefix="mixture"))
    assert set(told.language) == {row.language for row in plan}
    assert told.license is None
    for row in plan:
        assert f"| {row.language} | {row.tier} | {row.examples:,} | {row.tokens:,} | {row.drawn_tokens:,} |" in body
    examples, tokens = sum(row.drawn for row in plan), sum(row.drawn_tokens for row in plan)
    assert f"{examples:,} examples of {tokens:,} tokens" in body
    assert read_manifest(trained_model).inputs["data"] in body
    last = list(read_records(trained_model, Loss, prefix="losses"))[-1]
    assert f"{last.step:,} steps, {last.tokens:,} tokens" in body
    assert f"{last.loss:.3f} over the last" in body
    rows = list(read_records(trained_model, SourceRow, prefix="sources"))
    assert sum(row.items for row in rows) == sum(row.examples for row in plan)
    assert sum(row.native + row.machine + row.expert for row in rows) == sum(row.items for row in rows)
    assert NOT_MEASURED in body
    assert "Not for use in care" in body
    assert "no native speaker has reviewed any" in " ".join(body.split())
    # The card belongs to what the manifest vouches for.
    assert CARD in read_manifest(trained_model).files


def test_a_card_with_results_gives_gains_and_what_got_worse(trained_model: Path) -> None:
    rows = [
        gain(base=0.25, tuned=0.75, gain_points=50.0, gain_low=40.0, gain_high=60.0, unread_points=12.5, items=120),
        gain(
            group="fr", tier="high", base=0.8, tuned=0.7, gain_points=-10.0, gain_low=-15.0, gain_high=-5.0, worse=True
        ),
    ]
    text = model_card(Facts.of(trained_model), Results(data="f" * 64, split="test", gains=rows))
    assert "| mcqa | generate | Wolof | 120 | 25.0 | 75.0 | +50.0 [+40.0, +60.0] | +12.5 |" in text
    assert "Worse, the whole interval below 0: French (mcqa, generate)." in text
    assert NOT_MEASURED not in text
    assert not re.search(r"\$\w", text)


def test_a_model_of_the_hub_is_named_with_its_commit(
    trained_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, vitals_release: Path
) -> None:
    from globmed.train.recipe import Data, Examples, Optimisation, Recipe

    commit = "0123456789abcdef0123456789abcdef01234567"
    cache = tmp_path / "hub"
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(cache))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    shutil.copytree(trained_model, cache / "models--maker--small" / "snapshots" / commit)
    recipe = Recipe(
        data=Data(folder=str(vitals_release)),
        checkpoint="hub:maker/small",
        revision=commit,
        examples=Examples(prompts=("mcqa_text",), closed_book=True),
        optimisation=Optimisation(tokens=2_000, batch_tokens=512, row_tokens=512, threads=1),
    )
    # To plan, no weights are asked of the Hub.
    wanted: list[list[str]] = []

    def download(_: str, *, revision: str, allow_patterns: list[str]) -> str:
        wanted.append(allow_patterns)
        return str(cache / "models--maker--small" / "snapshots" / revision)

    with monkeypatch.context() as asking:
        asking.setattr("huggingface_hub.snapshot_download", download)
        assert plan(recipe).steps > 0
    assert wanted
    assert not any("safetensors" in pattern for pattern in wanted[0])
    train(recipe, out=tmp_path / "tuned")
    made = read_manifest(tmp_path / "tuned").configuration
    assert (made["checkpoint"], made["revision"]) == ("hub:maker/small", commit)
    text = (tmp_path / "tuned" / CARD).read_text(encoding="utf-8")
    card: Any = ModelCard(text)
    assert card.data.base_model == "maker/small"
    assert pq.read_metadata(tmp_path / "tuned" / "mixture.parquet").num_rows > 0
