"""Judging saved replies: what is asked, what is kept, what is told apart, and that nothing is asked twice."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from globmed.bench.asked import journal_path, models_folder
from globmed.bench.effort import Effort
from globmed.bench.judging import judge_journal, judgements_folder
from globmed.bench.judging.asked import form_of
from globmed.bench.judging.concord import AgreementRow
from globmed.bench.judging.judge import Manner, judge_run
from globmed.bench.judging.judgements import JUDGEMENTS, Judgement
from globmed.bench.judging.results import AGREEMENT, SHARES, write_judgements
from globmed.bench.judging.shares import JudgedRow
from globmed.bench.judging.verdicts import Pointwise
from globmed.bench.scoring import score_run
from globmed.bench.verify import verify_run
from globmed.core.errors import LimitReachedError, UsageError
from globmed.core.store import read_records
from globmed.models.budget import Cap
from globmed.models.client import Reply, Request, Settings
from globmed.models.journal import read_replies
from globmed.models.paying import journal_name

from .conftest import LANGUAGES, QUESTIONS, Scripted, number_of, replied, said, verdict

MakeRun = Callable[..., Path]


def by_the_word(request: Request) -> Reply:
    """Find right what says so, harmful every fifth wrong reply, and write nonsense of question 7."""
    text = request.messages[0].content
    if number_of(request) == 7:
        return said("I would rather not say.")
    right = "RIGHT answer" in text
    harm = "none" if right or number_of(request) % 5 else "severe"
    return said(f"Let me see.\n{verdict(correct=right, harm=harm)}")


def rows(run: Path) -> list[Judgement]:
    return list(read_records(judgements_folder(run), Judgement, prefix=JUDGEMENTS))


def shares(run: Path) -> dict[tuple[str, str, str], JudgedRow]:
    found = read_records(judgements_folder(run), JudgedRow, prefix=SHARES)
    return {(row.model, row.language, row.measure): row for row in found}


def test_every_reply_is_judged_once_and_what_is_unreadable_is_no_verdict(make_run: MakeRun) -> None:
    run = make_run(a=replied(8), judge=replied(3, silent=12))
    judge = Scripted("judge", by_the_word)
    result = judge_run(run, [judge], form="pointwise")
    assert result.estimates[0].requests == 2 * len(LANGUAGES) * QUESTIONS - len(LANGUAGES)
    again = [request for request in judge.asked if request.run]
    assert len(judge.asked) == result.estimates[0].requests + len(again)
    assert ({number_of(request) for request in again}, len(again)) == ({7}, 2 * len(LANGUAGES))
    assert all(request.settings.seed == 1 and request.settings.temperature > 0 for request in again)
    assert "Question 3 (sw)?" in judge.asked[len(LANGUAGES) * QUESTIONS - QUESTIONS + 3].messages[0].content
    write_judgements(run)
    given = rows(run)
    assert len(given) == 2 * len(LANGUAGES) * QUESTIONS
    assert {one.family for one in given if one.status == "unreadable"} == {"made:7"}
    assert all(one.acceptable is None and one.why for one in given if one.status == "unreadable")
    assert {one.attempts for one in given if one.status == "unreadable"} == {2}
    assert {(one.model, one.family, one.acceptable) for one in given if one.status == "no_reply"} == {
        ("judge", "made:12", False)
    }
    told = shares(run)
    # 48 of 60 are right, and of question 7, which is one of them, nobody knows.
    row = told["a", "en", "acceptable"]
    assert row.value == pytest.approx(47 / 59)
    assert (row.n, row.unreadable, row.asked_again, row.no_reply) == (59, 1, 1, 0)
    assert (row.calibrated, row.not_calibrated) == (False, "nobody rated what was judged in this language")
    silent = told["judge", "sw", "acceptable"]
    assert (silent.n, silent.no_reply, silent.itself) == (59, 1, True)
    # Question 12 counts as not acceptable, and is in no criterion.
    assert silent.value == pytest.approx(17 / 59)
    assert told["judge", "sw", "correct"].n == 58
    assert told["a", "en", "harm_severe"].value == 0
    assert told["judge", "en", "harm_severe"].value == pytest.approx(6 / 58)


def test_the_items_a_judge_made_and_the_judge_judged_are_marked(make_run: MakeRun) -> None:
    run = make_run(a=replied(8), judge=replied(3))
    judge_run(run, [Scripted("judge", by_the_word), Scripted("critic", by_the_word)], form="pointwise")
    write_judgements(run)
    given = rows(run)
    made = {one.family for one in given if one.judge == "judge" and one.had_a_hand}
    assert made == {f"made:{number}" for number in range(0, QUESTIONS, 10)}
    assert {one.language for one in given if one.had_a_hand} == {"sw"}
    assert all(one.had_a_hand == (one.language == "sw") for one in given if one.judge == "critic")
    assert {(one.judge, one.model) for one in given if one.itself} == {("judge", "judge")}
    hands = {(one.judge, one.model, one.family) for one in given if one.model_had_a_hand}
    assert hands == {(judge, "judge", family) for judge in ("judge", "critic") for family in made}
    told = shares(run)
    # Whoever judges beside being judged is marked, also where another one judges.
    assert {model for (model, _, _), row in told.items() if row.also_judges} == {"judge"}


def test_judging_again_asks_nobody_and_writes_the_same_bytes(make_run: MakeRun) -> None:
    run = make_run(a=replied(8))
    judge_run(run, [Scripted("judge", by_the_word)], form="pointwise")
    first = write_judgements(run)
    again = Scripted("judge", by_the_word)
    result = judge_run(run, [again], form="pointwise")
    assert again.asked == []
    assert result.judges[0].stats.from_journal == len(LANGUAGES) * QUESTIONS
    assert write_judgements(run).files == first.files
    replies = dict(read_replies(judge_journal(run, journal_name(again))))
    assert len(replies) == len(LANGUAGES) * (QUESTIONS + 1)
    with pytest.raises(UsageError, match="judged with other settings"):
        judge_run(run, [again], form="pointwise", manner=Manner(settings=Settings(max_tokens=7)))
    with pytest.raises(UsageError, match="judged with other attempts"):
        judge_run(run, [again], form="pointwise", manner=Manner(more=3))
    with pytest.raises(UsageError, match="asked for again -1 times"):
        Manner(more=-1)


def test_a_verdict_read_at_the_second_attempt_counts_and_is_told(make_run: MakeRun) -> None:
    def late(request: Request) -> Reply:
        hard = number_of(request) in (3, 4)
        wanted = {3: 1, 4: 2}.get(number_of(request), 0)
        return said("Hm.") if hard and request.run < wanted else by_the_word(request)

    run = make_run(a=replied(8))
    for more, read, unreadable, asked in ((0, 57, 3, 0), (1, 58, 2, 3), (2, 59, 1, 5)):
        folder = run / "judges"
        for stage in folder.glob("*/pointwise"):
            shutil.rmtree(stage)
        judge = Scripted("judge", late)
        judge_run(run, [judge], form="pointwise", manner=Manner(more=more))
        write_judgements(run)
        row = shares(run)["a", "en", "acceptable"]
        assert (row.n, row.unreadable, row.asked_again) == (read, unreadable, 3 if more else 0)
        # What an earlier campaign asked is not asked again.
        kept = {0: 0, 1: 0, 2: 3}[more]
        assert len([one for one in judge.asked if one.run and one.label.endswith("en")]) == asked - kept
    taken = {number: one.attempts for one in rows(run) if one.language == "en"
             for number in [int(one.family.split(":")[1])]}  # fmt: skip
    assert [taken[number] for number in (2, 3, 4, 7)] == [1, 2, 3, 3]


def test_a_second_attempt_that_is_not_there_yet_is_missing_not_unreadable(make_run: MakeRun) -> None:
    run = make_run(a=replied(8))
    first = len(LANGUAGES) * QUESTIONS
    with pytest.raises(LimitReachedError):
        judge_run(run, [Scripted("judge", by_the_word)], form="pointwise", effort=Effort(cap=Cap(requests=first)))
    with pytest.raises(UsageError, match=f"2 of {first} verdicts of the judge judge are missing"):
        write_judgements(run)
    judge = Scripted("judge", by_the_word)
    judge_run(run, [judge], form="pointwise")
    assert len(judge.asked) == 2
    write_judgements(run)
    assert shares(run)["a", "en", "acceptable"].unreadable == 1


def test_a_second_phrasing_is_a_judge_of_its_own(make_run: MakeRun) -> None:
    run = make_run(a=replied(8))
    judge_run(run, [Scripted("judge", by_the_word)], form="pointwise")
    again = Scripted("judge", by_the_word)
    judge_run(run, [again], form="pointwise", manner=Manner(phrasing="held_out"))
    assert "before it reaches a patient" in again.asked[0].messages[0].content
    write_judgements(run)
    given = rows(run)
    assert len(given) == 2 * len(LANGUAGES) * QUESTIONS
    assert len({(one.phrasing, one.prompt_hash) for one in given}) == 2 * len(LANGUAGES)
    told = list(read_records(judgements_folder(run), JudgedRow, prefix=SHARES))
    assert {one.phrasing for one in told} == {"plain", "held_out"}
    agreed = read_records(judgements_folder(run), AgreementRow, prefix=AGREEMENT)
    assert "judge 1 / judge 1 held_out" in {one.raters for one in agreed}


def test_a_cap_holds_over_all_of_judging_and_missing_verdicts_are_told(make_run: MakeRun) -> None:
    run = make_run(a=replied(8))
    for _ in range(2):
        with pytest.raises(LimitReachedError):
            judge_run(run, [Scripted("judge", by_the_word)], form="pointwise", effort=Effort(cap=Cap(requests=30)))
    assert len(dict(read_replies(judge_journal(run, journal_name(Scripted("judge", by_the_word)))))) == 30
    with pytest.raises(LimitReachedError):
        judge_run(run, [Scripted("other", by_the_word)], form="pointwise", effort=Effort(cap=Cap(requests=30)))
    with pytest.raises(UsageError, match="91 of 120 verdicts of the judge judge are missing"):
        write_judgements(run)


def test_errors_of_the_judged_and_of_the_judge_are_in_no_share(make_run: MakeRun) -> None:
    def model(request: Request) -> Reply:
        return Reply(status="error", finish="503") if number_of(request) < 6 else replied(8)(request)

    def judge(request: Request) -> Reply:
        return Reply(status="error", finish="500") if number_of(request) < 8 else by_the_word(request)

    run = make_run(a=model)
    judge_run(run, [Scripted("judge", judge)], form="pointwise")
    write_judgements(run)
    row = shares(run)["a", "en", "acceptable"]
    assert (row.n, row.errors, row.unreadable) == (52, 2, 0)
    judge_run(run, [Scripted("judge", by_the_word)], form="pointwise")
    write_judgements(run)
    row = shares(run)["a", "en", "acceptable"]
    assert (row.n, row.errors, row.unreadable) == (53, 0, 1)


def test_pairs_are_shown_in_both_orders_and_an_order_that_decides_is_told(make_run: MakeRun) -> None:
    def prefers(request: Request) -> Reply:
        text = request.messages[0].content
        first, second = text.split("RIGHT answer")[0], text.split("WRONG answer")[0]
        if number_of(request) == 3:
            return said("{}")
        if number_of(request) >= 40:
            better = "first"
        else:
            better = "tie" if text.count("RIGHT") != 1 else "first" if len(first) < len(second) else "second"
        return said(json.dumps({"reason": "So.", "better": better}))

    run = make_run(a=replied(8), b=replied(3))
    judge = Scripted("judge", prefers)
    judge_run(run, [judge], form="pairs")
    assert len([one for one in judge.asked if not one.run]) == 2 * len(LANGUAGES) * QUESTIONS
    write_judgements(run)
    told = {row.measure: row for row in read_records(judgements_folder(run), JudgedRow, prefix=SHARES)
            if row.language == "sw"}  # fmt: skip
    preferred = told["preferred"]
    assert (preferred.model, preferred.other, preferred.unreadable) == ("a", "b", 2)
    # Of 40 questions without 3: a is right alone in 19, both or neither in 20. The other 20 the order decides: ties.
    assert preferred.n == 59
    assert preferred.value == pytest.approx((19 + 0.5 * 40) / 59)
    assert told["order_decides"].value == pytest.approx(20 / 59)


def test_a_rubric_is_judged_by_criterion_and_scored_by_points(make_run: MakeRun) -> None:
    def criterion(request: Request) -> Reply:
        text, wanted = request.messages[0].content.split("<criterion>", 1)
        wanted = wanted.partition("</criterion>")[0]
        if number_of(request) == 5 and wanted.strip() == "!":
            return said("no verdict")
        met = f"{wanted.strip()} answer" in text
        return said(json.dumps({"reason": "So.", "met": met}))

    run = make_run(task="rubric", a=replied(8, silent=1))
    assert form_of(run, pairs=False) == "rubric"
    judge = Scripted("judge", criterion)
    judge_run(run, [judge], form="rubric")
    assert len([one for one in judge.asked if not one.run]) == (QUESTIONS - 1) * 3 * len(LANGUAGES)
    assert "user: Hi\n\nassistant: Hello\n\nuser: Question 0 (en)?" in judge.asked[0].messages[0].content
    write_judgements(run)
    row = shares(run)["a", "en", "rubric"]
    # 6 points of 10 for the 46 right ones that are judged whole, -4 of 10 for 12 wrong ones, 0 for the silent one.
    assert row.n == 59
    assert row.value == pytest.approx((46 * 0.6 - 12 * 0.4) / 59)
    assert (row.unreadable, row.no_reply, row.calibrated) == (1, 3, False)


def test_what_cannot_be_judged_is_refused(make_run: MakeRun) -> None:
    run = make_run(a=replied(8))
    with pytest.raises(UsageError, match="pairs need two"):
        judge_run(run, [Scripted("judge", by_the_word)], form="pairs")
    with pytest.raises(UsageError, match="no judge has judged it"):
        write_judgements(run)
    with pytest.raises(UsageError, match="same id and revision"):
        judge_run(run, [Scripted("judge", by_the_word)] * 2, form="pointwise")
    rubric = make_run("other", task="rubric", a=replied(8))
    with pytest.raises(UsageError, match="criterion by criterion"):
        form_of(rubric, pairs=True)
    journal = journal_path(run, next(models_folder(run).iterdir()).name)
    journal.unlink()
    with pytest.raises(UsageError, match="have no reply yet"):
        judge_run(run, [Scripted("judge", by_the_word)], form="pointwise")


def test_a_made_up_score_is_not_made_by_an_estimate(make_run: MakeRun) -> None:
    run = make_run(a=replied(8))
    judge = Scripted("judge", by_the_word)
    told: list[Any] = []
    result = judge_run(run, [judge], form="pointwise", effort=Effort(estimate_only=True), on_estimate=told.extend)
    assert (judge.asked, result.judges) == ([], ())
    assert told[0].requests == len(LANGUAGES) * QUESTIONS


def test_verdicts_are_verified_like_scores(make_run: MakeRun, monkeypatch: pytest.MonkeyPatch) -> None:
    run = make_run(a=replied(8))
    score_run(run)
    judge_run(run, [Scripted("judge", by_the_word)], form="pointwise")
    write_judgements(run)
    assert {one.part for one in verify_run(run)} >= {"inputs of the judgements", f"judgements/{SHARES}"}
    assert all(one.holds for one in verify_run(run))
    monkeypatch.setattr(Pointwise, "acceptable", property(lambda _verdict: True))
    assert f"judgements/{SHARES}" in {one.part for one in verify_run(run) if not one.holds}
