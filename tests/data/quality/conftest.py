"""What the tests of checks share: pairs written in a line, and one question in all twelve languages."""

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from globmed.core.item import Finding, Item, Provenance
from globmed.data.pairs import Pair
from globmed.data.quality import checks

Find = Callable[..., list[Finding]]


def item(question: str, code: str, **fields: Any) -> Item:
    text = fields.pop("text", "native" if code == "en" else "machine")
    provenance = Provenance(native_language="en", licence="CC0", text=text)
    kind = "mcqa" if fields.get("options") else "lfqa"
    given = {"family": "made:1", "kind": kind, "source": "made", "split": "test"} | fields
    return Item(question=question, language=code, provenance=provenance, **given)


@pytest.fixture
def find() -> Find:
    """Run one check on an original and its translation: `find("gold", "What?", "¿Qué?", to="es")`."""

    def run(check: str, source: str, target: str, *, to: str, by: str = "en", **given: Any) -> list[Finding]:
        glossary = given.pop("glossary", None)
        ours = {name: values[0] for name, values in given.items()}
        theirs = {name: values[1] for name, values in given.items()}
        pair = Pair(item(source, by, **ours), item(target, to, **theirs), glossary=glossary)
        return list(checks()[check].run(pair))

    return run


@pytest.fixture(scope="session")
def question() -> dict[str, Item]:
    """One question in all twelve languages, from `question.toml`."""
    rows = tomllib.loads(Path(__file__).with_name("question.toml").read_text(encoding="utf-8"))
    return {
        code: item(row["question"], code, options=tuple(row["options"]), answer=(2,), rationale=row["rationale"])
        for code, row in rows.items()
    }
