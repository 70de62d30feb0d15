"""Prompts: every language and step has one, and a glossary's terms are found where they occur."""

import json
import re
from collections.abc import Callable
from typing import Any, get_args

import pytest

from globmed.core.item import Item
from globmed.core.language import language, languages
from globmed.data.translate.plan import Plan, Share
from globmed.data.translate.team import Member
from globmed.data.translate.wording import StepName, TermFinder, Wording, prompt_hash, worded_request
from globmed.models.baseline import Chance
from globmed.models.client import Settings
from globmed.prompts import load

PLAN = Plan(translators=(Share("m", 1.0),), languages=("es",))
STEPS = get_args(StepName)


def member(**fields: Any) -> Member:
    values: dict[str, Any] = {"client": Chance(), "engine": False, "journal": None, "price": None, "purse": None}
    return Member(**(values | fields))


def about(item: Item, **fields: Any) -> Wording:
    texts = {"question": item.question, "options[0]": item.options[0]}
    values: dict[str, Any] = {"source": "en", "target": "es", "texts": texts, "fields": list(texts), "translation": {}}
    return Wording(item=item, **(values | fields))


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("code", languages())
def test_each_step_has_a_prompt_in_each_language(step: StepName, code: str, item: Callable[..., Item]) -> None:
    request = worded_request(step, about(item(1), target=code), member(), PLAN)
    content = request.messages[0].content
    assert language(code).english_name in content
    assert json.dumps(item(1).question) in content
    assert (load("translate_notes", code).body in content) is (step != "back")
    assert "\n\n\n" not in content
    assert not re.search(r"\{\w+\}", content), "a placeholder is left"
    assert json.loads(request.schema)["additionalProperties"] is False
    assert request.label == f"made:1/{code}"


def test_requests_are_under_the_terms_of_their_item(item: Callable[..., Item]) -> None:
    bound = item(1, terms={"may_leave_machine": False, "licence": "DUA"})
    request = worded_request("candidate", about(bound), member(), PLAN)
    assert (request.may_leave_machine, request.licence, request.source) == (False, "DUA", "made")


def test_hashes_tell_steps_and_languages_apart() -> None:
    hashes = {prompt_hash(step, code) for step in STEPS for code in languages()}
    # The way back is said in the same words whatever the language.
    assert len(hashes) == (len(STEPS) - 1) * len(languages()) + 1


def test_an_engine_gets_the_text_alone(item: Callable[..., Item]) -> None:
    text = "a long option of many words " * 20
    long = about(item(1, options=(text,)), fields=["options[0]"])
    request = worded_request("candidate", long, member(engine=True), PLAN)
    assert request.messages[0].content == text
    assert request.settings == Settings()
    assert request.schema == ""


@pytest.mark.parametrize(
    ("terms", "text", "found"),
    [
        ({"Heart": "corazón"}, "The heart, and hearts.", "- heart = corazón"),
        ({"heart": "corazón", "heart failure": "insuficiencia"}, "heart failure", "- heart failure = insuficiencia"),
        ({"高血压": "hypertension"}, "患者高血压病史", "- 高血压 = hypertension"),
        ({"a.b": "x"}, "acb", ""),
        ({}, "heart", ""),
        ({"β-blocker": "betabloqueante"}, "a β-blocker.", "- β-blocker = betabloqueante"),
    ],
)
def test_terms_are_found(terms: dict[str, str], text: str, found: str) -> None:
    assert TermFinder({term: [target] for term, target in terms.items()}).lines([text]) == found
