"""What is settled before models are asked for money."""

import pytest

from globmed.bench.effort import Effort as BenchEffort
from globmed.core.errors import UsageError
from globmed.models.baseline import Chance
from globmed.models.budget import Cap
from globmed.models.http_api import HttpModel
from globmed.models.paying import Effort, journal_name, price_to_pay


@pytest.mark.parametrize("kind", [Effort, BenchEffort])
def test_asking_nobody_is_refused(kind: type[Effort]) -> None:
    assert kind(concurrency=1).concurrency == 1
    with pytest.raises(UsageError, match="concurrency is 0; expected at least 1"):
        kind(concurrency=0)


def test_a_journal_is_named_after_the_model_and_told_apart_by_the_revision() -> None:
    models = [HttpModel("Qwen/Qwen3-8B", "http://127.0.0.1:1/v1", revision=one) for one in ("", "abc")]
    first, second = map(journal_name, models)
    assert first.startswith("qwen-qwen3-8b-")
    assert first != second
    assert journal_name(models[0]) == first


def test_a_cap_in_dollars_needs_a_price_but_on_this_machine() -> None:
    unknown = HttpModel("made-up", "http://10.0.0.1:1/v1")
    assert price_to_pay(unknown, Cap()) is None
    with pytest.raises(UsageError, match="no price is known of made-up"):
        price_to_pay(unknown, Cap(cost_usd=1.0))
    assert price_to_pay(Chance(), Cap(cost_usd=1.0)) is None
