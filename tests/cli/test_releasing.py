"""`globmed data release` and `globmed data stats`: what they print, and how they fail."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
import typer
from typer.testing import CliRunner

from globmed.cli.releasing import release_command, stats_command
from globmed.core.errors import InputError, TermsError, UsageError
from globmed.core.item import Item, Provenance
from globmed.core.store import writing_stage

app = typer.Typer()
app.command("release")(release_command)
app.command("stats")(stats_command)

MakeStage = Callable[..., Path]


@pytest.fixture
def corpus(tmp_path: Path) -> MakeStage:
    """Write a corpus of one item a source named, and one more in Yoruba of the first."""

    def make(*sources: str, restricted: str = "", question: str = "¿Qué es?") -> Path:
        with writing_stage(tmp_path / "corpus", "corpus") as writer:
            for source in sources:
                origin = Provenance(native_language="es", licence="MIT", may_be_redistributed=source != restricted)
                item = Item(
                    family=f"{source}:1",
                    language="es",
                    kind="mcqa",
                    source=source,
                    split="test",
                    question=question,
                    options=("sí", "no"),
                    answer=(1,),
                    provenance=origin,
                )
                writer.write(f"{source}.es.parquet", [item], Item)
                if source == sources[0]:
                    yoruba = msgspec.structs.replace(
                        item, language="yo", provenance=msgspec.structs.replace(origin, text="machine", model="m")
                    )
                    writer.write(f"{source}.yo.parquet", [yoruba], Item)
        return tmp_path / "corpus"

    return make


def run(*arguments: str | Path) -> str:
    result = CliRunner().invoke(app, list(map(str, arguments)), catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_a_release_says_what_became_of_the_items(tmp_path: Path, corpus: MakeStage) -> None:
    folder = corpus("headqa", "mednli", restricted="mednli")
    with pytest.raises(TermsError, match=r"mednli \(1 items: MIT\).*--leave-out mednli"):
        run("release", folder, "--out", tmp_path)
    said = run(
        *("release", folder, "--out", tmp_path, "--leave-out", "mednli"),
        *("--format", "parquet,jsonl,globmed", "--version", "1.2.0", "--name", "ours", "--date", "2026-11-22"),
    )
    assert "1 left out: mednli" in said
    assert "In the layout of GlobMed's authors" in said
    assert (tmp_path / "release-globmed/GlobMed_HeadQA/yo/test.json").is_file()
    assert (tmp_path / "release/headqa.yo.test.jsonl").is_file()
    card = (tmp_path / "release/README.md").read_text(encoding="utf-8")
    assert "# ours 1.2.0" in card
    assert "HEAD-QA (`headqa`)" in card  # what is known of a source is taken from its module
    assert "Vilares" in card
    found = json.loads(run("release", folder, "--out", tmp_path, "--private", "--json"))
    assert {count["source"]: count["kept"] for count in found["counts"] if count["language"] == "es"} == {
        "headqa": 1,
        "mednli": 1,
    }


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--version", "1.2"), "expected three numbers"),
        (("--leave-out", "headqaa"), "did you mean 'headqa'"),
        (("--format", "parquet,jsnl"), "no format named 'jsnl'; did you mean 'jsonl'"),
        (("--date", "today"), "expected a date"),
    ],
)
def test_wrong_use_is_refused_before_anything_is_written(
    tmp_path: Path, corpus: MakeStage, options: tuple[str, ...], said: str
) -> None:
    folder = corpus("headqa", "medqa")
    with pytest.raises(UsageError, match=said):
        run("release", folder, "--out", tmp_path, *options)
    assert not (tmp_path / "release").exists()


def test_stats_are_tables_json_and_a_page(tmp_path: Path, corpus: MakeStage) -> None:
    folder = corpus("headqa", "medqa")
    said = run("stats", folder, "--out", tmp_path / "page")
    for title in ("Items of the stage 'corpus'", "Length in graphemes", "Where the right option stands", "stats.html"):
        assert title in said
    assert "Èdè Yorùbá" in (tmp_path / "page/stats.html").read_text(encoding="utf-8")
    found = json.loads(run("stats", folder, "--json"))
    assert found["items"] == 3
    assert found["balances"][0] == {
        "source": "headqa",
        "language": "es",
        "options": 2,
        "right": [0, 1],
        "p_value": None,
    }
    with pytest.raises(InputError, match="expected the folder of a finished stage"):
        run("stats", tmp_path)


@pytest.mark.parametrize("options", [(), ("--format", "jsonl"), ("--format", "globmed")])
def test_a_full_disk_exits_with_3_and_leaves_nothing_that_looks_whole(
    tmp_path: Path, corpus: MakeStage, options: tuple[str, ...]
) -> None:
    folder = corpus("headqa", question="¿Qué es? " * 20_000)
    limit = 20_000 if options else 3_000  # bytes: what is to fail differs in size
    code = (
        f"import resource as r; r.setrlimit(r.RLIMIT_FSIZE, ({limit}, {limit})); "
        "import typer; from globmed.cli import main, releasing; main.app = typer.Typer(); "
        "main.app.command('release')(releasing.release_command); main.app.callback()(lambda: None); main.main()"
    )
    command = [sys.executable, "-c", code, "release", str(folder), "--out", str(tmp_path), *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 3, done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert "could not be written: " in done.stderr
    assert "File too large" in done.stderr
    half = "release-globmed" if options[1:] == ("globmed",) else "release"
    assert not (tmp_path / half / "manifest.json").exists()
    assert not list((tmp_path / half).rglob("*.part"))
