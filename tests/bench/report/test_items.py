"""The sample of questions and replies: what is drawn, how much of it, and how it can be looked at."""

import re
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from globmed.bench.report import write_report
from globmed.bench.report.items import REPLIES_PER_LANGUAGE, Items, items_markdown, sample_items
from globmed.core.item import Item
from globmed.models.client import Reply

from ..view.conftest import MakeRun, make_view_run, view_run  # noqa: F401, TID252 - fixtures

CHROMIUM = shutil.which("chromium")
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed (Debian: apt install chromium)")


@pytest.fixture(scope="module")
def sample(view_run: Path) -> Items:  # noqa: F811
    return sample_items([view_run])


def test_the_sample_is_drawn_in_turn_no_question_twice_and_the_same_each_time(
    view_run: Path,  # noqa: F811
    sample: Items,
) -> None:
    assert sample_items([view_run, view_run]) == sample
    assert sample_items([view_run], seed=1) != sample
    assert len({one.family for one in sample.shown}) == len(sample.shown) == 12
    few = sample_items([view_run], per_task=4)
    assert Counter(one.kind for one in few.shown) == dict.fromkeys(["lost", "all_wrong", "region_bound", "any"], 1)
    assert few.sentences[0].startswith("This page holds 4\N{NO-BREAK SPACE}questions")
    assert "No model right: perhaps a bad translation or a wrong key (1 of 4)" in few.sentences[1]


def test_each_question_is_what_it_was_drawn_among(sample: Items) -> None:
    for one in sample.shown:
        first = one.panels[0]
        outcomes = {model: read.outcome for read in first.reads for model in read.models}
        english = {model: read.outcome for read in one.panels[1].reads for model in read.models}
        assert len(outcomes) == first.replies == 3
        if one.kind == "lost":
            assert any(outcomes[model] != "correct" and english[model] == "correct" for model in ("good", "poor"))
        if one.kind == "all_wrong":
            assert "correct" not in (outcomes["good"], outcomes["poor"])
        if one.kind == "region_bound":
            assert one.family == "made:3"
            assert first.findings


def test_a_question_stands_in_all_languages_with_replies_and_rules(sample: Items) -> None:
    one = next(one for one in sample.shown if one.family == "made:2")
    panels = {panel.code: panel for panel in one.panels}
    assert set(panels) == {"en", "sw", "yo", "zh"}
    assert panels["yo"].question == "Èwo ni ó tọ́, 2?"
    assert [letter for letter, _, right in panels["yo"].options if right] == ["C"]
    poor = next(reply for reply in panels["yo"].excerpts if reply.model == "poor")
    assert (poor.became, poor.answer, poor.text) == ("Not read", "", "Ìwòsàn kò sí níbí.")
    good = next(reply for reply in panels["yo"].excerpts if reply.model == "good")
    assert (good.became, good.answer, good.rule) == ("Right", "C: third of yo", "statement")


def test_long_replies_and_many_models_stay_within_the_bytes_given(
    make_view_run: MakeRun,  # noqa: F811
    tmp_path: Path,
) -> None:
    def wordy(number: int, _code: str) -> Reply:
        return Reply(status="ok", text="Ìwòsàn <b> & " * 300 + f"\nAnswer: {'ABCD'[number % 4]}")

    def longer(item: Item) -> Item:
        return msgspec.structs.replace(item, context="A <long> case. " * 400)

    run = make_view_run(models={f"model-{number}": wordy for number in range(12)}, change=longer)
    whole, part = sample_items([run]), sample_items([run], bytes_max=60_000)
    assert 0 < len(part.shown) < len(whole.shown) == 12
    assert f"This page holds {len(part.shown)}\N{NO-BREAK SPACE}questions" in part.sentences[0]
    panel = whole.shown[0].panels[0]
    assert len(panel.excerpts) == REPLIES_PER_LANGUAGE < panel.replies == 13
    assert max(len(one.text) for one in panel.excerpts) <= 301
    page = write_report([run], out=tmp_path).html.read_text(encoding="utf-8")
    section = page[page.index('<section id="items"') : page.index('<section id="method"')]
    estimated = sum(one.size_bytes for one in whole.shown)
    assert 0.5 * estimated < len(section.encode()) < 1.1 * estimated


def test_a_run_without_saved_replies_says_so(made_up_run: Path, tmp_path: Path) -> None:
    shown = sample_items([made_up_run], per_task=3).shown
    assert len(shown) == 3
    assert all(panel.reads and not panel.excerpts for one in shown for panel in one.panels)
    page = write_report([made_up_run], out=tmp_path).html.read_text(encoding="utf-8")
    assert "This run holds no text of these replies." in page


def test_markdown_holds_the_first_two_languages_and_no_markup(sample: Items) -> None:
    blocks = list(items_markdown(sample))
    assert sum(block.startswith("### ") for block in blocks) == len(sample.shown)
    assert not any(re.search(r"(?<!\\)[<`]", block) for block in blocks)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@contextmanager
def opened(browser: Browser, html: Path, *, width: int = 1280, script: bool = True) -> Iterator[Page]:
    """Open the page; at the end nothing may have been logged, failed or fetched."""
    page = browser.new_page(viewport={"width": width, "height": 844}, java_script_enabled=script)
    troubles: list[str] = []
    page.on("console", lambda message: troubles.append(f"console: {message.text}"))
    page.on("pageerror", lambda error: troubles.append(f"error: {error}"))
    page.on("request", lambda request: None if request.url == html.as_uri() else troubles.append(request.url))
    page.goto(html.as_uri(), wait_until="load")
    page.wait_for_load_state("networkidle")
    yield page
    assert troubles == []
    page.close()


@pytest.mark.slow
@needs_chromium
@pytest.mark.parametrize("width", [320, 1280])
def test_filter_open_and_switch_languages(
    browser: Browser,
    view_run: Path,  # noqa: F811
    tmp_path: Path,
    width: int,
) -> None:
    html = write_report([view_run], out=tmp_path).html
    with opened(browser, html, width=width) as page:
        items, choice = page.locator("#items .item"), page.locator("#items-choice")
        choice.get_by_label("Only").select_option("all_wrong")
        visible = [one for one in items.all() if one.is_visible()]
        assert {one.get_attribute("data-kind") for one in visible} == {"all_wrong"}
        assert choice.get_by_role("status").inner_text() == f"{len(visible)} of 12 questions shown"
        visible[0].locator("summary").click()
        panels = visible[0].locator(".item-panel:visible")
        assert [panel.get_attribute("data-language") for panel in panels.all()] == ["sw", "en"]
        choice.get_by_label("Language").select_option("zh")
        choice.get_by_label("Beside it").select_option("yo")
        assert [panel.get_attribute("data-language") for panel in panels.all()] == ["zh", "yo"]
        assert panels.first.locator(".item-asked").get_attribute("lang") == "zh"
        choice.get_by_role("button", name="Show every question").click()
        expect(page.locator("#items-shown")).to_contain_text("12 of")
        assert [panel.get_attribute("data-language") for panel in panels.all()] == ["sw", "en"]
        assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.slow
@needs_chromium
def test_everything_can_be_read_without_script(
    browser: Browser,
    view_run: Path,  # noqa: F811
    tmp_path: Path,
) -> None:
    with opened(browser, write_report([view_run], out=tmp_path).html, script=False) as page:
        first = page.locator("#items .item").first
        first.locator("summary").click()
        assert first.locator(".item-panel:visible").count() == 4
        assert not page.locator("#items-choice").is_visible()


@pytest.mark.slow
@needs_chromium
def test_hostile_text_is_shown_and_does_nothing(
    browser: Browser,
    make_view_run: MakeRun,  # noqa: F811
    payloads: tuple[str, ...],
    tmp_path: Path,
) -> None:
    def hostile(item: Item) -> Item:
        payload = payloads[int(item.family.rpartition(":")[2]) % len(payloads)]
        options = tuple(f"{payload} {letter}" for letter in "ABCD")
        family = f"{payload}:{item.family}"
        return msgspec.structs.replace(item, family=family, question=payload, context=payload, options=options)

    def says(payload: str) -> Callable[[int, str], Reply]:
        return lambda _number, _code: Reply(status="ok", text=f"{payload}\nAnswer: A")

    run = make_view_run(models={payload: says(payload) for payload in payloads}, change=hostile)
    with opened(browser, write_report([run], out=tmp_path).html) as page:
        for one in page.locator("#items .item").all():
            one.locator("summary").click()
        assert page.evaluate("globalThis.owned") is None
        assert page.locator("#items :is(script, img, svg, iframe, a, [onload], [onerror])").count() == 0
        assert "\u202e" not in page.content()
        assert "⟨U+202E⟩gpj.exe" in page.locator("#items").inner_text()
        assert page.locator("#items").get_by_text(payloads[0]).count() > 0
