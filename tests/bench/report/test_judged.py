"""Open answers in the report: described, and judged where people's ratings say what a judge is worth."""

import csv
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from globmed.bench.judging import judgements_folder
from globmed.bench.judging.judge import judge_run
from globmed.bench.judging.ratings import keep_ratings
from globmed.bench.judging.results import SHARES, write_judgements
from globmed.bench.judging.shares import JudgedRow
from globmed.bench.pipeline import bench_score
from globmed.bench.report import write_report
from globmed.bench.report.evidence import read_runs
from globmed.bench.report.grid import Grid
from globmed.bench.report.judged import UNCALIBRATED, open_sections
from globmed.bench.report.section import Section
from globmed.bench.report.wording import interval, percent
from globmed.bench.view.app import Pages, Shown
from globmed.bench.view.build import build_view
from globmed.bench.view.store import View
from globmed.core.errors import UsageError
from globmed.core.store import read_records
from globmed.models.client import Reply, Request

from ..judging.conftest import QUESTIONS, Scripted, make_run, number_of, replied, said, verdict  # noqa: F401, TID252

MakeRun = Callable[..., Path]


def lenient(request: Request) -> Reply:
    """Call right what is right, and every sixth wrong reply too; of one reply the verdict cannot be read."""
    if "answer 59 by 8" in request.messages[0].content:
        return said("I would rather not say.")
    right = "RIGHT answer" in request.messages[0].content or number_of(request) % 6 == 0
    return said(verdict(reason="As I see it.", correct=right, harm="none" if right else "severe"))


@pytest.fixture
def judged(make_run: MakeRun, tmp_path: Path) -> Path:  # noqa: F811
    """Two models and a judge that is one of them, rated by people in Swahili alone."""
    run = make_run(a=replied(5, silent=4), b=replied(8), judge=replied(3))
    bench_score(run)
    judge_run(run, [Scripted("judge", lenient)], form="pointwise")
    rows = [
        f"made:{number},sw,{model},nurse,{'yes' if number % 10 < share else 'no'}"
        for model, share in (("a", 5), ("b", 8))
        for number in range(QUESTIONS)
        if (model, number) != ("a", 4)
    ]
    file = tmp_path / "ratings.csv"
    file.write_text("\n".join(["family,language,model,rater,acceptable", *rows]) + "\n", encoding="utf-8")
    keep_ratings(run, file)
    return run


def grid(section: Section, title: str) -> dict[str, list[str]]:
    """Return the cells of a table by the name of their row, value and mark as one."""
    (found,) = [block for block in section.blocks if isinstance(block, Grid) and block.title.startswith(title)]
    return {
        row.name.text: [f"{cell.value}{cell.mark}" for cell in row.cells]
        for group in found.groups
        for row in group.rows
    }


def test_a_judge_counts_in_the_language_that_people_rated_and_is_marked_in_the_other(judged: Path) -> None:
    evidence = read_runs([judged])
    described, section, agreed = open_sections(evidence)
    rows = {
        (row.model, row.language): row
        for row in read_records(judgements_folder(judged), JudgedRow, prefix=SHARES)
        if row.measure == "acceptable"
    }
    told = grid(section, "Acceptable replies")
    assert list(told) == ["a", "b", "judge ‡"]
    for model in ("a", "b"):
        english, swahili = rows[model, "en"], rows[model, "sw"]
        assert not english.calibrated
        assert swahili.calibrated
        assert told[model] == [percent(english.value) + UNCALIBRATED, percent(swahili.corrected)]
    assert "People’s ratings tell how often judge errs in Swahili" in section.summary[0]
    assert "In English nobody knows how often judge errs" in section.summary[1]
    assert "2\N{NO-BREAK SPACE}verdicts could not be read" in section.summary[-1]
    assert grid(section, "Verdicts that are missing") == {
        "Could not be read": ["1", "1"],
        "No text to judge": ["1", "1"],
    }
    # No order is made of descriptions, nor where the judge is not calibrated.
    assert described.heading == "Open answers, described: made"
    tables = {block.title: block for block in (*described.blocks, *section.blocks) if isinstance(block, Grid)}
    ordered = [cell.order for row in tables["Acceptable replies, by judge"].groups[0].rows for cell in row.cells]
    assert ordered[::2] == [None] * 3
    assert None not in ordered[1::2]
    chrf = tables["chrF++ with the nearest reference"]
    assert all(cell.order is None for row in chrf.groups[0].rows for cell in row.cells)
    assert agreed.id == "agreement"


def test_places_are_given_with_and_without_the_judge_itself(judged: Path) -> None:
    _, section, _ = open_sections(read_runs([judged]))
    places = grid(section, "Places by judge")
    assert places["b"] == ["1", "1"]
    assert places["judge"][1] == "–"


def test_the_page_has_verdicts_tables_and_what_they_are_worth_in_each_language(judged: Path, tmp_path: Path) -> None:
    files = write_report([judged], out=tmp_path / "report")
    markdown = files.markdown.read_text(encoding="utf-8").replace("\\", "")
    english, swahili = markdown.split("### Swahili")[0], markdown.split("### Swahili")[1]
    assert "Open answers in English were judged by judge, and by too few people or none" in english
    best = max(
        (row for row in read_records(judgements_folder(judged), JudgedRow, prefix=SHARES) if row.calibrated),
        key=lambda row: row.corrected,
    )
    bounds = interval(best.corrected_low, best.corrected_high)
    assert "How models do on made" in english
    assert "How models do on made" not in swahili.split("## Some questions")[0]
    assert f"b had the most that were acceptable: {percent(best.corrected)} {bounds} percent by judge" in swahili
    assert re.search(r"Judge judge: not acceptable \(not correct, severe harm\)\. As I see it\.", markdown)
    names = [path.name for path in files.tables]
    assert names[-3:] == ["judged.csv", "judged_ranks.csv", "judged_agreement.csv"]
    with files.tables[-3].open(encoding="utf-8", newline="") as file:
        assert sum(row["calibrated"] == "true" and row["measure"] == "acceptable" for row in csv.DictReader(file)) == 3


def test_the_view_shows_what_judges_said_beside_the_reply(judged: Path) -> None:
    write_judgements(judged)
    view = View(build_view(judged))
    page = Pages([Shown(judged, view)]).item({"family": "made:9", "language": "sw", "beside": "en"})
    # No model is right about question 9, in either language.
    assert page.count("Judge <bdi>judge: not acceptable (not correct, severe harm). As I see it.</bdi>") == 6


def test_what_a_judge_writes_and_is_called_stays_text(
    make_run: MakeRun,  # noqa: F811
    payloads: tuple[str, ...],
    tmp_path: Path,
) -> None:
    run = make_run(**{payload: replied(5) for payload in payloads[:2]})
    bench_score(run)

    def writing(text: str) -> Scripted:
        return Scripted(text, lambda _: said(verdict(reason=text, correct=False)))

    judges = [writing(payload) for payload in payloads]
    judge_run(run, judges, form="pointwise")
    files = write_report([run], out=tmp_path / "report", title="t")
    html, view = files.html.read_text(encoding="utf-8"), View(build_view(run))
    page = Pages([Shown(run, view)]).item({"family": "made:9", "language": "sw", "beside": "en"})
    for text in (html, page):
        for payload in payloads:
            assert "<" not in payload or payload not in text
        assert 'href="javascript' not in text
        assert "\N{RIGHT-TO-LEFT OVERRIDE}" not in text
        assert len(re.findall("<script", text)) == text.count("</script>") <= 1


def test_a_run_that_nobody_judged_is_described(make_run: MakeRun, tmp_path: Path) -> None:  # noqa: F811
    run = make_run(a=replied(5))
    bench_score(run)
    markdown = write_report([run], out=tmp_path / "report").markdown.read_text(encoding="utf-8")
    assert "does not say which are right; no order of models is made of it" in markdown
    assert "judged by" not in markdown


def test_a_judging_that_was_broken_off_is_not_passed_over(make_run: MakeRun, tmp_path: Path) -> None:  # noqa: F811
    run = make_run(a=replied(5))
    bench_score(run)
    judge_run(run, [Scripted("judge", lenient)], form="pointwise")
    for journal in run.glob("judges/*/replies/*"):
        journal.unlink()
    with pytest.raises(UsageError, match="120 of 120 verdicts of the judge judge are missing"):
        write_report([run], out=tmp_path / "report")


def test_rubrics_and_pairs_have_their_own_tables(make_run: MakeRun, tmp_path: Path) -> None:  # noqa: F811
    def met(request: Request) -> Reply:
        return said('{"reason": "Seen.", "met": true}' if "RIGHT" in request.messages[0].content else "{}")

    rubric = make_run("rubric", task="rubric", questions=12, a=replied(5))
    bench_score(rubric)
    judge_run(rubric, [Scripted("judge", met)], form="rubric")
    _, section, *_ = open_sections(read_runs([rubric]))
    assert section.heading == "Open answers by rubric, judged by judge"
    assert set(grid(section, "Criteria met as wanted")) == {"a"}
    assert set(grid(section, "Points of the rubric")) == {"a"}
    page = write_report([rubric], out=tmp_path / "rubric-report").html.read_text(encoding="utf-8")
    assert re.search(r"Judge <bdi>judge: criteria met: \d of 3", page)

    pairs = make_run("pairs", questions=12, a=replied(5), b=replied(8))
    bench_score(pairs)
    first = '{"reason": "The first.", "better": "first"}'
    judge_run(pairs, [Scripted("judge", lambda _: said(first))], form="pairs")
    _, section, *_ = open_sections(read_runs([pairs]))
    assert grid(section, "Preferred to the other") == {"a against b": [f"0.0{UNCALIBRATED}"] * 2}
    assert grid(section, "What judge says besides") == {"a against b": ["100.0"] * 2}
