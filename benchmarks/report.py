"""How long the report of a whole benchmark takes, how much memory, and how large the page is.

    nice -n 19 python benchmarks/report.py [--models 56] [--questions 200] [--sources 10] [--keep FOLDER]

Writes a made-up run, the scores of models that do not exist on questions that do not exist in 12 languages from ten
sources; makes the tables of the analysis, which a run makes once; and then writes the report in a process of its own,
whose time and memory count. Every number in it is invented, and the page says so.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from globmed.bench.asked import ASKED, ITEMS, Asked, asked_folder, models_folder, scores_folder
from globmed.bench.pipeline import bench_analyze
from globmed.bench.scoring import SCORES, Score, score_inputs
from globmed.bench.selection import Plan
from globmed.core.item import Item, Provenance
from globmed.core.language import languages
from globmed.core.store import arrow_schema, writing_stage
from globmed.prompts import load

from measuring import show, show_goals

SECONDS_MAX, MB_MAX, PAGE_MB_MAX = 60.0, 2000.0, 10.0
NOTE = "Made up: none of these models and questions exists, and every number is invented."
_REPORT = """
import resource, sys, time
from pathlib import Path
from globmed.bench.report import write_report
began = time.perf_counter()
files = write_report([Path(sys.argv[1])], out=Path(sys.argv[2]), title="Made-up run of full size", note=sys.argv[3])
print(time.perf_counter() - began, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000, files.html)
"""


def write_run(run: Path, *, models: int, sources: int, questions: int) -> None:
    """Write a scored run of `models` models, with so many questions of each source in every language."""
    codes = tuple(languages())
    plan = msgspec.to_builtins(Plan()) | {"prompts": {f"mcqa/{code}": load("mcqa", code).hash for code in codes}}
    with writing_stage(asked_folder(run), "asked", configuration=plan, inputs={"data": "0" * 64}) as writer:
        writer.write(ITEMS, (_item(s, q, c) for s in range(sources) for q in range(questions) for c in codes), Item)
    for model in range(models):
        configuration = {"task": "mcqa", "model": _name(model), "revision": "made-up"}
        with writing_stage(models_folder(run) / f"m{model}", "model", configuration=configuration) as writer:
            writer.write(ASKED, [], Asked)
    with writing_stage(scores_folder(run), "scores", inputs=score_inputs(run)) as writer:
        schema = arrow_schema(Score)
        with pq.ParquetWriter(writer.folder / SCORES, schema, compression="zstd") as parquet:
            for model in range(models):
                parquet.write_table(_scores(model, models, sources, questions, codes).cast(schema))
        writer.adopt_all()


def _name(model: int) -> str:
    size = ("1b", "4b", "8b", "27b", "70b", "300b")[model % 6]
    return f"made-up/{'medical' if model % 3 == 0 else 'model'}-{model + 1:02}-{size}"


def _item(source: int, question: int, code: str) -> Item:
    origin = Provenance(native_language="en", licence="CC0-1.0", text="native" if code == "en" else "machine")
    return Item(
        family=f"made_up_{source}:{question}",
        language=code,
        kind="mcqa",
        source=f"made_up_{source}",
        split="test",
        question="made up",
        options=("A", "B", "C", "D"),
        answer=(0,),
        provenance=origin,
    )


def _scores(model: int, models: int, sources: int, questions: int, codes: tuple[str, ...]) -> pa.Table:
    """Return a model's scores: skill by model, less in the low-resource languages, and questions of one hardness."""
    rng = np.random.default_rng([3, model])
    source, question, code = (axis.ravel() for axis in np.indices((sources, questions, len(codes))))
    low = np.array([languages()[one].tier == "low" for one in codes])[code]
    hard = np.random.default_rng(7).normal(0, 0.15, (sources, questions))[source, question]
    skill = 0.3 + 0.6 * (model + 0.5) / models - low * rng.uniform(0.05, 0.35) - hard
    right, unread = rng.random(source.size) < skill, rng.random(source.size) < 0.02
    names = np.array([f"made_up_{one}" for one in range(sources)])[source]
    families = np.char.add(np.char.add(names, ":"), question.astype(str))
    outcome = np.where(unread, "unread", np.where(right, "correct", "wrong"))
    plain = Score(
        task="mcqa",
        model=_name(model),
        revision="made-up",
        answer="generate",
        source="",
        family="",
        cluster="",
        language="",
        tier="high",
        native_language="en",
        text="machine",
        run=0,
        options=4,
        chance=0.25,
        reply_status="ok",
        reading_status="read",
        rule="made up",
        letter="A",
        option=0,
        gold=0,
        correct=False,
        outcome="wrong",
        input_tokens=200,
        output_tokens=20,
        cost_usd=0.0002 * (1 + model % 6),
    )
    own = {
        "source": names,
        "family": families,
        "cluster": families,
        "language": np.array(codes)[code],
        "tier": np.where(low, "low", "high"),
        "text": np.where(np.array(codes)[code] == "en", "native", "machine"),
        "correct": right & ~unread,
        "outcome": outcome,
        "option": np.where(right, 0, 1 + question % 3),
        "reading_status": np.where(unread, "unread", "read"),
    }
    schema = arrow_schema(Score)
    columns = {
        field.name: pa.array(own[field.name]).cast(field.type)
        if field.name in own
        else pa.repeat(pa.scalar(getattr(plain, field.name), field.type), source.size)
        for field in schema
    }
    return pa.table(columns, schema=schema)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", type=int, default=56)
    parser.add_argument("--questions", type=int, default=200)
    parser.add_argument("--sources", type=int, default=10)
    parser.add_argument("--keep", type=Path, help="folder to write to, and to keep")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.keep or Path(temporary)
        write_run(folder / "run", models=options.models, sources=options.sources, questions=options.questions)
        began = time.perf_counter()
        bench_analyze(folder / "run")
        analysis = time.perf_counter() - began
        command = [sys.executable, "-c", _REPORT, str(folder / "run"), str(folder / "report"), NOTE]
        told = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
        seconds, memory, page = float(told[0]), float(told[1]), Path(told[2]).stat().st_size / 1e6
    replies = options.models * options.questions * options.sources * len(languages())
    show(
        ("replies", "analysis, s", "report, s", "held, MB", "page, MB"),
        [(f"{replies:,}", f"{analysis:.0f}", f"{seconds:.1f}", f"{memory:,.0f}", f"{page:.1f}")],
    )
    show_goals(
        [
            (f"report in under {SECONDS_MAX:.0f} s", f"{seconds:.1f} s", seconds < SECONDS_MAX),
            (f"in under {MB_MAX:,.0f} MB", f"{memory:,.0f} MB", memory < MB_MAX),
            (f"page under {PAGE_MB_MAX:.0f} MB", f"{page:.1f} MB", page < PAGE_MB_MAX),
        ]
    )


if __name__ == "__main__":
    main()
