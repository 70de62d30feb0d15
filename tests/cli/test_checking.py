"""`globmed data check`: what it prints and how it exits."""

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from globmed.cli.checking import check_command
from globmed.core.errors import CheckFailedError, UsageError
from globmed.core.item import Item, Provenance, TextOrigin
from globmed.core.store import writing_stage


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    def item(code: str, answer: int) -> Item:
        text: TextOrigin = "native" if code == "en" else "machine"
        return Item(
            family="made:1",
            language=code,
            kind="mcqa",
            source="made",
            split="test",
            question="1 + 1?",
            options=("1", "2"),
            answer=(answer,),
            provenance=Provenance(native_language="en", licence="CC0", text=text),
        )

    with writing_stage(tmp_path / "translate", "translate") as writer:
        writer.write("made.en.parquet", [item("en", 1)], Item)
        writer.write("made.es.parquet", [item("es", 0)], Item)
        writer.write("other.fr.parquet", [item("fr", 1)], Item)
    return tmp_path


def run(*arguments: str | Path) -> tuple[str, BaseException | None]:
    app = typer.Typer()
    app.command()(check_command)
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    return result.stdout, result.exception


def test_people_see_a_table_by_check_and_language(dataset: Path) -> None:
    printed, error = run(dataset / "translate", "--out", dataset)
    assert error is None
    (row,) = [line.split() for line in printed.splitlines() if line.strip().startswith("gold")]
    assert row == ["gold", "block", "0", "1", "0"]
    assert "3 items; 1 translations have no original here and were not checked" in printed


def test_machines_see_json(dataset: Path) -> None:
    printed, error = run(dataset / "translate", "--out", dataset, "--json")
    assert error is None
    found = json.loads(printed)
    assert (found["items"], found["without_original"]) == (3, 1)
    assert found["findings"] == [{"language": "es", "check": "gold", "severity": "block", "items": 1, "findings": 1}]


def test_fail_on_makes_it_exit_1_when_something_of_that_severity_stands(dataset: Path) -> None:
    _, error = run(dataset / "translate", "--out", dataset, "--fail-on", "review")
    assert isinstance(error, CheckFailedError)
    assert "1 items with a finding of block or review that stands" in str(error)
    rulings = dataset / "rulings.csv"
    rulings.write_text("family,language,check,reviewer,day\nmade:1,es,gold,Dr A,2026-11-01\n")
    _, error = run(dataset / "translate", "--out", dataset, "--fail-on", "block", "--overrule", rulings)
    assert error is None


def test_an_unknown_severity_is_a_usage_error(dataset: Path) -> None:
    _, error = run(dataset / "translate", "--out", dataset, "--fail-on", "blocks")
    assert isinstance(error, UsageError)
