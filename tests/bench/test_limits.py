"""Limits of replies: measured with the model itself, equal in what they allow, the same again on resuming."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from globmed.bench.asked import models_folder
from globmed.bench.effort import Effort
from globmed.bench.limits import limit_tokens, samples
from globmed.bench.runner import run_benchmark
from globmed.bench.selection import Plan
from globmed.core.item import Item
from globmed.core.store import read_manifest
from globmed.models.baseline import Chance
from globmed.models.client import Reply, Request, Settings, Usage
from globmed.models.pace import Pace
from globmed.models.paying import journal_name

MakeData = Callable[..., Path]
TEMPLATE_TOKENS = 20


class Costly:
    """A model whose tokenizer takes 1 token for 4 characters, and 1 for each character of a text in Swahili."""

    model, revision, on_this_machine, batch_size = "costly", "1", True, 8

    def __init__(self, *, reports: bool = True) -> None:
        self.pace = Pace("nowhere")
        self.asked: list[Request] = []
        self._reports = reports

    def sent(self, request: Request) -> Mapping[str, Any]:
        return {"messages": msgspec.to_builtins(request.messages), "settings": msgspec.to_builtins(request.settings)}

    async def answer(self, batch: Sequence[Request]) -> Sequence[Reply]:
        self.asked += batch
        return [self._reply(request.messages[0].content) for request in batch]

    def _reply(self, text: str) -> Reply:
        tokens = TEMPLATE_TOKENS + len(text) // (1 if "(sw)" in text else 4)
        return Reply(status="ok", text="B", usage=Usage(input=tokens if self._reports else 0, output=1))

    async def close(self) -> None:
        pass

    def limits(self) -> dict[str, set[int]]:
        found: dict[str, set[int]] = {}
        for request in self.asked:
            language = request.label.rpartition("/")[2]
            if "/" in request.label:
                found.setdefault(language, set()).add(request.settings.max_tokens)
        return found


def test_a_costly_language_may_take_more_tokens(make_data: MakeData, tmp_path: Path) -> None:
    client, out = Costly(), tmp_path / "run"
    plan = Plan(settings=Settings(max_tokens=100))
    result = run_benchmark([client], data=make_data(), plan=plan, out=out)
    limits = client.limits()
    assert limits["en"] == {100}
    assert limits["es"] == {100}
    (swahili,) = limits["sw"]
    assert 390 <= swahili <= 410
    assert result.estimates[0].limits == {"en": 100, "es": 100, "sw": swahili}
    # One short reply for each language, and one for the template.
    assert sum("/" not in request.label for request in client.asked) == 4
    costs = read_manifest(models_folder(out) / journal_name(client)).configuration["language_costs"]
    assert costs["sw"] / costs["en"] == pytest.approx(4.0, rel=0.02)

    again = Costly()
    resumed = run_benchmark([again], data=make_data(), plan=plan, out=out)
    assert again.asked == []
    assert resumed.models[0].stats.from_journal == sum(resumed.models[0].stats.replies.values())


@pytest.mark.parametrize("plan", [Plan(scale_limits=False), Plan(answers=("score_options",)), Plan(languages=("sw",))])
def test_nothing_is_measured_where_nothing_depends_on_it(make_data: MakeData, tmp_path: Path, plan: Plan) -> None:
    client = Costly()
    run_benchmark([client], data=make_data(), plan=plan, out=tmp_path / "run")
    assert all("/" in request.label for request in client.asked)
    assert {limit for limits in client.limits().values() for limit in limits} == {512}


def test_where_tokens_are_not_reported_every_language_has_the_limit_that_was_given(
    make_data: MakeData, tmp_path: Path
) -> None:
    client = Costly(reports=False)
    run_benchmark([client, Chance()], data=make_data(), plan=Plan(), out=tmp_path / "run")
    assert client.limits() == {"en": {512}, "es": {512}, "sw": {512}}
    # What was decided stays so: another limit would be another request, and paid for again.
    again = Costly()
    run_benchmark([again], data=make_data(), plan=Plan(), out=tmp_path / "run")
    assert again.asked == []


def test_an_estimate_asks_nothing(make_data: MakeData, tmp_path: Path) -> None:
    client, out = Costly(), tmp_path / "run"
    result = run_benchmark([client], data=make_data(), plan=Plan(), out=out, effort=Effort(estimate_only=True))
    assert client.asked == []
    assert result.models == ()
    (estimate,) = result.estimates
    assert (estimate.requests, estimate.answered) == (3 * 24, 0)
    assert estimate.output_tokens == 3 * 24 * 512
    assert estimate.cost_usd == 0.0
    assert estimate.input_tokens > 0
    assert estimate.undecided
    run_benchmark([client], data=make_data(), plan=Plan(), out=out)
    after = run_benchmark([Costly()], data=make_data(), plan=Plan(), out=out, effort=Effort(estimate_only=True))
    assert (after.estimates[0].requests, after.estimates[0].answered) == (0, 3 * 24)


def item(number: int, language: str, *, leaves: bool = True) -> Item:
    return msgspec.convert(
        {
            "family": f"made:{number}",
            "language": language,
            "kind": "mcqa",
            "source": "made",
            "split": "test",
            "question": f"{language} {number} " + "x" * 100,
            "provenance": {"native_language": "en", "licence": "CC0-1.0", "may_leave_machine": leaves},
        },
        Item,
    )


def test_languages_are_measured_on_the_same_questions() -> None:
    items = [item(number, "en") for number in range(100)] + [item(number, "yo") for number in range(90, 130)]
    found = samples(items)
    assert list(found) == ["en", "yo"]
    asked = [[line.split()[1] for line in text.text.splitlines()] for text in found.values()]
    assert asked[0] == asked[1] == [str(number) for number in range(90, 100)]
    assert all(text.shared for text in found.values())
    apart = samples([item(1, "en"), item(2, "yo")])
    assert [text.text.split()[1] for text in apart.values()] == ["1", "2"]
    assert not any(text.shared for text in apart.values())


def test_a_text_to_measure_with_is_under_the_strictest_terms_in_it() -> None:
    found = samples([item(1, "en"), item(2, "en", leaves=False), item(3, "en")])
    assert not found["en"].item.provenance.may_leave_machine


@given(
    st.dictionaries(st.sampled_from(["en", "es", "wo", "yo", "zu"]), st.floats(0.05, 5.0), max_size=5),
    st.integers(1, 100_000),
)
def test_no_limit_is_lowered_and_none_falls_with_the_rate(rates: dict[str, float], given_limit: int) -> None:
    settings = Settings(max_tokens=given_limit)
    limits = {language: limit_tokens(settings, language, rates) for language in ("en", "es", "wo", "yo", "zu")}
    assert all(limit >= given_limit for limit in limits.values())
    known = sorted((rates[language], limits[language]) for language in rates)
    assert [limit for _, limit in known] == sorted(limit for _, limit in known)
    if "en" in rates:
        assert limits["en"] == given_limit
