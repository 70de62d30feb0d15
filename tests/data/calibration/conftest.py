"""Good pairs that tests put errors into."""

from collections.abc import Callable

import pytest

from globmed.core.item import Item, Provenance
from globmed.data.parallel import GoodPair

Make = Callable[..., GoodPair]


@pytest.fixture(scope="session")
def make_pair() -> Make:
    """A function of two texts that builds a pair of items."""

    def make(
        here: str,
        there: str,
        *,
        languages: tuple[str, str] = ("en", "es"),
        options: tuple[tuple[str, ...], tuple[str, ...]] = ((), ()),
        number: str = "doc:1",
    ) -> GoodPair:
        def item(code: str, text: str, listed: tuple[str, ...]) -> Item:
            return Item(
                family=number,
                cluster=number.partition(":")[0],
                language=code,
                kind="mcqa" if listed else "lfqa",
                source="tico19",
                split="test",
                question=text,
                options=listed,
                answer=(0,) if listed else (),
                provenance=Provenance(
                    native_language=languages[0],
                    licence="CC0-1.0",
                    text="native" if code == languages[0] else "expert",
                ),
            )

        return GoodPair(item(languages[0], here, options[0]), item(languages[1], there, options[1]))

    return make
