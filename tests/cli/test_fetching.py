"""`globmed data fetch`: a row a file, and how to go on."""

import json
from pathlib import Path

import pytest

from globmed.cli.fetching import fetch_command
from globmed.core.errors import UsageError
from globmed.data import fetching
from globmed.data.fetching import FetchedFile, FetchResult
from globmed.data.sources import source

FILES = tuple(
    FetchedFile(name=name, url="https://example.org", revision="", sha256="ab" * 32, bytes=5, day="2026-01-02")
    for name in ("ori_pqal.json", "test_ground_truth.json")
)


@pytest.fixture
def fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    def fetch(name: str, *, out: Path, progress: object) -> FetchResult:
        assert callable(progress)
        return FetchResult(source=source(name), folder=out / name, files=FILES, fetched=frozenset({FILES[0].name}))

    monkeypatch.setattr(fetching, "fetch_source", fetch)


@pytest.mark.usefixtures("fetched")
def test_people_see_what_came_its_licence_and_how_to_go_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fetch_command(["pubmedqa"], out=tmp_path)
    shown = capsys.readouterr().out
    assert "test_ground_truth.json" in shown
    assert "2026-01-02" in shown
    assert "Licence of pubmedqa: MIT" in shown
    assert f"globmed data import pubmedqa={tmp_path / 'pubmedqa'} --out" in shown


@pytest.mark.usefixtures("fetched")
def test_machines_get_one_document(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fetch_command(["pubmedqa"], out=tmp_path, as_json=True)
    rows = json.loads(capsys.readouterr().out)
    assert [(row["source"], row["bytes"], row["fetched"]) for row in rows] == [
        ("pubmedqa", 5, "now"),
        ("pubmedqa", 5, "2026-01-02"),
    ]


def test_a_credentialed_source_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"'mednli' cannot be fetched by a program \(Credentialed users.*physionet"):
        fetch_command(["mednli"], out=tmp_path)
