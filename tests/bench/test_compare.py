"""Two models are compared on what both answered, and every number is that of the paired answers."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from globmed.bench.asked import asked_folder, scores_folder
from globmed.bench.compare import Comparison, compare
from globmed.bench.paired import GAP, CompareRow
from globmed.bench.scoring import SCORES, Score, score_inputs
from globmed.core.errors import HashMismatchError, InputError, UsageError
from globmed.core.store import MANIFEST, read_manifest, writing_stage
from globmed.stats.comparison import paired_difference
from globmed.stats.paired_tests import mcnemar
from globmed.stats.power import clusters_needed, smallest_gap, spread_of

PLAN: dict[str, Any] = {
    "task": "mcqa",
    "split": "test",
    "answers": ["generate"],
    "prompts": {"mcqa/en": "aaa", "mcqa/sw": "bbb"},
    "settings": {"max_tokens": 512},
    "scale_limits": True,
}
FAILED = {"reply_status": "error", "outcome": "error", "reading_status": "empty", "correct": False}


def score(model: str, number: int, language: str, *, right: bool, **changes: Any) -> Score:
    row: dict[str, Any] = {
        "task": "mcqa",
        "model": model,
        "revision": "",
        "answer": "generate",
        "source": "made",
        "family": f"made:{number}",
        "cluster": f"made:{number}",
        "language": language,
        "tier": "low" if language in ("sw", "yo") else "high",
        "native_language": "en",
        "text": "native",
        "run": 0,
        "options": 4,
        "chance": 0.25,
        "reply_status": "ok",
        "reading_status": "read",
        "rule": "test",
        "letter": "A",
        "option": 0,
        "gold": 0,
        "correct": right,
        "outcome": "correct" if right else "wrong",
    }
    return msgspec.convert(row | changes, Score)


def drawn(
    shares: dict[str, float], *, languages: tuple[str, ...] = ("en", "sw"), questions: int = 60, **changes: Any
) -> list[Score]:
    rng = np.random.default_rng(0)
    cells = [(model, n, code) for n in range(questions) for model in shares for code in languages]
    return [score(model, n, code, right=bool(rng.random() < shares[model]), **changes) for model, n, code in cells]


def made_run(folder: Path, scores: Iterable[Score], *, data: str = "d", **plan: Any) -> Path:
    """Write a run that was asked and scored, with these scores."""
    with writing_stage(asked_folder(folder), "asked", configuration=PLAN | plan, inputs={"data": data}):
        pass
    with writing_stage(scores_folder(folder), "scores", inputs=score_inputs(folder)) as writer:
        writer.write(SCORES, scores, Score)
    return folder


def rows_of(found: Comparison) -> dict[str, CompareRow]:
    return {row.group: row for row in found.rows}


def test_numbers_are_those_of_the_paired_answers(tmp_path: Path) -> None:
    scores = drawn({"a": 0.4, "b": 0.8})
    found = compare(made_run(tmp_path / "run", scores), models=("a", "b"))
    rows = rows_of(found)
    assert list(rows) == ["en", "sw", "high", "low", "all"]
    first, second = ([row.correct for row in scores if (row.model, row.language) == (m, "sw")] for m in ("a", "b"))
    row = rows["sw"]
    assert [row.first, row.second] == [sum(first) / 60, sum(second) / 60]
    assert (row.difference, row.low, row.high, row.pairs, row.clusters) == pytest.approx(
        paired_difference(first, second, np.arange(60))
    )
    counts = mcnemar(first, second, np.arange(60))
    assert (row.only_first, row.only_second) == (counts.first_only, counts.second_only)
    assert (row.mcnemar, row.mcnemar_kind) == (counts.mid, "mid-p")
    spread = spread_of(np.subtract(second, first, dtype=float), np.arange(60))
    assert row.smallest_gap == pytest.approx(smallest_gap(60, spread=spread, contrasts=2))
    assert row.clusters_for_gap == clusters_needed(GAP, spread=spread, contrasts=2)
    # Two languages of one question are two replies and one question.
    every = rows["all"]
    assert (every.pairs, every.clusters, every.mcnemar_kind) == (120, 60, "clustered")
    assert every.p < 0.001


def test_p_values_are_corrected_for_the_languages_looked_at(tmp_path: Path) -> None:
    languages = ("en", "es", "fr", "sw")
    rows = rows_of(compare(made_run(tmp_path / "run", drawn({"a": 0.4, "b": 0.55}, languages=languages)), models="ab"))
    told = sorted((rows[code].p, rows[code].p_family) for code in languages)
    expected, before = [], 0.0
    for place, (p, _) in enumerate(told):
        before = max(before, min(1.0, (4 - place) * p))
        expected.append(before)
    assert [corrected for _, corrected in told] == pytest.approx(expected)
    assert rows["all"].p_family == rows["all"].p


def test_the_second_less_the_first_whichever_way_they_are_named(tmp_path: Path) -> None:
    run = made_run(tmp_path / "run", drawn({"a": 0.3, "b": 0.7}))
    there, back = (rows_of(compare(run, models=names))["all"] for names in (("a", "b"), ("b", "a")))
    assert there.difference == pytest.approx(-back.difference)
    assert (there.low, there.p) == pytest.approx((-back.high, back.p), abs=1e-3)


def test_only_what_both_answered_is_compared(tmp_path: Path) -> None:
    first = made_run(
        tmp_path / "a",
        [msgspec.structs.replace(row, **FAILED) if row.family == "made:7" else row for row in drawn({"m": 0.5})],
    )
    # The other run went on to more questions, left Swahili half-way and asked Yoruba, all of the same data.
    more = drawn({"n": 0.5}, languages=("en", "sw", "yo"), questions=80)
    second = made_run(tmp_path / "b", [row for row in more if row.language != "sw" or int(row.family[5:]) < 30])
    found = compare(first, second)
    rows = rows_of(found)
    assert (rows["en"].pairs, rows["sw"].pairs, rows["all"].pairs) == (59, 29, 88)
    assert "yo" not in rows
    assert found.unpaired == 120 + 190 - 2 * 88


def test_sources_are_told_apart_when_asked(tmp_path: Path) -> None:
    scores = drawn({"a": 0.5, "b": 0.6})
    other = [
        msgspec.structs.replace(row, source="other", family=f"o{row.family}", cluster=f"o{row.cluster}")
        for row in drawn({"a": 0.2, "b": 0.3}, questions=30)
    ]
    run = made_run(tmp_path / "run", [*scores, *other])
    assert {row.source for row in compare(run, models="ab").rows} == {"all"}
    rows = [row for row in compare(run, models="ab", by_source=True).rows if row.group == "all"]
    assert [(row.source, row.pairs) for row in rows] == [("all", 180), ("made", 120), ("other", 60)]


def test_conditions_are_compared_each_with_itself_or_as_named(tmp_path: Path) -> None:
    scores = drawn({"a": 0.5, "b": 0.5})
    scores += drawn({"a": 0.9, "b": 0.5}, answer="generate/english")
    run = made_run(tmp_path / "run", scores, answers=["generate", "generate/english"])
    told = [(row.answer, row.other_answer) for row in compare(run, models="ab").rows if row.group == "all"]
    assert told == [("generate", "generate"), ("generate/english", "generate/english")]
    crossed = rows_of(compare(run, models="a", answers=("generate", "generate/english")))["all"]
    assert (crossed.answer, crossed.other_answer) == ("generate", "generate/english")
    assert crossed.difference > 0.3
    with pytest.raises(UsageError, match="no replies under 'generate/steps'"):
        compare(run, models="ab", answers=("generate/steps",))
    with pytest.raises(UsageError, match="a would be compared with itself"):
        compare(run, models="a", answers=("generate", "generate"))


def test_other_translations_are_refused_where_both_were_asked_them(tmp_path: Path) -> None:
    shares = {"one": 0.8}
    scores = drawn(shares) + drawn(shares, answer="generate/translated")
    asked: dict[str, Any] = {"answers": ["generate", "generate/translated"]}
    runs = [
        made_run(tmp_path / f"{by}{stage}", scores, **asked, translations={"stage": stage, "models": [[by, "1"]]})
        for by, stage in (("nllb", "aa"), ("madlad", "bb"), ("nllb", "cc"))
    ]
    with pytest.raises(
        UsageError, match=r"other translations \(by: nllb and madlad and 1 more\).*--despite translations"
    ):
        compare(runs[0], runs[1])
    with pytest.raises(UsageError, match=r"other translations \(hash: aa and cc\)"):
        compare(runs[0], runs[2])
    # The items' own texts are the same whoever translated, and one side's translations are what is set against them.
    assert not compare(runs[0], runs[1], answers=["generate"]).allowed
    assert not compare(runs[0], runs[1], answers=["generate", "generate/translated"]).allowed
    allowed = compare(runs[0], runs[1], answers=["generate/translated"], despite=["translations"]).allowed
    assert set(allowed) == {"translations"}


def test_items_that_one_of_the_two_made_can_be_left_out(tmp_path: Path) -> None:
    scores = drawn({"a": 0.5, "b": 0.5, "c": 0.5})
    scores = [
        msgspec.structs.replace(row, had_a_hand=row.language == "sw" and row.model == model)
        for row in scores
        for model in ["b" if int(row.family[5:]) < 20 else "c"]
    ]
    run = made_run(tmp_path / "run", scores)
    found, without = (compare(run, models="ab", independent=own) for own in (False, True))
    assert found.conflicts == without.conflicts == 20
    assert (rows_of(found)["sw"].pairs, rows_of(without)["sw"].pairs) == (60, 40)
    assert rows_of(without)["en"].pairs == 60
    every = made_run(tmp_path / "every", [msgspec.structs.replace(row, had_a_hand=True) for row in scores])
    with pytest.raises(UsageError, match="had a hand in all 120 items"):
        compare(every, models="ab", independent=True)


def test_too_few_questions_give_no_number(tmp_path: Path) -> None:
    one = rows_of(compare(made_run(tmp_path / "one", drawn({"a": 0.5, "b": 0.5}, cluster="same")), models="ab"))["all"]
    numbers = (one.first, one.second, one.difference, one.low, one.high, one.p, one.p_family, one.mcnemar)
    assert all(np.isnan(number) for number in (*numbers, one.smallest_gap))
    assert (one.reason, one.mcnemar_kind, one.clusters_for_gap) == ("fewer than two question clusters", "", None)
    few_scores = drawn({"a": 0.5, "b": 0.5}, questions=6)
    few = rows_of(compare(made_run(tmp_path / "few", few_scores), models="ab"))["en"]
    assert few.reason == "fewer than 10 question clusters"
    assert np.isnan(few.low)
    assert np.isnan(few.smallest_gap)
    assert not np.isnan(few.difference)
    # An exact test needs no spread; the clustered one does.
    assert (few.mcnemar_kind, np.isnan(few.mcnemar)) == ("mid-p", False)
    pairs = [msgspec.structs.replace(row, cluster=f"made:{int(row.family[5:]) // 2}") for row in few_scores]
    two_each = rows_of(compare(made_run(tmp_path / "two", pairs), models="ab"))["en"]
    assert (two_each.mcnemar_kind, np.isnan(two_each.mcnemar), np.isnan(two_each.p)) == ("", True, False)


def test_models_that_agree_everywhere_have_no_interval_of_no_width(tmp_path: Path) -> None:
    scores = drawn({"a": 0.5})
    run = made_run(tmp_path / "run", [*scores, *(msgspec.structs.replace(row, model="b") for row in scores)])
    row = rows_of(compare(run, models="ab"))["all"]
    assert (row.difference, row.p) == (0, 1)
    assert np.isnan(row.low)
    assert row.reason.startswith("all but 0 question clusters are alike")


def test_what_was_not_asked_of_both_is_said(tmp_path: Path) -> None:
    first = made_run(tmp_path / "a", drawn({"m": 0.5}, languages=("en",)))
    second = made_run(tmp_path / "b", drawn({"n": 0.5}, languages=("sw",)))
    expected = "no item that both answered. m of .*a was asked made in en; n of .*b was asked made in sw"
    with pytest.raises(UsageError, match=expected):
        compare(first, second)


def test_open_questions_are_not_compared(tmp_path: Path) -> None:
    run = made_run(tmp_path / "run", drawn({"a": 0.5, "b": 0.5}, options=0))
    with pytest.raises(UsageError, match="open questions alone"):
        compare(run, models="ab")


def test_scores_of_an_earlier_version_are_refused(tmp_path: Path) -> None:
    run = made_run(tmp_path / "run", [])
    with writing_stage(scores_folder(run), "scores", inputs=score_inputs(run)) as writer:
        pq.write_table(pa.table({"task": ["mcqa"], "model": ["a"]}), writer.folder / SCORES)
        writer.adopt_all()
    with pytest.raises(
        UsageError, match=rf"scored by an earlier globmed, without answer, .*Run: globmed bench score {run}"
    ):
        compare(run, models="ab")


def test_a_score_file_edited_by_hand_is_refused(tmp_path: Path) -> None:
    run = made_run(tmp_path / "run", drawn({"a": 0.5, "b": 0.5}))
    path = scores_folder(run) / SCORES
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    with pytest.raises(HashMismatchError):
        compare(run, models="ab")


def test_an_unscored_run_and_no_run_are_refused(tmp_path: Path) -> None:
    run = made_run(tmp_path / "run", drawn({"a": 0.5, "b": 0.5}))
    (scores_folder(run) / MANIFEST).unlink()
    with pytest.raises(UsageError, match=f"has no scores. Run: globmed bench score {run}"):
        compare(run, models="ab")
    with pytest.raises(InputError, match=r"no manifest\.json"):
        compare(tmp_path)


def test_the_same_scores_give_the_same_numbers(tmp_path: Path) -> None:
    scores = drawn({"a": 0.5, "b": 0.6})
    shuffled = [scores[at] for at in np.random.default_rng(1).permutation(len(scores))]
    found = [compare(made_run(tmp_path / str(at), one), models="ab").rows for at, one in enumerate((scores, shuffled))]
    assert found[0] == found[1]
    assert read_manifest(scores_folder(tmp_path / "0")).files != read_manifest(scores_folder(tmp_path / "1")).files
