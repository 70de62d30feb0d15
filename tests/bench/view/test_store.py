"""The queries of a view find what the run holds, and no more."""

from collections.abc import Callable
from pathlib import Path

import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from globmed.bench.asked import scores_folder
from globmed.bench.pipeline import bench_score
from globmed.bench.scoring import SCORES
from globmed.bench.view import store
from globmed.bench.view.build import INDEX, QUESTIONS, REPLIES, build_view
from globmed.bench.view.filters import FACETS, NAMED, OUTCOMES, Filter
from globmed.bench.view.store import View
from globmed.core.errors import InputError, UsageError
from globmed.core.store import table
from globmed.models.client import Reply

Found = set[tuple[str, str]]


@pytest.fixture(scope="module")
def view(view_run: Path) -> View:
    return View(build_view(view_run))


def found(view: View, wanted: Filter) -> Found:
    entries = view.page(wanted, size=1000).entries
    return {(entry.question.family, entry.question.language) for entry in entries}


def numbers(code: str, *those: int) -> Found:
    return {(f"made:{number}", code) for number in those}


def test_named_filters_find_what_is_so_by_construction(view: View) -> None:
    assert found(view, Filter(named="all_wrong")) == numbers("sw", 1, 4, 7, 10)
    assert found(view, Filter(named="lost", model="good")) == numbers("sw", 1, 4, 7, 10)
    assert found(view, Filter(named="lost", model="poor")) == {
        one for code in ("sw", "yo", "zh") for one in numbers(code, *range(12))
    }
    assert found(view, Filter(named="lost", model="longest")) == set()
    assert found(view, Filter(named="region_bound", language="yo")) == numbers("yo", 3)
    assert found(view, Filter(outcome="unread")) == numbers("yo", 2)


@pytest.mark.parametrize(
    ("wanted", "those"),
    [
        (Filter(text="IWOSAN"), numbers("yo", 2)),
        (Filter(text="  Ìwòsàn  "), numbers("yo", 2)),
        (Filter(text="iwosan", within="question"), set()),
        (Filter(text="long case", within="question", language="zh"), numbers("zh", 5)),
        (Filter(text="long case", within="reply"), set()),
        (Filter(text="question 11 in s"), numbers("sw", 11)),
        (Filter(text="下列哪", model="good", outcome="wrong"), set()),
        (Filter(text="third of zh", outcome="wrong", model="poor"), numbers("zh", *range(12))),
        (Filter(text="'; DROP TABLE questions; --"), set()),
        (Filter(text="%"), set()),
        (Filter(model="nobody' OR 'a' = 'a"), set()),
    ],
)
def test_text_is_found_whatever_its_capitals_and_accents(view: View, wanted: Filter, those: Found) -> None:
    assert found(view, wanted) == those


@given(
    language=st.sampled_from(["", "en", "sw", "yo"]),
    model=st.sampled_from(["", "good", "poor", "longest"]),
    outcome=st.sampled_from(["", "right", "wrong", "unread"]),
)
def test_counts_are_those_of_the_scores(view_run: Path, view: View, language: str, model: str, outcome: str) -> None:
    rows = table(scores_folder(view_run), prefix=SCORES)
    for name, value in {"language": language, "model": model}.items():
        rows = rows.filter(pc.equal(rows[name], value)) if value else rows
    rows = rows.filter(pc.is_in(rows["outcome"], pc.cast(OUTCOMES[outcome], "string"))) if outcome else rows
    page = view.page(Filter(language=language, model=model, outcome=outcome), size=7)  # type: ignore[arg-type]
    assert page.replies == rows.num_rows
    assert page.items == len(set(zip(rows["family"].to_pylist(), rows["language"].to_pylist(), strict=True)))


def test_pages_follow_one_another_and_lead_back(view: View) -> None:
    seen, after, back = list[int](), -1, list[int | None]()
    while True:
        page = view.page(Filter(), after=after, size=10)
        assert page.before == len(seen)
        seen += [entry.question.item for entry in page.entries]
        back.append(page.previous)
        if page.next is None:
            break
        after = page.next
    assert seen == list(range(48))
    assert back == [None, -1, 9, 19, 29]


def test_an_entry_shows_some_of_its_replies_and_counts_all(view: View, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "REPLIES_PER_ENTRY", 2)
    [entry] = [one for one in view.page(Filter(language="sw")).entries if one.question.family == "made:1"]
    assert (entry.matching, [reply.model for reply in entry.replies]) == (3, ["good", "longest"])
    assert entry.replies[0].reply == "Question 1 in sw.\nAnswer: C"
    assert (entry.replies[0].letter, entry.replies[0].option, entry.replies[0].rule) == ("C", 2, "statement")


def test_replies_of_a_question_are_its_own(view: View) -> None:
    questions = view.questions("made:2")
    assert list(questions) == ["en", "sw", "yo", "zh"]
    replies = view.replies([questions["yo"].item, questions["en"].item])
    assert [(reply.model, reply.item == questions["yo"].item) for reply in replies] == [
        (model, yoruba) for model in ("good", "longest", "poor") for yoruba in (False, True)
    ]
    assert view.questions("made:99") == {}


def test_a_view_is_made_once_and_again_when_the_scores_change(make_view_run: Callable[..., Path]) -> None:
    run = make_view_run(questions=4)
    folder = build_view(run)
    assert {path.name for path in folder.iterdir()} == {INDEX, QUESTIONS, REPLIES, "manifest.json"}
    made = (folder / REPLIES).stat().st_mtime_ns
    build_view(run)
    assert (folder / REPLIES).stat().st_mtime_ns == made
    (folder / REPLIES).write_bytes(b"broken")
    assert found(View(build_view(run)), Filter()) == {
        one for code in ("en", "sw", "yo", "zh") for one in numbers(code, *range(4))
    }
    (scores_folder(run) / "manifest.json").unlink()
    with pytest.raises(UsageError, match="has no scores"):
        build_view(run)
    bench_score(run)
    build_view(run)


def test_facets_are_what_the_run_holds(view: View) -> None:
    assert view.facets["model"] == ("good", "longest", "poor")
    assert view.facets["outcome"] == ("right", "wrong", "unread")
    assert set(view.facets) == {*FACETS, "outcome"}
    assert set(NAMED) == {"lost", "all_wrong", "region_bound"}


def test_a_folder_named_like_a_pattern_is_read_as_it_stands(make_view_run: Callable[..., Path]) -> None:
    run = make_view_run(name="a[1]*?'b", questions=2, models={"only": lambda *_: Reply(status="ok", text="A")})
    view = View(build_view(run))
    assert view.page(Filter(model="only")).items == 8
    assert found(view, Filter(named="all_wrong")) == set(), "one model alone is no reason to doubt a question"


def test_what_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"manifest\.json"):
        build_view(tmp_path)
