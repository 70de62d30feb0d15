"""The page in a real browser: nothing fails, nothing is fetched, it fits a phone and can be read with the keyboard."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from globmed.bench.report import write_report
from globmed.core.language import languages

CHROMIUM = shutil.which("chromium")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed (Debian: apt-get install chromium)"),
]

# WCAG 2.2, 1.4.3: 4.5:1 for text. Every text of the page stands on a plain background of its own or of an ancestor.
CONTRASTS = """() => {
  const parts = colour => colour.match(/[\\d.]+/g).map(Number);
  const linear = share => share <= .04045 ? share / 12.92 : ((share + .055) / 1.055) ** 2.4;
  const light = colour => {
    const [red, green, blue] = parts(colour).map(part => linear(part / 255));
    return .2126 * red + .7152 * green + .0722 * blue;
  };
  const ground = element => {
    for (let e = element; e; e = e.parentElement) {
      const colour = getComputedStyle(e).backgroundColor;
      if ((parts(colour)[3] ?? 1) > 0) return colour;
    }
    return "rgb(255, 255, 255)";
  };
  return [...document.querySelectorAll("body *:not(svg *)")]
    .filter(element => [...element.childNodes].some(node => node.nodeType === 3 && node.data.trim()))
    .map(element => {
      const pair = [light(getComputedStyle(element).color), light(ground(element))];
      return [element.textContent.slice(0, 40), (Math.max(...pair) + .05) / (Math.min(...pair) + .05)];
    });
}"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def html(made_up_run: Path, made_up_gains: pa.Table, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("report")
    return write_report([made_up_run], out=out, gains=made_up_gains, title="Made-up run", note="All made up.").html


@contextmanager
def opened(browser: Browser, html: Path, *, width: int) -> Iterator[Page]:
    """Open the page; at the end nothing may have been logged, failed, asked or fetched but the page itself."""
    page = browser.new_page(viewport={"width": width, "height": 844})
    troubles: list[str] = []
    fetched: list[str] = []
    page.on("console", lambda message: troubles.append(f"console: {message.text}"))
    page.on("pageerror", lambda error: troubles.append(f"error: {error}"))
    page.on("dialog", lambda dialog: troubles.append(f"dialog: {dialog.message}"))
    page.on("request", lambda request: fetched.append(request.url))
    # A page without requests is idle before it is parsed: both states are waited for.
    page.goto(html.as_uri(), wait_until="load")
    page.wait_for_load_state("networkidle")
    yield page
    assert troubles == []
    assert fetched == [html.as_uri()]
    page.close()


@pytest.mark.parametrize("width", [320, 390, 768, 1280])
def test_nothing_fails_nothing_is_fetched_and_the_page_never_scrolls_sideways(
    browser: Browser, html: Path, width: int
) -> None:
    with opened(browser, html, width=width) as page:
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        boxes = page.locator(".scroll")
        assert boxes.count() == 19 + len(languages())
        if width <= 390:
            assert page.evaluate("[...document.querySelectorAll('.scroll')].some(e => e.scrollWidth > e.clientWidth)")


def test_wide_tables_scroll_with_the_keyboard_and_keep_their_first_column(browser: Browser, html: Path) -> None:
    with opened(browser, html, width=390) as page:
        box = page.locator("#results .scroll").first
        box.focus()
        page.keyboard.press("ArrowRight")
        # A promise, not `wait_for_function`: that one evaluates a string in the page, which the page's policy forbids.
        box.evaluate(
            """box => new Promise(scrolled => box.scrollLeft > 0 ? scrolled()
                : box.addEventListener("scroll", () => scrolled(), { once: true }))"""
        )
        row = box.locator("tbody th[scope=row]").first
        edges = [locator.evaluate("element => element.getBoundingClientRect().x") for locator in (row, box)]
        assert edges[0] == pytest.approx(edges[1], abs=1)


def test_the_keyboard_reaches_the_results_first(browser: Browser, html: Path) -> None:
    with opened(browser, html, width=1280) as page:
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "Skip to the results"
        assert page.evaluate("document.activeElement.getBoundingClientRect().left") >= 0
        page.keyboard.press("Enter")
        expect(page).to_have_url(f"{html.as_uri()}#main")


def test_all_text_has_the_contrast_of_wcag_aa(browser: Browser, html: Path) -> None:
    with opened(browser, html, width=1280) as page:
        found = page.evaluate(CONTRASTS)
        assert len(found) > 200
        assert [text for text, ratio in found if ratio < 4.5] == []


def test_print_loses_no_column(browser: Browser, html: Path) -> None:
    # A4 landscape less its margins, at 96 dots to the inch.
    with opened(browser, html, width=1031) as page:
        page.emulate_media(media="print")
        assert page.evaluate(
            "[...document.querySelectorAll('table, svg')].every(e => e.getBoundingClientRect().right <= 1031)"
        )
        assert page.pdf(prefer_css_page_size=True).startswith(b"%PDF")


def test_models_are_sorted_by_any_column_with_the_keyboard(browser: Browser, html: Path) -> None:
    with opened(browser, html, width=1280) as page:
        table = page.locator("table.models").first
        head = table.locator("thead th[data-language=sw]")
        head.locator("button").focus()
        page.keyboard.press("Enter")
        assert head.get_attribute("aria-sort") == "descending"
        at = head.evaluate("element => element.cellIndex")
        shares = (
            table.locator("tbody")
            .nth(1)
            .evaluate("(body, at) => [...body.rows].flatMap(row => row.cells[at]?.dataset.order ?? [])", at)
        )
        assert shares == sorted(shares, key=float, reverse=True)
        page.keyboard.press("Enter")
        assert head.get_attribute("aria-sort") == "ascending"


def test_languages_and_models_can_be_chosen(browser: Browser, html: Path) -> None:
    with opened(browser, html, width=1280) as page:
        table, controls = page.locator("table.models").first, page.locator("#controls")
        shown = (
            "table => [...table.querySelectorAll('thead th[data-language]:not([hidden])')].map(e => e.dataset.language)"
        )
        columns = table.locator("thead th[data-language]:not([hidden])")
        of_all = columns.count()
        assert of_all > len(languages())
        controls.locator("select[name=language]").select_option("tier:low")
        assert set(table.evaluate(shown)) == {"all", "sw", "wo", "yo", "zu"}
        controls.locator("select[name=language]").select_option("language:wo")
        assert set(table.evaluate(shown)) == {"all", "wo"}
        assert page.evaluate("document.documentElement.scrollWidth") <= 1280
        controls.locator("select[name=section]").select_option("gaps")
        assert page.locator("section.part:visible").count() == 1
        page.get_by_role("button", name="Show all").click()
        expect(columns).to_have_count(of_all)


def test_hostile_text_runs_nothing(
    browser: Browser, hostile_run: Path, payloads: tuple[str, ...], tmp_path: Path
) -> None:
    html = write_report([hostile_run], out=tmp_path, title=payloads[0], note=payloads[1]).html
    with opened(browser, html, width=390) as page:
        assert page.evaluate("globalThis.owned") is None
        assert page.title() == payloads[0]
        assert page.locator("h1").inner_text() == payloads[0]
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
