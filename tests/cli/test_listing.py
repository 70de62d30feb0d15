"""`globmed list`: filters that filter, and names that are nearly right."""

import json
from typing import Any

import pytest
from typer.testing import CliRunner

from globmed.cli.listing import app
from globmed.core.errors import UsageError


def listed(*arguments: str) -> list[dict[str, Any]]:
    result = CliRunner().invoke(app, [*arguments, "--json"], catch_exceptions=False)
    assert result.exit_code == 0
    rows: list[dict[str, Any]] = json.loads(result.stdout)
    return rows


def test_models_can_be_filtered() -> None:
    every = {row["id"] for row in listed("models")}
    assert len(every) > 56
    small = listed("models", "--medical", "--max-billion", "8")
    assert {"medgemma-4b-it", "mediphi"} <= {row["id"] for row in small} < every
    assert all(float(row["billion"]) <= 8 for row in small)
    assert {row["kind"] for row in listed("models", "--kind", "baseline")} == {"baseline"}
    assert {row["maker"] for row in listed("models", "--maker", "openai", "--kind", "open")} == {"OpenAI"}
    large = {row["id"] for row in listed("models", "--min-billion", "100", "--no-reasoning", "--kind", "open")}
    assert "llama-3.1-405b-instruct" in large
    assert all(row["id"].startswith("qwen3") for row in listed("models", "--family", "Qwen3"))
    assert listed("models", "--maker", "nobody") == []
    assert "No model" in CliRunner().invoke(app, ["models", "--maker", "nobody"]).stdout


def test_one_model_is_shown_with_the_source_of_each_fact() -> None:
    shown = CliRunner().invoke(app, ["models", "qwen3-8b"]).stdout
    for said in ("Qwen/Qwen3-8B", "apache-2.0", "https://", "--model qwen3-8b@ENDPOINT"):
        assert said in shown
    priced = CliRunner().invoke(app, ["models", "gpt-4o"]).stdout
    assert "US$" in priced
    assert "on 20" in priced
    result = CliRunner().invoke(app, ["models", "qwen3-8bb"])
    assert isinstance(result.exception, UsageError)
    assert "did you mean 'qwen3-8b'?" in str(result.exception)


@pytest.mark.parametrize("what", ["languages", "sources", "tasks", "endpoints", "prompts"])
def test_every_list_is_a_table_and_json(what: str) -> None:
    rows = listed(what)
    table = CliRunner().invoke(app, [what]).stdout
    assert all(name.replace("_", " ") in " ".join(table.split()) for name in rows[0])
    assert len(table.splitlines()) > len(rows)
