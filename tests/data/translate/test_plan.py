"""Who translates what: shares as users write them, drawn by family and by nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from globmed.core.errors import UsageError
from globmed.data.translate.plan import Plan, Share, read_shares


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["gpt-4o"], (Share("gpt-4o", 1.0),)),
        (["a", "b"], (Share("a", 0.5), Share("b", 0.5))),
        (["api:m@http://h/v1?x=y=0.25", "b=0.75"], (Share("api:m@http://h/v1?x=y", 0.25), Share("b", 0.75))),
        (["majority:A=x"], (Share("majority:A=x", 1.0),)),
    ],
)
def test_shares_are_read(texts: list[str], expected: tuple[Share, ...]) -> None:
    assert read_shares(texts) == expected


def test_a_share_for_some_is_refused() -> None:
    with pytest.raises(UsageError, match="expected a share for each"):
        read_shares(["a=0.5", "b"])


@given(st.lists(st.integers(1, 5), min_size=1, max_size=4), st.text())
def test_each_family_has_one_translator(weights: list[int], family: str) -> None:
    shares = tuple(Share(f"m{number}", weight / sum(weights)) for number, weight in enumerate(weights))
    plan = Plan(translators=shares, languages=("es",))
    assert plan.translator(family) in {one.model for one in shares}
    assert plan.translator(family) == plan.translator(family)


def test_shares_are_met() -> None:
    plan = Plan(translators=(Share("a", 0.2), Share("b", 0.5), Share("c", 0.3)), languages=("es",))
    drawn = [plan.translator(f"headqa:{number}") for number in range(20_000)]
    assert [drawn.count(name) / len(drawn) for name in "abc"] == pytest.approx([0.2, 0.5, 0.3], abs=0.01)
