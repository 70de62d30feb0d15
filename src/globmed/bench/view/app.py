"""The pages of the view over HTTP. Nobody but a browser on this machine, on these pages, is answered.

A page elsewhere can make a browser ask us, under a name that it has pointed at 127.0.0.1: the `Host` header tells. It
can also make it send a form: a token that only our own pages hold tells. What models wrote is shown as text, and the
policy of the pages forbids scripts, frames and every request to anywhere else.
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

import msgspec
from fastapi import FastAPI, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.middleware.trustedhost import TrustedHostMiddleware

from globmed.bench.judging.told import verdicts_on
from globmed.bench.report.wording import readable
from globmed.bench.view.filters import FACETS, Filter
from globmed.bench.view.pages import address, environment, pairs
from globmed.bench.view.records import Question
from globmed.bench.view.requests import TEXT_CHARACTERS_MAX, ReviewRequest, add_request, requests_of
from globmed.bench.view.store import View
from globmed.core.errors import GlobmedError
from globmed.core.language import languages

HOSTS = ("127.0.0.1", "localhost")
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src data:; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
FORM_BYTES_MAX = 100_000


class Shown(NamedTuple):
    """A run and its view."""

    run: Path
    view: View


class Wanted(NamedTuple):
    """What an address asks for.

    Attributes:
        run: number of the run, from 0.
        filter: which replies.
        after: number of the question that the page goes on behind.
    """

    run: int
    filter: Filter
    after: int


class Refused(Exception):  # noqa: N818 - an answer, no error of ours
    """What was asked cannot be had; holds the status and a sentence for people."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status, self.text = status, text


class Pages:
    """What is answered to each address."""

    def __init__(self, shown: Sequence[Shown]) -> None:
        self._shown = shown
        self._templates = environment()
        self._token = secrets.token_urlsafe(24)

    def listed(self, query: Mapping[str, str]) -> str:
        """Return the page of questions that a filter finds."""
        wanted = self._wanted(query)
        view = self._shown[wanted.run].view
        page = view.page(wanted.filter, after=wanted.after)
        asked = _address_values(wanted)
        return self._page(
            "list.html",
            wanted=wanted,
            page=page,
            facets={name: _in_order(name, values) for name, values in view.facets.items()},
            runs=self._names(),
            beside=lambda code: _beside(view.facets["language"], code),
            previous=page.previous is not None and address("/", **asked, after=max(page.previous, -1)),
            following=page.next is not None and address("/", **asked, after=page.next),
        )

    def item(self, query: Mapping[str, str]) -> str:
        """Return the page of a question in two languages."""
        number = self._run(query)
        shown = self._shown[number]
        family, questions = _asked(shown.view, query.get("family", ""))
        codes = _in_order("language", tuple(questions))
        left = query.get("language") if query.get("language") in questions else codes[0]
        right = query.get("beside") if query.get("beside") in questions else _beside(codes, str(left))
        sides = list(dict.fromkeys((str(left), str(right))))
        items = {questions[code].item: code for code in sides}
        found = pairs(shown.view.replies(list(items)), items, family, verdicts_on(shown.run, [family]))
        models = sorted({pair.model for pair in found})
        model = _real(models, query.get("model", ""))
        return self._page(
            "item.html",
            run=number,
            runs=self._names(),
            family=family,
            questions=[questions[code] for code in sides],
            codes=codes,
            model=model,
            models=models,
            pairs=[pair for pair in found if model in {"", pair.model}],
            doubtful={code for pair in found for code, reply in pair.sides.items() if reply.all_wrong},
            marks=requests_of(shown.run, family),
            marked=query.get("marked", ""),
            token=self._token,
        )

    def mark(self, query: Mapping[str, str], form: Mapping[str, str]) -> str:
        """Write a mark down, and return the address to go on at."""
        if not secrets.compare_digest(form.get("token", "").encode(), self._token.encode()):
            raise Refused(403, "This form is not from this server, or from before it was started again. Go back.")
        number, code = self._run(query), query.get("language", "")
        shown = self._shown[number]
        family, questions = _asked(shown.view, query.get("family", ""))
        if code not in questions:
            raise Refused(404, "This question was not asked in this language.")
        values = {
            "item": f"{family}/{code}",
            "family": family,
            "language": code,
            "model": _real(shown.view.facets["model"], form.get("model", "")),
            "reason": form.get("reason", ""),
            "text": form.get("text", "").replace("\r\n", "\n").strip()[:TEXT_CHARACTERS_MAX],
            "when": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        new = add_request(shown.run, _converted(values, ReviewRequest))
        asked = {name: query.get(name, "") for name in ("family", "beside")}
        first = query.get("shown", code)
        return address("/item", run=number, language=first, marked="new" if new else "known", **asked) + "#marks"

    def message(self, text: str) -> str:
        """Return a page that says one thing."""
        return self._page("message.html", text=text, runs=self._names())

    def style(self) -> str:
        """Return the style sheet."""
        return self._page("view.css")

    def _page(self, name: str, **values: Any) -> str:
        return self._templates.get_template(name).render(**values)

    def _names(self) -> list[str]:
        return [shown.run.name for shown in self._shown]

    def _run(self, query: Mapping[str, str]) -> int:
        text = query.get("run", "0")
        if text not in {str(number) for number in range(len(self._shown))}:
            raise Refused(404, "There is no such run here.")
        return int(text)

    def _wanted(self, query: Mapping[str, str]) -> Wanted:
        number = self._run(query)
        facets = self._shown[number].view.facets
        chosen = {name: _real(facets[name], query.get(name, "")) for name in FACETS}
        chosen |= {name: query.get(name, "") for name in ("outcome", "named", "text", "within")}
        after = query.get("after", "-1")
        if not after.removeprefix("-").isascii() or not after.removeprefix("-").isdigit() or len(after) > 12:
            raise Refused(400, "The number of the question to go on behind is none.")
        return Wanted(number, _converted(chosen, Filter), int(after))


def make_app(shown: Sequence[Shown]) -> FastAPI:
    """Return the application.

    Args:
        shown: the runs.
    """
    pages = Pages(shown)
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=list(HOSTS), www_redirect=False)

    @app.middleware("http")
    async def with_headers(request: Request, call: Callable[[Request], Awaitable[Response]]) -> Response:
        response = await call(request)
        response.headers.update(HEADERS)
        return response

    @app.exception_handler(Refused)
    async def refused(_request: Request, error: Refused) -> Response:
        return HTMLResponse(pages.message(error.text), status_code=error.status)

    @app.exception_handler(GlobmedError)
    async def failed(_request: Request, error: GlobmedError) -> Response:
        return HTMLResponse(pages.message(str(error)), status_code=500)

    @app.exception_handler(404)
    async def absent(_request: Request, _error: Exception) -> Response:
        return HTMLResponse(pages.message("There is no such page."), status_code=404)

    @app.get("/")
    def listed(request: Request) -> Response:
        return HTMLResponse(pages.listed(request.query_params))

    @app.get("/item")
    def item(request: Request) -> Response:
        return HTMLResponse(pages.item(request.query_params))

    @app.get("/view.css")
    def style() -> Response:
        return Response(pages.style(), media_type="text/css")

    @app.post("/mark")
    async def mark(request: Request) -> Response:
        form = await _form(request)
        return RedirectResponse(await run_in_threadpool(pages.mark, request.query_params, form), status_code=303)

    return app


async def _form(request: Request) -> dict[str, str]:
    # A page elsewhere that guessed the token would still be named here.
    if (origin := request.headers.get("origin")) and urlsplit(origin).netloc != request.headers.get("host"):
        raise Refused(403, "This form was sent from another site.")
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > FORM_BYTES_MAX:
            raise Refused(413, "This form holds too much text.")
    return {name: values[0] for name, values in parse_qs(body.decode(errors="replace")).items()}


def _converted(values: Mapping[str, str], kind: Any) -> Any:
    try:
        return msgspec.convert(dict(values), kind)
    except msgspec.ValidationError as error:
        raise Refused(400, f"This cannot be asked: {error}") from error


def _real(values: Sequence[str], sent: str) -> str:
    """Return the value that a form showed as `sent`; what is unknown is left as it is, and found nowhere."""
    shown = sent.replace("\r\n", "\n")
    return next((value for value in values if readable(value) == shown), sent)


def _asked(view: View, family: str) -> tuple[str, dict[str, Question]]:
    """Return the id of a question and itself in all languages, by the id or by how a form showed it."""
    real = family if view.questions(family) else _real(view.families(), family)
    if not (found := view.questions(real)):
        raise Refused(404, "This run holds no such question.")
    return real, found


def _in_order(name: str, values: Sequence[str]) -> list[str]:
    order = list(languages())
    if name != "language":
        return list(values)
    return sorted(values, key=lambda code: (order.index(code) if code in order else len(order), code))


def _beside(codes: Sequence[str], code: str) -> str:
    """Return the language to show beside another: English, else any other."""
    return next((other for other in ("en", *codes) if other != code and other in codes), code)


def _address_values(wanted: Wanted) -> dict[str, Any]:
    return {"run": wanted.run or "", **msgspec.to_builtins(wanted.filter)}
