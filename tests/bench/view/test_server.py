"""The view as a person gets it: a process of its own, asked over the network and in a real browser."""

import http.client
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Literal
from urllib.parse import urlencode, urlsplit

import msgspec
import pytest
from playwright.sync_api import Browser, Locator, Page, sync_playwright

from globmed.bench.view.requests import requests_of, requests_path
from globmed.core.item import Finding, Item
from globmed.models.client import Reply

CHROMIUM = shutil.which("chromium")
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed (Debian: apt install chromium)")

pytestmark = pytest.mark.slow

PAYLOADS = (
    "<script>globalThis.owned = 1</script>",
    '"><img src=x onerror="globalThis.owned = 1">',
    "</textarea></select></title><svg onload=globalThis.owned=1>",
    "' onmouseover='globalThis.owned=1' autofocus onfocus='globalThis.owned=1",
    "javascript:globalThis.owned=1",
    "{{ 7 * 7 }}{% raw %}",
    "model\u202egpj.exe\u2066\u200b",
    "a|b\n\n# heading\x01",
    "&lt;script&gt;<!--",
)


@contextmanager
def serving(*runs: Path) -> Iterator[str]:
    """Serve runs, and give the address; Ctrl-C must end it well."""
    command = [sys.executable, "-m", "globmed", "bench", "view", *map(str, runs), "--no-open"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            found = re.match(r"http://127\.0\.0\.1:\d+/", line)
            assert found, line + (process.stderr.read() if process.stderr else "")
            yield found[0]
        finally:
            process.send_signal(signal.SIGINT)
            _, errors = process.communicate(timeout=20)
        assert process.returncode == 0, errors
        assert "Traceback" not in errors


@pytest.fixture(scope="module")
def address(view_run: Path) -> Iterator[str]:
    with serving(view_run) as found:
        yield found


def ask(
    address: str, path: str, *, method: str = "GET", body: str = "", headers: Mapping[str, str] | None = None
) -> tuple[int, Mapping[str, str], str]:
    """Ask with exactly these headers."""
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=20)
    connection.request(method, path, body.encode() or None, dict(headers or {}))
    response = connection.getresponse()
    text = response.read().decode()
    connection.close()
    return response.status, dict(response.getheaders()), text


def token_of(address: str, family: str = "made:1") -> str:
    _, _, page = ask(address, f"/item?{urlencode({'family': family})}")
    found = re.search(r'name="token" value="([^"]+)"', page)
    assert found
    return found[1]


def test_only_this_machine_under_its_own_name_is_answered(address: str) -> None:
    host = urlsplit(address).netloc
    assert ask(address, "/", headers={"Host": host})[0] == 200
    assert ask(address, "/", headers={"Host": "attacker.example"})[0] == 400
    assert ask(address, "/", headers={"Host": f"attacker.example:{urlsplit(address).port}"})[0] == 400
    listening = (
        subprocess.run(["ss", "-ltn"], capture_output=True, text=True, check=False).stdout if shutil.which("ss") else ""
    )
    assert all(
        f"127.0.0.1:{urlsplit(address).port}" in line
        for line in listening.splitlines()
        if f":{urlsplit(address).port} " in line
    )


@pytest.mark.parametrize("path", ["/", "/item?family=made%3A1", "/view.css", "/nowhere", "/item?family=none"])
def test_every_answer_forbids_scripts_and_frames(address: str, path: str) -> None:
    _, headers, text = ask(address, path)
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert "<script" not in text


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/item?family=made:99", 404),
        ("/?run=7", 404),
        ("/?outcome=splendid", 400),
        ("/?named=correct", 400),
        ("/?after=1;DROP", 400),
        ("/?after=²", 400),
        ("/docs", 404),
        ("/?language=xx", 200),
    ],
)
def test_what_cannot_be_had_is_said(address: str, path: str, status: int) -> None:
    assert ask(address, path.replace("²", "%C2%B2"))[0] == status


def test_a_mark_needs_the_token_of_the_form(address: str, view_run: Path) -> None:
    path, form = "/mark?family=made:1&language=sw", {"reason": "key", "text": "from elsewhere"}
    right = {"token": token_of(address)}
    for sent, headers, status in (
        (form, {}, 403),
        (form | {"token": "guessed"}, {}, 403),
        (form | right, {"Origin": "http://attacker.example"}, 403),
        (form | right, {"Origin": "null"}, 403),
        (form | right | {"reason": "nonsense"}, {}, 400),
        (form | right | {"text": "x" * 200_000}, {}, 413),
    ):
        assert ask(address, path, method="POST", body=urlencode(sent), headers=headers)[0] == status
    assert ask(address, "/mark?family=made:1&language=xx", method="POST", body=urlencode(form | right))[0] == 404
    assert ask(address, "/mark", method="GET")[0] == 405
    assert not requests_path(view_run).exists()


def test_two_runs_are_shown_and_a_taken_port_is_told(view_run: Path, make_view_run: Callable[..., Path]) -> None:
    other = make_view_run(name="other", questions=2)
    with serving(view_run, other) as found:
        _, _, page = ask(found, "/?run=1")
        assert '<option value="1" selected>other</option>' in page
        assert "<b>8</b> questions" in page
        port = str(urlsplit(found).port)
        command = [sys.executable, "-m", "globmed", "bench", "view", str(view_run), "--no-open", "--port", port]
        refused = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        assert refused.returncode == 3
        assert "Name another --port" in refused.stderr


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@contextmanager
def opened(browser: Browser, address: str, *, width: int = 1280) -> Iterator[Page]:
    """Open the view; at the end nothing may have been logged or failed, and nobody else asked."""
    page = browser.new_page(viewport={"width": width, "height": 844})
    troubles: list[str] = []
    page.on("console", lambda message: troubles.append(f"console: {message.text}"))
    page.on("pageerror", lambda error: troubles.append(f"error: {error}"))
    page.on("dialog", lambda dialog: troubles.append(f"dialog: {dialog.message}"))
    page.on("requestfailed", lambda request: troubles.append(f"failed: {request.url}"))
    page.on(
        "request", lambda request: None if request.url.startswith((address, "data:,")) else troubles.append(request.url)
    )
    page.goto(address, wait_until="networkidle")
    yield page
    assert page.evaluate("globalThis.owned") is None
    assert troubles == []
    page.close()


def press(page: Page, name: str, *, role: Literal["button", "link"] = "button", within: Locator | None = None) -> None:
    """Press what leads to another page, and wait until that one stands there whole, its style with it."""
    with page.expect_navigation(wait_until="load"):
        (within or page).get_by_role(role, name=name).click()


@needs_chromium
@pytest.mark.parametrize("width", [320, 1280])
def test_filter_open_switch_language_and_mark(browser: Browser, make_view_run: Callable[..., Path], width: int) -> None:
    run = make_view_run()
    with serving(run) as address, opened(browser, address, width=width) as page:
        page.get_by_label("Language").select_option("sw")
        page.get_by_label("Only").select_option("all_wrong")
        press(page, "Show")
        assert "4 questions" in page.get_by_role("status").inner_text()
        assert page.url == f"{address}?language=sw&model=&outcome=&named=all_wrong&text=&within="
        press(page, "made:4", role="link")
        assert page.locator(".side h3").first.inner_text().startswith("Swahili")
        page.get_by_label("Beside it").select_option("zh")
        press(page, "Show")
        asked = page.locator(".asked")
        assert [asked.nth(place).get_attribute("lang") for place in (0, 1)] == ["sw", "zh"]
        assert [asked.nth(place).get_attribute("dir") for place in (0, 1)] == ["ltr", "ltr"]
        assert asked.nth(1).inner_text() == "下列哪一项正确, 4?"
        assert "Noto Sans CJK SC" in asked.nth(1).evaluate("element => getComputedStyle(element).fontFamily")
        replies = page.locator(".pair").first
        assert replies.locator(".outcome").all_inner_texts() == ["Wrong", "Right"]
        assert "Read: B: second of sw" in replies.inner_text()
        assert "Rule: statement" in replies.inner_text()
        for said in ("Marked.", "This was marked before."):
            form = page.locator("form.mark").nth(1)
            form.get_by_label("Why").select_option("translation")
            form.get_by_label("Whose reply").select_option("poor")
            form.get_by_label("What is to be seen").fill("第一项\nsecond line")
            press(page, "Mark for review", within=form)
            assert page.locator("main [role=status]").inner_text() == said
        [mark] = requests_of(run, "made:4")
        assert (mark.item, mark.language, mark.model, mark.reason) == ("made:4/zh", "zh", "poor", "translation")
        assert mark.text == "第一项\nsecond line"
        assert page.evaluate("document.documentElement.scrollWidth") <= width


@needs_chromium
def test_a_search_and_pages_have_addresses_to_share(browser: Browser, address: str) -> None:
    with opened(browser, address) as page:
        press(page, "Next", role="link")
        press(page, "Next", role="link")
        assert "41 to 48" in page.get_by_role("status").inner_text()
        press(page, "Previous", role="link")
        assert "21 to 40" in page.get_by_role("status").inner_text()
        page.get_by_label("Text", exact=True).fill("iwosan")
        with page.expect_navigation(url="**text=iwosan**", wait_until="load"):
            page.keyboard.press("Enter")
        assert page.locator(".entries > li").count() == 1
        page.goto(page.url)
        assert page.get_by_label("Text", exact=True).input_value() == "iwosan"


def hostile(item: Item) -> Item:
    """Put a payload into every field that holds text."""
    number = int(item.family.rpartition(":")[2])
    payload = PAYLOADS[number % len(PAYLOADS)]
    finding = Finding(check=payload, severity="note", field="question", message=payload)
    return msgspec.structs.replace(
        item,
        family=f"{payload}:{number}",
        cluster="",
        source="made",
        question=payload,
        context=payload,
        options=tuple(f"{payload} {letter}" for letter in "ABCD"),
        provenance=msgspec.structs.replace(item.provenance, findings=(finding,)),
    )


@needs_chromium
@pytest.mark.parametrize("width", [390, 1280])
def test_hostile_text_is_shown_and_does_nothing(
    browser: Browser, make_view_run: Callable[..., Path], width: int
) -> None:
    models = {
        payload: lambda _number, _code, payload=payload: Reply(status="ok", text=f"{payload}\nAnswer: A")
        for payload in PAYLOADS
    }
    run = make_view_run(name="<b onclick=1>run", models=models, change=hostile, questions=len(PAYLOADS))
    with serving(run) as address, opened(browser, address, width=width) as page:
        for payload in PAYLOADS:
            page.goto(f"{address}?{urlencode({'text': payload, 'model': payload, 'source': payload})}")
            page.goto(f"{address}?{urlencode({'text': payload[:12]})}")
        for link in page.locator(".entries h2 a").all()[:4]:
            assert str(link.get_attribute("href")).startswith("/item?")
        for number, payload in enumerate(PAYLOADS):
            page.goto(f"{address}item?{urlencode({'family': f'{payload}:{number}', 'language': 'zh'})}")
            assert page.locator(".pair").count() == len(PAYLOADS) + 1
            assert "\u202e" not in page.content()
            assert "\u200b" not in page.content()
            # A model is chosen by the value that its form shows, whatever its name holds.
            page.locator(".filters select[name=model]").select_option(index=1 + number)
            press(page, "Show")
            assert page.locator(".pair").count() == 1
            form = page.locator("form.mark").first
            form.get_by_label("What is to be seen").fill(payload)
            press(page, "Mark for review", within=form)
            assert page.locator("main [role=status]").inner_text() == "Marked."
            assert page.locator("script, img, svg, iframe, object, [onload], [onerror], [onclick]").count() == 0
            assert page.evaluate("document.documentElement.scrollWidth") <= width
        page.goto(address)
        assert "⟨U+202E⟩gpj.exe" in page.content()
