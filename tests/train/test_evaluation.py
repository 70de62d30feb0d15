"""Asking a model while it learns: a fixed set, by the answers it is taught, and stopping by the low-resource tier."""

import math
from pathlib import Path
from typing import Any

import msgspec
import pytest
from transformers import AutoModelForCausalLM, AutoTokenizer

from globmed.core.errors import InputError
from globmed.core.store import read_records
from globmed.models.local import LocalModel
from globmed.models.tokens import prompt_text
from globmed.train.evaluation import Asked, ask, logged, questions, read_logged, score
from globmed.train.recipe import Recipe, read_recipe
from globmed.train.sft import plan, train
from globmed.train.steps import Evaluated, Loss
from tests.train.small_data import question


def row(code: str, probability: float, *, tier: Any = "low") -> Evaluated:
    return Evaluated(step=7, language=code, tier=tier, questions=3, accuracy=0.5, probability=probability)


def test_the_set_is_the_same_families_in_every_language(asking_recipe: Path) -> None:
    asked = plan(read_recipe(asking_recipe)).asked
    assert [one.language for one in asked] == ["en"] * 10 + ["zu"] * 10
    texts = [one.request.messages[-1].content.split("Is ")[1].split(" ")[0] for one in asked]
    assert texts[:10] == texts[10:]
    assert len(set(texts)) == 10
    assert asked[0].request.options == ("even", "odd")
    assert plan(read_recipe(asking_recipe)).asked == asked


def test_letters_are_asked_as_they_are_taught(asking_recipe: Path) -> None:
    recipe = read_recipe(asking_recipe)
    lettered = msgspec.structs.replace(recipe, examples=msgspec.structs.replace(recipe.examples, prompts=("mcqa",)))
    (one,) = questions([question(5, "dev")], lettered)
    assert [option[-1:] for option in one.request.options] == ["A", "B"]
    assert one.answer == (1,)


def test_the_probability_is_that_of_the_taught_answers(small_model: Path, asking_recipe: Path) -> None:
    asked = plan(read_recipe(asking_recipe)).asked[:3]
    model = LocalModel.load(small_model)
    (found,) = ask(model, asked, step=4)
    network: Any = AutoModelForCausalLM.from_pretrained(small_model)
    tokenizer: Any = AutoTokenizer.from_pretrained(small_model)
    shares = []
    for one in asked:
        likelihoods = []
        before = tokenizer(prompt_text(tokenizer, one.request.messages, {}), add_special_tokens=False)["input_ids"]
        for option in one.request.options:
            after = [*tokenizer(option, add_special_tokens=False)["input_ids"], tokenizer.eos_token_id]
            logprobs = network(tokens([*before, *after])).logits[0].log_softmax(-1).detach()
            places = range(len(before), len(before) + len(after))
            likelihoods.append(math.exp(sum(float(logprobs[at - 1, ([*before, *after])[at]]) for at in places)))
        shares.append(likelihoods[one.answer[0]] / sum(likelihoods))
    assert found.probability == pytest.approx(sum(shares) / 3, rel=1e-3)
    assert (found.step, found.questions, found.language) == (4, 3, "en")


def tokens(ids: list[int]) -> Any:
    import torch

    return torch.tensor([ids])


def test_models_are_chosen_by_the_low_resource_languages() -> None:
    assert score([row("zu", 0.2), row("wo", 0.4), row("en", 0.9, tier="high")]) == pytest.approx(0.3)
    assert score([row("en", 0.9, tier="high")]) == 0.9


def test_what_is_logged_is_read_again() -> None:
    rows = [row("zu", 0.2), row("en", 0.9, tier="high")]
    assert read_logged([{"loss": 1.0, "step": 3}, logged(rows) | {"step": 7}]) == rows


def test_a_run_asks_and_learns_what_it_would_without(asking_recipe: Path, tmp_path: Path) -> None:
    train(read_recipe(asking_recipe), out=tmp_path / "asked")
    rows = list(read_records(tmp_path / "asked", Evaluated, prefix="evaluations"))
    assert [(one.step, one.language) for one in rows[:4]] == [(7, "en"), (7, "zu"), (14, "en"), (14, "zu")]
    assert rows[-1].step > 30
    asking_recipe.write_text(asking_recipe.read_text().replace("every_steps = 7", "every_steps = 0"))
    train(read_recipe(asking_recipe), out=tmp_path / "silent")
    weights = [(tmp_path / name / "model.safetensors").read_bytes() for name in ("asked", "silent")]
    assert weights[0] == weights[1]


def test_a_run_that_does_no_better_stops_and_keeps_what_did_best(asking_recipe: Path, tmp_path: Path) -> None:
    # Learning so fast soon does no good.
    text = asking_recipe.read_text().replace("tokens = 5000", "tokens = 12000").replace("5e-3", "3e-2")
    asking_recipe.write_text(text.replace("every_steps = 7", "every_steps = 7\npatience = 2"))
    recipe = read_recipe(asking_recipe)
    train(recipe, out=tmp_path / "model")
    rows = list(read_records(tmp_path / "model", Evaluated, prefix="evaluations"))
    low = {one.step: one.probability for one in rows if one.tier == "low"}
    best = max(low, key=lambda step: (low[step], -step))
    assert max(low) == best + 14
    assert max(low) < plan(recipe).steps
    assert [one.step for one in read_records(tmp_path / "model", Loss, prefix="losses")][-1] <= max(low)
    again = ask(LocalModel.load(tmp_path / "model"), plan(recipe).asked, step=best)
    assert score(again) == pytest.approx(low[best], abs=1e-6)


def test_without_a_question_to_ask_the_recipe_is_refused(asking_recipe: Path) -> None:
    recipe = read_recipe(asking_recipe)
    with pytest.raises(InputError, match="found no question with options in the dataset's split dev"):
        questions([question(1)], recipe)


def test_patience_needs_something_to_wait_for() -> None:
    evaluation = {"evaluation": {"patience": 2}, "data": {"folder": "x"}, "checkpoint": "y"}
    with pytest.raises(InputError, match=r"\[evaluation\] patience: found 2; expected every_steps"):
        msgspec.convert({**evaluation, "optimisation": {"tokens": 1}}, Recipe)


def test_what_is_too_long_is_left_out(small_model: Path, asking_recipe: Path) -> None:
    one = plan(read_recipe(asking_recipe)).asked[0]
    long = msgspec.structs.replace(one.request, messages=(one.request.messages[0],) * 200)
    assert ask(LocalModel.load(small_model), [Asked(language="en", request=long, answer=(0,))], step=1) == []
