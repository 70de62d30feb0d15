"""How long `globmed bench view` takes to find replies among millions: structured filters and searches for text.

    python benchmarks/view.py [--replies 5000000] [--queries 200] [--folder FOLDER]

A made-up run: 56 models, 12 languages, replies of some 250 characters that are all different, drawn from words of
made-up vocabularies (Zipf) in three scripts. Each query is new to the view and asks for its first page: the questions,
the replies shown, and how many there are of both. Filters name one to three values at once, most of them one; half of
the searches are within a filter. What is searched for is common, rare, a part of a word, two words, or nowhere at all.
Prints medians and 95th percentiles, and whether the goals are met.
"""

from __future__ import annotations

import argparse
import os
import resource
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from globmed.bench.view.build import QUESTIONS, write_view
from globmed.bench.view.filters import Filter
from globmed.bench.view.records import Question
from globmed.bench.view.store import View
from globmed.core.language import languages
from globmed.core.store import writing_stage

from measuring import note, show, show_goals

STRUCTURED_SECONDS_MAX = 0.3
TEXT_SECONDS_MAX = 1.5

MODELS = 56
VOCABULARY = 20_000
SENTENCES = 20_000
_LATIN = ("ka", "ro", "mi", "ta", "né", "su", "lo", "ví", "pa", "de", "zu", "ji", "ba", "fọ", "gù", "wë")
_HAN = tuple(
    "的一是在不了有和人这中大为上个国我以要他时来用们生到作地于出就分对成会可主发年动同工也能下过子说产种面而方后多定行学法所民得经"
)
_HANGUL = tuple("가나다라마바사아자차카타파하고노도로모보소오조초코토포호구누두루무부수우주추쿠투푸후")


class Words:
    """Made-up text in one language."""

    def __init__(self, code: str, rng: np.random.Generator) -> None:
        """Make a vocabulary, and sentences of it."""
        parts = _HAN if code in ("zh", "ja") else _HANGUL if code == "ko" else _LATIN
        self.words = ["".join(rng.choice(parts, rng.integers(2, 5))) for _ in range(VOCABULARY)]
        share = 1 / np.arange(1, VOCABULARY + 1)
        drawn = rng.choice(VOCABULARY, (SENTENCES, 22), p=share / share.sum())
        lengths = rng.integers(8, 23, SENTENCES)
        self.sentences = [
            " ".join(self.words[word] for word in row[:length]) for row, length in zip(drawn, lengths, strict=True)
        ]


def made_questions(words: dict[str, Words], families: int) -> Iterator[Question]:
    """Yield questions numbered by family and language."""
    rng = np.random.default_rng(1)
    for family in range(families):
        for place, code in enumerate(sorted(words)):
            texts = [words[code].sentences[index] for index in rng.integers(0, SENTENCES, 5)]
            yield Question(
                item=family * len(words) + place,
                source=f"source {family % 10}",
                family=f"made:{family:06}",
                language=code,
                native_language="en",
                origin="native" if code == "en" else "machine",
                kind="mcqa",
                turns=(),
                context="",
                question=texts[0],
                options=tuple(text[:40] for text in texts[1:]),
                answer=(0,),
                reference=(),
                findings=(),
            )


def write_made(folder: Path, words: dict[str, Words], *, families: int) -> tuple[Path, Path]:
    """Write scores and texts of all models, in one order, and return their files."""
    scores, texts = folder / "scores.parquet", folder / "texts.parquet"
    with _Writer(scores) as write_scores, _Writer(texts) as write_texts:
        for model in range(MODELS):
            rng = np.random.default_rng([2, model])
            for code in sorted(words):
                write_scores(_scores(model, code, families, rng))
                write_texts(_texts(model, code, families, words[code], rng))
    return scores, texts


class _Writer:
    def __init__(self, path: Path) -> None:
        self._path, self._file = path, None

    def __enter__(self) -> Callable[[pa.Table], None]:
        return self._write

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()

    def _write(self, table: pa.Table) -> None:
        self._file = self._file or pq.ParquetWriter(self._path, table.schema)
        self._file.write_table(table)


def _families(families: int) -> list[str]:
    return [f"made:{family:06}" for family in range(families)]


def _scores(model: int, code: str, families: int, rng: np.random.Generator) -> pa.Table:
    kinds = np.array(["correct", "wrong", "unread", "refused", "truncated", "error"], dtype=object)
    right = 0.4 + model / 150
    outcome = rng.choice(kinds, families, p=[right, 0.95 - right, 0.02, 0.01, 0.01, 0.01])
    read = np.isin(outcome, ["correct", "wrong"])
    option = np.where(outcome == "correct", 0, rng.integers(1, 4, families))
    same = {"task": "mcqa", "model": f"model-{model:02}", "revision": "1", "answer": "generate", "language": code}
    return pa.table(
        {name: pa.array([value] * families) for name, value in same.items()}
        | {
            "source": pa.array([f"source {family % 10}" for family in range(families)]),
            "family": pa.array(_families(families)),
            "run": pa.array(np.zeros(families, dtype=np.int64)),
            "options": pa.array(np.full(families, 4)),
            "outcome": pa.array(outcome),
            "reading_status": pa.array(np.where(read, "read", "unread").astype(object)),
            "rule": pa.array(["statement"] * families),
            "letter": pa.array(np.array(list("ABCD"), dtype=object)[option], mask=~read),
            "option": pa.array(option, mask=~read),
            "correct": pa.array(outcome == "correct"),
            "region_bound": pa.array(np.arange(families) % 50 == 0),
        }
    )


def _texts(model: int, code: str, families: int, words: Words, rng: np.random.Generator) -> pa.Table:
    drawn = rng.integers(0, SENTENCES, (families, 2))
    replies = [
        f"{words.sentences[one]}. {words.sentences[other]}. Answer {model}-{family}"
        for family, (one, other) in enumerate(drawn)
    ]
    return pa.table(
        {
            "family": pa.array(_families(families)),
            "language": pa.array([code] * families),
            "finish": pa.array(["stop"] * families),
            "reply": pa.array(replies),
        }
    )


def structured(rng: np.random.Generator, view: View) -> Filter:
    """Draw a filter without a text."""
    values = {name: str(rng.choice(found)) for name, found in view.facets.items() if len(found) > 1}
    values["named"] = str(rng.choice(["lost", "all_wrong", "region_bound"]))
    chosen = rng.choice(sorted(values), rng.choice([1, 2, 3], p=[0.5, 0.3, 0.2]), replace=False)
    return Filter(**{str(name): values[str(name)] for name in chosen})  # type: ignore[arg-type]


def searching(rng: np.random.Generator, view: View, words: dict[str, Words]) -> Filter:
    """Draw a search, half of them within a filter."""
    own = words[str(rng.choice(sorted(words)))]
    common, rare = own.words[int(rng.integers(0, 50))], own.words[int(rng.integers(5_000, VOCABULARY))]
    sentence = own.sentences[int(rng.integers(0, SENTENCES))].split()
    texts = (common, rare, rare[1:], " ".join(sentence[:2]), "nowhere at all", f"answer {rng.integers(0, MODELS)}-77")
    within = structured(rng, view) if rng.random() < 0.5 else Filter()
    names = ("task", "source", "language", "model", "answer", "outcome", "named")
    kept = {name: getattr(within, name) for name in names}
    return Filter(**kept, text=str(rng.choice(texts)))


def seconds(view: View, draw: Callable[[], Filter], *, queries: int) -> list[float]:
    """Return how long each of so many queries took."""
    took = []
    for _ in range(queries):
        wanted = draw()
        view.matches.cache_clear()
        start = time.perf_counter()
        view.page(wanted)
        took.append(time.perf_counter() - start)
    return took


def make(folder: Path, *, families: int, words: dict[str, Words]) -> Path:
    """Write the made-up view, and say what that took."""
    stage = folder / "view"
    scores, texts = write_made(folder, words, families=families)
    start = time.perf_counter()
    with writing_stage(stage, "view") as writer:
        writer.write(QUESTIONS, made_questions(words, families), Question)
        write_view(writer, scores=scores, texts=texts)
        writer.adopt_all()
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    sizes = ", ".join(f"{path.name} {path.stat().st_size / 1e6:.0f} MB" for path in sorted(stage.glob("*.*")))
    note(f"sorted and indexed in {time.perf_counter() - start:.0f} s, at most {peak_mb:.0f} MB; {sizes}")
    scores.unlink()
    texts.unlink()
    return stage


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--replies", type=int, default=5_000_000)
    parser.add_argument("--queries", type=int, default=200)
    parser.add_argument("--folder", type=Path, help="Keep the made-up run there, or use the one that is there.")
    options = parser.parse_args()
    rng = np.random.default_rng(0)
    words = {code: Words(code, np.random.default_rng([0, number])) for number, code in enumerate(languages())}
    families = -(-options.replies // (MODELS * len(words)))
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        folder.mkdir(exist_ok=True, parents=True)
        stage = folder / "view"
        if not (stage / "manifest.json").is_file():
            make(folder, families=families, words=words)
        start = time.perf_counter()
        view = View(stage)
        note(f"opened in {time.perf_counter() - start:.1f} s; load {os.getloadavg()[0]:.1f}; {os.cpu_count()} cores")
        kinds = {
            "structured": (
                seconds(view, lambda: structured(rng, view), queries=options.queries),
                STRUCTURED_SECONDS_MAX,
            ),
            "text": (seconds(view, lambda: searching(rng, view, words), queries=options.queries), TEXT_SECONDS_MAX),
        }
        note(f"load after {os.getloadavg()[0]:.1f}")
    rows = [
        (name, f"{len(took)}", *(f"{1000 * np.percentile(took, share):.0f}" for share in (50, 95, 100)))
        for name, (took, _) in kinds.items()
    ]
    show((f"{families * MODELS * len(words):,} replies", "queries", "median ms", "95 % ms", "most ms"), rows)
    show_goals(
        [
            (
                f"{name}: 95 % under {1000 * most:.0f} ms",
                f"{1000 * np.percentile(took, 95):.0f} ms",
                np.percentile(took, 95) < most,
            )
            for name, (took, most) in kinds.items()
        ]
    )


if __name__ == "__main__":
    main()
