"""Where a gap comes from: the same questions in English, translated back to English, and in the language."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from msgspec.structs import replace
from typer.testing import CliRunner

from globmed.bench.gap_parts import GapPartRow, gap_part_rows
from globmed.bench.pipeline import analysis_table, bench_analyze, bench_run, bench_score
from globmed.bench.scoring import SCORES, Score
from globmed.bench.selection import Plan
from globmed.bench.stand_ins import COSTS, TO_ENGLISH, TranslationCost
from globmed.bench.verify import verify_run
from globmed.cli.bench import app
from globmed.core.dataset import read_items
from globmed.core.item import Item, Provenance
from globmed.core.store import stage_hash, writing_stage
from globmed.stats.gap_parts import translation_share

PLAN = Plan(answers=("generate", "generate/translated"), scale_limits=False)
RIGHT: dict[str, Callable[[int], bool]] = {
    "en": lambda number: number % 12 > 0,
    # So that enough clusters differ from one another to speak of a spread.
    "back": lambda number: number % 12 in (0, 1, 2, 3, 6, 7, 9),
    "sw": lambda number: number % 12 in (0, 4, 5, 6, 9),
    # In Spanish the model does as well as in English.
    "es": lambda number: number % 12 > 0,
}


def with_longest(item: Item, *, right: bool) -> Item:
    """Make the longest option, which is what `longest` answers, the right one or another."""
    place = (item.answer[0] + (not right)) % len(item.options)
    return replace(item, options=tuple(name[0] + "xxx" * (at == place) for at, name in enumerate(item.options)))


def number_of(item: Item) -> int:
    return int(item.family.partition(":")[2])


def run_of(make_data: Callable[..., Path], folder: Path) -> Path:
    """Ask `longest` the questions and their translations back, and score its replies."""
    data = make_data(change=lambda item: with_longest(item, right=RIGHT[item.language](number_of(item))))
    made, costs = [], []
    for item in read_items(data, splits=["test"]):
        if item.language != "en":
            right = RIGHT["back" if item.language == "sw" else "es"](number_of(item))
            terms = Provenance(native_language="en", licence="", model="translator", translated_from=item.language)
            made.append(with_longest(item, right=right).made_into(provenance=terms))
            costs.append(
                TranslationCost(
                    family=item.family, language=item.language, input_tokens=1, output_tokens=1, cost_usd=None
                )
            )
    inputs, configuration = {"data": stage_hash(data)}, {"models": [["translator", "1"]]}
    with writing_stage(folder / "tr" / TO_ENGLISH, TO_ENGLISH, configuration=configuration, inputs=inputs) as writer:
        for code in ("es", "sw"):
            writer.write(f"made.{code}.parquet", [item for item in made if item.language == code], Item)
        writer.write(COSTS, costs, TranslationCost)
    bench_run(["longest"], data=data, plan=PLAN, out=folder / "run", translations=folder / "tr")
    bench_score(folder / "run")
    return folder / "run"


def test_a_real_run_says_what_of_a_gap_the_texts_may_explain(make_data: Callable[..., Path], tmp_path: Path) -> None:
    run = run_of(make_data, tmp_path)
    bench_analyze(run)
    rows = {row["language"]: row for row in analysis_table(run, "gap_parts").to_pylist()}
    assert set(rows) == {"es", "sw"}
    sw, numbers = rows["sw"], range(30, 54)
    english, back, target = ([RIGHT[text](number) for number in numbers] for text in ("en", "back", "sw"))
    expected = translation_share(english, back, target, np.arange(24) // 2)
    assert (sw["english"], sw["between"], sw["target"]) == pytest.approx((22 / 24, 14 / 24, 10 / 24))
    assert (sw["gap"], sw["lost"], sw["remains"]) == pytest.approx((-12 / 24, -8 / 24, -4 / 24))
    assert [sw[f"share{end}"] for end in ("", "_low", "_high")] == pytest.approx(list(expected.share.interval[:3]))
    assert [sw["gap_low"], sw["gap_high"]] == pytest.approx([expected.gap.low, expected.gap.high])
    assert sw["share"] == pytest.approx(8 / 12)
    assert (sw["answer"], sw["tier"], sw["pairs"], sw["clusters"], sw["own"]) == ("generate", "low", 24, 12, 0)
    # Without a gap there is nothing to share out, and no interval is made of nothing.
    assert np.isnan([rows["es"][name] for name in ("share", "share_low", "gap_low", "remains_high")]).all()
    assert rows["es"]["reason"] == "all but 0 question clusters are alike: too little is known of the spread"
    shown = CliRunner().invoke(app, ["gaps", str(run)], catch_exceptions=False).stdout
    assert "Where gaps to English come from" in shown
    assert "67 (" in shown
    verdicts = {verdict.part: verdict.holds for verdict in verify_run(run)}
    assert verdicts["analysis/gap_parts.parquet"]
    assert all(verdicts.values())


def score(number: int, language: str, answer: str, *, right: bool, **changes: Any) -> Score:
    row: dict[str, Any] = {
        "task": "mcqa",
        "model": "m",
        "revision": "",
        "answer": answer,
        "source": "made",
        "family": f"made:{number}",
        "cluster": f"made:{number // 2}",
        "language": language,
        "tier": "high" if language == "en" else "low",
        "native_language": "en",
        "text": "native" if language == "en" else "machine",
        "run": 0,
        "options": 4,
        "chance": 0.25,
        "reply_status": "ok",
        "reading_status": "read",
        "rule": "test",
        "letter": "A",
        "option": 0,
        "correct": right,
        "outcome": "correct" if right else "wrong",
    }
    return msgspec.convert(row | changes, Score)


def three(number: int, shares: tuple[float, float, float], rng: np.random.Generator, **changes: Any) -> list[Score]:
    """Answers to one question in English, translated back from Swahili, and in Swahili."""
    english, back, target = (bool(rng.random() < share) for share in shares)
    of_language = {name: value for name, value in changes.items() if name not in ("text", "had_a_hand")}
    return [
        score(number, "en", "generate", right=english, **of_language),
        score(number, "sw", "generate/translated", right=back, **changes),
        score(number, "sw", "generate", right=target, **changes),
    ]


def parts(folder: Path, scores: list[Score]) -> list[GapPartRow]:
    with writing_stage(folder / "scores", "scores") as writer:
        writer.write(SCORES, scores, Score)
    return list(gap_part_rows(folder / "scores"))


def test_only_translated_questions_asked_in_all_three_texts_count(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    shares = (0.9, 0.7, 0.4)
    scores = [row for number in range(60) for row in three(number, shares, rng)]
    scores += [row for number in range(60, 70) for row in three(number, shares, rng, native_language="sw")]
    scores += [row for number in range(70, 80) for row in three(number, shares, rng, text="native")]
    scores += [row for number in range(80, 90) for row in three(number, shares, rng)[:2]]
    scores += [row for number in range(90, 99) for row in three(number, shares, rng, reply_status="error")]
    scores += [row for number in range(99, 105) for row in three(number, shares, rng, options=0)]
    (row,) = parts(tmp_path, scores)
    assert (row.pairs, row.clusters) == (60, 30)
    assert row.gap == pytest.approx(row.lost + row.remains)
    assert row.english + row.gap == pytest.approx(row.target)
    assert not row.reason
    assert row.share_low < row.share < row.share_high


def test_without_answers_to_what_was_translated_back_there_is_nothing(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    whole = [row for number in range(30) for row in three(number, (0.9, 0.7, 0.4), rng)]
    assert parts(tmp_path / "direct", [row for row in whole if row.answer == "generate"]) == []
    assert parts(tmp_path / "back", [row for row in whole if row.answer != "generate"]) == []
    assert parts(tmp_path / "abroad", [row for row in whole if row.language != "en"]) == []
    other = [replace(row, answer="generate/held_out") if row.answer == "generate" else row for row in whole]
    assert parts(tmp_path / "other", other) == []


def test_runs_of_a_question_are_averaged(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    once = [row for number in range(40) for row in three(number, (0.9, 0.7, 0.4), rng)]
    again = [replace(row, run=1, correct=not row.correct) if row.language == "en" else row for row in once]
    both = once + [row for row in again if row.language == "en"]
    (row,) = parts(tmp_path, both)
    assert row.english == 0.5
    assert row.pairs == 40


def test_questions_that_the_model_translated_itself_are_counted(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    scores = [row for number in range(40) for row in three(number, (0.9, 0.7, 0.4), rng, had_a_hand=number < 7)]
    (row,) = parts(tmp_path, scores)
    assert row.own == 7


@pytest.mark.parametrize(
    ("questions", "reason"),
    [
        (2, "fewer than two question clusters: nothing is known of the spread"),
        (6, "fewer than 10 question clusters"),
    ],
)
def test_too_few_clusters_are_a_reason_and_no_number(tmp_path: Path, questions: int, reason: str) -> None:
    rng = np.random.default_rng(4)
    (row,) = parts(tmp_path, [row for number in range(questions) for row in three(number, (1.0, 0.5, 0.0), rng)])
    assert row.reason == reason
    bounds = [getattr(row, f"{name}_{end}") for name in ("gap", "lost", "remains", "share") for end in ("low", "high")]
    assert np.isnan([*bounds, row.share]).all()
    means = [row.english, row.between, row.target, row.gap, row.lost, row.remains]
    assert np.isnan(means).all() == (questions == 2)


def test_a_share_is_declined_where_the_gap_may_be_nothing_or_is_a_gain(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    (alike,) = parts(tmp_path / "a", [row for n in range(60) for row in three(n, (0.6, 0.5, 0.58), rng)])
    assert alike.reason == "share: the gap is not clearly different from 0"
    (better,) = parts(tmp_path / "b", [row for n in range(60) for row in three(n, (0.3, 0.5, 0.9), rng)])
    assert better.reason == "share: the language does better than English"
    assert np.isfinite([alike.gap_low, alike.lost_low, better.remains_low]).all()
    assert np.isnan([alike.share, alike.share_high, better.share, better.share_low]).all()


def test_a_loss_that_hardly_any_question_shows_has_no_interval_and_no_share(tmp_path: Path) -> None:
    rng = np.random.default_rng(6)
    scores = []
    for number in range(60):
        english, back, target = three(number, (0.95, 0.5, 0.4), rng)
        scores += [english, replace(back, correct=english.correct), target]
    (row,) = parts(tmp_path, scores)
    alike = "all but 0 question clusters are alike: too little is known of the spread"
    assert row.reason == f"lost: {alike}; share: {alike}"
    assert row.lost == 0
    assert np.isnan([row.lost_low, row.share]).all()
    assert row.remains_high < 0


def of_two_origins(seed: int, *, revised: int = 60) -> list[Score]:
    """Answers in English and Swahili to 200 questions, the first of which an expert revised, by any seed."""
    rng = np.random.default_rng(seed)
    rows = [
        three(n, (0.9, 0.5, 0.7 if n < revised else 0.4), rng, text="expert" if n < revised else "machine")
        for n in range(200)
    ]
    return [row for one in rows for row in one if row.answer == "generate"]


def test_what_an_expert_mended_is_the_least_that_translation_explains(tmp_path: Path) -> None:
    scores = of_two_origins(7)
    (row,) = parts(tmp_path, scores)
    right = {(int(one.family[5:]), one.language): float(one.correct) for one in scores}
    revised, machine = (
        np.array([right[n, "sw"] - right[n, "en"] for n in numbers]) for numbers in (range(60), range(60, 200))
    )
    assert (row.by, row.pairs, row.revised, row.clusters) == ("revised", 140, 60, 30)
    assert row.gap == pytest.approx(machine.mean())
    assert row.remains == pytest.approx(revised.mean())
    assert row.lost == pytest.approx(machine.mean() - revised.mean())
    assert row.share == pytest.approx(1 - revised.mean() / machine.mean())
    assert row.between == pytest.approx(np.mean([right[n, "sw"] for n in range(60)]))
    assert row.share_low < row.share < row.share_high
    assert row.lost_low < row.lost < row.lost_high < 0


def test_a_language_all_of_one_origin_or_hardly_revised_gives_no_share(tmp_path: Path) -> None:
    assert parts(tmp_path / "none", of_two_origins(8, revised=0)) == []
    assert parts(tmp_path / "all", of_two_origins(8, revised=200)) == []
    (few,) = parts(tmp_path / "few", of_two_origins(8, revised=8))
    assert few.reason == (
        "lost: fewer than 10 question clusters; remains: fewer than 10 question clusters; "
        "share: fewer than 10 question clusters"
    )
    assert np.isnan([few.share, few.lost_low, few.remains_high]).all()
    assert np.isfinite(few.gap_low)
    (one,) = parts(tmp_path / "one", of_two_origins(8, revised=2))
    assert np.isnan([one.gap, one.lost, one.remains, one.between]).all()
