"""Calibration of models that give likelihoods: Brier score and expected calibration error."""

import math
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from globmed.bench.asked import scores_folder
from globmed.bench.pipeline import bench_run, bench_score
from globmed.bench.reading.likelihood import confidence
from globmed.bench.scoring import Score, metrics
from globmed.bench.selection import Plan
from globmed.core.store import records_to_table, table


def scores(said: list[float | None], right: list[bool]) -> pa.Table:
    return records_to_table(_rows(said, right), Score)


def _rows(said: list[float | None], right: list[bool]) -> Iterator[Score]:
    for at, (confident, correct) in enumerate(zip(said, right, strict=True)):
        yield Score(
            task="mcqa",
            model="local",
            revision="",
            answer="score_letters",
            source="headqa",
            family=f"headqa:{at}",
            cluster=f"headqa:{at}",
            language="sw",
            tier="low",
            native_language="es",
            text="machine",
            run=0,
            options=4,
            chance=0.25,
            reply_status="ok",
            reading_status="read",
            rule="likelihood",
            letter="A",
            option=0,
            correct=correct,
            outcome="correct" if correct else "wrong",
            confidence=confident,
        )


def test_brier_is_the_mean_squared_distance_of_confidence_from_right_and_wrong() -> None:
    rng = np.random.default_rng(4)
    said = rng.uniform(0.25, 1, 200)
    right = rng.random(200) < said
    found = metrics()["brier"].of(scores(said.tolist(), right.tolist()))
    assert found is not None
    assert found.interval.mean == pytest.approx(float(np.mean((said - right) ** 2)))
    assert found.interval.low < found.interval.mean < found.interval.high


def test_a_model_that_always_says_the_same_is_as_far_off_as_its_accuracy() -> None:
    right = [at % 2 == 0 for at in range(200)]
    found = metrics()["ece"].of(scores([0.9] * 200, right))
    assert found is not None
    assert found.interval.mean == pytest.approx(0.4)


def test_replies_without_likelihoods_take_no_part() -> None:
    assert metrics()["ece"].of(scores([None] * 20, [True] * 20)) is None
    assert metrics()["brier"].of(scores([None] * 20, [True] * 20)) is None


@given(st.lists(st.floats(-50, 0), min_size=1, max_size=10))
def test_confidence_is_the_share_of_the_likeliest_option(logprobs: list[float]) -> None:
    shares = [math.exp(one) for one in logprobs]
    assert confidence(logprobs) == pytest.approx(max(shares) / sum(shares))
    assert confidence([*logprobs, math.nan]) is None
    assert confidence([]) is None


def test_baselines_have_no_confidence(make_data: Callable[..., Path], tmp_path: Path) -> None:
    bench_run(["longest"], data=make_data(), plan=Plan(answers=("score_letters",)), out=tmp_path)
    bench_score(tmp_path)
    assert table(scores_folder(tmp_path))["confidence"].null_count == table(scores_folder(tmp_path)).num_rows
