"""`globmed list`: filters that filter, and names that are nearly right."""

import json
from dataclasses import replace
from typing import Any

import pytest
from typer.testing import CliRunner

from globmed.cli.listing import _obtained, _terms, app, source_facts
from globmed.core.errors import UsageError
from globmed.data.sources import HubFiles, WebFile, source


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


def test_a_source_is_listed_with_its_terms_and_where_to_get_it() -> None:
    rows = {row["name"]: row for row in listed("sources")}
    assert set(rows["headqa"]) == {"name", "title", "languages", "rows", "licence", "terms", "citation", "to get it"}
    assert rows["headqa"]["languages"] == "es, en (native es)"
    assert rows["pubmedqa"]["languages"] == "en"
    assert all(row["citation"] and row["to get it"] for row in rows.values())


def test_what_the_terms_forbid_is_said_and_what_can_be_fetched_too() -> None:
    made = replace(
        source("pubmedqa"),
        terms="sign first",
        obtain="download it",
        may_be_redistributed=False,
        may_leave_machine=False,
        downloads=(
            WebFile(url="https://example.org/a", name="a"),
            HubFiles(repository="o/n", revision="r", patterns=()),
        ),
    )
    assert _terms(made) == "sign first; not to be published; not to be sent to endpoints of others"
    assert _terms(replace(made, terms="", may_be_redistributed=True, may_leave_machine=True)) == "–"
    assert _obtained(made) == "`globmed data fetch pubmedqa`, or: download it"
    assert _obtained(replace(made, obtain="Run `globmed data fetch pubmedqa`")) == "Run `globmed data fetch pubmedqa`"
    assert _obtained(replace(made, downloads=())) == "download it"
    facts = source_facts(made)
    assert facts["fetched by globmed"] == ("https://example.org/a", "o/n at r on the Hugging Face Hub")


def test_one_source_is_shown_whole() -> None:
    shown = " ".join(CliRunner().invoke(app, ["sources", "headqa"]).stdout.split())
    for said in ("native language es", "https://github.com/aghie/head-qa", "may be redistributed yes", "ACL 2019"):
        assert said in shown
    facts: dict[str, Any] = json.loads(CliRunner().invoke(app, ["sources", "headqa", "--json"]).stdout)
    assert facts["may be redistributed"] is True
    result = CliRunner().invoke(app, ["sources", "headqaa"])
    assert isinstance(result.exception, UsageError)
    assert "did you mean 'headqa'?" in str(result.exception)
