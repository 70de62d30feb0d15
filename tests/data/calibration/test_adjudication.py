"""The sample of blocked pairs that people read, and their verdicts."""

import csv
from collections import Counter
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest

from globmed.core.errors import InputError
from globmed.core.item import Finding, Severity
from globmed.data.calibration.adjudication import Verdict, draw_sample, key, read_verdicts, sample_csv, verdicts_csv
from globmed.data.calibration.measuring import Judged
from globmed.data.parallel import GoodPair

Make = Callable[..., GoodPair]


def judged(pair: GoodPair, severity: Severity | None = "block") -> Judged:
    findings = () if severity is None else (Finding(check="length", severity=severity, field="question", message="x"),)
    return Judged(corpus="tico19", pair=pair, findings=findings)


def many(make_pair: Make) -> list[Judged]:
    counts = {"es": 50, "pt": 50, "zh": 4}
    return [
        judged(make_pair("Fever", "x", languages=("en", code), number=f"doc:{number}"))
        for code, count in counts.items()
        for number in range(count)
    ]


def test_the_sample_takes_turns_among_languages_blocked_pairs_first(make_pair: Make) -> None:
    everything = many(make_pair)
    asked = [
        judged(make_pair("Fever", "x", languages=("en", "zh"), number=f"asked:{number}"), "review")
        for number in range(50)
    ]
    noticed = [judged(make_pair("Fever", "x", number=f"noticed:{number}"), "note") for number in range(50)]
    sample = draw_sample([*everything, *asked, *noticed], seed=0, size=21)
    assert Counter((one.language, one.level()) for one in sample) == {
        ("es", "block"): 7,
        ("pt", "block"): 7,
        ("zh", "block"): 4,
        ("zh", "review"): 3,
    }
    assert sample != draw_sample([*everything, *asked], seed=1, size=21)


def test_a_pair_stays_in_the_sample_when_others_are_no_longer_blocked(make_pair: Make) -> None:
    everything = many(make_pair)
    sample = draw_sample(everything, seed=0, size=20)
    others = [one for one in everything if one not in sample]
    left = draw_sample([*sample, *others[::2]], seed=0, size=20)
    assert {key(one) for one in left} == {key(one) for one in sample}


def test_verdicts_that_people_fill_in_are_read_and_kept_without_the_texts(make_pair: Make, tmp_path: Path) -> None:
    sample = draw_sample(many(make_pair), seed=0, size=5)
    rows = list(csv.DictReader(StringIO(sample_csv(sample, {}))))
    assert [row["translation"] for row in rows] == ["question: x"] * 5
    rows[0] |= {"verdict": "error", "reason": "a sentence is left out", "adjudicated_by": "A. Reader"}
    filled = tmp_path / "sample.csv"
    with filled.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    verdicts = read_verdicts(filled)
    expected = Verdict(
        id=sample[0].pair.id,
        direction=sample[0].pair.direction,
        checks="length",
        verdict="error",
        reason="a sentence is left out",
        adjudicated_by="A. Reader",
    )
    assert verdicts == {key(sample[0]): expected}
    kept = tmp_path / "kept.csv"
    kept.write_text(verdicts_csv(sample, verdicts), encoding="utf-8")
    assert "Fever" not in kept.read_text(encoding="utf-8")
    assert read_verdicts(kept) == verdicts
    assert "A. Reader" in sample_csv(sample, verdicts)


def test_a_verdict_that_is_none_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "sample.csv"
    file.write_text("id,direction,checks,verdict,reason,adjudicated_by\nx:1,en-es,length,wrong,,me\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"sample\.csv:2"):
        read_verdicts(file)


def test_the_packages_verdicts_say_who_judged_and_why() -> None:
    for one in read_verdicts().values():
        assert one.reason
        assert one.adjudicated_by
