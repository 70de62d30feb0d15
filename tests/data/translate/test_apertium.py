"""Real items through a real engine, every check and the way back: English into Spanish by Apertium."""

import shutil
from pathlib import Path

import pytest

from globmed.core.dataset import read_items
from globmed.data import pipeline
from globmed.data.quality import check_translation
from globmed.data.translate.opening import open_by_name
from globmed.data.translate.outcomes import outcome_rows
from globmed.data.translate.plan import Plan, Share
from globmed.data.translate.translating import translate_dataset
from globmed.data.translate.work import Job

FIXTURE = Path(__file__).parents[1] / "fixtures" / "medqa"

pytestmark = pytest.mark.skipif(
    shutil.which("apertium") is None, reason="apertium is not installed (Debian: apertium, apertium-eng-spa)"
)


def test_real_items_are_translated_into_spanish(tmp_path: Path) -> None:
    imported = pipeline.import_dataset([f"medqa={FIXTURE}"], out=tmp_path)
    plan = Plan(translators=(Share("apertium", 1.0),), languages=("es",), back="apertium")
    job = Job(folder=imported.folder, plan=plan, out=tmp_path, check=check_translation, open_model=open_by_name)
    manifest = translate_dataset(job)
    originals = {item.family: item for item in read_items(tmp_path / "translate", languages=["en"])}
    made = list(read_items(tmp_path / "translate", languages=["es"]))
    read = sum(count.read for count in manifest.counts if count.language == "es")
    assert read == len(originals) > 0
    assert made, "Apertium's Spanish passes the checks at least once"
    for item in made:
        original = originals[item.family]
        assert item.question != original.question
        assert len(item.options) == len(original.options)
        assert item.answer == original.answer
        assert item.provenance.steps[-1].name == "agreement"
        assert not item.blocked
    words = " ".join(item.question for item in made).casefold().split()
    assert {"de", "el"} <= set(words)
    (row,) = outcome_rows(tmp_path / "translate")
    assert row["translator"] == "apertium:eng-spa"
    assert row["accepted"] + row["review"] + sum(row["dropped"].values()) == read
