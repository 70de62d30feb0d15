"""The page in a real browser: it fetches nothing, fits a phone, reads well in dark and light, and nothing overlaps."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from globmed.core.language import languages
from globmed.data.describing.description import Balance, Crossing, Description, Found, Length, Origin, Size
from globmed.data.describing.page import DARKEST, chance, panels, rounded_up, shaded, write_page

CHROMIUM = shutil.which("chromium")
browsing = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed (Debian: apt-get install chromium)")

# WCAG 2.2, 1.4.3: 4.5:1 for text. `color-mix` computes to `color(srgb r g b)`, with parts from 0 to 1.
CONTRASTS = """() => {
  const parts = colour => {
    const found = colour.match(/[\\d.]+/g).map(Number);
    return colour.startsWith("color(") ? found.map((part, index) => index < 3 ? part * 255 : part) : found;
  };
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
  return [...document.querySelectorAll("body *")]
    .filter(element => [...element.childNodes].some(node => node.nodeType === 3 && node.data.trim()))
    .map(element => {
      const pair = [light(getComputedStyle(element).color), light(ground(element))];
      return [element.textContent.slice(0, 40), (Math.max(...pair) + .05) / (Math.min(...pair) + .05)];
    });
}"""
# Texts, and bars, that meet although neither holds the other; a font's box is up to 8 pixels higher than its line.
OVERLAPS = """() => {
  const all = ".name, .says, .bar, .ticks span, figcaption, .columns, .places span, h2, h3, dt, dd, th, td";
  const shown = [...document.querySelectorAll(all)].filter(e => e.getClientRects().length);
  const box = e => {
    const range = document.createRange();
    range.selectNodeContents(e);
    return (e.matches(".bar, .columns") ? e : range).getBoundingClientRect();
  };
  const boxes = shown.map(box);
  const meet = (a, b) => a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 8 && b.top < a.bottom - 8;
  return shown.flatMap((one, index) => shown.slice(index + 1, index + 40)
    .filter((other, after) => !one.closest(".scroll") && !one.contains(other) && !other.closest(".scroll")
      && meet(boxes[index], boxes[index + 1 + after]))
    .map(other => [one.className || one.tagName, one.textContent, other.className, other.textContent]));
}"""
HOSTILE = '"><script>globalThis.owned = 1</script><img src=x onerror="globalThis.owned = 1">'


def described(*sources: str) -> Description:
    """Every language in each source, with all that a page can show."""
    codes = list(languages())
    spread = {"low": 20, "quarter": 90, "median": 150, "three_quarters": 400, "high": 1_234}
    return Description(
        stage="quality",
        items=12_345,
        families=1_234,
        clusters=1_200,
        sizes=tuple(
            Size(source=source, language=code, split="test", items=10 ** (number % 6))
            for number, source in enumerate(sources)
            for code in codes
        ),
        origins=tuple(Origin(language=code, native=number, machine=900, expert=5) for number, code in enumerate(codes)),
        lengths=tuple(Length(source=of, language=code, items=9, **spread) for of in sources for code in codes),
        balances=tuple(
            Balance(source=source, language="es", options=10, right=tuple(range(10, 20)), p_value=0.02)
            for source in sources
        ),
        not_one_right={sources[0]: 3},
        findings=tuple(
            Found(check="option_count", severity=severity, language=code, items=7)
            for severity in ("note", "review", "block")
            for code in codes
        ),
        crossings=(Crossing(first=sources[0], second=sources[-1], clusters=40),),
    )


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def html(tmp_path_factory: pytest.TempPathFactory) -> Path:
    names = ("afrimedqa", "casimedicos", "expertqa_med", "headqa", "medmcqa", "mmlu_pro", "pubmedqa", "vitals")
    return write_page(described(*names), out=tmp_path_factory.mktemp("page"), name="made-up")


@contextmanager
def opened(browser: Browser, html: Path, *, width: int, scheme: Literal["dark", "light"] = "light") -> Iterator[Page]:
    """Open the page; at the end nothing may have been logged, failed or fetched but the page itself."""
    page = browser.new_page(viewport={"width": width, "height": 844}, color_scheme=scheme)
    troubles: list[str] = []
    fetched: list[str] = []
    page.on("console", lambda message: troubles.append(f"console: {message.text}"))
    page.on("pageerror", lambda error: troubles.append(f"error: {error}"))
    page.on("request", lambda request: fetched.append(request.url))
    page.goto(html.as_uri(), wait_until="load")
    page.wait_for_load_state("networkidle")
    yield page
    assert troubles == []
    assert fetched == [html.as_uri()]
    page.close()


@browsing
@pytest.mark.slow
@pytest.mark.parametrize("width", [320, 390, 768, 1280])
def test_the_page_fits_and_no_texts_overlap(browser: Browser, html: Path, width: int) -> None:
    with opened(browser, html, width=width) as page:
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.evaluate(OVERLAPS) == []


@browsing
@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_all_text_has_the_contrast_of_wcag_aa(browser: Browser, html: Path, scheme: Literal["dark", "light"]) -> None:
    with opened(browser, html, width=1280, scheme=scheme) as page:
        found = page.evaluate(CONTRASTS)
        assert len(found) > 300
        assert [(text, ratio) for text, ratio in found if ratio < 4.5] == []


@browsing
@pytest.mark.slow
def test_bars_are_as_long_as_their_numbers(browser: Browser, html: Path) -> None:
    with opened(browser, html, width=1280) as page:
        widths = page.evaluate(
            "[...document.querySelectorAll('.stack')].map(b => [...b.children].map(i => i.offsetWidth / b.offsetWidth))"
        )
        assert widths[1] == pytest.approx([1 / 906, 900 / 906, 5 / 906], abs=0.005)
        median = page.evaluate(
            "(() => { const s = document.querySelector('.strip'), m = s.querySelector('.median');"
            "return (m.getBoundingClientRect().left + 1 - s.getBoundingClientRect().left) / s.offsetWidth })()"
        )
        assert median == pytest.approx(150 / 2_000, abs=0.005)


@browsing
@pytest.mark.slow
def test_hostile_names_run_nothing(browser: Browser, tmp_path: Path) -> None:
    html = write_page(described(HOSTILE), out=tmp_path, name=HOSTILE)
    with opened(browser, html, width=390) as page:
        assert page.evaluate("globalThis.owned") is None
        assert HOSTILE in page.locator("h1").inner_text()


def test_languages_stand_under_their_own_names(html: Path) -> None:
    text = html.read_text(encoding="utf-8")
    for row in languages().values():
        assert row.own_name in text
    assert "http" not in text.replace("http-equiv", "")


def test_a_stage_with_little_in_it_is_drawn(tmp_path: Path) -> None:
    bare = Description(
        stage="import",
        items=1,
        families=1,
        clusters=1,
        sizes=(Size(source="s", language="xx", split="train", items=1),),
        origins=(Origin(language="xx", native=1, machine=0, expert=0),),
        lengths=(Length(source="s", language="xx", items=1, low=0, quarter=0, median=0, three_quarters=0, high=0),),
        balances=(),
        not_one_right={},
        findings=(),
        crossings=(),
    )
    text = write_page(bare, out=tmp_path, name="bare").read_text(encoding="utf-8")
    for said in ("No finding stands", "No question has options", "not been searched for duplicates yet"):
        assert said in text


@pytest.mark.parametrize(("number", "end"), [(0, 1), (1, 1), (3, 5), (99, 100), (100, 100), (101, 200), (1_234, 2_000)])
def test_axes_end_at_round_numbers(number: int, end: int) -> None:
    assert rounded_up(number) == end


def test_strips_lie_within_their_axis() -> None:
    length = Length(source="s", language="es", items=1, low=5, quarter=10, median=20, three_quarters=40, high=50)
    (panel,) = panels([length])
    assert (panel.end, panel.strips[0].low, panel.strips[0].high) == (50, 10.0, 100.0)


def test_shades_rise_with_the_logarithm() -> None:
    ((none, one, most),) = shaded([[0, 9, 99]])
    assert (none.shade, most.shade) == (0, DARKEST)
    assert one.shade == DARKEST / 2
    assert shaded([[0]])[0][0].shade == 0


def test_chance_is_put_into_words() -> None:
    assert chance(None) == "too few to tell from chance"
    assert chance(0.0001) == "more uneven than chance makes it (p\u00a0<\u00a00.001)"
    assert chance(0.02).startswith("perhaps more uneven")
    assert chance(0.5).startswith("not more uneven")
