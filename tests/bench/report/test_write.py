"""The whole report: what is written, what it says, and that no text of models or data becomes anything but text."""

import csv
import re
import sys
from base64 import b64encode
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path

import pyarrow as pa
import pytest

from globmed.bench.analysis import accuracy_table
from globmed.bench.pipeline import bench_run, bench_score
from globmed.bench.report import ReportFiles, write_report
from globmed.bench.report.content import content
from globmed.bench.report.evidence import read_runs
from globmed.bench.report.language_pages import CANNOT
from globmed.bench.report.wording import interval, percent
from globmed.bench.report.write import as_html
from globmed.bench.selection import Plan
from globmed.core.errors import InputError, MissingExtraError, UsageError
from globmed.core.language import languages

PAGE_TAGS = (
    "html head meta title style body a header h1 h2 h3 h4 p bdi nav ul li main section article div figure figcaption b "
    "span sup code details summary h5"
)
TABLE_TAGS = "table thead tbody tr th td"
CONTROL_TAGS = "form label select option button output script"
SVG_TAGS = "svg g path rect line text defs clippath lineargradient stop"
ALLOWED_TAGS = {tag for tags in (PAGE_TAGS, TABLE_TAGS, CONTROL_TAGS, SVG_TAGS) for tag in tags.split()}


def csv_rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


class Page(HTMLParser):
    """Collects what a browser would act on."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.tags: Counter[str] = Counter()
        self.attributes: list[tuple[str, str]] = []
        self.words: list[str] = []
        self.feed(source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.attributes += [(key, value or "") for key, value in attrs]

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


@pytest.fixture(scope="module")
def written(made_up_run: Path, made_up_gains: pa.Table, tmp_path_factory: pytest.TempPathFactory) -> ReportFiles:
    out = tmp_path_factory.mktemp("report")
    return write_report(
        [made_up_run], out=out, gains=made_up_gains, title="Made-up run", note="All of this is made up."
    )


@pytest.fixture(scope="module")
def page(written: ReportFiles) -> Page:
    return Page(written.html.read_text(encoding="utf-8"))


def test_the_same_content_comes_as_page_markdown_tables_and_figures(written: ReportFiles) -> None:
    names = ["gains", "gain-parts", "accuracy-heat-map", "accuracy-intervals", "high-against-low", "gaps-to-english"]
    names += ["accuracy-tokens", "accuracy-cost"]
    assert [path.name for path in written.figures] == [f"{name}.{kind}" for name in names for kind in ("svg", "png")]
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in written.figures if path.suffix == ".png")
    assert [path.name for path in written.tables] == [
        f"{name}.csv"
        for name in ("accuracy", "gaps", "transfer", "standings", "costs", "baselines", "metrics", "gains")
    ]
    markdown = written.markdown.read_text(encoding="utf-8")
    for figure in names:
        assert f"({figure}.png)" in markdown
    assert "no native speaker has reviewed them" in markdown


def test_every_accuracy_stands_in_the_page_with_its_interval(
    made_up_run: Path, written: ReportFiles, page: Page
) -> None:
    markdown = written.markdown.read_text(encoding="utf-8").replace("\\", "")
    for row in accuracy_table(made_up_run).to_pylist():
        if row["tier"] != "all" and row["accuracy"] == row["accuracy"]:
            bounds = interval(row["low"], row["high"])
            assert f"{percent(row['accuracy'])}" in page.words
            assert bounds in page.words
            assert re.search(rf"{re.escape(percent(row['accuracy']))}[†*]* {re.escape(bounds)}", markdown)


def test_an_empty_cell_is_a_dash_with_its_reason(page: Page) -> None:
    assert "– every call failed" in page.text


def test_the_table_of_numbers_is_unrounded_and_complete(made_up_run: Path, written: ReportFiles) -> None:
    rows = csv_rows(written.tables[0])
    expected = accuracy_table(made_up_run).to_pylist()
    assert len(rows) == len(expected)
    assert [float(row["accuracy"] or "nan") for row in rows] == pytest.approx(
        [row["accuracy"] for row in expected], nan_ok=True
    )


def test_the_page_says_what_must_be_said_and_not_what_must_not(page: Page) -> None:
    text = page.text
    for sentence in (
        "All of this is made up.",
        "Prompts were written by a language model; no native speaker has reviewed them.",
        "With training (made-up/base-1.7b to made-up/tuned-1.7b), the share of questions answered right rose by",
        "How sure:",
        "Of 1 926 questions in the data, 6 were not asked",
        "Blocked: options",
        "Code, globmed",
    ):
        assert sentence in text, sentence
    assert text.count(CANNOT) == len(languages())
    assert not re.search(r"\b(un)?(safe\w*|usable|usability)\b", text.replace(CANNOT, ""), re.IGNORECASE)


def test_each_language_is_named_in_itself_with_its_code_and_direction(page: Page) -> None:
    for row in languages().values():
        if row.own_name != row.english_name:
            assert row.own_name in page.words
            assert ("lang", row.code) in page.attributes
    assert ("dir", "ltr") in page.attributes
    assert ("lang", "en") in page.attributes


def test_the_page_needs_nothing_but_itself(written: ReportFiles, page: Page) -> None:
    assert set(page.tags) <= ALLOWED_TAGS
    (policy,) = [value for key, value in page.attributes if key == "content" and "default-src" in value]
    assert policy.startswith("default-src 'none'")
    (script,) = re.findall("<script>(.*?)</script>", written.html.read_text(encoding="utf-8"), re.DOTALL)
    digest = b64encode(sha256(script.encode()).digest()).decode()
    assert re.search(r"script-src ([^;]*);", policy)[1] == f"'sha256-{digest}'"  # type: ignore[index]
    assert "unsafe-eval" not in policy
    ids = [value for key, value in page.attributes if key == "id"]
    assert len(ids) == len(set(ids))
    for key, value in page.attributes:
        assert not key.startswith("on")
        if key in ("href", "src", "xlink:href"):
            assert value.startswith("#")
            assert value[1:] in ids
        if "url(" in value:
            assert re.fullmatch(r"url\(#([\w-]+)\)", value)
            assert value[5:-1] in ids


def test_the_same_run_gives_the_same_bytes(
    made_up_run: Path, made_up_gains: pa.Table, written: ReportFiles, tmp_path: Path
) -> None:
    again = write_report(
        [made_up_run], out=tmp_path, gains=made_up_gains, title="Made-up run", note="All of this is made up."
    )
    for first, second in zip(
        (written.html, written.markdown, *written.tables), (again.html, again.markdown, *again.tables), strict=True
    ):
        assert first.read_bytes() == second.read_bytes()


def test_no_text_of_models_or_data_is_more_than_text(
    hostile_run: Path, payloads: tuple[str, ...], tmp_path: Path
) -> None:
    files = write_report([hostile_run], out=tmp_path, title=payloads[0], note=payloads[1])
    source = files.html.read_text(encoding="utf-8")
    found = Page(source)
    assert set(found.tags) <= ALLOWED_TAGS
    assert all(
        not key.startswith("on") and "javascript:" not in value
        for key, value in found.attributes
        if key != "aria-label"
    )
    for payload in payloads:
        assert payload not in source or not re.search("[<>\u202e]", payload), payload
    assert "\u202e" not in source + files.markdown.read_text(encoding="utf-8")
    assert not re.search(r"(?<!\\)<(?!br>)", files.markdown.read_text(encoding="utf-8"))
    assert "](javascript:" not in files.markdown.read_text(encoding="utf-8")
    rows = csv_rows(files.tables[0])
    assert all(not value.startswith(("=", "@", "+")) for row in rows for value in row.values())
    for path in files.figures:
        if path.suffix == ".svg":
            drawn = Page(path.read_text(encoding="utf-8"))
            assert set(drawn.tags) <= ALLOWED_TAGS
            assert all(not key.startswith("on") and "href" not in key for key, _ in drawn.attributes)


def test_a_run_of_baselines_alone_is_reported(make_data: Callable[..., Path], tmp_path: Path) -> None:
    data = make_data(blocked=frozenset({(40, "sw")}))
    run = tmp_path / "run"
    bench_run(["chance", "longest", "majority"], data=data, plan=Plan(), out=run)
    bench_score(run)
    found = Page(write_report([run], out=tmp_path / "report").html.read_text(encoding="utf-8"))
    assert "No model was asked here, only baselines." in found.text
    assert "Blocked: options" in found.text
    assert "Random choice" in found.text


def test_runs_of_other_questions_are_not_compared_in_silence(
    make_run: Callable[..., Path], made_up_run: Path, tmp_path: Path
) -> None:
    one, other = (make_run(named=(f"made-up/{name}",), codes=(name,), questions=20) for name in ("sw", "en"))
    found = Page(write_report([one, other], out=tmp_path).html.read_text(encoding="utf-8"))
    assert "These runs asked 2 different sets of questions: compare only within a run." in found.text
    with pytest.raises(UsageError, match="with different results; report them apart"):
        write_report([made_up_run, make_run(codes=("sw",), questions=20)], out=tmp_path)


def test_a_run_named_twice_is_reported_once(make_run: Callable[..., Path], tmp_path: Path) -> None:
    run = make_run(codes=("sw",), questions=20)
    once, twice = (write_report(runs, out=tmp_path / str(len(runs))) for runs in ([run], [run, run]))
    assert once.tables[0].read_bytes() == twice.tables[0].read_bytes()


def test_bad_input_is_refused_in_one_line(made_up_run: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no run given"):
        write_report([], out=tmp_path)
    with pytest.raises(InputError, match=r"found no manifest\.json"):
        write_report([tmp_path], out=tmp_path / "report")
    with pytest.raises(InputError, match=r"gains: found .* missing required field"):
        write_report([made_up_run], out=tmp_path / "report", gains=pa.table({"task": ["mcqa"]}))
    assert not (tmp_path / "report").exists()


@pytest.mark.parametrize("absent", ["altair", "vl_convert", "jinja2"])
def test_a_missing_extra_names_its_install_command(
    absent: str, made_up_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, absent, None)
    with pytest.raises(MissingExtraError, match=rf"{absent}.*pip install 'globmed\[report\]'"):
        write_report([made_up_run], out=tmp_path / "report")
    assert not (tmp_path / "report").exists()


def test_a_contents_list_that_fills_a_screen_is_folded_away(made_up_run: Path) -> None:
    evidence = read_runs([made_up_run])
    few = content(evidence, [], title="t", note="")
    section = few.sections[0]
    for number in (10, 11):
        shown = replace(few, sections=tuple(replace(section, id=f"s{place}", blocks=()) for place in range(number)))
        page = Page(as_html(shown))
        assert ("Contents: 16 sections" in page.text) == (number == 11)
